//! Recording Go: nanoseconds an event. Other recorders of Go are not measured.

use tracer_engine::find_toolchain;
use tracer_model::{Budget, Detail};

use crate::programs;
use crate::recording::{Subject, contest, everything, table};
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let spec = programs::language("go")?;
    let subject = Subject {
        spec,
        found: find_toolchain(spec)?,
        flags: Vec::new(),
    };
    report.say(&format!(
        "{}, `programs/go/work.go`; time of one round of its work. `all` keeps every event; the \
         other rows have the default budget. An event's time is what the run took more than the \
         untraced one, over the events.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (10_000, 1000)
    } else {
        (50_000, 8000)
    };
    let bounded = |detail| Some((detail, Budget::default()));
    let all = |detail| Some((detail, everything()));
    let contenders = vec![
        subject.contender("untraced", long, None),
        subject.contender("tracer, calls", long, bounded(Detail::Calls)),
        subject.contender("tracer, lines", long, bounded(Detail::Lines)),
        subject.contender("tracer, state", long, bounded(Detail::State)),
        subject.contender("tracer, full", long, bounded(Detail::Full)),
        subject.contender("tracer, lines, all", middle, all(Detail::Lines)),
        subject.contender("tracer, state, all", middle, all(Detail::State)),
    ];
    let events = subject.events_of(&contenders, report);
    let samples = contest(settings.rounds(5), &contenders)?;
    table(report, &samples, &events);
    Ok(())
}
