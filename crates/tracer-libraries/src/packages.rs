//! Reads what is in a layer from what its packages say of themselves: names, versions, licences,
//! and the names that programs import. Nothing is loaded here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tracer_image::libraries::{self, Registry};

/// Most import names kept of one package.
const IMPORTS: usize = 16;

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Name, as it writes it itself.
    pub name: String,
    /// Version.
    pub version: String,
    /// Its word on its licence; empty where it has none.
    pub licence: String,
    /// What programs import of it; of Debian's packages, its files: only who tries them knows what
    /// programs import of those.
    pub imports: Vec<String>,
}

/// Packages of an attached layer, sorted: `whole` is its name in the store, and `place` the folder
/// below its root where its registry's client puts packages.
pub fn read(registry: Registry, root: &Path, whole: &str, place: &Path) -> Vec<Package> {
    let place = root.join(place);
    let mut packages = match registry {
        Registry::Crates => crates(&place),
        Registry::Debian => debian(root, whole),
        Registry::Npm => modules(&place),
        Registry::Pypi => wheels(&place),
    };
    packages.sort();
    packages
}

fn debian(root: &Path, whole: &str) -> Vec<Package> {
    let installed = libraries::installed(root, whole).into_iter();
    let packages = installed.map(|each| Package {
        name: each.name,
        version: each.version,
        licence: each.licence,
        imports: each.files,
    });
    packages.collect()
}

/// Of several versions the newest: programs do not say which one they mean.
fn crates(place: &Path) -> Vec<Package> {
    let mut newest: BTreeMap<String, (Vec<u64>, Package)> = BTreeMap::new();
    for folder in names(place) {
        let text = fs::read_to_string(place.join(folder).join("Cargo.toml")).unwrap_or_default();
        let table: toml::Table = toml::from_str(&text).unwrap_or_default();
        let field = |name: &str| table.get("package")?.get(name)?.as_str().map(str::to_owned);
        let (Some(name), Some(version)) = (field("name"), field("version")) else {
            continue;
        };
        let numbers = version.split(['.', '-', '+']).take(3);
        let numbers: Vec<u64> = numbers.map(|part| part.parse().unwrap_or(0)).collect();
        let library = table.get("lib").and_then(|lib| lib.get("name")?.as_str());
        let import = library.map_or_else(|| name.replace('-', "_"), str::to_owned);
        let package = Package {
            name: name.clone(),
            version,
            licence: field("license").unwrap_or_default(),
            imports: vec![import],
        };
        let known = newest
            .get(&name)
            .is_some_and(|(known, _)| *known >= numbers);
        if !known {
            newest.insert(name, (numbers, package));
        }
    }
    newest.into_values().map(|(_, package)| package).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn wheels(place: &Path) -> Vec<Package> {
    let infos = names(place)
        .into_iter()
        .filter(|name| name.ends_with(".dist-info"));
    infos
        .filter_map(|info| {
            let folder = place.join(info);
            let metadata = fs::read(folder.join("METADATA")).ok()?;
            let metadata = String::from_utf8_lossy(&metadata);
            let record = fs::read(folder.join("RECORD")).ok()?;
            let head = metadata.split("\n\n").next().unwrap_or_default();
            let field = |name: &str| {
                let mut lines = head.lines();
                let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                value.map(str::trim).filter(|value| !value.is_empty())
            };
            let classified = head
                .lines()
                .filter_map(|line| line.strip_prefix("Classifier: License :: "))
                .find_map(|text| text.rsplit(" :: ").next());
            let licence = field("License-Expression").or(classified);
            let licence = licence.or_else(|| field("License").filter(|text| text.len() < 60));
            Some(Package {
                name: field("Name")?.to_owned(),
                version: field("Version")?.to_owned(),
                licence: licence.unwrap_or_default().replace('\t', " "),
                imports: of_record(&String::from_utf8_lossy(&record)),
            })
        })
        .collect()
}

/// Import names of a wheel, from the list of its files.
fn of_record(record: &str) -> Vec<String> {
    let files: Vec<&str> = record
        .lines()
        .map(|line| line.split(',').next().unwrap_or_default())
        .filter(|path| !path.contains(".dist-info/") && !path.contains(".data/"))
        .filter(|path| !path.starts_with("..") && !path.contains("__pycache__"))
        .collect();
    let module = |file: &str| {
        let (stem, rest) = file.split_once('.')?;
        let ending = matches!(rest.rsplit('.').next(), Some("py" | "so"));
        (ending && is_word(stem)).then(|| stem.to_owned())
    };
    let split = |path: &str| match path.rsplit_once('/') {
        Some((folder, file)) => (folder.to_owned(), file.to_owned()),
        None => (String::new(), path.to_owned()),
    };
    let packages: BTreeSet<String> = (files.iter())
        .map(|path| split(path))
        .filter(|(folder, file)| {
            !folder.is_empty() && module(file).is_some_and(|stem| stem == "__init__")
        })
        .map(|(folder, _)| folder)
        .collect();
    let inside = |folder: &str| {
        let mut above = folder.match_indices('/').map(|(at, _)| &folder[..at]);
        above.any(|above| packages.contains(above))
    };
    let mut imports: BTreeSet<String> = (packages.iter())
        .filter(|folder| !inside(folder))
        .map(|folder| folder.replace('/', "."))
        .collect();
    for path in &files {
        let (folder, file) = split(path);
        // Modules in folders without `__init__` count where there is nothing else.
        let counts = folder.is_empty() || packages.is_empty() && folder.matches('/').count() < 2;
        if counts && let Some(stem) = module(&file) {
            let whole = format!("{}.{stem}", folder.replace('/', "."));
            imports.insert(whole.trim_start_matches('.').to_owned());
        }
    }
    // What developers left in: not what anybody imports a library for.
    let left = [
        "test",
        "tests",
        "testing",
        "docs",
        "doc",
        "examples",
        "example",
        "benchmarks",
        "setup",
        "conftest",
    ];
    let all = imports
        .into_iter()
        .filter(|name| name.split('.').all(is_word));
    let mut kept: Vec<String> = all.filter(|name| !left.contains(&name.as_str())).collect();
    // Public names first.
    kept.sort_by_key(|name| {
        (
            name.starts_with('_'),
            name.matches('.').count(),
            name.clone(),
        )
    });
    kept.truncate(IMPORTS);
    kept
}

fn is_word(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_')
}

fn modules(place: &Path) -> Vec<Package> {
    let mut folders = Vec::new();
    for name in names(place) {
        if name.starts_with('@') {
            let scoped = names(&place.join(&name)).into_iter();
            folders.extend(scoped.map(|inner| format!("{name}/{inner}")));
        } else {
            folders.push(name);
        }
    }
    folders
        .into_iter()
        .filter_map(|folder| {
            let text = fs::read(place.join(&folder).join("package.json")).ok()?;
            let json: serde_json::Value = serde_json::from_slice(&text).ok()?;
            let field = |name: &str| json.get(name)?.as_str().map(str::to_owned);
            let typed = || {
                json.get("license")?
                    .get("type")?
                    .as_str()
                    .map(str::to_owned)
            };
            Some(Package {
                version: field("version")?,
                licence: field("license").or_else(typed).unwrap_or_default(),
                imports: vec![folder.clone()],
                name: folder,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_names_come_from_the_list_of_files() {
        let record = "yaml/__init__.py,x,1\nyaml/a.py,,\n_yaml/__init__.py,,\nPyYAML-6.dist-info/RECORD,,\n../bin/x,,\n";
        assert_eq!(of_record(record), ["yaml", "_yaml"]);
        assert_eq!(of_record("six.py,,\nsix.dist-info/METADATA,,\n"), ["six"]);
        let record = "google/cloud/storage/__init__.py,,\ngoogle/cloud/storage/blob.py,,\n";
        assert_eq!(of_record(record), ["google.cloud.storage"]);
        let record = "cv2/__init__.py,,\ncv2/data/__init__.py,,\ntests/__init__.py,,\n";
        assert_eq!(of_record(record), ["cv2"]);
        assert_eq!(of_record("a.cpython-313-x86_64-linux-gnu.so,,\n"), ["a"]);
        assert_eq!(of_record("ns/inner/mod.py,,\n"), ["ns.inner.mod"]);
    }

    #[test]
    fn packages_are_read_as_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let metadata = "Metadata-Version: 2.1\nName: A-b\nVersion: 1.0\nClassifier: License :: OSI Approved :: MIT License\n\nName: no\n";
        write("a_b-1.0.dist-info/METADATA", metadata);
        write("a_b-1.0.dist-info/RECORD", "a_b.py,,\n");
        let [package] = &read(Registry::Pypi, folder.path(), "", Path::new(""))[..] else {
            panic!("not one package");
        };
        assert_eq!((&*package.name, &*package.licence), ("A-b", "MIT License"));
        assert_eq!(package.imports, ["a_b"]);
        write(
            "@s/c/package.json",
            r#"{"version":"2.0.0","license":"ISC"}"#,
        );
        let packages = read(Registry::Npm, folder.path(), "", Path::new(""));
        assert_eq!(
            (&*packages[0].name, &*packages[0].version),
            ("@s/c", "2.0.0")
        );
    }
}
