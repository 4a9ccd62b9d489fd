//! The trace channel: a sealed memory file that outlives the subject.
//!
//! It only makes and reads the region; what the bytes mean is `tracer-stream`'s business.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tracer_model::{Budget, Detail};
use tracer_stream::Layout;

use crate::EngineError;

/// One run's channel.
#[derive(Debug)]
pub struct Channel {
    file: File,
    layout: Layout,
}

impl Channel {
    /// A region for this many sites, with header and nonce written, that can neither grow nor
    /// shrink.
    pub fn new(sites: u32, budget: &Budget, detail: Detail) -> Result<Self, EngineError> {
        let made = || -> io::Result<Self> {
            let layout = Layout::new(sites, budget, detail, nonce()?);
            let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
            let mut file = File::from(memfd_create(c"trace", flags)?);
            file.set_len(layout.size())?;
            file.write_all(&layout.header())?;
            let seals = SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
            fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
            Ok(Self { file, layout })
        };
        made().map_err(|source| EngineError::System {
            what: "make the trace channel",
            source,
        })
    }

    /// A descriptor for the subject.
    pub fn duplicate(&self) -> Result<OwnedFd, EngineError> {
        self.file
            .as_fd()
            .try_clone_to_owned()
            .map_err(|source| EngineError::System {
                what: "pass the trace channel",
                source,
            })
    }

    /// What the runner laid out; the region's own copy may have been forged since.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A copy of the used part of the region as the subject left it.
    pub fn read(&self) -> Result<Vec<u8>, EngineError> {
        let copied = || -> io::Result<Vec<u8>> {
            let mut start = vec![0; self.layout.header().len()];
            self.file.read_exact_at(&mut start, 0)?;
            let mut region = vec![0; self.layout.used(&start) as usize];
            self.file.read_exact_at(&mut region, 0)?;
            Ok(region)
        };
        copied().map_err(|source| EngineError::System {
            what: "read the trace channel",
            source,
        })
    }
}

fn nonce() -> io::Result<[u8; 16]> {
    let mut nonce = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut nonce)?;
    Ok(nonce)
}
