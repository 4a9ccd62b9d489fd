//! A whole trace: sites, events, outcome, and what they were recorded under.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Coverage, Detail, Event, Kind, Limits, Outcome, Protection, Site, SiteTable};

/// `major.minor` of the trace format. Readers take older minor versions.
pub const SCHEMA_VERSION: &str = "1.3";

/// Bounds on recording. See design.md section 5 for the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Events kept in full.
    pub events: u32,
    /// Bytes of raw stream kept in full.
    pub bytes: u32,
    /// Levels of nesting of a value.
    pub depth: u8,
    /// Elements of a container.
    pub elements: u16,
    /// Characters of a string.
    pub characters: u16,
    /// Bytes of one encoded value.
    pub value_bytes: u16,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            events: 10_000,
            bytes: 1 << 20,
            depth: 3,
            elements: 20,
            characters: 100,
            value_bytes: 1024,
        }
    }
}

/// What the run was made with: the parts that can change a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Language id.
    pub language: String,
    /// Toolchain and version, e.g. `CPython 3.13.0`.
    pub toolchain: String,
    /// Digest of the image it ran in, `sha256:…`; `None` on the host's own toolchain.
    pub image: Option<String>,
    /// Version of tracer.
    pub tracer: String,
    /// `native`, `wasm` or `none`.
    pub isolation: String,
    /// Arguments after the file name.
    pub args: Vec<String>,
}

/// Sites, events and outcome, normalised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Format version, [`SCHEMA_VERSION`] when written.
    pub schema_version: String,
    /// What it was recorded with.
    pub environment: Environment,
    /// How much was asked for.
    pub detail: Detail,
    /// Recording bounds.
    pub budget: Budget,
    /// Run bounds.
    pub limits: Limits,
    /// Files, functions, sites.
    pub table: SiteTable,
    /// What happened.
    pub events: Vec<Event>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it does not say.
    pub coverage: Coverage,
    /// What stood between the subject and the machine.
    pub protections: Vec<Protection>,
}

impl Trace {
    /// Without what the main file does from a byte on, a driver that was put there, but with what is
    /// printed there.
    #[must_use]
    pub fn without_end_of_main(&self, begins: u32) -> Self {
        let mut trace = self.clone();
        let driver = |site: &&Site| site.file == 0 && site.span.start >= begins;
        let sites = trace.table.sites.iter().filter(driver);
        let sites: BTreeSet<u32> = sites.map(|site| site.id).collect();
        trace
            .events
            .retain(|event| event.kind == Kind::Stdout || !sites.contains(&event.site));
        trace
    }
}
