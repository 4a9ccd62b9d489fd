//! What a run leaves behind.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use tracer_model::{Outcome, Protection, Usage};

/// Which stream a chunk came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of captured output; the pieces stand in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Stream.
    pub source: Source,
    /// Bytes of that stream, following those of its earlier chunks.
    pub length: usize,
}

/// What happened to a path in an overlaid folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Not there before.
    Created,
    /// Contents, type or permissions differ.
    Modified,
    /// No longer there.
    Deleted,
}

/// What kind of file stands there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileType {
    /// A regular file of this size.
    Regular(u64),
    /// A folder.
    Folder,
    /// A symbolic link with this target.
    Link(PathBuf),
    /// FIFO, socket or device: listed, never copied out.
    Special,
    /// Nothing: it was deleted.
    Gone,
}

/// One changed path of an overlaid folder.
#[derive(Debug, Clone)]
pub struct Change {
    /// The overlaid folder.
    pub folder: PathBuf,
    /// Path below it.
    pub path: PathBuf,
    /// What happened.
    pub kind: ChangeKind,
    /// What stands there now.
    pub file: FileType,
    /// Permission bits, 0 if deleted.
    pub mode: u32,
    /// The private layer the new file lives in.
    pub(crate) layer: Arc<OwnedFd>,
}

impl Change {
    /// Opens the new contents for reading. Only regular files open; a link, FIFO or device that
    /// took the path's place is refused, not followed.
    pub fn open(&self) -> io::Result<File> {
        crate::copy_out::open_regular(&self.layer, &self.path)
    }
}

/// What a run could take over from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beginning {
    /// Nothing.
    #[default]
    Cold,
    /// Its sandbox had been made ahead.
    Ready,
    /// That, and its interpreter had started before.
    Frozen,
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// How it ended, and which limits it met.
    pub outcome: Outcome,
    /// Captured standard output.
    pub stdout: Vec<u8>,
    /// Captured standard error.
    pub stderr: Vec<u8>,
    /// The order in which both arrived.
    pub output: Vec<Chunk>,
    /// What was consumed.
    pub usage: Usage,
    /// Every wall, and whether it stood.
    pub protections: Vec<Protection>,
    /// What changed in the overlaid folders, sorted by folder and path.
    pub changes: Vec<Change>,
    /// What it took over.
    pub beginning: Beginning,
}
