//! What Cargo's manifests say of a program: its edition, which target it is, what it needs.
//!
//! Reads through the function it is given and starts nothing. What Cargo itself finds out when it
//! builds (features, versions, targets for other machines) is left to it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use tracer_instrument::normal;

/// How to read a file; a folder reads as the names in it.
type Read<'a> = &'a dyn Fn(&Path) -> Option<Vec<u8>>;

/// Most manifests read for one program.
const MANIFESTS: usize = 200;

/// The package a program is a target of.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Folder of its manifest.
    pub(crate) folder: PathBuf,
    /// Folder of the workspace; the same where there is none.
    pub(crate) root: PathBuf,
    /// `bin` or `example`.
    pub(crate) kind: String,
    /// The target's name.
    pub(crate) target: String,
    /// Features without which Cargo does not build it.
    pub(crate) features: String,
    /// The package's own library, where the program can use it.
    pub(crate) library: Option<PathBuf>,
    /// Folders of packages that lie elsewhere.
    pub(crate) elsewhere: Vec<PathBuf>,
    /// Whether anything is to be built before the program's own workspace.
    pub(crate) needs: bool,
    /// Whether versions are settled in `Cargo.lock`.
    pub(crate) locked: bool,
    /// What the user's Cargo knows: its folder, and where sources of crates are replaced.
    pub(crate) home: PathBuf,
    pub(crate) sources: String,
    /// Tells one state of manifests and versions from another.
    pub(crate) state: String,
}

/// What the project around a program says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Empty where nothing is said.
    pub(crate) edition: String,
    pub(crate) package: Option<Package>,
}

const LINE: char = '\u{1e}';

impl Facts {
    /// As [`Facts::read`] takes it.
    fn write(&self) -> Vec<u8> {
        let mut lines = vec![self.edition.clone()];
        if let Some(package) = &self.package {
            let path = |path: &Path| path.to_string_lossy().into_owned();
            let library = package.library.as_deref().map(path);
            let flag = |flag| if flag { "yes" } else { "" }.to_owned();
            lines.extend([
                path(&package.folder),
                path(&package.root),
                package.kind.clone(),
                package.target.clone(),
                package.features.clone(),
                library.unwrap_or_default(),
                flag(package.needs),
                flag(package.locked),
                path(&package.home),
                package.sources.clone(),
                package.state.clone(),
            ]);
            lines.extend(package.elsewhere.iter().map(|folder| path(folder)));
        }
        lines.join(&LINE.to_string()).into_bytes()
    }

    /// Reads settings.
    pub(crate) fn read(settings: &[u8]) -> Self {
        let text = String::from_utf8_lossy(settings);
        let mut lines = text.split(LINE).map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        let edition = next();
        let mut package = Package {
            folder: next().into(),
            root: next().into(),
            kind: next(),
            target: next(),
            features: next(),
            library: Some(next()).filter(|path| !path.is_empty()).map(Into::into),
            needs: !next().is_empty(),
            locked: !next().is_empty(),
            home: next().into(),
            sources: next(),
            state: next(),
            elsewhere: Vec::new(),
        };
        package.elsewhere.extend(lines.map(PathBuf::from));
        Self {
            edition,
            package: Some(package).filter(|package| !package.target.is_empty()),
        }
    }
}

/// Finds the package around a program.
pub(crate) fn find(main: &Path, read: Read<'_>) -> Vec<u8> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    facts(main, home.unwrap_or_default(), read).write()
}

fn facts(main: &Path, home: PathBuf, read: Read<'_>) -> Facts {
    let mut manifests = main.ancestors().skip(1).filter_map(|folder| {
        let table = manifest(folder, read)?;
        Some((folder, table))
    });
    let Some((folder, table)) = manifests.next() else {
        return Facts::default();
    };
    let Some(package) = table.get("package").and_then(Value::as_table) else {
        return Facts::default();
    };
    let around = package.get("workspace").and_then(Value::as_str);
    let root = match around {
        Some(named) => normal(&folder.join(named)),
        None if table.contains_key("workspace") => folder.to_path_buf(),
        None => manifests
            .find(|(at, table)| is_member(at, table, folder))
            .map_or_else(|| folder.to_path_buf(), |(at, _)| at.to_path_buf()),
    };
    let whole = manifest(&root, read).unwrap_or_default();
    Facts {
        edition: edition(package, &whole),
        package: target(main, folder, &table).map(|found| Package {
            root,
            home,
            ..complete(found, &table, read)
        }),
    }
    .settled(read)
}

impl Facts {
    /// Adds what takes the whole workspace to know.
    fn settled(mut self, read: Read<'_>) -> Self {
        let Some(package) = &mut self.package else {
            return self;
        };
        let mut state = Vec::new();
        let mut folders = vec![package.folder.clone(), package.root.clone()];
        let mut seen = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            if seen.len() >= MANIFESTS || !seen.insert(folder.clone()) {
                continue;
            }
            let Some(bytes) = read(&folder.join("Cargo.toml")) else {
                continue;
            };
            if let Some(table) = parsed(&bytes) {
                local_packages(&table, &folder, &mut folders);
            }
            state.extend(bytes);
            if !folder.starts_with(&package.root) {
                package.elsewhere.push(folder);
            }
        }
        package.elsewhere.sort();
        let lock = read(&package.root.join("Cargo.lock"));
        package.locked = lock.is_some();
        let configured = [&package.folder, &package.root]
            .iter()
            .flat_map(|folder| {
                ["config.toml", "config"].map(|name| folder.join(".cargo").join(name))
            })
            .find_map(|path| read(&path));
        for folder in configured.as_deref().map(directories).unwrap_or_default() {
            let places = BTreeSet::from([&package.folder, &package.root]);
            for place in places {
                state.extend(checksums(&place.join(&folder), read));
            }
        }
        let own = ["config.toml", "config"]
            .iter()
            .find_map(|name| read(&package.home.join(name)));
        package.sources = own.map_or_else(String::new, |text| sources(&text));
        for part in [lock, configured, Some(package.sources.clone().into_bytes())] {
            state.extend(part.unwrap_or_default());
            state.push(0);
        }
        package.state = fingerprint(&state);
        self
    }
}

/// The folders that stand in for registries, as Cargo's configuration names them.
fn directories(configured: &[u8]) -> Vec<String> {
    let sources = parsed(configured).and_then(|mut table| table.remove("source"));
    let Some(Value::Table(sources)) = sources else {
        return Vec::new();
    };
    let named = |source: &Value| Some(source.get("directory")?.as_str()?.to_owned());
    sources.values().filter_map(named).collect()
}

/// What tells the crates in a folder from others of the same names: two programs may bring different
/// ones, and what was built of one must not serve the other. Cargo holds the files to these sums.
fn checksums(folder: &Path, read: Read<'_>) -> Vec<u8> {
    let names = read(folder).unwrap_or_default();
    let mut names: Vec<String> = String::from_utf8_lossy(&names)
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    let sums = names
        .iter()
        .filter_map(|name| read(&folder.join(name).join(".cargo-checksum.json")));
    sums.flatten().collect()
}

fn parsed(bytes: &[u8]) -> Option<Table> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn manifest(folder: &Path, read: Read<'_>) -> Option<Table> {
    parsed(&read(&folder.join("Cargo.toml"))?)
}

fn is_member(root: &Path, table: &Table, folder: &Path) -> bool {
    let Some(workspace) = table.get("workspace").and_then(Value::as_table) else {
        return false;
    };
    let excluded = workspace.get("exclude").and_then(Value::as_array);
    !excluded.into_iter().flatten().any(|path| {
        path.as_str()
            .is_some_and(|path| folder.starts_with(root.join(path)))
    })
}

fn edition(package: &Table, root: &Table) -> String {
    let edition = match package.get("edition") {
        Some(Value::Table(_)) => root
            .get("workspace")
            .and_then(|workspace| workspace.get("package")?.get("edition")),
        edition => edition,
    };
    // Without a word of it, Cargo takes the first.
    edition.and_then(Value::as_str).unwrap_or("2015").to_owned()
}

/// The target of a package that a file is the main file of.
fn target(main: &Path, folder: &Path, table: &Table) -> Option<Package> {
    let below = main.strip_prefix(folder).ok()?;
    let of_package = table.get("package")?.get("name")?.as_str()?.to_owned();
    let found = |kind: &str, target: String, features: String| Package {
        folder: folder.to_path_buf(),
        kind: kind.into(),
        target,
        features,
        ..Package::default()
    };
    let parts: Vec<&str> = below.iter().filter_map(|part| part.to_str()).collect();
    let stem = |name: &str| name.strip_suffix(".rs").map(str::to_owned);
    let (kind, usual) = match parts[..] {
        ["src", "main.rs"] => ("bin", Some(of_package)),
        ["src", "bin", name] => ("bin", stem(name)),
        ["src", "bin", name, "main.rs"] => ("bin", Some(name.to_owned())),
        ["examples", name] => ("example", stem(name)),
        ["examples", name, "main.rs"] => ("example", Some(name.to_owned())),
        _ => ("", None),
    };
    for declared in ["bin", "example"] {
        let targets = table.get(declared).and_then(Value::as_array);
        for entry in targets.into_iter().flatten() {
            let word = |key: &str| entry.get(key).and_then(Value::as_str);
            let Some(name) = word("name") else { continue };
            let path = word("path").map(|path| normal(&folder.join(path)));
            let same = match path {
                Some(path) => path == main,
                None => declared == kind && usual.as_deref() == Some(name),
            };
            if same {
                let features = entry.get("required-features").and_then(Value::as_array);
                let features: Vec<&str> = features
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                return Some(found(declared, name.to_owned(), features.join(",")));
            }
        }
    }
    usual.map(|name| found(kind, name, String::new()))
}

/// What the package's own manifest says beside.
fn complete(found: Package, table: &Table, read: Read<'_>) -> Package {
    let named = table.get("lib").and_then(|lib| lib.get("path")?.as_str());
    let library = normal(&found.folder.join(named.unwrap_or("src/lib.rs")));
    Package {
        library: read(&library).map(|_| library),
        needs: dependencies(table).next().is_some(),
        ..found
    }
}

const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What a manifest names as dependencies, wherever it does.
fn dependencies(table: &Table) -> impl Iterator<Item = &Value> {
    let below = |name: &str| table.get(name).and_then(Value::as_table);
    let platforms = below("target").into_iter().flat_map(Table::values);
    let inner = platforms
        .chain(table.get("workspace"))
        .filter_map(Value::as_table)
        .chain([table])
        .flat_map(|table| TABLES.iter().filter_map(move |name| table.get(*name)));
    let patches = below("patch").into_iter().flat_map(Table::values);
    inner
        .chain(patches)
        .filter_map(Value::as_table)
        .flat_map(Table::values)
}

fn local_packages(table: &Table, folder: &Path, found: &mut Vec<PathBuf>) {
    let paths = dependencies(table).filter_map(|entry| entry.get("path")?.as_str());
    found.extend(paths.map(|path| normal(&folder.join(path))));
}

/// The parts of the user's settings that say where crates come from; nothing else of them is
/// anybody's business.
fn sources(config: &[u8]) -> String {
    let text = String::from_utf8_lossy(config);
    let mut wanted = false;
    let mut found = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            wanted = line.trim_start().starts_with("[source");
        }
        if wanted {
            found.push_str(line);
            found.push('\n');
        }
    }
    found
}

/// FNV-1a, in hexadecimal.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_vendored_crates_are_another_state() {
        let settings = |sum: &str| {
            let read = |path: &Path| {
                let text = match path.to_str()? {
                    "/p/Cargo.toml" => "[package]\nname = \"p\"\nversion = \"1.0.0\"\n",
                    "/p/.cargo/config.toml" => "[source.vendored]\ndirectory = \"vendor\"\n",
                    "/p/vendor" => "dependency",
                    "/p/vendor/dependency/.cargo-checksum.json" => sum,
                    "/p/src" => "main.rs",
                    "/p/src/main.rs" => "fn main() {}",
                    _ => return None,
                };
                Some(text.as_bytes().to_vec())
            };
            find(Path::new("/p/src/main.rs"), &read)
        };
        assert_eq!(settings("{1}"), settings("{1}"));
        assert_ne!(settings("{1}"), settings("{2}"));
    }
}
