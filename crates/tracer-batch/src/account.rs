//! Where the time went.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What time is spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Parsing, rewriting, parsing again.
    Instrument,
    /// Building the original.
    BuildOriginal,
    /// Running it.
    RunOriginal,
    /// Building the traced program.
    BuildTraced,
    /// Running it for the first time.
    RunTraced,
    /// Running it under other circumstances.
    RunVaried,
    /// From raw events to traces.
    Normalise,
    /// Running the source with written probes.
    Prove,
    /// Views, tokens, hashes.
    Render,
}

impl Stage {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instrument => "instrument",
            Self::BuildOriginal => "build original",
            Self::RunOriginal => "run original",
            Self::BuildTraced => "build traced",
            Self::RunTraced => "run traced",
            Self::RunVaried => "run varied",
            Self::Normalise => "normalise",
            Self::Prove => "prove probes",
            Self::Render => "render",
        }
    }
}

/// The sums, in seconds of workers.
#[derive(Debug, Clone, Default)]
pub struct Spent {
    /// By stage.
    pub stages: BTreeMap<Stage, Duration>,
    /// All of it.
    pub total: Duration,
    /// Rows worked on by this process.
    pub rows: u64,
    /// Events that traces were made of.
    pub events: u64,
}

/// Sums that workers add to.
#[derive(Debug, Default)]
pub(crate) struct Account {
    spent: Mutex<Spent>,
}

impl Account {
    fn change(&self, change: impl FnOnce(&mut Spent)) {
        change(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn add(&self, stage: Stage, time: Duration) {
        self.change(|spent| *spent.stages.entry(stage).or_default() += time);
    }

    pub(crate) fn events(&self, events: usize) {
        self.change(|spent| spent.events += events as u64);
    }

    pub(crate) fn row(&self, time: Duration) {
        self.change(|spent| {
            spent.rows += 1;
            spent.total += time;
        });
    }

    pub(crate) fn spent(&self) -> Spent {
        self.spent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
