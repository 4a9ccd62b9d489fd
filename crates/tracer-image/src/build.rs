//! Builds the image of a language from its declaration.
//!
//! The emitter's layer is not made here: it needs the sandbox and what a language plans.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use crate::apt::{Apt, package_file};
use crate::bootstrap::{Bootstrap, ensure_tools};
use crate::declaration::BASE;
use crate::index::{conflicts, drift};
use crate::layer::{LISTS, LayerPlan, unpack};
use crate::lock::Package;
use crate::pack::pack;
use crate::tool::{self, Isolation, Tool};
use crate::{
    Cancel, Declaration, Digest, ImageError, Layer, LayerKind, Lock, Manifest, Origin, Progress,
    Staging, Store, modules, sources,
};

/// Of the rules by which roots become layers. A higher one makes every layer anew.
const VERSION: u32 = 2;

/// Room that a build needs at once, for each byte of packages: the root, its archive and the
/// layer's, each about four times the size of the packages, and the packed layer.
const ROOM: u64 = 15;

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Debian mirror to use instead of those that the system is configured with.
    pub mirror: Option<String>,
    /// Fail when a locked version is no longer served, instead of taking the current one.
    pub locked: bool,
    /// Build layers anew that are up to date.
    pub rebuild: bool,
    /// For [`lock`]: the lock of the base, where it is newer than the one compiled in.
    pub base: Option<Lock>,
}

/// One build.
struct Build<'a> {
    store: &'a Store,
    options: &'a BuildOptions,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    /// What was asked for; the base comes along.
    language: &'a str,
    suite: String,
    epoch: u64,
}

/// The packages that a layer is made of, and what of the lock could not be had.
struct Taken {
    packages: Vec<Package>,
    drifted: Vec<String>,
}

/// Builds the image of a language (or the base) into the store. Layers that are up to date stay.
pub fn build(
    store: &Store,
    language: &str,
    options: &BuildOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, ImageError> {
    let declaration = Declaration::find(language)?;
    let (suite, epoch) = release()?;
    let build = Build {
        store,
        options,
        progress,
        cancel,
        language,
        suite,
        epoch,
    };
    // Packages and layers that nothing refers to yet are kept for whoever holds a staging folder.
    let staging = store.staging()?;
    let base = build.image(&Declaration::find(BASE)?, None, &staging)?;
    if language == BASE {
        return Ok(base);
    }
    if let Some(package) = &declaration.image.package {
        for maker in modules::makers(&declaration) {
            build.image(&Declaration::find(maker)?, Some(&base), &staging)?;
        }
        return modules::build(store, &declaration, package, options, progress, cancel);
    }
    build.image(&declaration, Some(&base), &staging)
}

/// Resolves the packages of a language (or the base) anew, at the mirror's current versions. Those
/// of the base stay as its lock has them.
pub fn lock(
    language: &str,
    options: &BuildOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Lock, ImageError> {
    let declaration = Declaration::find(language)?;
    let base = Declaration::find(BASE)?;
    let (suite, _) = release()?;
    let folder = tempfile::tempdir()
        .map_err(|error| ImageError::system("make a temporary folder", error))?;
    ensure_tools(progress, folder.path(), cancel)?;
    progress.step(language, "reading package indices");
    let apt = apt(folder.path(), &suite, options, progress, cancel)?;
    progress.step(language, "resolving packages");
    let mut wanted = base.image.packages;
    let mut pins = Vec::new();
    if language != BASE {
        let lock = match options.base.clone().or(base.lock) {
            Some(lock) => lock.packages,
            None => apt.resolve(&wanted, &[], None)?,
        };
        // All that the base has: apt might else take another package that serves as well.
        wanted = lock.iter().map(|package| package.name.clone()).collect();
        pins = lock;
        wanted.extend(declaration.image.packages);
    }
    let packages = apt.resolve(&wanted, &pins, None)?;
    agree(language, &pins, &packages)?;
    Ok(Lock { packages })
}

/// An apt root in a folder, for this machine's architecture.
pub(crate) fn apt<'a>(
    folder: &Path,
    suite: &str,
    options: &BuildOptions,
    progress: &dyn Progress,
    cancel: &'a Cancel,
) -> Result<Apt<'a>, ImageError> {
    let sources = sources::sources(Path::new("/etc/apt"), options.mirror.as_deref(), suite)?;
    let architecture = architecture(folder, cancel)?;
    Apt::prepare(
        folder.join("apt"),
        &architecture,
        suite,
        &sources,
        progress,
        cancel,
    )
}

fn architecture(folder: &Path, cancel: &Cancel) -> Result<String, ImageError> {
    let said = Tool::new("asking for the architecture", folder, "dpkg")
        .args(["--print-architecture"])
        .output(Isolation::None, cancel)?;
    Ok(said.trim().to_owned())
}

/// The suite and the epoch of all images.
pub(crate) fn release() -> Result<(String, u64), ImageError> {
    let image = Declaration::find(BASE)?.image;
    image
        .suite
        .zip(image.epoch)
        .ok_or_else(|| ImageError::Declaration {
            file: format!("{BASE}/image.toml"),
            problem: "it names no suite or no epoch".into(),
        })
}

/// A language stacks on the base: what both hold must be the same.
fn agree(language: &str, base: &[Package], packages: &[Package]) -> Result<(), ImageError> {
    let conflicts = conflicts(base, packages);
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(ImageError::Declaration {
        file: format!("{language}/packages.lock"),
        problem: format!(
            "it disagrees with the base, lock both anew: {}",
            conflicts.join(", ")
        ),
    })
}

impl Build<'_> {
    /// The image of a declaration on top of `base`, which is `None` for the base itself.
    fn image(
        &self,
        declaration: &Declaration,
        base: Option<&Manifest>,
        staging: &Staging,
    ) -> Result<Manifest, ImageError> {
        let language = declaration.language;
        let _held = self
            .store
            .hold(&format!("build-{language}"), self.progress, self.cancel)?;
        let kind = if base.is_some() {
            LayerKind::Toolchain
        } else {
            LayerKind::Base
        };
        let source = self.source(declaration, base)?;
        let before = self.store.manifest(language);
        let current = before.as_ref().and_then(|manifest| {
            let rebuild = self.options.rebuild && language == self.language;
            let layer = manifest
                .layer(kind)
                .filter(|layer| layer.source == source && !rebuild)?;
            let strict = self.options.locked && drifted(manifest);
            let stands = self.store.layer(&layer.digest).is_file();
            (stands && !strict).then(|| (layer.clone(), manifest.origin.clone()))
        });
        let (layer, origin) = match current {
            Some(current) => current,
            None => self.layer(declaration, base, kind, source, staging)?,
        };
        let mut layers: Vec<Layer> = base.map(|base| base.layers.clone()).unwrap_or_default();
        layers.push(layer);
        if let Some(before) = &before
            && before.layers.starts_with(&layers)
        {
            // The emitter's layer stands on the same toolchain still.
            layers.clone_from(&before.layers);
        }
        let architecture = architecture(staging.path(), self.cancel)?;
        let mut manifest = Manifest {
            layers,
            environment: declaration.image.environment.clone(),
            scratch: declaration.image.scratch.clone(),
            ..Manifest::new(language, &architecture, origin)
        };
        if let Some(before) = before
            && before.digest() == manifest.digest()
        {
            manifest.toolchain = before.toolchain;
            if !self.options.rebuild {
                manifest.built = before.built;
            }
        }
        self.store.save(&manifest)?;
        Ok(manifest)
    }

    /// Names all that a layer is made from.
    fn source(
        &self,
        declaration: &Declaration,
        base: Option<&Manifest>,
    ) -> Result<Digest, ImageError> {
        let mut text = format!("layer {VERSION} {} {}\n", self.suite, self.epoch);
        for layer in base.iter().flat_map(|base| &base.layers) {
            text.push_str(&format!("on {}\n", layer.digest));
        }
        text.push_str(&format!(
            "packages {}\n",
            declaration.image.packages.join(" ")
        ));
        if let Some(lock) = &declaration.lock {
            text.push_str(&lock.text());
        }
        if let Some(script) = setup(declaration)? {
            text.push_str(&format!("setup {}\n", Digest::of(script)));
        }
        Ok(Digest::of(text.as_bytes()))
    }

    /// Makes a layer and moves it into the store.
    fn layer(
        &self,
        declaration: &Declaration,
        base: Option<&Manifest>,
        kind: LayerKind,
        source: Digest,
        staging: &Staging,
    ) -> Result<(Layer, Origin), ImageError> {
        let language = declaration.language;
        let work = staging.path().join(language);
        fs::create_dir(&work).map_err(|error| {
            ImageError::writing(format!("make {}", work.display()), staging.path(), error)
        })?;
        ensure_tools(self.progress, &work, self.cancel)?;
        let attached = base.map(|base| self.store.attach(base)).transpose()?;
        let base_tree = attached.and_then(|attached| attached.layers.into_iter().next());
        let below = match &base_tree {
            Some(tree) => list(BASE, tree)?,
            None => Vec::new(),
        };
        let taken = self.packages(declaration, base, &below, base_tree.as_deref(), &work)?;
        self.progress.step(language, "unpacking packages");
        let root = work.join("root.tar");
        Bootstrap {
            language,
            packages: &taken.packages,
            base: base_tree.as_deref().map(|tree| (tree, &below[..])),
            setup: setup(declaration)?,
            epoch: self.epoch,
        }
        .run(&self.store.folder("packages")?, &work, &root, self.cancel)?;
        self.progress.step(language, "normalising");
        let lock = Lock {
            packages: taken.packages,
        };
        let archive = work.join("layer.tar");
        LayerPlan {
            language,
            base: base_tree.as_deref(),
            epoch: self.epoch,
            added: &[(list_path(language), lock.text().into_bytes())],
        }
        .write(&root, &archive, self.cancel)?;
        let _ = fs::remove_file(&root);
        let tree = work.join("tree");
        if base.is_none() {
            // Its own packer packs it.
            unpack(&archive, &tree, self.cancel)?;
        }
        self.progress.step(language, "packing");
        let packed = work.join("layer.erofs");
        let packer = base_tree.as_deref().unwrap_or(&tree);
        pack(
            packer,
            &work,
            ("layer.tar", "layer.erofs"),
            self.epoch,
            self.cancel,
        )?;
        let digest = Digest::of_file(&packed)
            .map_err(|error| ImageError::system(format!("read {}", packed.display()), error))?;
        self.cancel.check()?;
        if base.is_none() && !tool::is_root() {
            // Who may not mount needs it unpacked.
            self.store.keep_tree(&tree, &digest)?;
        }
        let size = self.store.keep_layer(&packed, &digest)?;
        let _ = fs::remove_dir_all(&work);
        let layer = Layer {
            kind,
            digest,
            size,
            source,
        };
        Ok((
            layer,
            Origin::Built {
                drifted: taken.drifted,
            },
        ))
    }

    /// Sees that all packages are in the store.
    fn packages(
        &self,
        declaration: &Declaration,
        base: Option<&Manifest>,
        below: &[Package],
        base_tree: Option<&Path>,
        work: &Path,
    ) -> Result<Taken, ImageError> {
        let language = declaration.language;
        let place = self.store.folder("packages")?;
        let needed = |packages: &[Package]| -> Vec<Package> {
            let new = packages.iter().filter(|package| !below.contains(package));
            new.cloned().collect()
        };
        let lacking = |packages: &[Package]| -> Vec<Package> {
            let mut packages = needed(packages);
            packages.retain(|package| !package_file(&place, &package.digest).is_file());
            packages
        };
        let moved = base.is_some_and(drifted);
        if let Some(lock) = &declaration.lock {
            if !moved {
                agree(language, below, &lock.packages)?;
            }
            if conflicts(below, &lock.packages).is_empty() && lacking(&lock.packages).is_empty() {
                self.room(&needed(&lock.packages), work)?;
                return Ok(Taken {
                    packages: lock.packages.clone(),
                    drifted: Vec::new(),
                });
            }
        }
        self.progress.step(language, "reading package indices");
        let apt = apt(work, &self.suite, self.options, self.progress, self.cancel)?;
        let mut locked: &[Package] = &[];
        if let Some(lock) = &declaration.lock {
            locked = &lock.packages;
            let missing: Vec<String> = lacking(locked)
                .iter()
                .filter(|package| !apt.index().serves(package))
                .map(|package| format!("{} {}", package.name, package.version))
                .collect();
            if !missing.is_empty() && self.options.locked {
                return Err(ImageError::LockDrift { missing });
            }
            if missing.is_empty() && conflicts(below, locked).is_empty() {
                let packages = locked.to_vec();
                self.download(
                    &apt,
                    language,
                    &lacking(&packages),
                    &needed(&packages),
                    work,
                )?;
                return Ok(Taken {
                    packages,
                    drifted: Vec::new(),
                });
            }
        }
        self.progress.step(language, "resolving packages");
        let status = base_tree.map(|tree| tree.join("var/lib/dpkg/status"));
        let mut packages = apt.resolve(&declaration.image.packages, locked, status.as_deref())?;
        // Packages that are in the base already are not named again, unless apt wants others.
        let names: Vec<String> = packages
            .iter()
            .map(|package| package.name.clone())
            .collect();
        packages.extend(
            below
                .iter()
                .filter(|package| !names.contains(&package.name))
                .cloned(),
        );
        packages.sort();
        agree(language, below, &packages)?;
        let drifted = declaration
            .lock
            .as_ref()
            .map_or_else(Vec::new, |lock| drift(lock, &packages));
        for line in &drifted {
            self.progress.note(&format!(
                "{language}: {line}, as the locked version is not served"
            ));
        }
        self.download(
            &apt,
            language,
            &lacking(&packages),
            &needed(&packages),
            work,
        )?;
        Ok(Taken { packages, drifted })
    }

    fn download(
        &self,
        apt: &Apt<'_>,
        language: &str,
        lacking: &[Package],
        needed: &[Package],
        work: &Path,
    ) -> Result<(), ImageError> {
        self.room(needed, work)?;
        self.progress.step(language, "downloading packages");
        apt.download(self.store, lacking, self.progress)
    }

    /// Fails early where the disk cannot hold what the build needs.
    fn room(&self, packages: &[Package], work: &Path) -> Result<(), ImageError> {
        let needed = packages.iter().map(|package| package.size).sum::<u64>() * ROOM;
        let disk = statvfs(work).map_err(|error| {
            ImageError::system(
                format!("look at the disk of {}", work.display()),
                error.into(),
            )
        })?;
        let free = disk.blocks_available() * disk.fragment_size();
        if free >= needed {
            return Ok(());
        }
        Err(ImageError::Full {
            folder: work.to_owned(),
            free: format!("{} MiB (about {} MiB are needed)", free >> 20, needed >> 20),
        })
    }
}

fn drifted(manifest: &Manifest) -> bool {
    matches!(&manifest.origin, Origin::Built { drifted } if !drifted.is_empty())
}

/// The text of the setup script.
fn setup(declaration: &Declaration) -> Result<Option<&'static [u8]>, ImageError> {
    let Some(name) = &declaration.image.setup else {
        return Ok(None);
    };
    let script = declaration
        .file(name)
        .ok_or_else(|| ImageError::Declaration {
            file: format!("{}/{name}", declaration.language),
            problem: "it is missing".into(),
        })?;
    Ok(Some(script))
}

/// Where a layer names its packages.
fn list_path(language: &str) -> PathBuf {
    Path::new(LISTS).join(format!("{language}.packages"))
}

/// The packages that an unpacked layer names.
fn list(language: &str, tree: &Path) -> Result<Vec<Package>, ImageError> {
    let path = tree.join(list_path(language));
    let text = fs::read_to_string(&path)
        .map_err(|error| ImageError::system(format!("read {}", path.display()), error))?;
    Ok(Lock::parse(&path.display().to_string(), &text)?.packages)
}
