//! Numbers and memory of the interface: error codes, and reading and writing the module's memory
//! within its bounds.

use std::fmt;

use wasmtime::{Caller, Extern};

use super::System;

/// An error code of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

impl Errno {
    pub(crate) const BADF: Self = Self(8);
    pub(crate) const FAULT: Self = Self(21);
    pub(crate) const INVAL: Self = Self(28);
    pub(crate) const IO: Self = Self(29);
    pub(crate) const MFILE: Self = Self(33);
    pub(crate) const NAMETOOLONG: Self = Self(37);
    pub(crate) const NOENT: Self = Self(44);
    pub(crate) const NOTDIR: Self = Self(54);
    pub(crate) const NOTSOCK: Self = Self(57);
    pub(crate) const NOTSUP: Self = Self(58);
    pub(crate) const NOTCAPABLE: Self = Self(76);

    /// The code for the kernel's.
    pub(crate) fn of_system(code: i32) -> Self {
        let pairs = [
            (libc::E2BIG, 1),
            (libc::EACCES, 2),
            (libc::EAGAIN, 6),
            (libc::EBADF, 8),
            (libc::EBUSY, 10),
            (libc::EDQUOT, 19),
            (libc::EEXIST, 20),
            (libc::EFAULT, 21),
            (libc::EFBIG, 22),
            (libc::EILSEQ, 25),
            (libc::EINTR, 27),
            (libc::EINVAL, 28),
            (libc::EIO, 29),
            (libc::EISDIR, 31),
            (libc::ELOOP, 32),
            (libc::EMFILE, 33),
            (libc::EMLINK, 34),
            (libc::ENAMETOOLONG, 37),
            (libc::ENFILE, 41),
            (libc::ENODEV, 43),
            (libc::ENOENT, 44),
            (libc::ENOMEM, 48),
            (libc::ENOSPC, 51),
            (libc::ENOSYS, 52),
            (libc::ENOTDIR, 54),
            (libc::ENOTEMPTY, 55),
            (libc::ENOTSUP, 58),
            (libc::ENOTTY, 59),
            (libc::ENXIO, 60),
            (libc::EOVERFLOW, 61),
            (libc::EPERM, 63),
            (libc::EPIPE, 64),
            (libc::EROFS, 69),
            (libc::ESPIPE, 70),
            (libc::ETXTBSY, 74),
            // A path that leaves its folder, too.
            (libc::EXDEV, 76),
        ];
        let found = pairs.iter().find(|(system, _)| *system == code);
        found.map_or(Self::IO, |(_, own)| Self(*own))
    }

    /// The code of the last failed call.
    pub(crate) fn last() -> Self {
        Self::of_system(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }
}

/// A result as the interface gives it: zero or a code.
pub(crate) fn code(result: Result<(), Errno>) -> i32 {
    result.err().map_or(0, |errno| errno.0)
}

/// The module asked for its own end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Exit {}

/// The module's memory, and what it has of the system.
pub(crate) fn memory<'a>(
    caller: &'a mut Caller<'_, System>,
) -> Result<(&'a mut [u8], &'a mut System), Errno> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory.data_and_store_mut(caller)),
        _ => Err(Errno::FAULT),
    }
}

/// Bytes of the module's memory.
pub(crate) fn bytes(memory: &[u8], at: u32, length: u32) -> Result<&[u8], Errno> {
    let at = at as usize;
    memory.get(at..at + length as usize).ok_or(Errno::FAULT)
}

/// The same, to be written.
pub(crate) fn bytes_mut(memory: &mut [u8], at: u32, length: u32) -> Result<&mut [u8], Errno> {
    let at = at as usize;
    memory.get_mut(at..at + length as usize).ok_or(Errno::FAULT)
}

/// Writes bytes into the module's memory.
pub(crate) fn put(memory: &mut [u8], at: u32, what: &[u8]) -> Result<(), Errno> {
    bytes_mut(memory, at, what.len() as u32)?.copy_from_slice(what);
    Ok(())
}

pub(crate) fn put32(memory: &mut [u8], at: u32, value: u32) -> Result<(), Errno> {
    put(memory, at, &value.to_le_bytes())
}

pub(crate) fn put64(memory: &mut [u8], at: u32, value: u64) -> Result<(), Errno> {
    put(memory, at, &value.to_le_bytes())
}

pub(crate) fn get32(memory: &[u8], at: u32) -> Result<u32, Errno> {
    let mut word = [0; 4];
    word.copy_from_slice(bytes(memory, at, 4)?);
    Ok(u32::from_le_bytes(word))
}

pub(crate) fn get64(memory: &[u8], at: u32) -> Result<u64, Errno> {
    let mut word = [0; 8];
    word.copy_from_slice(bytes(memory, at, 8)?);
    Ok(u64::from_le_bytes(word))
}

/// The pieces that a gathering read or write names, as ranges within the memory's bounds.
pub(crate) fn pieces(memory: &[u8], at: u32, count: u32) -> Result<Vec<(u32, u32)>, Errno> {
    /// As many as the kernel takes.
    const MOST: u32 = 1024;
    (0..count.min(MOST))
        .map(|index| {
            let entry = at.checked_add(index * 8).ok_or(Errno::FAULT)?;
            let piece = (get32(memory, entry)?, get32(memory, entry + 4)?);
            bytes(memory, piece.0, piece.1)?;
            Ok(piece)
        })
        .collect()
}
