//! Packages of Debian, unpacked over an image as they are: their scripts are not run.
//!
//! Which packages a layer holds is apt's word, asked for the image and all that lies below.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, EntryType};

use super::{Libraries, lock_text};
use crate::apt::{Apt, package_file};
use crate::bootstrap::ensure_tools;
use crate::build::{apt, release};
use crate::layer::LISTS;
use crate::lock::Package;
use crate::normalise::{self, Fate, Kind};
use crate::sources::{fields, paragraphs};
use crate::tool::{Isolation, Tool};
use crate::{BuildOptions, Cancel, Declaration, Digest, ImageError, Lock, Progress, Store};

/// Folders of the root that are links to those of the same names below `usr`.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// A package as a layer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Debian name.
    pub name: String,
    /// Full Debian version.
    pub version: String,
    /// Short name of the licence of most of it, as its copyright file has it; empty where that is
    /// not of a form that machines read.
    pub licence: String,
    /// Its files, without the root.
    pub files: Vec<String>,
}

/// The lock of a layer.
pub(super) fn locked(libraries: &Libraries, layer: &str) -> Result<Lock, ImageError> {
    let (file, text) = lock_text(&libraries.owner, layer)?;
    Lock::parse(&file, &text)
}

/// Resolves all layers anew, over the locked image.
pub(super) fn lock(
    libraries: &Libraries,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Vec<(String, String)>, ImageError> {
    let language = &libraries.owner;
    let image = Declaration::find(language)?
        .lock
        .unwrap_or_default()
        .packages;
    let folder = tempfile::tempdir()
        .map_err(|error| ImageError::system("make a temporary folder", error))?;
    let apt = prepare(folder.path(), language, progress, cancel)?;
    let names = |layers: &[&str]| -> Vec<String> {
        let declared = libraries.layers.iter();
        let declared = declared.filter(|layer| layers.contains(&layer.name.as_str()));
        let wanted = declared.flat_map(|layer| layer.packages.iter().cloned());
        let below = image.iter().map(|package| package.name.clone());
        below.chain(wanted).collect()
    };
    progress.step(language, "resolving packages");
    let all: Vec<&str> = libraries.layers.iter().map(|layer| &*layer.name).collect();
    let pins = apt.resolve(&names(&all), &image, None)?;
    let mut locks: Vec<(String, Vec<Package>)> = Vec::new();
    for layer in all {
        let needed = libraries.with_needs(layer);
        let mut packages = apt.resolve(&names(&needed), &pins, None)?;
        let below = |package: &Package| {
            let known = locks
                .iter()
                .filter(|(name, _)| needed.contains(&name.as_str()));
            known
                .flat_map(|(_, packages)| packages)
                .chain(&image)
                // By name alone: an image that is older than the index keeps what it has.
                .any(|each| each.name == package.name)
        };
        packages.retain(|package| !below(package));
        locks.push((layer.to_owned(), packages));
    }
    let texts = locks
        .into_iter()
        .map(|(name, packages)| (name, Lock { packages }.text()));
    Ok(texts.collect())
}

fn prepare<'a>(
    folder: &Path,
    language: &str,
    progress: &dyn Progress,
    cancel: &'a Cancel,
) -> Result<Apt<'a>, ImageError> {
    ensure_tools(progress, folder, cancel)?;
    progress.step(language, "reading package indices");
    let (suite, _) = release()?;
    apt(folder, &suite, &BuildOptions::default(), progress, cancel)
}

/// A layer's packages, to be laid out.
pub(super) struct Laid<'a> {
    /// Name of the layer in the store.
    pub(super) whole: &'a str,
    /// What it holds.
    pub(super) packages: &'a [Package],
    /// Endings of files that are left out.
    pub(super) without: &'a [String],
}

impl Laid<'_> {
    /// Downloads the packages and lays them out in `tree`.
    pub(super) fn install(
        &self,
        store: &Store,
        tree: &Path,
        folder: &Path,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<(), ImageError> {
        let place = store.folder("packages")?;
        let lacking = self.packages.iter();
        let lacking: Vec<Package> = lacking
            .filter(|package| !package_file(&place, &package.digest).is_file())
            .cloned()
            .collect();
        if !lacking.is_empty() {
            let apt = prepare(folder, self.whole, progress, cancel)?;
            let missing: Vec<String> = (lacking.iter())
                .filter(|package| !apt.index().serves(package))
                .map(|package| format!("{} {}", package.name, package.version))
                .collect();
            if !missing.is_empty() {
                return Err(ImageError::LockDrift { missing });
            }
            progress.step(self.whole, "downloading packages");
            apt.download(store, &lacking, progress)?;
        }
        progress.step(self.whole, "unpacking packages");
        let mut list = String::new();
        for package in self.packages {
            cancel.check()?;
            let file = package_file(&place, &package.digest);
            let found = Digest::of_file(&file)
                .map_err(|error| ImageError::of_file("read", &file, error))?;
            if found != package.digest {
                return Err(ImageError::Damaged {
                    what: file.display().to_string(),
                    expected: package.digest.to_string(),
                    found: found.to_string(),
                });
            }
            let archive = folder.join("package.tar");
            let out = File::create(&archive)
                .map_err(|error| ImageError::of_file("write", &archive, error))?;
            Tool::new(format!("unpacking {}", package.name), folder, "dpkg-deb")
                .args([Path::new("--fsys-tarfile"), &file])
                .into_file(Isolation::None, out, cancel)?;
            let files = self
                .unpack(&archive, tree)
                .map_err(|error| ImageError::of_file("unpack", &file, error))?;
            let copyright = tree
                .join("usr/share/doc")
                .join(&package.name)
                .join("copyright");
            let licence = fs::read(copyright).map(|text| licence(&String::from_utf8_lossy(&text)));
            list.push_str(&format!(
                "Package: {}\nVersion: {}\nLicense: {}\nFiles:\n",
                package.name,
                package.version,
                licence.unwrap_or_default(),
            ));
            for file in files {
                list.push_str(&format!(" {file}\n"));
            }
            list.push('\n');
        }
        let path = tree.join(LISTS).join(format!("{}.packages", self.whole));
        fs::create_dir_all(tree.join(LISTS))
            .and_then(|()| fs::write(&path, list))
            .map_err(|error| ImageError::of_file("write", &path, error))
    }

    /// Unpacks the files of one package; which.
    fn unpack(&self, archive: &Path, tree: &Path) -> io::Result<Vec<String>> {
        let mut archive = Archive::new(BufReader::with_capacity(1 << 20, File::open(archive)?));
        archive.set_preserve_permissions(true);
        archive.set_preserve_mtime(true);
        let mut files = Vec::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?;
            // The link that stands for such a folder is the base's.
            if MERGED
                .iter()
                .any(|folder| plain(&path) == Path::new(folder))
            {
                continue;
            }
            let path = place(&path);
            let kind = match entry.header().entry_type() {
                EntryType::Directory => Kind::Folder,
                EntryType::Regular | EntryType::Continuous => Kind::File,
                EntryType::Symlink => Kind::Symlink,
                EntryType::Link => Kind::Hardlink,
                _ => continue,
            };
            if kind == Kind::Folder || normalise::fate(&path, kind) == Fate::Drop {
                continue;
            }
            let name = path.to_string_lossy();
            if self.without.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            let target = inside(tree, &path);
            if target.symlink_metadata().is_ok() {
                continue;
            }
            if let Some(above) = target.parent() {
                fs::create_dir_all(above)?;
            }
            let link = entry.link_name()?.map(std::borrow::Cow::into_owned);
            match (kind, link) {
                (Kind::Symlink, Some(link)) => symlink(link, &target)?,
                (Kind::Hardlink, Some(link)) => fs::hard_link(tree.join(place(&link)), &target)?,
                _ => drop(entry.unpack(&target)?),
            }
            if let Some(path) = path.to_str() {
                files.push(path.to_owned());
            }
        }
        Ok(files)
    }
}

/// Most links on the way to one file.
const LINKS: usize = 16;

/// Where a path leads inside `tree`, whose folders may be links by another package's word: those are
/// followed as if the tree were the root. The last part is not.
fn inside(tree: &Path, path: &Path) -> PathBuf {
    let mut left: Vec<OsString> = path.iter().rev().map(OsString::from).collect();
    let mut found = PathBuf::new();
    let mut links = 0;
    while let Some(part) = left.pop() {
        if part == ".." {
            found.pop();
            continue;
        }
        if part == "/" {
            found.clear();
            continue;
        }
        let next = found.join(&part);
        match fs::read_link(tree.join(&next)) {
            Ok(link) if !left.is_empty() && links < LINKS => {
                links += 1;
                left.extend(link.iter().rev().map(OsString::from));
            }
            _ => found = next,
        }
    }
    tree.join(found)
}

/// What is in an attached layer.
pub fn installed(tree: &Path, whole: &str) -> Vec<Installed> {
    let path = tree.join(LISTS).join(format!("{whole}.packages"));
    let text = fs::read_to_string(path).unwrap_or_default();
    let read = |stanza: &str| {
        let fields = fields(stanza);
        let value = |name: &str| {
            let (_, value) = fields.iter().find(|(field, _)| *field == name)?;
            Some(value.trim().to_owned())
        };
        Some(Installed {
            name: value("Package")?,
            version: value("Version")?,
            licence: value("License")?,
            files: value("Files")?
                .lines()
                .map(|line| line.trim().to_owned())
                .collect(),
        })
    };
    paragraphs(&text).filter_map(read).collect()
}

/// Where a path of a package stands: below the root, and not in a folder that is a link there.
fn place(path: &Path) -> PathBuf {
    let plain = plain(path);
    let merged = MERGED.iter().any(|folder| plain.starts_with(folder));
    if merged {
        Path::new("usr").join(plain)
    } else {
        plain
    }
}

/// A path of an archive without `./` and `/`.
fn plain(path: &Path) -> PathBuf {
    let parts = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_)));
    parts.collect()
}

/// The licence of most files, in a copyright file of Debian's machine-readable form, else of the
/// first common licence that it names.
fn licence(text: &str) -> String {
    let value = |stanza: &str, name: &str| {
        let fields = fields(stanza);
        let (_, value) = fields.iter().find(|(field, _)| *field == name)?;
        Some(value.lines().next().unwrap_or_default().trim().to_owned())
    };
    let mut stanzas = paragraphs(text);
    let whole = stanzas.find_map(|stanza| {
        let all = value(stanza, "Files").is_some_and(|files| files.starts_with('*'));
        all.then(|| value(stanza, "License")).flatten()
    });
    let named = || {
        let (_, rest) = text.split_once("/usr/share/common-licenses/")?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && !"-.".contains(c));
        Some(
            rest[..end.unwrap_or(rest.len())]
                .trim_end_matches('.')
                .to_owned(),
        )
    };
    whole.or_else(named).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_folders_are_followed_inside_the_tree() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path();
        fs::create_dir_all(root.join("usr/share/real")).unwrap();
        symlink("/usr/share/real", root.join("usr/share/one")).unwrap();
        symlink("../usr/share/one/new", root.join("usr/two")).unwrap();
        let found = |path: &str| inside(root, Path::new(path));
        assert_eq!(found("usr/share/one/a"), root.join("usr/share/real/a"));
        assert_eq!(found("usr/two/a"), root.join("usr/share/real/new/a"));
        // What is at the end is the file itself.
        assert_eq!(found("usr/share/one"), root.join("usr/share/one"));
        symlink("self", root.join("self")).unwrap();
        assert!(found("self/a").starts_with(root));
    }

    #[test]
    fn licences_are_read_in_both_forms() {
        let text = "Format: x\n\nFiles: *\nCopyright: me\nLicense: MIT\n text\n\nFiles: debian/*\nLicense: GPL-2+\n";
        assert_eq!(licence(text), "MIT");
        let text = "It is free. See /usr/share/common-licenses/GPL-2.\n";
        assert_eq!(licence(text), "GPL-2");
        assert_eq!(licence("Do as you like.\n"), "");
    }

    #[test]
    fn paths_stay_below_the_root_and_out_of_links() {
        assert_eq!(
            place(Path::new("./lib/x/y.so")),
            Path::new("usr/lib/x/y.so")
        );
        assert_eq!(place(Path::new("/../../etc/x")), Path::new("etc/x"));
        assert_eq!(place(Path::new("./usr/lib/x")), Path::new("usr/lib/x"));
    }

    #[test]
    fn a_package_is_laid_out_without_what_no_program_needs() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("package.tar");
        let mut tar = tar::Builder::new(File::create(&archive).unwrap());
        let mut add = |name: &str, kind: EntryType, text: &str| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(0o644);
            header.set_size(if kind == EntryType::Regular {
                text.len() as u64
            } else {
                0
            });
            match kind {
                EntryType::Regular => tar.append_data(&mut header, name, text.as_bytes()),
                _ => tar.append_link(&mut header, name, text),
            }
            .unwrap();
        };
        add("./lib/x/libx.so.1", EntryType::Regular, "code");
        add("./usr/lib/x/libx.so", EntryType::Symlink, "libx.so.1");
        add("./usr/lib/x/again", EntryType::Link, "./lib/x/libx.so.1");
        add("./usr/lib/x/libx.a", EntryType::Regular, "static");
        add("./usr/share/doc/x/README", EntryType::Regular, "read");
        add("./usr/share/doc/x/copyright", EntryType::Regular, "mine");
        tar.into_inner().unwrap();
        let tree = folder.path().join("tree");
        let laid = Laid {
            whole: "c+x",
            packages: &[],
            without: &[".a".to_owned()],
        };
        let files = laid.unpack(&archive, &tree).unwrap();
        let expected = [
            "usr/lib/x/libx.so.1",
            "usr/lib/x/libx.so",
            "usr/lib/x/again",
            "usr/share/doc/x/copyright",
        ];
        assert_eq!(files, expected);
        assert_eq!(fs::read(tree.join("usr/lib/x/libx.so")).unwrap(), b"code");
        assert_eq!(fs::read(tree.join("usr/lib/x/again")).unwrap(), b"code");
        assert!(!tree.join("lib").exists() && !tree.join("usr/lib/x/libx.a").exists());
    }

    #[test]
    fn a_layer_says_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let lists = folder.path().join(LISTS);
        fs::create_dir_all(&lists).unwrap();
        let text =
            "Package: ruby-x\nVersion: 1-1\nLicense: MIT\nFiles:\n usr/a.rb\n usr/b c.rb\n\n";
        fs::write(lists.join("ruby+core.packages"), text).unwrap();
        let [package] = &installed(folder.path(), "ruby+core")[..] else {
            panic!("not one package");
        };
        assert_eq!((&*package.name, &*package.licence), ("ruby-x", "MIT"));
        assert_eq!(package.files, ["usr/a.rb", "usr/b c.rb"]);
    }
}
