//! Pid 1 of the sandbox: starts the program, reaps what is left to it, and reports how the
//! program ended. Its own end takes every process of the sandbox with it.

use std::ffi::CStr;
use std::os::fd::RawFd;
use std::ptr;

use libc::{c_int, c_void, pid_t};

use crate::child::{Kind, Report, Step, send, wait_for_go};
use crate::job;
use crate::plan::{Command, Plan, Rlimit};
use crate::request::CHANNEL_FD;
use crate::seccomp;
use crate::sys::{self, Errno};
use crate::terminal::Session;
use crate::weaken::Wall;

type Failure = (Step, Errno);

/// Starts the program and waits for its end. Returns only if the start failed.
pub(crate) fn run(plan: &mut Plan) -> Result<(), Failure> {
    // Above the channel's number even if the limit is below; it is set last.
    let room = Rlimit {
        resource: libc::RLIMIT_NOFILE,
        value: CHANNEL_FD as u64 + 24,
    };
    let _ = set_limit(room, true);
    if let Some(walls) = &plan.walls
        && !walls.filter.is_empty()
    {
        seccomp::install(walls.filter).map_err(|errno| (Step::Seccomp, errno))?;
    }
    let command = if plan.ahead {
        job::receive(plan.status).map_err(|errno| (Step::Job, errno))?
    } else {
        plan.command()
    };
    // SAFETY: a string that lives as long as the process.
    let cwd = unsafe { CStr::from_ptr(command.cwd) };
    sys::chdir(cwd).map_err(|errno| (Step::WorkingFolder, errno))?;
    let mut stack = std::mem::take(&mut plan.stack);
    for _ in 0..plan.earlier {
        // SAFETY: as below; it ends at once.
        unsafe { sys::spawn(nothing, ptr::null_mut(), &mut stack) }
            .and_then(|_| sys::wait_any())
            .map_err(|errno| (Step::Fork, errno))?;
    }
    let both = (ptr::from_ref(plan), command);
    // SAFETY: this process has one thread; the plan and the stack outlive the call, since it
    // returns only when the child has executed a program or ended.
    let main = unsafe { sys::spawn(program, ptr::from_ref(&both).cast_mut().cast(), &mut stack) }
        .map_err(|errno| (Step::Fork, errno))?;
    plan.stack = stack; // never freed in this process
    keep_only(plan.status);
    wait(plan, main)
}

/// The entry of a process that only takes a number.
extern "C" fn nothing(_: *mut c_void) -> c_int {
    sys::exit(0)
}

/// The second child's entry.
extern "C" fn program(both: *mut c_void) -> c_int {
    // SAFETY: `run` passes its plan and command, and is held up while this uses them.
    let (plan, command) = unsafe {
        let (plan, command) = &*both.cast::<(*const Plan, Command)>();
        (&**plan, command)
    };
    let (step, errno) = become_program(plan, command);
    send(
        plan.status,
        &Report {
            kind: Kind::Failed,
            step,
            index: 0,
            errno,
            value: 0,
        },
        &[],
    );
    sys::exit(125)
}

/// In the second child: descriptors, session, limits, `execve`.
fn become_program(plan: &Plan, command: &Command) -> Failure {
    if plan.walls.is_none() {
        let _ = sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
    }
    if let Err(errno) = plan.session.enter() {
        return (Step::Terminal, errno);
    }
    for (target, source) in (0..).zip(command.stdio) {
        if let Some(source) = source
            && let Err(errno) = sys::dup2(source, target)
        {
            return (Step::Descriptors, errno);
        }
    }
    let channel = CHANNEL_FD as u32;
    let swept = match command.channel {
        _ if !plan.without.stands(Wall::Sweep) => Ok(()),
        Some(source) => sys::dup2(source, CHANNEL_FD)
            .and_then(|()| sys::close_range(3, channel - 1, true))
            .and_then(|()| sys::close_range(channel + 1, u32::MAX, true)),
        None => sys::close_range(3, u32::MAX, true),
    };
    if let Err(errno) = swept {
        return (Step::Descriptors, errno);
    }
    // SAFETY: the list lives as long as the process.
    for limit in unsafe { &*command.rlimits } {
        if let Err(errno) = set_limit(*limit, false) {
            return (Step::Limits, errno);
        }
    }
    if command.hold {
        let report = Report {
            kind: Kind::Held,
            step: Step::Exec,
            index: 0,
            errno: 0,
            value: 0,
        };
        send(plan.status, &report, &[]);
        wait_for_go(plan.status);
    }
    // SAFETY: the arrays are null-terminated and outlive the call.
    unsafe {
        libc::execve(command.program, command.arguments, command.environment);
    }
    (Step::Exec, sys::errno())
}

/// Sets the soft limit, and the hard one unless `soft_only`, no higher than the hard one now.
fn set_limit(limit: Rlimit, soft_only: bool) -> Result<(), Errno> {
    let mut current = libc::rlimit64 {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both pointers are valid or null.
    unsafe {
        if libc::prlimit64(0, limit.resource, ptr::null(), &mut current) != 0 {
            return Err(sys::errno());
        }
        let value = limit.value.min(current.rlim_max);
        let hard = if soft_only { current.rlim_max } else { value };
        let new = libc::rlimit64 {
            rlim_cur: value,
            rlim_max: hard,
        };
        if libc::prlimit64(0, limit.resource, &new, ptr::null_mut()) != 0 {
            return Err(sys::errno());
        }
    }
    Ok(())
}

/// Closes everything but the status socket, standard streams included: a pipe that init held
/// would never end.
fn keep_only(status: RawFd) {
    let status = status as u32;
    let _ = sys::close_range(0, status - 1, false);
    let _ = sys::close_range(status + 1, u32::MAX, false);
}

fn wait(plan: &Plan, main: pid_t) -> ! {
    let report = |kind, value| {
        send(
            plan.status,
            &Report {
                kind,
                step: Step::Exec,
                index: 0,
                errno: 0,
                value,
            },
            &[],
        );
    };
    let flags = if matches!(plan.session, Session::Foreground(_)) {
        libc::WUNTRACED
    } else {
        0
    };
    loop {
        let mut status: c_int = 0;
        // SAFETY: the out-pointer is valid.
        let pid = unsafe { libc::wait4(-1, &mut status, libc::__WALL | flags, ptr::null_mut()) };
        if pid < 0 {
            if sys::errno() == libc::EINTR {
                continue;
            }
            sys::exit(125);
        }
        if pid != main {
            continue;
        }
        if libc::WIFSTOPPED(status) {
            report(Kind::Stopped, main);
            continue;
        }
        report(Kind::Ended, status);
        if !plan.without.stands(Wall::KillThenDrain) {
            while sys::wait_any().is_ok() {}
        }
        if plan.walls.is_none() {
            reap_rest();
        }
        sys::exit(0); // in a pid namespace, the kernel now kills the rest
    }
}

/// Without a pid namespace: kills and reaps children until there are none, whatever they fork.
fn reap_rest() {
    loop {
        let mut list = [0u8; 4096];
        let path = c"/proc/thread-self/children";
        if let Ok(fd) = sys::open(libc::AT_FDCWD, path, libc::O_RDONLY, 0) {
            let length = sys::read(fd, &mut list).unwrap_or(0);
            sys::close(fd);
            for_each_number(&list[..length], |pid| {
                // SAFETY: a child of ours that was not reaped keeps its pid.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            });
        }
        // SAFETY: null pointers are allowed.
        if unsafe { libc::wait4(-1, ptr::null_mut(), libc::__WALL, ptr::null_mut()) } < 0
            && sys::errno() == libc::ECHILD
        {
            return;
        }
    }
}

/// Calls `act` for each number of a blank-separated list; a number cut off at the end is left.
fn for_each_number(list: &[u8], mut act: impl FnMut(pid_t)) {
    let mut number: pid_t = 0;
    for &byte in list {
        if byte.is_ascii_digit() {
            number = number
                .wrapping_mul(10)
                .wrapping_add(pid_t::from(byte - b'0'));
        } else {
            if number > 1 {
                act(number);
            }
            number = 0;
        }
    }
}
