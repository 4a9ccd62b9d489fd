//! `tracer run`: one program, traced.
//!
//! Without `--trace-out` the trace is the output, with the program's own in place. With it, the
//! program's streams pass through untouched.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use tracer_engine::run::Executed;
use tracer_engine::{Recorded, RunOptions};
use tracer_model::{End, Limit, Protection};
use tracer_sandbox::{CopyLimits, Stdin, Stream, copy_out};

use crate::args::{Format, RunArgs};
use crate::commands::view;
use crate::printer::Printer;
use crate::settings;

/// Room in the stream for each event asked for, bytes: most take far less.
const EVENT_BYTES: u32 = 100;

pub(crate) fn run(args: &RunArgs, printer: &Printer) -> anyhow::Result<u8> {
    let mut settings = settings::settings(&args.limits, &args.sandbox)?;
    settings.args.clone_from(&args.args);
    settings.budget.events = args.events;
    // More events need more room; fewer leave the default.
    settings.budget.bytes = settings
        .budget
        .bytes
        .max(args.events.saturating_mul(EVENT_BYTES));
    settings.stdin = Stdin::Inherit;
    if args.trace_out.is_some() {
        (settings.stdout, settings.stderr) = (Stream::Inherit, Stream::Inherit);
    }
    let options = RunOptions {
        program: settings::program(&args.program),
        settings,
    };
    // Opened first: a path that cannot be written should not cost a run.
    let file = args
        .trace_out
        .as_ref()
        .map(|path| File::create(path).with_context(|| format!("cannot write {}", path.display())));
    let file = file.transpose()?;
    let Recorded {
        trace,
        executed,
        toolchain,
    } = tracer_engine::trace(&args.file, &options)?;
    // With --trace-out stderr is the program's own; the trace says it.
    if args.trace_out.is_none() {
        printer.say(&format!("tracer: {}", toolchain.describe()));
        for missing in &toolchain.libraries.missing {
            printer.say(&format!("tracer: not available: {missing}"));
        }
    }
    if !args.discard {
        keep_files(&executed, printer)?;
    }
    match file {
        Some(file) => {
            let format = args.format.unwrap_or(Format::Jsonl);
            let mut out = BufWriter::new(file);
            view::render(&trace, format, args.width, false, &mut out)
                .and_then(|()| out.flush())
                .context("cannot write the trace")?;
            report_build(&executed.outcome.end, printer);
            report_limit(&executed.outcome.end, printer);
        }
        None => {
            let format = args.format.unwrap_or(Format::Pretty);
            printer.data(|out| view::render(&trace, format, args.width, printer.color(), out))?;
        }
    }
    report_protections(&executed.protections, printer);
    Ok(executed.outcome.exit_status())
}

/// Brings the files that the program wrote out of its private layer.
fn keep_files(executed: &Executed, printer: &Printer) -> anyhow::Result<()> {
    if executed.changes.is_empty() {
        return Ok(());
    }
    let folders: BTreeSet<&Path> = executed
        .changes
        .iter()
        .map(|change| change.folder.as_path())
        .collect();
    for folder in folders {
        let report = copy_out(&executed.changes, folder, folder, CopyLimits::default())?;
        for (path, why) in &report.skipped {
            printer.say(&format!("tracer: {} was not kept: {why}", path.display()));
        }
    }
    Ok(())
}

fn report_build(end: &End, printer: &Printer) {
    if let End::BuildFailed { diagnostics, .. } = end {
        printer.complain(diagnostics.trim_end());
    }
}

fn report_limit(end: &End, printer: &Printer) {
    if let End::Limited { limit } = end {
        let what = match limit {
            Limit::Cpu => "used up its CPU time (--cpu)",
            Limit::Wall => "ran out of time (--timeout)",
            Limit::Memory => "needed too much memory (--memory)",
            Limit::Processes => "started too many processes (--processes)",
            Limit::FileSize | Limit::Disk => "wrote too much to disk (--disk)",
            Limit::Output => "printed too much (--output)",
        };
        printer.say(&format!("tracer: the program {what} and was stopped"));
    }
}

/// Says once what did not protect the machine, so that nobody believes it did.
fn report_protections(protections: &[Protection], printer: &Printer) {
    let missing: Vec<&str> = protections
        .iter()
        .filter(|protection| !protection.active)
        .map(|protection| protection.name.as_str())
        .collect();
    if !missing.is_empty() {
        printer.say(&format!(
            "tracer: without {} (`tracer doctor` says why)",
            missing.join(", ")
        ));
    }
}
