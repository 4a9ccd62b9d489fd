//! A short soak: 300 runs of every kind leave nothing. `cargo run -p xtask -- soak N` makes more.
#![expect(clippy::print_stdout, reason = "skips are said")]

fn main() {
    tracer_attacks::stage();
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can make the throwaway sandbox");
        return;
    }
    let accounts = tracer_attacks::soak(300).expect("every run ends as it should");
    let (first, last) = (&accounts[0], &accounts[accounts.len() - 1]);
    println!("{first:?}\n{last:?}");
    assert!(first.holds_the_same_as(last), "something was left");
    assert!(last.resident < first.resident + (8 << 10), "memory grows");
}
