//! What stops a whole run. What is wrong with one row is a reason, not an error.

use std::io;
use std::path::PathBuf;

use tracer_engine::EngineError;

/// Why a run could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Nothing of this kind is read.
    #[error("{path} is neither a folder nor a .jsonl, .jsonl.gz, .jsonl.zst or .parquet file")]
    Input {
        /// What was given.
        path: PathBuf,
    },
    /// The input cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A Parquet file cannot be read.
    #[error("cannot read {path}")]
    Parquet {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// No column has the text.
    #[error("{path} has no column {wanted}; it has {there}")]
    Column {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        wanted: String,
        /// What there is.
        there: String,
    },
    /// The output cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Rows cannot be turned into a table.
    #[error("cannot write {path} as Parquet: {message}")]
    Table {
        /// Which file.
        path: PathBuf,
        /// What was said.
        message: String,
    },
    /// The folder holds the work of another configuration.
    #[error("{folder} was begun with other settings: {what}")]
    OtherPlan {
        /// The output folder.
        folder: PathBuf,
        /// What differs, by name, with both values.
        what: String,
    },
    /// The folder has something else in it.
    #[error("{folder} is not empty and not the output of an earlier run")]
    Occupied {
        /// The output folder.
        folder: PathBuf,
    },
    /// The input is another than before.
    #[error("row {at} of the input is another than when this run was begun")]
    InputChanged {
        /// Which row, from 0.
        at: u64,
    },
    /// What was written earlier cannot be read.
    #[error("{path} is damaged at byte {at}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        at: u64,
    },
    /// Another process works on this output.
    #[error("another run is writing to {folder}")]
    Busy {
        /// The output folder.
        folder: PathBuf,
    },
    /// An untrusted corpus is not run without walls.
    #[error("a corpus is only run inside a sandbox")]
    NoWalls,
    /// A table cannot be read or made.
    #[error("the table cannot be used")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The numbers of rows are no numbers.
    #[error("the column {column} does not number the rows: it is {what}")]
    Number {
        /// Its name.
        column: String,
        /// What it is instead.
        what: String,
    },
    /// Nothing can be run here.
    #[error("this machine cannot run programs now")]
    Machine(#[source] EngineError),
    /// Rows got lost or doubled: a bug.
    #[error("the counts do not add up: {0}")]
    Sums(String),
    /// A benchmark file has no text to compare with.
    #[error("{path} has no 13 words in a row: nothing would be compared with it")]
    EmptyBenchmark {
        /// Which file.
        path: PathBuf,
    },
}

impl BatchError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        let full = |source: &io::Error| source.kind() == io::ErrorKind::StorageFull;
        let hint = match self {
            Self::Write { source, .. } if full(source) => Some(
                "the disk is full: make room and start the same command again, nothing is lost",
            ),
            Self::OtherPlan { .. } => {
                Some("give the settings it was begun with, or another output folder")
            }
            Self::Occupied { .. } => Some("give a new or an empty folder with -o"),
            Self::InputChanged { .. } => Some("give another output folder for the changed input"),
            Self::Column { .. } => Some("name the column with --text-column"),
            Self::NoWalls => Some("leave out `--isolation none`"),
            Self::Machine(source) => return source.hint(),
            Self::Damaged { .. } => Some("remove that file: its rows are worked on again"),
            _ => None,
        };
        hint.map(str::to_owned)
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }

    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }
}
