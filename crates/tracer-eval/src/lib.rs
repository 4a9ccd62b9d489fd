//! `TraceEval`: builds a benchmark from a corpus, answers it without understanding, scores answers.
//!
//! Building runs the corpus' programs in the sandbox; scoring reads answers as texts, and runs one
//! only where an input was asked for, with the program it is for. Nothing here prints.

pub mod baseline;
pub mod build;
mod corpus;
pub mod items;
mod predict;
pub mod rouge;
pub mod score;
mod subject;

use std::io;
use std::path::PathBuf;

/// What keeps a benchmark from being built or scored.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line} of {} is not an item or answer", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// An item's id is there twice, or an answer has no item.
    #[error("{id} {what}")]
    Id {
        /// Which.
        id: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An input that was answered cannot be tried on this machine.
    #[error("the input answered for {id} cannot be tried: {reason}")]
    Try {
        /// The item.
        id: String,
        /// Why.
        reason: &'static str,
    },
    /// The engine cannot work on this machine at all.
    #[error("programs cannot be run")]
    Engine(#[from] tracer_engine::EngineError),
}
