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
//! Calls block until the program ended, hit a limit or was cancelled ([`Tracer::with_cancel`]). An
//! asynchronous program puts them on its executor's pool for blocking work (`spawn_blocking` of
//! tokio), as this one puts them on threads, and cancels where its future is dropped:
//!
//! ```
//! use std::thread;
//! use tracer::{Cancel, Tracer};
//!
//! /// What lives as long as somebody waits: `tokio::task::spawn_blocking` beside it.
//! struct Waiting(Cancel);
//!
//! impl Drop for Waiting {
//!     fn drop(&mut self) {
//!         self.0.cancel();
//!     }
//! }
//!
//! # fn main() -> Result<(), tracer::Error> {
//! let tracer = Tracer::builder().language("python").build()?;
//! let runs = ["print(1)", "while True: pass"].map(|source| {
//!     let waiting = Waiting(Cancel::new());
//!     let tracer = tracer.clone().with_cancel(&waiting.0);
//!     (waiting, thread::spawn(move || tracer.run(source)))
//! });
//! let [(first, one), (second, two)] = runs;
//! assert_eq!(one.join().expect("it does not panic")?.stdout, b"1\n");
//! drop(second); // nobody waits for the other one any more
//! assert!(matches!(two.join().expect("it does not panic"), Err(tracer::Error::Cancelled)));
//! # drop(first);
//! # Ok(())
//! # }
//! ```
//!
//! # Languages
//! Each has a feature, and needs its toolchain or its image. SQL needs neither: a program that holds
//! this crate is its runner, too, started anew inside the sandbox. A shared library is no
//! program; where this crate is in one, `tracer-sql` (`cargo install --path runtimes/sql`) has to be
//! on `PATH` or beside the program that loaded it.
//!
//! # Corpora
//! With the feature `batch`, [`Tracer::batch`] and [`batch::run`] turn a corpus into verified
//! examples, as `tracer batch` does; [`batch::Verifier`] takes rows of an Arrow table one batch at a
//! time. A file that ends the process ends the embedder: only the command is watched by another
//! process.

mod builder;
mod error;

pub use builder::{Builder, Tracer};
pub use error::Error;
#[cfg(feature = "batch")]
pub use tracer_batch as batch;
pub use tracer_engine::toolchain::Origin;
pub use tracer_engine::{Checked, EngineError, Settings, Status};
pub use tracer_model::{
    Budget, Detail, End, Event, Kind, Limits, Outcome, Payload, Trace, Usage, Value,
};
pub use tracer_sandbox::{Cancel, Isolation, Profile};

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
