//! Layers of libraries over a language's image: declared lists, locks, and how they are laid out.
//!
//! `sandbox-images/<language>/libraries/layers.toml` names the layers, and `<layer>.lock` beside it
//! the exact packages, each with the checksum of its file. The registry's own client downloads
//! them, and installs them where there is no network. Each layer is kept like an image of one
//! layer, named `<language>+<layer>`. What is in a layer, and whether it works, is not known here.

mod crates;
mod debian;
mod npm;
mod setup;
mod wheels;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use crate::{
    Cancel, Declaration, Digest, ImageError, LayerKind, Manifest, Origin, Progress, Store, pack,
};
use crates::Vendored;
pub use debian::{Installed, installed};
use setup::Setup;
use wheels::Wheels;

/// Of the rules by which packages become layers. A higher one makes every layer anew.
const VERSION: u32 = 2;

/// What a language declares its layers in.
const FILE: &str = "libraries/layers.toml";
/// What stands between the language and the layer in a manifest's name.
const MARK: char = '+';

/// Registries whose clients lay out libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// `cargo`: sources, which the language's script compiles.
    Crates,
    /// apt: packages of the images' own release, unpacked over the image.
    Debian,
    /// `npm`.
    Npm,
    /// `pip`.
    Pypi,
}

/// `layers.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Libraries {
    /// The language whose layers these are, by whose name they are in the store.
    #[serde(skip)]
    pub owner: String,
    /// Whose client fetches the packages.
    pub registry: Registry,
    /// Folder of the image that they are installed in, without the root. The packages themselves
    /// say where they belong if this is empty.
    #[serde(default)]
    pub place: PathBuf,
    /// What the registry calls the toolchain that they are for, e.g. Python's `3.13`.
    #[serde(default)]
    pub platform: String,
    /// A shell script of the folder that finishes a layer inside the image, without a network; its
    /// argument is the folder that holds the layer's files.
    pub setup: Option<String>,
    /// Endings of files that are left out, such as those of static libraries.
    #[serde(default)]
    pub without: Vec<String>,
    /// Variables that programs with a layer see.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How libraries are tried.
    pub smoke: Smoke,
    /// The layers.
    pub layers: Vec<Declared>,
}

/// `layers.toml` of a language that takes another one's layers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Borrowed {
    /// The other one.
    of: String,
    /// Its own way to try them, if it has one.
    smoke: Option<Smoke>,
}

/// A program that tries libraries. It reads a line for each package: its name, and what it may be
/// imported by (or, from Debian, its files), with tabs between. For each import that it tries it
/// writes a line: package, import, `ok` or what went wrong, and flags that a compiler needs for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smoke {
    /// A program of the image.
    pub program: String,
    /// What it is started with, before the script.
    #[serde(default)]
    pub args: Vec<String>,
    /// The script, a file of the folder.
    pub script: String,
    /// What the script is given.
    #[serde(default)]
    pub given: Vec<String>,
}

/// One declared layer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Its name, a word.
    pub name: String,
    /// For people.
    pub summary: String,
    /// Other layers of the language, which hold what these packages depend on.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What is wanted; what it depends on comes along.
    pub packages: Vec<String>,
}

/// One line of a layer's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Name at the registry.
    pub name: String,
    /// Version, exactly.
    pub version: String,
    /// Of the file, in hex.
    pub sha256: String,
    /// Of the file: its name, or what the registry calls its package.
    pub file: String,
}

/// Declared layers of a language; `None` where there are none.
pub fn declared(language: &str) -> Result<Option<Libraries>, ImageError> {
    let declaration = Declaration::find(language)?;
    let Some(text) = declaration.file(FILE) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(text);
    let problem = |error: toml::de::Error| ImageError::Declaration {
        file: format!("{language}/{FILE}"),
        problem: error.to_string(),
    };
    let table: toml::Table = toml::from_str(&text).map_err(problem)?;
    if table.contains_key("of") {
        let borrowed: Borrowed = toml::from_str(&text).map_err(problem)?;
        let mut libraries = declared(&borrowed.of)?;
        if let (Some(libraries), Some(smoke)) = (&mut libraries, borrowed.smoke) {
            libraries.smoke = smoke;
        }
        return Ok(libraries);
    }
    let mut libraries: Libraries = toml::from_str(&text).map_err(problem)?;
    language.clone_into(&mut libraries.owner);
    Ok(Some(libraries))
}

/// The script that tries a language's libraries.
pub fn smoke(language: &str, libraries: &Libraries) -> Result<&'static [u8], ImageError> {
    let name = format!("libraries/{}", libraries.smoke.script);
    for folder in [language, &libraries.owner] {
        if let Some(script) = Declaration::find(folder)?.file(&name) {
            return Ok(script);
        }
    }
    Err(ImageError::Declaration {
        file: format!("{language}/{name}"),
        problem: "it is missing".into(),
    })
}

/// The lock of a layer.
pub fn locked(language: &str, layer: &str) -> Result<Vec<Locked>, ImageError> {
    let Some(libraries) = declared(language)? else {
        return Ok(Vec::new());
    };
    if libraries.registry == Registry::Debian {
        let packages = debian::locked(&libraries, layer)?.packages;
        let locked = packages.into_iter().map(|package| Locked {
            sha256: package.digest.hex().to_owned(),
            file: package.name.clone(),
            name: package.name,
            version: package.version,
        });
        return Ok(locked.collect());
    }
    let (file, text) = lock_text(&libraries.owner, layer)?;
    parse(&text).map_err(|problem| ImageError::Declaration { file, problem })
}

/// A layer's lock file: its name, and its text.
fn lock_text(owner: &str, layer: &str) -> Result<(String, String), ImageError> {
    let name = format!("libraries/{layer}.lock");
    let file = format!("{owner}/{name}");
    match Declaration::find(owner)?.file(&name) {
        Some(text) => Ok((file, String::from_utf8_lossy(text).into_owned())),
        None => Err(ImageError::Declaration {
            file,
            problem: "it is missing".into(),
        }),
    }
}

/// Resolves the layers of a language anew, at the registry's current versions: names of layers, and
/// the texts of their locks.
pub fn lock(
    store: &Store,
    language: &str,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Vec<(String, String)>, ImageError> {
    let missing = || ImageError::Unknown {
        language: language.to_owned(),
    };
    let libraries = declared(language)?.ok_or_else(missing)?;
    match libraries.registry {
        Registry::Debian => debian::lock(&libraries, progress, cancel),
        Registry::Crates => crates::lock(store, &libraries, progress, cancel),
        Registry::Npm => npm::lock(store, &libraries, progress, cancel),
        Registry::Pypi => Err(ImageError::Declaration {
            file: format!("{language}/{FILE}"),
            problem: "locks of PyPI are resolved outside, as CONTRIBUTING.md says".into(),
        }),
    }
}

/// Text of a lock whose lines are `name version sha256 file`.
fn lines(packages: &[Locked]) -> String {
    let mut text = "# name version sha256 file\n".to_owned();
    for package in packages {
        let (name, version, sha256) = (&package.name, &package.version, &package.sha256);
        text.push_str(&format!("{name} {version} {sha256} {}\n", package.file));
    }
    text
}

fn parse(text: &str) -> Result<Vec<Locked>, String> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, version, sha256, file] = words[..] else {
                return Err(format!(
                    "line {} is not `name version sha256 file`",
                    index + 1
                ));
            };
            Ok(Locked {
                name: name.into(),
                version: version.into(),
                sha256: sha256.into(),
                file: file.into(),
            })
        })
        .collect()
}

impl Libraries {
    /// A layer with those that it needs, lowest first.
    pub fn with_needs(&self, layer: &str) -> Vec<&str> {
        let mut names = Vec::new();
        for declared in self.layers.iter().filter(|each| each.name == layer) {
            for needed in declared.needs.iter().flat_map(|name| self.with_needs(name)) {
                if !names.contains(&needed) {
                    names.push(needed);
                }
            }
            names.push(&declared.name);
        }
        names
    }
}

/// The name under which a layer is in the store.
pub fn name(language: &str, layer: &str) -> String {
    format!("{language}{MARK}{layer}")
}

/// Whether this is the name of a layer of libraries, and not of an image.
pub fn is_layer(name: &str) -> bool {
    name.contains(MARK)
}

/// What the declaration says of the layer of this name in the store, for people.
pub fn summary(whole: &str) -> Option<String> {
    let (language, layer) = whole.split_once(MARK)?;
    let declared = declared(language).ok().flatten()?;
    let found = declared
        .layers
        .into_iter()
        .find(|each| each.name == layer)?;
    Some(format!("libraries: {}", found.summary))
}

/// Builds a layer into the store, over the language's image. One that is up to date stays.
pub fn build(
    store: &Store,
    language: &str,
    layer: &str,
    rebuild: bool,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, ImageError> {
    let unknown = || ImageError::Unknown {
        language: name(language, layer),
    };
    let libraries = declared(language)?.ok_or_else(unknown)?;
    if !libraries.layers.iter().any(|each| each.name == layer) {
        return Err(unknown());
    }
    let language = libraries.owner.as_str();
    let whole = name(language, layer);
    let packages = locked(language, layer)?;
    let not_built = |name: &str| ImageError::NotBuilt {
        language: name.to_owned(),
    };
    let image = store
        .manifest(language)
        .ok_or_else(|| not_built(language))?;
    let _held = store.hold(&format!("build-{whole}"), progress, cancel)?;
    let toolchain = image.layer(LayerKind::Toolchain).map(|layer| &layer.digest);
    let (place, platform) = (&libraries.place, &libraries.platform);
    let script = match &libraries.setup {
        Some(name) => Declaration::find(language)?.file(&format!("libraries/{name}")),
        None => None,
    };
    let mut source = format!(
        "{VERSION} {toolchain:?} {} {platform} {packages:?} {:?} {:?}",
        place.display(),
        script.map(Digest::of),
        libraries.without,
    );
    // What the script makes may depend on what lies below.
    let mut below = vec![image.clone()];
    let needed = libraries.with_needs(layer);
    for needed in needed.into_iter().filter(|needed| *needed != layer) {
        let name = name(language, needed);
        let manifest = store.manifest(&name).ok_or_else(|| not_built(&name))?;
        if script.is_some() {
            source.push_str(&manifest.digest().to_string());
        }
        below.push(manifest);
    }
    let source = Digest::of(source.as_bytes());
    let before = store.current(&whole, LayerKind::Libraries, &source);
    if let Some(before) = before.filter(|_| !rebuild) {
        return Ok(before);
    }
    let staging = store.staging()?;
    let tree = staging.path().join("tree");
    let place = tree.join(&libraries.place);
    fs::create_dir_all(&place)
        .map_err(|error| ImageError::writing("make a folder", staging.path(), error))?;
    match libraries.registry {
        Registry::Debian => {
            let packages = debian::locked(&libraries, layer)?.packages;
            let laid = debian::Laid {
                whole: &whole,
                packages: &packages,
                without: &libraries.without,
            };
            laid.install(store, &tree, staging.path(), progress, cancel)?;
        }
        Registry::Crates => {
            let declared = libraries.layers.iter().find(|each| each.name == layer);
            let roots = declared.map_or(&[][..], |declared| &declared.packages);
            let vendored = Vendored {
                whole: &whole,
                libraries: &libraries,
                folder: staging.path(),
                place: &place,
                progress,
                cancel,
            };
            vendored.install(&packages, roots)?;
        }
        Registry::Npm => {
            let packages = (&whole[..], &packages[..]);
            npm::install(packages, &place, staging.path(), progress, cancel)?;
        }
        Registry::Pypi => {
            let wheels = Wheels {
                whole: &whole,
                libraries: &libraries,
                folder: staging.path(),
                place: &place,
                progress,
                cancel,
            };
            wheels.install(&packages)?;
        }
    }
    if let Some(script) = script {
        progress.step(&whole, "setting up");
        let environment = &libraries.environment;
        Setup {
            script,
            environment,
        }
        .run(store, &below, &whole, &tree)?;
    }
    progress.step(&whole, "packing");
    let origin = Origin::Built {
        drifted: Vec::new(),
    };
    let mut manifest = Manifest::new(&whole, &image.architecture, origin);
    let made = (LayerKind::Libraries, source);
    let layer = pack::layer(store, &staging, &manifest, &tree, made, cancel)?;
    manifest.layers.push(layer);
    store.save(&manifest)?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::languages;

    #[test]
    fn every_declared_layer_is_locked() {
        for language in languages() {
            let Some(libraries) = declared(language).unwrap() else {
                continue;
            };
            assert!(libraries.place.is_relative(), "{language}");
            if libraries.owner != language {
                continue;
            }
            let mut known = std::collections::BTreeMap::new();
            for layer in &libraries.layers {
                let packages = locked(language, &layer.name).unwrap();
                for package in &packages {
                    assert_eq!(package.sha256.len(), 64, "{}", package.name);
                    let before = known.insert(package.name.clone(), package.version.clone());
                    let same = before.is_none_or(|before| before == package.version);
                    assert!(same, "{} stands in two layers", package.name);
                }
                for wanted in &layer.packages {
                    // It may have come along in a layer below.
                    assert!(known.contains_key(wanted), "{wanted}");
                }
                for needed in &layer.needs {
                    let declared = libraries.layers.iter().any(|each| each.name == *needed);
                    assert!(declared, "{language}+{} needs {needed}", layer.name);
                }
            }
        }
    }

    #[test]
    fn a_lock_names_the_line_it_cannot_read() {
        let good = "# name version sha256 file\na 1 00 a.whl\n";
        assert_eq!(parse(good).unwrap()[0].version, "1");
        assert!(parse("a 1\n").unwrap_err().contains("line 1"));
    }
}
