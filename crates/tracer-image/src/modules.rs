//! Images of WebAssembly modules: files of one package of a public registry, by name and checksum.
//!
//! The registry's own client downloads the package, from where the system has it look. What is not
//! what the declaration says is not unpacked. There is no root file system around a module: its
//! image is one layer, packed by the base's packer. A package may also be of sources; then the module
//! is made of them, and of a runner that is part of tracer, by the compilers of other images.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::manifest::MANIFEST_VERSION;
use crate::tool::{Isolation, Tool};
use crate::verify::Image;
use crate::{
    BuildOptions, Cancel, Declaration, Digest, ImageError, LayerKind, Manifest, Origin, Progress,
    Staging, Store, pack,
};

/// The architecture of an image that any processor runs.
const ARCHITECTURE: &str = "wasm32";

/// The sources of runners, by the folder of `runtimes` that they lie in.
static RUNNERS: &[(&str, Dir<'_>)] = &[
    (
        "javascript",
        include_dir!("$CARGO_MANIFEST_DIR/../../runtimes/javascript/engine"),
    ),
    (
        "sql",
        include_dir!("$CARGO_MANIFEST_DIR/../../runtimes/sql/src"),
    ),
];

/// Where a runner's sources lie beside those of the package.
const RUNNER: &str = "runner";

/// A package of a registry, and what an image takes from it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Whose client fetches it.
    pub registry: Source,
    /// Its name there.
    pub name: String,
    /// Its version, exactly.
    pub version: String,
    /// Of the file that the client downloads.
    pub sha256: String,
    /// What is taken.
    pub files: Vec<Taken>,
    /// How that is made, where it is not in the package.
    pub make: Option<Make>,
}

/// How a module is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// Folder of `runtimes` whose sources are put into the folder `runner` of the package.
    pub runner: String,
    /// One after the other, in the package's folder.
    pub steps: Vec<Step>,
}

/// A command in an image.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Whose toolchain it is.
    pub image: String,
    /// With the package's folder for `{out}`.
    pub command: Vec<String>,
}

/// Registries whose clients are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// `cargo`.
    Crates,
    /// `npm`.
    Npm,
    /// `pip`.
    Pypi,
}

/// Those that have a language's libraries.
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
    let source = source(package)?;
    let before = store.current(language, LayerKind::Toolchain, &source);
    if let Some(before) = before.filter(|_| !options.rebuild) {
        return Ok(before);
    }
    let staging = store.staging()?;
    progress.step(language, "downloading the package");
    let file = fetch(package, &staging, cancel)?;
    progress.step(language, "unpacking the modules");
    let (all, tree) = (staging.path().join("all"), staging.path().join("tree"));
    unpack(package, &file, &all, cancel)?;
    if let Some(make) = &package.make {
        run(make, language, store, &all, progress, cancel)?;
    }
    take(package, &all, &tree)?;
    let origin = Origin::Built {
        drifted: Vec::new(),
    };
    let mut manifest = Manifest::new(language, ARCHITECTURE, origin);
    manifest
        .environment
        .clone_from(&declaration.image.environment);
    progress.step(language, "packing");
    let made = (LayerKind::Toolchain, source);
    let layer = pack::layer(store, &staging, &manifest, &tree, made, cancel)?;
    manifest.layers.push(layer);
    store.save(&manifest)?;
    Ok(manifest)
}

/// Names all that an image is made from.
fn source(package: &Package) -> Result<Digest, ImageError> {
    let mut text = format!("{MANIFEST_VERSION} {package:?}").into_bytes();
    if let Some(make) = &package.make {
        for (path, contents) in runner(&make.runner)? {
            text.extend(format!("\n{} {}", path.display(), Digest::of(contents)).bytes());
        }
        for step in &make.steps {
            let lock = Declaration::find(&step.image)?.lock;
            let lock = lock.map_or_else(String::new, |lock| lock.text());
            text.extend(format!("\n{} {}", step.image, Digest::of(lock.as_bytes())).bytes());
        }
    }
    Ok(Digest::of(&text))
}

/// Whether an image has a runner of another version of tracer in it, which this one cannot use.
pub fn is_outdated(manifest: &Manifest) -> Result<bool, ImageError> {
    let package = Declaration::find(&manifest.language)?.image.package;
    let Some(package) = package.filter(|package| package.make.is_some()) else {
        return Ok(false);
    };
    let layer = manifest.layer(LayerKind::Toolchain);
    let source = source(&package)?;
    Ok(layer.is_none_or(|layer| layer.source != source))
}

/// The images whose toolchains make an image.
pub(crate) fn makers(declaration: &Declaration) -> Vec<&str> {
    let make = declaration.image.package.iter();
    let steps = make.flat_map(|package| package.make.iter().flat_map(|make| &make.steps));
    let mut names: Vec<&str> = steps.map(|step| &*step.image).collect();
    names.dedup();
    names
}

/// A runner's files, in order.
fn runner(name: &str) -> Result<Vec<(&'static Path, &'static [u8])>, ImageError> {
    let mut known = RUNNERS.iter();
    let (_, folder) =
        known
            .find(|(known, _)| *known == name)
            .ok_or_else(|| ImageError::Unknown {
                language: name.to_owned(),
            })?;
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(folder.files().map(|file| (file.path(), file.contents())));
    }
    files.sort_unstable();
    Ok(files)
}

/// Makes what is taken, in the package's folder.
fn run(
    make: &Make,
    language: &str,
    store: &Store,
    all: &Path,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<(), ImageError> {
    for (path, contents) in runner(&make.runner)? {
        let path = all.join(RUNNER).join(path);
        make_folder(path.parent().unwrap_or(all))?;
        fs::write(&path, contents).map_err(|error| {
            ImageError::writing(format!("write {}", path.display()), all, error)
        })?;
    }
    for (number, step) in make.steps.iter().enumerate() {
        let what = format!("compiling, {} of {}", number + 1, make.steps.len());
        progress.step(language, &what);
        cancel.check()?;
        let not_built = || ImageError::NotBuilt {
            language: step.image.clone(),
        };
        let manifest = store.manifest(&step.image).ok_or_else(not_built)?;
        let attached = store.attach(&manifest)?;
        let image = Image {
            layers: &attached.layers,
            manifest: &manifest,
            prepare: &|_| Ok(()),
        };
        if let Err(said) = image.step(&step.command, all)? {
            return Err(ImageError::Tool {
                what,
                status: String::new(),
                said,
            });
        }
    }
    Ok(())
}

/// Downloads the package; its file, which is the one that the declaration means.
fn fetch(package: &Package, staging: &Staging, cancel: &Cancel) -> Result<PathBuf, ImageError> {
    let folder = staging.path().join("package");
    make_folder(&folder)?;
    let (name, version) = (&package.name, &package.version);
    let what = format!("downloading {name} {version}");
    let tool = match package.registry {
        Source::Crates => {
            let manifest = folder.join("Cargo.toml");
            let text = format!(
                "[package]\nname = \"fetch\"\nedition = \"2021\"\n[lib]\npath = \"lib.rs\"\n\
                 [dependencies]\n{name} = \"={version}\"\n"
            );
            for (path, text) in [(&manifest, &*text), (&folder.join("lib.rs"), "")] {
                fs::write(path, text).map_err(|error| {
                    ImageError::writing(format!("write {}", path.display()), &folder, error)
                })?;
            }
            Tool::new(what, &folder, "cargo").args(["fetch", "--quiet"])
        }
        Source::Npm => Tool::new(what, &folder, "npm").args([
            "pack".to_owned(),
            "--silent".to_owned(),
            format!("{name}@{version}"),
        ]),
        Source::Pypi => Tool::new(what, &folder, "python3").args([
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
    let none = || failed(io::ErrorKind::NotFound.into());
    let file = match package.registry {
        Source::Crates => of_cargo(&format!("{name}-{version}.crate")).ok_or_else(none)?,
        Source::Npm | Source::Pypi => {
            let mut files = fs::read_dir(&folder).map_err(failed)?;
            files.next().ok_or_else(none)?.map_err(failed)?.path()
        }
    };
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

/// A file that cargo has fetched: it keeps them by name, in a folder a registry.
pub(crate) fn of_cargo(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/cache")).ok()?;
    let mut files = registries
        .flatten()
        .map(|registry| registry.path().join(name));
    files.find(|file| file.is_file())
}

/// Unpacks the package into the folder `all`.
fn unpack(package: &Package, file: &Path, all: &Path, cancel: &Cancel) -> Result<(), ImageError> {
    make_folder(all)?;
    match package.registry {
        Source::Crates | Source::Npm => {
            let failed =
                |error| ImageError::writing(format!("unpack {}", file.display()), all, error);
            let archive = File::open(file).map_err(failed)?;
            // It refuses names that lead out of the folder.
            tar::Archive::new(GzDecoder::new(archive))
                .unpack(all)
                .map_err(failed)?;
        }
        // A wheel is a zip archive, and whoever has pip has what unpacks it.
        Source::Pypi => {
            Tool::new(format!("unpacking {}", package.name), all, "python3")
                .args(["-m", "zipfile", "-e"])
                .args([file, all])
                .output(Isolation::Alone, cancel)?;
        }
    }
    Ok(())
}

/// Moves the files that are taken into `tree`.
fn take(package: &Package, all: &Path, tree: &Path) -> Result<(), ImageError> {
    for taken in &package.files {
        let (from, to) = (all.join(&taken.from), tree.join(&taken.to));
        make_folder(to.parent().unwrap_or(tree))?;
        fs::rename(&from, &to)
            .map_err(|error| ImageError::system(format!("take {}", from.display()), error))?;
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), ImageError> {
    fs::create_dir_all(folder)
        .map_err(|error| ImageError::writing(format!("make {}", folder.display()), folder, error))
}
