//! Packages of npm, laid out as npm would, with those inside them that they need in other versions.
//! No script of theirs is run.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use tar::{Archive, EntryType};

use super::{Libraries, Locked, lines};
use crate::tool::{Isolation, Tool};
use crate::{Cancel, Digest, ImageError, Progress, Store};

/// The folder that packages stand in.
const FOLDER: &str = "node_modules/";
/// Packages of one call of npm.
const BATCH: usize = 40;

/// What is used of `package-lock.json`.
#[derive(Deserialize)]
struct Resolved {
    packages: BTreeMap<String, Node>,
}

/// A package in its place.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Node {
    /// Where it differs from the place's.
    name: Option<String>,
    version: String,
    dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
    peer_dependencies: BTreeMap<String, String>,
    os: Vec<String>,
    cpu: Vec<String>,
    libc: Vec<String>,
    link: bool,
}

impl Node {
    /// Whether it is for the images' system.
    fn fits(&self) -> bool {
        let takes = |list: &[String], name: &str| {
            let denied = list.iter().any(|each| each.strip_prefix('!') == Some(name));
            let named = list.iter().filter(|each| !each.starts_with('!'));
            !denied && (named.clone().count() == 0 || named.clone().any(|each| each == name))
        };
        takes(&self.os, "linux") && takes(&self.cpu, "x64") && takes(&self.libc, "glibc")
    }
}

/// What npm says of a package that it downloaded.
#[derive(Deserialize)]
struct Packed {
    name: String,
    version: String,
    filename: String,
}

/// Resolves all layers at once, so that they fit together.
pub(super) fn lock(
    store: &Store,
    libraries: &Libraries,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Vec<(String, String)>, ImageError> {
    let staging = store.staging()?;
    let folder = staging.path();
    let language = &libraries.owner;
    progress.step(language, "resolving packages");
    let wanted = libraries.layers.iter().flat_map(|layer| &layer.packages);
    let wanted: BTreeMap<&str, &str> = wanted.map(|name| (name.as_str(), "*")).collect();
    let json = serde_json::json!({ "name": "layers", "version": "1.0.0", "dependencies": wanted });
    let file = folder.join("package.json");
    fs::write(&file, json.to_string())
        .map_err(|error| ImageError::of_file("write", &file, error))?;
    Tool::new("resolving packages", folder, "npm")
        .args([
            "install",
            "--package-lock-only",
            "--ignore-scripts",
            "--legacy-peer-deps",
        ])
        .args(["--no-audit", "--no-fund", "--loglevel=error"])
        .folder(folder)
        .output(Isolation::None, cancel)?;
    let file = folder.join("package-lock.json");
    let text = fs::read(&file).map_err(|error| ImageError::of_file("read", &file, error))?;
    let resolved: Resolved = serde_json::from_slice(&text)
        .map_err(|error| ImageError::of_file("read", &file, io::Error::other(error)))?;
    let mut nodes = resolved.packages;
    nodes.retain(|path, node| path.starts_with(FOLDER) && node.fits() && !node.link);
    let owners = owners(libraries, &nodes);
    let specs = nodes
        .iter()
        .map(|(path, node)| (real_name(path, node), node.version.clone()));
    let files = download(language, specs.collect(), folder, progress, cancel)?;
    let mut texts = Vec::new();
    for layer in &libraries.layers {
        let mut packages = Vec::new();
        for (path, node) in nodes
            .iter()
            .filter(|(path, _)| owners.get(*path) == Some(&&*layer.name))
        {
            let name = real_name(path, node);
            let file = &files[&(name.clone(), node.version.clone())];
            let sha256 =
                Digest::of_file(file).map_err(|error| ImageError::of_file("read", file, error))?;
            let locked = Locked {
                name: path[FOLDER.len()..].to_owned(),
                version: node.version.clone(),
                sha256: sha256.hex().to_owned(),
                file: name,
            };
            packages.push(locked);
        }
        texts.push((layer.name.clone(), lines(&packages)));
    }
    Ok(texts)
}

/// A package's name at the registry.
fn real_name(path: &str, node: &Node) -> String {
    let place = path.rsplit_once(FOLDER).map_or(path, |(_, name)| name);
    node.name.clone().unwrap_or_else(|| place.to_owned())
}

/// The layer of each package: the first that needs it.
fn owners<'a>(
    libraries: &'a Libraries,
    nodes: &BTreeMap<String, Node>,
) -> BTreeMap<String, &'a str> {
    let mut owners = BTreeMap::new();
    for layer in &libraries.layers {
        let roots = layer.packages.iter().map(|name| format!("{FOLDER}{name}"));
        let mut left: Vec<String> = roots.collect();
        while let Some(path) = left.pop() {
            let Some(node) = nodes.get(&path) else {
                continue;
            };
            if owners.contains_key(&path) {
                continue;
            }
            owners.insert(path.clone(), layer.name.as_str());
            let needed = [
                &node.dependencies,
                &node.optional_dependencies,
                &node.peer_dependencies,
            ];
            for name in needed.into_iter().flat_map(BTreeMap::keys) {
                left.extend(seen_from(&path, name, nodes));
            }
        }
    }
    owners
}

/// The package that a name means to the one at `path`: the nearest above it.
fn seen_from(path: &str, name: &str, nodes: &BTreeMap<String, Node>) -> Option<String> {
    let mut above = Some(path);
    while let Some(folder) = above {
        let inside = format!("{folder}/{FOLDER}{name}");
        if nodes.contains_key(&inside) {
            return Some(inside);
        }
        above = folder
            .rsplit_once(&format!("/{FOLDER}"))
            .map(|(folder, _)| folder);
    }
    let top = format!("{FOLDER}{name}");
    nodes.contains_key(&top).then_some(top)
}

/// Downloads packages, each once; their files by name and version.
fn download(
    whole: &str,
    mut specs: Vec<(String, String)>,
    folder: &Path,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<BTreeMap<(String, String), PathBuf>, ImageError> {
    specs.sort();
    specs.dedup();
    let place = folder.join("downloads");
    fs::create_dir_all(&place).map_err(|error| ImageError::of_file("make", &place, error))?;
    progress.step(whole, "downloading packages");
    let mut files = BTreeMap::new();
    for batch in specs.chunks(BATCH) {
        let said = Tool::new("downloading packages", folder, "npm")
            .args([
                "pack",
                "--json",
                "--silent",
                "--ignore-scripts",
                "--pack-destination",
            ])
            .args([&place])
            .args(
                batch
                    .iter()
                    .map(|(name, version)| format!("{name}@{version}")),
            )
            .folder(folder)
            .output(Isolation::None, cancel)?;
        let packed: Vec<Packed> =
            serde_json::from_str(&said).map_err(|error| ImageError::Tool {
                what: "downloading packages".into(),
                status: error.to_string(),
                said,
            })?;
        for each in packed {
            // Scopes stand in names of files with dashes, however npm says it.
            let name = each.filename.trim_start_matches('@').replace('/', "-");
            files.insert((each.name, each.version), place.join(name));
        }
    }
    match specs.iter().find(|spec| !files.contains_key(spec)) {
        Some((name, version)) => Err(ImageError::Tool {
            what: format!("downloading {name} {version}"),
            status: "npm said nothing of it".into(),
            said: String::new(),
        }),
        None => Ok(files),
    }
}

/// Downloads the packages of the layer `whole` and lays them out in `place`.
pub(super) fn install(
    (whole, packages): (&str, &[Locked]),
    place: &Path,
    folder: &Path,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<(), ImageError> {
    let spec = |package: &Locked| (package.file.clone(), package.version.clone());
    let files = download(
        whole,
        packages.iter().map(spec).collect(),
        folder,
        progress,
        cancel,
    )?;
    progress.step(whole, "unpacking packages");
    for package in packages {
        cancel.check()?;
        let file = &files[&spec(package)];
        let found =
            Digest::of_file(file).map_err(|error| ImageError::of_file("read", file, error))?;
        if found.hex() != package.sha256 {
            return Err(ImageError::Damaged {
                what: format!("{} {}", package.name, package.version),
                expected: package.sha256.clone(),
                found: found.hex().to_owned(),
            });
        }
        let target = place.join(&package.name);
        unpack(file, &target).map_err(|error| ImageError::of_file("unpack", file, error))?;
    }
    let downloads = folder.join("downloads");
    fs::remove_dir_all(&downloads).map_err(|error| ImageError::of_file("remove", &downloads, error))
}

/// Unpacks what stands in the one folder of a package's archive.
fn unpack(file: &Path, target: &Path) -> io::Result<()> {
    let mut archive = Archive::new(GzDecoder::new(BufReader::new(File::open(file)?)));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let parts: PathBuf = {
            let path = entry.path()?;
            let parts = path
                .components()
                .filter(|part| matches!(part, Component::Normal(_)));
            parts.skip(1).collect()
        };
        let plain = matches!(
            entry.header().entry_type(),
            EntryType::Regular | EntryType::Continuous
        );
        // npm leaves links out, too.
        if !plain || parts.as_os_str().is_empty() {
            continue;
        }
        let to = target.join(parts);
        if let Some(above) = to.parent() {
            fs::create_dir_all(above)?;
        }
        entry.unpack(&to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_nearest_package() {
        let nodes = ["a", "a/node_modules/b", "b", "@s/c"];
        let nodes = nodes.map(|path| (format!("{FOLDER}{path}"), Node::default()));
        let nodes = BTreeMap::from(nodes);
        let seen = |from: &str, name: &str| seen_from(&format!("{FOLDER}{from}"), name, &nodes);
        assert_eq!(seen("a", "b").unwrap(), "node_modules/a/node_modules/b");
        assert_eq!(seen("@s/c", "b").unwrap(), "node_modules/b");
        assert_eq!(
            seen("a/node_modules/b", "@s/c").unwrap(),
            "node_modules/@s/c"
        );
        assert_eq!(seen("a", "d"), None);
    }

    #[test]
    fn a_package_is_unpacked_below_its_name_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.tgz");
        let gzip = flate2::write::GzEncoder::new(
            File::create(&file).unwrap(),
            flate2::Compression::fast(),
        );
        let mut tar = tar::Builder::new(gzip);
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(2);
        for name in ["package/package.json", "package/lib/a.js"] {
            tar.append_data(&mut header, name, &b"{}"[..]).unwrap();
        }
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "package/out", "/etc").unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        let target = folder.path().join("@s/p");
        unpack(&file, &target).unwrap();
        assert_eq!(fs::read(target.join("lib/a.js")).unwrap(), b"{}");
        assert!(target.join("package.json").is_file() && !target.join("out").exists());
    }

    #[test]
    fn packages_of_other_systems_are_left_out() {
        let node = |os: &[&str], cpu: &[&str]| Node {
            os: os.iter().map(ToString::to_string).collect(),
            cpu: cpu.iter().map(ToString::to_string).collect(),
            ..Node::default()
        };
        assert!(node(&[], &[]).fits() && node(&["linux", "darwin"], &["x64"]).fits());
        assert!(!node(&["darwin"], &[]).fits() && !node(&["!linux"], &[]).fits());
        assert!(node(&["!win32"], &[]).fits() && !node(&[], &["arm64"]).fits());
    }
}
