//! Resolving a path beneath a folder step by step, where the kernel does not do it in one call: it
//! is older, or the sandbox refuses that call while a program is built.
//!
//! No step follows a link by itself; a link's target is walked like the rest of the path. So what
//! changes meanwhile changes where the walk comes out, but not that it stays beneath.
#![expect(
    unsafe_code,
    reason = "system calls that take paths relative to a descriptor"
)]

use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::abi::Errno;

/// Most links on one way.
const LINKS: usize = 40;
/// Room for a link's target.
const TARGET: usize = 4096;

/// Opens a path beneath a folder.
pub(super) fn beneath(folder: RawFd, path: &[u8], flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    let mut above: Vec<OwnedFd> = Vec::new();
    let mut ahead = Vec::new();
    push(&mut ahead, path)?;
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        let last = ahead.is_empty();
        let here = above.last().map_or(folder, AsRawFd::as_raw_fd);
        if name == b".." {
            above.pop().ok_or(Errno::NOTCAPABLE)?;
            let here = above.last().map_or(folder, AsRawFd::as_raw_fd);
            if last {
                return open(here, b".", flags, mode);
            }
            continue;
        }
        let stays = name.is_empty() || name == b".";
        if stays && !last {
            continue;
        }
        if stays {
            return open(here, b".", flags, mode);
        }
        let follows = !last || flags & (libc::O_NOFOLLOW | libc::O_EXCL) == 0;
        if let Some(target) = link(here, &name)?.filter(|_| follows) {
            links += 1;
            if links > LINKS {
                return Err(Errno::of_system(libc::ELOOP));
            }
            push(&mut ahead, &target)?;
            continue;
        }
        if last {
            return open(here, &name, flags | libc::O_NOFOLLOW, mode);
        }
        let way = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW;
        above.push(open(here, &name, way, 0)?);
    }
    Err(Errno::NOENT)
}

/// Puts a path's names ahead, the first on top.
fn push(ahead: &mut Vec<Vec<u8>>, path: &[u8]) -> Result<(), Errno> {
    if path.starts_with(b"/") {
        return Err(Errno::NOTCAPABLE);
    }
    ahead.extend(path.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec));
    Ok(())
}

fn open(folder: RawFd, name: &[u8], flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    // SAFETY: the name is ours and ends with a zero.
    let opened = unsafe { libc::openat(folder, name.as_ptr(), flags | libc::O_CLOEXEC, mode) };
    if opened < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the kernel just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

/// What a link says; `None` for what is no link, or not there.
fn link(folder: RawFd, name: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    let name = CString::new(name).map_err(|_| Errno::INVAL)?;
    let mut target = vec![0u8; TARGET];
    // SAFETY: name and room are ours, and the length is the room's.
    let length =
        unsafe { libc::readlinkat(folder, name.as_ptr(), target.as_mut_ptr().cast(), TARGET) };
    target.truncate(usize::try_from(length).unwrap_or(0));
    Ok((length > 0).then_some(target))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_way_leads_out() {
        let folder = std::env::temp_dir().join(format!("walk-{}", std::process::id()));
        let root = folder.join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(folder.join("secret"), "s").unwrap();
        fs::write(root.join("a/b/file"), "f").unwrap();
        symlink("a/b", root.join("in")).unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink("/etc/passwd", root.join("far")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let held = fs::File::open(&root).unwrap();
        let open = |path: &[u8], flags| beneath(held.as_raw_fd(), path, flags, 0o600).map(drop);
        for good in [
            "a/b/file",
            "in/file",
            "in/../b/file",
            "./a//b/",
            "a/..",
            ".",
        ] {
            assert_eq!(open(good.as_bytes(), libc::O_RDONLY), Ok(()), "{good}");
        }
        for bad in [
            "..",
            "a/../..",
            "out",
            "far",
            "/etc",
            "a/b/../../../secret",
            "loop",
            "file/",
        ] {
            assert!(open(bad.as_bytes(), libc::O_RDONLY).is_err(), "{bad}");
        }
        let make = libc::O_WRONLY | libc::O_CREAT;
        assert_eq!(open(b"in/new", make), Ok(()));
        assert!(open(b"out", make | libc::O_EXCL).is_err());
        assert!(root.join("a/b/new").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
