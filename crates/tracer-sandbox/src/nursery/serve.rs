//! The nursery's own life: makes processes as it is asked, and reaps them.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::panic::catch_unwind;

use super::order::{Answer, Head, Ordered};
use crate::cgroup::{Entry, fork_within};
use crate::child::{self, Kind, Report, Step};
use crate::message::{self, MOST, Plain};
use crate::network::Network;
use crate::probe::Spaces;
use crate::start::{self, Ends};
use crate::streams::clear;
use crate::sys;
use crate::terminal::Session;

/// A sandbox's first process, and where its end is told.
struct Hatched {
    pidfd: OwnedFd,
    status: OwnedFd,
}

/// Serves until the runner behind `socket` is gone.
pub(super) fn main(socket: RawFd, runner: RawFd) -> ! {
    let _ = catch_unwind(|| {
        stand_apart(socket, runner);
        serve(socket, runner);
    });
    sys::exit(0)
}

/// Lets go of the runner's descriptors, some of which others wait to see closed, and of its signals:
/// what is meant for the runner's group does not end this process before the runner ends.
fn stand_apart(socket: RawFd, runner: RawFd) {
    let mut kept = [socket, runner].map(|fd| fd as u32);
    kept.sort_unstable();
    let _ = child::sweep(&kept);
    let faults = [
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGABRT,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGSEGV,
        libc::SIGCHLD,
    ];
    for signal in 1..32 {
        let wanted = if faults.contains(&signal) {
            libc::SIG_DFL
        } else {
            libc::SIG_IGN
        };
        // SAFETY: no handler is called.
        unsafe { libc::signal(signal, wanted) };
    }
    let name: &CStr = c"nursery";
    let _ = sys::prctl(libc::PR_SET_NAME, name.as_ptr() as libc::c_ulong);
}

fn serve(socket: RawFd, runner: RawFd) {
    let mut hatched: Vec<Hatched> = Vec::new();
    loop {
        let poll = |fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };
        let own = [socket, runner].map(poll);
        let theirs = hatched.iter().map(|one| poll(one.pidfd.as_raw_fd()));
        let mut polls: Vec<libc::pollfd> = own.into_iter().chain(theirs).collect();
        // SAFETY: the list is valid for its length.
        let ready = unsafe { libc::poll(polls.as_mut_ptr(), polls.len() as libc::nfds_t, -1) };
        if ready < 0 && sys::errno() != libc::EINTR || polls[1].revents != 0 {
            return;
        }
        let mut ended = polls[2..].iter().map(|poll| poll.revents != 0);
        hatched.retain(|one| {
            let over = ended.next() == Some(true);
            if over {
                reap(one);
            }
            !over
        });
        if polls[0].revents != 0 {
            match one(socket) {
                Ok(Some(new)) => hatched.push(new),
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }
}

/// Reaps a process that has ended, and tells its processor time.
fn reap(one: &Hatched) {
    let usage = sys::wait_pidfd(one.pidfd.as_raw_fd()).map(|(_, usage)| usage);
    let micros = usage.map_or(0, |usage| {
        [usage.ru_utime, usage.ru_stime]
            .map(|time| time.tv_sec * 1_000_000 + time.tv_usec)
            .iter()
            .sum::<i64>()
    });
    let report = Report {
        kind: Kind::Reaped,
        step: Step::Exec,
        index: u32::try_from(micros).unwrap_or(u32::MAX),
        errno: 0,
        value: 0,
    };
    child::send(one.status.as_raw_fd(), &report, &[]);
}

/// Takes one order and answers it.
fn one(socket: RawFd) -> io::Result<Option<Hatched>> {
    let os = io::Error::from_raw_os_error;
    let mut bytes = [0u8; size_of::<Head>()];
    let mut received = [-1; MOST];
    let (length, count) =
        message::receive(socket, &mut bytes, &mut received, libc::MSG_DONTWAIT).map_err(os)?;
    let head = Head::read(&bytes[..length]).ok_or_else(|| os(libc::EPIPE))?;
    // SAFETY: the kernel has just made them for us.
    let received = received[..count]
        .iter()
        .map(|fd| unsafe { OwnedFd::from_raw_fd(*fd) });
    let mut answer = Answer {
        refused: 1,
        ..Answer::default()
    };
    let new = received
        .map(|fd| clear(fd).ok())
        .collect::<Option<Vec<_>>>()
        .and_then(|received| hatch(head, received, &mut answer));
    let told: Vec<RawFd> = new.iter().map(|new| new.pidfd.as_raw_fd()).collect();
    message::send(socket, answer.as_bytes(), &told).map_err(os)?;
    Ok(new)
}

/// Makes the process that was ordered; `None` where there is none, and the answer says why.
fn hatch(head: Head, received: Vec<OwnedFd>, answer: &mut Answer) -> Option<Hatched> {
    let mut received = received.into_iter();
    let mut file = File::from(received.next()?);
    let status = received.next()?;
    let mut bytes = Vec::with_capacity(head.length as usize);
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_to_end(&mut bytes).ok()?;
    let ordered = Ordered::unpack(&bytes)?;
    let mut given = |bit: u32| match head.present >> bit & 1 {
        0 => None,
        _ => received.next(),
    };
    let stdio = [given(0), given(1), given(2)];
    let channel = given(3);
    let network = match (given(4), ordered.cloned_network) {
        (_, true) => Network::Cloned,
        (Some(namespace), _) => Network::again(namespace),
        (None, _) => Network::New,
    };
    let unified = given(5);
    let mut entries = Vec::new();
    while let (Some(into), Some(home)) = (received.next(), received.next()) {
        entries.push(Entry::new(into.into(), home.into()));
    }
    let spaces = Spaces::detected();
    let mut walls = start::walls(
        &ordered.request,
        spaces,
        ordered.id,
        ordered.copy,
        true,
        network,
    )
    .ok()?;
    (walls.size, walls.inodes) = (ordered.size, ordered.inodes);
    let flags = spaces.flags(walls.without, &walls.network);
    let ends = Ends {
        status: status.as_raw_fd(),
        stdio: stdio
            .each_ref()
            .map(|fd| fd.as_ref().map(AsRawFd::as_raw_fd)),
        channel: channel.as_ref().map(AsRawFd::as_raw_fd),
    };
    let mut plan = start::plan(
        &ordered.request,
        Some(walls),
        &ends,
        ordered.rlimits,
        Session::New,
        ordered.ahead,
    )
    .ok()?;
    answer.refused = 0;
    let mut fork = |group: Option<RawFd>| {
        // SAFETY: this process has one thread; the child runs `child::main` alone.
        let cloned = unsafe { sys::clone3(flags, group) }?;
        if cloned.pid == 0 {
            child::main(&mut plan);
        }
        Ok(cloned)
    };
    let unified = unified.as_ref().map(AsRawFd::as_raw_fd);
    let joined = fork_within(&entries, unified, &mut fork);
    (answer.v1, answer.v2) = (joined.v1, joined.v2);
    match joined.cloned {
        Ok(cloned) => {
            answer.pid = cloned.pid;
            Some(Hatched {
                // SAFETY: the kernel has just made it for us.
                pidfd: unsafe { OwnedFd::from_raw_fd(cloned.pidfd) },
                status,
            })
        }
        Err(errno) => {
            answer.errno = errno;
            None
        }
    }
}
