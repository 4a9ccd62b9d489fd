//! What can go wrong that is not the traced program's doing. Words for most of it are the engine's.

use tracer_engine::EngineError;
use tracer_sandbox::SandboxError;

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
    /// The tracer's [`Cancel`](crate::Cancel) was used.
    #[error("the run was cancelled")]
    Cancelled,
    /// The engine's: no toolchain, a refused file, no sandbox.
    #[error(transparent)]
    Engine(EngineError),
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Sandbox(SandboxError::Cancelled) => Self::Cancelled,
            other => Self::Engine(other),
        }
    }
}

impl Error {
    /// What the user can do, if anything is known to help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            _ => None,
        }
    }
}
