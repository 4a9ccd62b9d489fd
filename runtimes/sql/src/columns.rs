//! Output that lines columns up: `column`, `table`, `box`, `markdown`, and the two of `EXPLAIN`.
//!
//! Knows cells, not values.

use crate::modes::Style;

/// What stands around the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Nothing; dashes under the names.
    Bare,
    /// `+`, `-` and `|`.
    Table,
    /// `|` and `-`.
    Markdown,
    /// Line-drawing characters.
    Box,
}

/// Columns of byte code, as wide as the shell has them.
const EXPLAIN_WIDTHS: [usize; 8] = [4, 13, 4, 4, 4, 13, 2, 13];

/// Prints a whole result.
pub(crate) fn print(
    out: &mut Vec<u8>,
    style: &Style,
    frame: Frame,
    names: &[String],
    rows: &[Vec<Option<Vec<u8>>>],
) {
    let limit = |column: usize| {
        let width = style.widths.get(column).copied().unwrap_or(0);
        usize::try_from(width.unsigned_abs()).unwrap_or(0)
    };
    let wrap = |text: &[u8], column: usize| wrapped(text, limit(column));
    let header: Vec<Vec<String>> = names
        .iter()
        .enumerate()
        .map(|(column, name)| wrap(name.as_bytes(), column))
        .collect();
    let cells: Vec<Vec<Vec<String>>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .enumerate()
                .map(|(column, cell)| wrap(cell.as_deref().unwrap_or(&style.null), column))
                .collect()
        })
        .collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|column| {
            let of = |row: &Vec<Vec<String>>| {
                row[column]
                    .iter()
                    .map(|line| width(line))
                    .max()
                    .unwrap_or(0)
            };
            let widest = cells.iter().map(of).max().unwrap_or(0);
            widest.max(of(&header)).max(limit(column))
        })
        .collect();
    let printer = Printer {
        out,
        style,
        frame,
        widths,
    };
    printer.whole(&header, &cells);
}

struct Printer<'o, 's> {
    out: &'o mut Vec<u8>,
    style: &'s Style,
    frame: Frame,
    widths: Vec<usize>,
}

impl Printer<'_, '_> {
    fn whole(mut self, header: &[Vec<String>], rows: &[Vec<Vec<String>>]) {
        match self.frame {
            Frame::Bare => {
                if self.style.headers {
                    self.lines(header, false);
                    self.rule(["", "  ", ""], "-", 0);
                }
            }
            Frame::Table => {
                self.rule(["+", "+", "+"], "-", 2);
                self.lines(header, true);
                self.rule(["+", "+", "+"], "-", 2);
            }
            Frame::Markdown => {
                self.lines(header, true);
                self.rule(["|", "|", "|"], "-", 2);
            }
            Frame::Box => {
                self.rule(["┌", "┬", "┐"], "─", 2);
                self.lines(header, true);
                self.rule(["├", "┼", "┤"], "─", 2);
            }
        }
        let apart = rows.iter().flatten().any(|cell| cell.len() > 1);
        for (index, row) in rows.iter().enumerate() {
            self.lines(row, false);
            if apart && index + 1 < rows.len() {
                match self.frame {
                    Frame::Bare => self.out.push(b'\n'),
                    Frame::Table => self.rule(["+", "+", "+"], "-", 2),
                    Frame::Markdown => {}
                    Frame::Box => self.rule(["├", "┼", "┤"], "─", 2),
                }
            }
        }
        match self.frame {
            Frame::Table => self.rule(["+", "+", "+"], "-", 2),
            Frame::Box => self.rule(["└", "┴", "┘"], "─", 2),
            Frame::Bare | Frame::Markdown => {}
        }
    }

    fn rule(&mut self, ends: [&str; 3], dash: &str, more: usize) {
        for (column, width) in self.widths.clone().into_iter().enumerate() {
            self.put(if column == 0 { ends[0] } else { ends[1] });
            self.put(&dash.repeat(width + more));
        }
        self.put(ends[2]);
        self.out.push(b'\n');
    }

    fn lines(&mut self, row: &[Vec<String>], centred: bool) {
        let (left, between, right) = match self.frame {
            Frame::Bare => ("", "  ", ""),
            Frame::Box => ("│ ", " │ ", " │"),
            Frame::Table | Frame::Markdown => ("| ", " | ", " |"),
        };
        let height = row.iter().map(Vec::len).max().unwrap_or(1);
        for index in 0..height {
            for (column, cell) in row.iter().enumerate() {
                self.put(if column == 0 { left } else { between });
                let text = cell.get(index).map_or("", String::as_str);
                let free = self.widths[column].saturating_sub(width(text));
                let right_bound = self
                    .style
                    .widths
                    .get(column)
                    .is_some_and(|width| *width < 0);
                let before = match (centred, right_bound) {
                    (true, _) => free / 2,
                    (false, true) => free,
                    (false, false) => 0,
                };
                self.put(&" ".repeat(before));
                self.put(text);
                self.put(&" ".repeat(free - before));
            }
            self.put(right);
            self.out.push(b'\n');
        }
    }

    fn put(&mut self, text: &str) {
        self.out.extend(text.bytes());
    }
}

/// Characters of a line.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// A cell as lines of at most so many characters; 0 is no bound.
fn wrapped(text: &[u8], limit: usize) -> Vec<String> {
    let limit = if limit == 0 { usize::MAX } else { limit };
    let text = String::from_utf8_lossy(text);
    let mut lines = vec![String::new()];
    let mut used = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' => {
                if characters.peek().is_some() {
                    lines.push(String::new());
                    used = 0;
                }
                continue;
            }
            '\r' if characters.peek() == Some(&'\n') => continue,
            _ => {}
        }
        let size = if character == '\t' { 8 - used % 8 } else { 1 };
        if used + size > limit && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if character == '\t' {
                line.push_str(&" ".repeat(size));
            } else {
                line.push(character);
            }
        }
        used += size;
    }
    lines
}

/// The names above byte code.
pub(crate) fn explain_header(out: &mut Vec<u8>, names: &[String]) {
    let names: Vec<_> = names.iter().map(|name| Some(name.as_bytes())).collect();
    explain_row(out, &names);
    let dashes: Vec<String> = EXPLAIN_WIDTHS
        .iter()
        .map(|width| "-".repeat(*width))
        .collect();
    let dashes: Vec<_> = dashes
        .iter()
        .map(|dashes| Some(dashes.as_bytes()))
        .collect();
    explain_row(out, &dashes);
}

/// One instruction.
pub(crate) fn explain_row(out: &mut Vec<u8>, cells: &[Option<&[u8]>]) {
    for (column, cell) in cells.iter().enumerate() {
        let text = cell.unwrap_or_default();
        out.extend(text);
        let width = EXPLAIN_WIDTHS.get(column).copied().unwrap_or(10);
        out.extend(std::iter::repeat_n(b' ', width.saturating_sub(text.len())));
        out.extend(if column + 1 == cells.len() {
            &b"\n"[..]
        } else {
            b"  "
        });
    }
}

/// A query plan: number, number of what it is part of, text.
pub(crate) fn tree(out: &mut Vec<u8>, nodes: &[(i64, i64, Vec<u8>)]) {
    if nodes.is_empty() {
        return;
    }
    out.extend(b"QUERY PLAN\n");
    branch(out, nodes, 0, "");
}

fn branch(out: &mut Vec<u8>, nodes: &[(i64, i64, Vec<u8>)], parent: i64, before: &str) {
    // A plan is at most as deep as SQL nests; a table that names itself must not loop.
    if before.len() > 1000 {
        return;
    }
    let mut children = nodes.iter().filter(|node| node.1 == parent).peekable();
    while let Some((id, _, text)) = children.next() {
        let last = children.peek().is_none();
        out.extend(before.bytes());
        out.extend(if last { b"`--" } else { b"|--" });
        out.extend(text);
        out.push(b'\n');
        if *id != parent {
            branch(
                out,
                nodes,
                *id,
                &format!("{before}{}", if last { "   " } else { "|  " }),
            );
        }
    }
}
