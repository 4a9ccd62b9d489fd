//! Bringing what a program left in its private layer to the host.
//!
//! Nothing on the way is trusted: no symbolic link is followed on either side, only regular files
//! are read, and they are capped by the bytes really read, not by the size they claim.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::SandboxError;
use crate::finished::{Change, ChangeKind, FileType};

/// Ceilings on a copy-out, and whether links are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyLimits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Paths written or removed.
    pub entries: usize,
    /// Whether new symbolic links are made. They are never followed, here or later in the same
    /// copy-out, but whoever reads the folder afterwards may.
    pub links: bool,
}

impl Default for CopyLimits {
    fn default() -> Self {
        Self {
            bytes: 1 << 30,
            entries: 100_000,
            links: false,
        }
    }
}

/// What a copy-out did.
#[derive(Debug, Default)]
pub struct CopyReport {
    /// Bytes written.
    pub bytes: u64,
    /// Paths that were written or removed.
    pub done: Vec<PathBuf>,
    /// Paths that were not, each with the reason.
    pub skipped: Vec<(PathBuf, String)>,
}

const INSIDE: u64 = libc::RESOLVE_IN_ROOT
    | libc::RESOLVE_NO_SYMLINKS
    | libc::RESOLVE_NO_MAGICLINKS
    | libc::RESOLVE_NO_XDEV;
const BENEATH: u64 =
    libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS;

pub(crate) fn open_at(
    root: BorrowedFd<'_>,
    path: &Path,
    flags: i32,
    mode: u32,
    resolve: u64,
) -> io::Result<OwnedFd> {
    let name: &[u8] = match path.as_os_str().as_bytes() {
        b"" => b".",
        name => name,
    };
    let name = CString::new(name)?;
    // SAFETY: the structure is plain data for which zero is a value.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC) as u64;
    how.mode = u64::from(mode);
    how.resolve = resolve;
    // SAFETY: name and structure outlive the call; the size is the structure's.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            root.as_raw_fd(),
            name.as_ptr(),
            &how,
            size_of::<libc::open_how>(),
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Opens a regular file below `layer` for reading.
pub(crate) fn open_regular(layer: &OwnedFd, path: &Path) -> io::Result<File> {
    // Non-blocking: opening a FIFO for reading would wait for a writer.
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = File::from(open_at(layer.as_fd(), path, flags, 0, INSIDE)?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ))
    }
}

/// Applies `changes` of the overlaid folder `folder` to the host folder `destination`.
///
/// A change that cannot be applied is skipped and listed; only a destination that cannot be
/// opened is an error.
pub fn copy_out(
    changes: &[Change],
    folder: &Path,
    destination: &Path,
    limits: CopyLimits,
) -> Result<CopyReport, SandboxError> {
    let root = File::open(destination).map_err(|error| {
        SandboxError::runner(format!("opening {}", destination.display()), error)
    })?;
    let mut report = CopyReport::default();
    for change in changes.iter().filter(|change| change.folder == folder) {
        let result = if report.done.len() >= limits.entries {
            Err(io::Error::other("too many changes"))
        } else {
            apply(change, root.as_fd(), limits, &mut report.bytes)
        };
        match result {
            Ok(()) => report.done.push(change.path.clone()),
            Err(error) => report
                .skipped
                .push((change.path.clone(), error.to_string())),
        }
    }
    Ok(report)
}

fn apply(
    change: &Change,
    root: BorrowedFd<'_>,
    limits: CopyLimits,
    total: &mut u64,
) -> io::Result<()> {
    let parent = change.path.parent().unwrap_or(Path::new(""));
    let name = change.path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let parent = open_at(root, parent, libc::O_PATH | libc::O_DIRECTORY, 0, BENEATH)?;
    // With the parent pinned, the last component is the only one left to resolve.
    let place = PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd())).join(name);
    let present = fs::symlink_metadata(&place).ok();
    let mode = change.mode & 0o1777; // set-user-ID and set-group-ID stay inside
    match &change.file {
        FileType::Gone => match present {
            None => Ok(()),
            Some(metadata) if metadata.is_dir() => fs::remove_dir_all(&place),
            Some(_) => fs::remove_file(&place),
        },
        FileType::Folder => {
            match present {
                Some(metadata) if metadata.is_dir() => {}
                other => {
                    if other.is_some() {
                        fs::remove_file(&place)?;
                    }
                    fs::create_dir(&place)?;
                }
            }
            let made = open_at(
                parent.as_fd(),
                Path::new(name),
                libc::O_RDONLY | libc::O_DIRECTORY,
                0,
                BENEATH,
            )?;
            File::from(made).set_permissions(fs::Permissions::from_mode(mode))
        }
        FileType::Regular(_) => {
            let source = change.open()?;
            // Before anything that stands there has to go.
            let left = limits.bytes.saturating_sub(*total);
            if change_size(&source)? > left {
                return Err(io::Error::other("over the byte limit"));
            }
            let kept = present.as_ref().is_some_and(fs::Metadata::is_file);
            match &present {
                Some(metadata) if metadata.is_dir() => fs::remove_dir_all(&place)?,
                Some(_) if !kept => fs::remove_file(&place)?,
                _ => {}
            }
            // An existing file is rewritten in place, as the program did: owner and links stay.
            let flags = libc::O_WRONLY
                | libc::O_NOFOLLOW
                | libc::O_NONBLOCK
                | libc::O_NOCTTY
                | if kept {
                    0
                } else {
                    libc::O_CREAT | libc::O_EXCL
                };
            // A mode without O_CREAT is an error to openat2.
            let private = if kept { 0 } else { 0o600 };
            let target = open_at(parent.as_fd(), Path::new(name), flags, private, BENEATH)?;
            let target = File::from(target);
            if !target.metadata()?.is_file() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "not a regular file",
                ));
            }
            target.set_len(0)?;
            let copied = copy_capped(source, &target, left);
            *total += copied.as_ref().copied().unwrap_or(0);
            copied?;
            target.set_permissions(fs::Permissions::from_mode(mode))
        }
        FileType::Link(target) => {
            if !limits.links {
                return Err(io::Error::other("a symbolic link"));
            }
            match present {
                Some(metadata) if metadata.is_dir() => fs::remove_dir_all(&place)?,
                Some(_) => fs::remove_file(&place)?,
                None => {}
            }
            std::os::unix::fs::symlink(target, &place)
        }
        FileType::Special => Err(io::Error::other("neither a file nor a folder")),
    }?;
    debug_assert!(change.kind != ChangeKind::Deleted || change.file == FileType::Gone);
    Ok(())
}

fn change_size(file: &File) -> io::Result<u64> {
    // Its length, holes included: that is what would be read.
    file.metadata().map(|metadata| metadata.size())
}

fn copy_capped(source: File, mut target: &File, most: u64) -> io::Result<u64> {
    let mut source = source.take(most.saturating_add(1));
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            return Ok(total);
        }
        total += length as u64;
        if total > most {
            return Err(io::Error::other("over the byte limit"));
        }
        target.write_all(&buffer[..length])?;
    }
}
