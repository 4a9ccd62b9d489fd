//! What a mirror serves, from its package indices.

use std::collections::BTreeMap;

use crate::Digest;
use crate::lock::{Lock, Package};

/// All versions of all packages that are served.
#[derive(Debug, Default)]
pub(crate) struct Index {
    packages: BTreeMap<String, Vec<Package>>,
    essential: Vec<String>,
}

impl Index {
    /// Adds what a `Packages` file lists. Stanzas that lack a field are left out.
    pub(crate) fn add(&mut self, text: &str) {
        let mut stanza = Stanza::default();
        for line in text.lines() {
            if line.is_empty() {
                self.put(&std::mem::take(&mut stanza));
                continue;
            }
            // Tens of megabytes, of which these six fields matter.
            match line.split_once(": ") {
                Some(("Package", value)) => stanza.name = value,
                Some(("Version", value)) => stanza.version = value,
                Some(("Architecture", value)) => stanza.architecture = value,
                Some(("SHA256", value)) => stanza.digest = value,
                Some(("Size", value)) => stanza.size = value,
                Some(("Essential", "yes")) => stanza.essential = true,
                _ => {}
            }
        }
        self.put(&stanza);
    }

    fn put(&mut self, stanza: &Stanza<'_>) {
        let (Ok(digest), Ok(size)) = (stanza.digest.parse::<Digest>(), stanza.size.parse()) else {
            return;
        };
        if stanza.name.is_empty() || stanza.version.is_empty() {
            return;
        }
        if stanza.essential && !self.essential.iter().any(|name| name == stanza.name) {
            self.essential.push(stanza.name.to_owned());
        }
        let versions = self.packages.entry(stanza.name.to_owned()).or_default();
        versions.push(Package {
            name: stanza.name.to_owned(),
            version: stanza.version.to_owned(),
            architecture: stanza.architecture.to_owned(),
            digest,
            size,
        });
    }

    /// Packages that every Debian system has, sorted.
    pub(crate) fn essential(&self) -> Vec<String> {
        let mut names = self.essential.clone();
        names.sort();
        names
    }

    /// The package of this name and version.
    pub(crate) fn find(&self, name: &str, version: &str) -> Option<&Package> {
        let versions = self.packages.get(name)?;
        versions.iter().find(|package| package.version == version)
    }

    /// Whether exactly this package, byte for byte, is served.
    pub(crate) fn serves(&self, package: &Package) -> bool {
        self.packages
            .get(&package.name)
            .is_some_and(|versions| versions.contains(package))
    }
}

#[derive(Debug, Default)]
struct Stanza<'a> {
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    digest: &'a str,
    size: &'a str,
    essential: bool,
}

/// What is no longer as the lock has it: `name locked -> version`, or `name locked -> none`.
pub(crate) fn drift(lock: &Lock, taken: &[Package]) -> Vec<String> {
    let mut drifted = Vec::new();
    for locked in &lock.packages {
        let now = taken.iter().find(|package| package.name == locked.name);
        if now != Some(locked) {
            let version = now.map_or("none", |package| &package.version);
            drifted.push(format!("{} {} -> {version}", locked.name, locked.version));
        }
    }
    for package in taken {
        if !lock
            .packages
            .iter()
            .any(|locked| locked.name == package.name)
        {
            drifted.push(format!("{} none -> {}", package.name, package.version));
        }
    }
    drifted
}

/// The names in both lists whose versions differ.
pub(crate) fn conflicts(base: &[Package], packages: &[Package]) -> Vec<String> {
    let mut names = Vec::new();
    for below in base {
        let above = packages.iter().find(|package| package.name == below.name);
        if above != Some(below) {
            let version = above.map_or("nothing", |package| &package.version);
            names.push(format!(
                "{} ({} in the base, {version} here)",
                below.name, below.version
            ));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package {
            name: name.into(),
            version: version.into(),
            architecture: "all".into(),
            digest: Digest::of(format!("{name} {version}").as_bytes()),
            size: 7,
        }
    }

    fn stanza(package: &Package, more: &str) -> String {
        format!(
            "Package: {}\nVersion: {}\n{more}Architecture: all\nDescription: a\n Package: b\nSize: 7\nSHA256: {}\n\n",
            package.name,
            package.version,
            package.digest.hex()
        )
    }

    #[test]
    fn an_index_knows_every_version_and_what_is_essential() {
        let [old, new, tar] = [("a", "1"), ("a", "2"), ("tar", "1")].map(|(n, v)| package(n, v));
        let mut index = Index::default();
        index.add(&(stanza(&old, "") + &stanza(&tar, "Essential: yes\n")));
        index.add(&stanza(&new, ""));
        index.add("Package: broken\nVersion: 1\n\n");
        assert_eq!(index.essential(), ["tar"]);
        assert!(index.serves(&old) && index.serves(&new) && index.find("broken", "1").is_none());
        let rebuilt = Package {
            size: 8,
            ..old.clone()
        };
        assert!(!index.serves(&rebuilt), "same version, other bytes");
    }

    #[test]
    fn drift_names_what_changed_came_and_went() {
        let lock = Lock {
            packages: vec![package("a", "1"), package("b", "1"), package("c", "1")],
        };
        let taken = [package("a", "1"), package("b", "2"), package("d", "1")];
        assert_eq!(
            drift(&lock, &taken),
            ["b 1 -> 2", "c 1 -> none", "d none -> 1"]
        );
        assert!(drift(&lock, &lock.packages).is_empty());
        let conflicts = conflicts(&lock.packages[..2], &taken);
        assert_eq!(conflicts, ["b (1 in the base, 2 here)"]);
    }
}
