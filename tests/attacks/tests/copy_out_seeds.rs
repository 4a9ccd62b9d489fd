//! The seeds of the fuzz target `copy_out`, and what once broke it, are copied out without harm, in
//! a throwaway sandbox.
#![expect(clippy::print_stdout, reason = "counts and skips are said")]

fn main() {
    tracer_attacks::stage();
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can make the throwaway sandbox");
        return;
    }
    let count = tracer_attacks::copy_out_seeds().expect("every seed is survived");
    println!("{count} seeds");
    assert!(count > 5);
}
