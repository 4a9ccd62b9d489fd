//! What can go wrong that is not the traced program's doing. Words for most of it are the engine's.

use tracer_engine::EngineError;

/// An error of tracer's own, or a refusal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No language of this name is compiled in.
    #[error("no language is called {name}; compiled in are {known}")]
    NoSuchLanguage {
        /// What was asked for.
        name: String,
        /// The languages there are.
        known: String,
    },
    /// A source without a file name belongs to no language until one is named.
    #[error("a source given as text needs a language: Builder::language names it")]
    NoLanguage,
    /// The language is interpreted by the `tracer` command, which this process is not.
    #[error("{language} runs in the tracer command alone: use `tracer run`")]
    NeedsCommand {
        /// Language for people.
        language: &'static str,
    },
    /// The engine's: no toolchain, a refused file, no sandbox.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
