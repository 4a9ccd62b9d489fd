//! The named parts of a container archive, in any order: a folder, or a tar that is read by position.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use super::compression::{self, Compression};
use super::entries::{Kind, each};
use super::{Hashed, Reading};
use crate::{Digest, ImageError, Progress};

/// Longest part that is read as text.
const LONGEST_TEXT: u64 = 8 << 20;

/// A container archive.
pub(crate) enum Parts {
    /// A folder with an OCI layout.
    Folder(PathBuf),
    /// A plain tar, and where in it which part stands.
    Tar {
        file: File,
        places: BTreeMap<PathBuf, Place>,
    },
}

/// Where a part stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Bytes {
        offset: u64,
        size: u64,
    },
    /// Under another name: `docker save` once wrote a repeated layer so.
    Same(PathBuf),
}

impl Parts {
    /// Opens an archive; `None` if it is no container's but a plain root's. A compressed container
    /// is decompressed into `spool`.
    pub(crate) fn open(reading: &Reading<'_>, spool: &Path) -> Result<Option<Self>, ImageError> {
        let path = reading.archive;
        let unread = |error| ImageError::system(format!("read {}", path.display()), error);
        if path.is_dir() {
            if path.join("index.json").is_file() {
                return Ok(Some(Self::Folder(path.to_owned())));
            }
            return Err(reading.bad("it is a folder without an OCI image layout"));
        }
        let mut file = File::open(path).map_err(unread)?;
        let (compression, stream) =
            compression::open(file.try_clone().map_err(unread)?).map_err(unread)?;
        let Some(places) = scan(reading, stream)? else {
            return Ok(None);
        };
        if compression != Compression::None {
            let again = reading.again();
            let (_, stream) =
                compression::open(File::open(path).map_err(unread)?).map_err(unread)?;
            let mut out = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(spool)
                .map_err(|error| full(spool, error))?;
            let mut stream = again.metered(stream);
            let mut buffer = vec![0; 1 << 16];
            loop {
                reading.cancel.check()?;
                let count = stream
                    .read(&mut buffer)
                    .map_err(|error| reading.bad(error))?;
                if count == 0 {
                    break;
                }
                io::Write::write_all(&mut out, &buffer[..count])
                    .map_err(|error| full(spool, error))?;
            }
            file = out;
        }
        Ok(Some(Self::Tar { file, places }))
    }

    /// Whether there is a part of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Tar { places, .. } => places.contains_key(Path::new(name)),
        }
    }

    /// Opens a part; its bytes and how many they are.
    pub(crate) fn part(
        &self,
        reading: &Reading<'_>,
        name: &Path,
    ) -> Result<(Box<dyn Read + '_>, u64), ImageError> {
        let missing = || reading.bad(format!("{} is missing", name.display()));
        match self {
            Self::Folder(folder) => {
                let plain = |part| matches!(part, Component::Normal(_));
                if !name.components().all(plain) {
                    return Err(missing());
                }
                let file = File::open(folder.join(name)).map_err(|_| missing())?;
                let metadata = file.metadata().map_err(|_| missing())?;
                Ok((Box::new(file), metadata.len()))
            }
            Self::Tar { file, places } => {
                let mut place = places.get(name);
                // A link of a link is not followed for ever.
                for _ in 0..8 {
                    match place {
                        Some(Place::Same(other)) => place = places.get(other),
                        _ => break,
                    }
                }
                let Some(&Place::Bytes { offset, size }) = place else {
                    return Err(missing());
                };
                let end = offset + size;
                Ok((Box::new(Slice { file, offset, end }), size))
            }
        }
    }

    /// Reads a part that is text, and compares it with the digest it should have.
    pub(crate) fn text(
        &self,
        reading: &Reading<'_>,
        name: &Path,
        digest: Option<&Digest>,
    ) -> Result<Vec<u8>, ImageError> {
        let (part, size) = self.part(reading, name)?;
        if size > LONGEST_TEXT {
            return Err(reading.bad(format!("{} has {size} bytes", name.display())));
        }
        let mut text = Vec::new();
        let mut part = Hashed::new(part.take(LONGEST_TEXT));
        part.read_to_end(&mut text)
            .map_err(|error| reading.bad(error))?;
        let (_, found, _) = part.finish();
        match digest {
            Some(digest) if *digest != found => Err(damaged(name, digest, &found)),
            _ => Ok(text),
        }
    }
}

pub(crate) fn damaged(name: &Path, expected: &Digest, found: &Digest) -> ImageError {
    ImageError::Damaged {
        what: name.display().to_string(),
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

fn full(spool: &Path, error: io::Error) -> ImageError {
    let folder = spool.parent().unwrap_or(spool);
    ImageError::writing(format!("write {}", spool.display()), folder, error)
}

/// Looks through a tar; `None` once a name shows that it is a plain root.
fn scan(
    reading: &Reading<'_>,
    stream: impl Read,
) -> Result<Option<BTreeMap<PathBuf, Place>>, ImageError> {
    let reading = reading.again();
    let mut places = BTreeMap::new();
    let mut container = true;
    each(&reading, reading.metered(stream), |entry, _| {
        container = of_container(&entry.name);
        let place = match &entry.kind {
            Kind::File => Some(Place::Bytes {
                offset: entry.offset,
                size: entry.size,
            }),
            Kind::Link(text) => beside(&entry.name, Path::new(text)).map(Place::Same),
            Kind::Hard(target) => Some(Place::Same(target.clone())),
            _ => None,
        };
        if let Some(place) = place {
            places.insert(entry.name.clone(), place);
        }
        Ok(container)
    })?;
    let known = ["index.json", "manifest.json"].map(|name| places.contains_key(Path::new(name)));
    Ok((container && known.contains(&true)).then_some(places))
}

/// Whether a container archive has parts of this name: those of an OCI layout and of Docker.
fn of_container(name: &Path) -> bool {
    const KNOWN: [&str; 5] = [
        "blobs",
        "index.json",
        "oci-layout",
        "manifest.json",
        "repositories",
    ];
    let Some(Component::Normal(first)) = name.components().next() else {
        return true;
    };
    let Some(first) = first.to_str() else {
        return false;
    };
    let stem = first
        .strip_suffix(".json")
        .or_else(|| first.strip_suffix(".tar"))
        .unwrap_or(first);
    KNOWN.contains(&first) || stem.parse::<Digest>().is_ok()
}

/// Where a relative link of a part leads, if it stays inside.
fn beside(name: &Path, text: &Path) -> Option<PathBuf> {
    let mut path = name.parent()?.to_owned();
    for part in text.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::ParentDir if path.pop() => {}
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(path)
}

/// A stretch of a file.
struct Slice<'a> {
    file: &'a File,
    offset: u64,
    end: u64,
}

impl Read for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = (self.end - self.offset).min(buffer.len() as u64) as usize;
        let count = self.file.read_at(&mut buffer[..most], self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Tells how much of a part has been read.
pub(crate) struct Told<'a, R> {
    pub(crate) inner: R,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) done: u64,
    pub(crate) total: u64,
}

impl<R: Read> Read for Told<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done += count as u64;
        self.progress.bytes(self.done, self.total);
        Ok(count)
    }
}
