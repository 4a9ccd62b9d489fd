//! Puts a snapshot in the place of an interpreter that has just been executed.

use std::io;
use std::ops::Range;

use libc::c_long;

use super::machine::{self, Call};
use super::maps::{self, Area, Kind, PAGE};
use super::tracee::{Stop, Tracee};
use super::{Frozen, at_exec, doubt};
use crate::supervise::Guest;

/// Where the list of system calls is put while it is carried out, if nothing else is there.
const PLACE: u64 = 0x2000_0000;

/// The end of what a process may map, on machines with the smallest address space.
const TOP: u64 = 0x7fff_ffff_f000;

/// Lets the program that is held in `guest` go on from the snapshot. After an error the process must
/// be ended: it is neither one thing nor the other.
pub(crate) fn thaw(guest: &mut Guest, frozen: &Frozen) -> io::Result<()> {
    let (main, mut tracee) = at_exec(guest)?;
    let fresh = tracee.registers()?;
    if machine::stack(&fresh) < frozen.ceiling {
        return Err(doubt("its arguments take up more room than there is"));
    }
    same_places(&maps::areas(main)?, frozen)?;
    let work = frozen.work()?;
    let size = work.length.next_multiple_of(PAGE);
    // The interpreter's own first instructions make way: all of it is mapped anew.
    tracee.write(machine::next(&fresh), machine::first())?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    let protection = (libc::PROT_READ | libc::PROT_EXEC) as u64;
    let arguments = [PLACE, size, protection, flags as u64, u64::MAX, 0];
    let first = machine::make_first(&fresh, libc::SYS_mmap, &arguments);
    step(&tracee, &first)?;
    if machine::result(&tracee.registers()?) as u64 != PLACE {
        return Err(doubt("there is no room for the list of calls"));
    }
    tracee.write(PLACE, &work.bytes)?;
    carry_out(&tracee, &fresh, work.layout)?;
    let mut open = Vec::new();
    for (address, range) in &frozen.pages {
        let bytes = &frozen.bytes[range.clone()];
        if frozen.is_writable(*address) {
            open.push((*address, bytes));
        } else {
            tracee.write(*address, bytes)?;
        }
    }
    tracee.write_all(&open)?;
    carry_out(&tracee, &fresh, work.state)?;
    tracee.set_vectors(&frozen.vectors)?;
    let last = machine::instead(&frozen.registers, libc::SYS_munmap, &[PLACE, size]);
    tracee.set_registers(&last)?;
    tracee.resume(libc::PTRACE_SINGLESTEP)?;
    tracee.expect(Stop::Signal(libc::SIGTRAP))?;
    if machine::result(&tracee.registers()?) != 0 {
        return Err(doubt("the list of calls stays"));
    }
    tracee.set_registers(&machine::again(&frozen.registers))?;
    tracee.release()
}

/// Runs the process from `registers` to its next trap.
fn step(tracee: &Tracee, registers: &machine::Registers) -> io::Result<()> {
    tracee.set_registers(registers)?;
    tracee.resume(libc::PTRACE_CONT)?;
    tracee.expect(Stop::Signal(libc::SIGTRAP))
}

fn carry_out(tracee: &Tracee, fresh: &machine::Registers, list: u64) -> io::Result<()> {
    step(tracee, &machine::make_all(fresh, PLACE, list))?;
    machine::outcome(&tracee.registers()?, PLACE, list)
        .map_err(|(index, gave)| doubt(format!("call {index} of its list gave {gave}")))
}

/// What the kernel has put into the new process must be where it was in the old one.
fn same_places(fresh: &[Area], frozen: &Frozen) -> io::Result<()> {
    let kernel = |areas: &[Area]| -> Vec<Range<u64>> {
        let areas = areas.iter().filter(|area| area.kind == Kind::Kernel);
        areas.map(|area| area.range.clone()).collect()
    };
    if kernel(fresh) != kernel(&frozen.areas) {
        return Err(doubt("its memory is laid out in another way"));
    }
    let stack = fresh.iter().find(|area| area.kind == Kind::Stack);
    let stack = stack.ok_or_else(|| doubt("it has no stack"))?;
    let lowest = frozen.pages.iter().map(|(address, _)| *address);
    let lowest = lowest
        .filter(|address| stack.range.end - address < 8 << 20)
        .min();
    if stack.range.end < frozen.ceiling || lowest.is_some_and(|lowest| lowest < stack.range.start) {
        return Err(doubt("its stack is smaller"));
    }
    Ok(())
}

/// The lists of calls as they are put into the process.
struct Work {
    bytes: Vec<u8>,
    length: u64,
    /// Address of the list that makes the mappings.
    layout: u64,
    /// Of that which sets what the kernel keeps for the process.
    state: u64,
}

/// Collects calls, and what they point to, for one place.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// A place below the process's stack, for results that nobody reads.
    pub(crate) scratch: u64,
}

impl Writer {
    fn put(&mut self, bytes: &[u8]) -> u64 {
        let at = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(at, 0);
        self.bytes.extend_from_slice(bytes);
        PLACE + at as u64
    }

    pub(crate) fn put_words(&mut self, words: &[u64]) -> u64 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.put(&bytes)
    }

    fn put_calls(&mut self, mut calls: Vec<Call>) -> u64 {
        calls.push(Call::END);
        let words: Vec<u64> = calls.iter().flat_map(|call| call.0).collect();
        self.put_words(&words)
    }
}

impl Frozen {
    /// Whether the process itself may write there.
    fn is_writable(&self, address: u64) -> bool {
        let mut areas = self.areas.iter();
        let area = areas.find(|area| area.range.contains(&address));
        area.is_some_and(|area| area.protection & libc::PROT_WRITE != 0)
    }

    fn work(&self) -> io::Result<Work> {
        let mut writer = Writer {
            bytes: Vec::new(),
            scratch: machine::stack(&self.registers) / PAGE * PAGE - PAGE,
        };
        writer.put(machine::walk());
        let layout = self.layout(&mut writer)?;
        let layout = writer.put_calls(layout);
        let state = self.state(&mut writer);
        let state = writer.put_calls(state);
        let length = writer.bytes.len() as u64;
        if length > 1 << 20 {
            return Err(doubt("it has too many mappings"));
        }
        Ok(Work {
            bytes: writer.bytes,
            length,
            layout,
            state,
        })
    }

    /// Calls that take away what `execve` has mapped and map what there was.
    fn layout(&self, writer: &mut Writer) -> io::Result<Vec<Call>> {
        let mut calls = Vec::new();
        let mut call = |number: c_long, arguments: &[u64], result| {
            calls.push(Call::new(number, arguments, result));
        };
        // All but the kernel's, the stack and this list.
        let kept = self.areas.iter();
        let kept = kept.filter(|area| matches!(area.kind, Kind::Kernel | Kind::Stack));
        let mut kept: Vec<Range<u64>> = kept.map(|area| area.range.clone()).collect();
        kept.push(PLACE..PLACE + (1 << 20));
        kept.sort_by_key(|range| range.start);
        let mut next = PAGE;
        for range in &kept {
            // The stack may have grown meanwhile, and below it nothing is mapped.
            let stack = self
                .areas
                .iter()
                .any(|area| area.kind == Kind::Stack && area.range == *range);
            if range.start > next && !stack && range.start < TOP {
                call(libc::SYS_munmap, &[next, range.start - next], 0);
            }
            next = next.max(range.end);
        }
        let highest = self.areas.iter().filter(|area| area.kind != Kind::Kernel);
        let stack = highest.clone().find(|area| area.kind == Kind::Stack);
        let stack = stack.ok_or_else(|| doubt("it has no stack"))?;
        let below = kept.iter().filter(|range| range.end <= stack.range.start);
        let below = below.map(|range| range.end).max().unwrap_or(PAGE);
        // Room for the stack to grow is left as it is.
        let gap = stack.range.end.saturating_sub(16 << 20).max(below);
        if below < gap {
            call(libc::SYS_munmap, &[below, gap - below], 0);
        }
        let heap = highest.clone().find(|area| area.kind == Kind::Heap);
        if heap.is_some() {
            call(libc::SYS_brk, &[self.brk], self.brk);
        }
        let mut open: Option<&str> = None;
        for area in highest {
            let Range { start, end } = area.range;
            if start < PLACE + (1 << 20) && PLACE < end {
                return Err(doubt("it has mapped the place of the list of calls"));
            }
            let protection = area.protection as u64;
            let fixed = libc::MAP_FIXED as u64;
            match &area.kind {
                Kind::Own => {
                    let flags = fixed | (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
                    let arguments = [start, end - start, protection, flags, u64::MAX, 0];
                    call(libc::SYS_mmap, &arguments, start);
                }
                Kind::File(path) => {
                    if open != Some(path) {
                        if open.is_some() {
                            call(libc::SYS_close, &[FILE], 0);
                        }
                        let mut name = path.as_bytes().to_vec();
                        name.push(0);
                        let name = writer.put(&name);
                        let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as u64;
                        let arguments = [libc::AT_FDCWD as u64, name, flags];
                        call(libc::SYS_openat, &arguments, FILE);
                        open = Some(path);
                    }
                    let kind = if area.shared {
                        libc::MAP_SHARED
                    } else {
                        libc::MAP_PRIVATE
                    };
                    let flags = fixed | kind as u64;
                    let arguments = [start, end - start, protection, flags, FILE, area.offset];
                    call(libc::SYS_mmap, &arguments, start);
                }
                Kind::Heap | Kind::Stack | Kind::Kernel => {}
            }
        }
        if open.is_some() {
            call(libc::SYS_close, &[FILE], 0);
        }
        Ok(calls)
    }

    /// Calls that give the process what the kernel keeps for it.
    fn state(&self, writer: &mut Writer) -> Vec<Call> {
        let mut calls = Vec::new();
        for (signal, action) in &self.actions {
            let action = writer.put_words(action);
            calls.push(Call::new(
                libc::SYS_rt_sigaction,
                &[*signal, action, 0, 8],
                0,
            ));
        }
        if self.mask != 0 {
            let mask = writer.put_words(&[self.mask]);
            let arguments = [libc::SIG_SETMASK as u64, mask, 0, 8];
            calls.push(Call::new(libc::SYS_rt_sigprocmask, &arguments, 0));
        }
        if self.alternate_stack[0] != 0 {
            let stack = writer.put_words(&self.alternate_stack);
            calls.push(Call::new(libc::SYS_sigaltstack, &[stack, 0], 0));
        }
        calls.extend(self.kept.calls(writer));
        // The second process of its namespace, as the first one was.
        calls.push(Call::new(libc::SYS_set_tid_address, &[self.thread], MAIN));
        if self.robust[0] != 0 {
            calls.push(Call::new(libc::SYS_set_robust_list, &self.robust, 0));
        }
        if self.rseq.pointer != 0 {
            let rseq = &self.rseq;
            let arguments = [rseq.pointer, rseq.size.into(), 0, rseq.signature.into()];
            calls.push(Call::new(libc::SYS_rseq, &arguments, 0));
        }
        calls
    }
}

/// The lowest descriptor that is free when a program starts.
const FILE: u64 = 3;

/// What the program's process is called inside.
const MAIN: u64 = 2;
