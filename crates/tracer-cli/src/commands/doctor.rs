//! `tracer doctor`: what this machine can do, tried rather than guessed.

use serde::Serialize;
use tracer_engine::check::describe;
use tracer_engine::{find_toolchain, languages};
use tracer_model::Protection;

use crate::args::ListArgs;
use crate::printer::Printer;

#[derive(Serialize)]
struct Report {
    version: &'static str,
    languages: Vec<Toolchain>,
    protections: Vec<Protection>,
}

#[derive(Serialize)]
struct Toolchain {
    language: &'static str,
    found: Option<String>,
    problem: Option<String>,
    hint: Option<String>,
}

pub(crate) fn run(args: &ListArgs, printer: &Printer) -> anyhow::Result<u8> {
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        languages: languages::all()
            .iter()
            .map(|spec| toolchain(spec))
            .collect(),
        protections: tracer_sandbox::probe(),
    };
    printer.data(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            return writeln!(out);
        }
        writeln!(out, "tracer {}", report.version)?;
        writeln!(out, "\ntoolchains")?;
        for row in &report.languages {
            let said = row
                .found
                .as_deref()
                .or(row.problem.as_deref())
                .unwrap_or_default();
            writeln!(
                out,
                "  {} {:<12} {said}",
                mark(row.found.is_some()),
                row.language
            )?;
            if let Some(hint) = &row.hint {
                writeln!(out, "      {hint}")?;
            }
        }
        writeln!(out, "\nsandbox")?;
        for protection in &report.protections {
            let reason = protection.reason.as_deref().unwrap_or_default();
            writeln!(
                out,
                "  {} {:<24} {reason}",
                mark(protection.active),
                protection.name
            )?;
        }
        Ok(())
    })?;
    Ok(0)
}

fn mark(good: bool) -> &'static str {
    if good { "ok     " } else { "missing" }
}

fn toolchain(spec: &'static languages::LanguageSpec) -> Toolchain {
    match find_toolchain(spec) {
        Ok(found) => Toolchain {
            language: spec.id,
            found: Some(format!("{} ({})", found.version, found.program.display())),
            problem: None,
            hint: None,
        },
        Err(error) => Toolchain {
            language: spec.id,
            found: None,
            problem: Some(describe(&error)),
            hint: error.hint(),
        },
    }
}
