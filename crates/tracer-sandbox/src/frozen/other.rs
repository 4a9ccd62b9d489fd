//! Processors for which nobody has written down how it is done: no interpreter is frozen there, and
//! each run starts one.

use libc::c_long;

use super::Call;

pub(crate) type Registers = libc::user_regs_struct;

pub(crate) const KNOWN: bool = false;

pub(crate) fn first() -> &'static [u8] {
    &[]
}

pub(crate) fn walk() -> &'static [u8] {
    &[]
}

pub(crate) fn call(_: &Registers) -> (c_long, [u64; 6]) {
    (-1, [0; 6])
}

pub(crate) fn without_call(stopped: &Registers) -> Registers {
    *stopped
}

pub(crate) fn stack(_: &Registers) -> u64 {
    0
}

pub(crate) fn next(_: &Registers) -> u64 {
    0
}

pub(crate) fn result(_: &Registers) -> i64 {
    -1
}

pub(crate) fn again(stopped: &Registers) -> Registers {
    *stopped
}

pub(crate) fn instead(stopped: &Registers, _: c_long, _: &[u64]) -> Registers {
    *stopped
}

pub(crate) fn make_first(stopped: &Registers, _: c_long, _: &[u64]) -> Registers {
    *stopped
}

pub(crate) fn make_all(stopped: &Registers, _: u64, _: u64) -> Registers {
    *stopped
}

pub(crate) fn outcome(_: &Registers, _: u64, _: u64) -> Result<(), (u64, i64)> {
    Err((0, -1))
}

pub(crate) fn path_argument(_: c_long) -> Option<usize> {
    None
}

pub(crate) fn folder(_: c_long, _: &[u64; 6]) -> Option<u64> {
    None
}
