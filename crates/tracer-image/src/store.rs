//! The cache folder that holds images.
//!
//! ```text
//! images/
//!   layers/<digest>.erofs       one file a layer
//!   trees/<digest>/             the same, unpacked, where mounting is not permitted
//!   manifests/<language>.json   one file an image
//!   packages/<digest>.deb       downloads
//!   locks/<name>                who writes; nothing in them
//!   staging/<random>/           work in progress, locked by its maker
//! ```
//!
//! Everything is written in `staging` and renamed into its place, so that what stands elsewhere is
//! whole, whenever its writer is killed. Staging folders that nobody holds a lock on are swept when
//! the next one is made. How layers are made and mounted is not known here.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::manifest::MANIFEST_VERSION;
use crate::staging::remove_all;
use crate::{Digest, ImageError, Layer, LayerKind, Manifest};

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The user's own, in `XDG_CACHE_HOME` or `~/.cache`. Made when something is first put in.
    pub fn open() -> Result<Self, ImageError> {
        let base = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
            .ok_or_else(|| {
                ImageError::system(
                    "find the cache folder: neither XDG_CACHE_HOME nor HOME is set",
                    io::ErrorKind::NotFound.into(),
                )
            })?;
        Ok(Self::at(base.join("tracer").join("images")))
    }

    /// A store in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a layer's file stands, if it is there.
    pub fn layer(&self, digest: &Digest) -> PathBuf {
        self.root
            .join("layers")
            .join(format!("{}.erofs", digest.hex()))
    }

    /// Where a layer's unpacked tree stands, if it is there.
    pub fn tree(&self, digest: &Digest) -> PathBuf {
        self.root.join("trees").join(digest.hex())
    }

    /// The image of a language; `None` if there is none, or one of another form.
    pub fn manifest(&self, language: &str) -> Option<Manifest> {
        let path = self.manifest_path(language).ok()?;
        let manifest: Manifest = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (manifest.version == MANIFEST_VERSION).then_some(manifest)
    }

    /// That of an image of one layer, made from `source`, if it is whole.
    pub(crate) fn current(
        &self,
        language: &str,
        kind: LayerKind,
        source: &Digest,
    ) -> Option<Manifest> {
        let manifest = self.manifest(language)?;
        let layer = manifest.layer(kind)?;
        let stands = layer.source == *source && self.layer(&layer.digest).is_file();
        stands.then_some(manifest)
    }

    /// All images, sorted by language.
    pub fn manifests(&self) -> Vec<Manifest> {
        let entries = fs::read_dir(self.root.join("manifests"));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
            .collect();
        names.sort();
        names
            .iter()
            .filter_map(|name| self.manifest(name))
            .collect()
    }

    fn manifest_path(&self, language: &str) -> Result<PathBuf, ImageError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_.".contains(&byte);
        if language.is_empty() || language.starts_with('.') || !language.bytes().all(plain) {
            return Err(ImageError::Unknown {
                language: language.to_owned(),
            });
        }
        Ok(self.root.join("manifests").join(format!("{language}.json")))
    }

    /// Moves a finished layer from a staging folder into the store; its size. One that is there
    /// already stays, unless it is damaged.
    pub fn keep_layer(&self, staged: &Path, digest: &Digest) -> Result<u64, ImageError> {
        let place = self.layer(digest);
        let folder = self.folder("layers")?;
        let failed = |error| {
            let what = format!("move {} to {}", staged.display(), place.display());
            ImageError::writing(what, &folder, error)
        };
        let file = File::open(staged).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        file.sync_all().map_err(failed)?;
        let intact = check(&place, digest, size).is_ok();
        let _lock = self.writer()?;
        self.note_kept(staged, digest)?;
        if intact && place.exists() {
            fs::remove_file(staged).map_err(failed)?;
            return Ok(size);
        }
        if place.exists() {
            // Else the damaged one would be seen on, through its mount.
            self.detach(digest)?;
        }
        rename(staged, &place).map_err(failed)?;
        Ok(size)
    }

    /// Moves a layer's unpacked tree from a staging folder into the store, unless it is there.
    pub fn keep_tree(&self, staged: &Path, digest: &Digest) -> Result<(), ImageError> {
        let place = self.tree(digest);
        let folder = self.folder("trees")?;
        let failed = |error| {
            let what = format!("move {} to {}", staged.display(), place.display());
            ImageError::writing(what, &folder, error)
        };
        // A tree is renamed whole, and its files must not come after it when the power fails.
        File::open(staged)
            .and_then(|file| Ok(nix::unistd::syncfs(file)?))
            .map_err(failed)?;
        let _lock = self.writer()?;
        self.note_kept(staged, digest)?;
        if place.is_dir() {
            return remove_all(staged).map_err(failed);
        }
        rename(staged, &place).map_err(failed)
    }

    /// Makes this the image of its language. All its layers must be in the store.
    pub fn save(&self, manifest: &Manifest) -> Result<(), ImageError> {
        let place = self.manifest_path(&manifest.language)?;
        let staging = self.staging()?;
        let folder = self.folder("manifests")?;
        let failed =
            |error| ImageError::writing(format!("write {}", place.display()), &folder, error);
        let staged = staging.path().join("manifest");
        let mut file = File::create(&staged).map_err(failed)?;
        serde_json::to_writer_pretty(&mut file, manifest).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let _lock = self.writer()?;
        for layer in &manifest.layers {
            let path = self.layer(&layer.digest);
            fs::metadata(&path)
                .map_err(|error| ImageError::system(format!("find {}", path.display()), error))?;
        }
        rename(&staged, &place).map_err(failed)
    }

    /// Forgets the image of a language; its layers stay until [`Store::prune`].
    pub fn remove(&self, language: &str) -> Result<(), ImageError> {
        let path = self.manifest_path(language)?;
        let _lock = self.writer()?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ImageError::NotBuilt {
                language: language.to_owned(),
            }),
            other => other
                .map_err(|error| ImageError::system(format!("remove {}", path.display()), error)),
        }
    }

    /// Reads a layer to its end and compares it with its name.
    pub fn check_layer(&self, layer: &Layer) -> Result<(), ImageError> {
        check(&self.layer(&layer.digest), &layer.digest, layer.size)
    }
}

/// Whether a file is of this size and digest.
fn check(path: &Path, digest: &Digest, size: u64) -> Result<(), ImageError> {
    let damaged = |expected: String, found: String| ImageError::Damaged {
        what: path.display().to_string(),
        expected,
        found,
    };
    let failed = |error| ImageError::system(format!("read {}", path.display()), error);
    let present = fs::metadata(path).map_err(failed)?.len();
    if present != size {
        return Err(damaged(format!("{size} bytes"), format!("{present} bytes")));
    }
    let found = Digest::of_file(path).map_err(failed)?;
    if found != *digest {
        return Err(damaged(digest.to_string(), found.to_string()));
    }
    Ok(())
}

/// Renames, and has the new name on the disk before it returns.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    match to.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("images"));
        (folder, store)
    }

    fn layer(store: &Store, bytes: &[u8]) -> Layer {
        let staging = store.staging().unwrap();
        let staged = staging.path().join("layer");
        fs::write(&staged, bytes).unwrap();
        let digest = Digest::of(bytes);
        Layer {
            kind: LayerKind::Base,
            size: store.keep_layer(&staged, &digest).unwrap(),
            source: digest.clone(),
            digest,
        }
    }

    fn manifest(language: &str, layers: Vec<Layer>) -> Manifest {
        Manifest {
            version: MANIFEST_VERSION,
            language: language.into(),
            architecture: "amd64".into(),
            layers,
            environment: [("PATH".to_owned(), "/usr/bin".to_owned())].into(),
            scratch: vec!["/var/lib/x".into()],
            toolchain: None,
            built: 1,
            origin: Origin::Built { drifted: vec![] },
        }
    }

    #[test]
    fn an_image_is_saved_read_and_removed() {
        let (_folder, store) = store();
        let saved = manifest("ruby", vec![layer(&store, b"one")]);
        store.save(&saved).unwrap();
        assert_eq!(store.manifest("ruby"), Some(saved.clone()));
        assert_eq!(store.manifests(), [saved]);
        store.remove("ruby").unwrap();
        assert_eq!(store.manifest("ruby"), None);
        assert!(matches!(
            store.remove("ruby"),
            Err(ImageError::NotBuilt { .. })
        ));
        assert!(
            fs::read_dir(store.root().join("staging"))
                .unwrap()
                .next()
                .is_none()
        );
    }

    #[test]
    fn an_image_with_a_missing_layer_or_a_wild_name_is_not_saved() {
        let (_folder, store) = store();
        let mut one = layer(&store, b"one");
        for name in ["../x", "", ".x", "a/b"] {
            let wild = manifest(name, vec![one.clone()]);
            assert!(store.save(&wild).is_err(), "{name}");
            assert!(store.manifest(name).is_none(), "{name}");
        }
        one.digest = Digest::of(b"two");
        let error = store.save(&manifest("ruby", vec![one])).unwrap_err();
        assert!(error.to_string().contains("find"), "{error}");
        assert!(store.manifest("ruby").is_none());
    }

    #[test]
    fn damage_is_found_and_mended_by_keeping_again() {
        let (_folder, store) = store();
        let one = layer(&store, b"some bytes");
        store.check_layer(&one).unwrap();
        let path = store.layer(&one.digest);
        fs::write(&path, b"some cytes").unwrap();
        let error = store.check_layer(&one).unwrap_err();
        assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
        fs::write(&path, b"some").unwrap();
        let error = store.check_layer(&one).unwrap_err();
        assert!(error.to_string().contains("4 bytes"), "{error}");
        layer(&store, b"some bytes");
        store.check_layer(&one).unwrap();
    }

    #[test]
    fn a_tree_is_kept_once() {
        let (_folder, store) = store();
        let digest = Digest::of(b"tree");
        for text in ["first", "second"] {
            let staging = store.staging().unwrap();
            let tree = staging.path().join("tree");
            fs::create_dir(&tree).unwrap();
            fs::write(tree.join("file"), text).unwrap();
            store.keep_tree(&tree, &digest).unwrap();
        }
        let file = store.tree(&digest).join("file");
        assert_eq!(fs::read_to_string(file).unwrap(), "first");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        // Every write to this device fails as on a full disk.
        let error = File::create("/dev/full").and_then(|mut file| file.write_all(b"x"));
        let error = ImageError::writing("write x", Path::new("/"), error.unwrap_err());
        assert!(matches!(error, ImageError::Full { .. }), "{error}");
        let error = ImageError::writing("write x", Path::new("/"), io::ErrorKind::NotFound.into());
        assert!(matches!(error, ImageError::System { .. }), "{error}");
    }
}
