//! Why a run could not be made. A program that fails is not an error here: it is an outcome.

use std::io;
use std::path::PathBuf;

/// Why the sandbox could not run the program, or could not hand back what it left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The machine forbids something without which the program would not be isolated.
    #[error("cannot isolate the program: {what}")]
    Refused {
        /// The mechanism, and where in its set-up it was refused.
        what: String,
        /// What the user can do about it.
        hint: String,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// The trusted profile was asked for, and a wall of it cannot be had.
    #[error("the trusted profile needs every wall, and {wall} is missing: {reason}")]
    Untrusted {
        /// Which.
        wall: String,
        /// Why it is missing.
        reason: String,
    },
    /// The request contradicts itself or names something that is not there.
    #[error("{reason}")]
    Request {
        /// What is wrong with it.
        reason: String,
        /// What would be right.
        hint: String,
    },
    /// The program itself could not be executed.
    #[error("cannot execute {program}")]
    Exec {
        /// The program, as seen inside.
        program: PathBuf,
        /// The kernel's answer to `execve`.
        #[source]
        source: io::Error,
    },
    /// Its [`Cancel`](crate::Cancel) was used: what it did is not known.
    #[error("the run was cancelled")]
    Cancelled,
    /// The runner's own resources failed it: descriptors, memory, processes.
    #[error("the sandbox failed at {what}")]
    Runner {
        /// What was being done.
        what: String,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
}

impl SandboxError {
    /// What the user can do, if anything is known to help.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. } | Self::Request { hint, .. } if !hint.is_empty() => {
                Some(hint)
            }
            _ => None,
        }
    }

    pub(crate) fn untrusted(wall: &str, reason: &str) -> Self {
        Self::Untrusted {
            wall: wall.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// Whether isolation was refused, as opposed to failing at something else.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Untrusted { .. })
    }

    pub(crate) fn runner(what: impl Into<String>, source: io::Error) -> Self {
        Self::Runner {
            what: what.into(),
            source,
        }
    }

    pub(crate) fn request(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Request {
            reason: reason.into(),
            hint: hint.into(),
        }
    }
}
