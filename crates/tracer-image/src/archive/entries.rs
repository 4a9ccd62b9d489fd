//! The entries of a tar stream, with names made safe to join to a folder.
//!
//! The headers that carry long names (GNU `L` and `K`, pax `x`) are put together here rather than by
//! the library, which reads them into memory whatever length they claim.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::Reading;
use crate::ImageError;

/// Longest header of names that is read.
const LONGEST_HEADER: u64 = 1 << 20;

/// The end of the year 9999, in seconds since 1970.
const LATEST: u64 = 253_402_300_799;

/// What an entry stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File,
    /// A symbolic link to this text.
    Link(OsString),
    /// Another name of this entry.
    Hard(PathBuf),
    /// A device, a FIFO or something unknown.
    Special,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative, without `.` and `..`; empty for the root itself.
    pub(crate) name: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    /// Seconds since 1970.
    pub(crate) mtime: u64,
    /// Bytes that follow.
    pub(crate) size: u64,
    /// Where they stand in the stream.
    pub(crate) offset: u64,
}

/// Names from the headers before an entry.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Whether to go on with the next entry.
pub(crate) type Step = Result<bool, ImageError>;

/// Calls `visit` with every entry and a reader of its bytes, until it says `false`.
pub(crate) fn each(
    reading: &Reading<'_>,
    stream: impl Read,
    mut visit: impl FnMut(&Entry, &mut dyn Read) -> Step,
) -> Result<(), ImageError> {
    let mut archive = tar::Archive::new(stream);
    let entries = archive.entries().map_err(|error| reading.bad(error))?;
    let mut long = Long::default();
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|error| reading.bad(error))?;
        reading.entry()?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                long.name = Some(c_string(header_text(reading, &mut entry)?));
            }
            EntryType::GNULongLink => {
                long.link = Some(c_string(header_text(reading, &mut entry)?));
            }
            EntryType::XHeader => {
                let text = header_text(reading, &mut entry)?;
                pax(&text, &mut long).map_err(|problem| reading.bad(problem))?;
            }
            EntryType::XGlobalHeader => {}
            EntryType::GNUSparse => {
                return Err(reading.bad("it has sparse files; make it without --sparse"));
            }
            kind => {
                let found = finish(reading, &entry, kind, std::mem::take(&mut long))?;
                reading.declared(&found.name, found.size)?;
                if !visit(&found, &mut entry)? {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn finish<R: Read>(
    reading: &Reading<'_>,
    entry: &tar::Entry<'_, R>,
    kind: EntryType,
    long: Long,
) -> Result<Entry, ImageError> {
    let header = entry.header();
    let bad = |error: std::io::Error| reading.bad(error);
    let name = long
        .name
        .unwrap_or_else(|| header.path_bytes().into_owned());
    let size = header.entry_size().map_err(bad)?;
    if long.size.is_some_and(|long| long != size) {
        // Its reader would go by the length in the header and lose its place.
        return Err(reading.bad(format!(
            "{} has two lengths",
            Path::new(OsStr::from_bytes(&name)).display()
        )));
    }
    let link = || {
        let link = long
            .link
            .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
        link.filter(|link| !link.is_empty() && !link.contains(&0))
            .ok_or_else(|| reading.bad("it has a link to nowhere"))
    };
    let kind = match kind {
        EntryType::Directory => Kind::Folder,
        // Before POSIX, a folder was a file whose name ends so.
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => Kind::Folder,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Symlink => Kind::Link(OsString::from_vec(link()?)),
        EntryType::Link => Kind::Hard(clean(reading, &link()?)?),
        _ => Kind::Special,
    };
    Ok(Entry {
        name: clean(reading, &name)?,
        kind,
        mode: header.mode().map_err(bad)?,
        // Whatever it says, the year has four digits.
        mtime: header.mtime().map_err(bad)?.min(LATEST),
        size,
        offset: entry.raw_file_position(),
    })
}

/// A name as a path below the root: a leading `/` goes, as tar does it, and `..` is refused.
pub(crate) fn clean(reading: &Reading<'_>, name: &[u8]) -> Result<PathBuf, ImageError> {
    let refuse = |why: &str| {
        let name: String = String::from_utf8_lossy(name).chars().take(200).collect();
        Err(reading.bad(format!("the name `{}` {why}", name.escape_debug())))
    };
    let mut path = PathBuf::new();
    for part in name.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return refuse("leads out of it"),
            part if part.len() > 255 || part.contains(&0) => {
                return refuse("is none that a file can have");
            }
            part => path.push(OsStr::from_bytes(part)),
        }
    }
    if path.as_os_str().len() > 4000 {
        return refuse("is too long");
    }
    Ok(path)
}

fn header_text<R: Read>(
    reading: &Reading<'_>,
    entry: &mut tar::Entry<'_, R>,
) -> Result<Vec<u8>, ImageError> {
    let mut text = Vec::new();
    let size = entry.size();
    if size > LONGEST_HEADER {
        return Err(reading.bad(format!("it has a name of {size} bytes")));
    }
    entry
        .read_to_end(&mut text)
        .map_err(|error| reading.bad(error))?;
    Ok(text)
}

fn c_string(mut text: Vec<u8>) -> Vec<u8> {
    if let Some(end) = text.iter().position(|&byte| byte == 0) {
        text.truncate(end);
    }
    text
}

/// Records of the form `<length> <key>=<value>\n`, where a value may hold line ends.
fn pax(mut text: &[u8], long: &mut Long) -> Result<(), &'static str> {
    const MALFORMED: &str = "a pax header is malformed";
    while !text.is_empty() {
        let digits = text.iter().position(|&byte| byte == b' ');
        let length = digits
            .and_then(|digits| std::str::from_utf8(&text[..digits]).ok())
            .and_then(|digits| digits.parse::<usize>().ok());
        let (Some(digits), Some(length)) = (digits, length) else {
            return Err(MALFORMED);
        };
        let record = text
            .get(digits + 1..length)
            .and_then(|record| record.strip_suffix(b"\n"))
            .ok_or(MALFORMED)?;
        text = &text[length..];
        let equals = record
            .iter()
            .position(|&byte| byte == b'=')
            .ok_or(MALFORMED)?;
        let value = &record[equals + 1..];
        match &record[..equals] {
            b"path" => long.name = Some(value.to_vec()),
            b"linkpath" => long.link = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value).ok();
                long.size = Some(size.and_then(|size| size.parse().ok()).ok_or(MALFORMED)?);
            }
            key if key.starts_with(b"GNU.sparse.") => {
                return Err("it has sparse files; make it without --sparse");
            }
            _ => {}
        }
    }
    Ok(())
}
