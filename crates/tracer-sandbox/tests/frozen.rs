//! Interpreters that had started before: what a program sees is what it sees in a cold run.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stderr)] // tests start helpers and say why they skip

mod common;

use std::fs;
use std::path::Path;

use common::outcome;
use tempfile::TempDir;
use tracer_sandbox::{Beginning, Copied, Finished, Placed, Pool, Request, run};

const PYTHON: &str = "/usr/bin/python3";

/// A run of `script` with an interpreter of this machine; `None` (said aloud) where it has none.
fn request(interpreter: &str, folder: &TempDir) -> Option<Request> {
    if !Path::new(interpreter).exists() {
        eprintln!("skipped: there is no {interpreter}");
        return None;
    }
    let mut request = Request::new(interpreter, "/tmp/work");
    request.argv = vec![interpreter.into(), "main".into()];
    request.env = vec![
        ("PATH".into(), "/usr/bin".into()),
        ("LANG".into(), "C.UTF-8".into()),
        ("PYTHONHASHSEED".into(), "0".into()),
        ("HOME".into(), "/tmp".into()),
    ];
    request.copies = vec![Copied {
        path: "/tmp/work".into(),
        from: folder.path().to_owned(),
        writable: true,
    }];
    request.begins_at = Some("main".into());
    outcome(&request)?;
    may_hold(&request).then_some(request)
}

/// Whether this runner may hold a process of a sandbox; says aloud if not. It must be allowed to as
/// root, or nothing here would be tested anywhere.
fn may_hold(request: &Request) -> bool {
    let pool = Pool::new(request, 1).unwrap();
    for _ in 0..2 {
        warm(&pool, request);
    }
    let forbidden = pool
        .refusal()
        .filter(|refusal| refusal.contains("not permitted"));
    if let Some(refusal) = &forbidden {
        assert!(!nix::unistd::geteuid().is_root(), "{refusal}");
        eprintln!("skipped: this user may not hold a process of a sandbox: {refusal}");
    }
    forbidden.is_none()
}

/// Runs each script both ways; both must give the same.
fn compare(interpreter: &str, scripts: &[&str]) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("main"), "").unwrap();
    let Some(request) = request(interpreter, &folder) else {
        return;
    };
    let pool = Pool::new(&request, 2).unwrap();
    // The first sight of a way of starting is not worth a snapshot.
    warm(&pool, &request);
    for script in scripts {
        fs::write(folder.path().join("main"), script).unwrap();
        let cold = run(&request).unwrap();
        let warm = warm(&pool, &request);
        assert_eq!(warm.beginning, Beginning::Frozen, "{:?}", pool.refusal());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&cold.stdout), text(&warm.stdout), "{script}");
        assert_eq!(text(&cold.stderr), text(&warm.stderr), "{script}");
        assert_eq!(cold.outcome, warm.outcome, "{script}");
        assert_eq!(cold.protections, warm.protections, "{script}");
    }
}

fn warm(pool: &Pool, request: &Request) -> Finished {
    assert!(pool.wait_ready());
    pool.run(request).unwrap()
}

#[test]
fn python_sees_what_it_sees_in_a_cold_run() {
    compare(
        PYTHON,
        &[
            "print('hello')",
            "import sys, os\n\
             print(sys.argv, sys.orig_argv, sys.flags, sys.path, sorted(sys.modules), __file__)\n\
             print(sys.path_importer_cache, os.environ, os.getcwd(), os.umask(0), os.getuid())\n\
             print(os.getpid(), os.getppid(), os.getpgid(0), os.getsid(0), os.getpriority(0, 0))",
            "import os\n\
             print(sorted(os.listdir('/proc/self/fd')), os.readlink('/proc/self/exe'))\n\
             for name in 'cmdline', 'environ', 'comm', 'timers', 'personality', 'limits':\n\
             \x20   print(open('/proc/self/' + name).read())\n\
             status = open('/proc/self/status').read().splitlines()\n\
             kept = 'Name', 'Tgid', 'Pid', 'PPid', 'Tracer', 'Uid', 'Gid', 'Cap', 'NoNew', 'Seccomp', 'Sig', 'Shd'\n\
             print([line for line in status if line.startswith(kept)])",
            "import signal\n\
             print([signal.getsignal(i) for i in range(1, 32)], signal.pthread_sigmask(0, []))\n\
             print(signal.sigpending(), signal.getitimer(0))",
            "import gc, threading\n\
             print(gc.get_count(), gc.get_stats(), threading.main_thread().native_id)\n\
             print(hash('a'), id(None), id([]), object())",
            "def f(n): return f(n + 1)\nf(0)",
            "import ctypes, subprocess\n\
             print(ctypes.CDLL(None).getpid(), subprocess.run(['echo', 'x'], capture_output=True))",
            "import os\nos.kill(os.getpid(), 11)",
            "import os, sys\nprint('lost?')\nif os.fork() == 0: print('child')\nelse: os.wait()",
            "import threading\n\
             all = [threading.Thread(target=print, args=(i,)) for i in range(4)]\n\
             for one in all: one.start(); one.join()",
            "print(len({str(i): [i] for i in range(100000)}))",
            "import sys\nsys.exit('said')",
            "1 +",
        ],
    );
}

#[test]
fn chance_and_clocks_are_a_run_s_own() {
    let folder = TempDir::new().unwrap();
    let script = "import random, time, uuid\n\
                  print(random.random(), uuid.uuid4(), time.process_time() < 1)";
    fs::write(folder.path().join("main"), script).unwrap();
    let Some(request) = request(PYTHON, &folder) else {
        return;
    };
    let pool = Pool::new(&request, 2).unwrap();
    let mut said: Vec<_> = (0..6).map(|_| warm(&pool, &request).stdout).collect();
    assert_eq!(pool.thawed(), 5, "{:?}", pool.refusal());
    said.sort();
    said.dedup();
    assert_eq!(said.len(), 6);
}

#[test]
fn ruby_sees_what_it_sees_in_a_cold_run() {
    compare(
        "/usr/bin/ruby",
        &[
            "puts [1, 2, 3].sum",
            "p $0, ARGV, $:, $\", ENV.to_h, Process.pid, Dir.pwd, Dir['/proc/self/fd/*'].sort",
            "Thread.new { puts 1 }.join; sleep 0.01; raise 'no'",
            "def f(n) = f(n + 1)\nbegin; f(0); rescue SystemStackError => e; p e.class; end",
        ],
    );
}

#[test]
fn php_sees_what_it_sees_in_a_cold_run() {
    compare(
        "/usr/bin/php",
        &[
            "<?php echo 1 + 2, PHP_EOL;",
            "<?php var_dump($argv, get_included_files(), getenv(), getmypid(), getcwd());",
            "<?php var_dump(ini_get_all(), get_loaded_extensions(), $_SERVER['argv']);",
            "<?php function f($n) { return $n ? f($n - 1) + 1 : 0; } echo f(50000); throw new Exception;",
        ],
    );
}

#[test]
fn what_cannot_be_frozen_starts_cold() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("main"), "echo said").unwrap();
    let Some(mut request) = request("/bin/sh", &folder) else {
        return;
    };
    request.begins_at = Some("another".into());
    let pool = Pool::new(&request, 2).unwrap();
    for _ in 0..3 {
        let finished = warm(&pool, &request);
        assert_eq!(finished.beginning, Beginning::Ready);
        assert_eq!(finished.stdout, b"said\n");
    }
    let refusal = pool.refusal().unwrap();
    assert!(refusal.contains("ended"), "{refusal}");
}

/// What an interpreter reads before its program must be the same, or the snapshot is no good.
#[test]
fn other_files_make_another_snapshot() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("main"),
        "import sitecustomize\nprint(sitecustomize.x)",
    )
    .unwrap();
    let Some(mut request) = request(PYTHON, &folder) else {
        return;
    };
    request
        .env
        .push(("PYTHONPATH".into(), "/run/placed".into()));
    let mut pool = None;
    for text in ["x = 1", "x = 1", "x = 1", "x = 2", "x = 2"] {
        let files = vec![("sitecustomize.py".into(), text.as_bytes().into())];
        request.placed = vec![Placed {
            path: "/run/placed".into(),
            files,
        }];
        let pool = pool.get_or_insert_with(|| Pool::new(&request, 2).unwrap());
        let finished = warm(pool, &request);
        assert_eq!(finished.stdout, format!("{}\n", &text[4..]).as_bytes());
    }
    let pool = pool.unwrap();
    assert_eq!(pool.thawed(), 4, "{:?}", pool.refusal());
}

#[test]
fn many_runs_on_two_threads_leave_nothing() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("main"), "import os\nprint(os.getpid())").unwrap();
    let Some(request) = request(PYTHON, &folder) else {
        return;
    };
    let pool = Pool::new(&request, 2).unwrap();
    let count = |name: &str| fs::read_dir(format!("/proc/self/{name}")).unwrap().count();
    warm(&pool, &request);
    warm(&pool, &request);
    assert_eq!(pool.thawed(), 1, "{:?}", pool.refusal());
    let mounts = || {
        fs::read_to_string("/proc/self/mounts")
            .unwrap()
            .lines()
            .count()
    };
    pool.wait_ready();
    let before = (mounts(), count("fd"));
    let round = |runs| {
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..runs {
                        assert_eq!(warm(&pool, &request).stdout, b"2\n");
                    }
                });
            }
        });
    };
    round(20);
    drop(pool);
    // The pool's own sandboxes are gone with it; tests beside this one have descriptors of theirs.
    let after = (mounts(), count("fd"));
    assert_eq!(after.0, before.0);
    assert!(after.1 < before.1 + 64, "{before:?} {after:?}");
}

#[test]
fn it_can_be_asked_whether_programs_may_have_started() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("main"), "").unwrap();
    // Skips where none may.
    if request(PYTHON, &folder).is_some() {
        assert_eq!(Pool::try_started(), Ok(()));
    }
}
