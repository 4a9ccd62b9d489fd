//! Whole commands: `tracer run` of a long loop and of an empty program, against running the
//! program by hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use tracer_engine::find_toolchain;
use tracer_instrument::LanguageSpec;
use tracer_model::{Budget, Detail};

use crate::peers;
use crate::process::{command, succeed, tracer};
use crate::programs;
use crate::recording::Subject;
use crate::report::{Report, count, ratio, time};
use crate::sample::{Cost, Sample, Variant, interleave};
use crate::settings::Settings;

/// A loop of ten million iterations, its trace bounded by the default budget.
pub(crate) fn ten_million(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    report.say(
        "`programs/<language>/ten_million`, default budget and detail. `run alone` is the \
         program's own process in the sandbox, traced and not; the other rows are whole commands \
         (for C with the compiler), the trace written as JSON Lines.",
    );
    let mut rows = Vec::new();
    for spec in tracer_languages::all() {
        let folder = tempfile::tempdir()?;
        let subject = Subject {
            spec,
            found: find_toolchain(spec)?,
            flags: Vec::new(),
        };
        let traced = (Detail::State, Budget::default());
        let mut variants = whole_commands(spec, "ten_million", folder.path())?;
        for traced in [None, Some(&traced)] {
            let name = if traced.is_some() {
                "run alone, traced"
            } else {
                "run alone, untraced"
            };
            let subject = &subject;
            variants.push(Variant::timing_itself(name, move || {
                let (executed, _) = subject.execute("ten_million", None, traced)?;
                Ok(Cost {
                    wall: executed.usage.wall.as_secs_f64(),
                    cpu: executed.usage.cpu.as_secs_f64(),
                })
            }));
        }
        let samples = interleave(settings.rounds(5), variants)?;
        let trace = std::fs::metadata(folder.path().join("trace"))?.len();
        for pair in samples.chunks_exact(2) {
            for sample in pair {
                let traced = sample.name != pair[0].name;
                let size = if traced {
                    format!("{} B", count(trace as f64))
                } else {
                    String::new()
                };
                rows.push([row(spec, sample, &pair[0]), vec![size]].concat());
            }
        }
    }
    report.table(
        &["", "median", "least", "× median", "× least", "trace"],
        &rows,
    );
    Ok(())
}

/// A program that does nothing: what is left is the cost of starting.
pub(crate) fn empty_program(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    report.say("Whole commands on `programs/<language>/empty`; for C with the compiler.");
    let mut rows = Vec::new();
    for spec in tracer_languages::all() {
        let folder = tempfile::tempdir()?;
        let variants = whole_commands(spec, "empty", folder.path())?;
        let samples = interleave(settings.rounds(15), variants)?;
        for sample in &samples {
            let more = sample.least() - samples[0].least();
            rows.push([row(spec, sample, &samples[0]), vec![time(more.max(0.0))]].concat());
        }
    }
    report.table(
        &["", "median", "least", "× median", "× least", "more"],
        &rows,
    );
    Ok(())
}

fn row(spec: &LanguageSpec, sample: &Sample, base: &Sample) -> Vec<String> {
    vec![
        format!("{}: {}", spec.name, sample.name),
        time(sample.median()),
        time(sample.least()),
        ratio(sample.median(), base.median()),
        ratio(sample.least(), base.least()),
    ]
}

/// By hand, and by `tracer run`.
fn whole_commands(
    spec: &'static LanguageSpec,
    name: &str,
    folder: &Path,
) -> anyhow::Result<Vec<Variant<'static>>> {
    let found = find_toolchain(spec)?;
    let path = peers::path_to(&found)?;
    let program = programs::program(spec, name);
    let tracer = tracer()?;
    let trace = folder.join("trace");
    let built = folder.join("built");
    let traced = {
        let program = program.clone();
        move || {
            let mut run = command(&tracer);
            run.args(["--quiet", "run", "--format", "jsonl", "--trace-out"])
                .arg(&trace);
            succeed(run.arg(&program).env("PATH", &path))
        }
    };
    let compiled = spec.toolchain.diagnostics.is_some();
    let by_hand = move || {
        if compiled {
            succeed(&mut compile(&found.program, &program, &built))?;
            succeed(&mut command(&built))
        } else {
            succeed(command(&found.program).arg(&program))
        }
    };
    let name = if compiled {
        "compile and run by hand"
    } else {
        "run by hand"
    };
    Ok(vec![
        Variant::new(name, by_hand),
        Variant::new("tracer run", traced),
    ])
}

fn compile(compiler: &PathBuf, program: &Path, built: &Path) -> Command {
    let mut command = command(compiler);
    command.arg("-o").arg(built).arg(program);
    command
}
