//! `tracer view`: a saved trace in any form; also the rendering that `run` uses.

use std::io::{self, IsTerminal, Write};

use tracer_model::Trace;
use tracer_view::{lines, pretty};

use crate::args::Format;

/// Columns where nothing tells.
const WIDTH: u16 = 80;

/// Writes a trace in a format.
pub(crate) fn render(
    trace: &Trace,
    format: Format,
    width: Option<u16>,
    color: bool,
    mut out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Pretty => {
            let width = width.unwrap_or_else(terminal_width).into();
            let options = pretty::Options { width, color, ..Default::default() };
            pretty::write(trace, &options, &mut out)
        }
        Format::Lines => lines::write(trace, &lines::Options::default(), &mut out),
    }
}

fn terminal_width() -> u16 {
    if !io::stdout().is_terminal() {
        return WIDTH;
    }
    terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0)
}
