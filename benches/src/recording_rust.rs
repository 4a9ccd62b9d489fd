//! Recording Rust: against the untraced program, and the compiler's own counters.
//!
//! Counters say how often each region ran, and neither in which order nor with which values.

use tracer_model::Detail;

use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    for level in ["-Copt-level=0", "-Copt-level=2"] {
        one_level(settings, report, level)?;
    }
    Ok(())
}

fn one_level(settings: &Settings, report: &mut Report, level: &str) -> anyhow::Result<()> {
    let subject = Subject::of("rust", &[level])?;
    report.say(&format!(
        "{}, `{level}`, `programs/rust/work.rs`; time of one round of its work. `all` keeps every \
         event; the other rows have the default budget.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (5000, 500)
    } else {
        (50_000, 4000)
    };
    let levels = [Detail::Lines, Detail::State];
    let mut contenders = subject.levels_of((long, &levels), (middle, &levels));
    let folder = tempfile::tempdir()?;
    let counted = folder.path().join("counted");
    let source = programs::program(subject.spec, "work");
    let mut compiler = command(&subject.found.program);
    compiler.args(["--edition=2021", "-Cinstrument-coverage", level, "-o"]);
    succeed(compiler.arg(&counted).arg(source))?;
    contenders.push(Contender {
        name: "instrument-coverage".into(),
        work: middle,
        at_most: None,
        run: Box::new(move |work| {
            timed(&mut || {
                let mut counted = command(&counted);
                counted.env("LLVM_PROFILE_FILE", "/dev/null");
                succeed(counted.arg(work.to_string()))
            })
        }),
    });
    subject.compare(settings, report, &contenders)
}
