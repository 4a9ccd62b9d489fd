//! Sandboxes that the nursery makes are like any other, and it may be lost.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stderr)] // tests say why they skip

mod common;

use std::fs;
use std::time::Duration;

use common::{exited, limited, outcome, shell, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tracer_model::Limit;
use tracer_sandbox::{Beginning, Body, Inject, Pool, Request, Stdin, nursery, run};

const LOOK: &str = "id; pwd; cat; cat /given; ls -l /proc/self/fd | wc -l; hostname; echo $$; \
    ulimit -a; grep -v ctxt_switches /proc/self/status | grep -v Mem | grep -v Rss | grep -v Vm";

fn look() -> Request {
    let mut request = shell(LOOK);
    request.stdin = Stdin::Bytes(b"said\n".to_vec());
    request.files.push(Inject {
        path: "/given".into(),
        body: Body::Bytes((*b"given\n").into()),
        executable: false,
    });
    request
}

/// Processes of this one's that are called so.
fn children(name: &str) -> Vec<Pid> {
    let own = std::process::id();
    let tasks = fs::read_dir(format!("/proc/{own}/task")).unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    let lists: String = lists.map(Result::unwrap_or_default).collect();
    let pids = lists.split_ascii_whitespace();
    let called = |pid: &&str| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let pids = pids.filter(called);
    pids.map(|pid| Pid::from_raw(pid.parse().unwrap()))
        .collect()
}

/// One test, since there is one nursery in a process.
#[test]
fn the_nursery_makes_what_the_runner_would() {
    let Some(own) = outcome(&look()) else {
        return;
    };
    nursery().unwrap();
    let nursed = run(&look()).unwrap();
    let [made] = children("nursery")[..] else {
        panic!("{:?}", children("nursery"));
    };
    nursery().unwrap();
    assert_eq!(children("nursery"), [made]);
    assert_eq!(text(&nursed.stdout), text(&own.stdout));
    assert_eq!(nursed.protections, own.protections);
    exited(&nursed, 0);

    let mut busy = shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
    let used = run(&busy).unwrap().usage.cpu;
    assert!(used > Duration::from_millis(20), "{used:?}");
    busy = shell("sleep 100 & sleep 100");
    busy.limits.wall = Some(Duration::from_millis(200));
    limited(&run(&busy).unwrap(), Limit::Wall);
    let gone = run(&Request::new("/no/such/program", "/tmp")).unwrap_err();
    assert!(gone.to_string().contains("/no/such/program"), "{gone}");

    let pool = Pool::new(&look(), 2).unwrap();
    assert!(pool.wait_ready());
    let pooled = pool.run(&look()).unwrap();
    assert_eq!(pooled.beginning, Beginning::Ready);
    assert_eq!(text(&pooled.stdout), text(&own.stdout));

    // What was ready is lost with it; the runner then forks itself.
    kill(made, Signal::SIGKILL).unwrap();
    drop(pool);
    let alone = run(&look()).unwrap();
    assert_eq!(text(&alone.stdout), text(&own.stdout));
    assert_eq!(alone.protections, own.protections);
}
