//! What an interpreter looked at before its program, and whether it is still the same: a snapshot
//! stands for no other files than those.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::request::Request;

/// How long the host's files are taken to be what they were.
const TRUST: Duration = Duration::from_millis(500);

/// Something in a folder that comes with each run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    path: PathBuf,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Bytes(Arc<[u8]>),
    /// A folder with these names in it.
    Names(Vec<PathBuf>),
    Nothing,
}

/// What a path is to a run.
pub(crate) enum Look {
    /// Nothing that comes with the run.
    Elsewhere,
    /// Something that is the run's own.
    Own,
    /// Something that may be the same in other runs.
    Seen(Seen),
}

impl Seen {
    /// What `path` is to `request`. Of folders of the host's that come with it, only what is not
    /// there can be the same.
    pub(crate) fn of(request: &Request, path: &Path) -> Look {
        let below = |folder: &Path| path.strip_prefix(folder).ok().map(Path::to_path_buf);
        let mut placed = request.placed.iter();
        let mut copies = request.copies.iter();
        let (files, below) = if let Some((placed, below)) =
            placed.find_map(|placed| Some((placed, below(&placed.path)?)))
        {
            (placed.files.as_slice(), below)
        } else {
            let copied = copies.find_map(|copied| Some((copied, below(&copied.path)?)));
            let Some((copied, below)) = copied else {
                return Look::Elsewhere;
            };
            let whole = below.as_os_str().is_empty();
            if !whole && fs::symlink_metadata(copied.from.join(&below)).is_ok() {
                return Look::Own;
            }
            (&[][..], below)
        };
        let what = if let Some((_, bytes)) = files.iter().find(|(name, _)| *name == below) {
            What::Bytes(Arc::clone(bytes))
        } else {
            let names = files
                .iter()
                .filter_map(|(name, _)| name.strip_prefix(&below).ok());
            let mut names: Vec<PathBuf> = names
                .filter_map(|rest| rest.components().next())
                .map(|first| PathBuf::from(first.as_os_str()))
                .collect();
            names.sort();
            names.dedup();
            match names[..] {
                [] => What::Nothing,
                _ => What::Names(names),
            }
        };
        Look::Seen(Self {
            path: path.to_owned(),
            what,
        })
    }

    /// Whether it is the same to another run.
    pub(crate) fn holds(&self, request: &Request) -> bool {
        matches!(Self::of(request, &self.path), Look::Seen(seen) if seen == *self)
    }
}

/// Device, inode, size, seconds and nanoseconds of its last change.
type Identity = Option<(u64, u64, u64, i64, i64)>;

fn identity(path: &Path) -> Identity {
    let data = fs::symlink_metadata(path).ok()?;
    Some((
        data.dev(),
        data.ino(),
        data.len(),
        data.ctime(),
        data.ctime_nsec(),
    ))
}

/// Files of the host. They may be replaced, as by a new version of the interpreter.
#[derive(Debug, Default)]
pub(crate) struct Host {
    paths: Vec<(PathBuf, Identity)>,
    checked: Mutex<Option<Instant>>,
}

impl Host {
    /// Remembers what stands at a path.
    pub(crate) fn note(&mut self, path: PathBuf) {
        let own = ["/proc", "/dev", "/sys", "/tmp", "/run"];
        if own.iter().any(|own| path.starts_with(own)) {
            return; // the sandbox's, not the host's
        }
        let identity = identity(&path);
        self.paths.push((path, identity));
    }

    /// Whether all is what it was, as of the last moments.
    pub(crate) fn holds(&self) -> bool {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.is_some_and(|at| at.elapsed() < TRUST) {
            return true;
        }
        let same = self
            .paths
            .iter()
            .all(|(path, known)| identity(path) == *known);
        *checked = same.then(Instant::now);
        same
    }
}
