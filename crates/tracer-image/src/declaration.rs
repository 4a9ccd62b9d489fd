//! What `sandbox-images/` says, compiled into this program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use crate::modules::Package;
use crate::{ImageError, Lock};

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sandbox-images");

/// Folder of the layer that all images share.
pub const BASE: &str = "base";

/// One folder of `sandbox-images/`.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Language id, or [`BASE`].
    pub language: &'static str,
    /// `image.toml`.
    pub image: ImageFile,
    /// `packages.lock`; `None` where none is written yet.
    pub lock: Option<Lock>,
}

/// `image.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageFile {
    /// For people, e.g. `CPython 3.13`.
    pub summary: String,
    /// Debian release, in the base only: all images are of one release.
    pub suite: Option<String>,
    /// Seconds since 1970 that stand for every later time stamp, in the base only.
    pub epoch: Option<u64>,
    /// Debian packages; what they depend on comes along.
    #[serde(default)]
    pub packages: Vec<String>,
    /// The package of a public registry that an image of WebAssembly modules is made of, instead.
    pub package: Option<Package>,
    /// Variables that programs see.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Folders of the image that programs may write, each run in a layer of its own.
    #[serde(default)]
    pub scratch: Vec<PathBuf>,
    /// Shell script of this folder, run as root inside the finished root, without a network.
    pub setup: Option<String>,
    /// How to see that it works; absent in the base.
    pub verify: Option<Verify>,
}

/// Programs that prove an image.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Prints the toolchain's version.
    pub version: Vec<String>,
    /// Programs, by how they are built and run.
    pub check: Vec<Check>,
}

/// Programs that are built and run alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Builds `{source}` into the folder `{out}`; absent for interpreted languages.
    #[serde(default)]
    pub build: Vec<Vec<String>>,
    /// Runs it, with the same two words filled in.
    pub run: Vec<String>,
    /// Files of `verify/`, each beside its `<name>.expected` stdout.
    pub programs: Vec<String>,
}

/// What the names of folders for WebAssembly begin with.
const WASM: &str = "wasm-";

/// Every language with a declaration, sorted; the base is not one.
pub fn languages() -> Vec<&'static str> {
    let mut names = all();
    names.retain(|name| *name != BASE && !name.starts_with(WASM));
    names
}

/// The images of WebAssembly modules and of what makes them, sorted.
pub fn modules() -> Vec<&'static str> {
    let mut names = all();
    names.retain(|name| name.starts_with(WASM));
    names
}

fn all() -> Vec<&'static str> {
    let folders = FOLDER.dirs();
    let mut names: Vec<_> = folders.filter_map(|dir| dir.path().to_str()).collect();
    names.sort_unstable();
    names
}

impl Declaration {
    /// The declaration of a language, or of [`BASE`].
    pub fn find(language: &str) -> Result<Self, ImageError> {
        let folder = FOLDER
            .get_dir(language)
            .ok_or_else(|| ImageError::Unknown {
                language: language.to_owned(),
            })?;
        let name = folder.path().to_str().unwrap_or_default();
        let file = format!("{name}/image.toml");
        let problem = |problem: String| ImageError::Declaration {
            file: file.clone(),
            problem,
        };
        let text = FOLDER
            .get_file(&file)
            .and_then(|file| file.contents_utf8())
            .ok_or_else(|| problem("it is missing".into()))?;
        let image = toml::from_str(text).map_err(|error| problem(error.to_string()))?;
        let lock = format!("{name}/packages.lock");
        let lock = FOLDER
            .get_file(&lock)
            .and_then(|file| file.contents_utf8())
            .map(|text| Lock::parse(&lock, text))
            .transpose()?;
        Ok(Self {
            language: name,
            image,
            lock,
        })
    }

    /// A file of the folder, e.g. `verify/hello.py`. A program that an image of modules has not is
    /// the language's own.
    pub fn file(&self, name: &str) -> Option<&'static [u8]> {
        let native = self.language.strip_prefix(WASM);
        let native = native.filter(|_| name.starts_with("verify/"));
        let folders = [Some(self.language), native];
        let mut paths = folders
            .iter()
            .flatten()
            .map(|folder| Path::new(folder).join(name));
        paths
            .find_map(|path| FOLDER.get_file(path))
            .map(include_dir::File::contents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a module is made of is what the native runner is built with.
    #[test]
    fn modules_are_of_the_locked_packages() {
        let lock = include_str!("../../../Cargo.lock");
        let mut checked = 0;
        for language in modules() {
            let package = Declaration::find(language).unwrap().image.package;
            let Some(package) = package.filter(|package| package.make.is_some()) else {
                continue;
            };
            let (name, version) = (&package.name, &package.version);
            let head = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            // The native programs of others are not built with these.
            if !lock.contains(&format!("name = \"{name}\"\n")) {
                continue;
            }
            let (_, entry) = lock.split_once(&head).unwrap();
            let (entry, _) = entry.split_once("\n\n").unwrap();
            assert!(entry.contains(&package.sha256), "{language}");
            checked += 1;
        }
        assert!(checked > 0);
    }

    #[test]
    fn every_declaration_is_whole() {
        let base = Declaration::find(BASE).unwrap();
        assert!(base.image.suite.is_some() && base.image.epoch.is_some());
        for language in languages().into_iter().chain(modules()) {
            let declaration = Declaration::find(language).unwrap();
            assert!(declaration.image.suite.is_none(), "{language}");
            let verify = declaration.image.verify.clone().unwrap();
            let programs: Vec<_> = verify
                .check
                .iter()
                .flat_map(|each| &each.programs)
                .collect();
            for kind in ["hello.", "sample."] {
                let has = programs.iter().any(|name| name.starts_with(kind));
                assert!(has, "{language} has no {kind}");
            }
            for program in programs {
                for name in [program.clone(), format!("{program}.expected")] {
                    let file = format!("verify/{name}");
                    let bytes = declaration.file(&file);
                    assert!(
                        bytes.is_some_and(|bytes| !bytes.is_empty()),
                        "{language}/{file}"
                    );
                }
            }
            for check in &verify.check {
                let named = check.build.iter().flatten().chain(&check.run);
                assert!(
                    named.into_iter().any(|word| word.contains("{source}")),
                    "{language}"
                );
            }
            if let Some(setup) = &declaration.image.setup {
                assert!(declaration.file(setup).is_some(), "{language}/{setup}");
            }
        }
        assert!(matches!(
            Declaration::find("klingon"),
            Err(ImageError::Unknown { .. })
        ));
    }
}
