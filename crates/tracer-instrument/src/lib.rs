//! The rewriting engine: source bytes in, instrumented bytes and a site table out.
//!
//! It is pure. It parses with tree-sitter, runs a language's probe query, and calls that language's
//! hooks, which may only *insert* text. It knows no language, starts no process and reads no file.
//!
//! Invariant: removing the insertions gives the original bytes back.
//! Invariant: no insertion lies inside a node that the parser could not read.

mod calls;
pub mod drive;
pub mod edits;
pub mod engine;
mod family;
pub mod imports;
mod paths;
mod patterns;
pub mod rewriter;
pub mod spec;
mod walk;

pub use calls::{LibraryCall, LibraryNames, argued};
pub use edits::{Edit, Insertion, Rewritten, strip};
pub use engine::{InstrumentError, Instrumented, Options, instrument};
pub use imports::{HintForm, Imports, StandardBy};
pub use paths::normal;
pub use rewriter::{Children, Rewriter};
pub use spec::{
    CHANNEL_FILE, EmitterFile, Found, Hook, Judge, LanguageSpec, LocalModules, MODULES, Plan,
    PlanRequest, PlanSource, Project, Proof, SELF, StreamForm, Toolchain, VARIABLE, Wasm,
};
pub use tree_sitter::Node;
