//! The rewriting engine: source bytes in, instrumented bytes and a site table out.
//!
//! It is pure. It parses with tree-sitter, runs a language's probe query, and calls that language's
//! hooks, which may only *insert* text. It knows no language, starts no process and reads no file.
//!
//! Invariant: removing the insertions gives the original bytes back.
//! Invariant: no insertion lies inside a node that the parser could not read.

pub mod edits;
pub mod engine;
mod family;
mod patterns;
pub mod rewriter;
pub mod spec;
mod walk;

pub use edits::{Edit, Insertion, Rewritten, strip};
pub use engine::{InstrumentError, Instrumented, Options, instrument};
pub use rewriter::{Children, Rewriter};
pub use spec::{
    CHANNEL_FILE, EmitterFile, Found, Hook, Judge, LanguageSpec, LocalModules, MODULES, Plan,
    PlanRequest, PlanSource, Project, Proof, SELF, StreamForm, Toolchain, VARIABLE, Wasm,
};
pub use tree_sitter::Node;
