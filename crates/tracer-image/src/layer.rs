//! From the archive of a whole root to the archive of one layer.
//!
//! A language's layer holds what its root has differently from the base. It cannot take away:
//! a root that lacks a file of the base is refused, by name.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, Builder, EntryType, Header};

use crate::normalise::{self, Fate, Kind};
use crate::staging::children;
use crate::{Cancel, ImageError};

/// How a layer is made from a root.
pub(crate) struct LayerPlan<'a> {
    /// Language id, for messages.
    pub(crate) language: &'a str,
    /// The unpacked base, unless this is the base.
    pub(crate) base: Option<&'a Path>,
    /// Seconds since 1970 that stand for every later time stamp.
    pub(crate) epoch: u64,
    /// Files that are added.
    pub(crate) added: &'a [(PathBuf, Vec<u8>)],
}

/// Writes the archive of a layer.
struct Writer<'a, W: Write> {
    plan: &'a LayerPlan<'a>,
    output: Builder<W>,
    /// What the normalised root holds.
    seen: HashSet<PathBuf>,
    /// What the layer holds.
    written: HashSet<PathBuf>,
    /// Permissions of the folders above the current entry.
    folders: Vec<(PathBuf, u32)>,
}

impl LayerPlan<'_> {
    /// Reads the root `input` and writes the layer `output`, both archives.
    pub(crate) fn write(
        &self,
        input: &Path,
        output: &Path,
        cancel: &Cancel,
    ) -> Result<(), ImageError> {
        let file =
            File::create(output).map_err(|error| ImageError::of_file("write", output, error))?;
        let mut writer = Writer {
            plan: self,
            output: Builder::new(BufWriter::with_capacity(1 << 20, file)),
            seen: HashSet::new(),
            written: HashSet::new(),
            folders: Vec::new(),
        };
        let file = File::open(input).map_err(|error| ImageError::of_file("read", input, error))?;
        let mut archive = Archive::new(BufReader::with_capacity(1 << 20, file));
        let entries = archive
            .entries()
            .map_err(|error| ImageError::of_file("read", input, error))?;
        for entry in entries {
            cancel.check()?;
            entry
                .and_then(|entry| writer.entry(entry))
                .map_err(|error| ImageError::of_file("write the layer", output, error))?;
        }
        for (path, bytes) in self.added {
            writer
                .added(path, bytes)
                .map_err(|error| ImageError::of_file("write", output, error))?;
        }
        writer
            .output
            .into_inner()
            .and_then(|mut buffer| buffer.flush())
            .map_err(|error| ImageError::of_file("write", output, error))?;
        self.nothing_lost(&writer.seen)
    }

    fn nothing_lost(&self, seen: &HashSet<PathBuf>) -> Result<(), ImageError> {
        let Some(base) = self.base else {
            return Ok(());
        };
        let mut lost = Vec::new();
        let mut folders = vec![base.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in children(&folder) {
                let below = path.strip_prefix(base).expect("it is below the base");
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else if !seen.contains(below) && !ours(below) {
                    lost.push(below.display().to_string());
                }
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        lost.sort();
        lost.truncate(8);
        Err(ImageError::Declaration {
            file: format!("{}/image.toml", self.language),
            problem: format!("its packages remove files of the base: {}", lost.join(", ")),
        })
    }
}

/// Where the lists of packages stand, one a layer.
pub(crate) const LISTS: &str = "usr/share/tracer";

fn ours(path: &Path) -> bool {
    path.starts_with(LISTS)
}

impl<W: Write> Writer<'_, W> {
    fn entry<R: Read>(&mut self, mut entry: tar::Entry<'_, R>) -> io::Result<()> {
        let path = plain(&entry.path()?);
        let kind = match entry.header().entry_type() {
            EntryType::Directory => Kind::Folder,
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Symlink => Kind::Symlink,
            EntryType::Link => Kind::Hardlink,
            // Devices, pipes and sockets are the sandbox's business.
            _ => return Ok(()),
        };
        let fate = normalise::fate(&path, kind);
        if fate == Fate::Drop {
            return Ok(());
        }
        self.seen.insert(path.clone());
        let mode = normalise::mode(entry.header().mode()?, kind);
        let mtime = normalise::time(entry.header().mtime()?, kind, self.plan.epoch);
        let link = entry.link_name()?.map(std::borrow::Cow::into_owned);
        match (kind, link) {
            (Kind::Folder, _) => self.folder(&path, mode),
            (Kind::Symlink, Some(target)) => {
                if self
                    .below(&path)
                    .is_some_and(|below| fs::read_link(below).is_ok_and(|found| found == target))
                {
                    return Ok(());
                }
                self.link(&path, &target, EntryType::Symlink, mtime)
            }
            (Kind::Hardlink, Some(target)) => {
                let target = plain(&target);
                if self.written.contains(&target) {
                    return self.link(&path, &target, EntryType::Link, mtime);
                }
                // Its other name is in the base, unchanged.
                let bytes = match self.plan.base {
                    Some(base) if self.seen.contains(&target) => fs::read(base.join(&target))?,
                    _ => {
                        let text = format!(
                            "{} is a link to {}, which is left out",
                            path.display(),
                            target.display()
                        );
                        return Err(io::Error::other(text));
                    }
                };
                self.file(&path, mode, mtime, bytes.len() as u64, &mut &bytes[..])
            }
            (Kind::File, _) if fate == Fate::Empty => {
                self.file(&path, mode, self.plan.epoch, 0, &mut io::empty())
            }
            (Kind::File, _) => {
                let size = entry.size();
                if path.extension().is_some_and(|end| end == "pyc") {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes)?;
                    normalise::python(&path, &mut bytes);
                    return self.file(&path, mode, mtime, size, &mut &bytes[..]);
                }
                self.file(&path, mode, mtime, size, &mut entry)
            }
            (Kind::Symlink | Kind::Hardlink, None) => Err(io::Error::other(format!(
                "{} links to nothing",
                path.display()
            ))),
        }
    }

    /// The file of the base at this path.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        let below = self.plan.base?.join(path);
        below.symlink_metadata().is_ok().then_some(below)
    }

    fn folder(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        while self
            .folders
            .last()
            .is_some_and(|(above, _)| !path.starts_with(above))
        {
            self.folders.pop();
        }
        let same = self.below(path).is_some_and(|below| {
            below
                .symlink_metadata()
                .is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o7777 == mode)
        });
        self.folders.push((path.to_owned(), mode));
        if same {
            Ok(())
        } else {
            self.above(&path.join("x"))
        }
    }

    /// Writes the folders above `path` that the layer lacks.
    fn above(&mut self, path: &Path) -> io::Result<()> {
        let folders: Vec<_> = path.ancestors().skip(1).map(Path::to_owned).collect();
        for folder in folders.into_iter().rev() {
            if !self.written.insert(folder.clone()) {
                continue;
            }
            let known = self.folders.iter().find(|(path, _)| *path == folder);
            let mode = known.map_or(0o755, |(_, mode)| *mode);
            let mut header = header(EntryType::Directory, mode, self.plan.epoch, 0);
            let name = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &folder
            };
            self.output.append_data(&mut header, name, io::empty())?;
        }
        Ok(())
    }

    fn link(&mut self, path: &Path, target: &Path, kind: EntryType, mtime: u64) -> io::Result<()> {
        self.above(path)?;
        self.written.insert(path.to_owned());
        let mut header = header(kind, 0o777, mtime, 0);
        self.output.append_link(&mut header, path, target)
    }

    fn file(
        &mut self,
        path: &Path,
        mode: u32,
        mtime: u64,
        size: u64,
        bytes: &mut dyn Read,
    ) -> io::Result<()> {
        let candidate = self.below(path).filter(|below| {
            below.symlink_metadata().is_ok_and(|found| {
                found.is_file()
                    && found.len() == size
                    && found.permissions().mode() & 0o7777 == mode
            })
        });
        let mut header = header(EntryType::Regular, mode, mtime, size);
        let Some(below) = candidate else {
            self.above(path)?;
            self.written.insert(path.to_owned());
            return self.output.append_data(&mut header, path, bytes);
        };
        let mut text = Vec::with_capacity(size as usize);
        bytes.read_to_end(&mut text)?;
        if fs::read(below)? == text {
            return Ok(());
        }
        self.above(path)?;
        self.written.insert(path.to_owned());
        self.output.append_data(&mut header, path, &text[..])
    }

    fn added(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.folders.clear();
        self.file(
            path,
            0o644,
            self.plan.epoch,
            bytes.len() as u64,
            &mut &bytes[..],
        )
    }
}

/// Owned by root, without names of users.
fn header(kind: EntryType, mode: u32, mtime: u64, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(mtime);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// A path of an archive without `./` and `/`.
fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

/// Unpacks a layer into a new folder, as whoever calls.
pub(crate) fn unpack(archive: &Path, folder: &Path, cancel: &Cancel) -> Result<(), ImageError> {
    let failed = |error| {
        ImageError::writing(
            format!("unpack {} to {}", archive.display(), folder.display()),
            folder,
            error,
        )
    };
    fs::create_dir(folder).map_err(failed)?;
    let file = File::open(archive).map_err(failed)?;
    let mut archive = Archive::new(BufReader::with_capacity(1 << 20, file));
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(true);
    for entry in archive.entries().map_err(failed)? {
        cancel.check()?;
        entry
            .and_then(|mut entry| entry.unpack_in(folder))
            .map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a root: `d name`, `f name text`, `l name target`, `h name target`.
    fn root(path: &Path, entries: &[&str]) {
        let mut builder = Builder::new(File::create(path).unwrap());
        for entry in entries {
            let words: Vec<&str> = entry.split(' ').collect();
            let (name, rest) = (words[1], words.get(2).copied().unwrap_or_default());
            let kind = match words[0] {
                "d" => EntryType::Directory,
                "f" => EntryType::Regular,
                "l" => EntryType::Symlink,
                "h" => EntryType::Link,
                _ => EntryType::Char,
            };
            let size = if kind == EntryType::Regular {
                rest.len()
            } else {
                0
            };
            let mut header = header(kind, 0o4700, 99, size as u64);
            header.set_uid(1000);
            match kind {
                EntryType::Symlink | EntryType::Link => {
                    builder.append_link(&mut header, name, rest).unwrap();
                }
                _ => builder
                    .append_data(&mut header, name, &rest.as_bytes()[..size])
                    .unwrap(),
            }
        }
        builder.finish().unwrap();
    }

    /// Names of a layer, sorted as they come, with what each is.
    fn listed(path: &Path) -> Vec<String> {
        let mut archive = Archive::new(File::open(path).unwrap());
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let link = entry
                .link_name()
                .unwrap()
                .map(|link| link.display().to_string());
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, 10));
            let name = entry.path().unwrap().display().to_string();
            let mode = header.mode().unwrap();
            [name, format!("{mode:o}"), link.unwrap_or(text)]
                .join(" ")
                .trim_end()
                .to_owned()
        });
        entries.collect()
    }

    struct Roots {
        folder: tempfile::TempDir,
    }

    impl Roots {
        const BASE: [&str; 7] = [
            "d ./",
            "d ./bin",
            "f ./bin/a same",
            "f ./bin/b old",
            "l ./bin/c a",
            "d ./tmp",
            "d ./opt",
        ];

        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let roots = Self { folder };
            roots.layer(&Self::BASE, None).unwrap();
            let cancel = Cancel::new();
            unpack(&roots.path("layer"), &roots.path("base"), &cancel).unwrap();
            roots
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn layer(&self, entries: &[&str], base: Option<&Path>) -> Result<Vec<String>, ImageError> {
            root(&self.path("root"), entries);
            let plan = LayerPlan {
                language: "ruby",
                base,
                epoch: 10,
                added: &[],
            };
            plan.write(&self.path("root"), &self.path("layer"), &Cancel::new())?;
            Ok(listed(&self.path("layer")))
        }

        fn above(&self, more: &[&str]) -> Result<Vec<String>, ImageError> {
            let mut entries = Self::BASE.to_vec();
            entries.extend(more);
            self.layer(&entries, Some(&self.path("base")))
        }
    }

    #[test]
    fn the_lowest_layer_is_the_whole_root() {
        let roots = Roots::new();
        let whole = roots.layer(&Roots::BASE, None).unwrap();
        let expected = [
            ". 755",
            "bin 755",
            "bin/a 755 same",
            "bin/b 755 old",
            "bin/c 777 a",
            "tmp 755",
            "opt 755",
        ];
        assert_eq!(whole, expected);
    }

    #[test]
    fn a_layer_has_what_the_base_lacks_and_the_folders_above() {
        let roots = Roots::new();
        assert_eq!(roots.above(&[]).unwrap(), Vec::<String>::new());
        let layer = roots.above(&[
            "d ./opt/x",
            "f ./opt/x/y new",
            "x ./dev/null",
            "f ./tmp/z z",
        ]);
        assert_eq!(
            layer.unwrap(),
            [". 755", "opt 755", "opt/x 755", "opt/x/y 755 new"]
        );
        let changed = [
            "d ./",
            "d ./bin",
            "f ./bin/a same",
            "f ./bin/b new",
            "l ./bin/c b",
            "d ./opt",
            "d ./tmp",
        ];
        let layer = roots.layer(&changed, Some(&roots.path("base"))).unwrap();
        assert_eq!(layer, [". 755", "bin 755", "bin/b 755 new", "bin/c 777 b"]);
    }

    #[test]
    fn a_second_name_of_a_file_below_becomes_a_copy() {
        let roots = Roots::new();
        let layer = roots
            .above(&["h ./opt/a ./bin/a", "f ./opt/n text", "h ./opt/o ./opt/n"])
            .unwrap();
        assert_eq!(
            layer[2..],
            ["opt/a 755 same", "opt/n 755 text", "opt/o 777 opt/n"]
        );
        let error = roots.above(&["h ./opt/a ./tmp/gone"]).unwrap_err();
        assert!(matches!(error, ImageError::System { .. }), "{error}");
    }

    #[test]
    fn what_takes_away_from_the_base_is_refused_by_name() {
        let roots = Roots::new();
        let fewer: Vec<&str> = Roots::BASE
            .into_iter()
            .filter(|entry| !entry.contains("bin/b"))
            .collect();
        let error = roots.layer(&fewer, Some(&roots.path("base"))).unwrap_err();
        assert!(error.to_string().contains("bin/b"), "{error}");
        assert!(error.to_string().contains("ruby"), "{error}");
    }
}
