//! The folders that a module was given, and listing folders.
//!
//! A listing is taken whole when it begins, and sorted: in which order a file system keeps names
//! is no business of a program whose runs must agree.
#![expect(unsafe_code, reason = "listing a folder by its descriptor")]

use std::ffi::CStr;
use std::os::fd::{AsRawFd, RawFd};

use wasmtime::{Caller, Linker};

use super::abi::{Errno, bytes_mut, code, memory, put, put32};
use super::files::{DIRECTORY, stat};
use super::{MODULE, System};

/// Size of an entry's head.
const HEAD: usize = 24;

pub(super) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    linker.func_wrap(
        MODULE,
        "fd_prestat_get",
        |mut caller: Caller<'_, System>, fd: u32, at: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let name = system.files.get(fd)?.preopen.as_ref().ok_or(Errno::BADF)?;
                put32(memory, at, 0)?;
                put32(
                    memory,
                    at.checked_add(4).ok_or(Errno::FAULT)?,
                    name.len() as u32,
                )
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_prestat_dir_name",
        |mut caller: Caller<'_, System>, fd: u32, at: u32, length: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let name = system.files.get(fd)?.preopen.as_ref().ok_or(Errno::BADF)?;
                let name = name.as_encoded_bytes();
                if name.len() > length as usize {
                    return Err(Errno::NAMETOOLONG);
                }
                put(memory, at, name)
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_readdir",
        |mut caller: Caller<'_, System>, fd: u32, at: u32, room: u32, cookie: u64, used: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let buffer = bytes_mut(memory, at, room)?;
                let filled = list(system, fd, buffer, cookie)?;
                put32(memory, used, filled as u32)
            }))
        },
    )?;
    Ok(())
}

/// Fills the buffer with entries from the `cookie`th on; the last may be cut.
fn list(system: &mut System, fd: u32, buffer: &mut [u8], cookie: u64) -> Result<usize, Errno> {
    let open = system.files.get_mut(fd)?;
    if cookie == 0 {
        open.entries = entries(open.file.as_raw_fd())?;
    }
    let mut filled = 0;
    let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
    for (index, (name, number, kind)) in open.entries.iter().enumerate().skip(skipped) {
        let mut entry = vec![0; HEAD];
        entry[0..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
        entry[8..16].copy_from_slice(&number.to_le_bytes());
        entry[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
        entry[20] = *kind;
        entry.extend(name);
        let part = entry.len().min(buffer.len() - filled);
        buffer[filled..filled + part].copy_from_slice(&entry[..part]);
        filled += part;
        if filled == buffer.len() {
            break;
        }
    }
    Ok(filled)
}

/// All entries of a folder, sorted: name, number, type.
fn entries(folder: RawFd) -> Result<Vec<(Vec<u8>, u64, u8)>, Errno> {
    let own = stat(folder)?.st_ino;
    let mut entries = vec![
        (b".".to_vec(), own, DIRECTORY),
        (b"..".to_vec(), own, DIRECTORY),
    ];
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a plain call; the new descriptor has a position of its own.
    let fresh = unsafe { libc::openat(folder, c".".as_ptr(), flags) };
    if fresh < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the stream takes the descriptor over, and is closed below.
    let stream = unsafe { libc::fdopendir(fresh) };
    if stream.is_null() {
        return Err(Errno::last());
    }
    // SAFETY: the stream is open; the entry is read before the next call.
    while let Some(entry) = unsafe { libc::readdir(stream).as_ref() } {
        // SAFETY: the kernel ends names with a zero.
        let name = unsafe { CStr::from_ptr(entry.d_name.as_ptr()) }.to_bytes();
        let kind = match entry.d_type {
            libc::DT_BLK => 1,
            libc::DT_CHR => 2,
            libc::DT_DIR => DIRECTORY,
            libc::DT_REG => 4,
            libc::DT_SOCK => 6,
            libc::DT_LNK => 7,
            _ => 0,
        };
        if name != b"." && name != b".." {
            entries.push((name.to_vec(), entry.d_ino, kind));
        }
    }
    // SAFETY: it is open, and closes the descriptor, too.
    unsafe { libc::closedir(stream) };
    entries[2..].sort();
    Ok(entries)
}
