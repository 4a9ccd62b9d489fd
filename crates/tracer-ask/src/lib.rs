//! Asks language models over OpenAI-compatible HTTP, and keeps what they said.
//!
//! ```text
//! request ─▶ its key ─▶ ledger has it? ── yes ─▶ answer
//!                            │ no
//!                  pace ─▶ HTTP, tried again ─▶ ledger ─▶ answer
//! ```
//!
//! A request is known by what is asked, not by where: a run that was killed asks nothing twice, and the
//! same job may go on by files for a batch service ([`export`], [`import`]). Raw responses are kept, so
//! what is made of them can be made anew without asking.

mod batch;
mod client;
mod ledger;
mod pace;
mod request;

use std::io;
use std::path::PathBuf;

pub use batch::{Imported, export, import};
pub use client::{Client, Endpoint, Length, Policy, Secret, Spent};
pub use ledger::Ledger;
pub use pace::Rates;
pub use request::{Answer, Message, Request, Usage};

/// What keeps questions from being asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The ledger cannot be read or written.
    #[error("cannot use {}", path.display())]
    Ledger {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process works with the ledger.
    #[error("another process works with {}", folder.display())]
    Busy {
        /// Which.
        folder: PathBuf,
    },
    /// The endpoint does not let us in, or does not know the model.
    #[error("{url} answers with status {status}: {said}")]
    Refused {
        /// Which endpoint, without a key.
        url: String,
        /// HTTP status.
        status: u16,
        /// The beginning of what it said.
        said: String,
    },
    /// So many requests in a row failed that asking on makes no sense.
    #[error("{failures} requests in a row failed at {url}; the last: {last}")]
    Gone {
        /// Which endpoint, without a key.
        url: String,
        /// How many.
        failures: u32,
        /// What happened to the last.
        last: String,
    },
    /// It was to stop.
    #[error("stopped")]
    Stopped,
}
