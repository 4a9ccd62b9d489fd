//! What a trace cannot say, and why.

use serde::{Deserialize, Serialize};

/// A probe that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Index into the site table's files.
    pub file: u32,
    /// First line concerned.
    pub line: u32,
    /// Why, as a fixed word: `syntax_error`, `did_not_compile`, `misread`, `macro`, `unsupported`, ….
    pub reason: String,
    /// What was there, bounded.
    pub detail: String,
}

/// A way in which what was recorded does not hold together: the program closed, cut, forged or wrote
/// over its trace channel. What came before is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceFault {
    /// The channel's header is not as it was made.
    Header,
    /// A part of the channel does not carry this run's marks.
    Segment,
    /// A record cannot be read.
    Record,
    /// A counter of left-out visits cannot be read.
    Slot,
    /// A record names a place that the program does not have.
    Site,
}

/// How much of the program reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Sites that have a probe or are implied.
    pub sites: u32,
    /// Places without one.
    pub dropped: Vec<Dropped>,
    /// Anything else a reader must know: a torn stream, a process that was not traced.
    pub notes: Vec<String>,
    /// What is broken, sorted, each once. A trace in which anything is, is not to be learnt from.
    #[serde(skip)] // the binary form, which knows no optional fields, has it behind the rest
    pub trace_invalid: Vec<TraceFault>,
}
