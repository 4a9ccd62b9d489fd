//! `tracer eval`: build a benchmark, score answers, answer without understanding.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tracer_engine::{Settings, Warm};
use tracer_eval::baseline::{self, Baseline};
use tracer_eval::build::{self, Observer};
use tracer_eval::items::{self, Answer, Item};
use tracer_eval::score::{self, Score, Summary, score};

use crate::args::{EvalCommand, LimitArgs, SandboxArgs, TryArgs};
use crate::printer::Printer;
use crate::settings;

pub(crate) fn run(command: &EvalCommand, printer: &Printer) -> anyhow::Result<u8> {
    match command {
        EvalCommand::Build(args) => {
            let jobs = jobs(args.jobs);
            let settings = bounded(&args.limits, &args.sandbox, jobs)?;
            let mut inputs = Vec::new();
            for input in &args.inputs {
                inputs.push(std::path::absolute(input)?);
            }
            let options = build::Options {
                inputs,
                out: args.out.clone(),
                per_language: args.per_language,
                seed: args.seed,
                fresh: args.fresh,
                languages: args.language.clone(),
                jobs,
                settings,
            };
            let manifest = build::build(&options, &Talk(printer))?;
            printer.data(|out| {
                writeln!(
                    out,
                    "{:<12} {:>6} {:>6} {:>6}",
                    "language", "tried", "kept", "items"
                )?;
                for (language, counts) in &manifest.languages {
                    let items: usize = counts.items.values().sum();
                    let (tried, kept) = (counts.tried, counts.kept);
                    writeln!(out, "{language:<12} {tried:>6} {kept:>6} {items:>6}")?;
                    for (reason, count) in &counts.rejected {
                        writeln!(out, "  {count:>6}  {reason}")?;
                    }
                }
                writeln!(out, "items {}", manifest.items_digest)
            })?;
        }
        EvalCommand::Score(args) => {
            let items: Vec<Item> = items::read(&items_of(&args.items))?;
            let answers: Vec<Answer> = items::read(&args.answers)?;
            let settings = trying(&args.trying)?;
            let result = score(&items, &answers, how(settings.as_ref(), &args.trying))?;
            printer.data(|out| {
                if args.json {
                    serde_json::to_writer_pretty(&mut *out, &result)?;
                    writeln!(out)
                } else {
                    table(&result, out)
                }
            })?;
        }
        EvalCommand::Baseline(args) => {
            let items: Vec<Item> = items::read(&items_of(&args.items))?;
            let out = &args.out;
            std::fs::create_dir_all(out)
                .with_context(|| format!("cannot make {}", out.display()))?;
            let settings = trying(&args.trying)?;
            for (name, baseline) in Baseline::ALL {
                let answers = baseline::answer(&items, *baseline, args.seed);
                items::write(&out.join(format!("{name}.jsonl")), &answers)?;
                let result = score(&items, &answers, how(settings.as_ref(), &args.trying))?;
                printer.data(|out| {
                    writeln!(out, "{name}")?;
                    table(&result, out)
                })?;
            }
        }
    }
    Ok(0)
}

fn jobs(asked: Option<u16>) -> usize {
    match asked {
        Some(jobs) => usize::from(jobs),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// How inputs that were asked for are tried; not at all with `--no-run`.
fn trying(args: &TryArgs) -> anyhow::Result<Option<Settings>> {
    if args.no_run {
        return Ok(None);
    }
    bounded(&args.limits, &args.sandbox, jobs(args.jobs)).map(Some)
}

/// Settings of many short runs.
fn bounded(limits: &LimitArgs, sandbox: &SandboxArgs, jobs: usize) -> anyhow::Result<Settings> {
    let mut settings = settings::settings(limits, sandbox)?;
    if limits.timeout.is_none() {
        settings.limits.wall = Some(build::WALL);
    }
    settings.warm = Some(Arc::new(Warm::new(jobs)));
    Ok(settings)
}

fn how<'s>(settings: Option<&'s Settings>, args: &TryArgs) -> score::Options<'s> {
    score::Options {
        settings,
        jobs: jobs(args.jobs),
    }
}

/// A benchmark's folder, or its items.
fn items_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("items.jsonl")
    } else {
        path.into()
    }
}

/// The macro averages, a line a task.
fn table(score: &Score, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "task  items  exact          95 %  wrong  unparsed   files  event F1  prefix    own  ROUGE-2  \
         by space"
    )?;
    for (task, languages) in &score.tasks {
        if let Some(mean) = languages.get("macro") {
            row(&format!("{task:?}"), mean, out)?;
        }
    }
    if score.untried > 0 {
        let untried = score.untried;
        writeln!(
            out,
            "{untried} items left out: their answers are inputs to run"
        )?;
    }
    Ok(())
}

fn row(name: &str, mean: &Summary, out: &mut dyn Write) -> std::io::Result<()> {
    let (low, high) = mean.exact_interval;
    let percent = |share: f64| 100.0 * share;
    let own = mean
        .own
        .map_or("–".to_owned(), |own| format!("{:.1}", percent(own)));
    writeln!(
        out,
        "{name:<4} {:>6} {:>6.1} {:>6.1}–{:<6.1} {:>6.1} {:>9.1} {:>7.1} {:>9.1} {:>7.1} {own:>6} \
         {:>8.1} {:>9.1}",
        mean.items,
        percent(mean.exact),
        percent(low),
        percent(high),
        percent(mean.wrong),
        percent(mean.unparseable),
        percent(mean.marks.files),
        percent(mean.marks.f1),
        percent(mean.marks.prefix),
        percent(mean.marks.rouge_google),
        percent(mean.marks.rouge_whitespace),
    )
}

struct Talk<'p>(&'p Printer);

impl Observer for Talk<'_> {
    fn progress(&self, language: &str, kept: usize, tried: usize) {
        if tried.is_multiple_of(25) {
            self.0
                .say(&format!("tracer: {language}: {kept} kept of {tried}"));
        }
    }
}
