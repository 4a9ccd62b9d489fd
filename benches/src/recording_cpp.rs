//! Recording C++: nanoseconds an event, as it is usually built and as it is released.

use crate::recording::Subject;
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    for level in ["-O0", "-O2"] {
        one_level(settings, report, level)?;
    }
    Ok(())
}

fn one_level(settings: &Settings, report: &mut Report, level: &str) -> anyhow::Result<()> {
    let subject = Subject::of("cpp", &[level])?;
    report.say(&format!(
        "{}, `{level}`, `programs/cpp/work.cpp`; time of one round of its work. `all` keeps every \
         event; the other rows have the default budget.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (4000, 400)
    } else {
        (20_000, 3000)
    };
    let contenders = subject.levels(long, middle);
    subject.compare(settings, report, &contenders)
}
