//! Waiting: for time to pass and for descriptors to be ready.
#![expect(unsafe_code, reason = "the system call that waits for descriptors")]

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use wasmtime::{Caller, Linker};

use super::abi::{Errno, bytes, code, get32, get64, memory, put, put32};
use super::clock::nanoseconds;
use super::{MODULE, System};

/// Sizes of what is waited for, and of what happened.
const ASKED: u32 = 48;
const HAPPENED: u32 = 32;

/// Most things to wait for at once.
const MOST: u32 = 4096;

/// One thing that is waited for.
struct Wait {
    user: u64,
    kind: u8,
    what: What,
}

enum What {
    /// Until so much has passed.
    Time(Duration),
    /// Until a descriptor is ready, by its place among those polled.
    Ready(usize),
    /// It cannot be waited for.
    Refused(Errno),
}

pub(super) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    linker.func_wrap(
        MODULE,
        "poll_oneoff",
        |mut caller: Caller<'_, System>, asked: u32, out: u32, count: u32, many: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                if count == 0 || count > MOST {
                    return Err(Errno::INVAL);
                }
                bytes(memory, asked, count * ASKED)?;
                bytes(memory, out, count * HAPPENED)?;
                let mut polled = Vec::new();
                let waits: Vec<Wait> = (0..count)
                    .map(|index| read(memory, system, asked + index * ASKED, &mut polled))
                    .collect::<Result<_, _>>()?;
                let passed = wait(&waits, &mut polled)?;
                system.clock.pass(passed);
                let mut written = 0;
                for wait in &waits {
                    if let Some(event) = event(wait, passed, &polled) {
                        put(memory, out + written * HAPPENED, &event)?;
                        written += 1;
                    }
                }
                put32(memory, many, written)
            }))
        },
    )?;
    Ok(())
}

fn read(
    memory: &[u8],
    system: &mut System,
    at: u32,
    polled: &mut Vec<libc::pollfd>,
) -> Result<Wait, Errno> {
    let kind = bytes(memory, at + 8, 1)?[0];
    let what = match kind {
        0 => {
            let (which, until) = (get32(memory, at + 16)?, get64(memory, at + 24)?);
            let absolute = bytes(memory, at + 40, 1)?[0] & 1 != 0;
            let wanted = if absolute {
                until.saturating_sub(nanoseconds(system.clock.look(which)?))
            } else {
                until
            };
            What::Time(Duration::from_nanos(wanted))
        }
        1 | 2 => match system.files.get(get32(memory, at + 16)?) {
            Ok(open) => {
                polled.push(libc::pollfd {
                    fd: open.file.as_raw_fd(),
                    events: if kind == 1 {
                        libc::POLLIN
                    } else {
                        libc::POLLOUT
                    },
                    revents: 0,
                });
                What::Ready(polled.len() - 1)
            }
            Err(errno) => What::Refused(errno),
        },
        _ => return Err(Errno::NOTSUP),
    };
    let user = get64(memory, at)?;
    Ok(Wait { user, kind, what })
}

/// Waits for the first of them; the time that passed for the program.
fn wait(waits: &[Wait], polled: &mut [libc::pollfd]) -> Result<Duration, Errno> {
    if waits
        .iter()
        .any(|wait| matches!(wait.what, What::Refused(_)))
    {
        return Ok(Duration::ZERO);
    }
    let times = waits.iter().filter_map(|wait| match wait.what {
        What::Time(duration) => Some(duration),
        _ => None,
    });
    let longest = times.min();
    let begun = Instant::now();
    loop {
        let left = longest.map(|longest| longest.saturating_sub(begun.elapsed()));
        let time = left.map(|left| libc::timespec {
            tv_sec: left.as_secs().min(i64::MAX as u64) as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        });
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let many = polled.len() as libc::nfds_t;
        // SAFETY: list and time are ours.
        let ready = unsafe { libc::ppoll(polled.as_mut_ptr(), many, time, std::ptr::null()) };
        if ready > 0 {
            return Ok(begun.elapsed().min(longest.unwrap_or(Duration::MAX)));
        }
        if ready < 0 && Errno::last() != Errno::of_system(libc::EINTR) {
            return Err(Errno::last());
        }
        if let Some(longest) = longest.filter(|longest| begun.elapsed() >= *longest) {
            // What it asked for to the nanosecond, so that runs agree.
            return Ok(longest);
        }
    }
}

/// What happened, in the interface's form; `None` where nothing did.
fn event(wait: &Wait, passed: Duration, polled: &[libc::pollfd]) -> Option<[u8; 32]> {
    let errno = match wait.what {
        What::Time(duration) if duration <= passed => Errno(0),
        What::Ready(index) if polled[index].revents != 0 => Errno(0),
        What::Refused(errno) => errno,
        _ => return None,
    };
    let mut event = [0; HAPPENED as usize];
    event[0..8].copy_from_slice(&wait.user.to_le_bytes());
    event[8..10].copy_from_slice(&(errno.0 as u16).to_le_bytes());
    event[10] = wait.kind;
    if let What::Ready(index) = wait.what {
        // How much there is nobody needs to know: that there is some.
        event[16..24].copy_from_slice(&1u64.to_le_bytes());
        let hung = polled[index].revents & libc::POLLHUP != 0;
        event[24..26].copy_from_slice(&u16::from(hung).to_le_bytes());
    }
    Some(event)
}
