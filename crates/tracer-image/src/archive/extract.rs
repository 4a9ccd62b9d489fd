//! Laying the entries of an archive into a folder, none of which can reach out of it.
//!
//! A folder's name is resolved by the kernel with the tree as the root (`openat2`,
//! `RESOLVE_IN_ROOT`): links such as `/lib -> usr/lib` work, and one that points outside leads to
//! where it would lead in the image. The last part of a name is never followed. Owners, extended
//! attributes and set-user-ID bits are dropped; devices and FIFOs are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::{
    FileStat, Mode, SFlag, UtimensatFlags, fstatat, futimens, mkdirat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{UnlinkatFlags, linkat, symlinkat, unlinkat};

use super::Reading;
use super::entries::{Entry, Kind, each};
use crate::ImageError;

/// What a name that starts with `.wh.` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whiteouts {
    /// Nothing: a plain root.
    Plain,
    /// What a lower layer put there is removed.
    Apply,
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// A folder that archives are unpacked into.
pub(crate) struct Tree<'a> {
    reading: &'a Reading<'a>,
    path: &'a Path,
    root: OwnedFd,
    /// Final modes and time stamps of folders; until the end all can be written.
    folders: BTreeMap<PathBuf, (u32, u64)>,
    /// What the current layer has put there.
    fresh: BTreeSet<PathBuf>,
    /// How many devices and FIFOs were left out.
    left_out: u64,
}

impl<'a> Tree<'a> {
    /// Unpacks into the empty folder `path`.
    pub(crate) fn new(reading: &'a Reading<'a>, path: &'a Path) -> Result<Self, ImageError> {
        let root = File::open(path)
            .map_err(|error| ImageError::system(format!("open {}", path.display()), error))?;
        Ok(Self {
            reading,
            path,
            root: root.into(),
            folders: BTreeMap::new(),
            fresh: BTreeSet::new(),
            left_out: 0,
        })
    }

    /// Lays one layer over what is there.
    pub(crate) fn layer(
        &mut self,
        stream: impl Read,
        whiteouts: Whiteouts,
    ) -> Result<(), ImageError> {
        self.fresh.clear();
        each(self.reading, stream, |entry, bytes| {
            self.entry(entry, bytes, whiteouts)?;
            Ok(true)
        })
    }

    /// Gives the folders their modes and time stamps.
    pub(crate) fn finish(mut self) -> Result<(), ImageError> {
        if self.left_out > 0 {
            self.reading.progress.note(&format!(
                "left out {} devices and FIFOs of {}",
                self.left_out,
                self.reading.archive.display()
            ));
        }
        let (_, mtime) = self.folders.remove(Path::new("")).unwrap_or_default();
        // The deepest first: one that closes itself closes what is below.
        for (path, (mode, mtime)) in self.folders.iter().rev() {
            let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let opened = self
                .open(above)
                .and_then(|parent| openat(&parent, name, flags, Mode::empty()));
            match opened {
                Ok(folder) => self.close(folder, path, *mode, *mtime)?,
                // Replaced or hidden by a later entry.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
                Err(error) => return Err(self.failed("open", path, error)),
            }
        }
        let root = self.open(Path::new(""));
        let root = root.map_err(|error| self.failed("open", Path::new(""), error))?;
        self.close(root, Path::new(""), 0o755, mtime)
    }

    fn close(&self, folder: OwnedFd, path: &Path, mode: u32, mtime: u64) -> Result<(), ImageError> {
        let failed = |error| self.failed("set the mode of", path, error);
        futimens(&folder, &stamp(mtime), &stamp(mtime)).map_err(|error| failed(error.into()))?;
        File::from(folder)
            .set_permissions(fs::Permissions::from_mode(mode))
            .map_err(failed)
    }

    fn entry(
        &mut self,
        entry: &Entry,
        bytes: &mut dyn Read,
        whiteouts: Whiteouts,
    ) -> Result<(), ImageError> {
        let Some(name) = entry.name.file_name() else {
            self.folders.insert(PathBuf::new(), (0o755, entry.mtime));
            return Ok(());
        };
        if whiteouts != Whiteouts::Plain && name.as_bytes().starts_with(WHITEOUT) {
            return self.whiteout(&entry.name);
        }
        if entry.kind == Kind::Special {
            self.left_out += 1;
            return Ok(());
        }
        if matches!(&entry.kind, Kind::Hard(target) if *target == entry.name) {
            return Ok(());
        }
        let parent = self.folder(entry.name.parent().unwrap_or(Path::new("")))?;
        if whiteouts == Whiteouts::Apply {
            self.fresh.insert(entry.name.clone());
        }
        let present = kind_of(&parent, name);
        let kept = entry.kind == Kind::Folder && present == Some(SFlag::S_IFDIR);
        if let Kind::Hard(target) = &entry.kind {
            return self.hard_link(&parent, name, entry, target);
        }
        if let Some(present) = present.filter(|_| !kept) {
            self.remove(&parent, name, present, &entry.name)?;
        }
        let failed = |error: Errno| self.failed("make", &entry.name, error);
        match &entry.kind {
            Kind::Folder => {
                if !kept {
                    mkdirat(&parent, name, Mode::S_IRWXU).map_err(failed)?;
                }
                let after = (entry.mode & 0o1777, entry.mtime);
                self.folders.insert(entry.name.clone(), after);
            }
            Kind::File => self.file(&parent, name, entry, bytes)?,
            Kind::Link(text) => {
                symlinkat(text.as_os_str(), &parent, name).map_err(failed)?;
                let stamp = stamp(entry.mtime);
                utimensat(
                    &parent,
                    name,
                    &stamp,
                    &stamp,
                    UtimensatFlags::NoFollowSymlink,
                )
                .map_err(failed)?;
            }
            Kind::Hard(_) | Kind::Special => {}
        }
        Ok(())
    }

    fn file(
        &self,
        parent: &OwnedFd,
        name: &OsStr,
        entry: &Entry,
        bytes: &mut dyn Read,
    ) -> Result<(), ImageError> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(parent, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)
            .map_err(|error| self.failed("make", &entry.name, error))?;
        let mut file = File::from(file);
        let failed = |error| self.failed("write", &entry.name, error);
        let mut buffer = vec![0; 1 << 16];
        let mut left = entry.size;
        while left > 0 {
            let count = bytes
                .read(&mut buffer)
                .map_err(|error| self.reading.bad(error))?;
            if count == 0 {
                return Err(self.reading.bad("it ends too early"));
            }
            file.write_all(&buffer[..count]).map_err(failed)?;
            left -= count as u64;
            self.reading.cancel.check()?;
        }
        let stamp = stamp(entry.mtime);
        futimens(&file, &stamp, &stamp).map_err(|error| failed(error.into()))?;
        // Readable at least: the packer may be an ordinary user.
        file.set_permissions(fs::Permissions::from_mode(entry.mode & 0o777 | 0o400))
            .map_err(failed)
    }

    fn hard_link(
        &self,
        parent: &OwnedFd,
        name: &OsStr,
        entry: &Entry,
        target: &Path,
    ) -> Result<(), ImageError> {
        let nowhere = || {
            self.reading.bad(format!(
                "{} is a hard link to {}, which is no file in it",
                entry.name.display(),
                target.display()
            ))
        };
        let old = target.file_name().ok_or_else(nowhere)?;
        let folder = self
            .open(target.parent().unwrap_or(Path::new("")))
            .map_err(|_| nowhere())?;
        let file = status(&folder, old).ok_or_else(nowhere)?;
        if !matches!(kind(&file), SFlag::S_IFREG | SFlag::S_IFLNK) {
            return Err(nowhere());
        }
        if let Some(present) = status(parent, name) {
            if (present.st_dev, present.st_ino) == (file.st_dev, file.st_ino) {
                return Ok(());
            }
            self.remove(parent, name, kind(&present), &entry.name)?;
        }
        match linkat(&folder, old, parent, name, AtFlags::empty()) {
            // It stood in the folder that has just made way.
            Err(Errno::ENOENT) => Err(nowhere()),
            other => other.map_err(|error| self.failed("make", &entry.name, error)),
        }
    }

    fn whiteout(&self, path: &Path) -> Result<(), ImageError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().unwrap_or_default();
        let hidden = &name.as_bytes()[WHITEOUT.len()..];
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(self
                .reading
                .bad(format!("{} hides nothing", path.display())));
        }
        let Ok(folder) = self.open(parent) else {
            return Ok(());
        };
        if name.as_bytes() == OPAQUE {
            return self.hide_below(&folder, parent);
        }
        // Others of this prefix are notes of an old file system to itself.
        if hidden.starts_with(WHITEOUT) {
            return Ok(());
        }
        self.hide(&folder, &parent.join(OsStr::from_bytes(hidden)))
    }

    /// Removes what lower layers put at `path`, and leaves what this one did, in whatever order.
    fn hide(&self, parent: &OwnedFd, path: &Path) -> Result<(), ImageError> {
        let name = path.file_name().unwrap_or_default();
        let Some(present) = kind_of(parent, name) else {
            return Ok(());
        };
        // Paths sort by their parts: what is below one follows it.
        let fresh = self.fresh.range(path.to_owned()..).next();
        if !fresh.is_some_and(|fresh| fresh.starts_with(path)) {
            return self.remove(parent, name, present, path);
        }
        if present != SFlag::S_IFDIR {
            return Ok(());
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let folder = openat(parent, name, flags, Mode::empty())
            .map_err(|error| self.failed("open", path, error))?;
        self.hide_below(&folder, path)
    }

    fn hide_below(&self, folder: &OwnedFd, path: &Path) -> Result<(), ImageError> {
        let listed = fs::read_dir(by_number(folder))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| self.failed("list", path, error))?;
        for entry in listed {
            self.hide(folder, &path.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// Opens a folder of the tree; one that is missing is made.
    fn folder(&mut self, path: &Path) -> Result<OwnedFd, ImageError> {
        match self.open(path) {
            Err(Errno::ENOENT) => {}
            other => return other.map_err(|error| self.unreachable(path, error)),
        }
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(self.unreachable(path, Errno::ENOENT));
        };
        let parent = self.folder(above)?;
        // A link that leads nowhere is there, and yet cannot be opened.
        mkdirat(&parent, name, Mode::S_IRWXU).map_err(|error| self.unreachable(path, error))?;
        self.folders.insert(path.to_owned(), (0o755, 0));
        self.fresh.insert(path.to_owned());
        self.open(path)
            .map_err(|error| self.unreachable(path, error))
    }

    fn open(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let name = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(
                ResolveFlag::RESOLVE_IN_ROOT
                    | ResolveFlag::RESOLVE_NO_MAGICLINKS
                    | ResolveFlag::RESOLVE_NO_XDEV,
            );
        loop {
            match openat2(&self.root, name, how) {
                // Something was renamed while it looked.
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                other => return other,
            }
        }
    }

    fn remove(
        &self,
        parent: &OwnedFd,
        name: &OsStr,
        present: SFlag,
        path: &Path,
    ) -> Result<(), ImageError> {
        let removed = if present == SFlag::S_IFDIR {
            fs::remove_dir_all(by_number(parent).join(name))
        } else {
            unlinkat(parent, name, UnlinkatFlags::NoRemoveDir).map_err(Into::into)
        };
        removed.map_err(|error| self.failed("remove", path, error))
    }

    /// An entry stands in what is no folder.
    fn unreachable(&self, path: &Path, error: Errno) -> ImageError {
        match error {
            Errno::EEXIST | Errno::ENOTDIR | Errno::ELOOP | Errno::ENAMETOOLONG | Errno::ENOENT => {
                self.reading.bad(format!(
                    "{} is used as a folder, which it is not",
                    path.display()
                ))
            }
            error => self.failed("make", path, error),
        }
    }

    fn failed(&self, verb: &str, path: &Path, error: impl Into<std::io::Error>) -> ImageError {
        let what = format!("{verb} {}", self.path.join(path).display());
        ImageError::writing(what, self.path, error.into())
    }
}

fn stamp(seconds: u64) -> TimeSpec {
    TimeSpec::new(seconds.cast_signed(), 0)
}

fn status(folder: &OwnedFd, name: &OsStr) -> Option<FileStat> {
    fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW).ok()
}

fn kind(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT
}

/// What stands under a name, links not followed.
fn kind_of(folder: &OwnedFd, name: &OsStr) -> Option<SFlag> {
    status(folder, name).as_ref().map(kind)
}

/// A path to an open folder, for calls that take none.
fn by_number(folder: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}
