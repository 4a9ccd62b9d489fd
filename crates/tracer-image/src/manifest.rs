//! What an image consists of.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::Digest;

/// Version of the manifest's form; another one is not read.
pub const MANIFEST_VERSION: u32 = 1;

/// One image. Kept as `manifests/<language>.json` in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of this file.
    pub version: u32,
    /// Language id, or `base`.
    pub language: String,
    /// Architecture in Debian's words, e.g. `amd64`.
    pub architecture: String,
    /// Lowest first.
    pub layers: Vec<Layer>,
    /// Variables that programs of this image see.
    pub environment: BTreeMap<String, String>,
    /// Folders of the image that programs may write; each run has its own layer over them.
    pub scratch: Vec<PathBuf>,
    /// The toolchain as it described itself inside.
    pub toolchain: Option<Toolchain>,
    /// Seconds since 1970; not part of the digest.
    pub built: u64,
    /// Where it came from; not part of the digest.
    pub origin: Origin,
}

/// One read-only compressed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// What it is for.
    pub kind: LayerKind,
    /// Of the file.
    pub digest: Digest,
    /// Of the file, bytes.
    pub size: u64,
    /// What it was made from (a lock, an emitter's checksum): a layer whose source has changed is
    /// made again.
    pub source: Digest,
}

/// What a layer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// Shared by all languages.
    Base,
    /// A language's toolchain.
    Toolchain,
    /// The emitter, compiled.
    Emitter,
    /// Libraries over a toolchain.
    Libraries,
    /// From a user's own archive.
    Imported,
}

/// Where an image came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Built from its declaration; packages that were no longer served at their locked versions.
    Built {
        /// `name locked-version -> version`.
        drifted: Vec<String>,
    },
    /// Imported from an archive of this file name.
    Imported {
        /// File name without folders.
        name: String,
    },
}

/// A toolchain inside an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// Program, absolute inside the image.
    pub program: PathBuf,
    /// For people, e.g. `CPython 3.13.5`.
    pub version: String,
}

impl Manifest {
    /// An image made now, without layers.
    pub(crate) fn new(language: &str, architecture: &str, origin: Origin) -> Self {
        Self {
            version: MANIFEST_VERSION,
            language: language.to_owned(),
            architecture: architecture.to_owned(),
            layers: Vec::new(),
            environment: BTreeMap::new(),
            scratch: Vec::new(),
            toolchain: None,
            built: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            origin,
        }
    }

    /// Names the image by what a program in it can see: layers, variables, writable folders.
    pub fn digest(&self) -> Digest {
        let mut text = format!("tracer image {MANIFEST_VERSION}\n{}\n", self.architecture);
        for layer in &self.layers {
            text.push_str(&format!("layer {}\n", layer.digest));
        }
        for (name, value) in &self.environment {
            text.push_str(&format!("env {name}={value}\n"));
        }
        for folder in &self.scratch {
            text.push_str(&format!("scratch {}\n", folder.display()));
        }
        Digest::of(text.as_bytes())
    }

    /// Bytes of all layers, those shared with other images included.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// The layer of a kind.
    pub fn layer(&self, kind: LayerKind) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.kind == kind)
    }
}
