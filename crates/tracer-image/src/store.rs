//! The cache folder that holds images.
//!
//! ```text
//! images/
//!   layers/<digest>.erofs       one file a layer
//!   trees/<digest>/             the same, unpacked, where mounting is not permitted
//!   manifests/<language>.json   one file an image
//!   packages/<digest>.deb       downloads
//!   staging/<random>/           work in progress, locked by its maker
//! ```
//!
//! Everything is written in `staging` and renamed into its place, so that what stands elsewhere is
//! whole. Staging folders that nobody holds a lock on are swept when the store is opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::MANIFEST_VERSION;
use crate::{Digest, ImageError, Manifest};

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
        let path = self.root.join("manifests").join(format!("{language}.json"));
        let manifest: Manifest = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (manifest.version == MANIFEST_VERSION).then_some(manifest)
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
}
