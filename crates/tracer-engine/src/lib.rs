//! The whole flow as functions: source files in, a trace or a comparison out.
//!
//! ```text
//! program ─▶ toolchain ─▶ plan ─▶ build ─▶ run in the sandbox ─▶ channel ─▶ decode ─▶ normalise
//! ```
//!
//! Each step is its own module. The engine reads source files and makes temporary folders; it
//! starts no process itself and prints nothing.

mod cache;
pub mod channel;
pub mod check;
pub mod error;
mod mirror;
pub mod program;
pub mod run;
pub mod shed;
pub mod toolchain;

pub use check::{CheckOptions, Checked, Status, check_file};
pub use error::EngineError;
pub use program::{Program, ProgramOptions};
pub use run::{Recorded, RunOptions, Settings, trace};
pub use toolchain::find as find_toolchain;
pub use tracer_languages as languages;
