//! Recording Java: nanoseconds an event, the JVM's own compilers warm. No peer: what is usual for Java
//! counts coverage, or samples.

use tracer_engine::find_toolchain;

use crate::programs;
use crate::recording::{Subject, contest, table};
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let spec = programs::language("java")?;
    let subject = Subject {
        spec,
        found: find_toolchain(spec)?,
        flags: Vec::new(),
    };
    report.say(&format!(
        "{}, `programs/java/work.java`; time of one round of its work. `all` keeps every event; the \
         other rows have the default budget.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (20_000, 2000)
    } else {
        (100_000, 5000)
    };
    let contenders = subject.levels(long, middle);
    let samples = contest(settings.rounds(5), &contenders)?;
    let events = subject.events_of(&contenders, report);
    table(report, &samples, &events);
    Ok(())
}
