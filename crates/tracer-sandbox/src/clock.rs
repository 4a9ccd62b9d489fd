//! A clock of the program's own: a time namespace in which the machine has been up for as long as
//! in every other run. The wall clock is the machine's: the kernel has no namespace for it.

use std::os::fd::RawFd;

use crate::sys::{self, SysResult};

const CLONE_NEWTIME: i32 = 0x80;

/// Moves what this process starts into a time namespace. Needs the capabilities of the user
/// namespace, and the host's `/proc`.
pub(crate) fn enter(proc: RawFd, uptime: u32) -> SysResult<()> {
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
        line.number(i64::from(uptime) - now.tv_sec);
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

/// Room for the process that [`trial`] starts.
pub(crate) const TRIAL_STACK: usize = 16 << 10;

/// Moves this process, which is there for nothing else, into a time namespace and starts another by
/// `vfork`, which kernels before 6.1 refuse then. Allocates nothing.
pub(crate) fn trial(stack: &mut [u8]) -> SysResult<()> {
    extern "C" fn nothing(_: *mut libc::c_void) -> libc::c_int {
        sys::exit(0)
    }
    sys::unshare(CLONE_NEWTIME)?;
    // SAFETY: the process has one thread, and the stack outlives the call.
    unsafe { sys::spawn(nothing, std::ptr::null_mut(), stack) }.map(drop)
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
