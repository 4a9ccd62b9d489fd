//! What there is in a throwaway sandbox at one moment, to compare before and after a run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Processes, descriptors, threads, mounts, groups, files, sockets and message objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot(BTreeSet<String>);

impl Snapshot {
    /// Takes one of the whole namespace.
    pub fn take() -> Self {
        let mut all = BTreeSet::new();
        for pid in names("/proc")
            .iter()
            .filter_map(|name| name.parse::<u32>().ok())
        {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            all.insert(format!("process {pid} {command}"));
        }
        for descriptor in names("/proc/self/fd") {
            // The folder being read is a descriptor itself, gone by now.
            if let Ok(target) = fs::read_link(format!("/proc/self/fd/{descriptor}")) {
                all.insert(format!("descriptor {descriptor} {}", target.display()));
            }
        }
        for thread in names("/proc/self/task") {
            all.insert(format!("thread {thread}"));
        }
        lines(&mut all, "mount", "/proc/self/mountinfo", 0);
        for kind in ["shm", "sem", "msg"] {
            // Key and number; the rest changes with use.
            let path = format!("/proc/sysvipc/{kind}");
            for line in fs::read_to_string(path).unwrap_or_default().lines().skip(1) {
                let mut words = line.split_whitespace();
                let (key, id) = (words.next().unwrap_or("?"), words.next().unwrap_or("?"));
                all.insert(format!("sysv {kind} {key} {id}"));
            }
        }
        for line in fs::read_to_string("/proc/self/net/unix")
            .unwrap_or_default()
            .lines()
        {
            if let Some((_, name)) = line.split_once(" @") {
                all.insert(format!("socket @{name}"));
            }
        }
        for folder in ["/tmp", "/dev/shm", "/upper", "/mqueue"] {
            tree(&mut all, Path::new(folder), "file");
        }
        tree(&mut all, Path::new("/sys/fs/cgroup"), "group");
        Self(all)
    }

    /// How many things whose description begins with `kind`.
    pub fn count(&self, kind: &str) -> usize {
        self.0.iter().filter(|what| what.starts_with(kind)).count()
    }

    /// What is here and not in `before`.
    pub fn since(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn lines(all: &mut BTreeSet<String>, what: &str, path: &str, skip: usize) {
    let text = fs::read_to_string(path).unwrap_or_default();
    all.extend(text.lines().skip(skip).map(|line| format!("{what} {line}")));
}

fn tree(all: &mut BTreeSet<String>, folder: &Path, what: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() || what == "file" {
            all.insert(format!("{what} {}", entry.path().display()));
        }
        if kind.is_dir() {
            tree(all, &entry.path(), what);
        }
    }
}
