//! The private root as a list of steps, worked out before the fork so that the child only walks
//! it. Paths are below the private tmpfs, in which `root` becomes the new root and its siblings
//! hold what is writable. With an image, `skel` lies on top of its layers and has what is the
//! sandbox's own: files that stand for the image's, and places to mount at.

mod image;
mod lookup;

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::error::SandboxError;
use crate::request::{Access, Body, Copied, Folder, Placed, Request};
use crate::sys::{ATTR_NODEV, ATTR_NOEXEC, ATTR_NOSUID, ATTR_RDONLY};
use crate::system::{System, system};
use lookup::Image;

/// User and group the program sees itself as.
pub(crate) const INSIDE_ID: u32 = 1000;

pub(crate) const READ_ONLY: u64 = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV;
const WRITABLE: u64 = ATTR_NOSUID | ATTR_NODEV;
pub(crate) const DEVICE: u64 = ATTR_NOSUID | ATTR_NOEXEC;

/// Where a subtree comes from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A host path, cloned by the child.
    Host(CString),
    /// A mount the parent has cloned already.
    Ready(OwnedFd),
    /// A folder of the private tmpfs.
    Private(CString),
}

/// A subtree to attach.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) origin: Origin,
    pub(crate) attributes: u64,
    pub(crate) recursive: bool,
    /// Filled by the child.
    pub(crate) fd: RawFd,
}

/// A step of building the root.
#[derive(Debug)]
pub(crate) enum Op {
    Folder {
        path: CString,
        mode: u32,
    },
    Own {
        path: CString,
        mode: u32,
    },
    Link {
        path: CString,
        target: CString,
    },
    File {
        path: CString,
        bytes: Vec<u8>,
        mode: u32,
    },
    Attach {
        path: CString,
        tree: usize,
    },
    Proc {
        path: CString,
    },
    Terminals {
        path: CString,
    },
    Overlay {
        path: CString,
        options: CString,
        /// Part of an image, so that no copy can stand in for it.
        image: bool,
    },
}

impl Op {
    pub(crate) fn path(&self) -> &CStr {
        match self {
            Self::Folder { path, .. }
            | Self::Own { path, .. }
            | Self::Link { path, .. }
            | Self::File { path, .. }
            | Self::Attach { path, .. }
            | Self::Proc { path }
            | Self::Terminals { path }
            | Self::Overlay { path, .. } => path,
        }
    }
}

/// What stands at a path of the new root.
enum Point {
    Tree { tree: usize, folder: bool },
    Overlay { options: String, image: bool },
    Proc,
    Terminals,
}

/// Which of a request's copies, or of its folders of files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Filled {
    Copy(usize),
    Files(usize),
}

/// A writable layer over a folder.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The host folder.
    pub(crate) folder: PathBuf,
    /// Name of the layer in the private tmpfs.
    pub(crate) name: String,
    /// A full copy rather than an overlay.
    pub(crate) copied: bool,
    /// Of the request's, where it is filled for each run.
    pub(crate) filled: Option<Filled>,
    /// Whether changes are told.
    pub(crate) listed: bool,
}

/// The finished list.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) trees: Vec<Tree>,
    pub(crate) ops: Vec<Op>,
    pub(crate) layers: Vec<Layer>,
    /// Whether the root is an overlay of an image rather than a folder of the tmpfs.
    pub(crate) image: bool,
    /// Bytes and files the tmpfs needs for itself, on top of what the program may use.
    pub(crate) own_bytes: u64,
    pub(crate) own_files: u64,
}

/// How the folders are to be given.
pub(crate) struct Style {
    /// Clones a host folder so that its owner's files belong to the program, if that is needed.
    pub(crate) clone_mapped: Option<Box<dyn Fn(&Path) -> Result<OwnedFd, SandboxError>>>,
    /// Overlays are refused here: copy.
    pub(crate) copy: bool,
    /// Files in `/proc` to hide, since permissions would not.
    pub(crate) hide_proc: bool,
}

impl Style {
    /// A folder of the host whose owner's files belong to the program.
    fn origin(&self, path: &Path) -> Result<Origin, SandboxError> {
        Ok(match &self.clone_mapped {
            Some(clone) => Origin::Ready(clone(path)?),
            None => Origin::Host(c_string(path.as_os_str().as_bytes())?),
        })
    }
}

pub(crate) fn c_string(bytes: impl AsRef<[u8]>) -> Result<CString, SandboxError> {
    CString::new(bytes.as_ref()).map_err(|_| {
        SandboxError::request(
            format!(
                "{:?} holds a NUL byte",
                String::from_utf8_lossy(bytes.as_ref())
            ),
            "paths, arguments and environment cannot hold one",
        )
    })
}

/// Name below the private tmpfs of an absolute path of the new root.
fn inside(path: &Path) -> Result<CString, SandboxError> {
    let mut name = b"root".to_vec();
    if path != Path::new("/") {
        name.extend_from_slice(path.as_os_str().as_bytes());
    }
    c_string(name)
}

/// Refuses what is not absolute and normal.
fn absolute(path: &Path, what: &str) -> Result<(), SandboxError> {
    let normal = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if path.is_absolute() && normal {
        return Ok(());
    }
    Err(SandboxError::request(
        format!("{what} {} is not an absolute path", path.display()),
        "give it from the root, without `..`",
    ))
}

/// Refuses folders in which the sandbox has its own things.
fn not_own(path: &Path) -> Result<(), SandboxError> {
    let own = ["/proc", "/dev", "/sys"]
        .iter()
        .any(|own| path.starts_with(own));
    if own && (path == Path::new("/dev/shm") || !path.starts_with("/dev/shm")) {
        return Err(SandboxError::request(
            format!("the folder {} cannot be given to a program", path.display()),
            "work in a folder of its own",
        ));
    }
    Ok(())
}

struct Builder {
    /// What the root is made of, if not of the host's system.
    image: Option<Image>,
    trees: Vec<Tree>,
    ops: Vec<Op>,
    points: Vec<(PathBuf, Point)>,
    layers: Vec<Layer>,
    private_files: usize,
    own_bytes: u64,
    own_files: u64,
}

impl Builder {
    fn tree(&mut self, origin: Origin, attributes: u64, recursive: bool) -> usize {
        self.trees.push(Tree {
            origin,
            attributes,
            recursive,
            fd: -1,
        });
        self.trees.len() - 1
    }

    fn point(&mut self, path: impl Into<PathBuf>, point: Point) {
        let path = path.into();
        self.points.retain(|(other, _)| *other != path); // the later one stands
        self.points.push((path, point));
    }

    fn folder(&mut self, path: CString, mode: u32) {
        self.own_files += 1;
        self.ops.push(Op::Folder { path, mode });
    }

    fn file(&mut self, path: CString, bytes: Vec<u8>, mode: u32) {
        self.own_bytes += (bytes.len() as u64).next_multiple_of(4096);
        self.own_files += 1;
        self.ops.push(Op::File { path, bytes, mode });
    }

    fn link(&mut self, path: &str, target: &Path) -> Result<(), SandboxError> {
        self.own_files += 1;
        let path = self.bare(Path::new(path))?;
        self.ops.push(Op::Link {
            path,
            target: c_string(target.as_os_str().as_bytes())?,
        });
        Ok(())
    }

    /// A host path as it is, read-only, if it exists.
    fn host(&mut self, path: &Path, attributes: u64) -> Result<(), SandboxError> {
        let Ok(metadata) = fs::metadata(path) else {
            return Ok(());
        };
        let origin = Origin::Host(c_string(path.as_os_str().as_bytes())?);
        let tree = self.tree(origin, attributes, metadata.is_dir());
        let place = self.place(path)?;
        self.point(
            place,
            Point::Tree {
                tree,
                folder: metadata.is_dir(),
            },
        );
        Ok(())
    }

    fn private(&mut self, name: &str, at: &str) -> Result<(), SandboxError> {
        self.folder(c_string(name)?, 0o1777);
        let tree = self.tree(Origin::Private(c_string(name)?), WRITABLE, false);
        self.point(at, Point::Tree { tree, folder: true });
        Ok(())
    }

    fn system(&mut self, style: &Style) -> Result<(), SandboxError> {
        self.bare_folder(Path::new("/etc"))?;
        self.bare_folder(Path::new("/dev"))?;
        let of_image = self.image.is_some();
        for entry in system()
            .iter()
            .filter(|entry| !of_image || entry.is_device())
        {
            match entry {
                System::Link { path, target } => self.link(path, target)?,
                System::Tree {
                    path,
                    folder,
                    attributes,
                } => {
                    let origin = Origin::Host(c_string(path.as_os_str().as_bytes())?);
                    let tree = self.tree(origin, *attributes, *folder);
                    self.point(
                        path,
                        Point::Tree {
                            tree,
                            folder: *folder,
                        },
                    );
                }
                System::Copy { path, bytes } => self.file(inside(path)?, bytes.clone(), 0o444),
            }
        }
        self.link("/etc/localtime", Path::new("/usr/share/zoneinfo/UTC"))?;
        if !of_image {
            self.link("/etc/os-release", Path::new("../usr/lib/os-release"))?;
        }
        self.link("/etc/mtab", Path::new("/proc/mounts"))?;
        for (name, target) in [
            ("/dev/fd", "/proc/self/fd"),
            ("/dev/stdin", "/proc/self/fd/0"),
            ("/dev/stdout", "/proc/self/fd/1"),
            ("/dev/stderr", "/proc/self/fd/2"),
            ("/dev/ptmx", "pts/ptmx"),
        ] {
            self.link(name, Path::new(target))?;
        }
        self.point("/dev/pts", Point::Terminals);
        self.point("/proc", Point::Proc);
        self.private("tmp", "/tmp")?;
        self.private("shm", "/dev/shm")?;
        let hidden: &[&str] = if style.hide_proc {
            &[
                "keys",
                "kcore",
                "kmsg",
                "timer_list",
                "sysrq-trigger",
                "key-users",
            ]
        } else {
            &["keys"] // the others are root's alone
        };
        for name in hidden {
            let path = Path::new("/proc").join(name);
            if path.exists() {
                let tree = self.tree(Origin::Host(c"/dev/null".into()), DEVICE, false);
                self.point(
                    path,
                    Point::Tree {
                        tree,
                        folder: false,
                    },
                );
            }
        }
        Ok(())
    }

    fn identity(&mut self, hostname: &str) -> Result<(), SandboxError> {
        let id = INSIDE_ID;
        for (path, text) in [
            (
                "/etc/passwd",
                format!(
                    "root:x:0:0:root:/:/bin/sh\ntracer:x:{id}:{id}:tracer:/tmp:/bin/sh\n\
                     nobody:x:65534:65534:nobody:/:/bin/sh\n"
                ),
            ),
            (
                "/etc/group",
                format!("root:x:0:\ntracer:x:{id}:\nnogroup:x:65534:\n"),
            ),
            ("/etc/hostname", format!("{hostname}\n")),
            (
                "/etc/hosts",
                format!("127.0.0.1 localhost {hostname}\n::1 localhost\n"),
            ),
            (
                "/etc/nsswitch.conf",
                "passwd: files\ngroup: files\nhosts: files\n".to_owned(),
            ),
        ] {
            let path = self.bare(Path::new(path))?;
            self.file(path, text.into_bytes(), 0o444);
        }
        Ok(())
    }

    /// Attaches a tree outside of the root, as the lower layer of an overlay.
    fn lower(&mut self, name: &str, tree: usize) -> Result<(), SandboxError> {
        let path = c_string(name)?;
        self.folder(path.clone(), 0o755);
        self.ops.push(Op::Attach { path, tree });
        Ok(())
    }

    /// Makes a folder of the tmpfs that belongs to the program.
    fn upper(&mut self, name: &str, mode: u32) -> Result<(), SandboxError> {
        let path = c_string(name)?;
        self.folder(path.clone(), mode);
        self.ops.push(Op::Own { path, mode });
        Ok(())
    }

    fn host_folder(&mut self, folder: &Folder, style: &Style) -> Result<(), SandboxError> {
        let path = &folder.path;
        absolute(path, "the folder")?;
        if path == Path::new("/") {
            return Ok(()); // the root is there in any case, and never the host's
        }
        not_own(path)?;
        let metadata = fs::metadata(path).map_err(|error| {
            SandboxError::request(
                format!("the folder {} cannot be read: {error}", path.display()),
                "",
            )
        })?;
        if !metadata.is_dir() {
            return Err(SandboxError::request(
                format!("{} is not a folder", path.display()),
                "",
            ));
        }
        let place = self.place(path)?;
        let copied = folder.access == Access::Overlay && style.copy;
        if !copied {
            let attributes = match folder.access {
                Access::Writable => WRITABLE,
                Access::ReadOnly | Access::Overlay => READ_ONLY,
            };
            let tree = self.tree(style.origin(path)?, attributes, true);
            if folder.access != Access::Overlay {
                self.point(place, Point::Tree { tree, folder: true });
                return Ok(());
            }
            self.lower(&format!("low{}", self.layers.len()), tree)?;
        }
        let index = self.layers.len();
        let name = format!("up{index}");
        self.upper(&name, metadata.mode() & 0o7777)?;
        if copied {
            let tree = self.tree(Origin::Private(c_string(&name)?), WRITABLE, false);
            self.point(place, Point::Tree { tree, folder: true });
        } else {
            self.folder(c_string(format!("work{index}"))?, 0o755);
            let options =
                format!("lowerdir=low{index},upperdir={name},workdir=work{index},userxattr");
            self.point(
                place,
                Point::Overlay {
                    options,
                    image: false,
                },
            );
        }
        self.layers.push(Layer {
            folder: path.clone(),
            name,
            copied,
            filled: None,
            listed: true,
        });
        Ok(())
    }

    fn copied_folder(&mut self, index: usize, copied: &Copied) -> Result<(), SandboxError> {
        absolute(&copied.path, "the folder")?;
        not_own(&copied.path)?;
        let place = self.place(&copied.path)?;
        let name = format!("up{}", self.layers.len());
        self.upper(&name, 0o755)?;
        let attributes = if copied.writable { WRITABLE } else { READ_ONLY };
        let tree = self.tree(Origin::Private(c_string(&name)?), attributes, false);
        self.point(place, Point::Tree { tree, folder: true });
        self.layers.push(Layer {
            folder: copied.from.clone(),
            name,
            copied: true,
            filled: Some(Filled::Copy(index)),
            listed: copied.writable,
        });
        Ok(())
    }

    fn placed_folder(&mut self, index: usize, placed: &Placed) -> Result<(), SandboxError> {
        absolute(&placed.path, "the folder")?;
        not_own(&placed.path)?;
        let odd = |path: &Path| {
            !path
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
        };
        if let Some((path, _)) = placed.files.iter().find(|(path, _)| odd(path)) {
            return Err(SandboxError::request(
                format!("{} is not a path below a folder", path.display()),
                "give it without a leading `/` and without `..`",
            ));
        }
        let place = self.place(&placed.path)?;
        let name = format!("up{}", self.layers.len());
        self.folder(c_string(name.as_str())?, 0o755);
        let tree = self.tree(Origin::Private(c_string(name.as_str())?), READ_ONLY, false);
        self.point(place, Point::Tree { tree, folder: true });
        self.layers.push(Layer {
            folder: PathBuf::new(),
            name,
            copied: true,
            filled: Some(Filled::Files(index)),
            listed: false,
        });
        Ok(())
    }

    fn inject(&mut self, request: &Request) -> Result<(), SandboxError> {
        for file in &request.files {
            absolute(&file.path, "the injected file")?;
            let place = self.place(&file.path)?;
            // The root given as a folder means nothing, see `host_folder`.
            let in_folder = |folder: &Folder| {
                folder.path != Path::new("/") && file.path.starts_with(&folder.path)
            };
            let in_folder = request.folders.iter().any(in_folder);
            let mounted = in_folder || self.points.iter().any(|(path, _)| place.starts_with(path));
            if in_folder && !fs::metadata(&file.path).is_ok_and(|metadata| metadata.is_file()) {
                return Err(SandboxError::request(
                    format!(
                        "the injected file {} would change its folder",
                        file.path.display()
                    ),
                    "inject it under /run, or over a file that exists",
                ));
            }
            let mode = if file.executable { 0o555 } else { 0o444 };
            let origin = match &file.body {
                Body::Bytes(bytes) if !mounted => {
                    for folder in ancestors(&place) {
                        self.bare_folder(folder)?;
                    }
                    let target = self.bare(&place)?;
                    // It may stand in for one of the sandbox's own.
                    self.ops.retain(|op| op.path() != target.as_c_str());
                    self.file(target, bytes.to_vec(), mode);
                    continue;
                }
                Body::Bytes(bytes) => {
                    let name = c_string(format!("file{}", self.private_files))?;
                    self.private_files += 1;
                    self.file(name.clone(), bytes.to_vec(), mode);
                    Origin::Private(name)
                }
                Body::Host(path) => Origin::Host(c_string(path.as_os_str().as_bytes())?),
            };
            let tree = self.tree(origin, READ_ONLY, false);
            self.point(
                place,
                Point::Tree {
                    tree,
                    folder: false,
                },
            );
        }
        Ok(())
    }

    /// Turns the points into steps, outer ones first.
    fn attach(&mut self) -> Result<(), SandboxError> {
        let mut points = std::mem::take(&mut self.points);
        points.sort_by(|left, right| left.0.components().cmp(right.0.components()));
        let mut made = BTreeSet::new();
        let mut attached = Vec::new();
        let mut outer: Option<PathBuf> = None;
        for (path, point) in points {
            // Below another point there is no skeleton: the place is made once that is attached.
            let nested = outer.as_ref().is_some_and(|outer| path.starts_with(outer));
            let bare = self.image.is_some() && !nested;
            let first = self.ops.len();
            for folder in ancestors(&path) {
                if !made.insert(folder.to_owned()) {
                } else if bare {
                    self.bare_folder(folder)?;
                } else {
                    self.folder(inside(folder)?, 0o755);
                }
            }
            let target = inside(&path)?;
            let place = if bare {
                self.bare(&path)?
            } else {
                target.clone()
            };
            match &point {
                Point::Tree { folder: false, .. } if path.starts_with("/proc") => {}
                Point::Tree { folder: false, .. } => self.file(place, Vec::new(), 0o444),
                _ => self.folder(place, 0o755),
            }
            if !bare {
                attached.extend(self.ops.drain(first..));
            }
            attached.push(match point {
                Point::Tree { tree, .. } => Op::Attach { path: target, tree },
                Point::Proc => Op::Proc { path: target },
                Point::Terminals => Op::Terminals { path: target },
                Point::Overlay { options, image } => Op::Overlay {
                    path: target,
                    options: c_string(options)?,
                    image,
                },
            });
            if !nested {
                outer = Some(path.clone());
            }
            made.insert(path);
        }
        self.stack()?;
        self.ops.append(&mut attached);
        Ok(())
    }
}

/// The folders above `path`, outermost first, without the root.
fn ancestors(path: &Path) -> Vec<&Path> {
    let mut all: Vec<&Path> = path.ancestors().skip(1).collect();
    all.pop();
    all.reverse();
    all
}

/// Works out the root for `request`.
pub(crate) fn build(request: &Request, style: &Style) -> Result<Layout, SandboxError> {
    let mut builder = Builder {
        image: Image::of(request)?,
        trees: Vec::new(),
        ops: Vec::new(),
        points: Vec::new(),
        layers: Vec::new(),
        private_files: 0,
        own_bytes: 0,
        own_files: 0,
    };
    if builder.image.is_some() {
        builder.folder(c_string("skel")?, 0o755);
    }
    builder.system(style)?;
    builder.identity(&request.hostname)?;
    let mut seen: Vec<&Path> = match request.image {
        Some(_) => Vec::new(),
        None => vec![Path::new("/usr"), Path::new("/opt")],
    };
    builder.scratch(request, style)?;
    for root in &request.roots {
        absolute(root, "the root")?;
        if root != Path::new("/") && !seen.iter().any(|other| root.starts_with(other)) {
            builder.host(root, READ_ONLY)?;
            seen.push(root);
        }
    }
    for folder in &request.folders {
        builder.host_folder(folder, style)?;
    }
    for (index, copied) in request.copies.iter().enumerate() {
        builder.copied_folder(index, copied)?;
    }
    for (index, placed) in request.placed.iter().enumerate() {
        builder.placed_folder(index, placed)?;
    }
    builder.inject(request)?;
    builder.attach()?;
    Ok(Layout {
        trees: builder.trees,
        ops: builder.ops,
        layers: builder.layers,
        image: builder.image.is_some(),
        own_bytes: builder.own_bytes,
        own_files: builder.own_files,
    })
}

impl Layout {
    /// Descriptors the child needs.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.trees.iter().filter_map(|tree| match &tree.origin {
            Origin::Ready(fd) => Some(fd.as_raw_fd()),
            _ => None,
        })
    }
}
