//! What `tracer generate` takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::{BatchArgs, duration};

/// What is generated.
#[derive(Debug, Subcommand)]
pub(crate) enum GenerateCommand {
    /// Questions about what programs do, one a row, their answers confirmed by another run
    Qa(Box<GenerateQaArgs>),
    /// Tasks of developers: bug reports, failing tests, reviews, commits; each fault shown by a run
    Dev(Box<GenerateFaultArgs>),
    /// Conversations about faults, with what the run, its trace and the fixed program print
    Dialogue(Box<GenerateFaultArgs>),
}

/// Which language model answers, and how it is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Language model")]
pub(crate) struct ModelArgs {
    /// Name of the model that answers; what it says is kept where it is the proved answer
    /// [default: none, traces answer]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "none",
        hide_default_value = true
    )]
    pub model: String,
    /// OpenAI-compatible endpoint
    #[arg(long, value_name = "URL", default_value = "http://localhost:8000/v1")]
    pub endpoint: String,
    /// Variable of the environment that holds its key
    #[arg(long, value_name = "NAME", default_value = "OPENAI_API_KEY")]
    pub key_env: String,
    /// Most tokens of an answer; one that is cut is asked for once more with twice as many
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub max_tokens: u32,
    /// Sampling temperature
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    pub temperature: f64,
    /// Seed that the model samples with
    #[arg(long, value_name = "N")]
    pub sampling_seed: Option<i64>,
    /// Requests a minute at most
    #[arg(long, value_name = "N")]
    pub requests_per_minute: Option<f64>,
    /// Tokens a minute at most
    #[arg(long, value_name = "N")]
    pub tokens_per_minute: Option<f64>,
    /// How long one request may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2m")]
    pub request_timeout: Duration,
    /// Price of a million tokens asked, to tell the cost
    #[arg(long, value_name = "PRICE")]
    pub price_in: Option<f64>,
    /// Price of a million tokens answered
    #[arg(long, value_name = "PRICE")]
    pub price_out: Option<f64>,
}

/// What all kinds of examples take.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub batch: BatchArgs,
    /// Folder whose templates take the place of ours, e.g. qa/question.jinja
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub templates: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateQaArgs {
    #[command(flatten)]
    pub common: GenerateArgs,
    #[command(flatten)]
    pub asking: ModelArgs,
    /// Most questions about one program
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub questions: u16,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateFaultArgs {
    #[command(flatten)]
    pub common: GenerateArgs,
    /// Most faults of one program that are kept
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub faults: u16,
    /// Most faults that are tried in one program
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub tries: u16,
}
