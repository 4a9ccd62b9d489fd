//! A small process that forks in the runner's place.
//!
//! Every sandbox begins as a copy of the process that makes it, and copying the page tables of a
//! runner with a large heap takes longer than all walls together. So a runner of many programs
//! starts this process early, while it is small itself ([`nursery`]), and later has it make the
//! sandboxes: it is sent a request's shape and the descriptors, builds the same plan from them, and
//! answers with the process. It knows nothing else of the run, and what the runner has learnt since
//! is not in its memory. Where it is not there, or cannot serve, the runner forks itself.
//!
//! It reaps what it has made and says what that used; it ends with the runner, and its sandboxes
//! with it.

mod order;
mod serve;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cgroup::Lease;
use crate::error::SandboxError;
use crate::idmap;
use crate::message::{self, MOST, Plain};
use crate::plan::Plan;
use crate::probe::Spaces;
use crate::request::{Body, Request, Stdin, Stream};
use crate::start;
use crate::streams::pair;
use crate::sys::{self, Cloned, SysResult};
use crate::terminal::Session;
use crate::weaken::Without;
use order::{Answer, Order};

#[derive(Debug)]
struct Nursery {
    /// The process that started it: a fork of the runner has no use of it.
    owner: u32,
    socket: OwnedFd,
}

static NURSERY: Mutex<Option<Nursery>> = Mutex::new(None);

fn nursery_of_runner() -> MutexGuard<'static, Option<Nursery>> {
    NURSERY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a small process that makes this one's sandboxes from now on, if there is none yet. To be
/// called early by who will run many programs: the process is as large as this one is now. It ends
/// with this one.
pub fn nursery() -> Result<(), SandboxError> {
    let mut current = nursery_of_runner();
    let own = std::process::id();
    if current.as_ref().is_some_and(|nursery| nursery.owner == own) {
        return Ok(());
    }
    // What is found out once is found out before, so that no lock is held half-way by another
    // thread while this one forks.
    start::rehearse()?;
    let flags = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    let [ours, theirs] = pair("socket pair", |fds| {
        // SAFETY: the array holds two.
        unsafe { libc::socketpair(libc::AF_UNIX, flags, 0, fds.as_mut_ptr()) }
    })?;
    // SAFETY: plain call.
    let runner = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) };
    let still = idmap::still();
    // SAFETY: through the library, which leaves its allocator usable; the child never returns.
    match unsafe { libc::fork() } {
        -1 => {
            let error = io::Error::last_os_error();
            sys::close(runner as RawFd);
            Err(SandboxError::runner("starting the nursery", error))
        }
        0 => {
            drop(still);
            serve::main(theirs.as_raw_fd(), runner as RawFd)
        }
        _ => {
            sys::close(runner as RawFd);
            *current = Some(Nursery {
                owner: own,
                socket: ours,
            });
            Ok(())
        }
    }
}

/// Whether the nursery could make a sandbox for `request`.
fn serves(request: &Request, session: Session, ahead: bool) -> bool {
    let inherits = matches!(request.stdin, Stdin::Inherit)
        || request.stdout == Stream::Inherit
        || request.stderr == Stream::Inherit;
    let relative = request
        .files
        .iter()
        .any(|file| matches!(&file.body, Body::Host(path) if path.is_relative()));
    session == Session::New
        && (ahead || !inherits)
        && !relative
        && request.without() == Without::default()
}

/// Has the nursery make the process of `plan`. `None` where there is none, or it does not serve
/// such a request.
pub(crate) fn make(
    request: &Request,
    plan: &Plan,
    copy: bool,
    lease: &mut Lease,
) -> Option<SysResult<Cloned>> {
    let walls = plan.walls.as_ref()?;
    if !serves(request, plan.session, plan.ahead) || !Spaces::detected().user {
        return None;
    }
    let mut current = nursery_of_runner();
    let socket = current
        .as_ref()
        .filter(|nursery| nursery.owner == std::process::id())?
        .socket
        .as_raw_fd();
    let order = Order::of(request, plan, walls, copy);
    let Ok((answer, pidfd)) = ask(socket, &order, plan, lease) else {
        // It has ended, and its sandboxes with it: from now on the runner forks itself.
        *current = None;
        return None;
    };
    if answer.refused != 0 {
        return None; // the runner finds out by itself, and tells
    }
    lease.joined(answer.v1, answer.v2);
    Some(match (answer.errno, pidfd) {
        (0, Some(pidfd)) => Ok(Cloned {
            pid: answer.pid,
            pidfd,
        }),
        (0, None) => Err(libc::EMFILE),
        (errno, _) => Err(errno),
    })
}

fn ask(
    socket: RawFd,
    order: &Order<'_>,
    plan: &Plan,
    lease: &Lease,
) -> io::Result<(Answer, Option<RawFd>)> {
    let os = io::Error::from_raw_os_error;
    // SAFETY: a constant name.
    let fd = unsafe { libc::memfd_create(c"order".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it for us.
    let mut file = unsafe { File::from_raw_fd(fd) };
    let (head, bytes) = order.pack(lease.entries());
    file.write_all(&bytes)?;
    let mut descriptors = vec![file.as_raw_fd(), plan.status];
    descriptors.extend(plan.stdio.into_iter().flatten());
    descriptors.extend(plan.channel);
    descriptors.extend(
        plan.walls
            .iter()
            .filter_map(|walls| walls.network.descriptor()),
    );
    descriptors.extend(lease.descriptors());
    if descriptors.len() > MOST {
        return Err(os(libc::E2BIG));
    }
    message::send(socket, head.as_bytes(), &descriptors).map_err(os)?;
    let mut answer = [0u8; size_of::<Answer>()];
    let mut received = [-1; MOST];
    let (length, count) = loop {
        match message::receive(socket, &mut answer, &mut received, 0) {
            Err(libc::EINTR) => {}
            other => break other.map_err(os)?,
        }
    };
    let answer = Answer::read(&answer[..length]).ok_or_else(|| os(libc::EPIPE))?;
    Ok((answer, (count > 0).then_some(received[0])))
}
