//! The runner under test, inside the throwaway sandbox: runs one case and reports.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use tracer_sandbox::{
    Access, CopyLimits, Folder, Pool, Request, Without, copy_out, forget, nursery, run,
};

use crate::case::{self, Case, Mode, Shows, Work};
use crate::outer::{self, PROGRAMS, SEEDS};
use crate::report::Report;
use crate::snapshot::Snapshot;

/// How long what is left may take to go.
const GRACE: Duration = Duration::from_millis(100);

/// Runs `case` in `mode`, in a throwaway sandbox.
pub fn attack(case: &Case, mode: Mode) -> Result<Report, String> {
    outer::run(case, mode)
}

pub(crate) fn main() -> io::Result<()> {
    let source = PathBuf::from(std::env::var_os("TRACER_ATTACK_CASE").unwrap_or_default());
    let mode = std::env::var("TRACER_ATTACK_MODE").ok();
    if mode.as_deref() == Some("seeds") {
        let mut count = 0;
        for seed in fs::read_dir(SEEDS)?.flatten() {
            crate::copy_out_body::feed(&fs::read(seed.path())?);
            count += 1;
        }
        return writeln!(io::stdout(), "{count}");
    }
    if let Some(total) = mode.as_deref().and_then(|mode| mode.strip_prefix("soak ")) {
        let accounts = crate::soak::soak(total.parse().map_err(io::Error::other)?)?;
        return writeln!(io::stdout(), "{}", serde_json::to_string(&accounts)?);
    }
    if let Some(work) = mode
        .as_deref()
        .and_then(|mode| mode.strip_prefix("faults "))
    {
        let faults = crate::faults::faults(work.starts_with("all"))?;
        return writeln!(io::stdout(), "{}", serde_json::to_string(&faults)?);
    }
    let mode = mode
        .as_deref()
        .and_then(Mode::named)
        .ok_or_else(|| io::Error::other("no mode"))?;
    let mut case = case::parse(&source).map_err(io::Error::other)?;
    let name = Path::new("source").with_extension(source.extension().unwrap_or_default());
    case.source = Path::new(PROGRAMS).join(name);
    outer::leak()?;
    let report = if mode == Mode::Bwrap {
        bwrap(&case)
    } else {
        native(&case, mode)
    }?;
    let line = serde_json::to_string(&report)?;
    writeln!(io::stdout(), "{line}")
}

/// The program with its arguments.
fn arguments(case: &Case) -> Vec<OsString> {
    let source = case.source.as_os_str();
    if !case.run.is_empty() {
        let given = |word: &String| {
            if word == "@" {
                source.to_owned()
            } else {
                word.into()
            }
        };
        return case.run.iter().map(given).collect();
    }
    let interpreter: &[&str] = match case.source.extension().and_then(|ending| ending.to_str()) {
        Some("py") => &["/usr/bin/python3", "-I", "-S"],
        Some("js") => &["/usr/bin/node"],
        Some("rb") => &["/usr/bin/ruby"],
        Some("php") => &["/usr/bin/php"],
        Some("sh") => &["/bin/bash"],
        _ => return vec![Path::new(PROGRAMS).join("program").into()],
    };
    let mut all: Vec<OsString> = interpreter.iter().map(Into::into).collect();
    all.push(source.to_owned());
    all
}

/// The run that a case asks for.
pub(crate) fn request(case: &Case, mode: Mode) -> Request {
    let argv = arguments(case);
    let mut request = Request::new(&argv[0], "/tmp");
    request.argv = argv;
    request
        .env
        .push(("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()));
    let own = case
        .env
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    request.env.extend(own);
    request.roots.push(PROGRAMS.into());
    request.limits = case.limits.clone();
    if case.work != Work::No {
        let bare = mode == Mode::Open && (case.naive_copy || case.no_layer);
        let access = if case.work == Work::Writable || bare {
            Access::Writable
        } else {
            Access::Overlay
        };
        request.cwd = "/tmp/work".into();
        request.folders.push(Folder {
            path: "/tmp/work".into(),
            access,
        });
    }
    if mode == Mode::Open {
        request.without = Without::walls(&case.walls);
    }
    if mode == Mode::Started {
        request.begins_at = Some(case.source.clone());
    }
    request
}

/// A harmless run on the same worker; what it says is the same each time.
fn clean(case: &Case) -> Result<String, String> {
    let script = "echo clean; id -u; ls -A /tmp /dev/shm; ulimit -n; cat /proc/sys/kernel/hostname";
    let mut request = Request::new("/bin/sh", "/tmp");
    request.argv = ["sh", "-c", script].map(Into::into).to_vec();
    request.env.push(("PATH".into(), "/usr/bin:/bin".into()));
    if case.work != Work::No {
        // What a folder needs is made once and kept as well.
        request.folders.push(Folder {
            path: "/tmp/work".into(),
            access: Access::ReadOnly,
        });
    }
    let finished = run(&request).map_err(|error| error.to_string())?;
    let verdict = case::words(&finished.outcome.end, &finished.outcome.limits_hit);
    let text = String::from_utf8_lossy(&finished.stdout);
    Ok(format!("{verdict}: {text}"))
}

fn native(case: &Case, mode: Mode) -> io::Result<Report> {
    // As whoever runs many programs has them made.
    if matches!(mode, Mode::Pool | Mode::Started) {
        nursery().map_err(io::Error::other)?;
    }
    // Groups and the like are made once and kept: they are part of what was there before.
    let first = clean(case).map_err(io::Error::other)?;
    let before = Snapshot::take();
    let mut report = Report::default();
    let start = Instant::now();
    if let Some(how) = &case.drive {
        (report.verdict, report.output) = crate::drive::drive(case, mode, how)?;
        report.succeeded = says(case, &report.output);
    }
    let plain = match mode {
        _ if case.drive.is_some() => 0,
        // The first is cold, the second makes the snapshot.
        Mode::Started => case.runs + 2,
        _ => case.runs,
    };
    // Gone before it is looked at what is left.
    let pool = if matches!(mode, Mode::Pool | Mode::Started) {
        let pool = Pool::new(&request(case, mode), 1).map_err(io::Error::other)?;
        Some(pool)
    } else {
        None
    };
    for _ in 0..plain {
        let mut request = request(case, mode);
        if case.is_module(mode) {
            crate::module::wrap(&mut request, case, mode)?;
        }
        let finished = pool.as_ref().map_or_else(
            || run(&request),
            |pool| {
                pool.wait_ready();
                pool.run(&request)
            },
        );
        let finished = match finished {
            Ok(finished) => finished,
            Err(error) => {
                report.verdict = format!("refused: {error}");
                let cause = std::error::Error::source(&error);
                report
                    .output
                    .push_str(&cause.map(ToString::to_string).unwrap_or_default());
                continue;
            }
        };
        report.verdict = case::words(&finished.outcome.end, &finished.outcome.limits_hit);
        for stream in [&finished.stdout, &finished.stderr] {
            let text = String::from_utf8_lossy(&stream[..stream.len().min(4000)]);
            report.output.push_str(&text);
            let end = String::from_utf8_lossy(&stream[stream.len().saturating_sub(4000)..]);
            report.succeeded |= says(case, &text) || says(case, &end);
        }
        if case.work == Work::Overlay {
            let work = Path::new("/tmp/work");
            let copied = Path::new("/tmp/copied");
            if case.naive_copy && mode == Mode::Open {
                naive(work, copied);
            } else {
                let limits = CopyLimits {
                    bytes: 16 << 20,
                    entries: 1000,
                    links: false,
                };
                copy_out(&finished.changes, work, copied, limits).map_err(io::Error::other)?;
            }
        }
    }
    let took = start.elapsed();
    if let Some(pool) = pool {
        if u64::from(plain) > pool.served() {
            return Err(io::Error::other("not every run found a sandbox ready"));
        }
        if mode == Mode::Started {
            let why = pool.refusal().unwrap_or_default();
            enough_thawed(case, pool.thawed(), &why).map_err(io::Error::other)?;
        }
        drop(pool);
        forget(); // the groups of what was made ahead and not used
    }
    report.milliseconds = took.as_millis() as u64;
    let look = || -> Vec<String> {
        let left = Snapshot::take().since(&before);
        left.into_iter()
            .filter(|what| {
                // A network is kept for later runs, which look whether it was used; the soak counts
                // them.
                let network = what.starts_with("descriptor ") && what.contains(" net:[");
                let copied = what.starts_with("file /tmp/copied/");
                !network && !copied && !what.starts_with("file /tmp/work/")
            })
            .collect()
    };
    let (ended, began) = (Instant::now(), processor_time());
    report.left = after_grace(|| processor_time().saturating_sub(began), look);
    report.gone_milliseconds = ended.elapsed().as_millis() as u64;
    // How long it took tells nothing of a run that a limit ended on a busy machine.
    report.succeeded |= shown(case, took, &report.left)
        && (mode == Mode::Open || !report.verdict.starts_with("limited"));
    report.next = match clean(case) {
        Ok(next) if next == first => String::new(),
        Ok(next) => next,
        Err(error) => error,
    };
    Ok(report)
}

/// The processor time of this thread. It is never idle while it waits for leftovers, so that this
/// is the time that passes on a quiet machine, and a fair share of it on a busy one.
fn processor_time() -> Duration {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(Duration::MAX, |usage| {
        let micros = |time: TimeVal| time.num_microseconds().max(0) as u64;
        Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
    })
}

/// What is left at the end of the grace, or at once where that is nothing. A look that began before
/// its end does not count against the promise.
fn after_grace(
    passed: impl Fn() -> Duration,
    mut look: impl FnMut() -> Vec<String>,
) -> Vec<String> {
    loop {
        let late = passed() >= GRACE;
        let left = look();
        if left.is_empty() || late {
            return left;
        }
        std::thread::yield_now();
    }
}

/// Whether as many runs began in a started interpreter as the case asks for: one that poisons it
/// shows nothing unless another follows.
fn enough_thawed(case: &Case, thawed: u64, why: &str) -> Result<(), String> {
    if thawed >= u64::from(case.runs) {
        return Ok(());
    }
    Err(format!(
        "{thawed} runs began in a started interpreter, {} are needed: {why}",
        case.runs
    ))
}

fn says(case: &Case, text: &str) -> bool {
    matches!(&case.shows, Shows::Says(mark) if text.contains(mark))
}

fn shown(case: &Case, took: Duration, left: &[String]) -> bool {
    match &case.shows {
        Shows::Says(_) => false,
        Shows::Outside(path) => path.exists(),
        Shows::Left(mark) => left.iter().any(|what| what.contains(mark)),
        Shows::Longer(least) => took >= *least,
        Shows::Copied(mark) => copied(Path::new("/tmp/copied"), mark),
    }
}

/// Whether a name, type or content below `folder` shows `mark`.
fn copied(folder: &Path, mark: &str) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let Ok(metadata) = entry.metadata() else {
                return false;
            };
            let kind = match metadata.mode() & libc::S_IFMT {
                libc::S_IFLNK => "link",
                libc::S_IFIFO => "fifo",
                libc::S_IFREG if metadata.mode() & 0o6000 != 0 => "set-user-ID",
                libc::S_IFREG if metadata.len() > 1 << 30 => "huge",
                _ => "",
            };
            kind == mark
                || entry.file_name().to_string_lossy().contains(mark)
                || (metadata.is_file()
                    && metadata.len() < 1 << 20
                    && fs::read(entry.path())
                        .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(mark)))
                || (metadata.is_dir() && copied(&entry.path(), mark))
        })
}

/// A copy-out as it is often written: by path, following whatever stands there.
fn naive(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(entry.file_name());
        let Ok(metadata) = fs::metadata(entry.path()) else {
            continue;
        };
        if metadata.is_dir() {
            let _ = fs::create_dir_all(&target);
            naive(&entry.path(), &target);
        } else if metadata.len() > 64 << 20 {
            // As a sparse file, so that the disk is not what ends this.
            let _ = fs::File::create(&target).and_then(|file| file.set_len(metadata.len()));
        } else if metadata.file_type().is_fifo() {
            let _ = nix::unistd::mkfifo(&target, nix::sys::stat::Mode::S_IRWXU);
        } else if metadata.is_file() {
            let _ = fs::copy(entry.path(), &target);
        }
    }
}

/// The same program under `bwrap`, with the same namespaces and nothing else that it offers.
fn bwrap(case: &Case) -> io::Result<Report> {
    let before = Snapshot::take();
    let mut command = Command::new("bwrap");
    command.args([
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/bin",
        "/bin",
        "--symlink",
        "usr/lib",
        "/lib",
        "--symlink",
        "usr/lib64",
        "/lib64",
        "--ro-bind-try",
        "/etc/alternatives",
        "/etc/alternatives",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--tmpfs",
        "/tmp",
        "--ro-bind",
        PROGRAMS,
        PROGRAMS,
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--hostname",
        "tracer",
        "--setenv",
        "PATH",
        "/usr/local/bin:/usr/bin:/bin",
    ]);
    for (name, value) in &case.env {
        command.args(["--setenv", name, value]);
    }
    if case.work == Work::No {
        command.args(["--chdir", "/tmp"]);
    } else {
        command.args(["--bind", "/tmp/work", "/tmp/work", "--chdir", "/tmp/work"]);
    }
    let output = Path::new("/tmp/outside/bwrap-output");
    let file = fs::File::create(output)?;
    command
        .arg("--")
        .args(arguments(case))
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    let mut report = Report::default();
    let start = Instant::now();
    for _ in 0..case.runs {
        let Ok(mut child) = command.spawn() else {
            // What the runs before left takes all there is.
            report.succeeded = true;
            break;
        };
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                report.verdict = status.to_string();
                break;
            }
            if started.elapsed() > Duration::from_secs(4) {
                child.kill()?;
                child.wait()?;
                "did not end".clone_into(&mut report.verdict);
                // Nothing ends what waits for a limit.
                report.succeeded = true;
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let text = fs::read(output).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[..text.len().min(1 << 20)]).into_owned();
    report.succeeded |= says(case, &text);
    if case.naive_copy || case.work == Work::Overlay {
        naive(Path::new("/tmp/work"), Path::new("/tmp/copied"));
    }
    let took = start.elapsed();
    let ended = Instant::now();
    while ended.elapsed() < GRACE {
        std::thread::yield_now();
    }
    report.left = Snapshot::take().since(&before);
    report.left.retain(|what| !what.contains("/bwrap-output"));
    report.succeeded |= shown(case, took, &report.left);
    report.output = text.chars().take(2000).collect();
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// What is said of something that goes after `time`, where each look takes 10 ms.
    fn left_of_what_stays(time: Duration) -> Vec<String> {
        let now = Cell::new(Duration::ZERO);
        after_grace(
            || now.get(),
            || {
                let left = (now.get() < time).then(|| "process 7".to_owned());
                now.set(now.get() + Duration::from_millis(10));
                left.into_iter().collect()
            },
        )
    }

    #[test]
    fn what_stays_longer_than_promised_is_left() {
        assert_eq!(left_of_what_stays(Duration::from_millis(90)), [""; 0]);
        assert_eq!(
            left_of_what_stays(Duration::from_millis(110)),
            ["process 7"]
        );
        assert_eq!(left_of_what_stays(Duration::from_secs(9)), ["process 7"]);
    }

    #[test]
    fn every_run_of_a_case_has_to_begin_in_a_started_interpreter() {
        let all = case::cases(&crate::repository().join("fixtures/hostile")).unwrap();
        let mut poison = 0;
        for case in all.iter().filter(|case| case.name.contains("poison")) {
            poison += 1;
            assert!(case.runs >= 2, "{} looks for nothing", case.name);
            let runs = u64::from(case.runs);
            assert!(enough_thawed(case, runs - 1, "refused").is_err());
            assert!(enough_thawed(case, runs, "").is_ok());
        }
        assert!(poison >= 3);
    }
}
