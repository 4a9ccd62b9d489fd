//! What a run is asked for.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracer_engine::Settings;

/// How an example is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Source lines in the order they ran, with changed values.
    Lines,
    /// The source, with values as comments.
    Inline,
    /// The published form: the source with probes, `run.sh`, and what each run prints.
    Probes,
    /// Questions about the runs, with checked answers.
    Qa,
}

impl View {
    /// Its name in rows and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Inline => "inline",
            Self::Probes => "probes",
            Self::Qa => "qa",
        }
    }
}

/// How shards are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// JSON Lines, compressed with zstd.
    Jsonl,
    /// Parquet, compressed with zstd.
    Parquet,
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folders and files of rows, in order.
    pub inputs: Vec<PathBuf>,
    /// Output folder.
    pub out: PathBuf,
    /// How programs are run: back end, limits of the original, toolchain.
    pub settings: Settings,
    /// Column with the source; the usual names if `None`.
    pub text_column: Option<String>,
    /// Column with the language; the usual names if `None`.
    pub language_column: Option<String>,
    /// The language of every row, whatever it looks like.
    pub language: Option<String>,
    /// Programs worked on at once.
    pub jobs: usize,
    /// Rows taken from the input.
    pub limit: Option<u64>,
    /// Rendering.
    pub view: View,
    /// Form of the shards.
    pub form: Form,
    /// Most tokens of an example.
    pub token_budget: usize,
    /// Seed of the order of rows and the split.
    pub seed: u64,
    /// Rows of a shard.
    pub shard_rows: u64,
    /// Share of repositories held back for validation, in thousandths.
    pub validation: u16,
    /// Files whose 13-grams no example may share.
    pub benchmarks: Vec<PathBuf>,
    /// Longest a source may be, bytes.
    pub source_limit: usize,
    /// Longest one row may take, all its runs together.
    pub patience: Duration,
    /// Bytes of stack of each thread that works on rows: sources nest as deep as strangers like.
    pub stack: usize,
}

impl Options {
    /// Defaults for an input and an output folder. Originals have ten seconds.
    pub fn new(inputs: Vec<PathBuf>, out: PathBuf, mut settings: Settings) -> Self {
        let ten = Duration::from_secs(10);
        settings.limits.wall = Some(ten);
        settings.limits.cpu = Some(ten);
        Self {
            inputs,
            out,
            settings,
            text_column: None,
            language_column: None,
            language: None,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            limit: None,
            view: View::Lines,
            form: Form::Jsonl,
            token_budget: 8000,
            seed: 0,
            shard_rows: 10_000,
            validation: 20,
            benchmarks: Vec::new(),
            source_limit: 256 << 10,
            patience: Duration::from_secs(300),
            stack: 256 << 20,
        }
    }
}
