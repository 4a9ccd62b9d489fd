//! Removing from the store what no image needs.
//!
//! Files are unlinked; trees are first moved into a staging folder, so that a half-removed one never
//! stands where it would be used. What a living process has staged, or has put into the store for an
//! image it has yet to save, stays.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::staging::{bytes_below, children, remove_all};
use crate::{ImageError, Store};

/// What to remove beside what no image refers to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prune {
    /// All images too.
    pub all: bool,
    /// Downloaded packages too, unless a build is under way.
    pub packages: bool,
    /// Nothing; only say what would be removed.
    pub dry_run: bool,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Paths below the store, each with its bytes on disk.
    pub removed: Vec<(String, u64)>,
    /// Bytes of all together.
    pub freed: u64,
}

impl Store {
    /// Removes what no image needs.
    pub fn prune(&self, what: Prune) -> Result<Pruned, ImageError> {
        let mut pruned = Pruned::default();
        if !self.root().is_dir() {
            return Ok(pruned);
        }
        let rubbish = if what.dry_run {
            let rubbish = self.unheld().into_iter();
            rubbish.map(|path| (bytes_below(&path), path)).collect()
        } else {
            self.sweep()
        };
        for (bytes, path) in rubbish {
            self.count(&mut pruned, &path, bytes);
        }
        let lock = self.writer()?;
        let (files, trees) = self.unneeded(what);
        for path in files.iter().chain(&trees) {
            self.count(&mut pruned, path, bytes_below(path));
        }
        if what.dry_run {
            return Ok(pruned);
        }
        for path in &files {
            // A layer that stays mounted would keep its bytes on the disk.
            if let Some(digest) = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok())
            {
                self.detach(&digest)?;
            }
        }
        // Files first: on a full disk there may be no room for the staging folder.
        for path in &files {
            fs::remove_file(path).map_err(|error| failed(path, error))?;
        }
        if trees.is_empty() {
            return Ok(pruned);
        }
        let staging = self.staging()?;
        let mut moved = Vec::new();
        for (index, path) in trees.iter().enumerate() {
            let aside = staging.path().join(index.to_string());
            fs::rename(path, &aside).map_err(|error| failed(path, error))?;
            moved.push(aside);
        }
        drop(lock);
        for path in &moved {
            remove_all(path).map_err(|error| failed(path, error))?;
        }
        Ok(pruned)
    }

    /// Files and trees that nothing needs.
    fn unneeded(&self, what: Prune) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let mut files = Vec::new();
        let mut needed: HashSet<String> = self
            .kept()
            .iter()
            .map(|digest| digest.hex().to_owned())
            .collect();
        for path in children(&self.root().join("manifests")) {
            let image = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_suffix(".json"))
                .and_then(|language| self.manifest(language))
                .filter(|image| !what.all && self.is_whole(image));
            match image {
                Some(image) => {
                    needed.extend(image.layers.iter().map(|layer| layer.digest.hex().into()));
                }
                None => files.push(path),
            }
        }
        let unneeded = |path: &PathBuf| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            !stem.is_some_and(|digest| needed.contains(digest))
        };
        files.extend(children(&self.root().join("layers")));
        files.retain(|path| path.extension().is_some_and(|end| end == "json") || unneeded(path));
        if what.packages && self.unheld().len() == children(&self.root().join("staging")).len() {
            files.extend(children(&self.root().join("packages")));
        }
        let mut trees = children(&self.root().join("trees"));
        trees.retain(unneeded);
        (files, trees)
    }

    /// Whether the files of an image are there, by their sizes alone.
    fn is_whole(&self, image: &crate::Manifest) -> bool {
        image.layers.iter().all(|layer| {
            fs::metadata(self.layer(&layer.digest)).is_ok_and(|file| file.len() == layer.size)
        })
    }

    fn count(&self, pruned: &mut Pruned, path: &Path, bytes: u64) {
        let name = path.strip_prefix(self.root()).unwrap_or(path);
        pruned.removed.push((name.display().to_string(), bytes));
        pruned.freed += bytes;
    }
}

fn failed(path: &Path, error: std::io::Error) -> ImageError {
    ImageError::system(format!("remove {}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::MANIFEST_VERSION;
    use crate::{Digest, Layer, LayerKind, Manifest, Origin};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("images"));
        (folder, store)
    }

    fn layer(store: &Store, text: &str) -> Layer {
        let staging = store.staging().unwrap();
        let staged = staging.path().join("layer");
        fs::write(&staged, text).unwrap();
        let digest = Digest::of(text.as_bytes());
        let size = store.keep_layer(&staged, &digest).unwrap();
        let tree = staging.path().join("tree");
        fs::create_dir(&tree).unwrap();
        store.keep_tree(&tree, &digest).unwrap();
        Layer {
            kind: LayerKind::Base,
            source: digest.clone(),
            digest,
            size,
        }
    }

    fn save(store: &Store, language: &str, layers: &[&Layer]) {
        let manifest = Manifest {
            version: MANIFEST_VERSION,
            language: language.into(),
            architecture: "amd64".into(),
            layers: layers.iter().copied().cloned().collect(),
            environment: [].into(),
            scratch: vec![],
            toolchain: None,
            built: 1,
            origin: Origin::Built { drifted: vec![] },
        };
        store.save(&manifest).unwrap();
    }

    fn present(store: &Store, layer: &Layer) -> (bool, bool) {
        (
            store.layer(&layer.digest).exists(),
            store.tree(&layer.digest).exists(),
        )
    }

    #[test]
    fn what_an_image_refers_to_stays_and_the_rest_goes() {
        let (_folder, store) = store();
        let [base, ruby, old] = ["base", "ruby", "old"].map(|text| layer(&store, text));
        save(&store, "ruby", &[&base, &ruby]);
        let manifests = store.root().join("manifests");
        fs::write(manifests.join("go.json"), r#"{"version": 99}"#).unwrap();
        let packages = store.root().join("packages");
        fs::create_dir(&packages).unwrap();
        fs::write(packages.join("x.deb"), "x").unwrap();
        fs::create_dir(store.root().join("staging").join("dead")).unwrap();

        let dry_run = Prune {
            dry_run: true,
            ..Prune::default()
        };
        let would = store.prune(dry_run).unwrap();
        assert_eq!(present(&store, &old), (true, true));
        let pruned = store.prune(Prune::default()).unwrap();
        assert_eq!(pruned, would);
        let names: Vec<_> = pruned.removed.iter().map(|(name, _)| &name[..]).collect();
        let hex = old.digest.hex();
        assert_eq!(
            names,
            [
                "staging/dead",
                "manifests/go.json",
                &format!("layers/{hex}.erofs"),
                &format!("trees/{hex}"),
            ]
        );
        assert!(pruned.freed > 0);
        assert_eq!(present(&store, &base), (true, true));
        assert_eq!(present(&store, &ruby), (true, true));
        assert_eq!(present(&store, &old), (false, false));
        assert!(packages.join("x.deb").exists());
        assert_eq!(store.prune(Prune::default()).unwrap(), Pruned::default());
    }

    #[test]
    fn all_and_packages_empty_the_store() {
        let (_folder, store) = store();
        let base = layer(&store, "base");
        save(&store, "ruby", &[&base]);
        let packages = store.root().join("packages");
        fs::create_dir(&packages).unwrap();
        fs::write(packages.join("x.deb"), "x").unwrap();
        let everything = Prune {
            all: true,
            packages: true,
            dry_run: false,
        };
        store.prune(everything).unwrap();
        assert!(store.manifests().is_empty());
        for folder in ["layers", "trees", "manifests", "packages", "staging"] {
            assert!(children(&store.root().join(folder)).is_empty(), "{folder}");
        }
    }

    #[test]
    fn a_build_under_way_loses_nothing() {
        let (_folder, store) = store();
        let staging = store.staging().unwrap();
        let staged = staging.path().join("layer");
        fs::write(&staged, "new").unwrap();
        let digest = Digest::of(b"new");
        store.keep_layer(&staged, &digest).unwrap();
        let packages = store.root().join("packages");
        fs::create_dir(&packages).unwrap();
        fs::write(packages.join("x.deb"), "x").unwrap();
        let everything = Prune {
            all: true,
            packages: true,
            dry_run: false,
        };
        assert_eq!(store.prune(everything).unwrap(), Pruned::default());
        assert!(store.layer(&digest).exists() && staging.path().exists());
        drop(staging);
        store.prune(everything).unwrap();
        assert!(!store.layer(&digest).exists());
    }

    #[test]
    fn an_image_whose_layer_is_cut_short_goes() {
        let (_folder, store) = store();
        let base = layer(&store, "base");
        save(&store, "ruby", &[&base]);
        fs::write(store.layer(&base.digest), "b").unwrap();
        store.prune(Prune::default()).unwrap();
        assert!(store.manifest("ruby").is_none());
        assert_eq!(present(&store, &base), (false, false));
    }
}
