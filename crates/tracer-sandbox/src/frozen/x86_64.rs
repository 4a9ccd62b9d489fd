//! x86-64: registers at a system call, and the few instructions that carry
//! out a list of system calls inside another process. Does not talk to the kernel.

use std::arch::global_asm;

use libc::c_long;

use super::Call;

/// Registers of a stopped process, as `ptrace` gives them.
pub(crate) type Registers = libc::user_regs_struct;

/// Whether it is known here how an interpreter is frozen.
pub(crate) const KNOWN: bool = true;

unsafe extern "C" {
    static tracer_frozen_first: u8;
    static tracer_frozen_walk: u8;
    static tracer_frozen_done: u8;
    static tracer_frozen_end: u8;
}

// `first` makes the memory that `walk` and its list are put into; both end in a trap.
global_asm!(
    ".pushsection .rodata",
    ".globl tracer_frozen_first",
    ".globl tracer_frozen_walk",
    ".globl tracer_frozen_done",
    ".globl tracer_frozen_end",
    "tracer_frozen_first:",
    "mov rax, r15",
    "syscall",
    "int3",
    "tracer_frozen_walk:",
    "mov rax, [r12]",
    "cmp rax, -1",
    "je tracer_frozen_done",
    "mov rdi, [r12 + 8]",
    "mov rsi, [r12 + 16]",
    "mov rdx, [r12 + 24]",
    "mov r10, [r12 + 32]",
    "mov r8, [r12 + 40]",
    "mov r9, [r12 + 48]",
    "syscall",
    "cmp rax, [r12 + 56]",
    "jne tracer_frozen_wrong",
    "add r12, 64",
    "jmp tracer_frozen_walk",
    "tracer_frozen_done:",
    "int3",
    "tracer_frozen_wrong:",
    "int3",
    "tracer_frozen_end:",
    ".popsection",
);

/// Code between two marks.
///
/// # Safety
/// The marks are those of the text above, in their order.
unsafe fn between(start: *const u8, end: *const u8) -> &'static [u8] {
    // SAFETY: both lie in the same section, which is never written.
    unsafe { std::slice::from_raw_parts(start, end.offset_from(start) as usize) }
}

/// One system call whose number and arguments are in registers.
pub(crate) fn first() -> &'static [u8] {
    // SAFETY: in their order.
    unsafe {
        between(
            &raw const tracer_frozen_first,
            &raw const tracer_frozen_walk,
        )
    }
}

/// A list of system calls, up to its end or a wrong result.
pub(crate) fn walk() -> &'static [u8] {
    // SAFETY: in their order.
    unsafe { between(&raw const tracer_frozen_walk, &raw const tracer_frozen_end) }
}

/// Where in [`walk`] the process stands when its list was carried out: behind the trap.
fn done() -> u64 {
    // SAFETY: in their order.
    let before = unsafe { between(&raw const tracer_frozen_walk, &raw const tracer_frozen_done) };
    before.len() as u64 + 1
}

const SYSCALL_LENGTH: u64 = 2;

/// Number and arguments of the system call that a process is about to make.
pub(crate) fn call(registers: &Registers) -> (c_long, [u64; 6]) {
    let r = registers;
    (
        r.orig_rax as c_long,
        [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9],
    )
}

/// From a stop on the way into a system call: registers that make none.
pub(crate) fn without_call(stopped: &Registers) -> Registers {
    Registers {
        orig_rax: u64::MAX,
        ..*stopped
    }
}

/// The end of its stack.
pub(crate) fn stack(registers: &Registers) -> u64 {
    registers.rsp
}

/// Where its next instruction is.
pub(crate) fn next(registers: &Registers) -> u64 {
    registers.rip
}

/// What a system call gave.
pub(crate) fn result(registers: &Registers) -> i64 {
    registers.rax as i64
}

/// From a stop on the way into a system call: registers that make this call anew.
pub(crate) fn again(stopped: &Registers) -> Registers {
    let mut registers = *stopped;
    registers.rip -= SYSCALL_LENGTH;
    registers.rax = stopped.orig_rax;
    registers.orig_rax = u64::MAX; // not on the way into or out of one
    registers
}

/// From a stop on the way into a system call: registers that make another one from the same place.
pub(crate) fn instead(stopped: &Registers, number: c_long, arguments: &[u64]) -> Registers {
    let mut registers = again(stopped);
    registers.rax = number as u64;
    let places = [
        &mut registers.rdi,
        &mut registers.rsi,
        &mut registers.rdx,
        &mut registers.r10,
        &mut registers.r8,
        &mut registers.r9,
    ];
    for (place, value) in places.into_iter().zip(arguments) {
        *place = *value;
    }
    registers
}

/// Registers that carry out [`first`], which was put where the process stands. It may be on its way
/// out of `execve`, whose result the kernel is still to write.
pub(crate) fn make_first(stopped: &Registers, number: c_long, arguments: &[u64]) -> Registers {
    let mut registers = instead(stopped, number, arguments);
    registers.rip = stopped.rip;
    registers.r15 = number as u64;
    registers
}

/// Registers that carry out the list at `list` with [`walk`] at `code`.
pub(crate) fn make_all(stopped: &Registers, code: u64, list: u64) -> Registers {
    let mut registers = *stopped;
    registers.rip = code;
    registers.r12 = list;
    registers.orig_rax = u64::MAX;
    registers
}

/// Whether all of a list was carried out; else which call gave something else, and what.
pub(crate) fn outcome(registers: &Registers, code: u64, list: u64) -> Result<(), (u64, i64)> {
    if registers.rip == code + done() {
        Ok(())
    } else {
        let index = registers.r12.wrapping_sub(list) / size_of::<Call>() as u64;
        Err((index, registers.rax as i64))
    }
}

/// Which argument of a system call is a path, if one is.
pub(crate) fn path_argument(number: c_long) -> Option<usize> {
    Some(match number {
        libc::SYS_open
        | libc::SYS_stat
        | libc::SYS_lstat
        | libc::SYS_access
        | libc::SYS_readlink
        | libc::SYS_execve => 0,
        libc::SYS_openat
        | libc::SYS_openat2
        | libc::SYS_newfstatat
        | libc::SYS_statx
        | libc::SYS_faccessat
        | libc::SYS_faccessat2
        | libc::SYS_readlinkat => 1,
        _ => return None,
    })
}

/// The folder from which a system call with a path looks, as a descriptor; `None` for the current one.
pub(crate) fn folder(number: c_long, arguments: &[u64; 6]) -> Option<u64> {
    (path_argument(number) == Some(1)).then_some(arguments[0])
}
