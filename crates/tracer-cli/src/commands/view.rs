//! `tracer view`: a saved trace in any form; also the rendering that `run` uses.

use std::fs;
use std::io::{self, IsTerminal, Write};

use anyhow::Context;

use tracer_engine::languages;
use tracer_model::Trace;
use tracer_view::{binary, calls, frames, html, inline, jsonl, lines, pretty, probes, qa};

use crate::args::{Format, ViewArgs};
use crate::printer::Printer;

/// Columns where nothing tells.
const WIDTH: u16 = 80;

pub(crate) fn run(args: &ViewArgs, printer: &Printer) -> anyhow::Result<u8> {
    let path = &args.trace;
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = if bytes.starts_with(b"{") {
        jsonl::read(bytes.as_slice()).map_err(anyhow::Error::from)
    } else {
        binary::read(&mut bytes.as_slice()).map_err(anyhow::Error::from)
    };
    let trace = read.with_context(|| format!("{} is not a trace", path.display()))?;
    printer.data(|out| render(&trace, args.format, args.width, printer.color(), out))?;
    Ok(0)
}

/// Writes a trace in a format.
pub(crate) fn render(
    trace: &Trace,
    format: Format,
    width: Option<u16>,
    color: bool,
    mut out: &mut dyn Write,
) -> io::Result<()> {
    let columns = || usize::from(width.unwrap_or_else(terminal_width));
    match format {
        Format::Pretty => {
            let width = columns();
            let options = pretty::Options {
                width,
                color,
                ..Default::default()
            };
            pretty::write(trace, &options, &mut out)
        }
        Format::Jsonl => jsonl::write(trace, &mut out),
        Format::Binary => binary::write(trace, &mut out).map_err(io::Error::other),
        Format::Frames => {
            let options = frames::Options {
                width: columns(),
                ..Default::default()
            };
            frames::write(trace, &options, &mut out)
        }
        Format::Inline => {
            let options = inline::Options {
                width: columns(),
                ..inline::Options::new(trace)
            };
            inline::write(trace, &options, &mut out)
        }
        Format::Html => html::write(trace, &mut out),
        Format::Probes => match languages::by_name(&trace.environment.language) {
            Some(spec) => probes::write(trace, &spec.phrase, &mut out),
            None => Err(io::Error::other(format!(
                "this build does not know {}",
                trace.environment.language
            ))),
        },
        Format::Qa => qa::write(trace, &mut out),
        Format::Calls => calls::write(trace, &mut out),
        Format::Lines => lines::write(trace, &lines::Options::default(), &mut out),
    }
}

fn terminal_width() -> u16 {
    if !io::stdout().is_terminal() {
        return WIDTH;
    }
    terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0)
}
