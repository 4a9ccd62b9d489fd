//! The child's side of a start: from `clone3` to the point where only the program is missing.
//!
//! Runs in a fork of a process that may have many threads, so nothing here allocates, takes a
//! lock or unwinds. Failures go to the runner as a [`Report`].

use std::ffi::CStr;
use std::mem::{size_of, zeroed};
use std::os::fd::AsRawFd;
use std::os::fd::RawFd;
use std::ptr;

use crate::clock;
use crate::fault;
use crate::init;
use crate::layout::{Op, Origin};
use crate::message;
use crate::network::{self, Network};
use crate::plan::{Plan, Walls};
use crate::sys::{self, ATTR_NODEV, ATTR_NOEXEC, ATTR_NOSUID, ATTR_RDONLY, Errno};
use crate::weaken::{Wall, Without};

/// Where a start can fail. The runner turns it into words.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Lifetime,
    Descriptors,
    UserMap,
    Propagation,
    Tree,
    Tmpfs,
    Op,
    Pivot,
    Hostname,
    Network,
    Loopback,
    Clock,
    Landlock,
    Identity,
    UserNamespace,
    Capabilities,
    Seccomp,
    Limits,
    CgroupNamespace,
    Job,
    WorkingFolder,
    Fork,
    Terminal,
    Exec,
}

/// What a message is about.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The walls stand; carries the private tmpfs and the private `/proc`.
    Ready,
    /// A network namespace was made; carries it.
    Network,
    /// Something optional was refused.
    Degraded,
    /// The start failed.
    Failed,
    /// The main process is about to execute the program, and waits.
    Held,
    /// The main process stopped (job control).
    Stopped,
    /// The main process ended; `value` is its wait status.
    Ended,
    /// From the nursery: the sandbox's first process is reaped; `index` is the processor time of
    /// all, in microseconds.
    Reaped,
}

/// A message from the child, in memory layout.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    pub(crate) kind: Kind,
    pub(crate) step: Step,
    /// Which of several, e.g. the index of the step of the layout.
    pub(crate) index: u32,
    pub(crate) errno: i32,
    pub(crate) value: i32,
}

type Outcome<T> = Result<T, (Step, u32, Errno)>;

fn at<T>(step: Step, result: Result<T, Errno>) -> Outcome<T> {
    result.map_err(|errno| (step, 0, errno))
}

/// Sends `report`, with up to two descriptors. A runner that is gone does not hear it.
pub(crate) fn send(socket: RawFd, report: &Report, descriptors: &[RawFd]) {
    // SAFETY: a structure of integers without padding, read as bytes.
    let bytes = unsafe {
        std::slice::from_raw_parts(ptr::from_ref(report).cast::<u8>(), size_of::<Report>())
    };
    let _ = message::send(socket, bytes, descriptors);
}

/// The child's whole life.
pub(crate) fn main(plan: &mut Plan) -> ! {
    fault::in_child();
    let status = plan.status;
    if let Err((step, index, errno)) = start(plan) {
        send(
            status,
            &Report {
                kind: Kind::Failed,
                step,
                index,
                errno,
                value: 0,
            },
            &[],
        );
    }
    sys::exit(125)
}

fn start(plan: &mut Plan) -> Outcome<()> {
    let without = plan.without;
    at(Step::Lifetime, die_with_runner(without))?;
    if without.stands(Wall::Sweep) {
        at(Step::Descriptors, sweep(&plan.keep))?;
    }
    reset_signals();
    // SAFETY: plain integer. Modes are meant as they stand until the program starts.
    unsafe { libc::umask(0) };
    let status = plan.status;
    if let Some(walls) = &mut plan.walls {
        let shared = build(walls, status)?;
        let report = Report {
            kind: Kind::Ready,
            step: Step::Pivot,
            index: 0,
            errno: 0,
            value: 0,
        };
        match shared.proc {
            Some(proc) => send(status, &report, &[shared.tmpfs, proc]),
            None => send(status, &report, &[shared.tmpfs]),
        }
        if !plan.ahead {
            wait_for_go(status);
        }
        lock_down(walls, &shared, status)?;
    } else {
        wait_for_go(status);
        // Orphans come here instead of to the machine's init, so that none survives.
        at(Step::Lifetime, sys::prctl(libc::PR_SET_CHILD_SUBREAPER, 1))?;
        at(Step::Lifetime, sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1))?;
    }
    // Changing credentials cleared it.
    at(Step::Lifetime, die_with_runner(without))?;
    if without.stands(Wall::DeathSignal) && runner_is_gone(status) {
        sys::exit(125);
    }
    // SAFETY: plain integers.
    unsafe {
        libc::personality(plan.personality);
        libc::umask(0o022);
    }
    init::run(plan).map_err(|(step, errno)| (step, 0, errno))
}

fn die_with_runner(without: Without) -> Result<(), Errno> {
    if !without.stands(Wall::DeathSignal) {
        return Ok(());
    }
    sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong).map(drop)
}

/// Closes every descriptor that is not in `keep` (ascending) nor a standard stream: those of other
/// runs among them.
pub(crate) fn sweep(keep: &[u32]) -> Result<(), Errno> {
    let mut next = 3;
    for &descriptor in keep {
        if descriptor > next {
            sys::close_range(next, descriptor - 1, false)?;
        }
        next = next.max(descriptor + 1);
    }
    sys::close_range(next, u32::MAX, false)
}

/// The runner's ignored signals and mask are not the program's.
fn reset_signals() {
    // SAFETY: default dispositions and an empty mask need no handler.
    unsafe {
        for signal in 1..=64 {
            if signal != libc::SIGKILL && signal != libc::SIGSTOP {
                let action: libc::sigaction = zeroed();
                // Raw, since glibc refuses the two it keeps for its threads.
                libc::syscall(
                    libc::SYS_rt_sigaction,
                    signal,
                    &action,
                    ptr::null_mut::<libc::sigaction>(),
                    8,
                );
            }
        }
        let empty = 0u64;
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &empty,
            ptr::null_mut::<u64>(),
            8,
        );
    }
}

/// Waits for the runner's word; ends the process if the runner goes away instead.
pub(crate) fn wait_for_go(status: RawFd) {
    let mut byte = [0];
    if sys::read(status, &mut byte) != Ok(1) {
        sys::exit(125); // the runner is gone
    }
}

fn runner_is_gone(status: RawFd) -> bool {
    let mut poll = libc::pollfd {
        fd: status,
        events: 0,
        revents: 0,
    };
    // SAFETY: one valid structure.
    unsafe { libc::poll(&mut poll, 1, 0) == 1 && poll.revents & libc::POLLHUP != 0 }
}

/// What outlives the set-up.
struct Shared {
    tmpfs: RawFd,
    proc: Option<RawFd>,
    /// The host's `/proc`, for the map files; gone before the program runs.
    host_proc: RawFd,
}

fn build(walls: &mut Walls, status: RawFd) -> Outcome<Shared> {
    let host_proc = at(
        Step::UserMap,
        sys::open(
            libc::AT_FDCWD,
            c"/proc",
            libc::O_PATH | libc::O_DIRECTORY,
            0,
        ),
    )?;
    if let Some(arguments) = walls.arguments {
        at(Step::Identity, forget(host_proc, arguments))?;
    }
    if walls.become_id.is_none() {
        at(Step::UserMap, write_maps(host_proc, walls))?;
    }
    connect(walls, host_proc, status)?;
    at(
        Step::Propagation,
        sys::mount(None, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None),
    )?;
    open_trees(walls)?;
    let tmpfs = at(
        Step::Tmpfs,
        sys::new_filesystem(
            c"tmpfs",
            &[
                (c"size", &walls.size),
                (c"nr_inodes", &walls.inodes),
                (c"mode", c"0755"),
            ],
            walls.without.attributes(ATTR_NOSUID | ATTR_NODEV),
        ),
    )?;
    at(
        Step::Tmpfs,
        sys::move_mount(tmpfs, libc::AT_FDCWD, &walls.base),
    )?;
    at(Step::Tmpfs, sys::fchdir(tmpfs))?;
    at(Step::Tmpfs, sys::mkdir(c"root", 0o755))?;
    if !walls.layout.image {
        // A root has to be a mount; the overlay of an image is one.
        let root = at(
            Step::Tmpfs,
            sys::open_tree(libc::AT_FDCWD, c"root", sys::OPEN_TREE_CLONE),
        )?;
        at(Step::Tmpfs, sys::move_mount(root, libc::AT_FDCWD, c"root"))?;
        sys::close(root);
    }
    let mut proc = None;
    for index in 0..walls.layout.ops.len() {
        apply(walls, index, &mut proc, status).map_err(|errno| (Step::Op, index as u32, errno))?;
    }
    at(
        Step::Pivot,
        sys::mount_setattr(
            libc::AT_FDCWD,
            c"root",
            0,
            walls
                .without
                .attributes(ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV),
            None,
        ),
    )?;
    if walls.uts {
        // SAFETY: the buffer is valid for its length.
        let result =
            unsafe { libc::sethostname(walls.hostname.as_ptr().cast(), walls.hostname.len()) };
        if result != 0 {
            return Err((Step::Hostname, 0, sys::errno()));
        }
    }
    if walls.without.stands(Wall::Root) {
        at(Step::Pivot, sys::chdir(c"root"))?;
        at(Step::Pivot, sys::pivot_into_cwd())?;
    } else {
        at(Step::Pivot, sys::chdir(c"/"))?;
        at(Step::Pivot, sys::unmount(&walls.base))?;
    }
    Ok(Shared {
        tmpfs,
        proc,
        host_proc,
    })
}

/// Gives the process a network of its own that leads nowhere.
fn connect(walls: &Walls, host_proc: RawFd, status: RawFd) -> Outcome<()> {
    match &walls.network {
        Network::Cloned if !walls.without.stands(Wall::Network) => return Ok(()),
        Network::Cloned => {}
        Network::Again(namespace, pristine)
            if network::enter(host_proc, namespace.as_raw_fd(), pristine) == Ok(true) =>
        {
            return Ok(());
        }
        Network::Again(..) | Network::New => {
            let namespace = at(Step::Network, network::make(host_proc))?;
            let report = Report {
                kind: Kind::Network,
                step: Step::Network,
                index: 0,
                errno: 0,
                value: 0,
            };
            send(status, &report, &[namespace]);
            sys::close(namespace);
        }
    }
    match network::loopback() {
        Ok(()) => Ok(()),
        Err(errno) => degraded(walls, status, Step::Loopback, 0, errno),
    }
}

/// Wipes the runner's arguments out of this copy of its memory: everybody may read the command line
/// of a process in `/proc`, the program that of its init, too.
fn forget(proc: RawFd, (start, end): (u64, u64)) -> Result<(), Errno> {
    const ZEROS: [u8; 1024] = [0; 1024];
    sys::prctl(libc::PR_SET_NAME, c"init".as_ptr() as libc::c_ulong)?;
    // Not by the pointer: a runner may have told the kernel of another place than its own.
    let memory = sys::open(proc, c"self/mem", libc::O_WRONLY, 0)?;
    let mut at = start;
    let mut result = Ok(());
    while at < end && result.is_ok() {
        let length = (end - at).min(ZEROS.len() as u64);
        result = sys::write_at(memory, &ZEROS[..length as usize], at);
        at += length;
    }
    sys::close(memory);
    result
}

/// Tells the runner of a wall that is refused; where none may be missing that is the end.
fn degraded(walls: &Walls, status: RawFd, step: Step, index: u32, errno: Errno) -> Outcome<()> {
    if walls.strict {
        return Err((step, index, errno));
    }
    send(
        status,
        &Report {
            kind: Kind::Degraded,
            step,
            index,
            errno,
            value: 0,
        },
        &[],
    );
    Ok(())
}

/// Clones the host's subtrees before the tmpfs shadows any, and makes them read-only.
fn open_trees(walls: &mut Walls) -> Outcome<()> {
    for (index, tree) in walls.layout.trees.iter_mut().enumerate() {
        let recursive = if tree.recursive { sys::AT_RECURSIVE } else { 0 };
        let opened = match &tree.origin {
            Origin::Host(path) => {
                sys::open_tree(libc::AT_FDCWD, path, sys::OPEN_TREE_CLONE | recursive)
            }
            Origin::Ready(fd) => Ok(fd.as_raw_fd()),
            Origin::Private(_) => continue,
        };
        tree.fd = opened
            .and_then(|fd| {
                let flags = sys::AT_EMPTY_PATH | recursive;
                sys::mount_setattr(fd, c"", flags, tree.attributes, None).map(|()| fd)
            })
            .map_err(|errno| (Step::Tree, index as u32, errno))?;
    }
    Ok(())
}

fn apply(
    walls: &Walls,
    index: usize,
    proc: &mut Option<RawFd>,
    status: RawFd,
) -> Result<(), Errno> {
    match &walls.layout.ops[index] {
        Op::Folder { path, mode } => sys::mkdir(path, *mode),
        Op::Own { path, mode } => {
            if let Some(id) = walls.become_id {
                sys::chown(path, id, id)?;
            }
            sys::chmod(path, *mode)
        }
        Op::Link { path, target } => sys::symlink(target, path),
        Op::File { path, bytes, mode } => {
            let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
            match sys::open(libc::AT_FDCWD, path, flags, *mode) {
                Err(libc::EEXIST) if bytes.is_empty() => Ok(()),
                Err(errno) => Err(errno),
                Ok(fd) => {
                    let result = sys::write_all(fd, bytes);
                    sys::close(fd);
                    result
                }
            }
        }
        Op::Attach { path, tree } => {
            let tree = &walls.layout.trees[*tree];
            let fd = match &tree.origin {
                Origin::Private(name) => {
                    let fd = sys::open_tree(libc::AT_FDCWD, name, sys::OPEN_TREE_CLONE)?;
                    sys::mount_setattr(fd, c"", sys::AT_EMPTY_PATH, tree.attributes, None)?;
                    fd
                }
                _ => tree.fd,
            };
            let result = sys::move_mount(fd, libc::AT_FDCWD, path);
            sys::close(fd);
            result
        }
        Op::Proc { path } => {
            // Read-only: of its writable files a program needs none, and several are the
            // machine's.
            let attributes = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC;
            let attributes = walls.without.attributes(attributes);
            if !walls.without.stands(Wall::Proc) {
                let fd = sys::open_tree(libc::AT_FDCWD, c"/proc", sys::OPEN_TREE_CLONE)?;
                return sys::move_mount(fd, libc::AT_FDCWD, path);
            }
            match sys::new_filesystem(c"proc", &[], attributes) {
                Ok(fd) => {
                    *proc = Some(fd);
                    sys::move_mount(fd, libc::AT_FDCWD, path)
                }
                Err(errno) => {
                    // Refused where the runner's own /proc is masked, as in a container.
                    degraded(walls, status, Step::Op, index as u32, errno)
                        .map_err(|(_, _, errno)| errno)
                }
            }
        }
        Op::Terminals { path } => {
            let options: &[(&CStr, &CStr)] = &[(c"ptmxmode", c"0666"), (c"mode", c"0620")];
            match sys::new_filesystem(c"devpts", options, ATTR_NOSUID | ATTR_NOEXEC) {
                Ok(fd) => {
                    let result = sys::move_mount(fd, libc::AT_FDCWD, path);
                    sys::close(fd);
                    result
                }
                Err(errno) => degraded(walls, status, Step::Op, index as u32, errno)
                    .map_err(|(_, _, errno)| errno),
            }
        }
        Op::Overlay { path, options, .. } => sys::mount(
            Some(c"overlay"),
            path,
            Some(c"overlay"),
            libc::MS_NOSUID | libc::MS_NODEV,
            Some(options),
        ),
    }
}

/// Maps the one user and group. `setgroups` must be denied first, see `user_namespaces(7)`.
fn write_maps(proc: RawFd, walls: &Walls) -> Result<(), Errno> {
    let Some((users, groups)) = &walls.maps else {
        return Ok(());
    };
    sys::write_file(proc, c"self/setgroups", b"deny")?;
    sys::write_file(proc, c"self/uid_map", users)?;
    sys::write_file(proc, c"self/gid_map", groups)
}

/// Gives up every privilege that the set-up needed.
fn lock_down(walls: &Walls, shared: &Shared, status: RawFd) -> Outcome<()> {
    if walls.cgroup_namespace
        && let Err(errno) = sys::unshare(libc::CLONE_NEWCGROUP)
    {
        degraded(walls, status, Step::CgroupNamespace, 0, errno)?;
    }
    if let Some(uptime) = walls.clock
        && let Err(errno) = clock::enter(shared.host_proc, uptime)
    {
        degraded(walls, status, Step::Clock, 0, errno)?;
    }
    if let Some(id) = walls.become_id {
        if walls.without.stands(Wall::Capabilities) {
            at(Step::Capabilities, sys::drop_capabilities(false))?;
        }
        at(Step::Identity, sys::become_user(id, id))?;
        if walls.maps.is_some() {
            // The map files belong to root while the process may not be dumped.
            at(Step::UserNamespace, sys::prctl(libc::PR_SET_DUMPABLE, 1))?;
            at(Step::UserNamespace, sys::unshare(libc::CLONE_NEWUSER))?;
            at(Step::UserNamespace, write_maps(shared.host_proc, walls))?;
        }
    }
    sys::close(shared.host_proc);
    sys::close(shared.tmpfs);
    if let Some(proc) = shared.proc {
        sys::close(proc);
    }
    if walls.without.stands(Wall::NoNewPrivileges) {
        at(Step::Capabilities, sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1))?;
    }
    if let Some(rules) = &walls.landlock {
        at(Step::Landlock, rules.enforce())?;
    }
    // Without privilege there may be nothing to empty: then the bounding set cannot be, either.
    let dropped = if walls.without.stands(Wall::Capabilities) {
        sys::drop_capabilities(true)
    } else {
        Ok(())
    };
    match dropped {
        Ok(()) => Ok(()),
        Err(libc::EPERM) if walls.maps.is_none() => Ok(()),
        Err(errno) => Err((Step::Capabilities, 0, errno)),
    }?;
    // The program must not read the runner's memory out of this copy of it.
    let dumpable = libc::c_ulong::from(!walls.without.stands(Wall::Undumpable));
    at(
        Step::Capabilities,
        sys::prctl(libc::PR_SET_DUMPABLE, dumpable),
    )?;
    Ok(())
}
