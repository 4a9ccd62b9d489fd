//! One self-contained page to step through a trace. Loads nothing, and runs no part of the program.

use std::io::{self, Write};

use serde::Serialize;
use tracer_model::Trace;

use crate::rows::{Row, RowKind, rows};
use crate::text::ending;

const PAGE: &str = include_str!("../assets/page.html");
/// Where the data goes in the page.
const PLACE: &str = "{{trace}}";

#[derive(Serialize)]
struct Page<'t> {
    title: &'t str,
    files: Vec<File<'t>>,
    rows: Vec<Step>,
    ending: String,
}

#[derive(Serialize)]
struct File<'t> {
    path: &'t str,
    text: &'t str,
}

/// One step, with short keys: there are thousands.
#[derive(Serialize)]
struct Step {
    #[serde(rename = "k")]
    kind: &'static str,
    #[serde(rename = "f")]
    file: u32,
    #[serde(rename = "l")]
    line: u32,
    #[serde(rename = "t")]
    task: u32,
    #[serde(rename = "d")]
    depth: u32,
    #[serde(rename = "s")]
    text: String,
    #[serde(rename = "n")]
    notes: Vec<String>,
}

/// The page.
pub fn render(trace: &Trace) -> String {
    crate::text::collect(|out| write(trace, out))
}

/// Writes the page.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    let mut steps = Vec::new();
    rows(trace, &[], 400, |row| {
        let kind = match row.kind {
            RowKind::Line => "line",
            RowKind::Enter | RowKind::Whole => "enter",
            RowKind::Leave => "leave",
            RowKind::Error => "error",
            RowKind::Output => "out",
            RowKind::ErrorOutput => "err",
            RowKind::Task => "task",
            RowKind::Elided | RowKind::Folded => "more",
        };
        let Row {
            file,
            line,
            task,
            depth,
            text,
            notes,
            ..
        } = row;
        steps.push(Step {
            kind,
            file,
            line,
            task,
            depth,
            text,
            notes,
        });
    });
    let files = trace.table.files.iter();
    let page = Page {
        title: trace.table.files.first().map_or("trace", |file| &file.path),
        files: files
            .map(|file| File {
                path: &file.path,
                text: &file.text,
            })
            .collect(),
        rows: steps,
        ending: ending(&trace.outcome),
    };
    // No text of the program may end the element that holds it.
    let data = serde_json::to_string(&page)?.replace('<', "\\u003c");
    let (before, after) = PAGE
        .split_once(PLACE)
        .expect("the page has a place for the data");
    out.write_all(before.as_bytes())?;
    out.write_all(data.as_bytes())?;
    out.write_all(after.as_bytes())
}
