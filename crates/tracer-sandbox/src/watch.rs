//! A copy of this process that works in its place, and is watched.
//!
//! What a strange file makes a library do may end a whole process: a fault in a parser, a stack that
//! overflows, memory that is refused. The watcher only waits, passes signals on, and says how the
//! other ended. Does not know what the work is, nor whether it is to be begun again.

use std::io;
use std::mem::MaybeUninit;

use crate::sys;

/// How a process that worked in this one's place ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(u8),
    /// By this signal.
    Killed(i32),
}

/// Which of the two processes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that is to do the work. It ends with the watcher.
    Worker,
    /// The watcher; the worker has ended.
    Watcher(Ended),
}

/// Signals that ask for an end: the worker is to hear them.
const PASSED_ON: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// Forks. Returns at once in the copy, and in this process when the copy has ended. An error where
/// there is no copy: this process has other threads, which a copy would not have, or the kernel
/// refuses.
pub fn watch() -> io::Result<Side> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        let said = format!("a process of {threads} threads cannot be copied");
        return Err(io::Error::other(said));
    }
    let watcher = std::process::id();
    let heard = set(PASSED_ON.iter().chain(&[libc::SIGCHLD]));
    let mut before = MaybeUninit::uninit();
    // SAFETY: both sets are this frame's.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const heard, before.as_mut_ptr()) };
    // SAFETY: the call above has written it.
    let before = unsafe { before.assume_init() };
    // SAFETY: the only thread there is; the copy may do all that this process may.
    let worker = unsafe { libc::fork() };
    let side = match worker {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let _ = sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
            // SAFETY: plain call.
            if unsafe { libc::getppid() } as u32 != watcher {
                std::process::exit(i32::from(u8::MAX)); // it has ended in the meantime
            }
            Ok(Side::Worker)
        }
        worker => wait(worker, &heard).map(Side::Watcher),
    };
    // SAFETY: the set is this frame's.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    side
}

fn set<'a>(signals: impl IntoIterator<Item = &'a libc::c_int>) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: it is this frame's.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: it was made above, and the number is a signal's.
        unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
    }
    // SAFETY: made above.
    unsafe { set.assume_init() }
}

fn wait(worker: libc::pid_t, heard: &libc::sigset_t) -> io::Result<Ended> {
    loop {
        let mut status = 0;
        // SAFETY: the status is this frame's.
        match unsafe { libc::waitpid(worker, &raw mut status, libc::WNOHANG) } {
            0 => {}
            -1 => return Err(io::Error::last_os_error()),
            _ if libc::WIFEXITED(status) => {
                return Ok(Ended::Exited(libc::WEXITSTATUS(status) as u8));
            }
            _ if libc::WIFSIGNALED(status) => return Ok(Ended::Killed(libc::WTERMSIG(status))),
            _ => continue,
        }
        let mut about = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: both are this frame's or the caller's. All signals of the set are blocked.
        let signal = unsafe { libc::sigwaitinfo(heard, about.as_mut_ptr()) };
        // SAFETY: zeroed, or written by the call.
        let about = unsafe { about.assume_init() };
        // What the terminal sends goes to the whole group: the worker has it already.
        let to_both = about.si_code == libc::SI_KERNEL;
        if PASSED_ON.contains(&signal) && !to_both {
            // SAFETY: plain call; the worker is not waited for yet, so the number is its own.
            unsafe { libc::kill(worker, signal) };
        }
    }
}
