//! Ends runs from outside: a flag that whoever waits for a program looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends runs from another thread, or from a signal handler. Clones are one and the same; what was
/// cancelled stays so.
///
/// Whatever runs under it is killed within some 20 ms, and begins no more; its caller gets
/// [`SandboxError::Cancelled`](crate::SandboxError::Cancelled).
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// One that nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends all runs under it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
