//! What differs between processors, and what a list of system calls is made of.

use libc::c_long;

#[cfg(not(target_arch = "x86_64"))]
#[path = "other.rs"]
mod this;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod this;

pub(crate) use this::*;

/// One system call of a list: number, six arguments, and the only result that is right.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call(pub(crate) [u64; 8]);

impl Call {
    pub(crate) fn new(number: c_long, arguments: &[u64], result: u64) -> Self {
        let mut words = [0; 8];
        words[0] = number as u64;
        words[1..=arguments.len()].copy_from_slice(arguments);
        words[7] = result;
        Self(words)
    }

    /// Ends a list.
    pub(crate) const END: Self = Self([u64::MAX; 8]);
}
