//! Traces programs from Rust: a source goes in, what it did comes out.
//!
//! ```
//! use tracer::{Kind, Tracer};
//!
//! # fn main() -> Result<(), tracer::Error> {
//! let tracer = Tracer::builder().language("python").build()?;
//! let run = tracer.run("x = 6\nprint(x * 7)\n")?;
//! assert_eq!(run.stdout, b"42\n");
//! for event in run.trace.events.iter().filter(|event| event.kind == Kind::Var) {
//!     println!("line {}: {:?}", event.line, event.payload);
//! }
//! # assert!(run.trace.events.iter().any(|event| event.kind == Kind::Var && event.line == 1));
//! # Ok(())
//! # }
//! ```
//!
//! A [`Tracer`] is a value without global state behind it, `Send`, `Sync` and cheap to clone. A
//! program that fails is no error: [`Trace::outcome`] says how it ended.
//!
//! # Where it runs
//! The language's own toolchain of this machine, or its sandbox image, behind the walls of
//! `tracer-sandbox`. Emitters are compiled into this crate; no files have to be installed beside it.
//!
//! # Executors
//! Calls block until the program ended or hit a limit. An asynchronous program puts them on its
//! executor's pool for blocking work, as this one puts them on threads:
//!
//! ```
//! use std::thread;
//! use tracer::Tracer;
//!
//! # fn main() -> Result<(), tracer::Error> {
//! let tracer = Tracer::builder().language("python").build()?;
//! let runs = ["print(1)", "print(2)"].map(|source| {
//!     let tracer = tracer.clone();
//!     thread::spawn(move || tracer.run(source))
//! });
//! for (run, wanted) in runs.into_iter().zip(["1\n", "2\n"]) {
//!     assert_eq!(run.join().expect("it does not panic")?.stdout, wanted.as_bytes());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//! A run cannot be cancelled from outside: [`Builder::limits`] bound it. The program of a language
//! whose interpreter is the `tracer` command itself, SQL, is refused with [`Error::NeedsCommand`].
//! Corpora are the work of `tracer-batch`.

mod builder;
mod error;

pub use builder::{Builder, Tracer};
pub use error::Error;
pub use tracer_engine::toolchain::Origin;
pub use tracer_engine::{Checked, EngineError, Status};
pub use tracer_model::{
    Budget, Detail, End, Event, Kind, Limits, Outcome, Payload, Trace, Usage, Value,
};
pub use tracer_sandbox::{Isolation, Profile};

/// A run and what it did.
#[derive(Debug)]
pub struct Run {
    /// What it did.
    pub trace: Trace,
    /// What it printed, up to the limit.
    pub stdout: Vec<u8>,
    /// What it printed on stderr, up to the limit.
    pub stderr: Vec<u8>,
    /// What it consumed.
    pub usage: Usage,
}

impl From<tracer_engine::Recorded> for Run {
    fn from(recorded: tracer_engine::Recorded) -> Self {
        Self {
            trace: recorded.trace,
            stdout: recorded.executed.stdout,
            stderr: recorded.executed.stderr,
            usage: recorded.executed.usage,
        }
    }
}
