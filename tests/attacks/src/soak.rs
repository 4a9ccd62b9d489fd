//! Many runs of every kind on one runner, with an account of what it holds in between.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracer_model::{End, Limit};
use tracer_sandbox::{Access, Folder, Request, Stdin, run};

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

fn once(number: u64) -> Result<(), String> {
    let kind = &KINDS[(number % KINDS.len() as u64) as usize];
    let mut request = Request::new("/bin/sh", "/tmp/work");
    request.argv = ["sh", "-c", kind.script].map(Into::into).to_vec();
    request.env.push(("PATH".into(), "/usr/bin:/bin".into()));
    request.stdin = Stdin::Bytes(b"input\n".to_vec());
    request.folders.push(Folder {
        path: "/tmp/work".into(),
        access: Access::Overlay,
    });
    request.limits.memory = Some(64 << 20);
    request.limits.processes = Some(16);
    request.limits.disk = Some(4 << 20);
    request.limits.output = Some(64 << 10);
    // Only the two that wait are to meet it.
    let waits = kind.script.starts_with("sleep") || kind.script.starts_with("f()");
    let wall = if waits { 30 } else { 30_000 };
    request.limits.wall = Some(Duration::from_millis(wall));
    let finished = run(&request).map_err(|error| format!("run {number}: {error:?}"))?;
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
    let some = |from: u64, to: u64| {
        std::thread::scope(|scope| {
            let halves = [0, 1].map(|half| {
                scope.spawn(move || (from..to).filter(|run| run % 2 == half).try_for_each(once))
            });
            for half in halves {
                half.join()
                    .map_err(|_| io::Error::other("a thread panicked"))?
                    .map_err(io::Error::other)?;
            }
            Ok::<(), io::Error>(())
        })
    };
    let start = Instant::now();
    some(0, WARM)?;
    let mut accounts = vec![Account::take(0)];
    for tenth in 0..10 {
        some(total * tenth / 10, total * (tenth + 1) / 10)?;
        let account = Account::take(total * (tenth + 1) / 10);
        let seconds = start.elapsed().as_secs();
        writeln!(io::stderr(), "{seconds} s: {account:?}")?;
        accounts.push(account);
    }
    Ok(accounts)
}
