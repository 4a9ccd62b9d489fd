//! The trace channel: a sealed memory file that outlives the subject.
//!
//! It only makes and reads the region; what the bytes mean is `tracer-stream`'s business.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tracer_model::{Budget, Detail};
use tracer_stream::Header;

use crate::EngineError;

/// One run's channel.
#[derive(Debug)]
pub struct Channel {
    file: File,
    header: Header,
}

impl Channel {
    /// A region for this many sites, with header and nonce written, that can neither grow nor
    /// shrink.
    pub fn new(sites: u32, budget: &Budget, detail: Detail) -> Result<Self, EngineError> {
        let made = || -> io::Result<Self> {
            let header = Header::new(sites, budget, detail, nonce()?);
            let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
            let mut file = File::from(memfd_create(c"trace", flags)?);
            file.set_len(header.region_size() as u64)?;
            file.write_all(&header.to_bytes())?;
            let seals = SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
            fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
            Ok(Self { file, header })
        };
        made().map_err(|source| EngineError::System { what: "make the trace channel", source })
    }

    /// A descriptor for the subject.
    pub fn duplicate(&self) -> Result<OwnedFd, EngineError> {
        self.file
            .as_fd()
            .try_clone_to_owned()
            .map_err(|source| EngineError::System { what: "pass the trace channel", source })
    }

    /// What the runner wrote; the region's own copy may have been forged since.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A copy of the region as the subject left it.
    pub fn read(&self) -> Result<Vec<u8>, EngineError> {
        let mut region = vec![0; self.header.region_size()];
        self.file
            .read_exact_at(&mut region, 0)
            .map_err(|source| EngineError::System { what: "read the trace channel", source })?;
        Ok(region)
    }
}

fn nonce() -> io::Result<[u8; 16]> {
    let mut nonce = [0; 16];
    io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut nonce)?;
    Ok(nonce)
}
