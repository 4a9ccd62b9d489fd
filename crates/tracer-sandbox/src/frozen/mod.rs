//! Interpreters that have started once and stand still: each run begins where one left off.
//!
//! An interpreter is started in a sandbox of its own and held by `ptrace` at the first system call
//! that names the program it is to run. Its memory, registers and what the kernel keeps for it are
//! copied out, and it is killed: nothing of it lives on that a run could reach. A run executes the
//! same interpreter, with its own arguments and environment, in its own fresh sandbox, behind every
//! wall; before its first instruction that memory is put in place, by system calls of the process
//! itself. So a snapshot, whatever it holds, can do no more than the program that is run.
//!
//! Where anything is not as it should be there is no snapshot, or it is not used, and the run starts
//! cold. Does not decide what is run where: that is the pool's.

mod kept;
mod machine;
mod maps;
mod memory;
mod seen;
mod store;
mod thaw;
mod tracee;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::request::Request;
use crate::supervise::Guest;
pub(crate) use store::{Offer, Store};
pub(crate) use thaw::thaw;

use kept::Kept;
use machine::Registers;
use maps::{Area, Kind, PAGE};
use memory::Memory;
use seen::{Host, Look, Seen};
use tracee::{Rseq, Stop, Tracee};

/// The variable that keeps the top of the first interpreter's stack free, for the arguments and
/// environment of later ones. None of them sees it.
pub(crate) const ROOM_NAME: &str = "TRACER_ROOM";

/// Bytes of that room.
pub(crate) const ROOM: usize = 16 << 10;

/// System calls after which an interpreter has not asked for its program.
const PATIENCE: usize = 200_000;

/// Bytes below the stack pointer that are in use.
const RED_ZONE: u64 = 128;

/// A signal's disposition as `rt_sigaction` gives it: handler, flags, restorer, mask.
type Action = [u64; 4];

/// What an interpreter was when it asked for its program.
#[derive(Debug)]
pub(crate) struct Frozen {
    areas: Vec<Area>,
    /// What it has written: where, and where that lies in `bytes`.
    pages: Vec<(u64, Range<usize>)>,
    bytes: Memory,
    /// Above is the first one's own block of arguments.
    ceiling: u64,
    registers: Registers,
    vectors: Vec<u8>,
    brk: u64,
    actions: Vec<(u64, Action)>,
    mask: u64,
    alternate_stack: [u64; 3],
    robust: [u64; 2],
    thread: u64,
    rseq: Rseq,
    kept: Kept,
    seen: Vec<Seen>,
    host: Host,
}

fn doubt(text: impl Into<String>) -> io::Error {
    io::Error::other(text.into())
}

/// The first process of a program, as the runner sees it, held before it executes it.
fn held(guest: &mut Guest) -> io::Result<libc::pid_t> {
    guest.hold()?;
    let [main] = crate::meter::children(guest.pid)[..] else {
        return Err(doubt("the program's process is not to be found"));
    };
    Ok(main)
}

/// Takes hold of the program and lets it execute: it stands before its first instruction.
fn at_exec(guest: &mut Guest) -> io::Result<(libc::pid_t, Tracee)> {
    let main = held(guest)?;
    let tracee = Tracee::seize(main)
        .map_err(|error| doubt(format!("its process cannot be held by ptrace: {error}")))?;
    guest.go();
    tracee.expect(Stop::Exec)?;
    Ok((main, tracee))
}

/// Freezes the interpreter that is held in `guest` where it first names `at`.
pub(crate) fn freeze(guest: &mut Guest, request: &Request, at: &Path) -> io::Result<Frozen> {
    if !machine::KNOWN {
        return Err(doubt("it is not known how that is done on this processor"));
    }
    let (main, mut tracee) = at_exec(guest)?;
    let (ceiling, after) = take_room(&mut tracee)?;
    let looked = run_up_to(&mut tracee, &request.cwd, at)?;
    let mut seen = Vec::new();
    let mut host = Host::default();
    for path in looked {
        match Seen::of(request, &path) {
            Look::Seen(known) => seen.push(known),
            Look::Own => {
                let path = path.display();
                return Err(doubt(format!("it looked at {path} before its program")));
            }
            Look::Elsewhere if request.image.is_none() => host.note(path),
            Look::Elsewhere => {}
        }
    }
    let kept = Kept::of(main)?;
    let stopped = tracee.registers()?;
    let areas = maps::areas(main)?;
    if request.image.is_none() {
        for area in &areas {
            if let Kind::File(path) = &area.kind {
                host.note(path.into());
            }
        }
    }
    let stack = machine::stack(&stopped) - RED_ZONE;
    if after < stack || ceiling < after {
        return Err(doubt("its stack is not where it was"));
    }
    let (pages, bytes) = contents(main, &mut tracee, &areas, stack / PAGE * PAGE..ceiling)?;
    let vectors = tracee.vectors()?;
    let rseq = tracee.rseq().unwrap_or_default();
    let mut robust = [0u64; 2];
    // SAFETY: both out-pointers are valid.
    let known = unsafe {
        let [head, length] = &mut robust;
        libc::syscall(libc::SYS_get_robust_list, main, head, length)
    };
    if known != 0 {
        return Err(io::Error::last_os_error());
    }
    // From here on its memory is scratch.
    tracee.set_registers(&machine::without_call(&stopped))?;
    tracee.resume(libc::PTRACE_SYSCALL)?;
    tracee.expect(Stop::Call)?;
    let scratch = stack / PAGE * PAGE - 2 * PAGE;
    let call = |number, arguments: &[u64]| tracee.call(&stopped, number, arguments);
    let brk = call(libc::SYS_brk, &[0])? as u64;
    let mut wanted = Vec::new();
    for signal in 1..=64u64 {
        let place = scratch + signal * 32;
        if call(libc::SYS_rt_sigaction, &[signal, 0, place, 8])? == 0 {
            wanted.push((signal, place));
        }
    }
    let fail = |what: &str, result| match result {
        0 => Ok(()),
        _ => Err(doubt(what)),
    };
    let mask = scratch;
    let ask = libc::SYS_rt_sigprocmask;
    fail("its signal mask", call(ask, &[0, 0, mask, 8])?)?;
    let alternate = scratch + 8;
    fail(
        "its signal stack",
        call(libc::SYS_sigaltstack, &[0, alternate])?,
    )?;
    let thread = scratch - PAGE;
    let ask = [libc::PR_GET_TID_ADDRESS as u64, thread];
    fail("its thread's address", call(libc::SYS_prctl, &ask)?)?;
    let timers = scratch - 2 * PAGE;
    for timer in 0..3 {
        fail(
            "its timers",
            call(libc::SYS_getitimer, &[timer, timers + timer * 32])?,
        )?;
    }
    for timer in 0..kept.timers() {
        let place = timers + 96 + timer * 32;
        fail(
            "its timers",
            call(libc::SYS_timer_gettime, &[timer, place])?,
        )?;
    }
    if tracee
        .words(timers, 12 + 4 * kept.timers() as usize)?
        .iter()
        .any(|&word| word != 0)
    {
        return Err(doubt("it has set a timer"));
    }
    let mut actions = Vec::new();
    for (signal, place) in wanted {
        let words = tracee.words(place, 4)?;
        let action: Action = [words[0], words[1], words[2], words[3]];
        if action[0] != libc::SIG_DFL as u64 {
            actions.push((signal, action));
        }
    }
    let alternate = tracee.words(alternate, 3)?;
    Ok(Frozen {
        mask: tracee.words(mask, 1)?[0],
        thread: tracee.words(thread, 1)?[0],
        alternate_stack: [alternate[0], alternate[1], alternate[2]],
        areas,
        pages,
        bytes: Memory::of(&bytes)?,
        ceiling,
        registers: stopped,
        vectors,
        brk,
        actions,
        robust,
        rseq,
        kept,
        seen,
        host,
    })
}

impl Frozen {
    /// Whether it stands for `request` too, as far as files go: everything that it looked at before
    /// its program is the same.
    pub(crate) fn fits(&self, request: &Request) -> bool {
        self.seen.iter().all(|seen| seen.holds(request)) && self.host.holds()
    }

    /// Bytes of memory it takes up.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Takes the last variable, which is there for its size alone, out of the environment on the stack.
/// Gives where it starts, and where the block of arguments does.
fn take_room(tracee: &mut Tracee) -> io::Result<(u64, u64)> {
    let start = machine::stack(&tracee.registers()?);
    let count = tracee.words(start, 1)?[0];
    let environment = start + 8 * (count + 2);
    let words = tracee.words(environment, 4096 / 8)?;
    let end = words.iter().position(|&word| word == 0);
    let end = end.ok_or_else(|| doubt("its environment does not end"))?;
    // Behind it the kernel's vector of pairs, which ends in a pair of nulls.
    let pairs = words[end + 1..].chunks_exact(2);
    let vector = pairs.take_while(|pair| pair[0] != 0).count() * 2 + 2;
    let last = end.checked_sub(1).map(|last| words[last]);
    let last = last.ok_or_else(|| doubt("its environment is empty"))?;
    let name = tracee.text(last).unwrap_or_default();
    if !name.starts_with(ROOM_NAME.as_bytes()) || words.len() < end + 1 + vector {
        return Err(doubt("its environment is not what it was given"));
    }
    let moved: Vec<u8> = words[end..end + 1 + vector]
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    tracee.write(environment + 8 * (end as u64 - 1), &moved)?;
    Ok((last, start))
}

/// Lets it run to where it names `at`. Gives what it looked at on the way.
fn run_up_to(tracee: &mut Tracee, cwd: &Path, at: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let at = cwd.join(at);
    let mut looked = BTreeSet::new();
    let mut inward = true; // the first stop is on the way out of `execve`
    for _ in 0..2 * PATIENCE {
        tracee.resume(libc::PTRACE_SYSCALL)?;
        match tracee.wait()? {
            Stop::Call => {}
            stop => return Err(doubt(format!("{stop:?} before its program"))),
        }
        inward = !inward;
        if inward {
            let registers = tracee.registers()?;
            let (number, arguments) = machine::call(&registers);
            if let Some(index) = machine::path_argument(number)
                && let Some(text) = tracee.text(arguments[index])
            {
                let path = Path::new(std::ffi::OsStr::from_bytes(&text));
                if number == libc::SYS_execve {
                    return Err(doubt("it executes another program"));
                }
                let here = machine::folder(number, &arguments)
                    .is_none_or(|folder| folder as i32 == libc::AT_FDCWD || path.is_absolute());
                if text.is_empty() {
                    continue; // what a descriptor stands for
                }
                if !here || path.starts_with("/proc/self/cwd") {
                    let path = path.display();
                    return Err(doubt(format!("it looked at {path} before its program")));
                }
                let path = cwd.join(path);
                if path == at {
                    return Ok(looked);
                }
                looked.insert(path);
            }
        }
    }
    Err(doubt(format!("it does not ask for {}", at.display())))
}

type Contents = (Vec<(u64, Range<usize>)>, Vec<u8>);

/// Copies out what the process has written: of its stack what is in `stack` alone.
fn contents(
    main: libc::pid_t,
    tracee: &mut Tracee,
    areas: &[Area],
    stack: Range<u64>,
) -> io::Result<Contents> {
    let pagemap = File::open(format!("/proc/{main}/pagemap"))?;
    let (mut pages, mut bytes) = (Vec::new(), Vec::new());
    for area in areas.iter().filter(|area| !area.shared) {
        let runs = match area.kind {
            Kind::Kernel => continue,
            Kind::Stack => std::iter::once(stack.clone()).collect(),
            _ => maps::written(&pagemap, &area.range)?,
        };
        for run in runs {
            let from = bytes.len();
            bytes.resize(from + (run.end - run.start) as usize, 0);
            tracee.read(run.start, &mut bytes[from..])?;
            pages.push((run.start, from..bytes.len()));
        }
    }
    Ok((pages, bytes))
}
