//! What is done by path. The kernel resolves it beneath the folder that it is relative to:
//! neither `..` nor a link, nor a link's link, leads out, whatever changes meanwhile.
#![expect(
    unsafe_code,
    reason = "system calls that take paths relative to a descriptor"
)]

use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use wasmtime::{Caller, Linker};

use super::abi::{Errno, bytes_mut, code, memory, put, put32};
use super::descriptors::Open;
use super::files::{facts, path, stat, times};
use super::{MODULE, System, walk};
use crate::weaken::{Wall, stands};
use crate::{CHANNEL_FILE, STREAM_FILE};

/// The standard streams by number.
const STREAMS: [&[u8]; 3] = [b"0", b"1", b"2"];

/// Rights that make a file open for reading, and for writing.
const READS: u64 = 1 << 1 | 1 << 14;
const WRITES: u64 = 1 << 6 | 1 << 8 | 1 << 22;
const FOLLOW: u32 = 1;

/// Opens beneath a folder.
fn beneath(folder: RawFd, path: &[u8], flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    match at_once(folder, path, flags, mode) {
        Err(errno) if errno == Errno::of_system(libc::ENOSYS) => {
            walk::beneath(folder, path, flags, mode)
        }
        other => other,
    }
}

/// The same in one call.
fn at_once(folder: RawFd, path: &[u8], flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    let path = CString::new(path).map_err(|_| Errno::INVAL)?;
    // SAFETY: all zeros is a value of this plain structure.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC) as u64;
    how.mode = u64::from(mode);
    if stands(Wall::Paths) {
        how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS;
    }
    // SAFETY: path and structure are ours, and the size is the structure's.
    let opened = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            folder,
            path.as_ptr(),
            &how,
            size_of::<libc::open_how>(),
        )
    };
    if opened < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the kernel just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(opened as RawFd) })
}

/// Where the last name of a path stands: its folder, the name, and whether a slash is behind it.
struct Last {
    folder: OwnedFd,
    name: CString,
    slash: bool,
}

fn last(folder: RawFd, path: &[u8]) -> Result<Last, Errno> {
    let bare = path.trim_ascii_end_slashes();
    let (above, name) = match bare.iter().rposition(|&byte| byte == b'/') {
        Some(0) => return Err(Errno::NOTCAPABLE),
        Some(at) => (&bare[..at], &bare[at + 1..]),
        None => (&b"."[..], bare),
    };
    if name.is_empty() || name == b"." || name == b".." {
        return Err(Errno::INVAL);
    }
    Ok(Last {
        folder: beneath(folder, above, libc::O_PATH | libc::O_DIRECTORY, 0)?,
        name: CString::new(name).map_err(|_| Errno::INVAL)?,
        slash: bare.len() < path.len(),
    })
}

trait Slashes {
    fn trim_ascii_end_slashes(&self) -> &Self;
}

impl Slashes for [u8] {
    fn trim_ascii_end_slashes(&self) -> &[u8] {
        let end = self.iter().rposition(|&byte| byte != b'/');
        &self[..end.map_or(0, |end| end + 1)]
    }
}

/// What the module asks for when it opens a file.
struct Wish {
    follow: bool,
    create: u32,
    rights: u64,
    flags: u32,
}

fn open(system: &mut System, fd: u32, path: &[u8], wish: &Wish) -> Result<u32, Errno> {
    let above = system.files.get(fd)?;
    if above.preopen.is_some() && path == CHANNEL_FILE.as_bytes() {
        // Interpreters that number descriptors themselves know those alone that they opened.
        return system.files.name_channel();
    }
    if above.preopen.is_some()
        && let Some(number) = path.strip_prefix(STREAM_FILE.as_bytes())
    {
        let number = STREAMS.iter().position(|name| *name == number);
        return system.files.again(number.ok_or(Errno::NOENT)? as u32);
    }
    let rights = wish.rights & above.rights;
    let folder_only = wish.create & 2 != 0;
    let mut flags = match (rights & READS != 0, rights & WRITES != 0) {
        _ if folder_only => libc::O_RDONLY | libc::O_DIRECTORY,
        (true, true) => libc::O_RDWR,
        (false, true) => libc::O_WRONLY,
        _ => libc::O_RDONLY,
    };
    let pairs = [
        (wish.create & 1, libc::O_CREAT),
        (wish.create & 4, libc::O_EXCL),
        (wish.create & 8, libc::O_TRUNC),
        (wish.flags & 1, libc::O_APPEND),
        (wish.flags & 4, libc::O_NONBLOCK),
        (wish.flags & (2 | 8 | 16), libc::O_SYNC),
        (u32::from(!wish.follow), libc::O_NOFOLLOW),
    ];
    for (asked, flag) in pairs {
        if asked != 0 {
            flags |= flag;
        }
    }
    let mode = if wish.create & 1 == 0 { 0 } else { 0o666 };
    let file = beneath(above.file.as_raw_fd(), path, flags, mode)?;
    system.files.add(Open::new(file, rights))
}

/// A file's facts, by path.
fn look(system: &System, fd: u32, path: &[u8], follow: bool) -> Result<libc::stat, Errno> {
    let folder = system.files.get(fd)?.file.as_raw_fd();
    let last_link = if follow { 0 } else { libc::O_NOFOLLOW };
    let file = beneath(folder, path, libc::O_PATH | last_link, 0)?;
    stat(file.as_raw_fd())
}

fn checked(result: i32) -> Result<(), Errno> {
    if result == 0 {
        Ok(())
    } else {
        Err(Errno::last())
    }
}

fn remove(system: &System, fd: u32, path: &[u8], folder: bool) -> Result<(), Errno> {
    let last = last(system.files.get(fd)?.file.as_raw_fd(), path)?;
    if last.slash && !folder {
        return Err(Errno::NOTDIR);
    }
    let flags = if folder { libc::AT_REMOVEDIR } else { 0 };
    // SAFETY: the name is ours and ends with a zero.
    checked(unsafe { libc::unlinkat(last.folder.as_raw_fd(), last.name.as_ptr(), flags) })
}

fn read_link(system: &System, fd: u32, path: &[u8], room: &mut [u8]) -> Result<usize, Errno> {
    let last = last(system.files.get(fd)?.file.as_raw_fd(), path)?;
    // SAFETY: name and room are ours, and the length is the room's.
    let length = unsafe {
        libc::readlinkat(
            last.folder.as_raw_fd(),
            last.name.as_ptr(),
            room.as_mut_ptr().cast(),
            room.len(),
        )
    };
    usize::try_from(length).map_err(|_| Errno::last())
}

fn rename(system: &System, from: (u32, &[u8]), to: (u32, &[u8])) -> Result<(), Errno> {
    let old = last(system.files.get(from.0)?.file.as_raw_fd(), from.1)?;
    let new = last(system.files.get(to.0)?.file.as_raw_fd(), to.1)?;
    if old.slash || new.slash {
        // Only a folder may be named so.
        let data = look(system, from.0, from.1.trim_ascii_end_slashes(), false)?;
        if data.st_mode & libc::S_IFMT != libc::S_IFDIR {
            return Err(Errno::NOTDIR);
        }
    }
    // SAFETY: both names are ours and end with a zero.
    checked(unsafe {
        libc::renameat(
            old.folder.as_raw_fd(),
            old.name.as_ptr(),
            new.folder.as_raw_fd(),
            new.name.as_ptr(),
        )
    })
}

fn hard_link(system: &System, from: (u32, &[u8]), to: (u32, &[u8])) -> Result<(), Errno> {
    let old = last(system.files.get(from.0)?.file.as_raw_fd(), from.1)?;
    let new = last(system.files.get(to.0)?.file.as_raw_fd(), to.1)?;
    if old.slash || new.slash {
        return Err(Errno::NOTDIR);
    }
    // SAFETY: both names are ours and end with a zero.
    checked(unsafe {
        libc::linkat(
            old.folder.as_raw_fd(),
            old.name.as_ptr(),
            new.folder.as_raw_fd(),
            new.name.as_ptr(),
            0,
        )
    })
}

/// Makes a link. One that leads out of the folder may be made, and leads nowhere: see [`beneath`].
fn symbolic_link(system: &System, target: &[u8], fd: u32, path: &[u8]) -> Result<(), Errno> {
    let target = CString::new(target).map_err(|_| Errno::INVAL)?;
    let new = last(system.files.get(fd)?.file.as_raw_fd(), path)?;
    if new.slash {
        return Err(Errno::NOENT);
    }
    // SAFETY: both names are ours and end with a zero.
    checked(unsafe { libc::symlinkat(target.as_ptr(), new.folder.as_raw_fd(), new.name.as_ptr()) })
}

fn set_times(
    system: &System,
    fd: u32,
    path: &[u8],
    follow: bool,
    times: [libc::timespec; 2],
) -> Result<(), Errno> {
    let folder = system.files.get(fd)?.file.as_raw_fd();
    let last_link = if follow { 0 } else { libc::O_NOFOLLOW };
    let file = beneath(folder, path, libc::O_PATH | last_link, 0)?;
    let flags = libc::AT_EMPTY_PATH;
    // SAFETY: path and times are ours.
    checked(unsafe { libc::utimensat(file.as_raw_fd(), c"".as_ptr(), times.as_ptr(), flags) })
}

pub(super) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    linker.func_wrap(
        MODULE,
        "path_open",
        |mut caller: Caller<'_, System>,
         fd: u32,
         lookup: u32,
         at: u32,
         length: u32,
         create: u32,
         rights: u64,
         _inheriting: u64,
         flags: u32,
         out: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let path = path(memory, at, length)?;
                let wish = Wish {
                    follow: lookup & FOLLOW != 0,
                    create,
                    rights,
                    flags,
                };
                let opened = open(system, fd, &path, &wish)?;
                put32(memory, out, opened)
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_get",
        |mut caller: Caller<'_, System>, fd: u32, lookup: u32, at: u32, length: u32, out: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let path = path(memory, at, length)?;
                let data = look(system, fd, &path, lookup & FOLLOW != 0)?;
                put(memory, out, &facts(&data))
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_set_times",
        |mut caller: Caller<'_, System>,
         fd: u32,
         lookup: u32,
         at: u32,
         length: u32,
         access: u64,
         change: u64,
         flags: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let path = path(memory, at, length)?;
                let times = times(access, change, flags);
                set_times(system, fd, &path, lookup & FOLLOW != 0, times)
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_create_directory",
        |mut caller: Caller<'_, System>, fd: u32, at: u32, length: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let path = path(memory, at, length)?;
                let last = last(system.files.get(fd)?.file.as_raw_fd(), &path)?;
                // SAFETY: the name is ours and ends with a zero.
                checked(unsafe {
                    libc::mkdirat(last.folder.as_raw_fd(), last.name.as_ptr(), 0o777)
                })
            }))
        },
    )?;
    for (name, folder) in [("path_remove_directory", true), ("path_unlink_file", false)] {
        linker.func_wrap(
            MODULE,
            name,
            move |mut caller: Caller<'_, System>, fd: u32, at: u32, length: u32| {
                code(memory(&mut caller).and_then(|(memory, system)| {
                    remove(system, fd, &path(memory, at, length)?, folder)
                }))
            },
        )?;
    }
    link_links(linker)
}

fn link_links(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    linker.func_wrap(
        MODULE,
        "path_readlink",
        |mut caller: Caller<'_, System>,
         fd: u32,
         at: u32,
         length: u32,
         out: u32,
         room: u32,
         used: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let path = path(memory, at, length)?;
                let written = read_link(system, fd, &path, bytes_mut(memory, out, room)?)?;
                put32(memory, used, written as u32)
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_rename",
        |mut caller: Caller<'_, System>,
         fd: u32,
         at: u32,
         length: u32,
         new_fd: u32,
         new_at: u32,
         new_length: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let old = path(memory, at, length)?;
                let new = path(memory, new_at, new_length)?;
                rename(system, (fd, &old), (new_fd, &new))
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_link",
        |mut caller: Caller<'_, System>,
         fd: u32,
         lookup: u32,
         at: u32,
         length: u32,
         new_fd: u32,
         new_at: u32,
         new_length: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                if lookup & FOLLOW != 0 {
                    return Err(Errno::INVAL);
                }
                let old = path(memory, at, length)?;
                let new = path(memory, new_at, new_length)?;
                hard_link(system, (fd, &old), (new_fd, &new))
            }))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_symlink",
        |mut caller: Caller<'_, System>,
         target: u32,
         target_length: u32,
         fd: u32,
         at: u32,
         length: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let target = path(memory, target, target_length)?;
                symbolic_link(system, &target, fd, &path(memory, at, length)?)
            }))
        },
    )?;
    Ok(())
}
