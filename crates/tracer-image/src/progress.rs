//! How long work is watched and stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ImageError;

/// Told how far a build, import or export is. Nothing is printed here.
pub trait Progress: Sync {
    /// A new step of the work on `subject` (a language or `base`), e.g. `downloading packages`.
    fn step(&self, subject: &str, what: &str);

    /// `done` of `total` bytes of the current step.
    fn bytes(&self, done: u64, total: u64);

    /// Something the user should know that does not stop the work.
    fn note(&self, text: &str);
}

/// Ignores everything.
impl Progress for () {
    fn step(&self, _subject: &str, _what: &str) {}
    fn bytes(&self, _done: u64, _total: u64) {}
    fn note(&self, _text: &str) {}
}

/// Set from elsewhere (a signal handler, another thread) to stop the work soon.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Not stopped.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the work.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// What a signal handler sets.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }

    /// An error once the work is to stop.
    pub fn check(&self) -> Result<(), ImageError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(ImageError::Cancelled);
        }
        Ok(())
    }
}
