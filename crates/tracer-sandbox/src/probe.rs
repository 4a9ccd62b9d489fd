//! Which namespaces this machine grants, found out by making them.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::OnceLock;

use tracer_model::{Limits, Protection};

use crate::cgroup::Lease;
use crate::clock;
use crate::error::SandboxError;
use crate::landlock;
use crate::network::Network;
use crate::protections::{Protections, WALLS, namespace_hint, os};
use crate::slot;
use crate::sys::{self, SysResult};
use crate::trial::trial;
use crate::weaken::{Wall, Without};

/// What the runner is to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// Root with its capabilities: builds the walls itself and gives the program another user.
    Full,
    /// Root by number only, as in a container: its number still owns files. It lacks capabilities,
    /// or its user namespace knows no other user.
    BareRoot,
    /// An ordinary user: builds the walls inside a user namespace.
    User,
}

/// The namespaces to be had.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one namespace, asked for by name"
)]
#[derive(Debug)]
pub(crate) struct Spaces {
    pub(crate) privilege: Privilege,
    pub(crate) user: bool,
    pub(crate) uts: bool,
    pub(crate) cgroup: bool,
    pub(crate) time: bool,
    /// The version of Landlock.
    pub(crate) landlock: Result<u32, i32>,
    ipc: bool,
    refused: Vec<(&'static str, i32)>,
}

const KINDS: [(&str, i32); 6] = [
    ("mount namespace", libc::CLONE_NEWNS),
    ("pid namespace", libc::CLONE_NEWPID),
    ("network namespace", libc::CLONE_NEWNET),
    ("ipc namespace", libc::CLONE_NEWIPC),
    ("uts namespace", libc::CLONE_NEWUTS),
    ("cgroup namespace", libc::CLONE_NEWCGROUP),
];

/// Without these the program would not be isolated.
const NEEDED: [&str; 4] = [
    "user namespace",
    "mount namespace",
    "pid namespace",
    "network namespace",
];

impl Spaces {
    pub(crate) fn detected() -> &'static Self {
        static SPACES: OnceLock<Spaces> = OnceLock::new();
        SPACES.get_or_init(Self::detect)
    }

    fn detect() -> Self {
        let privilege = privilege();
        let mut spaces = Self {
            privilege,
            user: true,
            uts: true,
            cgroup: true,
            time: true,
            landlock: landlock::version(),
            ipc: true,
            refused: Vec::new(),
        };
        let own = if privilege == Privilege::Full {
            0
        } else {
            libc::CLONE_NEWUSER
        };
        if let Err(errno) = make(libc::CLONE_NEWUSER) {
            spaces.user = false;
            spaces.refused.push(("user namespace", errno));
        }
        let all = KINDS.iter().fold(own, |all, (_, flag)| all | flag);
        let mut stack = vec![0; clock::TRIAL_STACK];
        let mut trial = || clock::trial(&mut stack);
        let time = within(all, &mut trial).unwrap_or_else(|_| {
            for (name, flag) in KINDS {
                if let Err(errno) = make(own | flag) {
                    spaces.refused.push((name, errno));
                    match flag {
                        libc::CLONE_NEWUTS => spaces.uts = false,
                        libc::CLONE_NEWCGROUP => spaces.cgroup = false,
                        libc::CLONE_NEWIPC => spaces.ipc = false,
                        _ => {}
                    }
                }
            }
            within(own, &mut trial).unwrap_or_else(Err)
        });
        if let Err(errno) = time {
            spaces.time = false;
            spaces.refused.push(("time namespace", errno));
        }
        spaces
    }

    /// Every wall that cannot be had here, with the reason.
    fn missing(&self) -> Vec<(&'static str, String)> {
        let mut missing = Vec::new();
        for (name, errno) in &self.refused {
            let hint = namespace_hint(name, *errno);
            let colon = if hint.is_empty() { "" } else { ": " };
            missing.push((*name, format!("{}{colon}{hint}", os(*errno))));
        }
        if let Some(reason) = landlock::refusal(self.landlock) {
            missing.push(("landlock", reason));
        }
        match self.privilege {
            Privilege::Full => {}
            Privilege::BareRoot => {
                let reason = match slot::range() {
                    Some(_) => "the runner is root without the capabilities to choose another user",
                    None => "the container of the runner has no users to spare: map at least 128",
                };
                missing.push(("unprivileged user", reason.to_owned()));
                missing.push(("own user", reason.to_owned()));
            }
            Privilege::User => missing.push((
                "own user",
                "outside the program is the runner's user: only root can give it another"
                    .to_owned(),
            )),
        }
        missing
    }

    /// Fails if any wall is missing, for those who accept nothing less.
    pub(crate) fn require_all(&self) -> Result<(), SandboxError> {
        match self.missing().into_iter().next() {
            None => Ok(()),
            Some((name, reason)) => Err(SandboxError::untrusted(name, &reason)),
        }
    }

    /// Fails if a namespace that cannot be done without is refused.
    pub(crate) fn require(&self) -> Result<(), SandboxError> {
        let needed = |name: &str| {
            NEEDED.contains(&name)
                && !(name == "user namespace" && self.privilege == Privilege::Full)
        };
        match self.refused.iter().find(|(name, _)| needed(name)) {
            None => Ok(()),
            Some((name, errno)) => Err(SandboxError::Refused {
                what: format!("no {name} can be made"),
                hint: namespace_hint(name, *errno),
                source: os(*errno),
            }),
        }
    }

    /// Flags for `clone3`. The cgroup namespace comes later, once the process is in its groups;
    /// with full privilege the user namespace does, too, and so may the network namespace.
    pub(crate) fn flags(&self, without: Without, network: &Network) -> u64 {
        let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWNET;
        if self.privilege != Privilege::Full {
            flags |= libc::CLONE_NEWUSER;
        }
        if self.ipc {
            flags |= libc::CLONE_NEWIPC;
        }
        if self.uts {
            flags |= libc::CLONE_NEWUTS;
        }
        for (wall, flag) in [
            (Wall::Network, libc::CLONE_NEWNET),
            (Wall::Pids, libc::CLONE_NEWPID),
            (Wall::Ipc, libc::CLONE_NEWIPC),
            (Wall::Uts, libc::CLONE_NEWUTS),
        ] {
            if !without.stands(wall) {
                flags &= !flag;
            }
        }
        if !matches!(network, Network::Cloned) {
            flags &= !libc::CLONE_NEWNET;
        }
        flags as u64
    }

    /// Adds every wall to the list of a run that got past its start.
    pub(crate) fn report(&self, protections: &mut Protections) {
        protections.active(WALLS);
        for (name, reason) in self.missing() {
            protections.set(name, Some(reason));
        }
    }
}

fn privilege() -> Privilege {
    // CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_SYS_ADMIN of capabilities(7).
    const WANTED: u64 = 1 << 6 | 1 << 7 | 1 << 8 | 1 << 21;
    // SAFETY: plain call.
    if unsafe { libc::geteuid() } != 0 {
        return Privilege::User;
    }
    let effective = fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("CapEff:"))?;
            u64::from_str_radix(line.trim(), 16).ok()
        });
    let capable = effective.is_some_and(|effective| effective & WANTED == WANTED);
    if capable && slot::range().is_some() {
        Privilege::Full
    } else {
        Privilege::BareRoot
    }
}

/// Starts a process in new namespaces that ends at once.
fn make(flags: i32) -> SysResult<()> {
    within(flags, || Ok(())).map(drop)
}

/// Starts a process in new namespaces that does `act` and ends: how that went, if they can be had.
/// Forked from a process that may have many threads, so it may not allocate.
pub(crate) fn within(flags: i32, act: impl FnOnce() -> SysResult<()>) -> SysResult<SysResult<()>> {
    // SAFETY: the child only acts and ends.
    let child = unsafe { sys::clone3(flags as u64, None) }?;
    if child.pid == 0 {
        sys::exit(act().err().unwrap_or(0));
    }
    // SAFETY: the kernel has just made it for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(child.pidfd) };
    let (info, _) = sys::wait_pidfd(pidfd.as_raw_fd())?;
    // SAFETY: the fields of an ended child.
    match unsafe { info.si_status() } {
        0 => Ok(Ok(())),
        errno => Ok(Err(errno)),
    }
}

/// Tries every mechanism of the sandbox and tells which hold here, for `tracer doctor`.
pub fn probe() -> Vec<Protection> {
    let spaces = Spaces::detected();
    match spaces.require().and_then(|()| trial()) {
        Ok(protections) => protections,
        Err(error) => {
            let mut protections = Protections::default();
            let mut reason = error.to_string();
            if let Some(source) = std::error::Error::source(&error) {
                reason = format!("{reason}: {source}");
            }
            if let Some(hint) = error.hint() {
                reason = format!("{reason} ({hint})");
            }
            protections.inactive(WALLS, &reason);
            for (name, _) in KINDS {
                if !spaces.refused.iter().any(|(refused, _)| *refused == name) {
                    protections.active(&[name]);
                }
            }
            protections.groups(&Lease::take(&Limits::default()));
            protections.finish()
        }
    }
}
