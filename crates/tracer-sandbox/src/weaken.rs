//! Which walls a run does without. All stand, save in a test of the walls themselves, which shows
//! first that an attack succeeds where the one wall that is to stop it is missing.
//!
//! Without the cargo feature `weaken`, which only tests ask for, there is no way to leave one out
//! and every question here has a constant answer.

use std::ffi::OsString;

use tracer_model::Limits;

use crate::plan::Rlimit;
use crate::sys::{ATTR_NODEV, ATTR_NOSUID, ATTR_RDONLY};

macro_rules! walls {
    ($($(#[$doc:meta])* $wall:ident = $name:literal,)*) => {
        /// One protection that a test can leave out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(not(feature = "weaken"), allow(dead_code, unreachable_pub))]
        pub enum Wall { $($(#[$doc])* $wall,)* }

        #[cfg(feature = "weaken")]
        impl Wall {
            /// Every wall with its name.
            pub const ALL: &[(&str, Self)] = &[$(($name, Self::$wall),)*];

            /// The wall of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, wall)| *wall)
            }
        }
    };
}

walls! {
    /// The network namespace.
    Network = "network namespace",
    /// The pid namespace.
    Pids = "pid namespace",
    /// The namespace of System V and POSIX message passing.
    Ipc = "ipc namespace",
    /// The namespace of the host name.
    Uts = "uts namespace",
    /// The namespace of control groups.
    Cgroups = "cgroup namespace",
    /// The namespace of the monotonic clocks.
    Time = "time namespace",
    /// Landlock.
    Landlock = "landlock",
    /// A user of the run's own, in a user namespace. Only a runner that is root can leave it out.
    Identity = "identity",
    /// The private root; without it the program sees the runner's.
    Root = "private root",
    /// Read-only mounts.
    ReadOnly = "read-only mounts",
    /// Mounts on which set-user-ID has no effect.
    NoSuid = "nosuid mounts",
    /// Mounts on which devices do not open.
    NoDev = "nodev mounts",
    /// A `/proc` of the run's own.
    Proc = "private /proc",
    /// `no_new_privs`.
    NoNewPrivileges = "no new privileges",
    /// Empty capability sets.
    Capabilities = "capabilities",
    /// That init cannot be inspected.
    Undumpable = "undumpable init",
    /// The whole system call filter.
    Seccomp = "seccomp",
    /// Its rules on namespaces: `unshare`, `setns`, flags of `clone`.
    SeccompNamespaces = "seccomp: namespaces",
    /// Its rules on mounts, `chroot`, file handles.
    SeccompMounts = "seccomp: mounts",
    /// Its rules on looking into other processes.
    SeccompTracing = "seccomp: tracing",
    /// Its rules on large and seldom used kernel interfaces: bpf, `io_uring`, keys, modules, clocks.
    SeccompKernel = "seccomp: kernel",
    /// Its rules on socket families.
    SeccompSockets = "seccomp: sockets",
    /// Its rules on `ioctl`.
    SeccompIoctl = "seccomp: ioctl",
    /// Its rules on `personality`.
    SeccompPersonality = "seccomp: personality",
    /// Its rules on set-user-ID files in the host's own folders.
    SeccompSuid = "seccomp: set-user-ID",
    /// Its refusal of calls it does not know, x32 among them.
    SeccompUnknown = "seccomp: unknown calls",
    /// Its refusal of other architectures.
    SeccompForeign = "seccomp: foreign calls",
    /// Its rules on flushing disks.
    SeccompSync = "seccomp: sync",
    /// The size of the private tmpfs.
    DiskSize = "tmpfs size",
    /// The number of files of the private tmpfs.
    DiskFiles = "inode limit",
    /// The walk through writable folders.
    DiskWalk = "disk walk",
    /// The memory limit, of the group or as the runner adds it up.
    Memory = "memory limit",
    /// The processes limit, of the group or as the runner counts.
    Processes = "process limit",
    /// `RLIMIT_NPROC`.
    ProcessRlimit = "process rlimit",
    /// The CPU limit of the runner.
    Cpu = "cpu limit",
    /// `RLIMIT_CPU`.
    CpuRlimit = "cpu rlimit",
    /// The wall-clock limit.
    Clock = "wall limit",
    /// The output limit.
    Output = "output limit",
    /// `RLIMIT_FSIZE`.
    FileSize = "file-size rlimit",
    /// `RLIMIT_NOFILE`.
    Descriptors = "descriptor rlimit",
    /// `RLIMIT_STACK`.
    Stack = "stack rlimit",
    /// `RLIMIT_CORE`.
    Core = "core rlimit",
    /// `RLIMIT_NICE` and `RLIMIT_RTPRIO`.
    Priority = "priority rlimits",
    /// `RLIMIT_MEMLOCK`.
    LockedMemory = "memlock rlimit",
    /// `RLIMIT_MSGQUEUE`.
    Queues = "message queue rlimit",
    /// That foreign descriptors are closed.
    Sweep = "descriptor sweep",
    /// That the environment is the one asked for alone.
    Environment = "environment",
    /// That the program dies with the runner.
    DeathSignal = "death signal",
    /// That what is left is killed before the output is read to its end.
    KillThenDrain = "kill then drain",
}

/// The walls left out: none, unless a test says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    not(feature = "weaken"),
    expect(unreachable_pub, reason = "tests name it")
)]
pub struct Without(u64);

#[cfg(feature = "weaken")]
impl Without {
    /// Leaves out these.
    #[must_use]
    pub fn walls(walls: &[Wall]) -> Self {
        Self(walls.iter().fold(0, |all, wall| all | 1 << *wall as u32))
    }
}

impl Without {
    /// Whether `wall` stands.
    pub(crate) const fn stands(self, wall: Wall) -> bool {
        !cfg!(feature = "weaken") || self.0 & (1 << wall as u32) == 0
    }

    /// What is left of mount attributes.
    pub(crate) fn attributes(self, mut all: u64) -> u64 {
        for (wall, attribute) in [
            (Wall::ReadOnly, ATTR_RDONLY),
            (Wall::NoSuid, ATTR_NOSUID),
            (Wall::NoDev, ATTR_NODEV),
        ] {
            if !self.stands(wall) {
                all &= !attribute;
            }
        }
        all
    }

    /// The limits that the groups and the runner keep.
    pub(crate) fn watched(self, limits: &Limits) -> Limits {
        let mut limits = limits.clone();
        let keep = |wall, limit: &mut Option<u64>| {
            *limit = limit.filter(|_| self.stands(wall));
        };
        keep(Wall::Memory, &mut limits.memory);
        keep(Wall::Processes, &mut limits.processes);
        keep(Wall::Output, &mut limits.output);
        keep(Wall::DiskWalk, &mut limits.disk);
        limits.cpu = limits.cpu.filter(|_| self.stands(Wall::Cpu));
        limits.wall = limits.wall.filter(|_| self.stands(Wall::Clock));
        limits
    }

    /// Those of `all` that are kept.
    pub(crate) fn rlimits(self, mut all: Vec<Rlimit>) -> Vec<Rlimit> {
        all.retain(|limit| {
            self.stands(match limit.resource {
                libc::RLIMIT_NPROC => Wall::ProcessRlimit,
                libc::RLIMIT_CPU => Wall::CpuRlimit,
                libc::RLIMIT_FSIZE => Wall::FileSize,
                libc::RLIMIT_NOFILE => Wall::Descriptors,
                libc::RLIMIT_STACK => Wall::Stack,
                libc::RLIMIT_CORE => Wall::Core,
                libc::RLIMIT_NICE | libc::RLIMIT_RTPRIO => Wall::Priority,
                libc::RLIMIT_MEMLOCK => Wall::LockedMemory,
                _ => Wall::Queues,
            })
        });
        all
    }

    /// Variables of the runner's own that reach the program.
    pub(crate) fn leaked_environment(self) -> Vec<(OsString, OsString)> {
        if self.stands(Wall::Environment) {
            Vec::new()
        } else {
            std::env::vars_os().collect()
        }
    }
}
