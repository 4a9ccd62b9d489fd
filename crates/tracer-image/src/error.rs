//! What can go wrong with images.

use crate::declaration::BASE;
use std::path::{Path, PathBuf};

/// An error of building, importing or using an image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// No declaration of this name.
    #[error("there is no image declaration for {language}")]
    Unknown {
        /// What was asked for.
        language: String,
    },
    /// A declaration or lock file is not as it should be.
    #[error("{file} cannot be read: {problem}")]
    Declaration {
        /// Which file, below `sandbox-images`.
        file: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// No image of the language is in the store.
    #[error("no image of {language} is built")]
    NotBuilt {
        /// Language id.
        language: String,
    },
    /// The image has a part of tracer in it, of another version than this one.
    #[error("the image {language} was built by another version of tracer")]
    Outdated {
        /// Its name.
        language: String,
    },
    /// The system is configured with no Debian mirror.
    #[error("no Debian mirror is configured on this system")]
    NoMirror,
    /// A program that building needs is missing.
    #[error("{program} is not installed")]
    NoTool {
        /// Which program.
        program: &'static str,
        /// What the user does about it.
        hint: String,
    },
    /// A program that building uses failed.
    #[error("{what} failed{}", ended(.status))]
    Tool {
        /// What was being done, e.g. `unpacking the packages of ruby`.
        what: String,
        /// How it ended, if it started.
        status: String,
        /// The end of what it printed.
        said: String,
    },
    /// The mirror no longer has a locked version.
    #[error("{} locked package{} {} no longer served", .missing.len(),
        if .missing.len() == 1 { "" } else { "s" }, if .missing.len() == 1 { "is" } else { "are" })]
    LockDrift {
        /// `name version`.
        missing: Vec<String>,
    },
    /// What was downloaded or stored is not what it should be.
    #[error("{what} is damaged: expected {expected}, found {found}")]
    Damaged {
        /// Which file.
        what: String,
        /// Digest it should have.
        expected: String,
        /// Digest it has.
        found: String,
    },
    /// An archive cannot be imported.
    #[error("{path} cannot be imported: {problem}")]
    Archive {
        /// Which archive.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The disk is full, or would be.
    #[error("no space left in {folder}: {free} free")]
    Full {
        /// Where.
        folder: PathBuf,
        /// How much is free, e.g. `12 MiB`.
        free: String,
    },
    /// The user interrupted it.
    #[error("interrupted; nothing half-made is left")]
    Cancelled,
    /// A file operation failed.
    #[error("cannot {what}")]
    System {
        /// What was being done, with the path.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The sandbox refused.
    #[error("the sandbox cannot be set up")]
    Sandbox(#[from] tracer_sandbox::SandboxError),
}

fn ended(status: &str) -> String {
    if status.is_empty() {
        String::new()
    } else {
        format!(" ({status})")
    }
}

impl ImageError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => Some("`tracer doctor` lists the languages".into()),
            Self::NotBuilt { language } if language == BASE => Some(format!(
                "`tracer image build {BASE}`; an export of your own brings one, import it with \
                 --trust"
            )),
            Self::NotBuilt { language } | Self::Outdated { language } => {
                Some(format!("`tracer image build {language}`"))
            }
            Self::NoMirror => Some("name one: `tracer image build --mirror URL`".into()),
            Self::NoTool { hint, .. } => Some(hint.clone()),
            Self::Tool { said, .. } if !said.is_empty() => Some(said.clone()),
            Self::LockDrift { missing } => Some(format!(
                "build without --locked to take the current versions, or name a mirror that keeps \
                 old ones with --mirror: {}",
                missing.join(", ")
            )),
            Self::Damaged { .. } => Some(
                "build it again with `tracer image build --rebuild`, or fetch the archive again"
                    .into(),
            ),
            Self::Full { .. } => Some(
                "`tracer image prune` frees what no image needs; XDG_CACHE_HOME moves it".into(),
            ),
            _ => None,
        }
    }

    /// What was tried with the file or folder at `path` and failed, as [`ImageError::writing`] tells it.
    pub fn of_file(what: &str, path: &Path, source: std::io::Error) -> Self {
        let folder = path.parent().unwrap_or(path);
        Self::writing(format!("{what} {}", path.display()), folder, source)
    }

    /// A failed write below `folder`; a full disk is told apart.
    pub fn writing(what: impl Into<String>, folder: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        if !matches!(source.kind(), StorageFull | QuotaExceeded) {
            return Self::system(what, source);
        }
        let free = nix::sys::statvfs::statvfs(folder).map_or_else(
            |_| "an unknown amount".into(),
            |disk| {
                format!(
                    "{} MiB",
                    (disk.blocks_available() * disk.fragment_size()) >> 20
                )
            },
        );
        Self::Full {
            folder: folder.to_owned(),
            free,
        }
    }

    /// A failed file operation that writes nothing.
    pub fn system(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::System {
            what: what.into(),
            source,
        }
    }
}
