//! Sandbox images: root file systems with a language's toolchain, the same on every machine.
//!
//! ```text
//! declaration + lock ─▶ packages ─▶ root tree ─▶ layers ─▶ store ─▶ attach ─▶ a run's root
//!                       (apt)       (mmdebstrap)  (erofs)   (cache)  (mount or unpacked)
//! ```
//!
//! A layer is one read-only compressed file named by its digest; an image is a list of layers. This
//! crate starts the system's own package tools and no subject; what an image is used for is not its
//! business, nor how an emitter is compiled.

mod apt;
mod archive;
pub mod attach;
mod bootstrap;
pub mod build;
pub mod declaration;
pub mod digest;
pub mod error;
pub mod export;
pub mod import;
mod index;
mod layer;
pub mod libraries;
pub mod lock;
pub mod manifest;
pub mod modules;
mod mounts;
mod normalise;
mod oci;
pub mod pack;
pub mod progress;
pub mod prune;
mod sources;
pub mod staging;
pub mod store;
mod tool;
mod unpack;
pub mod verify;

pub use archive::ImportLimits;
pub use attach::{Attached, Form};
pub use build::{BuildOptions, build, lock};
pub use declaration::Declaration;
pub use digest::Digest;
pub use error::ImageError;
pub use export::export;
pub use import::{ImportOptions, import};
pub use lock::Lock;
pub use manifest::{Layer, LayerKind, Manifest, Origin, Toolchain};
pub use progress::{Cancel, Progress};
pub use prune::{Prune, Pruned};
pub use staging::{Held, Staging};
pub use store::Store;
pub use verify::{Prepare, Proof, Verified, verify};
