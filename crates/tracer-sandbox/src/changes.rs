//! What a run changed in its overlaid folders, read from the private layers after its end.
//!
//! By then no process of the run is left, so what is read does not change any more; it can still
//! be anything, so nothing is followed and the walk is bounded.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::copy_out::{open_at, open_regular};
use crate::finished::{Change, ChangeKind, FileType};
use crate::layout::Layer;

/// Paths listed at most.
const MOST: usize = 100_000;

/// Lists the changes of `layer`, whose private tmpfs is `tmpfs`.
pub(crate) fn list(tmpfs: &OwnedFd, layer: &Layer) -> io::Result<Vec<Change>> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let root = open_at(
        tmpfs.as_fd(),
        Path::new(&layer.name),
        flags,
        0,
        libc::RESOLVE_BENEATH,
    )?;
    let mut walk = Walk {
        layer,
        root: Arc::new(root),
        changes: Vec::new(),
    };
    walk.folder(Path::new(""), layer.copied, true)?;
    walk.changes
        .sort_by(|left, right| left.path.cmp(&right.path));
    Ok(walk.changes)
}

/// Lists what the folder `name` below `parent`, taken for the private layer over `host`, changes:
/// for trying hostile layers without a run.
#[cfg(feature = "weaken")]
pub fn list_changes(
    host: &Path,
    parent: &Path,
    name: &str,
    copied: bool,
) -> io::Result<Vec<Change>> {
    let layer = Layer {
        folder: host.to_owned(),
        name: name.to_owned(),
        copied,
        filled: None,
        listed: true,
    };
    list(&File::open(parent)?.into(), &layer)
}

struct Walk<'run> {
    layer: &'run Layer,
    root: Arc<OwnedFd>,
    changes: Vec<Change>,
}

impl Walk<'_> {
    /// `opaque`: what is only in the host's folder is gone. `known`: the host has this folder.
    fn folder(&mut self, path: &Path, opaque: bool, known: bool) -> io::Result<()> {
        if path.components().count() > 256 {
            return Ok(());
        }
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS;
        let open = open_at(self.root.as_fd(), path, flags, 0, resolve)?;
        let place = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        let opaque = opaque || (known && is_opaque(&place));
        let mut below: BTreeMap<OsString, Option<Metadata>> = BTreeMap::new();
        if known {
            for entry in fs::read_dir(self.layer.folder.join(path))?.flatten() {
                below.insert(entry.file_name(), entry.metadata().ok());
            }
        }
        let mut folders = Vec::new();
        for entry in fs::read_dir(&place)?.flatten() {
            if self.changes.len() >= MOST {
                return Ok(());
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let before = below.remove(&entry.file_name()).flatten();
            let path = path.join(entry.file_name());
            if metadata.file_type().is_char_device() && metadata.rdev() == 0 {
                self.push(path, ChangeKind::Deleted, FileType::Gone, 0);
                continue;
            }
            let file = file_type(&metadata, &entry.path());
            let kind = match &before {
                None => Some(ChangeKind::Created),
                Some(before) if self.differs(&path, before, &metadata, &file) => {
                    Some(ChangeKind::Modified)
                }
                Some(_) => None,
            };
            if metadata.is_dir() {
                let known = before.is_some_and(|before| before.is_dir());
                folders.push((path.clone(), known));
            }
            if let Some(kind) = kind {
                self.push(path, kind, file, metadata.mode() & 0o7777);
            }
        }
        if opaque {
            for name in below.into_keys() {
                self.push(path.join(name), ChangeKind::Deleted, FileType::Gone, 0);
            }
        }
        drop(open);
        for (path, known) in folders {
            // A folder the program made unreadable to itself has nothing to give.
            let _ = self.folder(&path, opaque, known);
        }
        Ok(())
    }

    fn push(&mut self, path: PathBuf, kind: ChangeKind, file: FileType, mode: u32) {
        let (folder, layer) = (self.layer.folder.clone(), Arc::clone(&self.root));
        self.changes.push(Change {
            folder,
            path,
            kind,
            file,
            mode,
            layer,
        });
    }

    fn differs(&self, path: &Path, before: &Metadata, after: &Metadata, file: &FileType) -> bool {
        if before.file_type() != after.file_type() || before.mode() != after.mode() {
            return true;
        }
        let original = self.layer.folder.join(path);
        match file {
            FileType::Regular(size) => {
                before.len() != *size
                    || open_regular(&self.root, path)
                        .and_then(|after| same_bytes(after, File::open(original)?))
                        .map_or(true, |same| !same)
            }
            FileType::Link(target) => fs::read_link(original).ok().as_ref() != Some(target),
            FileType::Folder | FileType::Gone => false,
            FileType::Special => before.rdev() != after.rdev(),
        }
    }
}

fn file_type(metadata: &Metadata, path: &Path) -> FileType {
    if metadata.is_file() {
        FileType::Regular(metadata.len())
    } else if metadata.is_dir() {
        FileType::Folder
    } else if metadata.is_symlink() {
        fs::read_link(path).map_or(FileType::Special, FileType::Link)
    } else {
        FileType::Special
    }
}

/// Whether an overlay's folder hides the one below it, see the kernel's overlayfs.rst.
pub(crate) fn is_opaque(folder: &Path) -> bool {
    let Ok(name) = crate::layout::c_string(folder.as_os_str().as_encoded_bytes()) else {
        return false;
    };
    let mut value = [0u8; 1];
    // SAFETY: the strings end in NUL and the buffer is valid for its length.
    let length = unsafe {
        libc::getxattr(
            name.as_ptr(),
            c"user.overlay.opaque".as_ptr(),
            value.as_mut_ptr().cast(),
            value.len(),
        )
    };
    length == 1 && value[0] == b'y'
}

fn same_bytes(mut left: File, mut right: File) -> io::Result<bool> {
    let (mut first, mut second) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let length = left.read(&mut first)?;
        if length == 0 {
            return Ok(right.read(&mut second[..1])? == 0);
        }
        match right.read_exact(&mut second[..length]) {
            Ok(()) if first[..length] == second[..length] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
