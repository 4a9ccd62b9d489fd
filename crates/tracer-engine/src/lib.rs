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
mod emitters;
pub mod error;
pub mod image;
mod mirror;
pub mod program;
pub mod run;
pub mod shed;
pub mod toolchain;
mod wasm;
mod workshop;

pub use check::{CheckOptions, Checked, Status, check_file};
pub use error::EngineError;
pub use program::{Program, ProgramOptions};
pub use run::{Recorded, RunOptions, Settings, trace};
pub use toolchain::{Toolchain, choose as choose_toolchain, find as find_toolchain};
pub use tracer_image as images;
pub use tracer_languages as languages;
