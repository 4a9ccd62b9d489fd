//! Training examples of other kinds than traces, made of programs that were run.
//!
//! ```text
//! rows of `tracer batch` ─▶ ask ─▶ run again, verify ─▶ ledger ─▶ shards
//! ```
//!
//! So far: questions with answers that no model is needed for ([`qa`]). Every row ends in exactly one
//! place, with a reason if it is not kept, and every question that was thought of is counted.

mod account;
mod bugs;
mod dev;
mod dialogue;
mod ledger;
mod model;
mod output;
mod programs;
mod qa;
mod row;
mod stage;
mod template;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

pub use account::{Accounting, Counts};
pub use model::Model;
pub use stage::{Observer, Options, Report};

/// What is made of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Questions that traces answer.
    Qa {
        /// Most questions about one program.
        most: usize,
    },
    /// Tasks of developers, made of faults that a run shows.
    Dev(Faults),
    /// Conversations about such faults.
    Dialogue(Faults),
}

/// How many faults are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// Most that are kept of one program.
    pub most: usize,
    /// Most that are tried in one program.
    pub tries: usize,
}

/// Generates, or goes on with what an earlier run left; what is finished is not done again.
///
/// # Errors
/// Where something cannot be read or written, or the machine fails on program after program.
pub fn run(
    options: &Options,
    kind: Kind,
    observer: &dyn Observer,
) -> Result<Report, GenerateError> {
    let (settings, templates) = (&options.settings, options.templates.as_deref());
    match kind {
        Kind::Qa { most } => {
            let strategy = qa::Asker::new(options, most)?;
            stage::run(options, &strategy, observer)
        }
        Kind::Dev(faults) => {
            let strategy = dev::Maker::new(settings, templates, faults)?;
            stage::run(options, &strategy, observer)
        }
        Kind::Dialogue(faults) => {
            let strategy = dialogue::Maker::new(settings, templates, faults)?;
            stage::run(options, &strategy, observer)
        }
    }
}

/// What keeps examples from being generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
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
    /// The folder holds no rows of programs, or not in a form that is read.
    #[error("{} holds no finished rows of `tracer batch` as JSON Lines", folder.display())]
    Programs {
        /// Which.
        folder: PathBuf,
    },
    /// The output folder was begun with other settings.
    #[error("{} was begun with another {what}; give another folder, or the same settings", folder.display())]
    OtherPlan {
        /// Which.
        folder: PathBuf,
        /// What differs.
        what: String,
    },
    /// Another process works in the output folder.
    #[error("another process works in {}", folder.display())]
    Busy {
        /// Which.
        folder: PathBuf,
    },
    /// A model cannot be asked.
    #[error(transparent)]
    Ask(#[from] tracer_ask::AskError),
    /// A template is wrong.
    #[error("the template {} cannot be used", path.display())]
    Template {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<minijinja::Error>,
    },
    /// The counts do not sum up: a fault of this program.
    #[error("the counts do not sum up: {0}")]
    Sums(String),
    /// The machine failed on too many programs in a row.
    #[error("{failures} programs in a row could not be run; the last: {last}")]
    Machine {
        /// How many.
        failures: usize,
        /// What was said of the last.
        last: String,
    },
}

impl GenerateError {
    fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Read {
            path: path.clone(),
            source,
        }
    }

    fn write(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write {
            path: path.clone(),
            source,
        }
    }
}
