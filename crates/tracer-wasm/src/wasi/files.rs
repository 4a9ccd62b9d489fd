//! What is done with an open descriptor: reading, writing, seeking, asking.
#![expect(
    unsafe_code,
    reason = "system calls on descriptors and on bounds-checked memory"
)]

use std::os::fd::{AsRawFd, RawFd};

use wasmtime::{Caller, Linker};

use super::abi::{Errno, bytes, code, get32, memory, pieces, put, put32, put64};
use super::descriptors::Open;
use super::{MODULE, System};

/// File types of the interface.
pub(super) const DIRECTORY: u8 = 3;
const DEVICE: u8 = 2;
const APPEND: u32 = 1;
const NONBLOCK: u32 = 4;

/// What a module exports that wants to know what it writes: descriptor, address, bytes.
const LISTENER: &str = "tracer_output";

/// How the position of a transfer is found.
#[derive(Clone, Copy)]
enum Place {
    Current,
    At(u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// One gathering read or write; how many bytes passed goes to `count`.
fn transfer(
    caller: &mut Caller<'_, System>,
    number: u32,
    (list, length): (u32, u32),
    way: Way,
    place: Place,
    count: u32,
) -> Result<(), Errno> {
    let (memory, system) = memory(caller)?;
    let file = system.files.get(number)?.file.as_raw_fd();
    let pieces = pieces(memory, list, length)?;
    let base = memory.as_mut_ptr();
    let vectors: Vec<libc::iovec> = pieces
        .iter()
        .map(|&(at, length)| libc::iovec {
            // SAFETY: `pieces` saw that the range lies within the memory.
            iov_base: unsafe { base.add(at as usize) }.cast(),
            iov_len: length as usize,
        })
        .collect();
    let (first, many) = (vectors.as_ptr(), vectors.len() as i32);
    let passed = loop {
        // SAFETY: each vector is a range of the module's memory, which nobody else uses now.
        let passed = unsafe {
            match (way, place) {
                (Way::In, Place::Current) => libc::readv(file, first, many),
                (Way::Out, Place::Current) => libc::writev(file, first, many),
                (Way::In, Place::At(at)) => libc::preadv(file, first, many, at as i64),
                (Way::Out, Place::At(at)) => libc::pwritev(file, first, many, at as i64),
            }
        };
        match passed {
            ..0 if Errno::last() == Errno::of_system(libc::EINTR) => {}
            ..0 => return Err(Errno::last()),
            _ => break passed,
        }
    };
    put32(memory, count, passed as u32)
}

/// Tells a module that wants to know it what it has just written on a standard stream, piece by
/// piece.
fn tell(
    caller: &mut Caller<'_, System>,
    number: u32,
    (list, length): (u32, u32),
    count: u32,
) -> Result<(), wasmtime::Error> {
    let wanted = caller
        .get_export(LISTENER)
        .and_then(wasmtime::Extern::into_func);
    let Some(listener) = wanted.and_then(|it| it.typed::<(u32, u32, u32), ()>(&mut *caller).ok())
    else {
        return Ok(());
    };
    let Ok((pieces, mut left)) = memory(caller)
        .and_then(|(memory, _)| Ok((pieces(memory, list, length)?, get32(memory, count)?)))
    else {
        return Ok(());
    };
    for (at, length) in pieces {
        let part = length.min(left);
        left -= part;
        if part > 0 {
            listener.call(&mut *caller, (number, at, part))?;
        }
    }
    Ok(())
}

/// The kernel's facts about a file, in the interface's form.
pub(super) fn facts(data: &libc::stat) -> [u8; 64] {
    let mut out = [0; 64];
    let stamp = |seconds: i64, nanoseconds: i64| {
        (seconds as u64).wrapping_mul(1_000_000_000) + nanoseconds as u64
    };
    let words = [
        (0, data.st_dev),
        (8, data.st_ino),
        (24, data.st_nlink),
        (32, data.st_size as u64),
        (40, stamp(data.st_atime, data.st_atime_nsec)),
        (48, stamp(data.st_mtime, data.st_mtime_nsec)),
        (56, stamp(data.st_ctime, data.st_ctime_nsec)),
    ];
    for (at, word) in words {
        out[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }
    out[16] = kind(data.st_mode);
    out
}

/// A file's type. Pipes have none in the interface.
fn kind(mode: libc::mode_t) -> u8 {
    match mode & libc::S_IFMT {
        libc::S_IFBLK => 1,
        libc::S_IFCHR => DEVICE,
        libc::S_IFDIR => DIRECTORY,
        libc::S_IFREG => 4,
        libc::S_IFSOCK => 6,
        libc::S_IFLNK => 7,
        _ => 0,
    }
}

pub(super) fn stat(file: RawFd) -> Result<libc::stat, Errno> {
    // SAFETY: all zeros is a value of this plain structure.
    let mut data: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is ours.
    match unsafe { libc::fstat(file, &mut data) } {
        0 => Ok(data),
        _ => Err(Errno::last()),
    }
}

/// Times of a file: the stated, the current, or none.
pub(super) fn times(access: u64, change: u64, flags: u32) -> [libc::timespec; 2] {
    let one = |stated: u64, given: bool, now: bool| libc::timespec {
        tv_sec: (stated / 1_000_000_000) as i64,
        tv_nsec: match (now, given) {
            (true, _) => libc::UTIME_NOW,
            (_, true) => (stated % 1_000_000_000) as i64,
            _ => libc::UTIME_OMIT,
        },
    };
    [
        one(access, flags & 1 != 0, flags & 2 != 0),
        one(change, flags & 4 != 0, flags & 8 != 0),
    ]
}

fn checked(result: i32) -> Result<(), Errno> {
    if result == 0 {
        Ok(())
    } else {
        Err(Errno::last())
    }
}

fn seek(system: &System, number: u32, offset: i64, whence: u32) -> Result<u64, Errno> {
    let open = system.files.get(number)?;
    let whence = match whence {
        0 => libc::SEEK_SET,
        1 => libc::SEEK_CUR,
        2 => libc::SEEK_END,
        _ => return Err(Errno::INVAL),
    };
    // SAFETY: a plain call on a descriptor that we hold.
    let at = unsafe { libc::lseek(open.file.as_raw_fd(), offset, whence) };
    match u64::try_from(at) {
        Ok(at) => Ok(at),
        Err(_) if open.begins && Errno::last() == Errno::of_system(libc::ESPIPE) => Ok(0),
        Err(_) => Err(Errno::last()),
    }
}

fn status(open: &Open) -> Result<[u8; 24], Errno> {
    let file = open.file.as_raw_fd();
    // SAFETY: a plain call on a descriptor that we hold.
    let flags = unsafe { libc::fcntl(file, libc::F_GETFL) };
    let mut out = [0; 24];
    // To a C library each character device is a terminal; to a program only a terminal is.
    // SAFETY: a plain call on a descriptor that we hold.
    let terminal = unsafe { libc::isatty(file) } == 1;
    out[0] = match kind(stat(file)?.st_mode) {
        DEVICE if !terminal => 0,
        other => other,
    };
    let mut own = 0;
    if flags & libc::O_APPEND != 0 {
        own |= APPEND;
    }
    if flags & libc::O_NONBLOCK != 0 {
        own |= NONBLOCK;
    }
    out[2..4].copy_from_slice(&(own as u16).to_le_bytes());
    out[8..16].copy_from_slice(&open.rights.to_le_bytes());
    out[16..24].copy_from_slice(&open.rights.to_le_bytes());
    Ok(out)
}

fn set_flags(open: &Open, own: u32) -> Result<(), Errno> {
    let mut flags = 0;
    if own & APPEND != 0 {
        flags |= libc::O_APPEND;
    }
    if own & NONBLOCK != 0 {
        flags |= libc::O_NONBLOCK;
    }
    // SAFETY: a plain call on a descriptor that we hold.
    checked(unsafe { libc::fcntl(open.file.as_raw_fd(), libc::F_SETFL, flags) })
}

type On = fn(RawFd) -> i32;

pub(super) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    for (name, way) in [("fd_read", Way::In), ("fd_write", Way::Out)] {
        linker.func_wrap(
            MODULE,
            name,
            move |mut caller: Caller<'_, System>,
                  fd: u32,
                  list: u32,
                  length: u32,
                  count: u32|
                  -> Result<i32, wasmtime::Error> {
                let passed = transfer(&mut caller, fd, (list, length), way, Place::Current, count);
                if passed.is_ok() && way == Way::Out && (1..=2).contains(&fd) {
                    tell(&mut caller, fd, (list, length), count)?;
                }
                Ok(code(passed))
            },
        )?;
    }
    for (name, way) in [("fd_pread", Way::In), ("fd_pwrite", Way::Out)] {
        linker.func_wrap(
            MODULE,
            name,
            move |mut caller: Caller<'_, System>,
                  fd: u32,
                  list: u32,
                  length: u32,
                  at: u64,
                  count: u32| {
                code(transfer(
                    &mut caller,
                    fd,
                    (list, length),
                    way,
                    Place::At(at),
                    count,
                ))
            },
        )?;
    }
    // SAFETY: plain calls on descriptors that the table holds.
    let plain: [(&str, On); 2] = [
        ("fd_sync", |file| unsafe { libc::fsync(file) }),
        ("fd_datasync", |file| unsafe { libc::fdatasync(file) }),
    ];
    for (name, on) in plain {
        linker.func_wrap(
            MODULE,
            name,
            move |mut caller: Caller<'_, System>, fd: u32| {
                code(
                    memory(&mut caller).and_then(|(_, system)| {
                        checked(on(system.files.get(fd)?.file.as_raw_fd()))
                    }),
                )
            },
        )?;
    }
    linker.func_wrap(
        MODULE,
        "fd_close",
        |mut caller: Caller<'_, System>, fd: u32| {
            code(memory(&mut caller).and_then(|(_, system)| system.files.close(fd)))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_renumber",
        |mut caller: Caller<'_, System>, from: u32, to: u32| {
            code(memory(&mut caller).and_then(|(_, system)| system.files.renumber(from, to)))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_seek",
        |mut caller: Caller<'_, System>, fd: u32, offset: i64, whence: u32, at: u32| {
            code(
                memory(&mut caller).and_then(|(memory, system)| {
                    put64(memory, at, seek(system, fd, offset, whence)?)
                }),
            )
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_tell",
        |mut caller: Caller<'_, System>, fd: u32, at: u32| {
            code(
                memory(&mut caller)
                    .and_then(|(memory, system)| put64(memory, at, seek(system, fd, 0, 1)?)),
            )
        },
    )?;
    link_facts(linker)
}

fn link_facts(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    linker.func_wrap(
        MODULE,
        "fd_fdstat_get",
        |mut caller: Caller<'_, System>, fd: u32, at: u32| {
            code(
                memory(&mut caller)
                    .and_then(|(memory, system)| put(memory, at, &status(system.files.get(fd)?)?)),
            )
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_set_flags",
        |mut caller: Caller<'_, System>, fd: u32, flags: u32| {
            code(
                memory(&mut caller).and_then(|(_, system)| set_flags(system.files.get(fd)?, flags)),
            )
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_set_rights",
        |mut caller: Caller<'_, System>, fd: u32, base: u64, _inheriting: u64| {
            code(memory(&mut caller).and_then(|(_, system)| {
                let open = system.files.get_mut(fd)?;
                // Rights are only ever given up.
                open.rights &= base;
                Ok(())
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_get",
        |mut caller: Caller<'_, System>, fd: u32, at: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let data = stat(system.files.get(fd)?.file.as_raw_fd())?;
                put(memory, at, &facts(&data))
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_set_size",
        |mut caller: Caller<'_, System>, fd: u32, size: u64| {
            code(memory(&mut caller).and_then(|(_, system)| {
                let file = system.files.get(fd)?.file.as_raw_fd();
                // SAFETY: a plain call on a descriptor that we hold.
                checked(unsafe { libc::ftruncate(file, size as i64) })
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_set_times",
        |mut caller: Caller<'_, System>, fd: u32, access: u64, change: u64, flags: u32| {
            code(memory(&mut caller).and_then(|(_, system)| {
                let file = system.files.get(fd)?.file.as_raw_fd();
                let times = times(access, change, flags);
                // SAFETY: the times are ours.
                checked(unsafe { libc::futimens(file, times.as_ptr()) })
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_allocate",
        |mut caller: Caller<'_, System>, fd: u32, at: u64, length: u64| {
            code(memory(&mut caller).and_then(|(_, system)| {
                let file = system.files.get(fd)?.file.as_raw_fd();
                // SAFETY: a plain call on a descriptor that we hold.
                match unsafe { libc::posix_fallocate(file, at as i64, length as i64) } {
                    0 => Ok(()),
                    error => Err(Errno::of_system(error)),
                }
            }))
        },
    )?;
    // Advice is taken by ignoring it.
    linker.func_wrap(
        MODULE,
        "fd_advise",
        |mut caller: Caller<'_, System>, fd: u32, _at: u64, _length: u64, _advice: u32| {
            code(memory(&mut caller).and_then(|(_, system)| system.files.get(fd).map(drop)))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "sock_accept",
        |_: Caller<'_, System>, _fd: u32, _flags: u32, _at: u32| Errno::NOTSOCK.0,
    )?;
    linker.func_wrap(
        MODULE,
        "sock_recv",
        |_: Caller<'_, System>, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32| Errno::NOTSOCK.0,
    )?;
    linker.func_wrap(
        MODULE,
        "sock_send",
        |_: Caller<'_, System>, _: u32, _: u32, _: u32, _: u32, _: u32| Errno::NOTSOCK.0,
    )?;
    linker.func_wrap(
        MODULE,
        "sock_shutdown",
        |_: Caller<'_, System>, _: u32, _: u32| Errno::NOTSOCK.0,
    )?;
    Ok(())
}

/// A path in the module's memory.
pub(super) fn path(memory: &[u8], at: u32, length: u32) -> Result<Vec<u8>, Errno> {
    /// As long as the kernel takes.
    const LONGEST: u32 = 4096;
    if length >= LONGEST {
        return Err(Errno::NAMETOOLONG);
    }
    let path = bytes(memory, at, length)?;
    if path.contains(&0) {
        return Err(Errno::INVAL);
    }
    if path.is_empty() {
        return Err(Errno::NOENT);
    }
    Ok(path.to_vec())
}
