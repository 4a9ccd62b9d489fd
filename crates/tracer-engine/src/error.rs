//! What can go wrong that is not the subject's doing.

use std::path::PathBuf;

/// An error of tracer's own, or a refusal. A failing subject is an outcome, not an error.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No language fits the file.
    #[error("cannot tell the language of {path}")]
    UnknownLanguage {
        /// Which file.
        path: PathBuf,
    },
    /// A language of this name is not in the table.
    #[error("no language is called {name}")]
    NoSuchLanguage {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be instrumented.
    #[error("{path} is refused")]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: tracer_instrument::InstrumentError,
    },
    /// The language's toolchain is not here.
    #[error("no {language} toolchain was found (looked for {programs} on PATH)")]
    NoToolchain {
        /// Language id.
        id: &'static str,
        /// Language for people.
        language: &'static str,
        /// What was looked for.
        programs: String,
        /// What to install.
        hint: &'static str,
    },
    /// The toolchain is here but does not answer.
    #[error("{program} did not say what it is")]
    StrangeToolchain {
        /// Which program.
        program: PathBuf,
        /// What it printed instead, bounded.
        said: String,
    },
    /// An image has no such toolchain.
    #[error("the image has no {language} toolchain (looked for {programs} in it)")]
    NotInImage {
        /// Language for people.
        language: &'static str,
        /// What was looked for.
        programs: String,
    },
    /// The emitter does not compile with the image's toolchain.
    #[error("the {language} emitter does not compile in the image")]
    EmitterBuild {
        /// Language for people.
        language: &'static str,
        /// What the compiler said.
        said: String,
    },
    /// The language does not run as WebAssembly.
    #[error("{language} runs natively only: {reason}")]
    NativeOnly {
        /// Language for people.
        language: &'static str,
        /// Why.
        reason: String,
    },
    /// This program was compiled without the virtual machine, and the separate one is not here.
    #[error("nothing here runs WebAssembly")]
    NoWasm,
    /// A module of an image cannot be compiled.
    #[error("{module} cannot be compiled")]
    ModuleBuild {
        /// Which, inside its image.
        module: PathBuf,
        /// What the worker said.
        said: String,
    },
    /// Something is wrong with an image.
    #[error(transparent)]
    Image(#[from] tracer_image::ImageError),
    /// An image is a root file system, which needs a namespace.
    #[error("an image cannot be used without isolation")]
    ImageNeedsWalls,
    /// The sandbox cannot be set up.
    #[error("the sandbox cannot be set up")]
    Sandbox(#[from] tracer_sandbox::SandboxError),
    /// A temporary folder or the trace channel could not be made.
    #[error("cannot {what}")]
    System {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl EngineError {
    /// The exit status of `tracer run` for this error.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Sandbox(_) => 126,
            Self::NoToolchain { .. }
            | Self::StrangeToolchain { .. }
            | Self::NotInImage { .. }
            | Self::NativeOnly { .. }
            | Self::NoWasm
            | Self::ModuleBuild { .. }
            | Self::Image(_) => 127,
            Self::ImageNeedsWalls
            | Self::EmitterBuild { .. }
            | Self::Read { .. }
            | Self::UnknownLanguage { .. }
            | Self::NoSuchLanguage { .. }
            | Self::Refused { .. }
            | Self::System { .. } => 125,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownLanguage { .. } => {
                Some("name it with --language; `tracer languages` lists them".into())
            }
            Self::NoSuchLanguage { .. } => Some("`tracer languages` lists them".into()),
            Self::NoToolchain { id, hint, .. } => {
                Some(format!("install {hint}, or run `tracer image build {id}`"))
            }
            Self::Image(error) => error.hint(),
            Self::EmitterBuild { said, .. } | Self::ModuleBuild { said, .. } => Some(said.clone()),
            Self::NativeOnly { .. } => Some("leave out `--isolation wasm`".into()),
            Self::NoWasm => Some(
                "put the program `tracer-wasm` on PATH, or build tracer with its feature `wasm`"
                    .into(),
            ),
            Self::ImageNeedsWalls => {
                Some("leave out `--toolchain image`, or `--isolation none`".into())
            }
            Self::Sandbox(tracer_sandbox::SandboxError::Cancelled) => None,
            Self::Sandbox(_) => Some(
                "`tracer doctor` says which mechanism is missing; `--isolation none` runs the \
                 program without protection"
                    .into(),
            ),
            _ => None,
        }
    }
}
