//! Cases that take more than one run of a program: the runner is killed, others run beside it, the
//! limits are absurd, the clock is set.

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
        "clock step" => clock_step(case, BACK),
        "clock step forward" => clock_step(case, !BACK),
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
    let request = &request;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..case.runs)
            .map(|_| scope.spawn(move || run(request).map(drop)))
            .collect();
        all.into_iter()
            .try_for_each(|one| one.join().unwrap_or(Ok(())))
    })
    .map_err(io::Error::other)
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
    while sleeping() < 3 * case.runs as usize {
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
        let crowd: Vec<_> = (0..64)
            .map(|number| scope.spawn(move || hostile(number)))
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
    forget(); // sixty-four runners' worth of groups
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

/// For the runner alone: a clock of the day that is `STEP` seconds off, more each time it is read.
const STEPPING: &str = r"
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static time_t hours;
int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += STEP * ++hours;
  return result;
}
int gettimeofday(struct timeval *now, void *zone) {
  int result = syscall(SYS_gettimeofday, now, zone);
  now->tv_sec += STEP * ++hours;
  return result;
}
time_t time(time_t *place) {
  time_t now = syscall(SYS_time, 0) + STEP * ++hours;
  if (place) *place = now;
  return now;
}
";

/// That the clock is set back, and not forward.
const BACK: bool = true;

/// The run, by a runner whose clock of the day leaps an hour; the machine's own is left alone.
fn clock_step(case: &Case, back: bool) -> io::Result<(String, String)> {
    let source = "/tmp/stepping.c";
    let library = "/tmp/stepping.so";
    std::fs::write(source, STEPPING)?;
    let built = std::process::Command::new("/usr/bin/cc")
        .arg(if back { "-DSTEP=-3600" } else { "-DSTEP=3600" })
        .args(["-shared", "-fPIC", "-o", library, source])
        .output()?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        return Err(io::Error::other(said));
    }
    let ran = again("stepped")?.env("LD_PRELOAD", library).output()?;
    for file in [source, library] {
        std::fs::remove_file(file)?;
    }
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let Some((verdict, output)) = text.split_once('\n').filter(|_| ran.status.success()) else {
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        return Err(io::Error::other(format!("{}: {said}", case.name)));
    };
    Ok((verdict.to_owned(), output.to_owned()))
}

/// The runner whose clock leaps.
pub(crate) fn stepped() -> io::Result<()> {
    use std::io::Write;
    use std::time::SystemTime;

    let first = SystemTime::now();
    let second = SystemTime::now();
    let leap = second
        .duration_since(first)
        .unwrap_or_else(|back| back.duration());
    if leap < Duration::from_secs(3000) {
        return Err(io::Error::other("the clock does not leap"));
    }
    let case = case::parse(&PathBuf::from("/tmp/case/source.sh")).map_err(io::Error::other)?;
    let mode = std::env::var("TRACER_ATTACK_MODE").ok();
    let mode = mode.as_deref().and_then(Mode::named).unwrap_or(Mode::Root);
    let finished = run(&request(&case, mode));
    let said = result(&finished);
    let words = said.split(' ').take(2).collect::<Vec<_>>().join(" ");
    writeln!(io::stdout(), "{words}\n{said}")
}
