//! JSON Lines: a header, one line an event, a footer. Written and read.
//!
//! The lines are the structs of [`crate::wire`].

use std::io::{self, BufRead, Write};

use tracer_model::{SCHEMA_VERSION, Trace};

use crate::wire::{self, Footer, Header, run};

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read at all.
    #[error("the trace cannot be read")]
    Io(#[from] io::Error),
    /// A line is not what this version writes.
    #[error("line {line} is not a trace's")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The version's first number is not ours.
    #[error("the trace has format {found}; this program reads {SCHEMA_VERSION} and older 1.x")]
    Version {
        /// The version it claims.
        found: String,
    },
    /// The last line is missing: the file was cut off.
    #[error("the trace is cut off: its last line is missing")]
    CutOff,
}

/// The version, before anything else is looked at: a newer major may look different throughout.
#[derive(serde::Deserialize)]
struct Version {
    schema_version: String,
}

/// The view as a text.
pub fn render(trace: &Trace) -> String {
    crate::text::collect(|out| write(trace, out))
}

/// Writes the view.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Header::from(trace))?;
    out.write_all(b"\n")?;
    for event in &trace.events {
        serde_json::to_writer(&mut *out, &wire::Event::from(event))?;
        out.write_all(b"\n")?;
    }
    serde_json::to_writer(&mut *out, &Footer::from(trace))?;
    out.write_all(b"\n")
}

/// Reads a trace of this or an older minor version.
pub fn read(input: impl BufRead) -> Result<Trace, ReadError> {
    let mut header: Option<Header> = None;
    let mut events = Vec::new();
    // The line read last may be the footer: only what follows tells.
    let mut pending: Option<(usize, String)> = None;
    for (index, line) in input.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        if header.is_none() {
            let Version { schema_version } = parse(index, &line)?;
            check_version(&schema_version)?;
            header = Some(parse(index, &line)?);
        } else if let Some((index, line)) = pending.replace((index, line)) {
            events.push(parse::<wire::Event>(index, &line)?.into());
        }
    }
    let (Some(header), Some((index, line))) = (header, pending) else {
        return Err(ReadError::CutOff);
    };
    let footer: Footer = match serde_json::from_str(&line) {
        Ok(footer) => footer,
        // A whole event, or half a line: either way the end is not there.
        Err(_) if !line.contains("\"outcome\"") => return Err(ReadError::CutOff),
        Err(source) => {
            return Err(ReadError::Line {
                line: index + 1,
                source,
            });
        }
    };
    Ok(run::assemble(header, events, footer))
}

pub(crate) fn check_version(found: &str) -> Result<(), ReadError> {
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(found) == major(SCHEMA_VERSION) {
        Ok(())
    } else {
        Err(ReadError::Version {
            found: found.to_owned(),
        })
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(index: usize, line: &'a str) -> Result<T, ReadError> {
    serde_json::from_str(line).map_err(|source| ReadError::Line {
        line: index + 1,
        source,
    })
}
