//! Nothing outlives a run: not its processes, its groups, its mounts, nor the runner's patience.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout
)] // tests start helpers and say why they skip

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{compiled, exited, limited, outcome, python, shell, signaled, subject, text};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tracer_model::{End, Limit};
use tracer_sandbox::{CHANNEL_FD, Isolation, run};

/// Processes of the machine whose command line holds `mark`.
fn alive(mark: &str) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.parse::<u32>().is_ok())
        })
        .filter_map(|entry| {
            let line = text(&fs::read(entry.path().join("cmdline")).ok()?);
            (line.contains(mark) && !line.contains("--exact")).then_some(line)
        })
        .collect()
}

#[test]
fn a_double_fork_with_its_own_session_dies_with_the_run() {
    let Some((folder, binary)) = compiled(
        "#include <signal.h>\n#include <unistd.h>\nint main(int c, char **v) {\n\
         for (int i = 1; i < 32; i++) signal(i, SIG_IGN);\n\
         if (fork() == 0) { setsid(); if (fork() == 0) for (;;) pause(); _exit(0); }\n\
         return 7; }",
    ) else {
        return;
    };
    for isolation in [Isolation::Native, Isolation::None] {
        let mut request = subject(&folder, &binary);
        request.argv.push("double-fork-mark-5123".into());
        request.isolation = isolation;
        let Some(finished) = outcome(&request) else {
            return;
        };
        exited(&finished, 7);
        assert_eq!(alive("double-fork-mark-5123"), [""; 0], "{isolation:?}");
    }
}

#[test]
fn a_child_that_holds_the_output_does_not_hold_the_runner() {
    for isolation in [Isolation::Native, Isolation::None] {
        let mut request = shell("sleep 1000 & echo started");
        request.isolation = isolation;
        let start = Instant::now();
        let Some(finished) = outcome(&request) else {
            return;
        };
        exited(&finished, 0);
        assert_eq!(text(&finished.stdout), "started\n");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn limits_hold_without_walls() {
    for (script, limit) in [
        ("while :; do :; done", Limit::Cpu),
        ("sleep 1000", Limit::Wall),
        ("cat /dev/zero", Limit::Output),
        (
            "(while :; do :; done) & setsid sh -c 'while :; do :; done' & wait",
            Limit::Cpu,
        ),
    ] {
        let mut request = shell(script);
        request.isolation = Isolation::None;
        request.limits.cpu = Some(Duration::from_millis(300));
        request.limits.wall = Some(Duration::from_secs(if limit == Limit::Wall {
            1
        } else {
            10
        }));
        request.limits.output = Some(1 << 20);
        limited(&run(&request).unwrap(), limit);
    }
}

#[test]
fn a_fork_bomb_leaves_nothing() {
    let Some((folder, binary)) =
        compiled("#include <unistd.h>\nint main(void) { for (;;) fork(); }")
    else {
        return;
    };
    let mut request = subject(&folder, &binary);
    request.argv.push("fork-bomb-mark-7719".into());
    let Some(finished) = outcome(&request) else {
        return;
    };
    limited(&finished, Limit::Processes);
    assert_eq!(alive("fork-bomb-mark-7719"), [""; 0]);
}

#[test]
fn time_outs_while_forking_leave_nothing() {
    let Some((folder, binary)) =
        compiled("#include <unistd.h>\nint main(void) { for (;;) if (fork() == 0) setsid(); }")
    else {
        return;
    };
    for round in 0..60 {
        let mut request = subject(&folder, &binary);
        request.argv.push("forking-mark-3391".into());
        request.limits.wall = Some(Duration::from_micros(300 * round));
        let Some(finished) = outcome(&request) else {
            return;
        };
        assert!(
            matches!(
                finished.outcome.end,
                End::Limited {
                    limit: Limit::Wall | Limit::Processes
                }
            ),
            "{:?}",
            finished.outcome
        );
        assert_eq!(alive("forking-mark-3391"), [""; 0]);
    }
}

#[test]
fn groups_of_a_killed_runner_go_with_the_next() {
    let Some(mut runner) = child("helper_native_runner") else {
        return;
    };
    let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("started")));
    let mark = format!("tracer-{}-*", runner.id());
    runner.kill().unwrap();
    runner.wait().unwrap();
    assert_eq!(lines.count(), 0);
    // A fresh process, since a runner cleans up once.
    assert!(
        child("helper_many_runs")
            .unwrap()
            .wait_with_output()
            .unwrap()
            .status
            .success()
    );
    let left = Command::new("find")
        .args(["/sys/fs/cgroup", "-name", &mark])
        .output();
    assert_eq!(text(&left.unwrap().stdout), "");
}

#[test]
fn the_channel_survives_a_kill() {
    let channel = memfd_create(c"channel", MFdFlags::MFD_ALLOW_SEALING).unwrap();
    let mut file = File::from(channel.try_clone().unwrap());
    file.set_len(4096).unwrap();
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW;
    fcntl(&channel, FcntlArg::F_ADD_SEALS(seals)).unwrap();
    let Some(mut request) = python(&format!(
        "import mmap, os, signal\nm = mmap.mmap({CHANNEL_FD}, 4096)\nm[:5] = b'event'\nos.kill(os.getpid(), signal.SIGKILL)"
    )) else {
        return;
    };
    request.channel = Some(channel);
    let Some(finished) = outcome(&request) else {
        return;
    };
    signaled(&finished, libc::SIGKILL);
    let mut events = [0; 5];
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_exact(&mut events).unwrap();
    assert_eq!(&events, b"event");
}

#[test]
fn runs_from_eight_threads_do_not_mix() {
    if outcome(&shell("true")).is_none() {
        return;
    }
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for round in 0..6 {
                    let code = (thread * 6 + round) as u8;
                    let request = shell(&format!("echo {code}; sleep 100 & exit {code}"));
                    let finished = run(&request).unwrap();
                    exited(&finished, code);
                    assert_eq!(text(&finished.stdout), format!("{code}\n"));
                }
            });
        }
    });
}

#[test]
fn runs_leave_no_descriptor_and_no_group() {
    // In a process of its own, since other tests open descriptors of theirs meanwhile.
    let Some(own) = child("helper_many_runs") else {
        return;
    };
    let out = own.wait_with_output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stdout));
    assert!(
        text(&out.stdout).contains("descriptors equal"),
        "{}",
        text(&out.stdout)
    );
    let pid = text(&out.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("pid ").map(str::to_owned));
    let mark = format!("tracer-{}-", pid.unwrap());
    let left = Command::new("find")
        .args(["/sys/fs/cgroup", "-name", &format!("{mark}*")])
        .output();
    assert_eq!(text(&left.unwrap().stdout), "");
}

#[test]
#[ignore = "a helper of runs_leave_no_descriptor_and_no_group"]
fn helper_many_runs() {
    let count = || fs::read_dir("/proc/self/fd").unwrap().count();
    let request = shell("true");
    run(&request).unwrap();
    let before = count();
    for _ in 0..20 {
        run(&request).unwrap();
    }
    assert_eq!(count(), before);
    println!("descriptors equal\npid {}", std::process::id());
}

/// Starts this test binary again for one helper.
fn child(helper: &str) -> Option<std::process::Child> {
    outcome(&shell("true"))?;
    Command::new(std::env::current_exe().unwrap())
        .args([
            helper,
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

#[test]
fn killing_the_runner_kills_the_program() {
    for (helper, mark) in [
        ("helper_native_runner", "runner-mark-native"),
        ("helper_bare_runner", "runner-mark-bare"),
        ("helper_nursed_runner", "runner-mark-nursed"),
    ] {
        let Some(mut runner) = child(helper) else {
            return;
        };
        let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines();
        // The program holds the runner's output, so that its first line shows that it runs ...
        assert!(lines.any(|line| line.unwrap().ends_with("started")));
        // While the program is in `exec`, it has no command line for a moment.
        let asked = std::time::Instant::now();
        while alive(mark).is_empty() && asked.elapsed() < std::time::Duration::from_secs(10) {
            std::thread::yield_now();
        }
        assert!(!alive(mark).is_empty());
        runner.kill().unwrap();
        runner.wait().unwrap();
        // ... and the end of the output that it is gone.
        assert_eq!(lines.count(), 0);
        // The nursery holds that output, too, and takes its sandboxes with it when it ends.
        let asked = std::time::Instant::now();
        while !alive(mark).is_empty() && asked.elapsed() < std::time::Duration::from_secs(10) {
            std::thread::yield_now();
        }
        assert_eq!(alive(mark), [""; 0]);
    }
}

#[test]
#[ignore = "a helper of killing_the_runner_kills_the_program"]
fn helper_native_runner() {
    hold("runner-mark-native", Isolation::Native);
}

#[test]
#[ignore = "a helper of killing_the_runner_kills_the_program"]
fn helper_bare_runner() {
    hold("runner-mark-bare", Isolation::None);
}

#[test]
#[ignore = "a helper of killing_the_runner_kills_the_program"]
fn helper_nursed_runner() {
    tracer_sandbox::nursery().unwrap();
    println!("started");
    let mut request = shell("exec tail -qf /dev/null runner-mark-nursed");
    request.limits.wall = None;
    run(&request).unwrap();
}

fn hold(mark: &str, isolation: Isolation) {
    // Without walls only the program itself is bound to the runner's life, not what it starts.
    let nested = if isolation == Isolation::Native {
        "(sleep 1000) & "
    } else {
        ""
    };
    let mut request = shell(&format!(
        "echo started; {nested}exec tail -qf /dev/null {mark}"
    ));
    request.stdout = tracer_sandbox::Stream::Inherit;
    request.limits.wall = None;
    request.isolation = isolation;
    run(&request).unwrap();
}

/// The other suites once more as an ordinary user, where this one is root.
#[test]
fn an_ordinary_user_has_the_same_walls() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: this is an ordinary user's run already");
        return;
    }
    let unprivileged = Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "unshare",
            "--user",
            "true",
        ])
        .status();
    if !unprivileged.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no setpriv, or ordinary users may not make user namespaces");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut suites = 0;
    for name in ["walls", "folders", "image", "outcome"] {
        // The newest of a suite's binaries beside this one.
        let newest = fs::read_dir(own.parent().unwrap())
            .unwrap()
            .flatten()
            .filter(|entry| {
                let file = entry.file_name();
                let file = file.to_str().unwrap_or_default();
                file.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('-'))
                    && !file.contains('.')
            })
            .max_by_key(|entry| entry.metadata().unwrap().modified().unwrap());
        let Some(suite) = newest else { continue };
        let copy = folder.path().join(name);
        // Not by this process: a test that forks meanwhile would hold the copy open for writing.
        let copied = Command::new("cp").arg(suite.path()).arg(&copy).status();
        assert!(copied.unwrap().success());
        let out = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&copy)
            .env("TRACER_MUST_ISOLATE", "1")
            .current_dir("/tmp")
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{name}:\n{}{}",
            text(&out.stdout),
            text(&out.stderr)
        );
        suites += 1;
    }
    if suites == 0 {
        eprintln!("skipped: the other suites are not built");
    }
}
