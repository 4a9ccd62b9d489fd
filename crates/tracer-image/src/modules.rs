//! Images of WebAssembly modules: files of one package of a public registry, by name and checksum.
//!
//! The registry's own client downloads the package, from where the system has it look. What is not
//! what the declaration says is not unpacked. There is no root file system around a module: its
//! image is one layer, packed by the base's packer.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::manifest::MANIFEST_VERSION;
use crate::tool::{Isolation, Tool};
use crate::{
    BuildOptions, Cancel, Declaration, Digest, ImageError, LayerKind, Manifest, Origin, Progress,
    Staging, Store, pack,
};

/// The architecture of an image that any processor runs.
const ARCHITECTURE: &str = "wasm32";

/// A package of a registry, and what an image takes from it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Whose client fetches it.
    pub registry: Registry,
    /// Its name there.
    pub name: String,
    /// Its version, exactly.
    pub version: String,
    /// Of the file that the client downloads.
    pub sha256: String,
    /// What is taken.
    pub files: Vec<Taken>,
}

/// Registries whose clients are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// `npm`.
    Npm,
    /// `pip`.
    Pypi,
}

/// One file of a package.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// Its path in the package.
    pub from: String,
    /// Its path in the image, without the root.
    pub to: PathBuf,
}

/// The image of a declaration that names a package; one that is up to date stays.
pub(crate) fn build(
    store: &Store,
    declaration: &Declaration,
    package: &Package,
    options: &BuildOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, ImageError> {
    let language = declaration.language;
    let _held = store.hold(&format!("build-{language}"), progress, cancel)?;
    let source = Digest::of(format!("{MANIFEST_VERSION} {package:?}").as_bytes());
    if let Some(before) = store.manifest(language).filter(|_| !options.rebuild) {
        let current = before.layer(LayerKind::Toolchain);
        let current = current.filter(|layer| layer.source == source);
        if current.is_some_and(|layer| store.layer(&layer.digest).is_file()) {
            return Ok(before);
        }
    }
    let staging = store.staging()?;
    progress.step(language, "downloading the package");
    let file = fetch(package, &staging, cancel)?;
    progress.step(language, "unpacking the modules");
    let tree = staging.path().join("tree");
    unpack(package, &file, &tree, &staging, cancel)?;
    let mut manifest = Manifest {
        version: MANIFEST_VERSION,
        language: language.to_owned(),
        architecture: ARCHITECTURE.to_owned(),
        layers: Vec::new(),
        environment: declaration.image.environment.clone(),
        scratch: Vec::new(),
        toolchain: None,
        built: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
        origin: Origin::Built {
            drifted: Vec::new(),
        },
    };
    progress.step(language, "packing");
    let made = (LayerKind::Toolchain, source);
    let layer = pack::layer(store, &staging, &manifest, &tree, made, cancel)?;
    manifest.layers.push(layer);
    store.save(&manifest)?;
    Ok(manifest)
}

/// Downloads the package; its file, which is the one that the declaration means.
fn fetch(package: &Package, staging: &Staging, cancel: &Cancel) -> Result<PathBuf, ImageError> {
    let folder = staging.path().join("package");
    make(&folder)?;
    let (name, version) = (&package.name, &package.version);
    let what = format!("downloading {name} {version}");
    let tool = match package.registry {
        Registry::Npm => Tool::new(what, &folder, "npm").args([
            "pack".to_owned(),
            "--silent".to_owned(),
            format!("{name}@{version}"),
        ]),
        Registry::Pypi => Tool::new(what, &folder, "python3").args([
            "-m".to_owned(),
            "pip".to_owned(),
            "download".to_owned(),
            "--quiet".to_owned(),
            "--no-deps".to_owned(),
            format!("{name}=={version}"),
        ]),
    };
    tool.folder(&folder).output(Isolation::None, cancel)?;
    let failed = |error| ImageError::system(format!("list {}", folder.display()), error);
    let mut files = fs::read_dir(&folder).map_err(failed)?;
    let none = || failed(io::ErrorKind::NotFound.into());
    let file = files.next().ok_or_else(none)?.map_err(failed)?.path();
    let found = Digest::of_file(&file).map_err(failed)?;
    if found.hex() != package.sha256 {
        return Err(ImageError::Damaged {
            what: format!("{name} {version}"),
            expected: package.sha256.clone(),
            found: found.hex().to_owned(),
        });
    }
    Ok(file)
}

/// Lays the files that are taken out into `tree`.
fn unpack(
    package: &Package,
    file: &Path,
    tree: &Path,
    staging: &Staging,
    cancel: &Cancel,
) -> Result<(), ImageError> {
    let all = staging.path().join("all");
    make(&all)?;
    match package.registry {
        Registry::Npm => {
            let failed =
                |error| ImageError::writing(format!("unpack {}", file.display()), &all, error);
            let archive = File::open(file).map_err(failed)?;
            // It refuses names that lead out of the folder.
            tar::Archive::new(GzDecoder::new(archive))
                .unpack(&all)
                .map_err(failed)?;
        }
        // A wheel is a zip archive, and whoever has pip has what unpacks it.
        Registry::Pypi => {
            Tool::new(format!("unpacking {}", package.name), &all, "python3")
                .args(["-m", "zipfile", "-e"])
                .args([file, &all])
                .output(Isolation::Alone, cancel)?;
        }
    }
    for taken in &package.files {
        let (from, to) = (all.join(&taken.from), tree.join(&taken.to));
        make(to.parent().unwrap_or(tree))?;
        fs::rename(&from, &to)
            .map_err(|error| ImageError::system(format!("take {}", from.display()), error))?;
    }
    Ok(())
}

fn make(folder: &Path) -> Result<(), ImageError> {
    fs::create_dir_all(folder)
        .map_err(|error| ImageError::writing(format!("make {}", folder.display()), folder, error))
}
