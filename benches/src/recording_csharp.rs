//! Recording C#: nanoseconds an event with Mono. No peer: its own call trace writes text alone.

use tracer_engine::find_toolchain;

use crate::programs;
use crate::recording::{Subject, contest, table};
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let spec = programs::language("csharp")?;
    let subject = Subject {
        spec,
        found: find_toolchain(spec)?,
        flags: vec!["-optimize+".into()],
    };
    report.say(&format!(
        "{}, `-optimize+`, `programs/csharp/work.cs`; time of one round of its work. `all` keeps \
         every event; the other rows have the default budget.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (4000, 500)
    } else {
        (20_000, 3000)
    };
    let contenders = subject.levels(long, middle);
    let samples = contest(settings.rounds(5), &contenders)?;
    let events = subject.events_of(&contenders, report);
    table(report, &samples, &events);
    Ok(())
}
