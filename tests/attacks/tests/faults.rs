//! Every call of the set-up fails in turn, as root and as an ordinary user. `TRACER_FAULTS=all`
//! tries every error at every call, not one.
#![expect(clippy::print_stdout, reason = "counts and skips are said")]

fn main() {
    tracer_attacks::stage();
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can make the throwaway sandbox");
        return;
    }
    let every = std::env::var_os("TRACER_FAULTS").is_some_and(|value| value == "all");
    for user in [false, true] {
        let faults = tracer_attacks::faults(every, user).expect("the runner stays up");
        println!(
            "as {}: {} calls of the runner, {} of the child; {} runs refused, {} told what they \
             lack, {} as ever",
            if user { "an ordinary user" } else { "root" },
            faults.calls[0],
            faults.calls[1],
            faults.refused,
            faults.degraded,
            faults.unchanged
        );
        assert!(faults.calls[0] > 5 && faults.calls[1] > 100, "{faults:?}");
        assert_eq!(faults.problems, [""; 0]);
    }
}
