//! Builds the image of a language from its declaration.
//!
//! The emitter's layer is not made here: it needs the sandbox and what a language plans.

use crate::{Cancel, ImageError, Lock, Manifest, Progress, Store};

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Debian mirror to use instead of those that the system is configured with.
    pub mirror: Option<String>,
    /// Fail when a locked version is no longer served, instead of taking the current one.
    pub locked: bool,
    /// Build layers anew that are up to date.
    pub rebuild: bool,
}

/// Builds the image of a language (or the base) into the store. Layers that are up to date stay.
pub fn build(
    store: &Store,
    language: &str,
    options: &BuildOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Manifest, ImageError> {
    let _ = (store, options, progress, cancel);
    Err(ImageError::NotBuilt {
        language: language.to_owned(),
    })
}

/// Resolves the packages of a language (or the base) anew, at the mirror's current versions. Those
/// of the base stay as `base/packages.lock` has them.
pub fn lock(
    language: &str,
    options: &BuildOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Lock, ImageError> {
    let _ = (options, progress, cancel);
    Err(ImageError::NotBuilt {
        language: language.to_owned(),
    })
}
