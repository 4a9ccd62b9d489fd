//! What is copied or written into the private tmpfs before the program starts.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Room a copy of `folder` needs: bytes and entries.
pub(crate) fn room(folder: &Path) -> (u64, u64) {
    let (mut bytes, mut entries) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            entries += 1;
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.is_file() {
                bytes += metadata.len().next_multiple_of(4096);
            }
        }
    }
    (bytes, entries)
}

/// Room that files of a run need: bytes and entries.
pub(crate) fn room_for(files: &[(PathBuf, Arc<[u8]>)]) -> (u64, u64) {
    files.iter().fold((0, 0), |(bytes, entries), (path, text)| {
        let size = (text.len() as u64).next_multiple_of(4096);
        // Its folders may be its own alone.
        (bytes + size, entries + path.components().count() as u64)
    })
}

/// Writes files, with the folders they are in, into `to`.
pub(crate) fn write(files: &[(PathBuf, Arc<[u8]>)], to: &Path) -> io::Result<()> {
    let mut made: Option<&Path> = None;
    for (path, bytes) in files {
        let folder = path.parent();
        if folder != made
            && let Some(folder) = folder
        {
            fs::create_dir_all(to.join(folder))?;
            made = Some(folder);
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o444);
        options.open(to.join(path))?.write_all(bytes)?;
    }
    Ok(())
}

/// Copies the contents of `from` into `to`, giving them to `owner`. FIFOs, sockets and devices
/// are left out, and so is what the runner may not read: the program could not, either.
pub(crate) fn copy(from: &Path, to: &Path, owner: Option<u32>) -> io::Result<()> {
    let mut folders: Vec<(PathBuf, PathBuf)> = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = folders.pop() {
        for entry in fs::read_dir(&from)?.flatten() {
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                match fs::create_dir(&target) {
                    // What stands in for a file in it has its place already.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        if !fs::symlink_metadata(&target)?.is_dir() {
                            return Err(error);
                        }
                    }
                    result => result?,
                }
                folders.push((source, target.clone()));
            } else if metadata.is_symlink() {
                symlink(fs::read_link(&source)?, &target)?;
            } else if metadata.is_file() {
                match fs::copy(&source, &target) {
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
                    result => result?,
                };
            } else {
                continue;
            }
            if let Some(owner) = owner {
                lchown(&target, Some(owner), Some(owner))?;
            }
            if !metadata.is_symlink() {
                fs::set_permissions(
                    &target,
                    fs::Permissions::from_mode(metadata.mode() & 0o1777),
                )?;
            }
        }
    }
    Ok(())
}
