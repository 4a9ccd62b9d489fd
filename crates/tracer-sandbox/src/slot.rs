//! A host user of its own for each concurrent run, when the runner may choose one.
//!
//! Per-user quotas of the kernel (inotify watches, pipe pages, keys) are then per run. The range
//! lies above those that distributions hand to people, services and containers.

use std::sync::Mutex;

const FIRST: u32 = 1_880_000_000;
const PER_RUNNER: u32 = 1024;
const RUNNERS: u32 = 200_000;

static TAKEN: Mutex<Vec<bool>> = Mutex::new(Vec::new());

/// A number that no other run of this process holds.
#[derive(Debug)]
pub(crate) struct Slot(usize);

impl Slot {
    pub(crate) fn take() -> Self {
        let mut taken = TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let free = taken.iter().position(|taken| !taken).unwrap_or_else(|| {
            taken.push(false);
            taken.len() - 1
        });
        taken[free] = true;
        Self(free)
    }

    /// User and group number on the host.
    pub(crate) fn id(&self) -> u32 {
        FIRST + std::process::id() % RUNNERS * PER_RUNNER + self.0 as u32 % PER_RUNNER
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)[self.0] = false;
    }
}
