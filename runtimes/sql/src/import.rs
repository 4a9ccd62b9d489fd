//! `.import`: rows of a local file into a table, with the separators of the output mode.
//!
//! It inserts as the shell does, with one prepared statement in a transaction of its own.

use crate::engine::{Step, c_text};
use crate::modes::Mode;
use crate::shell::{Flow, Shell};

/// What the words of an `.import` ask for.
#[derive(Debug, Default)]
struct Wanted<'w> {
    file: &'w str,
    table: &'w str,
    csv: bool,
    skip: usize,
}

/// The table that a line imports into, in lower case.
pub(crate) fn target(words: &[String]) -> Option<String> {
    wanted(words).map(|wanted| wanted.table.to_ascii_lowercase())
}

fn wanted(words: &[String]) -> Option<Wanted<'_>> {
    let mut wanted = Wanted::default();
    let mut names = Vec::new();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.trim_start_matches('-') {
            "csv" if word.starts_with('-') => wanted.csv = true,
            "skip" if word.starts_with('-') => wanted.skip = words.next()?.parse().ok()?,
            "v" if word.starts_with('-') => {}
            _ if word.starts_with('-') => return None,
            name => names.push(name),
        }
    }
    let [file, table] = names[..] else {
        return None;
    };
    (wanted.file, wanted.table) = (file, table);
    Some(wanted)
}

/// The fields of a file, row by row.
struct Fields<'t> {
    text: &'t [u8],
    at: usize,
    column: u8,
    row: u8,
    quotes: bool,
}

impl Fields<'_> {
    /// The next field, and whether the row goes on behind it; `None` at the end of the file.
    fn next(&mut self) -> Option<(Vec<u8>, bool)> {
        let first = *self.text.get(self.at)?;
        let mut field = Vec::new();
        if first == b'"' && self.quotes {
            self.at += 1;
            while let Some(&byte) = self.text.get(self.at) {
                self.at += 1;
                if byte == b'"' {
                    if self.text.get(self.at) != Some(&b'"') {
                        break;
                    }
                    self.at += 1;
                }
                field.push(byte);
            }
            // What stands between the quote and the separator belongs to the field.
            while let Some(&byte) = self.text.get(self.at) {
                if byte == self.column || byte == self.row {
                    break;
                }
                self.at += 1;
                if byte != b'\r' {
                    field.push(byte);
                }
            }
        } else {
            while let Some(&byte) = self.text.get(self.at) {
                if byte == self.column || byte == self.row {
                    break;
                }
                field.push(byte);
                self.at += 1;
            }
            let ends = self.text.get(self.at) == Some(&self.row) && self.row == b'\n';
            if ends && field.last() == Some(&b'\r') {
                field.pop();
            }
        }
        let more = self.text.get(self.at) == Some(&self.column);
        self.at += 1;
        Some((field, more))
    }

    fn row(&mut self) -> Option<Vec<Vec<u8>>> {
        let mut fields = Vec::new();
        loop {
            let Some((field, more)) = self.next() else {
                // A separator at the very end begins an empty field.
                return (!fields.is_empty()).then(|| {
                    fields.push(Vec::new());
                    fields
                });
            };
            fields.push(field);
            if !more {
                return Some(fields);
            }
        }
    }
}

impl Shell {
    /// Runs the command.
    pub(crate) fn import(&mut self, words: &[String]) -> Flow {
        let Some(wanted) = wanted(words) else {
            self.complain("Usage: .import FILE TABLE");
            return Flow::Failed;
        };
        let Ok(text) = std::fs::read(wanted.file) else {
            self.complain(&format!("Error: cannot open \"{}\"", wanted.file));
            return Flow::Failed;
        };
        let csv = wanted.csv || self.style.mode == Mode::Csv;
        let single = |separator: &[u8]| match separator {
            b"\r\n" => Some(b'\n'),
            [byte] => Some(*byte),
            _ => None,
        };
        let separators = if csv {
            (Some(b','), Some(b'\n'))
        } else {
            (
                single(&self.style.column_separator),
                single(&self.style.row_separator),
            )
        };
        let (Some(column), Some(row)) = separators else {
            self.complain("Error: multi-character or multi-byte separators not allowed for import");
            return Flow::Failed;
        };
        let mut fields = Fields {
            text: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text),
            at: 0,
            column,
            row,
            quotes: self.style.name != "ascii" || csv,
        };
        for _ in 0..wanted.skip {
            fields.row();
        }
        let name = format!("\"{}\"", wanted.table.replace('"', "\"\""));
        let mut line = 1 + wanted.skip;
        if self.width_of(&name).is_none() {
            let Some(header) = fields.row() else {
                self.complain(&format!("{}: empty file", wanted.file));
                return Flow::Failed;
            };
            line += 1;
            let columns: Vec<String> = header
                .iter()
                .map(|name| {
                    let name = String::from_utf8_lossy(name).replace('"', "\"\"");
                    format!("\"{name}\" TEXT")
                })
                .collect();
            if !self.quietly(&format!("CREATE TABLE {name}(\n{})", columns.join(",\n"))) {
                return Flow::Failed;
            }
        }
        self.trace(super::tracer::Tracer::created);
        let width = self.width_of(&name).unwrap_or(0);
        let marks = vec!["?"; width].join(",");
        let sql = c_text(format!("INSERT INTO {name} VALUES({marks})").as_bytes());
        let mut insert = match self.connection.prepare(&sql, 0) {
            Ok((Some(statement), _)) => statement,
            Ok(_) => return Flow::Failed,
            Err(failure) => {
                self.complain(&format!("Error: {}", failure.message));
                return Flow::Failed;
            }
        };
        let own = self.connection.autocommit();
        if own {
            self.quietly("BEGIN");
        }
        while let Some(row) = fields.row() {
            if row.len() != width {
                let what = if row.len() < width {
                    "filling the rest with NULL"
                } else {
                    "extras ignored"
                };
                self.complain(&format!(
                    "{}:{line}: expected {width} columns but found {} - {what}",
                    wanted.file,
                    row.len()
                ));
            }
            for column in 0..width {
                insert.bind(column, row.get(column).map(Vec::as_slice));
            }
            if insert.step() == Step::Failed {
                let message = self.connection.failure().message;
                self.complain(&format!("{}:{line}: INSERT failed: {message}", wanted.file));
            }
            insert.reset();
            line += 1;
        }
        drop(insert);
        if own {
            self.quietly("COMMIT");
        }
        Flow::Done
    }

    /// Columns of a table; `None` if there is none of that name.
    fn width_of(&self, name: &str) -> Option<usize> {
        let sql = c_text(format!("SELECT * FROM {name}").as_bytes());
        let (statement, _) = self.connection.prepare(&sql, 0).ok()?;
        statement.map(|statement| statement.columns())
    }

    /// Runs a statement of the shell's own. False if it failed, which was told of.
    fn quietly(&mut self, sql: &str) -> bool {
        let sql = c_text(sql.as_bytes());
        let failed = match self.connection.prepare(&sql, 0) {
            Ok((Some(mut statement), _)) => statement.step() == Step::Failed,
            Ok(_) => false,
            Err(_) => true,
        };
        if failed {
            let message = self.connection.failure().message;
            self.complain(&format!("Error: {message}"));
        }
        !failed
    }
}
