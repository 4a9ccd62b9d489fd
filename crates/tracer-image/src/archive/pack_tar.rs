//! Writing a tree as a tar that is the same wherever the tree stands.
//!
//! Entries come in the order of names, and all belong to root. Extended attributes, devices and FIFOs
//! are not kept.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use crate::staging::children;
use crate::{Cancel, ImageError, Progress};

/// Writes all below `tree` to `out`; `failed` words what goes wrong there.
pub(crate) fn write<W: Write>(
    tree: &Path,
    out: W,
    failed: &dyn Fn(io::Error) -> ImageError,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<W, ImageError> {
    let mut writer = TreeWriter {
        tar: tar::Builder::new(out),
        links: BTreeMap::new(),
        failed,
        progress,
        cancel,
        done: 0,
        total: length(tree),
    };
    writer.entry(tree, Path::new(""))?;
    writer.tar.into_inner().map_err(failed)
}

/// Bytes of all files together.
fn length(path: &Path) -> u64 {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => children(path).iter().map(|path| length(path)).sum(),
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => 0,
    }
}

/// Writes a tree as a tar, in the order of names.
struct TreeWriter<'a, W: Write> {
    tar: tar::Builder<W>,
    /// First names of files that have several.
    links: BTreeMap<(u64, u64), PathBuf>,
    failed: &'a dyn Fn(io::Error) -> ImageError,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    done: u64,
    total: u64,
}

impl<W: Write> TreeWriter<'_, W> {
    fn folder(&mut self, tree: &Path, below: &Path) -> Result<(), ImageError> {
        let folder = tree.join(below);
        let unread = |error| ImageError::system(format!("read {}", folder.display()), error);
        let mut names = fs::read_dir(&folder)
            .map_err(unread)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(unread)?;
        names.sort();
        for name in names {
            self.cancel.check()?;
            self.entry(tree, &below.join(name))?;
        }
        Ok(())
    }

    fn entry(&mut self, tree: &Path, name: &Path) -> Result<(), ImageError> {
        let path = tree.join(name);
        let unread = |error| ImageError::system(format!("read {}", path.display()), error);
        let metadata = path.symlink_metadata().map_err(unread)?;
        let mut header = Header::new_gnu();
        header.set_mode(metadata.mode() & 0o7777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(metadata.mtime().max(0).cast_unsigned());
        header.set_size(0);
        let kind = metadata.file_type();
        if !kind.is_dir() && metadata.nlink() > 1 {
            let number = (metadata.dev(), metadata.ino());
            if let Some(first) = self.links.get(&number) {
                header.set_entry_type(EntryType::Link);
                let first = first.clone();
                return append_link(&mut self.tar, &mut header, name, first.as_os_str())
                    .map_err(self.failed);
            }
            self.links.insert(number, name.to_owned());
        }
        if kind.is_dir() {
            header.set_entry_type(EntryType::Directory);
            append(&mut self.tar, &mut header, name, io::empty()).map_err(self.failed)?;
            return self.folder(tree, name);
        }
        if kind.is_symlink() {
            header.set_entry_type(EntryType::Symlink);
            let target = fs::read_link(&path).map_err(unread)?;
            return append_link(&mut self.tar, &mut header, name, target.as_os_str())
                .map_err(self.failed);
        }
        if kind.is_file() {
            header.set_entry_type(EntryType::Regular);
            header.set_size(metadata.len());
            let file = File::open(&path).map_err(unread)?;
            self.done += metadata.len();
            self.progress.bytes(self.done, self.total);
            return self
                .tar
                .append_data(&mut header, name, file.take(metadata.len()))
                .map_err(self.failed);
        }
        Ok(())
    }
}

/// Writes an entry; a folder's name ends in `/`, and the root's is `./`.
pub(crate) fn append<W: Write>(
    tar: &mut tar::Builder<W>,
    header: &mut Header,
    name: &Path,
    bytes: impl Read,
) -> io::Result<()> {
    if header.entry_type() != EntryType::Directory {
        return tar.append_data(header, name, bytes);
    }
    let mut text = match name.as_os_str() {
        root if root.is_empty() => OsString::from("."),
        name => name.to_owned(),
    };
    text.push("/");
    tar.append_data(header, text, bytes)
}

/// Writes a link with its text as it is; the library would tidy it.
pub(crate) fn append_link<W: Write>(
    tar: &mut tar::Builder<W>,
    header: &mut Header,
    name: &Path,
    text: &OsStr,
) -> io::Result<()> {
    let text = text.as_bytes();
    if header.set_link_name_literal(text).is_err() {
        let mut long = Header::new_gnu();
        long.set_path("././@LongLink")?;
        long.set_entry_type(EntryType::GNULongLink);
        long.set_mode(0o644);
        long.set_mtime(0);
        long.set_size(text.len() as u64 + 1);
        long.set_cksum();
        tar.append(&long, &[text, b"\0"].concat()[..])?;
    }
    tar.append_data(header, name, io::empty())
}
