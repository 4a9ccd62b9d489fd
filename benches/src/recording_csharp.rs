//! Recording C#: nanoseconds an event with Mono. No peer: its own call trace writes text alone.

use crate::recording::Subject;
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("csharp", &["-optimize+"])?;
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
    subject.compare(settings, report, &contenders)
}
