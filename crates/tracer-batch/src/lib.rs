//! A corpus of source files in, verified training examples out.
//!
//! ```text
//! input ─▶ judge (a row at a time, on several threads) ─▶ ledger ─▶ assemble (rows together) ─▶ shards
//! ```
//!
//! Every row of the input ends in exactly one place: kept, or rejected with one of the fixed
//! [`Reason`]s. A run may be killed at any time; started again, it gives the same output. Nothing here
//! prints, and nothing here knows how a program is traced.

mod account;
mod assemble;
mod benchmark;
mod detect;
mod error;
mod example;
mod files;
mod flight;
mod funnel;
mod input;
mod judge;
mod ledger;
mod options;
mod output;
mod plan;
mod proposal;
mod questions;
mod reader;
mod reason;
mod record;
mod row;
mod run;
mod similar;
mod tokens;
mod verifier;
mod workers;

pub use account::{Spent, Stage};
pub use assemble::Shard;
pub use error::BatchError;
pub use flight::{Aftermath, died};
pub use funnel::{Counts, Funnel};
pub use options::{Form, Options, View};
pub use reason::Reason;
pub use row::SCHEMA_VERSION;
pub use run::{Observer, Progress, Report, run};
pub use verifier::Verifier;
