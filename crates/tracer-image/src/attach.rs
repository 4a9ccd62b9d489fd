//! Makes the layers of an image visible as folders of the host.
//!
//! As root each layer file is mounted once, in a place of its own that stays until the layer is
//! pruned or the machine restarts, so that every run but the first finds its files in memory. Where
//! mounting is not permitted the layer is unpacked into the store instead, once. How the folders
//! become a program's root is the sandbox's.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MntFlags, umount2};

use crate::mounts::Mount;
use crate::{Digest, ImageError, Layer, Manifest, Store};

/// Root's alone; gone with a restart, as mounts are.
const RUN: &str = "/run/tracer";

/// Where layers are mounted, each under its digest.
const MOUNTED: &str = "/run/tracer/images";

/// How the layers of an image are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Each is mounted from its file.
    Mounted,
    /// Each is unpacked in the store.
    Unpacked,
}

/// An image whose layers can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Their folders, lowest first.
    pub layers: Vec<PathBuf>,
    /// How they are seen.
    pub form: Form,
}

impl Store {
    /// Makes the layers of an image visible, unless they are.
    pub fn attach(&self, manifest: &Manifest) -> Result<Attached, ImageError> {
        for layer in &manifest.layers {
            self.is_there(manifest, layer)?;
        }
        if nix::unistd::geteuid().is_root()
            && let Some(layers) = self.mount(manifest)?
        {
            return Ok(Attached {
                layers,
                form: Form::Mounted,
            });
        }
        let layers = (manifest.layers.iter())
            .map(|layer| self.unpacked(manifest, layer))
            .collect::<Result<_, _>>()?;
        Ok(Attached {
            layers,
            form: Form::Unpacked,
        })
    }

    /// Unmounts a layer of this store. Programs that run on it keep it to their end.
    pub fn detach(&self, digest: &Digest) -> Result<(), ImageError> {
        if !nix::unistd::geteuid().is_root() || !mount_point(digest).is_dir() {
            return Ok(());
        }
        let _lock = lock()?;
        let mine = self.backing(digest)?;
        if Mount::at(&mount_point(digest))?.is_some_and(|mount| mount.shows(&mine)) {
            unmount(digest)?;
            let _ = fs::remove_dir(mount_point(digest)); // no harm if it stays
        }
        Ok(())
    }

    /// Compares the size alone: the digest of a whole file takes longer than a run, see
    /// [`is_checked`].
    fn is_there(&self, manifest: &Manifest, layer: &Layer) -> Result<(), ImageError> {
        let path = self.layer(&layer.digest);
        match fs::metadata(&path) {
            Ok(file) if file.len() == layer.size => Ok(()),
            Ok(file) => Err(ImageError::Damaged {
                what: path.display().to_string(),
                expected: format!("{} bytes", layer.size),
                found: format!("{} bytes", file.len()),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ImageError::NotBuilt {
                language: manifest.language.clone(),
            }),
            Err(error) => Err(ImageError::system(
                format!("read {}", path.display()),
                error,
            )),
        }
    }

    /// A layer's file as the kernel names it, even if it is gone.
    fn backing(&self, digest: &Digest) -> Result<PathBuf, ImageError> {
        let root = fs::canonicalize(self.root()).map_err(|error| {
            ImageError::system(format!("find {}", self.root().display()), error)
        })?;
        Ok(Self::at(root).layer(digest))
    }

    /// The places of all layers, mounted; `None` where that is not permitted.
    fn mount(&self, manifest: &Manifest) -> Result<Option<Vec<PathBuf>>, ImageError> {
        let points: Vec<PathBuf> = (manifest.layers.iter())
            .map(|layer| mount_point(&layer.digest))
            .collect();
        let mut missing = self.unmounted(manifest)?;
        let checked = |layer: &Layer| is_checked(&self.layer(&layer.digest), &layer.digest);
        if missing.is_empty() && manifest.layers.iter().all(checked) {
            return Ok(Some(points));
        }
        let _lock = match lock() {
            Err(ImageError::System { source, .. }) if is_refusal(&source) => return Ok(None),
            other => other?,
        };
        missing = self.unmounted(manifest)?; // another process may have been first
        for layer in manifest.layers.iter().filter(|layer| !checked(layer)) {
            // As it was before it was read: what is written meanwhile shows the next time.
            let stamp = stamp(&self.layer(&layer.digest));
            self.check_layer(layer)?;
            folder(Path::new(MOUNTED))?;
            // Not noted it is only checked again.
            let _ = stamp.map(|stamp| fs::write(note(&layer.digest), stamp));
        }
        for layer in missing {
            let (file, at) = (self.backing(&layer.digest)?, mount_point(&layer.digest));
            if Mount::at(&at)?.is_some() {
                unmount(&layer.digest)?; // of something else
            }
            folder(&at)?;
            let Err(error) = tracer_sandbox::mount_erofs(&file, &at) else {
                continue;
            };
            let _ = fs::remove_dir(&at);
            if !is_refusal(&error) {
                // Either the file or the kernel is not up to it; the file's digest tells.
                self.check_layer(layer)?;
            }
            return Ok(None);
        }
        Ok(Some(points))
    }

    /// The layers that are not mounted from their files of this store.
    fn unmounted<'image>(
        &self,
        manifest: &'image Manifest,
    ) -> Result<Vec<&'image Layer>, ImageError> {
        let mounts = Mount::below(Path::new(MOUNTED))?;
        let mut missing = Vec::new();
        for layer in &manifest.layers {
            let point = mount_point(&layer.digest);
            let file = self.backing(&layer.digest)?;
            // The later of two at the same place is the one that is seen.
            let top = mounts.iter().rev().find(|mount| mount.at == point);
            if !top.is_some_and(|mount| mount.shows(&file)) {
                missing.push(layer);
            }
        }
        Ok(missing)
    }
}

/// What changes when a file is written to.
fn stamp(file: &Path) -> io::Result<String> {
    let now = fs::metadata(file)?;
    let (changed, part) = (now.ctime(), now.ctime_nsec());
    Ok(format!(
        "{} {} {} {changed}.{part}",
        now.dev(),
        now.ino(),
        now.len()
    ))
}

/// Where it stands what a layer's file was like when its digest was last found right.
fn note(digest: &Digest) -> PathBuf {
    Path::new(MOUNTED).join(format!("{}.checked", digest.hex()))
}

/// Whether nobody has written to a layer's file since its digest was found right, which is done
/// once after each start of the machine.
fn is_checked(file: &Path, digest: &Digest) -> bool {
    let noted = fs::read_to_string(note(digest));
    matches!((noted, stamp(file)), (Ok(noted), Ok(now)) if noted == now)
}

fn mount_point(digest: &Digest) -> PathBuf {
    Path::new(MOUNTED).join(digest.hex())
}

/// Whether mounting is not permitted here, or unknown to the kernel.
fn is_refusal(error: &io::Error) -> bool {
    let refusals = [
        Errno::EPERM,
        Errno::EACCES,
        Errno::EROFS,
        Errno::ENODEV,
        Errno::ENOSYS,
        Errno::ENOTBLK,
    ];
    (error.raw_os_error()).is_some_and(|errno| refusals.contains(&Errno::from_raw(errno)))
}

/// Makes a folder that only root can change, or says who else could.
fn folder(path: &Path) -> Result<(), ImageError> {
    let failed = |error| ImageError::system(format!("make {}", path.display()), error);
    match DirBuilder::new().mode(0o755).create(path) {
        // The caller's mask may have taken from it.
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = fs::symlink_metadata(path).map_err(failed)?;
            if there.is_dir() && there.uid() == 0 && there.mode() & 0o022 == 0 {
                return Ok(());
            }
            Err(failed(io::Error::other(
                "what stands there is not a folder that root alone can change",
            )))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Keeps other processes from mounting and unmounting.
fn lock() -> Result<Flock<File>, ImageError> {
    folder(Path::new(RUN))?;
    folder(Path::new(MOUNTED))?;
    let path = Path::new(RUN).join("lock");
    let failed = |error| ImageError::system(format!("lock {}", path.display()), error);
    let file = File::create(&path).map_err(failed)?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| failed(error.into()))
}

/// Takes away everything that is mounted in a layer's place.
fn unmount(digest: &Digest) -> Result<(), ImageError> {
    let point = mount_point(digest);
    loop {
        match umount2(&point, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::EINVAL) => return Ok(()), // nothing any more
            Err(error) => {
                let what = format!("unmount {}", point.display());
                return Err(ImageError::system(what, error.into()));
            }
        }
    }
}
