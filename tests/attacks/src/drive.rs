//! Cases that take more than one run of a program: the runner is killed, others run beside it, the
//! limits are absurd.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tracer_model::Limits;
use tracer_sandbox::{Finished, Request, SandboxError, Without, forget, run};

use crate::case::{self, Case, Mode, words};
use crate::outer::again;
use crate::snapshot::Snapshot;
use crate::worker::request;

/// How long things may take to begin, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Does what the header says instead of a plain run; gives the verdict and what was said.
pub(crate) fn drive(case: &Case, mode: Mode, how: &str) -> io::Result<(String, String)> {
    match how {
        "kill the runner" => kill_runner(case, mode),
        "beside a crowd" => beside_crowd(case, mode),
        "absurd limits" => Ok(absurd_limits(case, mode)),
        _ => Err(io::Error::other(format!("no such drive: {how}"))),
    }
}

/// The runner that is to be killed: runs its case and never comes to the end.
pub(crate) fn victim() -> io::Result<()> {
    let case = case::parse(&PathBuf::from("/tmp/case/source.sh")).map_err(io::Error::other)?;
    let mut request = request(&case, Mode::Root);
    request.limits.wall = None;
    if std::env::var_os("TRACER_ATTACK_MODE").is_some_and(|mode| mode == "open") {
        request.without = Without::walls(&case.walls);
    }
    run(&request).map(drop).map_err(io::Error::other)
}

fn kill_runner(case: &Case, _: Mode) -> io::Result<(String, String)> {
    let before = Snapshot::take();
    let mut runner = again("victim")?
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    let sleeping = || {
        let new = Snapshot::take().since(&before);
        new.iter()
            .filter(|what| what.ends_with("sleep 1000 "))
            .count()
    };
    while sleeping() < 3 {
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("{} does not start", case.name)));
        }
        std::thread::yield_now();
    }
    runner.kill()?;
    runner.wait()?;
    // The next runner removes the groups that this one could not.
    let mut next = again("next")?;
    next.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    Ok(("killed".to_owned(), String::new()))
}

/// What a run says and how it ends, to compare.
fn result(finished: &Result<Finished, SandboxError>) -> String {
    match finished {
        Ok(finished) => format!(
            "{} {}",
            words(&finished.outcome.end, &finished.outcome.limits_hit),
            String::from_utf8_lossy(&finished.stdout)
        ),
        Err(error) => format!("refused: {error}"),
    }
}

fn beside_crowd(case: &Case, mode: Mode) -> io::Result<(String, String)> {
    const SCRIPTS: [&str; 4] = [
        "f() { f | f & }; f; sleep 1",
        "while :; do :; done",
        "exec head -c 100000000 /dev/zero",
        "exec cat /dev/zero > /tmp/filling",
    ];
    let alone = run(&request(case, mode)).map_err(io::Error::other)?;
    let expected = result(&Ok(alone));
    let hostile = |number: usize| {
        let mut request = Request::new("/bin/sh", "/tmp");
        let script = SCRIPTS[number % SCRIPTS.len()];
        request.argv = ["sh", "-c", script].map(Into::into).to_vec();
        request.env.push(("PATH".into(), "/usr/bin:/bin".into()));
        request.limits.wall = Some(Duration::from_millis(300));
        request.limits.processes = Some(10);
        request.limits.memory = Some(32 << 20);
        request.limits.disk = Some(1 << 20);
        request.limits.output = Some(1 << 16);
        run(&request).map(drop)
    };
    let (hostile, mut said) = (&hostile, String::new());
    std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..8)
            .map(|lane| scope.spawn(move || (0..8).try_for_each(|number| hostile(lane + number))))
            .collect();
        while crowd.iter().any(|lane| !lane.is_finished()) {
            let beside = result(&run(&request(case, mode)));
            if beside != expected {
                said = format!("ATTACK SUCCEEDED: {beside} instead of {expected}");
            }
        }
        for lane in crowd {
            match lane.join() {
                Ok(Ok(())) => {}
                other => said = format!("ATTACK SUCCEEDED: {other:?}"),
            }
        }
    });
    forget(); // eight runners' worth of groups
    let verdict = expected.split_once('\n').map_or("", |(first, _)| first);
    let verdict = verdict.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok((verdict, said))
}

fn absurd_limits(case: &Case, mode: Mode) -> (String, String) {
    let fields: [fn(&mut Limits, u64); 9] = [
        |limits, value| limits.cpu = Some(Duration::from_secs(value)),
        |limits, value| limits.wall = Some(Duration::from_secs(value)),
        |limits, value| limits.memory = Some(value),
        |limits, value| limits.processes = Some(value),
        |limits, value| limits.file_size = Some(value),
        |limits, value| limits.disk = Some(value),
        |limits, value| limits.open_files = Some(value),
        |limits, value| limits.output = Some(value),
        |limits, value| limits.stack = Some(value),
    ];
    let mut said = String::new();
    for (number, set) in fields.iter().enumerate() {
        for value in [0, 1, u64::MAX - 1, u64::MAX] {
            let mut request = request(case, mode);
            set(&mut request.limits, value);
            let start = Instant::now();
            let finished = run(&request);
            said.push_str(&format!(
                "limit {number} of {value}: {}\n",
                result(&finished)
            ));
            if start.elapsed() > PATIENCE {
                said.push_str("ATTACK SUCCEEDED: it hung\n");
            }
            // Without a limit it must run as ever.
            if value > 1 && !result(&finished).starts_with("exited 0 here") {
                said.push_str("ATTACK SUCCEEDED: a large limit stops an honest program\n");
            }
        }
    }
    ("exited 0".to_owned(), said)
}

/// The runner after the one that was killed: does one run, and removes what that one could not.
pub(crate) fn next() -> io::Result<()> {
    let mut request = Request::new("/bin/true", "/tmp");
    request.argv = vec!["true".into()];
    run(&request).map(drop).map_err(io::Error::other)
}
