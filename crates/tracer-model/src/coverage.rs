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

/// How much of the program reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Sites that have a probe or are implied.
    pub sites: u32,
    /// Places without one.
    pub dropped: Vec<Dropped>,
    /// Anything else a reader must know: a torn stream, a process that was not traced.
    pub notes: Vec<String>,
}
