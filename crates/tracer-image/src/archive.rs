//! Archives as they come from strangers: tar streams, compressed or not, within limits.
//!
//! What the parts of a container image mean is not known here.

pub(crate) mod compression;
pub(crate) mod entries;
pub(crate) mod extract;
pub(crate) mod pack_tar;
pub(crate) mod parts;
pub(crate) mod rewrite;
#[cfg(test)]
pub(crate) mod sample;

use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::{Cancel, Digest, ImageError, Progress};

/// Ceilings on what an archive may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportLimits {
    /// Bytes of all its parts together, decompressed.
    pub bytes: u64,
    /// Files, folders and links.
    pub entries: u64,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self {
            bytes: 20 << 30,
            entries: 2_000_000,
        }
    }
}

/// One archive while it is read: counts towards the limits, words the complaints.
pub(crate) struct Reading<'a> {
    pub(crate) archive: &'a Path,
    pub(crate) limits: ImportLimits,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancel: &'a Cancel,
    bytes: Cell<u64>,
    entries: Cell<u64>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        archive: &'a Path,
        limits: ImportLimits,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
    ) -> Self {
        Self {
            archive,
            limits,
            progress,
            cancel,
            bytes: Cell::new(0),
            entries: Cell::new(0),
        }
    }

    /// The same, counted anew: for another pass.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.archive, self.limits, self.progress, self.cancel)
    }

    /// An error about the archive.
    #[expect(clippy::needless_pass_by_value, reason = "it reads better at the uses")]
    pub(crate) fn bad(&self, problem: impl ToString) -> ImageError {
        ImageError::Archive {
            path: PathBuf::from(self.archive),
            problem: problem.to_string(),
        }
    }

    /// Another entry is read.
    pub(crate) fn entry(&self) -> Result<(), ImageError> {
        self.cancel.check()?;
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > self.limits.entries {
            return Err(self.bad(format!("it has more than {} entries", self.limits.entries)));
        }
        Ok(())
    }

    /// An entry says that it is this long.
    pub(crate) fn declared(&self, name: &Path, size: u64) -> Result<(), ImageError> {
        if size > self.limits.bytes.saturating_sub(self.bytes.get()) {
            return Err(self.bad(format!(
                "{} says that it has {size} bytes; all together may have {}",
                name.display(),
                self.limits.bytes
            )));
        }
        Ok(())
    }

    /// Counts what is read from `inner` towards the limit.
    pub(crate) fn metered<R: Read>(&'a self, inner: R) -> Metered<'a, R> {
        Metered {
            reading: self,
            inner,
        }
    }
}

/// Fails once more is read than the limits permit.
pub(crate) struct Metered<'a, R> {
    reading: &'a Reading<'a>,
    inner: R,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let total = self.reading.bytes.get() + count as u64;
        self.reading.bytes.set(total);
        if total > self.reading.limits.bytes {
            return Err(io::Error::other(format!(
                "it unpacks to more than {} bytes",
                self.reading.limits.bytes
            )));
        }
        Ok(count)
    }
}

/// Hashes what passes through, in either direction.
pub(crate) struct Hashed<T> {
    pub(crate) inner: T,
    pub(crate) bytes: u64,
    hasher: Sha256,
}

impl<T> Hashed<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            bytes: 0,
            hasher: Sha256::new(),
        }
    }

    pub(crate) fn finish(self) -> (T, Digest, u64) {
        (self.inner, Digest::of_hasher(self.hasher), self.bytes)
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

impl<W: io::Write> io::Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
