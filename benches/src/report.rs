//! Tables in Markdown, on stdout and in the page.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Name and text of each finished measurement.
    sections: Vec<(String, String)>,
    current: String,
    name: String,
    skipped: Vec<String>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Opens a measurement.
    pub(crate) fn begin(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        println!("\n## {name}");
    }

    /// Closes it.
    pub(crate) fn end(&mut self) {
        let text = std::mem::take(&mut self.current);
        self.sections.push((std::mem::take(&mut self.name), text));
    }

    /// A line of text.
    pub(crate) fn say(&mut self, text: &str) {
        println!("\n{text}");
        let _ = write!(self.current, "\n{text}\n");
    }

    /// A table: the first column is left aligned, the others right.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count());
            cells
                .chain([head[column].chars().count(), 3])
                .max()
                .unwrap_or(3)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &[&str]| {
            let cells = cells
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| {
                    if column == 0 {
                        format!("{cell:<width$}")
                    } else {
                        format!("{cell:>width$}")
                    }
                });
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let mut text = String::from("\n");
        text += &line(head);
        let rule = widths.iter().enumerate().map(|(column, width)| {
            if column == 0 {
                "-".repeat(*width)
            } else {
                format!("{}:", "-".repeat(width - 1))
            }
        });
        let _ = writeln!(text, "| {} |", rule.collect::<Vec<_>>().join(" | "));
        for row in rows {
            text += &line(&row.iter().map(String::as_str).collect::<Vec<_>>());
        }
        print!("{text}");
        self.current += &text;
    }

    /// Something that could not be measured here, and why.
    pub(crate) fn skip(&mut self, what: &str, reason: &str) {
        println!("\nskipped: {what}: {reason}");
        let _ = write!(self.current, "\nSkipped: {what}: {reason}\n");
        self.skipped.push(format!("{what}: {reason}"));
    }

    /// Says how much is missing.
    pub(crate) fn finish(&self) {
        println!(
            "\n{} measurements, {} parts skipped",
            self.sections.len(),
            self.skipped.len()
        );
    }

    /// Replaces each `<!-- figures:NAME -->` … `<!-- end -->` of the page by what was found.
    pub(crate) fn write(&self, page: &Path) -> anyhow::Result<()> {
        let mut text = std::fs::read_to_string(page)
            .with_context(|| format!("cannot read {}", page.display()))?;
        for (name, figures) in &self.sections {
            let mark = format!("<!-- figures:{name} -->\n");
            let start = text
                .find(&mark)
                .with_context(|| format!("the page has no {name}"))?;
            let start = start + mark.len();
            let end = text[start..]
                .find("<!-- end -->")
                .context("a figures block has no end")?;
            text.replace_range(
                start..start + end,
                &format!("{}\n", figures.trim_start_matches('\n')),
            );
        }
        std::fs::write(page, text).with_context(|| format!("cannot write {}", page.display()))
    }
}

/// Seconds for people.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "–".into(),
        s if s >= 10.0 => format!("{s:.1} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s if s >= 1e-6 => format!("{:.1} µs", s * 1e6),
        s => format!("{:.1} ns", s * 1e9),
    }
}

/// A ratio for people.
pub(crate) fn ratio(over: f64, under: f64) -> String {
    match over / under {
        r if !r.is_finite() => "–".into(),
        r if r >= 100.0 => format!("{r:.0}×"),
        r if r >= 10.0 => format!("{r:.1}×"),
        r => format!("{r:.2}×"),
    }
}

/// A large number for people.
pub(crate) fn count(number: f64) -> String {
    match number {
        n if !n.is_finite() => "–".into(),
        n if n >= 1e6 => format!("{:.2} M", n / 1e6),
        n if n >= 1e4 => format!("{:.0} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}
