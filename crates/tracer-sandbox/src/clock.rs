//! A clock of the program's own: a time namespace in which the machine has been up for as long as
//! in every other run. The wall clock is the machine's: the kernel has no namespace for it.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::sys::{self, Errno, SysResult};

const CLONE_NEWTIME: i32 = 0x80;

/// What the monotonic clocks say when a program starts, in seconds.
const UPTIME: i64 = 1000;

/// Moves what this process starts into a time namespace. Needs the capabilities of the user
/// namespace, and the host's `/proc`.
pub(crate) fn enter(proc: RawFd) -> SysResult<()> {
    sys::unshare(CLONE_NEWTIME)?;
    for (name, clock) in [
        (&b"monotonic "[..], libc::CLOCK_MONOTONIC),
        (b"boottime ", libc::CLOCK_BOOTTIME),
    ] {
        let mut now = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a valid structure.
        if unsafe { libc::clock_gettime(clock, &mut now) } != 0 {
            return Err(sys::errno());
        }
        let mut line = Line::new();
        line.push(name);
        line.number(UPTIME - now.tv_sec);
        line.push(b" 0\n");
        sys::write_file(proc, c"self/timens_offsets", line.bytes())?;
    }
    Ok(())
}

/// Text made without allocating.
struct Line {
    text: [u8; 48],
    length: usize,
}

impl Line {
    const fn new() -> Self {
        Self {
            text: [0; 48],
            length: 0,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.text[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    fn number(&mut self, value: i64) {
        if value < 0 {
            self.push(b"-");
        }
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }

    fn bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

/// Whether a process here can be moved into a time namespace and then start a program by `vfork`,
/// which kernels before 6.1 refuse.
pub(crate) fn trial(user: i32) -> Result<(), Errno> {
    extern "C" fn nothing(_: *mut libc::c_void) -> libc::c_int {
        sys::exit(0)
    }
    let mut stack = vec![0u8; 16 << 10];
    // SAFETY: the child makes system calls alone, on memory of its own.
    let child = unsafe { sys::clone3(user as u64, None) }?;
    if child.pid == 0 {
        let moved = sys::unshare(CLONE_NEWTIME)
            // SAFETY: one thread, and the stack outlives the call.
            .and_then(|()| unsafe { sys::spawn(nothing, std::ptr::null_mut(), &mut stack) });
        sys::exit(moved.err().unwrap_or(0));
    }
    // SAFETY: the kernel has just made it for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(child.pidfd) };
    let (info, _) = sys::wait_pidfd(pidfd.as_raw_fd())?;
    // SAFETY: the fields of an ended child.
    match unsafe { info.si_status() } {
        0 => Ok(()),
        errno => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_allocating() {
        for value in [0, 7, -12, i64::MAX, i64::MIN] {
            let mut line = Line::new();
            line.number(value);
            assert_eq!(line.bytes(), value.to_string().as_bytes());
        }
    }
}
