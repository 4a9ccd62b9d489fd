//! Mounts a compressed read-only file system from a file.
//!
//! Newer kernels (6.12) take the file itself; older ones, and those that refuse the file for where
//! it lies, want a loop device. Where to mount, and whether it is mounted already, is the caller's.

use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::layout::READ_ONLY;
use crate::sys;

const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4C82;
const LOOP_CONFIGURE: libc::Ioctl = 0x4C0A;
const LO_FLAGS_READ_ONLY: u32 = 1;
/// The device is given back with its last user.
const LO_FLAGS_AUTOCLEAR: u32 = 4;

/// How often another process may take the free loop device first.
const TRIES: usize = 64;

/// `struct loop_info64` of `linux/loop.h`.
#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config` of `linux/loop.h`.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// Mounts the erofs file `file` on the folder `at`, read-only and without devices or set-user-ID
/// files. Only root may, and not in most containers.
pub fn mount_erofs(file: &Path, at: &Path) -> io::Result<()> {
    match mount(file, at) {
        // Nothing that a loop device would mend.
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EPERM | libc::EACCES | libc::ENODEV | libc::ENOSYS | libc::ENOENT)
            ) =>
        {
            Err(error)
        }
        Err(error) => mount_by_loop(file, at).map_err(|other| match other.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => error,
            _ => other,
        }),
        Ok(()) => Ok(()),
    }
}

fn mount(source: &Path, at: &Path) -> io::Result<()> {
    let [source, at] = [source, at].map(|path| CString::new(path.as_os_str().as_bytes()));
    let (source, at) = (source?, at?);
    let options: &[(&CStr, &CStr)] = &[(c"source", &source)];
    let mounted = sys::new_filesystem_read_only(c"erofs", options, READ_ONLY).map_err(os)?;
    // SAFETY: the kernel has just made this descriptor for us.
    let mounted = unsafe { OwnedFd::from_raw_fd(mounted) };
    sys::move_mount(mounted.as_raw_fd(), libc::AT_FDCWD, &at).map_err(os)
}

fn mount_by_loop(file: &Path, at: &Path) -> io::Result<()> {
    let backing = File::open(file)?;
    let control = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/loop-control")?;
    for _ in 0..TRIES {
        // SAFETY: the call takes no argument.
        let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        let path = format!("/dev/loop{number}");
        let device = File::open(&path)?;
        match configure(&device, &backing, file) {
            // The device clears itself once this descriptor and the mount are gone.
            Ok(()) => return mount(Path::new(&path), at),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            Err(error) => return Err(error),
        }
    }
    Err(os(libc::EBUSY))
}

fn configure(device: &File, backing: &File, name: &Path) -> io::Result<()> {
    // SAFETY: plain data for which zero is a value.
    let mut config: LoopConfig = unsafe { std::mem::zeroed() };
    config.fd = backing.as_raw_fd() as u32;
    config.info.flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    let name = name.as_os_str().as_bytes();
    let length = name.len().min(config.info.file_name.len() - 1);
    config.info.file_name[..length].copy_from_slice(&name[..length]);
    // SAFETY: the structure has the kernel's layout and outlives the call.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE, &config) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn os(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

#[cfg(test)]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
#[expect(
    clippy::disallowed_methods,
    reason = "a file system is made by the host's tools"
)]
mod tests {
    use std::process::Command;
    use std::{fs, ptr};

    use super::*;

    /// Both ways of mounting show the same files, and nothing can be written.
    #[test]
    fn a_file_is_mounted_by_itself_and_by_a_loop_device() {
        let kept = tempfile::tempdir().expect("a folder");
        let [tree, file, at] = ["tree", "file", "at"].map(|name| kept.path().join(name));
        fs::create_dir(&tree).expect("a folder");
        fs::create_dir(&at).expect("a folder");
        fs::write(tree.join("hello"), "there").expect("a file");
        let made = Command::new("mkfs.erofs").arg(&file).arg(&tree).output();
        if !made.is_ok_and(|made| made.status.success()) {
            eprintln!("skipped: no mkfs.erofs");
            return;
        }
        // SAFETY: the thread has its own mount namespace from then on.
        let own = unsafe { libc::unshare(libc::CLONE_NEWNS) };
        if own != 0 {
            eprintln!("skipped: an ordinary user may not mount");
            return;
        }
        // SAFETY: valid C strings; nothing goes back to the host's namespace.
        unsafe {
            let flags = libc::MS_REC | libc::MS_PRIVATE;
            libc::mount(ptr::null(), c"/".as_ptr(), ptr::null(), flags, ptr::null());
        }
        for way in [mount_erofs, mount, mount_by_loop] {
            match way(&file, &at) {
                Err(error)
                    if matches!(
                        error.raw_os_error(),
                        Some(libc::ENOTBLK | libc::EPERM | libc::ENODEV | libc::ENOENT)
                    ) =>
                {
                    eprintln!("skipped one way: {error}");
                    continue;
                }
                other => other.expect("a mount"),
            }
            let read = fs::read_to_string(at.join("hello")).expect("a file");
            assert_eq!(read, "there");
            let error = fs::write(at.join("hello"), "x").expect_err("read-only");
            assert_eq!(error.raw_os_error(), Some(libc::EROFS));
            let name = CString::new(at.as_os_str().as_bytes()).expect("a name");
            // SAFETY: a valid C string.
            assert_eq!(unsafe { libc::umount2(name.as_ptr(), libc::MNT_DETACH) }, 0);
            assert!(!at.join("hello").exists());
        }
    }
}
