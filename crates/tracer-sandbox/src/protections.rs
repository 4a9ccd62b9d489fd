//! The walls of a run, each with whether it stands and, if not, why.

use std::io;

use tracer_model::Protection;

use crate::cgroup::Lease;

/// Builds the list in a fixed order.
#[derive(Debug, Default)]
pub(crate) struct Protections(Vec<Protection>);

impl Protections {
    pub(crate) fn set(&mut self, name: &str, refusal: Option<String>) {
        let entry = Protection {
            name: name.to_owned(),
            active: refusal.is_none(),
            reason: refusal,
        };
        match self.0.iter_mut().find(|entry| entry.name == name) {
            Some(old) => *old = entry,
            None => self.0.push(entry),
        }
    }

    pub(crate) fn active(&mut self, names: &[&str]) {
        for name in names {
            self.set(name, None);
        }
    }

    pub(crate) fn inactive(&mut self, names: &[&str], reason: &str) {
        for name in names {
            self.set(name, Some(reason.to_owned()));
        }
    }

    /// What the groups hold, with what stands in for those that could not be had.
    pub(crate) fn groups(&mut self, lease: &Lease) {
        for (name, refusal, instead) in [
            (
                "memory cgroup",
                lease.memory_refusal(),
                "the runner adds up what the processes map; files in memory that nobody maps, System V \
                 segments and the kernel's buffers are not counted",
            ),
            (
                "process cgroup",
                lease.pids_refusal(),
                "RLIMIT_NPROC holds where it is per run",
            ),
            (
                "cpu cgroup",
                lease.cpu_refusal(),
                "the runner adds up the processes' CPU time",
            ),
        ] {
            self.set(name, refusal.map(|why| format!("{why}; {instead}")));
        }
    }

    pub(crate) fn finish(self) -> Vec<Protection> {
        self.0
    }
}

/// Every wall of the native back end, in the order of the report.
pub(crate) const WALLS: &[&str] = &[
    "user namespace",
    "unprivileged user",
    "own user",
    "mount namespace",
    "read-only root",
    "pid namespace",
    "private /proc",
    "network namespace",
    "ipc namespace",
    "uts namespace",
    "cgroup namespace",
    "time namespace",
    "no new privileges",
    "capabilities dropped",
    "seccomp",
    "landlock",
];

/// What the setting that forbids a kind of namespace may be, for the user.
pub(crate) fn namespace_hint(name: &str, errno: i32) -> String {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .ok()
            .map(|text| text.trim().to_owned())
    };
    let counter = format!(
        "/proc/sys/user/max_{}_namespaces",
        match name {
            "user namespace" => "user",
            "mount namespace" => "mnt",
            "pid namespace" => "pid",
            "network namespace" => "net",
            "ipc namespace" => "ipc",
            "uts namespace" => "uts",
            "time namespace" => "time",
            _ => "cgroup",
        }
    );
    if read(&counter).as_deref() == Some("0") {
        return format!(
            "{} is 0: raise it",
            counter.replace("/proc/sys/", "").replace('/', ".")
        );
    }
    for (path, bad, setting) in [
        (
            "/proc/sys/kernel/unprivileged_userns_clone",
            "0",
            "kernel.unprivileged_userns_clone=1",
        ),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ] {
        if read(path).as_deref() == Some(bad) {
            return format!("set {setting}, or run as root");
        }
    }
    match errno {
        libc::ENOSPC => format!("{counter} namespaces exist already: raise the ceiling"),
        libc::EPERM => "the container or service manager forbids it: allow namespaces there \
                        (docker: --security-opt seccomp=unconfined), run as root, or use \
                        --isolation none"
            .to_owned(),
        libc::EINVAL | libc::ENOSYS => {
            "the kernel is built without it, or older than 5.12".to_owned()
        }
        _ => String::new(),
    }
}

pub(crate) fn os(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}
