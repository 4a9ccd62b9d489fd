//! `tracer doctor`: what this machine can do, tried rather than guessed.

use std::collections::BTreeSet;

use serde::Serialize;
use tracer_engine::check::describe;
use tracer_engine::images::{Store, declaration};
use tracer_engine::wasm::{Readiness, readiness};
use tracer_engine::{find_toolchain, languages};
use tracer_model::Protection;
use tracer_sandbox::Pool;

use crate::args::ListArgs;
use crate::printer::Printer;

#[derive(Serialize)]
struct Report {
    version: &'static str,
    languages: Vec<Row>,
    protections: Vec<Protection>,
    /// What makes many runs faster.
    speed: Vec<Protection>,
}

/// Where a language can run, and what is missing.
#[derive(Serialize)]
struct Row {
    language: &'static str,
    /// Whether this version instruments it.
    traced: bool,
    /// This machine's own toolchain.
    host: Option<String>,
    problem: Option<String>,
    /// Digest of its image.
    image: Option<String>,
    /// Whether it runs as WebAssembly: `ready`, `missing` or `native only`.
    wasm: &'static str,
    /// Why not, or what to do about it.
    wasm_note: Option<String>,
    /// What to do about what is missing.
    hints: Vec<String>,
}

pub(crate) fn run(args: &ListArgs, printer: &Printer) -> anyhow::Result<u8> {
    let store = Store::open()?;
    let names: BTreeSet<&'static str> = languages::all()
        .iter()
        .map(|spec| spec.id)
        .chain(declaration::languages())
        .collect();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        languages: names
            .into_iter()
            .map(|name| language(name, &store))
            .collect(),
        protections: tracer_sandbox::probe(),
        speed: vec![started_interpreters(Pool::try_started())],
    };
    printer.data(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            return writeln!(out);
        }
        writeln!(out, "tracer {}", report.version)?;
        writeln!(
            out,
            "\n  {:<12} {:<36} {:<14} wasm",
            "language", "this machine", "image"
        )?;
        for row in &report.languages {
            let host = match (row.traced, &row.host, &row.problem) {
                (false, _, _) => "not traced by this version",
                (true, Some(found), _) => found,
                (true, None, Some(_)) => "missing",
                (true, None, None) => "",
            };
            let image = row.image.as_deref().map_or("not built", |digest| {
                let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
                hex.get(..12).unwrap_or(hex)
            });
            let wasm = row.wasm;
            writeln!(out, "  {:<12} {host:<36} {image:<14} {wasm}", row.language)?;
            if let Some(problem) = &row.problem {
                writeln!(out, "      {problem}")?;
            }
            for hint in &row.hints {
                writeln!(out, "      {hint}")?;
            }
            if let Some(note) = &row.wasm_note {
                writeln!(out, "      WebAssembly: {note}")?;
            }
        }
        writeln!(out, "\nsandbox")?;
        for protection in report.protections.iter().chain(&report.speed) {
            let reason = protection.reason.as_deref().unwrap_or_default();
            let mark = if protection.active {
                "ok     "
            } else {
                "missing"
            };
            writeln!(out, "  {mark} {:<24} {reason}", protection.name)?;
        }
        Ok(())
    })?;
    Ok(0)
}

/// Whether runs may begin in interpreters that have started: no wall, but time.
fn started_interpreters(tried: Result<(), String>) -> Protection {
    let reason = tried.err();
    Protection {
        name: "started interpreters".to_owned(),
        active: reason.is_none(),
        reason,
    }
}

fn language(name: &'static str, store: &Store) -> Row {
    let spec = languages::by_name(name);
    let image = store.manifest(name);
    let mut hints = Vec::new();
    let mut host = None;
    let mut problem = None;
    match spec.map(|spec| (spec, find_toolchain(spec))) {
        Some((_, Ok(found))) => host = Some(found.version),
        Some((spec, Err(error))) => {
            problem = Some(describe(&error));
            hints.push(format!("install {}", spec.toolchain.hint));
        }
        None => {}
    }
    if image.is_none() && declaration::languages().contains(&name) {
        hints.push(format!("tracer image build {name}"));
    }
    let state = spec.map(|spec| readiness(spec, store));
    let (wasm, wasm_note) = match state {
        Some(Readiness::Ready) => ("ready", None),
        Some(Readiness::Missing(hint)) => ("missing", Some(hint)),
        Some(Readiness::NativeOnly(reason)) => ("native only", Some(reason.to_owned())),
        None => ("", None),
    };
    Row {
        language: name,
        traced: spec.is_some(),
        host,
        problem,
        image: image.map(|manifest| manifest.digest().to_string()),
        wasm,
        wasm_note,
        hints,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_reason_that_was_found_is_blamed() {
        let why = "no sandbox could be made ahead";
        let told = started_interpreters(Err(why.to_owned()));
        assert_eq!((told.active, told.reason.as_deref()), (false, Some(why)));
        assert!(started_interpreters(Ok(())).active);
    }
}
