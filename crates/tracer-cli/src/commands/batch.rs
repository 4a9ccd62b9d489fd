//! `tracer batch`: a corpus in, training examples out.
//!
//! The work is done by a copy of this process, which is begun again where a file ends it.
//!
//! The first Ctrl-C stops the run where the same command can go on; the second ends it at once,
//! which loses no more than the rows that are being worked on.

use std::cell::Cell;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use tracer_batch::{
    Aftermath, Counts, Form, Funnel, Observer, Options, Progress, Reason, Report, View,
};
use tracer_engine::Warm;
use tracer_sandbox::{Ended, Watched, watch};

use crate::args::{BatchArgs, ExampleView, ShardForm};
use crate::printer::Printer;
use crate::settings;

/// Exit status of a run that was stopped.
pub(crate) const STOPPED: u8 = 130;

/// Exit status of a worker that another one is to take over from.
pub(crate) const WORN: u8 = 75;

/// Deaths after which a run is given up if no row was done in between.
const DEATHS: usize = 8;

pub(crate) fn run(args: &BatchArgs, printer: &Printer) -> anyhow::Result<u8> {
    watched(args, printer, &|| work(args, printer))
}

/// Does work on rows in a copy of this process, which is begun again where a file ends it.
pub(crate) fn watched(
    args: &BatchArgs,
    printer: &Printer,
    work: &dyn Fn() -> anyhow::Result<u8>,
) -> anyhow::Result<u8> {
    let mut deaths = 0;
    let mut written = 0;
    loop {
        let ended = match watch() {
            Ok(Watched::Worker) => return work(),
            Ok(Watched::Watcher(ended)) => ended,
            Err(error) => {
                printer.say(&format!(
                    "tracer: nothing watches over this run, which a file may end: {error}"
                ));
                return work();
            }
        };
        let signal = match ended {
            Ended::Exited(WORN) => continue,
            Ended::Exited(status) => return Ok(status),
            Ended::Killed(signal) => signal,
        };
        let how = signal_hook::low_level::signal_name(signal)
            .map_or_else(|| format!("signal {signal}"), str::to_owned);
        let before = std::mem::replace(&mut written, size_of_ledger(args));
        deaths = if written > before { 1 } else { deaths + 1 };
        let aftermath = tracer_batch::died(&args.out, &how)?;
        let said = match aftermath {
            Aftermath::Row(row) => format!("row {row} ended the process that worked on it ({how})"),
            Aftermath::OneOf(rows) => {
                format!("one of {rows} rows ended the process that worked on them ({how})")
            }
            Aftermath::NoRow => anyhow::bail!("tracer itself was ended by {how}, not by a row"),
        };
        anyhow::ensure!(
            deaths < DEATHS,
            "{said}, as {DEATHS} times before; nothing gets done"
        );
        let next = match aftermath {
            Aftermath::Row(_) => "going on without it",
            _ => "going on with one at a time",
        };
        printer.say(&format!("tracer: {said}; {next}"));
    }
}

/// Grows when rows are done.
fn size_of_ledger(args: &BatchArgs) -> u64 {
    let files = std::fs::read_dir(args.out.join("_ledger"));
    let files = files.into_iter().flatten().flatten();
    files
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum()
}

fn work(args: &BatchArgs, printer: &Printer) -> anyhow::Result<u8> {
    let Some(report) = rows(args, printer)? else {
        return Ok(WORN);
    };
    printer.data(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &summary(args, &report))?;
            writeln!(out)
        } else {
            match &report.funnel {
                Some(funnel) => table(out, funnel),
                None => Ok(()),
            }
        }
    })?;
    account(&report, printer);
    if report.funnel.is_some() {
        let out = args.out.display();
        printer.say(&format!("tracer: the examples are in {out}"));
        return Ok(0);
    }
    Ok(stopped(&report, printer))
}

/// Says that a run was stopped, and gives the exit status for it.
pub(crate) fn stopped(report: &Report, printer: &Printer) -> u8 {
    let done = report.progress.done;
    printer.complain(&format!(
        "tracer: stopped after {done} rows; the same command goes on from here"
    ));
    STOPPED
}

/// Judges the rows of the input; `None` where another process is to take over.
pub(crate) fn rows(args: &BatchArgs, printer: &Printer) -> anyhow::Result<Option<Report>> {
    let options = options(args)?;
    let watch = Watch::new(printer)?;
    let report = tracer_batch::run(&options, &watch);
    watch.bar.finish_and_clear();
    let report = report?;
    if report.worn {
        let stuck = "threads are stuck in rows that were given up; another process takes over";
        printer.say(&format!("tracer: {stuck}"));
        return Ok(None);
    }
    Ok(Some(report))
}

pub(crate) fn options(args: &BatchArgs) -> anyhow::Result<Options> {
    let settings = settings::settings(&args.limits, &args.sandbox)?;
    let given = settings.limits.clone();
    let mut inputs = Vec::new();
    for input in &args.inputs {
        inputs.push(std::path::absolute(input)?);
    }
    let mut options = Options::new(inputs, args.out.clone(), settings);
    if args.limits.timeout.is_some() || args.limits.cpu.is_some() {
        options.settings.limits = given;
    }
    options.view = match args.view {
        ExampleView::Lines => View::Lines,
        ExampleView::Inline => View::Inline,
        ExampleView::Probes => View::Probes,
        ExampleView::Qa => View::Qa,
    };
    options.form = match args.format {
        ShardForm::Jsonl => Form::Jsonl,
        ShardForm::Parquet => Form::Parquet,
    };
    if let Some(jobs) = args.jobs {
        options.jobs = usize::from(jobs);
    }
    options.settings.warm = Some(Arc::new(Warm::new(options.jobs)));
    options.token_budget = args.token_budget;
    options.shard_rows = args.shard_rows;
    options.validation = args.validation;
    options.seed = args.seed;
    options.text_column.clone_from(&args.text_column);
    options.language_column.clone_from(&args.language_column);
    options.language.clone_from(&args.language);
    options.benchmarks.clone_from(&args.benchmark);
    options.limit = args.limit;
    options.source_limit = usize::try_from(args.source_limit).unwrap_or(usize::MAX);
    options.patience = args.patience;
    options.stack = usize::try_from(args.stack).unwrap_or(usize::MAX);
    Ok(options)
}

/// Draws progress, and hears Ctrl-C.
pub(crate) struct Watch<'p> {
    printer: &'p Printer,
    pub(crate) bar: ProgressBar,
    stop: Arc<AtomicBool>,
    told: Cell<bool>,
}

impl<'p> Watch<'p> {
    pub(crate) fn new(printer: &'p Printer) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(
                signal,
                i32::from(STOPPED),
                Arc::clone(&stop),
            )
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("cannot watch for Ctrl-C")?;
        }
        let bar = if printer.progress() {
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            ProgressBar::new_spinner()
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        } else {
            ProgressBar::hidden()
        };
        Ok(Self {
            printer,
            bar,
            stop,
            told: Cell::new(false),
        })
    }
}

impl tracer_generate::Observer for Watch<'_> {
    fn progress(&self, done: u64) {
        self.bar.set_message(format!("{done} programs asked about"));
        self.bar.tick();
    }

    fn stop(&self) -> bool {
        Observer::stop(self)
    }
}

impl Observer for Watch<'_> {
    fn progress(&self, progress: &Progress) {
        self.bar.set_message(line(progress));
        self.bar.tick();
    }

    fn note(&self, text: &str) {
        self.bar
            .suspend(|| self.printer.say(&format!("tracer: {text}")));
    }

    fn stop(&self) -> bool {
        let stop = self.stop.load(Ordering::Relaxed);
        if stop && !self.told.replace(true) {
            self.note("stopping");
        }
        stop
    }

    fn wants_total(&self) -> bool {
        self.printer.progress()
    }
}

/// Progress on one line.
fn line(progress: &Progress) -> String {
    let done = progress.done;
    let rate = progress.now as f64 / progress.elapsed.as_secs_f64().max(0.001);
    let mut text = match progress.total {
        Some(total) => format!("{done}/{total} rows"),
        None => format!("{done} rows"),
    };
    text.push_str(&format!(", {rate:.1}/s"));
    if done > 0 {
        let share = progress.candidates as f64 / done as f64 * 100.0;
        text.push_str(&format!(", {share:.0} % pass"));
    }
    if let Some(total) = progress.total.filter(|_| progress.now > 0) {
        let left = total.saturating_sub(done) as f64 / rate;
        text.push_str(&format!(", {} left", clock(left)));
    }
    text
}

fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// The funnel, a row a language.
fn table(out: &mut dyn Write, funnel: &Funnel) -> std::io::Result<()> {
    let lost = |reason: &Reason| funnel.total.rejected.get(reason).copied().unwrap_or(0) > 0;
    let reasons: Vec<Reason> = Reason::ALL.iter().copied().filter(lost).collect();
    write!(
        out,
        "{:<12} {:>7} {:>7} {:>6}",
        "language", "input", "kept", "share"
    )?;
    for reason in &reasons {
        write!(out, " {}", reason.name())?;
    }
    writeln!(out)?;
    let mut row = |name: &str, counts: &Counts| {
        let share = counts.share() * 100.0;
        let (input, kept) = (counts.input, counts.kept);
        write!(out, "{name:<12} {input:>7} {kept:>7} {share:>5.1}%")?;
        for reason in &reasons {
            let lost = counts.rejected.get(reason).copied().unwrap_or(0);
            write!(out, " {lost:>width$}", width = reason.name().len())?;
        }
        writeln!(out)
    };
    for (language, counts) in &funnel.languages {
        row(language, counts)?;
    }
    row("all", &funnel.total)
}

/// Where the time went.
fn account(report: &Report, printer: &Printer) {
    let spent = &report.spent;
    if spent.rows == 0 {
        return;
    }
    let elapsed = report.progress.elapsed.as_secs_f64().max(0.001);
    let share = |time: Duration| time.as_secs_f64() / spent.total.as_secs_f64().max(0.001) * 100.0;
    let mut stages: Vec<_> = spent.stages.iter().collect();
    stages.sort_by_key(|(_, time)| std::cmp::Reverse(**time));
    let stages: Vec<String> = stages
        .iter()
        .map(|(stage, time)| format!("{} {:.0} %", stage.name(), share(**time)))
        .collect();
    printer.say(&format!(
        "tracer: {} rows in {elapsed:.1} s ({:.2}/s), {:.2} s of a worker each: {}",
        spent.rows,
        spent.rows as f64 / elapsed,
        spent.total.as_secs_f64() / spent.rows as f64,
        stages.join(", ")
    ));
}

fn summary(args: &BatchArgs, report: &Report) -> serde_json::Value {
    let spent = &report.spent;
    let stages: serde_json::Map<String, serde_json::Value> = spent
        .stages
        .iter()
        .map(|(stage, time)| (stage.name().to_owned(), time.as_secs_f64().into()))
        .collect();
    json!({
        "out": args.out,
        "complete": report.funnel.is_some(),
        "rows_done": report.progress.done,
        "funnel": report.funnel,
        "shards": report.shards,
        "seconds": report.progress.elapsed.as_secs_f64(),
        "rows_now": spent.rows,
        "events": spent.events,
        "worker_seconds": spent.total.as_secs_f64(),
        "worker_seconds_by_stage": stages,
    })
}
