//! What a person meets first: the source lines that ran, what changed on them, calls indented,
//! loops folded, the program's output where it was written.

use std::io::{self, Write};

use tracer_model::Trace;

use crate::fold::folds;
use crate::rows::{Row, RowKind, rows};
use crate::text::{cut, ending, limit_words, visible};

/// How to show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// Whether to use ANSI colours.
    pub color: bool,
    /// Rounds of a loop and calls of a function shown before the rest is folded; 0 folds nothing.
    pub rounds: u64,
    /// Lines shown of one piece of output.
    pub output_lines: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            rounds: 3,
            output_lines: 20,
        }
    }
}

/// Breaks a call at its spaces. What is still too long is cut.
fn wrapped(text: &str, first: usize, room: usize, lead: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(", ") {
        let limit = if lines.len() == 1 { first } else { room };
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + word.trim_end().chars().count() > limit {
            lines.push(word.to_owned());
        } else {
            line.push_str(word);
        }
    }
    let limits = std::iter::once(first).chain(std::iter::repeat(room));
    let lines = lines
        .iter()
        .zip(limits)
        .map(|(line, limit)| cut(line.trim_end(), limit));
    lines.collect::<Vec<_>>().join(&format!("\n{lead}"))
}

/// Call levels drawn; deeper ones are counted.
const MAX_BARS: u32 = 8;

/// The view as a text.
pub fn render(trace: &Trace, options: &Options) -> String {
    crate::text::collect(|out| write(trace, options, out))
}

/// Writes the view.
pub fn write(trace: &Trace, options: &Options, out: &mut impl Write) -> io::Result<()> {
    let folds = match options.rounds {
        0 => Vec::new(),
        rounds => folds(&trace.table, &trace.events, rounds),
    };
    let highest = trace
        .events
        .iter()
        .map(|event| event.line)
        .max()
        .unwrap_or(0);
    let shallowest = trace
        .events
        .iter()
        .filter(|event| event.site != 0)
        .map(|event| event.depth)
        .min()
        .unwrap_or(0);
    let mut page = Page {
        trace,
        options,
        gutter: highest.to_string().len().max(3),
        // C's `main` is a call, too, but nothing stands outside it.
        shallowest: shallowest.min(1),
        file: 0,
        task: 0,
        out,
    };
    let mut result = Ok(());
    rows(trace, &folds, options.width.max(60) - 30, |row| {
        if result.is_ok() {
            result = page.row(&row);
        }
    });
    result?;
    page.end()
}

struct Page<'t, W> {
    trace: &'t Trace,
    options: &'t Options,
    gutter: usize,
    shallowest: u32,
    file: u32,
    task: u32,
    out: W,
}

#[derive(Debug, Clone, Copy)]
enum Ink {
    Plain,
    Dim,
    Value,
    Call,
    Error,
    Output,
}

impl<W: Write> Page<'_, W> {
    fn paint(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            _ if !self.options.color || text.is_empty() => return text.to_owned(),
            Ink::Plain => return text.to_owned(),
            Ink::Dim => "2",
            Ink::Value => "36",
            Ink::Call => "1",
            Ink::Error => "31",
            Ink::Output => "32",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.heading(row)?;
        match row.kind {
            RowKind::Line => self.line(row, "", Ink::Plain),
            RowKind::Enter => self.line(row, "┌ ", Ink::Call),
            RowKind::Whole => self.line(row, "╶ ", Ink::Call),
            RowKind::Leave => self.line(
                &Row {
                    line: 0,
                    ..row.clone()
                },
                "└ ",
                Ink::Dim,
            ),
            RowKind::Error => self.line(row, "! ", Ink::Error),
            RowKind::Task => self.line(row, "~ ", Ink::Dim),
            RowKind::Elided | RowKind::Folded => self.line(
                &Row {
                    line: 0,
                    ..row.clone()
                },
                "⋮ ",
                Ink::Dim,
            ),
            RowKind::Output | RowKind::ErrorOutput => self.output(row),
        }
    }

    /// Says when the file or the task changes.
    fn heading(&mut self, row: &Row) -> io::Result<()> {
        if row.line != 0 && row.file != self.file {
            self.file = row.file;
            let path = self
                .trace
                .table
                .files
                .get(row.file as usize)
                .map_or("", |file| &file.path);
            let text = format!("{:>1$} {path}", "──", self.gutter);
            writeln!(self.out, "{}", self.paint(Ink::Dim, &text))?;
        }
        if row.task != self.task {
            self.task = row.task;
            if row.kind != RowKind::Task {
                let task = match row.task {
                    0 => "main".to_owned(),
                    task => format!("task {task}"),
                };
                let text = format!("{:>1$} {task}", "──", self.gutter);
                writeln!(self.out, "{}", self.paint(Ink::Dim, &text))?;
            }
        }
        Ok(())
    }

    /// The bars of the calls a row stands in.
    fn bars(&self, row: &Row) -> String {
        let mut level = row.depth.saturating_sub(self.shallowest);
        if matches!(row.kind, RowKind::Enter | RowKind::Leave | RowKind::Whole) {
            level = level.saturating_sub(1);
        }
        if level <= MAX_BARS {
            return "│ ".repeat(level as usize);
        }
        let count = format!("{level} deep ");
        let room = 2 * MAX_BARS as usize;
        format!(
            "{count}{}",
            "│ ".repeat(room.saturating_sub(count.len()) / 2)
        )
    }

    fn line(&mut self, row: &Row, mark: &str, ink: Ink) -> io::Result<()> {
        let number = if row.line == 0 {
            String::new()
        } else {
            row.line.to_string()
        };
        let bars = self.bars(row);
        let start = self.gutter + 2;
        let used = start + bars.chars().count() + mark.chars().count();
        let width = self.options.width.max(used + 20);
        let mut text = visible(&row.text);
        if matches!(row.kind, RowKind::Enter | RowKind::Whole) {
            let bar = if row.kind == RowKind::Enter {
                "│"
            } else {
                " "
            };
            let bars = format!("{:start$}{bars}{bar}     ", "");
            text = wrapped(&text, width - used, width - bars.chars().count(), &bars);
        } else {
            text = cut(&text, width - used);
        }
        let end = used + text.chars().count();
        write!(
            self.out,
            "{}  {}{}",
            self.paint(Ink::Dim, &format!("{number:>0$}", self.gutter)),
            self.paint(Ink::Dim, &format!("{bars}{mark}")),
            self.paint(ink, &text),
        )?;
        if row.notes.is_empty() {
            return writeln!(self.out);
        }
        let column = (width * 11 / 20).max(start + 8);
        let notes: Vec<String> = row.notes.iter().map(|note| visible(note)).collect();
        let total: usize = notes.iter().map(|note| note.chars().count() + 2).sum();
        let longest = notes
            .iter()
            .map(|note| note.chars().count())
            .max()
            .unwrap_or(0);
        // Behind the source in a column of their own, if they fit there; close behind it, if they
        // fit on the line; else below it.
        let (mut at, below) = if end + 2 <= column && column + longest <= width {
            write!(self.out, "{:1$}", "", column - end)?;
            (column, column)
        } else if end + total <= width {
            write!(self.out, "  ")?;
            (end + 2, column)
        } else {
            let below = if column + longest <= width {
                column
            } else {
                used + 4
            };
            write!(self.out, "\n{:below$}", "")?;
            (below, below)
        };
        for (index, note) in notes.iter().enumerate() {
            let size = note.chars().count();
            if index > 0 && at + 2 + size > width {
                write!(self.out, "\n{:below$}", "")?;
                at = below;
            } else if index > 0 {
                write!(self.out, "  ")?;
                at += 2;
            }
            let note = cut(note, width - at);
            at += size.min(width - at);
            write!(self.out, "{}", self.paint(Ink::Value, &note))?;
        }
        writeln!(self.out)
    }

    fn output(&mut self, row: &Row) -> io::Result<()> {
        let mark = if row.kind == RowKind::Output {
            "»"
        } else {
            "»!"
        };
        let lead = format!("{:1$}{mark} ", "", self.gutter + 2);
        let all = row.text.split_inclusive('\n').count();
        for line in row
            .text
            .split_inclusive('\n')
            .take(self.options.output_lines)
        {
            let line = visible(line.trim_end_matches('\n'));
            writeln!(
                self.out,
                "{}{}",
                self.paint(Ink::Dim, &lead),
                self.paint(Ink::Output, &line)
            )?;
        }
        let mut rest = row.notes.clone();
        if all > self.options.output_lines {
            rest.insert(
                0,
                format!("… {} more lines", all - self.options.output_lines),
            );
        }
        for note in rest {
            writeln!(
                self.out,
                "{}",
                self.paint(Ink::Dim, &format!("{lead}{note}"))
            )?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let mut text = ending(&self.trace.outcome);
        for limit in &self.trace.outcome.limits_hit {
            text.extend(["; ", limit_words(*limit), " limit hit"]);
        }
        self.closing("── ", &text, Ink::Plain)?;
        let coverage = &self.trace.coverage;
        if let Some(first) = coverage.dropped.first() {
            let text = match coverage.dropped.len() {
                1 => format!(
                    "1 place does not report (line {}: {})",
                    first.line, first.reason
                ),
                count => format!(
                    "{count} places do not report (the first: line {}, {})",
                    first.line, first.reason
                ),
            };
            self.closing("", &text, Ink::Dim)?;
        }
        if !coverage.trace_invalid.is_empty() {
            let text =
                "the trace is invalid: the program broke its stream; what came before is kept";
            self.closing("", text, Ink::Plain)?;
        }
        for note in &coverage.notes {
            self.closing("", note, Ink::Dim)?;
        }
        Ok(())
    }

    /// Writes a text in lines that fit.
    fn closing(&mut self, mark: &str, text: &str, ink: Ink) -> io::Result<()> {
        let indent = self.gutter + 1;
        let room = self.options.width.saturating_sub(indent).max(20);
        let mut line = String::new();
        let mut lead = mark;
        for word in visible(text).split(' ') {
            let used = line.chars().count();
            if used > 0 && used + 1 + word.chars().count() > room {
                writeln!(self.out, "{lead:>indent$}{}", self.paint(ink, &line))?;
                line.clear();
                lead = "";
            } else if used > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(self.out, "{lead:>indent$}{}", self.paint(ink, &line))
    }
}
