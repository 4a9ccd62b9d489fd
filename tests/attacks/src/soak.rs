//! Many runs of every kind on one runner, with an account of what it holds in between.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracer_model::{End, Limit};
use tracer_sandbox::{Access, Folder, Pool, Request, Stdin, forget, nursery, run};

use crate::snapshot::Snapshot;

/// What the runner holds at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Runs so far.
    pub runs: u64,
    /// Descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
    /// Resident memory, in kilobytes.
    pub resident: u64,
    /// Processes of the machine the runner sees.
    pub processes: usize,
    /// Mounts.
    pub mounts: usize,
    /// Control groups.
    pub groups: usize,
    /// Namespaces in which some process is.
    pub namespaces: usize,
    /// System V objects.
    pub objects: usize,
    /// Files in the folders everybody may write.
    pub files: usize,
}

impl Account {
    fn take(runs: u64) -> Self {
        let snapshot = Snapshot::take();
        let mut namespaces = BTreeSet::new();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let all = fs::read_dir(process.path().join("ns"))
                .into_iter()
                .flatten();
            namespaces.extend(
                all.flatten()
                    .filter_map(|space| fs::read_link(space.path()).ok()),
            );
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
            .and_then(|number| number.parse().ok());
        Self {
            runs,
            descriptors: snapshot.count("descriptor "),
            threads: snapshot.count("thread "),
            resident: resident.unwrap_or(0),
            processes: snapshot.count("process "),
            mounts: snapshot.count("mount "),
            groups: snapshot.count("group "),
            namespaces: namespaces.len(),
            objects: snapshot.count("sysv "),
            files: snapshot.count("file "),
        }
    }

    /// Whether nothing but memory and the number of runs differs.
    pub fn holds_the_same_as(&self, other: &Self) -> bool {
        let without = |account: &Self| Self {
            runs: 0,
            resident: 0,
            ..account.clone()
        };
        without(self) == without(other)
    }
}

/// One kind of run: its script, its limits, and how it must end.
struct Kind {
    script: &'static str,
    ends: fn(&End) -> bool,
}

const KINDS: [Kind; 10] = [
    Kind {
        script: "echo good",
        ends: |end| *end == End::Exited { code: 0 },
    },
    Kind {
        script: "read line; test \"$line\" = input",
        ends: |end| *end == End::Exited { code: 0 },
    },
    Kind {
        script: "echo kept > kept; mkdir new; echo more > new/file; rm old",
        ends: |end| *end == End::Exited { code: 0 },
    },
    Kind {
        script: "exit 3",
        ends: |end| *end == End::Exited { code: 3 },
    },
    Kind {
        script: "kill -SEGV $$",
        ends: |end| matches!(end, End::Signaled { signal: 11, .. }),
    },
    Kind {
        script: "for i in 1 2 3 4 5 6; do (sleep 100; echo late) & done; echo early",
        ends: |end| *end == End::Exited { code: 0 },
    },
    Kind {
        script: "sleep 100",
        ends: |end| *end == End::Limited { limit: Limit::Wall },
    },
    Kind {
        script: "f() { f | f & }; f; wait; sleep 1",
        ends: |end| matches!(end, End::Limited { .. } | End::Exited { .. }),
    },
    Kind {
        script: "exec head -c 1000000 /dev/zero",
        ends: |end| {
            *end == End::Limited {
                limit: Limit::Output,
            }
        },
    },
    Kind {
        script: "setsid sleep 100 >/dev/null 2>&1 & echo x > /tmp/x; echo x > /dev/shm/x; kill -9 $$",
        ends: |end| matches!(end, End::Signaled { signal: 9, .. }),
    },
];

/// The ways to run, in turns: a new sandbox, one made ahead, an interpreter that has started.
const WAYS: u64 = 3;

/// The script of every run in a started interpreter, so that one snapshot serves them all.
const STARTED: &str = "read number; . ./kind-$number";

/// What all runs share, and the pool is made for.
fn shape() -> Request {
    let mut request = Request::new("/bin/sh", "/tmp/work");
    request.env.push(("PATH".into(), "/usr/bin:/bin".into()));
    request.folders.push(Folder {
        path: "/tmp/work".into(),
        access: Access::Overlay,
    });
    request.limits.memory = Some(64 << 20);
    request.limits.processes = Some(16);
    request.limits.disk = Some(4 << 20);
    request
}

fn once(number: u64, pool: &Pool) -> Result<(), String> {
    let kinds = KINDS.len() as u64;
    let index = number % kinds;
    let kind = &KINDS[index as usize];
    let way = number / kinds % WAYS;
    let mut request = shape();
    if way == 2 {
        request.argv = ["sh", "started"].map(Into::into).to_vec();
        request.begins_at = Some("started".into());
        request.stdin = Stdin::Bytes(format!("{index}\ninput\n").into_bytes());
    } else {
        request.argv = ["sh", "-c", kind.script].map(Into::into).to_vec();
        request.stdin = Stdin::Bytes(b"input\n".to_vec());
    }
    request.limits.output = Some(64 << 10);
    // Only the two that wait are to meet it.
    let waits = kind.script.starts_with("sleep") || kind.script.starts_with("f()");
    let wall = if waits { 30 } else { 30_000 };
    request.limits.wall = Some(Duration::from_millis(wall));
    let finished = if way == 0 {
        run(&request)
    } else {
        pool.wait_ready();
        pool.run(&request)
    };
    let finished = finished.map_err(|error| format!("run {number}: {error:?}"))?;
    if (kind.ends)(&finished.outcome.end) {
        Ok(())
    } else {
        Err(format!(
            "run {number}, {}: {:?}",
            kind.script, finished.outcome
        ))
    }
}

/// `total` runs on two threads; an account before and after each tenth, said as it comes.
pub(crate) fn soak(total: u64) -> io::Result<Vec<Account>> {
    const WARM: u64 = 40;
    fs::write("/tmp/work/old", "old\n")?;
    fs::write("/tmp/work/started", STARTED)?;
    for (number, kind) in KINDS.iter().enumerate() {
        fs::write(format!("/tmp/work/kind-{number}"), kind.script)?;
    }
    nursery().map_err(io::Error::other)?;
    let some = |from: u64, to: u64| {
        let pool = &Pool::new(&shape(), 2).map_err(io::Error::other)?;
        std::thread::scope(|scope| {
            let halves = [0, 1].map(|half| {
                scope.spawn(move || {
                    (from..to)
                        .filter(|run| run % 2 == half)
                        .try_for_each(|run| once(run, pool))
                })
            });
            for half in halves {
                half.join()
                    .map_err(|_| io::Error::other("a thread panicked"))?
                    .map_err(io::Error::other)?;
            }
            Ok::<(), io::Error>(())
        })?;
        // A turn of each way is in thirty runs; else this soaks less than it says.
        if to - from >= 30 && (pool.served() == 0 || pool.thawed() == 0) {
            let why = pool.refusal().unwrap_or_default();
            return Err(io::Error::other(format!("the pool served nothing: {why}")));
        }
        Ok(())
    };
    let start = Instant::now();
    some(0, WARM)?;
    forget(); // the groups of what was made ahead and not used
    let mut accounts = vec![Account::take(0)];
    for tenth in 0..10 {
        some(total * tenth / 10, total * (tenth + 1) / 10)?;
        forget();
        let account = Account::take(total * (tenth + 1) / 10);
        let seconds = start.elapsed().as_secs();
        writeln!(io::stderr(), "{seconds} s: {account:?}")?;
        accounts.push(account);
    }
    Ok(accounts)
}
