//! A full copy of a folder into the private tmpfs, where the kernel refuses overlays.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

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

/// Copies the contents of `from` into `to`, giving them to `owner`. FIFOs, sockets and devices
/// are left out, and so is what the runner may not read: the program could not, either.
pub(crate) fn copy(from: &Path, to: &Path, owner: Option<u32>) -> io::Result<()> {
    let mut folders: Vec<(PathBuf, PathBuf)> = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = folders.pop() {
        for entry in fs::read_dir(&from)?.flatten() {
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                fs::create_dir(&target)?;
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
