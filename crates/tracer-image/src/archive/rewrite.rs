//! Copying a tar stream entry by entry, so that what comes out is well-formed whatever went in.
//!
//! For layers of our own exports, which go to the packer as they are: nothing is unpacked, and names
//! have been made safe by `entries`. Owners, extended attributes and set-user-ID bits do not pass.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

use super::Reading;
use super::entries::{Kind, each};
use super::pack_tar::{append, append_link};
use crate::ImageError;

/// Copies `stream` to `out`; `failed` words what goes wrong there.
pub(crate) fn rewrite<W: Write>(
    reading: &Reading<'_>,
    stream: impl Read,
    out: W,
    failed: &dyn Fn(io::Error) -> ImageError,
) -> Result<W, ImageError> {
    let mut tar = tar::Builder::new(out);
    each(reading, stream, |entry, bytes| {
        let mut header = Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        header.set_mtime(entry.mtime);
        header.set_mode(entry.mode & 0o777);
        let name = &entry.name;
        let written = match &entry.kind {
            Kind::Folder => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(entry.mode & 0o1777);
                append(&mut tar, &mut header, name, io::empty())
            }
            _ if name.as_os_str().is_empty() => Ok(()),
            Kind::File => {
                header.set_entry_type(EntryType::Regular);
                header.set_size(entry.size);
                let mut bytes = Counted {
                    bytes,
                    count: 0,
                    problem: None,
                };
                let written = append(&mut tar, &mut header, name, &mut bytes);
                if let Some(problem) = bytes.problem {
                    return Err(reading.bad(problem));
                }
                // The library does not mind an entry that is shorter than it says.
                if written.is_ok() && bytes.count != entry.size {
                    return Err(reading.bad("it ends too early"));
                }
                written
            }
            Kind::Link(text) => {
                header.set_entry_type(EntryType::Symlink);
                append_link(&mut tar, &mut header, name, text)
            }
            Kind::Hard(target) => {
                header.set_entry_type(EntryType::Link);
                append_link(&mut tar, &mut header, name, target.as_os_str())
            }
            Kind::Special => Ok(()),
        };
        written.map_err(failed)?;
        Ok(true)
    })?;
    tar.into_inner().map_err(failed)
}

/// Tells trouble with the archive from trouble with what is written.
struct Counted<'a> {
    bytes: &'a mut dyn Read,
    count: u64,
    problem: Option<String>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self
            .bytes
            .read(buffer)
            .inspect_err(|error| self.problem = Some(error.to_string()))?;
        self.count += count as u64;
        Ok(count)
    }
}
