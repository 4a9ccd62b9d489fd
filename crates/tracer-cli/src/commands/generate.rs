//! `tracer generate`: a corpus in, examples of other kinds than traces out.
//!
//! Programs are run and proved as by `tracer batch`, whose rows stand in `_programs` of the output; a
//! folder that `tracer batch` finished is taken as it is.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tracer_ask::{Endpoint, Policy, Rates, Secret, Spent};
use tracer_generate::{Accounting, Counts, Faults, Kind, Model, Options};

use super::batch::{self, STOPPED, WORN, Watch};
use crate::args::{
    BatchArgs, ExampleView, GenerateArgs, GenerateCommand, GenerateFaultArgs, ModelArgs, ShardForm,
};
use crate::printer::Printer;

pub(crate) fn run(command: &GenerateCommand, printer: &Printer) -> anyhow::Result<u8> {
    let faults = |args: &GenerateFaultArgs| Faults {
        most: usize::from(args.faults),
        tries: usize::from(args.tries),
    };
    let mut asking = None;
    let (name, args, kind) = match command {
        GenerateCommand::Qa(args) => {
            let most = usize::from(args.questions);
            asking = (args.asking.model != "none").then_some(&args.asking);
            ("qa", &args.common, Kind::Qa { most })
        }
        GenerateCommand::Dev(args) => ("dev", &args.common, Kind::Dev(faults(args))),
        GenerateCommand::Dialogue(args) => ("dialogue", &args.common, Kind::Dialogue(faults(args))),
    };
    let given = &args.batch;
    anyhow::ensure!(
        given.view == ExampleView::Lines,
        "`generate {name}` has a form of its own; leave out --view"
    );
    anyhow::ensure!(
        given.format == ShardForm::Jsonl,
        "`generate {name}` writes JSON Lines only so far; leave out --format"
    );
    let programs = BatchArgs {
        out: given.out.join("_programs"),
        ..given.clone()
    };
    batch::watched(&programs, printer, &|| {
        make(args, kind, asking, &programs, printer)
    })
}

/// The one folder given, if `tracer batch` finished it.
fn finished(args: &BatchArgs) -> Option<&Path> {
    let [folder] = args.inputs.as_slice() else {
        return None;
    };
    folder.join("_done/all.json").exists().then_some(folder)
}

fn make(
    args: &GenerateArgs,
    kind: Kind,
    asking: Option<&ModelArgs>,
    programs: &BatchArgs,
    printer: &Printer,
) -> anyhow::Result<u8> {
    let (folder, settings): (PathBuf, _) = if let Some(folder) = finished(&args.batch) {
        (folder.into(), batch::options(&args.batch)?.settings)
    } else {
        let out = &args.batch.out;
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        let Some(report) = batch::rows(programs, printer)? else {
            return Ok(WORN);
        };
        if report.funnel.is_none() {
            return Ok(batch::stopped(&report, printer));
        }
        (programs.out.clone(), batch::options(programs)?.settings)
    };
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        programs: folder,
        out: args.batch.out.clone(),
        settings,
        templates: args.templates.clone(),
        model: asking.map(|asking| model(asking, args.batch.jobs)),
        jobs: args.batch.jobs.map_or_else(cores, usize::from),
        shard_rows: usize::try_from(args.batch.shard_rows).unwrap_or(usize::MAX),
    };
    let watch = Watch::new(printer)?;
    let report = tracer_generate::run(&options, kind, &watch);
    watch.bar.finish_and_clear();
    let report = report?;
    if let (Some(asking), Some(spent)) = (asking, report.spent) {
        printer.say(&bill(asking, spent));
    }
    let Some(accounting) = report.accounting else {
        let done = report.done;
        printer.complain(&format!(
            "tracer: stopped after {done} programs; the same command goes on from here"
        ));
        return Ok(STOPPED);
    };
    printer.data(|out| {
        if args.batch.json {
            serde_json::to_writer_pretty(&mut *out, &accounting)?;
            writeln!(out)
        } else {
            table(out, &accounting)
        }
    })?;
    let out = args.batch.out.display();
    printer.say(&format!("tracer: the examples are in {out}"));
    Ok(0)
}

fn model(args: &ModelArgs, jobs: Option<u16>) -> Model {
    let mut params = serde_json::Map::new();
    params.insert("max_tokens".into(), args.max_tokens.into());
    params.insert("temperature".into(), args.temperature.into());
    if let Some(seed) = args.sampling_seed {
        params.insert("seed".into(), seed.into());
    }
    let at_once = jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
        u32::from,
    );
    Model {
        name: args.model.clone(),
        endpoint: Endpoint {
            url: args.endpoint.clone(),
            key: std::env::var(&args.key_env).ok().map(Secret::new),
            timeout: args.request_timeout,
        },
        rates: Rates {
            requests: args.requests_per_minute,
            tokens: args.tokens_per_minute,
            at_once,
        },
        policy: Policy::default(),
        params,
    }
}

/// What the asking of this run took.
fn bill(args: &ModelArgs, spent: Spent) -> String {
    let mut text = format!(
        "tracer: {} requests were sent and {} answered from the ledger; {} tokens asked, {} answered",
        spent.sent, spent.known, spent.prompt_tokens, spent.completion_tokens
    );
    if let (Some(price_in), Some(price_out)) = (args.price_in, args.price_out) {
        let cost =
            spent.prompt_tokens as f64 * price_in + spent.completion_tokens as f64 * price_out;
        text.push_str(&format!("; that costs {:.2}", cost / 1e6));
    }
    text
}

fn table(out: &mut dyn Write, accounting: &Accounting) -> std::io::Result<()> {
    let mut line = |name: &str, counts: &Counts| {
        let rejected = counts.rejected.iter();
        let reasons: Vec<String> = rejected
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        let (input, ok) = (counts.input, counts.ok);
        let reasons = reasons.join(", ");
        writeln!(out, "{name:<12} {input:>8} {ok:>8}  {reasons}")
    };
    for (language, (_, examples)) in &accounting.languages {
        line(language, examples)?;
    }
    line("examples", &accounting.examples)?;
    line("programs", &accounting.programs)?;
    writeln!(out, "(thought of, kept, left out by reason)")
}
