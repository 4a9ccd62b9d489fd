//! The runner's side while the program runs: reads its output, watches its limits and kills it.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::{Duration, Instant};

use tracer_model::Limit;

use crate::cancel::Cancel;
use crate::child::{Kind, Report};
use crate::error::SandboxError;
use crate::message::{self, MOST};
use crate::meter::{Meter, children};
use crate::output::Output;
use crate::sys;
use crate::terminal::Reclaim;

/// A started sandbox. Dropping it kills and reaps what is left.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) pid: libc::pid_t,
    pub(crate) pidfd: OwnedFd,
    pub(crate) status: OwnedFd,
    /// Whether the kernel kills everything with the first process.
    pub(crate) pid_namespace: bool,
    pub(crate) reaped: bool,
    /// Whether another process made it, and reaps it.
    pub(crate) nursed: bool,
    /// Messages that came before the watch, in order.
    pub(crate) early: Vec<(Report, Vec<OwnedFd>)>,
}

/// How it went, before it is judged.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Wait status of the program.
    pub(crate) status: Option<i32>,
    /// The limit for which the runner killed it.
    pub(crate) killed_for: Option<Limit>,
    /// Whether it was killed because its caller said so.
    cancelled: bool,
    /// Why the start failed.
    pub(crate) failure: Option<Report>,
    /// Optional things that were refused.
    pub(crate) degraded: Vec<Report>,
    /// The network that the child made.
    pub(crate) network: Option<OwnedFd>,
    pub(crate) wall: Duration,
    /// From the nursery: that the first process is reaped, and what all have used.
    reaped: Option<Duration>,
    /// CPU time, as far as reaping tells.
    pub(crate) cpu: Duration,
}

impl Guest {
    /// Tells the child to go on.
    pub(crate) fn go(&self) {
        let byte = [1u8];
        // SAFETY: the buffer is valid; a dead child shows later.
        unsafe {
            libc::send(
                self.status.as_raw_fd(),
                byte.as_ptr().cast(),
                1,
                libc::MSG_NOSIGNAL,
            )
        };
    }

    /// Kills everything in the sandbox.
    pub(crate) fn kill(&self) {
        if self.pid_namespace {
            let _ = sys::pidfd_kill(self.pidfd.as_raw_fd());
            return;
        }
        // The first process stays: it adopts what is orphaned, and ends when nothing is left.
        let mut all = children(self.pid);
        if all.is_empty() {
            let _ = sys::pidfd_kill(self.pidfd.as_raw_fd());
        }
        let mut next = 0;
        while next < all.len() {
            // SAFETY: at worst a process of our own that has just ended.
            unsafe { libc::kill(all[next], libc::SIGKILL) };
            all.extend(children(all[next]));
            next += 1;
        }
    }

    /// Waits until the walls stand, and gives the private tmpfs; `None` if the start failed.
    pub(crate) fn ready(&mut self, meter: &mut Meter<'_>) -> Option<RawFd> {
        let descriptors = self.wait_for(Kind::Ready)?;
        meter.adopt(descriptors);
        meter.tmpfs.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Waits until the program's process is about to execute it.
    pub(crate) fn hold(&mut self) -> io::Result<()> {
        let held = self.wait_for(Kind::Held);
        held.map(drop)
            .ok_or_else(|| io::Error::other("the start failed"))
    }

    /// Waits for a message of this kind, and gives what came with it; `None` if the start failed.
    fn wait_for(&mut self, kind: Kind) -> Option<Vec<OwnedFd>> {
        // A failure is left in the socket for the watch.
        let mut next = [0u8; size_of::<Report>()];
        loop {
            // SAFETY: the buffer is valid for its length.
            let length = unsafe {
                libc::recv(
                    self.status.as_raw_fd(),
                    next.as_mut_ptr().cast(),
                    next.len(),
                    libc::MSG_PEEK,
                )
            };
            if length != size_of::<Report>() as isize {
                return None;
            }
            // SAFETY: as in `receive`.
            let report = unsafe { ptr::read_unaligned(next.as_ptr().cast::<Report>()) };
            if report.kind == Kind::Failed {
                return None;
            }
            let (report, descriptors) = self.receive()?;
            if report.kind == kind {
                return Some(descriptors);
            }
            self.early.push((report, descriptors));
        }
    }

    /// Reaps the first process, which has ended, and gives the processor time of all.
    fn reap(&mut self) -> io::Result<Duration> {
        if !self.nursed {
            let (_, usage) =
                sys::wait_pidfd(self.pidfd.as_raw_fd()).map_err(io::Error::from_raw_os_error)?;
            let time = |value: libc::timeval| {
                Duration::from_secs(value.tv_sec as u64)
                    + Duration::from_micros(value.tv_usec as u64)
            };
            return Ok(time(usage.ru_utime) + time(usage.ru_stime));
        }
        let early = std::mem::take(&mut self.early);
        if let Some((report, _)) = early.iter().find(|(report, _)| report.kind == Kind::Reaped) {
            return Ok(used(report));
        }
        let end = Instant::now() + DEATH;
        loop {
            match self.receive() {
                Some((report, _)) if report.kind == Kind::Reaped => {
                    return Ok(used(&report));
                }
                // What came too late to count.
                Some(_) => {}
                None => {
                    let left = end.saturating_duration_since(Instant::now());
                    let [told] = wait([Some(self.status.as_raw_fd())], left)?;
                    // The nursery is gone, and with it whoever could tell.
                    if !told || closed(self.status.as_raw_fd()) {
                        return Ok(Duration::ZERO);
                    }
                }
            }
        }
    }

    /// Takes one message, without waiting.
    pub(crate) fn receive(&self) -> Option<(Report, Vec<OwnedFd>)> {
        receive(self.status.as_raw_fd())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            let _ = sys::pidfd_kill(self.pidfd.as_raw_fd());
            if self.nursed {
                let _ = wait([Some(self.pidfd.as_raw_fd())], DEATH);
            }
            let _ = self.reap();
        }
    }
}

/// Whether the first process has ended.
pub(crate) fn ended(guest: &Guest) -> bool {
    wait([Some(guest.pidfd.as_raw_fd())], Duration::ZERO).is_ok_and(|[ended]| ended)
}

fn receive(socket: RawFd) -> Option<(Report, Vec<OwnedFd>)> {
    let mut bytes = [0u8; size_of::<Report>()];
    let mut descriptors = [-1; MOST];
    let (length, count) =
        message::receive(socket, &mut bytes, &mut descriptors, libc::MSG_DONTWAIT).ok()?;
    // SAFETY: the kernel has just made them for us.
    let owned = |fd: &RawFd| unsafe { OwnedFd::from_raw_fd(*fd) };
    let descriptors = descriptors[..count].iter().map(owned).collect();
    if length != size_of::<Report>() {
        return None;
    }
    // SAFETY: only our own child before `execve`, and its init, hold the other end; they send
    // whole reports.
    Some((
        unsafe { ptr::read_unaligned(bytes.as_ptr().cast::<Report>()) },
        descriptors,
    ))
}

/// The processor time that the nursery tells.
fn used(report: &Report) -> Duration {
    Duration::from_micros(report.index.into())
}

/// Whether nobody can send to this socket any more, and nothing is left in it.
fn closed(socket: RawFd) -> bool {
    let mut next = 0u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the buffer is valid for its length.
    unsafe { libc::recv(socket, ptr::from_mut(&mut next).cast(), 1, flags) == 0 }
}

/// Waits for readiness of what is watched. Gives, per descriptor, whether something is there.
fn wait<const COUNT: usize>(
    watched: [Option<RawFd>; COUNT],
    timeout: Duration,
) -> io::Result<[bool; COUNT]> {
    let mut polls = watched.map(|fd| libc::pollfd {
        fd: fd.unwrap_or(-1), // negative ones are skipped
        events: libc::POLLIN,
        revents: 0,
    });
    let timeout = libc::timespec {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(timeout.subsec_nanos()),
    };
    // SAFETY: the array is valid for its length; no signal mask is changed.
    let result = unsafe {
        libc::ppoll(
            polls.as_mut_ptr(),
            COUNT as libc::nfds_t,
            &timeout,
            ptr::null(),
        )
    };
    if result < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted {
            Ok([false; COUNT])
        } else {
            Err(error)
        };
    }
    Ok(polls.map(|poll| poll.revents != 0))
}

/// How long killed processes may take to die before the runner gives up on them.
const DEATH: Duration = Duration::from_secs(10);

/// Watches `guest` to its end. The meter and the output are filled on the way.
pub(crate) fn watch(
    guest: &mut Guest,
    meter: &mut Meter<'_>,
    output: &mut Output,
    wall: Option<Duration>,
    cancel: &Cancel,
    terminal: &Reclaim,
) -> Result<Record, SandboxError> {
    let start = Instant::now();
    let end = wall.and_then(|wall| start.checked_add(wall)); // none past the end of time
    let mut record = Record::default();
    for (report, descriptors) in std::mem::take(&mut guest.early) {
        note(&mut record, report, descriptors, meter, terminal, guest);
    }
    let mut killed_at: Option<Instant> = None;
    let mut next_look = start + meter.interval();
    loop {
        let now = Instant::now();
        let deadline = match killed_at {
            Some(killed) => killed + DEATH,
            None => end.unwrap_or(now + DEATH),
        };
        let until = if killed_at.is_some() && guest.pid_namespace {
            deadline
        } else {
            deadline.min(next_look)
        };
        let [pipe_out, pipe_err] = output.descriptors();
        // Messages can wait for the next look, save that the program was stopped.
        let status = terminal.follows().then(|| guest.status.as_raw_fd());
        let watched = [Some(guest.pidfd.as_raw_fd()), status, pipe_out, pipe_err];
        let [ended, _, out, err] = wait(watched, until.saturating_duration_since(now))
            .map_err(|error| SandboxError::runner("waiting for the program", error))?;
        while let Some((report, descriptors)) = guest.receive() {
            note(&mut record, report, descriptors, meter, terminal, guest);
        }
        let mut over = out && output.read(0);
        over |= err && output.read(1);
        if ended {
            if over {
                record.killed_for.get_or_insert(Limit::Output);
            }
            break;
        }
        let now = Instant::now();
        let mut reason = over.then_some(Limit::Output);
        if end.is_some_and(|end| now >= end) {
            reason = reason.or(Some(Limit::Wall));
        }
        if now >= next_look {
            if killed_at.is_none() {
                reason = reason.or_else(|| meter.look());
            } else if !guest.pid_namespace {
                guest.kill(); // what was forked meanwhile
            }
            next_look = now + meter.interval();
        }
        let cancelled = cancel.is_cancelled();
        if killed_at.is_none() && (cancelled || reason.is_some()) {
            record.cancelled = cancelled;
            record.killed_for = reason;
            guest.kill();
            killed_at = Some(now);
        }
        if killed_at.is_some_and(|killed| now >= killed + DEATH) {
            return Err(SandboxError::runner(
                "ending the program: a process does not die",
                io::Error::from_raw_os_error(libc::ETIMEDOUT),
            ));
        }
    }
    record.wall = start.elapsed();
    if output.drain() && record.killed_for.is_none() {
        record.killed_for = Some(Limit::Output);
    }
    record.cpu = match record.reaped {
        Some(used) => used,
        None => guest
            .reap()
            .map_err(|error| SandboxError::runner("reaping", error))?,
    };
    guest.reaped = true;
    if record.cancelled {
        return Err(SandboxError::Cancelled);
    }
    Ok(record)
}

fn note(
    record: &mut Record,
    report: Report,
    descriptors: Vec<OwnedFd>,
    meter: &mut Meter<'_>,
    terminal: &Reclaim,
    guest: &Guest,
) {
    match report.kind {
        Kind::Ready => {
            meter.adopt(descriptors);
        }
        Kind::Held => {}
        Kind::Reaped => record.reaped = Some(used(&report)),
        Kind::Network => record.network = descriptors.into_iter().next(),
        Kind::Degraded => record.degraded.push(report),
        Kind::Failed => record.failure = Some(report),
        Kind::Ended => record.status = Some(report.value),
        Kind::Stopped => {
            // Its pid as the runner sees it; init has one child of its own making, the first.
            if let Some(main) = children(guest.pid).first() {
                terminal.stop_with(*main);
            }
        }
    }
}
