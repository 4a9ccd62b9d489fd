//! Where a snapshot's bytes lie: in pages of their own that a fork shares and does not count, since
//! every sandbox begins with a fork of the runner, and copying page tables takes as long as they are.

use std::io;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::slice;

/// Bytes that are never changed.
#[derive(Debug)]
pub(super) struct Memory {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: nobody writes to it, and it is this value's alone to unmap.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub(super) fn of(bytes: &[u8]) -> io::Result<Self> {
        let length = bytes.len().max(1);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: new memory at a place of the kernel's choice.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast::<u8>()).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: as long as `bytes`, and nobody else knows it yet.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start.as_ptr(), bytes.len()) };
        Ok(Self {
            start,
            length: bytes.len(),
        })
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped for as long as this value is there.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: mapped by `of`, and no longer borrowed.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length.max(1)) };
    }
}
