//! What the runner needs of the system where it is a WebAssembly module.
//!
//! The counterpart of `entry`. It is compiled for an image alone, not with this workspace.
#![expect(
    unsafe_code,
    reason = "the library has no stable name for two calls of C"
)]

use std::ffi::c_void;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

unsafe extern "C" {
    fn pread(file: i32, buffer: *mut c_void, size: usize, at: i64) -> isize;
    fn pwrite(file: i32, buffer: *const c_void, size: usize, at: i64) -> isize;
}

/// Reading and writing at a place.
pub(crate) trait FileExt {
    /// Reads all of `buffer` from there.
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()>;
    /// Writes all of `buffer` there.
    fn write_all_at(&self, buffer: &[u8], at: u64) -> Result<()>;
}

impl FileExt for File {
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()> {
        // SAFETY: the buffer has that many bytes.
        let read = unsafe {
            let start = buffer.as_mut_ptr().cast();
            pread(self.as_raw_fd(), start, buffer.len(), place(at))
        };
        whole(read, buffer.len())
    }

    fn write_all_at(&self, buffer: &[u8], at: u64) -> Result<()> {
        // SAFETY: the buffer has that many bytes.
        let written = unsafe {
            let start = buffer.as_ptr().cast();
            pwrite(self.as_raw_fd(), start, buffer.len(), place(at))
        };
        whole(written, buffer.len())
    }
}

fn place(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// The channel is memory: a part of what was wanted means that it ends there.
fn whole(done: isize, wanted: usize) -> Result<()> {
    match usize::try_from(done) {
        Ok(done) if done == wanted => Ok(()),
        Ok(_) => Err(ErrorKind::UnexpectedEof.into()),
        Err(_) => Err(Error::last_os_error()),
    }
}

/// The trace channel that the environment names, taken over.
pub(crate) fn channel() -> Option<File> {
    let number: i32 = std::env::var("TRACER_CHANNEL").ok()?.parse().ok()?;
    // SAFETY: the runner of this program passed the descriptor for this use alone.
    Some(File::from(unsafe { OwnedFd::from_raw_fd(number) }))
}

/// The one name of a file, by its words alone: the library cannot ask the system for it.
pub(crate) fn canonical(path: &Path) -> PathBuf {
    let mut whole = std::env::current_dir().unwrap_or_default();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole
}
