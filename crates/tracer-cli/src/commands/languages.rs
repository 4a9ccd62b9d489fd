//! `tracer languages`: the table, and which toolchains are here.

use serde::Serialize;
use tracer_engine::{find_toolchain, languages};

use crate::args::ListArgs;
use crate::printer::Printer;

#[derive(Serialize)]
struct Row {
    language: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
    extensions: &'static [&'static str],
    toolchain: Option<String>,
}

pub(crate) fn run(args: &ListArgs, printer: &Printer) -> anyhow::Result<u8> {
    let rows: Vec<Row> = languages::all()
        .iter()
        .map(|spec| Row {
            language: spec.id,
            name: spec.name,
            aliases: spec.aliases,
            extensions: spec.extensions,
            toolchain: find_toolchain(spec).ok().map(|found| found.version),
        })
        .collect();
    printer.data(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            return writeln!(out);
        }
        for row in &rows {
            let extensions: Vec<String> = row
                .extensions
                .iter()
                .map(|extension| format!(".{extension}"))
                .collect();
            writeln!(
                out,
                "{:<12} {:<24} {}",
                row.language,
                row.toolchain.as_deref().unwrap_or("not installed"),
                extensions.join(" ")
            )?;
        }
        Ok(())
    })?;
    Ok(0)
}
