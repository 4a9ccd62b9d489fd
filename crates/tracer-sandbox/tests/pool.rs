//! Sandboxes made ahead: runs in them are like any other.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stderr)] // tests start helpers and say why they skip

mod common;

use std::fs;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use common::{exited, limited, outcome, shell, text};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tempfile::TempDir;
use tracer_model::Limit;
use tracer_sandbox::{CHANNEL_FD, Copied, Finished, Pool, Request, Stdin, run};

/// A pool for requests like `template`, with one sandbox ready; `None` (said aloud) where this
/// machine refuses isolation.
fn pool(template: &Request) -> Option<Pool> {
    outcome(template)?;
    let pool = Pool::new(template, 2).unwrap();
    assert!(pool.wait_ready());
    Some(pool)
}

/// A script with a private copy of `from` to work in.
fn in_copy(script: &str, from: &TempDir) -> Request {
    let mut request = shell(script);
    request.cwd = "/tmp/work".into();
    request.copies = vec![
        Copied {
            path: "/tmp/work".into(),
            from: from.path().to_owned(),
            writable: true,
        },
        Copied {
            path: "/tmp/given".into(),
            from: from.path().to_owned(),
            writable: false,
        },
    ];
    request
}

fn said(finished: &Finished) -> (String, String, Vec<(PathBuf, String)>) {
    let changes = finished
        .changes
        .iter()
        .map(|change| {
            (
                change.path.clone(),
                format!("{:?} {:?} {:o}", change.kind, change.file, change.mode),
            )
        })
        .collect();
    (text(&finished.stdout), text(&finished.stderr), changes)
}

#[test]
fn a_run_in_a_pool_is_like_any_other() {
    let scripts = [
        "echo out; echo err >&2; exit 3",
        "cat input; echo more >> input; mkdir new; > new/file; ls -l /tmp/given | wc -l; echo $$",
        "> /tmp/given/x; cat /proc/sys/kernel/hostname; id -u; ulimit -n; echo $HOME$1",
        "kill -SEGV $$",
        "sh -c 'sleep 1000 & sleep 1000 &'; echo started",
        "cat; ls -l /proc/self/fd | wc -l; env",
    ];
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("input"), "some input\n").unwrap();
    let Some(pool) = pool(&in_copy("true", &folder)) else {
        return;
    };
    for script in scripts {
        let mut request = in_copy(script, &folder);
        request.stdin = Stdin::Bytes(b"from stdin\n".to_vec());
        request.env.push(("HOME".into(), "/nowhere".into()));
        let cold = run(&request).unwrap();
        assert!(pool.wait_ready());
        let served = pool.served();
        let pooled = pool.run(&request).unwrap();
        assert_eq!(pool.served(), served + 1, "{script}");
        assert_eq!(said(&cold), said(&pooled), "{script}");
        assert_eq!(cold.outcome, pooled.outcome, "{script}");
        assert_eq!(cold.protections, pooled.protections, "{script}");
    }
    assert_eq!(
        fs::read(folder.path().join("input")).unwrap(),
        b"some input\n"
    );
}

#[test]
fn what_is_copied_may_be_another_folder_each_time() {
    let folders = ["one", "two"].map(|content| {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("input"), content).unwrap();
        folder
    });
    let Some(pool) = pool(&in_copy("true", &folders[0])) else {
        return;
    };
    for (folder, content) in folders.iter().zip(["one", "two"]) {
        assert!(pool.wait_ready());
        let finished = pool.run(&in_copy("cat input; rm input", folder)).unwrap();
        assert_eq!(text(&finished.stdout), content);
        let change = &finished.changes[0];
        assert_eq!(
            (change.folder.as_path(), change.path.to_str()),
            (folder.path(), Some("input"))
        );
    }
    assert_eq!(pool.served(), 2);
}

#[test]
fn the_channel_is_passed_and_nothing_else() {
    let Some(pool) = pool(&shell("true")) else {
        return;
    };
    let channel = memfd_create(c"channel", MFdFlags::empty()).unwrap();
    let mut request = shell("echo told >&1000; exec ls -1 /proc/self/fd");
    request.argv[0] = "bash".into();
    request.program = "/bin/bash".into();
    request.channel = Some(channel.try_clone().unwrap());
    let finished = pool.run(&request).unwrap();
    assert_eq!(
        text(&finished.stdout),
        format!("0\n1\n{CHANNEL_FD}\n2\n3\n")
    );
    let told = fs::read(format!("/proc/self/fd/{}", channel.as_raw_fd())).unwrap();
    assert_eq!(told, b"told\n");
}

#[test]
fn each_run_has_its_own_limits() {
    let Some(pool) = pool(&shell("true")) else {
        return;
    };
    let mut request = shell("while :; do echo line; done");
    request.limits.output = Some(1000);
    limited(&pool.run(&request).unwrap(), Limit::Output);
    let mut request = shell("exec sleep 100");
    request.limits.wall = Some(std::time::Duration::from_millis(200));
    limited(&pool.run(&request).unwrap(), Limit::Wall);
    let mut request = shell("head -c 5000 /dev/zero > /tmp/file");
    request.limits.file_size = Some(4096);
    let finished = pool.run(&request).unwrap();
    assert_ne!(finished.outcome.end, tracer_model::End::Exited { code: 0 });
    exited(&pool.run(&shell("true")).unwrap(), 0);
}

#[test]
fn another_shape_is_run_all_the_same() {
    let Some(pool) = pool(&shell("true")) else {
        return;
    };
    let mut request = shell("cat /proc/sys/kernel/hostname");
    request.hostname = "elsewhere".to_owned();
    assert_eq!(text(&pool.run(&request).unwrap().stdout), "elsewhere\n");
    let mut request = shell("echo alone");
    request.isolation = tracer_sandbox::Isolation::None;
    assert_eq!(text(&pool.run(&request).unwrap().stdout), "alone\n");
    assert_eq!(pool.served(), 0);
}

#[test]
fn what_cannot_be_executed_is_an_error() {
    let Some(pool) = pool(&shell("true")) else {
        return;
    };
    let mut request = shell("true");
    request.program = "/no/such/program".into();
    let error = pool.run(&request).unwrap_err();
    assert!(error.to_string().contains("/no/such/program"), "{error}");
    request.cwd = "/no/such/folder".into();
    let error = pool.run(&request).unwrap_err();
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
}

#[test]
fn many_threads_share_one_pool() {
    let Some(pool) = pool(&shell("true")) else {
        return;
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..10 {
                    let finished = pool.run(&shell(&format!("echo {thread} {round}"))).unwrap();
                    assert_eq!(text(&finished.stdout), format!("{thread} {round}\n"));
                }
            });
        }
    });
}

#[test]
fn a_dropped_pool_leaves_nothing() {
    let children = || {
        let mut all = Vec::new();
        for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
            let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let nursery = |pid: &&str| {
                let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
                comm.is_ok_and(|comm| comm == "nursery\n")
            };
            let pids = list.split_whitespace().filter(|pid| !nursery(pid));
            all.extend(pids.map(str::to_owned));
        }
        all
    };
    let Some(pool) = pool(&shell("true")) else {
        return;
    };
    let made = children();
    if made.is_empty() {
        return; // the nursery has them
    }
    drop(pool);
    let left = children();
    // Other tests of this process have children of their own: those of the pool were among these.
    assert!(
        left.len() < made.len() || made.iter().any(|pid| !left.contains(pid)),
        "{made:?} {left:?}"
    );
}
