//! The compact form for training: one line a step, source and changed values.
//!
//! `LINE| source # name = value; …` for statements, `> f(x = 1)` and `< returns 2` for calls,
//! `! Error` for errors, `= text` for output. Nothing is folded unless that is asked for: eliding is
//! the budget's matter.

use std::io::{self, Write};

use tracer_model::Trace;

use crate::fold::folds;
use crate::rows::{Row, RowKind, rows};
use crate::text::{ending, visible};

/// What to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Characters of one value.
    pub value_limit: usize,
    /// Rounds of a loop and calls of a function shown before the rest is folded; 0 folds nothing.
    pub rounds: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            value_limit: 160,
            rounds: 0,
        }
    }
}

/// The view as a text.
pub fn render(trace: &Trace, options: &Options) -> String {
    crate::text::collect(|out| write(trace, options, out))
}

/// Writes the view.
pub fn write(trace: &Trace, options: &Options, out: &mut impl Write) -> io::Result<()> {
    let mut result = Ok(());
    let several = trace.table.files.len() > 1;
    let folds = match options.rounds {
        0 => Vec::new(),
        rounds => folds(&trace.table, &trace.events, rounds),
    };
    rows(trace, &folds, options.value_limit, |row| {
        if result.is_ok() {
            result = write_row(trace, several, &row, out);
        }
    });
    result?;
    writeln!(out, "{}", ending(&trace.outcome))
}

fn write_row(trace: &Trace, several: bool, row: &Row, out: &mut impl Write) -> io::Result<()> {
    if row.task != 0 {
        write!(out, "[{}] ", row.task)?;
    }
    let place = match trace.table.files.get(row.file as usize) {
        Some(file) if several && row.file != 0 => format!("{}:{}", file.path, row.line),
        _ => row.line.to_string(),
    };
    let notes = row.notes.join("; ");
    match row.kind {
        RowKind::Line if notes.is_empty() => writeln!(out, "{place}| {}", row.text.trim()),
        RowKind::Line => writeln!(out, "{place}| {} # {notes}", row.text.trim()),
        RowKind::Enter | RowKind::Whole => writeln!(out, "> {}", row.text),
        RowKind::Leave => writeln!(out, "< {}", row.text),
        RowKind::Error => writeln!(out, "{place}! {}", visible(&row.text)),
        RowKind::Output | RowKind::ErrorOutput => {
            let mark = if row.kind == RowKind::Output {
                '='
            } else {
                '%'
            };
            for line in row.text.split_inclusive('\n') {
                writeln!(out, "{mark} {}", visible(line.trim_end_matches('\n')))?;
            }
            if notes.is_empty() {
                Ok(())
            } else {
                writeln!(out, "{mark} {notes}")
            }
        }
        RowKind::Task => writeln!(out, "~ {}", row.text),
        RowKind::Elided | RowKind::Folded if notes.is_empty() => writeln!(out, ". {}", row.text),
        RowKind::Elided | RowKind::Folded => writeln!(out, ". {} # {notes}", row.text),
    }
}
