//! `tracer languages`: the table, and which toolchains are here.

use serde::Serialize;
use tracer_engine::images::Store;
use tracer_engine::wasm::{Readiness, readiness};
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
    /// Whether it runs as WebAssembly: `ready`, `missing` (`tracer doctor` says what), `native only`.
    wasm: &'static str,
}

pub(crate) fn run(args: &ListArgs, printer: &Printer) -> anyhow::Result<u8> {
    let store = Store::open()?;
    let rows: Vec<Row> = languages::all()
        .iter()
        .map(|spec| Row {
            language: spec.id,
            name: spec.name,
            aliases: spec.aliases,
            extensions: spec.extensions,
            toolchain: find_toolchain(spec).ok().map(|found| found.version),
            wasm: match readiness(spec, &store) {
                Readiness::Ready => "ready",
                Readiness::Missing(_) => "missing",
                Readiness::NativeOnly(_) => "native only",
            },
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
                "{:<12} {:<40} {:<17} {}",
                row.language,
                row.toolchain.as_deref().unwrap_or("not installed"),
                format!("wasm: {}", row.wasm),
                extensions.join(" ")
            )?;
        }
        Ok(())
    })?;
    Ok(0)
}
