//! Runs one WebAssembly module as a program: the subject of a run with `--isolation wasm`.
//!
//! ```text
//! tracer ─▶ sandbox walls ─▶ this program, hidden first argument ─▶ module, under WASI preview 1
//! ```
//!
//! Any program that holds this crate with its feature `machine` is the worker, too (see [`RUNNER`]);
//! the separate program `tracer-wasm` serves those without. It is started inside the native sandbox in the subject's place, so time, memory, processes, disk and output are bounded
//! there, and how it ends is how the subject ended. Here stand the inner walls: the module reaches
//! the system only through the functions of `wasi`, and those reach only the folders they are given.
//!
//! | module | what |
//! | --- | --- |
//! | `entry` | how the worker is started |
//! | `job` | what it is asked to do, as arguments |
//! | `machine` | the settings of the virtual machine; compiling ahead of time |
//! | `worker` | one run: load, link, call, end |
//! | `region` | the trace channel inside the module's own memory |
//! | `wasi` | the system as a module sees it |
//! | `weaken` | inner walls that tests leave out |
//!
//! Not known here: languages, traces, what the channel's bytes mean.

#[cfg(feature = "machine")]
mod entry;
mod job;
#[cfg(feature = "machine")]
mod machine;
#[cfg(feature = "machine")]
mod region;
#[cfg(feature = "machine")]
mod stack;
#[cfg(feature = "machine")]
mod unwind;
#[cfg(feature = "machine")]
mod wasi;
#[cfg(feature = "machine")]
mod weaken;
#[cfg(feature = "machine")]
mod worker;

#[cfg(feature = "machine")]
pub use entry::is_linked;
pub use job::{Job, Preopen};
#[cfg(feature = "machine")]
pub use machine::CompileError;
#[cfg(feature = "weaken")]
pub use weaken::WITHOUT;

/// The first argument that makes a program the worker.
pub const RUNNER: &str = "--tracer-wasm-worker";

/// A name beneath each folder that a module is given, by which it opens the channel. Without a
/// channel there is no such file.
pub const CHANNEL_FILE: &str = ".tracer-channel";

/// With the number of a standard stream behind it, the name by which a module opens that stream once
/// more, in any folder that it is given.
pub const STREAM_FILE: &str = ".tracer-stream-";

/// The separate worker.
pub const WORKER: &str = "tracer-wasm";

/// The machine and its settings: what one compiled ahead of time, no other runs.
pub const MACHINE: &str = concat!("wasmtime 36.0.20 3 ", env!("CARGO_PKG_VERSION"));

/// Whether this program is the worker, too.
#[cfg(not(feature = "machine"))]
pub fn is_linked() -> bool {
    false
}
