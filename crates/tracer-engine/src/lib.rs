//! The whole flow as functions: source files in, a trace or a comparison out.
//!
//! ```text
//! program ─▶ toolchain ─▶ plan ─▶ build ─▶ run in the sandbox ─▶ channel ─▶ decode ─▶ normalise
//! ```
//!
//! Each step is its own module. The engine reads source files and makes temporary folders; it
//! starts no process itself and prints nothing.

pub mod alone;
mod built;
mod cache;
pub mod channel;
pub mod check;
pub mod circumstances;
mod emitters;
pub mod error;
pub mod image;
pub mod libraries;
mod mirror;
pub mod program;
pub mod run;
pub mod shed;
pub mod toolchain;
pub mod warm;
pub mod wasm;
mod workshop;

pub use built::Built;
pub use check::{CheckOptions, Checked, Status, check_file, difference};
pub use error::EngineError;
pub use program::{Program, ProgramOptions};
pub use run::{Executed, Recorded, RunOptions, Settings, trace};
pub use toolchain::{Toolchain, choose as choose_toolchain, find as find_toolchain};
pub use tracer_image as images;
pub use tracer_languages as languages;
pub use tracer_libraries as catalogue;
pub use warm::{Beginnings, Warm};
