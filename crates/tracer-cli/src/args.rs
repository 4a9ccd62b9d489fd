//! The command line as types. Nothing here acts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use tracer_engine::toolchain::Origin;
use tracer_model::Detail;

mod generate;

pub(crate) use generate::{GenerateArgs, GenerateCommand, GenerateFaultArgs, ModelArgs};

/// Trace what a program does: its control flow, its state, its output.
#[derive(Debug, Parser)]
#[command(name = "tracer", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// When to colour output (`NO_COLOR` is honoured)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Say nothing but the result
    #[arg(long, short, global = true)]
    pub quiet: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Trace one program
    Run(RunArgs),
    /// Print the rewritten source
    Instrument(InstrumentArgs),
    /// Run programs as they are and traced, and compare
    Check(CheckArgs),
    /// Make verified training examples of a corpus
    Batch(BatchArgs),
    /// Make examples of other kinds of a corpus, each proved by running
    Generate {
        #[command(subcommand)]
        command: GenerateCommand,
    },
    /// Build a benchmark of execution reasoning, and score answers to it
    Eval {
        #[command(subcommand)]
        command: EvalCommand,
    },
    /// Show a saved trace
    View(ViewArgs),
    /// Build and look after sandbox images: the same toolchain on every machine
    Image {
        #[command(subcommand)]
        command: ImageCommand,
    },
    /// Libraries that programs in images may import: what there is, and whether it works
    Libraries {
        #[command(subcommand)]
        command: LibrariesCommand,
    },
    /// List the languages
    Languages(ListArgs),
    /// Say what this machine can do, and what is missing
    Doctor(ListArgs),
    /// Print shell completions
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// How much to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum DetailArg {
    /// Functions, errors, tasks, output
    Calls,
    /// And statements, branches, loops
    Lines,
    /// And every value written
    #[default]
    State,
    /// And operands and sub-expressions
    Full,
}

impl From<DetailArg> for Detail {
    fn from(detail: DetailArg) -> Self {
        match detail {
            DetailArg::Calls => Self::Calls,
            DetailArg::Lines => Self::Lines,
            DetailArg::State => Self::State,
            DetailArg::Full => Self::Full,
        }
    }
}

/// What keeps the program from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum IsolationArg {
    /// Linux namespaces, seccomp and limits
    #[default]
    Native,
    /// The same around a WebAssembly virtual machine, for languages that have modules for it
    Wasm,
    /// Nothing: only for programs you trust
    None,
}

/// How strict the walls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ProfileArg {
    /// What ordinary programs use; walls that this machine refuses are reported
    #[default]
    Compat,
    /// What toolchains need and no more; refused unless every wall stands
    Trusted,
}

/// Where the toolchain comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ToolchainArg {
    /// This machine's if it has one, else the language's image
    #[default]
    Auto,
    /// The image
    Image,
    /// This machine's
    Host,
}

impl From<ToolchainArg> for Origin {
    fn from(toolchain: ToolchainArg) -> Self {
        match toolchain {
            ToolchainArg::Auto => Self::Auto,
            ToolchainArg::Image => Self::Image,
            ToolchainArg::Host => Self::Host,
        }
    }
}

/// What loading and running share.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProgramArgs {
    /// Language, when the file name and `#!` line do not tell
    #[arg(long, short, value_name = "NAME")]
    pub language: Option<String>,
    /// How much to report
    #[arg(long, short, value_enum, default_value_t, value_name = "LEVEL")]
    pub detail: DetailArg,
    /// Trace the named file only, not the local modules it pulls in
    #[arg(long)]
    pub main_only: bool,
}

/// Bounds on a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Wall-clock time, e.g. 10, 500ms, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// CPU time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub cpu: Option<Duration>,
    /// Memory, e.g. 512M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Processes and threads at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub processes: Option<u64>,
    /// Bytes on stdout and stderr together
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub output: Option<u64>,
    /// Bytes of all files written
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub disk: Option<u64>,
}

/// Isolation and what the program sees.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sandbox")]
pub(crate) struct SandboxArgs {
    /// What keeps the program from the machine
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub isolation: IsolationArg,
    /// How strict the walls are
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub profile: ProfileArg,
    /// Where the language's toolchain comes from
    #[arg(long, value_enum, default_value_t, value_name = "WHERE")]
    pub toolchain: ToolchainArg,
    /// Set a variable, or pass one on by its name
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    pub env: Vec<OsString>,
    /// Let the program read another folder
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub read: Vec<PathBuf>,
    /// Pass an argument to the compiler
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub compiler_flag: Vec<OsString>,
}

/// How a trace is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading in a terminal
    Pretty,
    /// Source lines in the order they ran, with changed values
    Lines,
    /// The tree of calls, with what each wrote
    Frames,
    /// The source, with values as comments
    Inline,
    /// The source with 15 to 25 probes written in it, how to run it, and what they print
    Probes,
    /// Questions about the run with checked answers, one JSON object a line
    Qa,
    /// Functions of libraries that were called, with examples, one JSON object a line
    Calls,
    /// One page to step through in a browser
    Html,
    /// JSON Lines: a header, the events, the outcome
    Jsonl,
    /// Compact binary, for `tracer view`
    Binary,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The program
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Its arguments
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<OsString>,
    /// Write the trace here and leave the program's own streams untouched
    #[arg(long, short = 'o', value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub trace_out: Option<PathBuf>,
    /// How to write the trace [default: pretty on stdout, jsonl with --trace-out]
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Throw away the files the program writes
    #[arg(long)]
    pub discard: bool,
    /// Width of the pretty view in columns [default: the terminal's, else 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..))]
    pub width: Option<u16>,
    /// Events kept in full
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub events: u32,
    #[command(flatten)]
    pub program: ProgramArgs,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InstrumentArgs {
    /// The file
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Print the site table as JSON instead
    #[arg(long)]
    pub sites: bool,
    #[command(flatten)]
    pub program: ProgramArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Files, folders or glob patterns
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// One JSON object a file on stdout, and a summary object at the end
    #[arg(long)]
    pub json: bool,
    /// Programs run at once [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// File given to each program as stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub stdin: Option<PathBuf>,
    #[command(flatten)]
    pub program: ProgramArgs,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// How examples are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExampleView {
    /// Source lines in the order they ran, with changed values
    Lines,
    /// The source, with values as comments
    Inline,
    /// The source with probes written in it, `run.sh`, and what each run prints
    Probes,
    /// Questions about the runs, with checked answers
    Qa,
}

/// How shards are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShardForm {
    /// JSON Lines, compressed with zstd
    Jsonl,
    /// Parquet
    Parquet,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BatchArgs {
    /// Folders of source files; .jsonl, .jsonl.gz, .jsonl.zst or .parquet files of rows
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<PathBuf>,
    /// Folder for the examples; the same command goes on with what an earlier run left there
    #[arg(long, short, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// How examples are rendered
    #[arg(long, value_enum, default_value_t = ExampleView::Lines, value_name = "VIEW")]
    pub view: ExampleView,
    /// Most tokens of an example
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub token_budget: usize,
    /// How shards are written
    #[arg(long, short, value_enum, default_value_t = ShardForm::Jsonl, value_name = "FORM")]
    pub format: ShardForm,
    /// Rows of a shard
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub shard_rows: u64,
    /// Repositories held back for validation, of a thousand
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(..=1000))]
    pub validation: u16,
    /// Seed of the order of examples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Column with the source [default: content, text or code]
    #[arg(long, value_name = "NAME")]
    pub text_column: Option<String>,
    /// Column with the language [default: language or lang; else it is told from name and text]
    #[arg(long, value_name = "NAME")]
    pub language_column: Option<String>,
    /// Language of every row
    #[arg(long, short, value_name = "NAME")]
    pub language: Option<String>,
    /// File whose texts no example may share 13 words in a row with
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub benchmark: Vec<PathBuf>,
    /// Take this many rows of the input
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Longest source in bytes, e.g. 64K
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256K")]
    pub source_limit: u64,
    /// Longest one row may take, all its runs together
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m")]
    pub patience: Duration,
    /// Stack of each thread that works on rows: a file nested too deep for it is given up
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256M")]
    pub stack: u64,
    /// Rows worked on at once [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The report as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

/// What is done with a benchmark.
#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// Make items from a corpus; every answer is proved by running
    Build(Box<EvalBuildArgs>),
    /// Score answers: JSON Lines with `id` and `answer`
    Score(Box<EvalScoreArgs>),
    /// Answer without understanding, and score that
    Baseline(Box<EvalBaselineArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct EvalScoreArgs {
    /// The benchmark's folder, or its items
    #[arg(value_hint = ValueHint::AnyPath)]
    pub items: PathBuf,
    /// The answers
    #[arg(value_hint = ValueHint::FilePath)]
    pub answers: PathBuf,
    /// As JSON, with every answer
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub trying: TryArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EvalBaselineArgs {
    /// The benchmark's folder, or its items
    #[arg(value_hint = ValueHint::AnyPath)]
    pub items: PathBuf,
    /// Folder for the answers
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// For the random answers
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    #[command(flatten)]
    pub trying: TryArgs,
}

/// How inputs that were answered are tried.
#[derive(Debug, Args)]
pub(crate) struct TryArgs {
    /// Run nothing: items that ask for an input are left out
    #[arg(long)]
    pub no_run: bool,
    /// Inputs tried at once [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EvalBuildArgs {
    /// Folders with a folder a repository; outputs of `tracer batch`, or files of its rows;
    /// benchmarks
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<PathBuf>,
    /// Folder for the benchmark; the same command goes on with what an earlier one left there
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Programs of each language
    #[arg(long, default_value_t = 75, value_name = "N")]
    pub per_language: usize,
    /// Orders the files
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Give programs input that nobody has seen, made from the seed
    #[arg(long)]
    pub fresh: bool,
    /// Languages worked on at once [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Only these languages
    #[arg(long, short, value_name = "NAME")]
    pub language: Vec<String>,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub sandbox: SandboxArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    /// A trace in JSON Lines or binary
    #[arg(value_hint = ValueHint::FilePath)]
    pub trace: PathBuf,
    /// How to show it
    #[arg(long, short, value_enum, default_value_t = Format::Pretty, value_name = "FORMAT")]
    pub format: Format,
    /// Width of the pretty view in columns [default: the terminal's, else 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..))]
    pub width: Option<u16>,
}

/// What is done with libraries.
#[derive(Debug, Subcommand)]
pub(crate) enum LibrariesCommand {
    /// List the catalogue
    List {
        /// Of these languages alone
        languages: Vec<String>,
        /// Those alone that load inside the sandbox
        #[arg(long)]
        verified: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Find libraries by package or import name
    Search {
        /// A part of the name
        text: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Resolve the layers of a language anew, and write their locks
    Lock {
        /// Whose
        language: String,
        /// Folder with a folder for each language
        #[arg(long, short, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Build layers of libraries over a language's image, by the registry's own client
    Build {
        /// Whose
        language: String,
        /// Which; all of them if none is named
        layers: Vec<String>,
        /// Build layers anew that are up to date
        #[arg(long)]
        rebuild: bool,
    },
    /// Load every library of the layers that are built, and print the catalogue of what happened
    Verify {
        /// Whose
        language: String,
        /// Write the catalogue to this file
        #[arg(long, short, value_name = "PATH", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
        /// Load those of layers that have not changed since the last catalogue, too
        #[arg(long)]
        again: bool,
    },
}

/// What is done with images.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Build images from the Debian mirrors this system is configured with
    Build(ImageBuildArgs),
    /// List what is built
    List(ListArgs),
    /// Prove images: checksums, the toolchain's version, programs run inside
    Verify(ImageVerifyArgs),
    /// Take an OCI or Docker archive, or a root file system as a tar, as a language's image
    Import {
        /// The archive
        #[arg(value_hint = ValueHint::AnyPath)]
        archive: PathBuf,
        /// Whose toolchain it has; an archive of `image export` knows
        #[arg(long, short, value_name = "NAME")]
        language: Option<String>,
        /// The archive is your own: its packer may be run where no base image is built yet
        #[arg(long)]
        trust: bool,
    },
    /// Write images, and layers of libraries by their names (`python+core`), to an OCI archive, for
    /// another machine
    Export {
        #[command(flatten)]
        which: ImageChoice,
        /// The archive to write
        #[arg(long, short, value_name = "PATH", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
    /// Remove what no image needs
    Prune {
        /// The images, too
        #[arg(long)]
        all: bool,
        /// Downloaded packages, too
        #[arg(long)]
        packages: bool,
        /// Only say what would go
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Resolve packages anew and write their lock files
    Lock {
        #[command(flatten)]
        which: ImageChoice,
        /// Folder with one folder a language
        #[arg(long, short, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        out: PathBuf,
        /// Debian mirror instead of the system's
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
}

/// Which images.
#[derive(Debug, Clone, Args)]
pub(crate) struct ImageChoice {
    /// Languages
    #[arg(value_name = "LANGUAGE", required_unless_present = "all")]
    pub languages: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "languages")]
    pub all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImageBuildArgs {
    #[command(flatten)]
    pub which: ImageChoice,
    /// Debian mirror instead of the system's
    #[arg(long, value_name = "URL")]
    pub mirror: Option<String>,
    /// Fail where a locked version is no longer to be had, instead of taking the current one
    #[arg(long)]
    pub locked: bool,
    /// Build again what is up to date
    #[arg(long)]
    pub rebuild: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImageVerifyArgs {
    #[command(flatten)]
    pub which: ImageChoice,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `10`, `1.5s`, `500ms`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number
        .parse()
        .map_err(|_| format!("`{text}` is not a time such as 10s"))?;
    let seconds = match unit {
        "" | "s" => number,
        "ms" => number / 1000.0,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(format!("`{unit}` is not a unit of time: use ms, s, m or h")),
    };
    if seconds <= 0.0 {
        return Err("the time must be more than 0".into());
    }
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// `100`, `64K`, `512M`, `2G`, with or without `iB`.
fn size(text: &str) -> Result<u64, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` is not a size such as 512M"))?;
    let unit = unit
        .trim_end_matches("iB")
        .trim_end_matches('B')
        .to_ascii_uppercase();
    let shift = match unit.as_str() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(format!("`{unit}` is not a unit of size: use K, M, G or T")),
    };
    if number == 0 {
        return Err("the size must be more than 0".into());
    }
    number
        .checked_shl(shift)
        .filter(|n| n >> shift == number)
        .ok_or("the size is too large".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_and_times_are_read() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("7"), Ok(7));
        assert!(size("0").is_err() && size("x").is_err() && size("99999999T").is_err());
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        // Absurd ones are refused, or kept as they are; none wraps around.
        assert_eq!(size("18446744073709551615"), Ok(u64::MAX));
        for absurd in ["18446744073709551616", "-1", "1e3", "nan", ""] {
            assert!(size(absurd).is_err(), "{absurd}");
        }
        for absurd in ["18446744073709551616", "1e400", "nan", "inf", "."] {
            assert!(duration(absurd).is_err(), "{absurd}");
        }
        assert!(duration("0").is_err() && duration("-1").is_err() && duration("1y").is_err());
    }
}
