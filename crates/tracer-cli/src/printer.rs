//! Where words go: data to stdout, talk to stderr, colour only where it is wanted.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use tracer_batch::BatchError;
use tracer_engine::EngineError;
use tracer_engine::images::ImageError;

use crate::args::Color;

/// The two streams and how to use them.
pub(crate) struct Printer {
    color: Color,
    quiet: bool,
}

impl Printer {
    pub(crate) fn new(color: Color, quiet: bool) -> Self {
        Self { color, quiet }
    }

    /// Whether data on stdout is coloured.
    pub(crate) fn color(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }

    /// Whether progress may be drawn.
    pub(crate) fn progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Writes data to stdout. A reader that went away is not an error.
    pub(crate) fn data(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // Nothing is left to flush to; dropping the buffer must not complain.
                let _ = out.into_parts();
                Ok(())
            }
            other => Ok(other?),
        }
    }

    /// Says something to the person, unless quiet was asked for.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// Says something that is said even when quiet.
    pub(crate) fn complain(&self, text: &str) {
        // Nobody is left to tell when stderr itself is closed.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Reports what kept tracer from doing its work, and picks the exit status.
    pub(crate) fn failure(&self, error: &anyhow::Error) -> ExitCode {
        let mut causes = error.chain();
        if let Some(first) = causes.next() {
            self.complain(&format!("tracer: {first}"));
        }
        for cause in causes {
            self.complain(&format!("  because: {cause}"));
        }
        let engine = error.downcast_ref::<EngineError>();
        let image = error.downcast_ref::<ImageError>();
        let batch = error.downcast_ref::<BatchError>();
        let hint = engine.and_then(EngineError::hint);
        let hint = hint.or_else(|| batch.and_then(BatchError::hint));
        if let Some(hint) = hint.or_else(|| image.and_then(ImageError::hint)) {
            self.complain(&format!("  hint: {hint}"));
        }
        ExitCode::from(engine.map_or(125, EngineError::exit_status))
    }
}
