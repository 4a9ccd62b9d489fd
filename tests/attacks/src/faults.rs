//! Every call of a set-up fails once: the run is refused with a reason, or told to be weaker, or is
//! the same as ever; and nothing of it is left.

use std::fs;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use tracer_sandbox::{
    Access, Body, Fault, Finished, Folder, Inject, Request, Side, Stdin, arm, disarm, forget, run,
};

use crate::case::words;
use crate::snapshot::Snapshot;

/// The errors that kernels give when something is forbidden or has run out.
const ERRORS: [i32; 4] = [libc::EPERM, libc::ENOSPC, libc::ENOMEM, libc::EMFILE];

/// Walls as the program itself sees them. What it says is the same in every run behind all walls.
const WITNESS: &str = r#"
grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
for space in mnt pid net ipc uts user cgroup time; do
  case " $OUTSIDE " in *" $(readlink /proc/self/ns/$space) "*) echo "shares $space";; esac
done
id; hostname; pwd; cat; set -- /proc/[0-9]*; echo "$# processes"; ls /sys/class /home /root 2>/dev/null
(: > /usr/written) 2>/dev/null && echo "wrote to /usr"
(: > /tmp/outside/written) 2>/dev/null && echo "wrote outside"
ulimit -a; cat /run/injected; cat /proc/self/personality; ls /proc/self/fd; echo > /tmp/work/new
"#;

/// What came of failing every call in turn.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Faults {
    /// Calls of the runner and of the child.
    pub calls: [u32; 2],
    /// Runs that were refused.
    pub refused: u32,
    /// Runs that said which wall was missing.
    pub degraded: u32,
    /// Runs that were as ever.
    pub unchanged: u32,
    /// What should not have been.
    pub problems: Vec<String>,
}

fn request() -> Request {
    let outside: Vec<String> = ["mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time"]
        .iter()
        .filter_map(|space| fs::read_link(format!("/proc/self/ns/{space}")).ok())
        .map(|link| link.display().to_string())
        .collect();
    let mut request = Request::new("/bin/sh", "/tmp/work");
    request.argv = ["sh", "-c", WITNESS].map(Into::into).to_vec();
    request.env.push(("PATH".into(), "/usr/bin:/bin".into()));
    request
        .env
        .push(("OUTSIDE".into(), outside.join(" ").into()));
    request.stdin = Stdin::Bytes(b"input\n".to_vec());
    request.folders.push(Folder {
        path: "/tmp/work".into(),
        access: Access::Overlay,
    });
    request.files.push(Inject {
        path: "/run/injected".into(),
        body: Body::Bytes((*b"injected\n").into()),
        executable: false,
    });
    request
}

/// What a run shows of its walls: from inside, and in the report.
fn seen(finished: &Finished) -> (String, Vec<String>) {
    let verdict = words(&finished.outcome.end, &finished.outcome.limits_hit);
    let text = String::from_utf8_lossy(&finished.stdout);
    let missing = finished
        .protections
        .iter()
        .filter(|wall| !wall.active)
        .map(|wall| wall.name.clone())
        .collect();
    (format!("{verdict}\n{text}"), missing)
}

/// Things that are there and were not. Groups count by their number alone, since those that were
/// given up are made anew under other names: there may be as many as the first runs needed.
fn left(before: &Snapshot, after: &Snapshot, groups: usize) -> Vec<String> {
    let mut left = after.since(before);
    let kept = ["/sys/fs/cgroup/", "user:[", "net:["]; // for later runs; the soak counts them
    left.retain(|what| !what.starts_with("group ") && !kept.iter().any(|kept| what.contains(kept)));
    if after.count("group ") > groups {
        left.push("a control group".to_owned());
    }
    left
}

/// Fails every call with one error each, or with every error.
pub(crate) fn faults(every: bool) -> io::Result<Faults> {
    let fail = |error: tracer_sandbox::SandboxError| io::Error::other(error);
    run(&request()).map_err(fail)?;
    let usual = seen(&run(&request()).map_err(fail)?);
    let groups = Snapshot::take().count("group ");
    let mut result = Faults::default();
    for side in [Side::Runner, Side::Child] {
        let mut step = 0;
        loop {
            let errors = if every {
                &ERRORS[..]
            } else {
                &ERRORS[step as usize % ERRORS.len()..][..1]
            };
            let mut met = true;
            for &errno in errors {
                met &= one(Fault { side, step, errno }, &usual, groups, &mut result);
            }
            if !met {
                break;
            }
            step += 1;
        }
        result.calls[side as usize] = step;
    }
    Ok(result)
}

/// Whether the run came as far as the call that was to fail.
fn one(fault: Fault, usual: &(String, Vec<String>), groups: usize, result: &mut Faults) -> bool {
    if fault.side == Side::Runner {
        forget(); // so that everything has to be made
    }
    let before = Snapshot::take();
    arm(fault);
    let outcome = run(&request());
    let met = disarm()[fault.side as usize] > fault.step;
    if !met {
        return false;
    }
    let mut problem = |what: String| {
        let _ = writeln!(io::stderr(), "{fault:?}: {what}");
        result.problems.push(format!("{fault:?}: {what}"));
    };
    match &outcome {
        Err(error) => {
            result.refused += 1;
            if error.to_string().is_empty() {
                problem("refused without a reason".to_owned());
            }
        }
        Ok(finished) => {
            let seen = seen(finished);
            forget();
            if seen.1 != usual.1 {
                result.degraded += 1;
            } else if seen.0 == usual.0 {
                result.unchanged += 1;
            } else {
                let lines: Vec<&str> = seen.0.lines().collect();
                let strange = lines
                    .iter()
                    .filter(|line| !usual.0.lines().any(|usual| usual == **line));
                problem(format!(
                    "a wall is missing in silence: {:?}",
                    strange.collect::<Vec<_>>()
                ));
            }
        }
    }
    drop(outcome);
    let left = left(&before, &Snapshot::take(), groups);
    if !left.is_empty() {
        problem(format!("left: {left:?}"));
    }
    true
}
