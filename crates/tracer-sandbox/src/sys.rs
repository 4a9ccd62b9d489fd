//! Kernel calls without a wrapper in `libc`, and those whose wrapper is unsafe in a forked child
//! (glibc's `setresuid` signals threads that are not there). Nothing here allocates; errors are
//! plain `errno` values.

use std::ffi::CStr;
use std::os::fd::RawFd;
use std::ptr;

use libc::{c_int, c_long, c_uint, c_void};

use crate::fault;

/// An `errno` value.
pub(crate) type Errno = c_int;
/// Result of a call that may run in the child.
pub(crate) type SysResult<T> = Result<T, Errno>;

pub(crate) const OPEN_TREE_CLONE: c_uint = 1;
pub(crate) const OPEN_TREE_CLOEXEC: c_uint = libc::O_CLOEXEC as c_uint;
pub(crate) const AT_RECURSIVE: c_uint = 0x8000;
pub(crate) const AT_EMPTY_PATH: c_uint = 0x1000;
pub(crate) const ATTR_RDONLY: u64 = 0x01;
pub(crate) const ATTR_NOSUID: u64 = 0x02;
pub(crate) const ATTR_NODEV: u64 = 0x04;
pub(crate) const ATTR_NOEXEC: u64 = 0x08;
pub(crate) const ATTR_IDMAP: u64 = 0x0010_0000;
const MOVE_MOUNT_F_EMPTY_PATH: c_uint = 0x04;
const FSOPEN_CLOEXEC: c_uint = 1;
const FSMOUNT_CLOEXEC: c_uint = 1;
const FSCONFIG_SET_FLAG: c_uint = 0;
const FSCONFIG_SET_STRING: c_uint = 1;
const FSCONFIG_CMD_CREATE: c_uint = 6;
const CLONE_PIDFD: u64 = 0x1000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
const CLOSE_RANGE_CLOEXEC: c_uint = 4;

#[repr(C)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

pub(crate) fn errno() -> Errno {
    // SAFETY: errno's address is always valid for the calling thread.
    unsafe { *libc::__errno_location() }
}

fn check(call: impl FnOnce() -> c_long) -> SysResult<c_long> {
    fault::point()?;
    answer(call())
}

/// Without a point to fail at: what a kernel does not refuse, such as ending one's own child.
fn answer(result: c_long) -> SysResult<c_long> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// What `clone3` gave: 0 in the child; a pid and, in the parent, a pidfd.
pub(crate) struct Cloned {
    pub(crate) pid: libc::pid_t,
    pub(crate) pidfd: RawFd,
}

/// Forks with `flags`. The child sends no signal when it ends, so an embedding program's own
/// `wait(-1)` and `SIGCHLD` handler never see it.
///
/// # Safety
/// In the child only async-signal-safe code may run: other threads' locks stay taken for ever.
pub(crate) unsafe fn clone3(flags: u64, cgroup: Option<RawFd>) -> SysResult<Cloned> {
    let mut pidfd: c_int = -1;
    let args = CloneArgs {
        flags: flags
            | CLONE_PIDFD
            | if cgroup.is_some() {
                CLONE_INTO_CGROUP
            } else {
                0
            },
        pidfd: ptr::from_mut(&mut pidfd) as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: 0,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: cgroup.unwrap_or(0) as u64,
    };
    // SAFETY: the arguments outlive the call; without CLONE_VM the child has its own stack.
    let pid = check(|| unsafe { libc::syscall(libc::SYS_clone3, &args, size_of::<CloneArgs>()) })?;
    Ok(Cloned {
        pid: pid as libc::pid_t,
        pidfd,
    })
}

/// Starts `entry` in a child that shares this process's memory and holds it up until the child
/// executes a program or ends: nothing has to be copied.
///
/// # Safety
/// `entry` must not return into shared state it has broken; it runs on `stack`, which must stay
/// until this returns, and this process must have one thread.
pub(crate) unsafe fn spawn(
    entry: extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
    stack: &mut [u8],
) -> SysResult<libc::pid_t> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack grows down from its aligned end; the caller vouches for the rest.
    let pid = check(|| unsafe {
        let top = stack.as_mut_ptr().add(stack.len());
        let top = top.sub(top as usize % 16);
        c_long::from(libc::clone(entry, top.cast(), flags, argument))
    })?;
    Ok(pid as libc::pid_t)
}

pub(crate) fn open_tree(dir: RawFd, path: &CStr, flags: c_uint) -> SysResult<RawFd> {
    // SAFETY: the path is a valid C string.
    check(|| unsafe {
        libc::syscall(
            libc::SYS_open_tree,
            dir,
            path.as_ptr(),
            flags | OPEN_TREE_CLOEXEC,
        )
    })
    .map(|fd| fd as RawFd)
}

pub(crate) fn mount_setattr(
    dir: RawFd,
    path: &CStr,
    flags: c_uint,
    set: u64,
    userns: Option<RawFd>,
) -> SysResult<()> {
    let attr = MountAttr {
        set,
        clear: 0,
        propagation: 0,
        userns_fd: userns.unwrap_or(0) as u64,
    };
    // SAFETY: path and attributes outlive the call; the size is the structure's.
    check(|| unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            dir,
            path.as_ptr(),
            flags,
            &attr,
            size_of::<MountAttr>(),
        )
    })
    .map(drop)
}

/// Attaches the detached mount `from` at `path`.
pub(crate) fn move_mount(from: RawFd, dir: RawFd, path: &CStr) -> SysResult<()> {
    // SAFETY: both paths are valid C strings.
    check(|| unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            from,
            c"".as_ptr(),
            dir,
            path.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    })
    .map(drop)
}

/// A new, detached file system of `kind` with `options`.
pub(crate) fn new_filesystem(
    kind: &CStr,
    options: &[(&CStr, &CStr)],
    attributes: u64,
) -> SysResult<RawFd> {
    make_filesystem(kind, options, false, attributes)
}

/// As [`new_filesystem`], and its source is not opened for writing either.
pub(crate) fn new_filesystem_read_only(
    kind: &CStr,
    options: &[(&CStr, &CStr)],
    attributes: u64,
) -> SysResult<RawFd> {
    make_filesystem(kind, options, true, attributes)
}

fn make_filesystem(
    kind: &CStr,
    options: &[(&CStr, &CStr)],
    read_only: bool,
    attributes: u64,
) -> SysResult<RawFd> {
    // SAFETY: the name is a valid C string.
    let context =
        check(|| unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), FSOPEN_CLOEXEC) })?
            as RawFd;
    let configure = |command: c_uint, key: *const libc::c_char, value: *const libc::c_char| {
        // SAFETY: key and value are null or valid C strings, as the command demands.
        check(|| unsafe { libc::syscall(libc::SYS_fsconfig, context, command, key, value, 0) })
            .map(drop)
    };
    let result = options
        .iter()
        .try_for_each(|(key, value)| configure(FSCONFIG_SET_STRING, key.as_ptr(), value.as_ptr()))
        .and_then(|()| {
            if !read_only {
                return Ok(());
            }
            configure(FSCONFIG_SET_FLAG, c"ro".as_ptr(), ptr::null())
        })
        .and_then(|()| configure(FSCONFIG_CMD_CREATE, ptr::null(), ptr::null()))
        .and_then(|()| {
            // SAFETY: plain integers.
            check(|| unsafe {
                libc::syscall(
                    libc::SYS_fsmount,
                    context,
                    FSMOUNT_CLOEXEC,
                    attributes as c_uint,
                )
            })
        });
    close(context);
    result.map(|fd| fd as RawFd)
}

pub(crate) fn mount(
    source: Option<&CStr>,
    target: &CStr,
    kind: Option<&CStr>,
    flags: u64,
    data: Option<&CStr>,
) -> SysResult<()> {
    let pointer = |text: Option<&CStr>| text.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: every pointer is null or a valid C string.
    check(|| unsafe {
        c_long::from(libc::mount(
            pointer(source),
            target.as_ptr(),
            pointer(kind),
            flags as libc::c_ulong,
            pointer(data).cast::<c_void>(),
        ))
    })
    .map(drop)
}

/// Makes the current folder the root and drops the old one.
pub(crate) fn pivot_into_cwd() -> SysResult<()> {
    // SAFETY: constant C strings. The old root lands on top of the new one and is detached there.
    unsafe {
        check(|| libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()))?;
        check(|| c_long::from(libc::umount2(c".".as_ptr(), libc::MNT_DETACH)))?;
    }
    chdir(c"/")
}

/// Detaches what is mounted at `path`.
pub(crate) fn unmount(path: &CStr) -> SysResult<()> {
    // SAFETY: a valid C string.
    check(|| c_long::from(unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) })).map(drop)
}

pub(crate) fn chdir(path: &CStr) -> SysResult<()> {
    // SAFETY: a valid C string.
    check(|| c_long::from(unsafe { libc::chdir(path.as_ptr()) })).map(drop)
}

pub(crate) fn fchdir(dir: RawFd) -> SysResult<()> {
    // SAFETY: plain integer.
    check(|| c_long::from(unsafe { libc::fchdir(dir) })).map(drop)
}

pub(crate) fn mkdir(path: &CStr, mode: u32) -> SysResult<()> {
    // SAFETY: a valid C string.
    match check(|| c_long::from(unsafe { libc::mkdir(path.as_ptr(), mode) })) {
        Err(libc::EEXIST) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn symlink(target: &CStr, path: &CStr) -> SysResult<()> {
    // SAFETY: valid C strings.
    match check(|| c_long::from(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) })) {
        Err(libc::EEXIST) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn open(dir: RawFd, path: &CStr, flags: c_int, mode: u32) -> SysResult<RawFd> {
    // SAFETY: a valid C string.
    check(|| unsafe {
        c_long::from(libc::openat(
            dir,
            path.as_ptr(),
            flags | libc::O_CLOEXEC,
            mode,
        ))
    })
    .map(|fd| fd as RawFd)
}

pub(crate) fn write_all(fd: RawFd, mut bytes: &[u8]) -> SysResult<()> {
    while !bytes.is_empty() {
        // SAFETY: the buffer is valid for its length.
        match check(|| unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) } as c_long) {
            Ok(written) => bytes = &bytes[(written as usize).min(bytes.len())..],
            Err(libc::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes `bytes` at an offset, whole or not at all.
pub(crate) fn write_at(fd: RawFd, bytes: &[u8], offset: u64) -> SysResult<()> {
    // SAFETY: the buffer is valid for its length.
    let written = check(|| unsafe {
        libc::pwrite64(
            fd,
            bytes.as_ptr().cast(),
            bytes.len(),
            offset as libc::off64_t,
        ) as c_long
    })?;
    if written as usize == bytes.len() {
        Ok(())
    } else {
        Err(libc::EIO)
    }
}

/// Writes a whole small file that exists already (the kind in `/proc`).
pub(crate) fn write_file(dir: RawFd, path: &CStr, bytes: &[u8]) -> SysResult<()> {
    let fd = open(dir, path, libc::O_WRONLY, 0)?;
    let result = write_all(fd, bytes);
    close(fd);
    result
}

pub(crate) fn read(fd: RawFd, buffer: &mut [u8]) -> SysResult<usize> {
    loop {
        // SAFETY: the buffer is valid for its length.
        match check(|| unsafe {
            libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) as c_long
        }) {
            Err(libc::EINTR) => {}
            result => return result.map(|length| length as usize),
        }
    }
}

pub(crate) fn close(fd: RawFd) {
    // SAFETY: closing a descriptor the caller owns; an error leaves it closed all the same.
    unsafe { libc::close(fd) };
}

pub(crate) fn dup2(from: RawFd, to: RawFd) -> SysResult<()> {
    // SAFETY: plain integers.
    check(|| c_long::from(unsafe { libc::dup2(from, to) })).map(drop)
}

/// Closes every descriptor in `first..=last`, or marks it close-on-exec.
pub(crate) fn close_range(first: c_uint, last: c_uint, on_exec: bool) -> SysResult<()> {
    if first > last {
        return Ok(());
    }
    let flags = if on_exec { CLOSE_RANGE_CLOEXEC } else { 0 };
    // SAFETY: plain integers.
    check(|| unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) }).map(drop)
}

pub(crate) fn prctl(option: c_int, argument: libc::c_ulong) -> SysResult<c_int> {
    // SAFETY: only options whose arguments are integers are passed.
    check(|| c_long::from(unsafe { libc::prctl(option, argument, 0, 0, 0) }))
        .map(|result| result as c_int)
}

pub(crate) fn unshare(flags: c_int) -> SysResult<()> {
    // SAFETY: plain integer; the child has one thread.
    check(|| c_long::from(unsafe { libc::unshare(flags) })).map(drop)
}

pub(crate) fn setns(namespace: RawFd, kind: c_int) -> SysResult<()> {
    // SAFETY: plain integers; the child has one thread.
    check(|| c_long::from(unsafe { libc::setns(namespace, kind) })).map(drop)
}

pub(crate) fn chown(path: &CStr, uid: u32, gid: u32) -> SysResult<()> {
    // SAFETY: a valid C string.
    check(|| c_long::from(unsafe { libc::lchown(path.as_ptr(), uid, gid) })).map(drop)
}

pub(crate) fn chmod(path: &CStr, mode: u32) -> SysResult<()> {
    // SAFETY: a valid C string.
    check(|| c_long::from(unsafe { libc::chmod(path.as_ptr(), mode) })).map(drop)
}

/// Becomes `uid` and `gid` with no further groups, for this thread alone.
pub(crate) fn become_user(uid: u32, gid: u32) -> SysResult<()> {
    // SAFETY: raw calls, since glibc's wrappers would signal the parent's threads.
    unsafe {
        check(|| libc::syscall(libc::SYS_setgroups, 0, ptr::null::<libc::gid_t>()))?;
        check(|| libc::syscall(libc::SYS_setresgid, gid, gid, gid))?;
        check(|| libc::syscall(libc::SYS_setresuid, uid, uid, uid))?;
    }
    Ok(())
}

/// Empties the capability bounding set and, with `all`, every other set.
pub(crate) fn drop_capabilities(all: bool) -> SysResult<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    const VERSION_3: u32 = 0x2008_0522;
    for capability in 0..64 {
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            Ok(_) => {}
            Err(libc::EINVAL) => break, // past the kernel's last one
            Err(error) => return Err(error),
        }
    }
    if !all {
        return Ok(());
    }
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let none = [0u32; 6];
    let _ = prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
    );
    // SAFETY: version 3 takes two triples of words.
    check(|| unsafe { libc::syscall(libc::SYS_capset, &header, none.as_ptr()) }).map(drop)
}

/// Kills through a pidfd, so that a recycled pid is never hit.
pub(crate) fn pidfd_kill(pidfd: RawFd) -> SysResult<()> {
    // SAFETY: plain integers and a null siginfo.
    answer(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd,
            libc::SIGKILL,
            ptr::null::<libc::siginfo_t>(),
            0,
        )
    })
    .map(drop)
}

/// Reaps the process behind `pidfd`, blocking; gives its and its children's usage.
pub(crate) fn wait_pidfd(pidfd: RawFd) -> SysResult<(libc::siginfo_t, libc::rusage)> {
    // SAFETY: both structures are plain data for which zero is a value.
    let (mut info, mut usage): (libc::siginfo_t, libc::rusage) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    loop {
        // SAFETY: both out-pointers are valid.
        let result = answer(unsafe {
            libc::syscall(
                libc::SYS_waitid,
                libc::P_PIDFD,
                pidfd,
                &mut info,
                libc::WEXITED | libc::__WALL,
                &mut usage,
            )
        });
        match result {
            Err(libc::EINTR) => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok((info, usage)),
        }
    }
}

/// Reaps any child, blocking.
pub(crate) fn wait_any() -> SysResult<()> {
    // SAFETY: null pointers are allowed.
    check(|| unsafe {
        c_long::from(libc::wait4(
            -1,
            ptr::null_mut(),
            libc::__WALL,
            ptr::null_mut(),
        ))
    })
    .map(drop)
}

/// Ends the process at once.
pub(crate) fn exit(code: c_int) -> ! {
    // SAFETY: never returns.
    unsafe { libc::_exit(code) }
}
