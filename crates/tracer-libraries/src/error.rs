//! What can go wrong, for people.

/// Why something about libraries could not be done.
#[derive(Debug, thiserror::Error)]
pub enum LibrariesError {
    /// The language's own data is wrong.
    #[error("the import query of {language} does not compile: {message}")]
    Query {
        /// Language id.
        language: &'static str,
        /// What the parser says.
        message: String,
    },
    /// The parser gave up.
    #[error("the file could not be parsed as {language}")]
    Unparsed {
        /// Language id.
        language: &'static str,
    },
    /// The script that tries libraries came to no end.
    #[error("the libraries of {layer} could not be tried: {said}")]
    Untried {
        /// The layer.
        layer: String,
        /// How it ended.
        said: String,
    },
    /// An image or a layer is missing or broken.
    #[error(transparent)]
    Image(#[from] tracer_image::ImageError),
    /// The sandbox would not run.
    #[error(transparent)]
    Sandbox(#[from] tracer_sandbox::SandboxError),
}
