//! Recording Rust: against the untraced program, and the compiler's own counters.
//!
//! Counters say how often each region ran, and neither in which order nor with which values.

use tracer_engine::find_toolchain;
use tracer_model::{Budget, Detail};

use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject, contest, everything, table};
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
    let spec = programs::language("rust")?;
    let subject = Subject {
        spec,
        found: find_toolchain(spec)?,
        flags: vec![level.into()],
    };
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
    let budget = Budget::default();
    let mut contenders = vec![
        subject.contender("untraced", long, None),
        subject.contender("tracer, lines", long, Some((Detail::Lines, budget.clone()))),
        subject.contender("tracer, state", long, Some((Detail::State, budget))),
        subject.contender(
            "tracer, lines, all",
            middle,
            Some((Detail::Lines, everything())),
        ),
        subject.contender(
            "tracer, state, all",
            middle,
            Some((Detail::State, everything())),
        ),
    ];
    let mut events = subject.events_of(&contenders, report);
    let folder = tempfile::tempdir()?;
    let counted = folder.path().join("counted");
    let source = programs::program(spec, "work");
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
    events.push(None);
    let samples = contest(settings.rounds(5), &contenders)?;
    table(report, &samples, &events);
    Ok(())
}
