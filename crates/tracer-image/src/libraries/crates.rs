//! Crates, laid out as `cargo vendor` would: sources alone. What compiles them is the language's own script.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::{Libraries, Locked, lines};
use crate::modules::of_cargo;
use crate::tool::{Isolation, Tool};
use crate::{Cancel, Digest, ImageError, Progress, Store};

/// Names the crates that the layer was declared with, a line each, beside the crates.
const ROOTS: &str = "roots";
/// Between name and version of a crate that stands beside a newer one of its name.
const MARK: char = '@';

/// What is used of `Cargo.lock`.
#[derive(Deserialize)]
struct Resolved {
    package: Vec<Node>,
}

/// A crate that was chosen.
#[derive(Deserialize)]
struct Node {
    name: String,
    version: String,
    checksum: Option<String>,
    /// `name`, or `name version` where that alone does not say which.
    #[serde(default)]
    dependencies: Vec<String>,
}

/// Resolves all layers at once, so that they fit together, for the image's compiler.
pub(super) fn lock(
    store: &Store,
    libraries: &Libraries,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Vec<(String, String)>, ImageError> {
    let staging = store.staging()?;
    let folder = staging.path();
    progress.step(&libraries.owner, "resolving packages");
    let wanted = libraries.layers.iter().flat_map(|layer| &layer.packages);
    let wanted: BTreeSet<&str> = wanted.map(String::as_str).collect();
    let wanted = wanted.into_iter().map(|name| (name, "*".to_owned()));
    manifest(folder, &libraries.platform, wanted)?;
    Tool::new("resolving packages", folder, "cargo")
        .args(["generate-lockfile", "--quiet"])
        .folder(folder)
        .output(Isolation::None, cancel)?;
    let file = folder.join("Cargo.lock");
    let text =
        fs::read_to_string(&file).map_err(|error| ImageError::of_file("read", &file, error))?;
    let resolved: Resolved = toml::from_str(&text).map_err(|error| {
        ImageError::of_file(
            "read",
            &file,
            std::io::Error::other(error.message().to_owned()),
        )
    })?;
    let nodes = resolved.package;
    let owners = owners(libraries, &nodes);
    let mut texts = Vec::new();
    for layer in &libraries.layers {
        let own = nodes.iter().enumerate();
        let own = own.filter(|(index, _)| owners.get(index) == Some(&&*layer.name));
        let locked = own.filter_map(|(index, node)| {
            // Those of one name stand together, the oldest first.
            let older = (nodes.get(index + 1)).is_some_and(|next| next.name == node.name);
            let (name, version) = (&node.name, &node.version);
            Some(Locked {
                name: if older {
                    format!("{name}{MARK}{version}")
                } else {
                    name.clone()
                },
                version: version.clone(),
                sha256: node.checksum.clone()?,
                file: name.clone(),
            })
        });
        texts.push((layer.name.clone(), lines(&locked.collect::<Vec<_>>())));
    }
    Ok(texts)
}

/// The layer of each crate, by its place in `nodes`: the first that needs it.
fn owners<'a>(libraries: &'a Libraries, nodes: &[Node]) -> BTreeMap<usize, &'a str> {
    let find = |word: &str| {
        let (name, version) = word.split_once(' ').unwrap_or((word, ""));
        let fits =
            |node: &Node| node.name == name && (version.is_empty() || node.version == version);
        nodes.iter().rposition(fits)
    };
    let mut owners = BTreeMap::new();
    for layer in &libraries.layers {
        let roots = layer.packages.iter();
        let mut left: Vec<usize> = roots.filter_map(|name| find(name)).collect();
        while let Some(index) = left.pop() {
            if owners.contains_key(&index) {
                continue;
            }
            owners.insert(index, layer.name.as_str());
            left.extend(
                nodes[index]
                    .dependencies
                    .iter()
                    .filter_map(|word| find(word)),
            );
        }
    }
    owners
}

/// A crate of nothing that depends on these, each of a version.
fn manifest<'a>(
    folder: &Path,
    platform: &str,
    wanted: impl Iterator<Item = (&'a str, String)>,
) -> Result<(), ImageError> {
    let mut text = format!(
        "[package]\nname = \"all\"\nversion = \"0.0.0\"\nedition = \"2021\"\nresolver = \"3\"\n\
         rust-version = \"{platform}\"\n[lib]\npath = \"lib.rs\"\n[dependencies]\n"
    );
    for (number, (name, version)) in wanted.enumerate() {
        text.push_str(&format!(
            "k{number} = {{ package = \"{name}\", version = \"{version}\" }}\n"
        ));
    }
    for (name, text) in [("Cargo.toml", &*text), ("lib.rs", "")] {
        let file = folder.join(name);
        fs::write(&file, text).map_err(|error| ImageError::of_file("write", &file, error))?;
    }
    Ok(())
}

/// One installation.
pub(super) struct Vendored<'a> {
    pub(super) whole: &'a str,
    pub(super) libraries: &'a Libraries,
    pub(super) folder: &'a Path,
    pub(super) place: &'a Path,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
}

impl Vendored<'_> {
    /// Downloads the crates and lays them out.
    pub(super) fn install(&self, packages: &[Locked], roots: &[String]) -> Result<(), ImageError> {
        let exactly = packages.iter().map(|package| {
            // What SemVer calls a build is no part of a requirement.
            let (version, _) = package
                .version
                .split_once('+')
                .unwrap_or((&package.version, ""));
            (&*package.file, format!("={version}"))
        });
        let folder = self.folder.join("fetch");
        fs::create_dir(&folder)
            .map_err(|error| ImageError::writing("make a folder", self.folder, error))?;
        manifest(&folder, &self.libraries.platform, exactly)?;
        self.progress.step(self.whole, "downloading packages");
        Tool::new("downloading packages", &folder, "cargo")
            .args(["fetch", "--quiet"])
            .folder(&folder)
            .output(Isolation::None, self.cancel)?;
        self.progress.step(self.whole, "unpacking packages");
        for package in packages {
            self.cancel.check()?;
            self.unpack(package)?;
        }
        let file = self.place.join(ROOTS);
        fs::write(&file, roots.join("\n") + "\n")
            .map_err(|error| ImageError::of_file("write", &file, error))
    }

    fn unpack(&self, package: &Locked) -> Result<(), ImageError> {
        let whole = format!("{}-{}", package.file, package.version);
        let name = format!("{whole}.crate");
        let file: PathBuf = of_cargo(&name).ok_or_else(|| {
            let missing = std::io::ErrorKind::NotFound.into();
            ImageError::system(format!("find {name} among what cargo fetched"), missing)
        })?;
        let failed = |error| ImageError::of_file("unpack", &file, error);
        let found = Digest::of_file(&file).map_err(failed)?;
        if found.hex() != package.sha256 {
            return Err(ImageError::Damaged {
                what: whole,
                expected: package.sha256.clone(),
                found: found.hex().to_owned(),
            });
        }
        let archive = File::open(&file).map_err(failed)?;
        // It refuses names that lead out of the folder.
        tar::Archive::new(GzDecoder::new(archive))
            .unpack(self.place)
            .map_err(failed)?;
        let sums = self.place.join(&whole).join(".cargo-checksum.json");
        let text = format!("{{\"files\":{{}},\"package\":\"{}\"}}", package.sha256);
        fs::write(&sums, text).map_err(|error| ImageError::of_file("write", &sums, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_belongs_to_the_first_layer_that_needs_it() {
        let text = r#"
            registry = "crates"
            smoke = { program = "sh", script = "s" }
            [[layers]]
            name = "a"
            summary = ""
            packages = ["x"]
            [[layers]]
            name = "b"
            summary = ""
            packages = ["y"]
        "#;
        let libraries: Libraries = toml::from_str(text).unwrap();
        let node = |name: &str, version: &str, dependencies: &[&str]| Node {
            name: name.into(),
            version: version.into(),
            checksum: None,
            dependencies: dependencies.iter().map(|&word| word.into()).collect(),
        };
        let nodes = [
            node("s", "1.0.0", &[]),
            node("s", "2.0.0", &[]),
            node("x", "1.0.0", &["s 1.0.0"]),
            node("y", "1.0.0", &["s 2.0.0", "x"]),
        ];
        let owners = owners(&libraries, &nodes);
        assert_eq!(
            owners,
            BTreeMap::from([(0, "a"), (1, "b"), (2, "a"), (3, "b")])
        );
    }
}
