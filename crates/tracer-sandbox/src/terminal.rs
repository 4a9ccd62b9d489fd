//! Which session and process group the program runs in, so that a terminal stays one.
//!
//! A program in the runner's own process group could kill the runner with `kill 0`, so it gets
//! a group of its own wherever job control allows.

use std::os::fd::RawFd;

use crate::request::{Request, Stdin, Stream};
use crate::sys::{Errno, errno};

/// Where the program stands towards the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// No stream is a terminal: a session of its own.
    New,
    /// It has the terminal to itself, as a shell's foreground job; the descriptor is the terminal.
    Foreground(RawFd),
    /// The terminal belongs to a whole pipeline: the runner's own group, as taking the terminal
    /// would stop the other end.
    Shared,
}

impl Session {
    /// Decides for `request`.
    pub(crate) fn of(request: &Request) -> Self {
        // SAFETY: plain integers.
        let terminal = |fd: RawFd| unsafe { libc::isatty(fd) == 1 };
        let stdin = matches!(request.stdin, Stdin::Inherit) && terminal(0);
        let stdout = request.stdout == Stream::Inherit && terminal(1);
        let stderr = request.stderr == Stream::Inherit && terminal(2);
        // SAFETY: plain integers.
        if stdin && !pipeline() && unsafe { libc::tcgetpgrp(0) == libc::getpgrp() } {
            Self::Foreground(0)
        } else if stdin || stdout || stderr {
            Self::Shared
        } else {
            Self::New
        }
    }

    /// Called in the program's process before it is executed. Allocates nothing.
    pub(crate) fn enter(self) -> Result<(), Errno> {
        // SAFETY: plain integers; a blocked SIGTTOU is what tcsetpgrp(3) asks for.
        let ok = unsafe {
            match self {
                Self::New => libc::setsid() >= 0,
                Self::Foreground(terminal) => {
                    libc::setpgid(0, 0) == 0 && set_foreground(terminal, libc::getpgrp())
                }
                Self::Shared => true,
            }
        };
        if ok { Ok(()) } else { Err(errno()) }
    }
}

/// Whether the runner's own output goes to another program, which may use the terminal as well.
fn pipeline() -> bool {
    // SAFETY: plain data, filled by the call.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        libc::fstat(1, &raw mut stat) == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFIFO
    }
}

/// Makes `group` the terminal's foreground group, from the foreground or not.
pub(crate) fn set_foreground(terminal: RawFd, group: libc::pid_t) -> bool {
    // SAFETY: the sets are initialised before use; raw calls, as the caller may be a forked child.
    unsafe {
        let blocked: u64 = 1 << (libc::SIGTTOU - 1);
        let mut before: u64 = 0;
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_BLOCK,
            &blocked,
            &mut before,
            8,
        );
        let done = libc::ioctl(terminal, libc::TIOCSPGRP, &group) == 0;
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &before,
            std::ptr::null_mut::<u64>(),
            8,
        );
        done
    }
}

/// Takes the terminal back when dropped, as a shell does after a job.
pub(crate) struct Reclaim(Option<RawFd>);

impl Reclaim {
    pub(crate) fn after(session: Session) -> Self {
        Self(match session {
            Session::Foreground(terminal) => Some(terminal),
            _ => None,
        })
    }

    /// Whether the program's stops have to be followed.
    pub(crate) fn follows(&self) -> bool {
        self.0.is_some()
    }

    /// The program was stopped by the terminal: stop with it, and hand the terminal back to it
    /// when the shell continues the runner.
    pub(crate) fn stop_with(&self, group: libc::pid_t) {
        let Some(terminal) = self.0 else { return };
        // SAFETY: plain integers; stopping oneself and continuing a child's group.
        unsafe {
            set_foreground(terminal, libc::getpgrp());
            libc::kill(0, libc::SIGSTOP);
            set_foreground(terminal, group);
            libc::kill(-group, libc::SIGCONT);
        }
    }
}

impl Drop for Reclaim {
    fn drop(&mut self) {
        if let Some(terminal) = self.0 {
            // SAFETY: plain integer.
            set_foreground(terminal, unsafe { libc::getpgrp() });
        }
    }
}
