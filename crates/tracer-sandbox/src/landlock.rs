//! A second wall around files, signals and abstract sockets: Landlock.
//!
//! Mounts already keep the program out of what it may not see and write; the ruleset says the same
//! once more, through another part of the kernel, so that one mistake in either is not enough. Raw
//! calls, since the child may not allocate, and nothing of it is "best effort": what the kernel
//! lacks is reported. Does not decide what is writable: that is read off the layout.

use std::ffi::{CStr, CString};
use std::os::fd::RawFd;

use libc::{c_int, c_long};

use crate::fault;
use crate::layout::{DEVICE, Op, Tree};
use crate::sys::{self, ATTR_RDONLY, Errno, SysResult};

// landlock(7), by the version of the interface that brought each.
const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
/// Removing and making of every kind.
const CHANGE_DIR: u64 = 0x1ff << 4;
const REFER: u64 = 1 << 13; // 2
const TRUNCATE: u64 = 1 << 14; // 3
const IOCTL_DEV: u64 = 1 << 15; // 5
const NET: u64 = 0b11; // 4: bind and connect of TCP
const SCOPED: u64 = 0b11; // 6: abstract sockets and signals

/// The first version that knows every way to change a file.
const NEEDED: u32 = 3;

const CREATE_RULESET_VERSION: u32 = 1;
const RULE_PATH_BENEATH: c_int = 1;

#[repr(C)]
struct Ruleset {
    fs: u64,
    net: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: RawFd,
}

/// The version of the kernel's interface, or why there is none.
pub(crate) fn version() -> SysResult<u32> {
    // SAFETY: a query takes no ruleset.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<Ruleset>(),
            0,
            CREATE_RULESET_VERSION,
        )
    };
    if version < 0 {
        Err(sys::errno())
    } else {
        Ok(version as u32)
    }
}

/// Why the wall does not stand on this machine; `None` where it does.
pub(crate) fn refusal(version: SysResult<u32>) -> Option<String> {
    match version {
        Ok(version) if version >= NEEDED => None,
        Ok(version) => Some(format!(
            "the kernel's Landlock is version {version}, and cannot forbid to truncate: Linux 6.2 \
             has version {NEEDED}"
        )),
        Err(libc::EOPNOTSUPP) => {
            Some("Landlock is switched off: boot with lsm=landlock,…".to_owned())
        }
        Err(_) => {
            Some("the kernel is built without Landlock (CONFIG_SECURITY_LANDLOCK)".to_owned())
        }
    }
}

/// What a program may write, as places of the new root.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    version: u32,
    /// Whether TCP is forbidden, too.
    network: bool,
    folders: Vec<CString>,
    devices: Vec<CString>,
}

impl Rules {
    /// Reads off the layout what is writable. `network` forbids TCP where the kernel can.
    pub(crate) fn of(ops: &[Op], trees: &[Tree], version: u32, network: bool) -> Self {
        let mut rules = Self {
            version,
            network,
            ..Self::default()
        };
        let root = c"root";
        for op in ops {
            let list = match op {
                Op::Overlay { path, .. } if path.as_c_str() != root => &mut rules.folders,
                Op::Terminals { .. } => &mut rules.devices,
                Op::Attach { tree, .. } => match trees[*tree].attributes {
                    DEVICE => &mut rules.devices,
                    attributes if attributes & ATTR_RDONLY == 0 => &mut rules.folders,
                    _ => continue,
                },
                _ => continue,
            };
            // After the pivot `root` is the root; what stands outside of it is not to be reached.
            if let Some(inside) = op.path().to_bytes().strip_prefix(b"root/")
                && let Ok(path) = CString::new([b"/", inside].concat())
            {
                list.push(path);
            }
        }
        rules
    }

    /// Puts the rules in force for the calling process and what it starts. Needs `no_new_privs`.
    pub(crate) fn enforce(&self) -> Result<(), Errno> {
        let since = |version, right| if self.version >= version { right } else { 0 };
        let device = READ_FILE | WRITE_FILE | since(3, TRUNCATE) | since(5, IOCTL_DEV);
        let read = EXECUTE | READ_FILE | READ_DIR;
        let all = read | device | CHANGE_DIR | since(2, REFER);
        let ruleset = Ruleset {
            fs: all,
            net: if self.network { since(4, NET) } else { 0 },
            scoped: since(6, SCOPED),
        };
        let size = match self.version {
            0..=3 => 8,
            4..=5 => 16,
            _ => size_of::<Ruleset>(),
        };
        // SAFETY: the structure outlives the call, and no more of it is read than the kernel knows.
        let made = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &ruleset, size, 0) };
        let set = check(made)? as RawFd;
        let result = allow(set, c"/", read)
            .and_then(|()| {
                self.folders
                    .iter()
                    .try_for_each(|path| allow(set, path, all & !since(5, IOCTL_DEV)))
            })
            .and_then(|()| {
                self.devices
                    .iter()
                    .try_for_each(|path| allow(set, path, device))
            })
            .and_then(|()| {
                // SAFETY: plain integers.
                check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, set, 0) }).map(drop)
            });
        sys::close(set);
        result
    }
}

fn check(result: c_long) -> SysResult<c_long> {
    fault::point()?;
    if result < 0 {
        Err(sys::errno())
    } else {
        Ok(result)
    }
}

/// Allows `rights` at `path` and below. A file has no rights of folders, and a path that is not
/// there none at all.
fn allow(set: RawFd, path: &CStr, rights: u64) -> SysResult<()> {
    let parent = match sys::open(libc::AT_FDCWD, path, libc::O_PATH, 0) {
        Err(libc::ENOENT) => return Ok(()),
        other => other?,
    };
    let add = |allowed: u64| {
        let rule = PathBeneath { allowed, parent };
        // SAFETY: the rule outlives the call.
        check(unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                set,
                RULE_PATH_BENEATH,
                &rule,
                0,
            )
        })
    };
    let result = match add(rights) {
        Err(libc::EINVAL) => add(rights & !(READ_DIR | CHANGE_DIR | REFER)),
        other => other,
    };
    sys::close(parent);
    result.map(drop)
}
