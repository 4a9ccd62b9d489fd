//! Recording Java: nanoseconds an event, the JVM's own compilers warm. No peer: what is usual for Java
//! counts coverage, or samples.

use crate::recording::Subject;
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("java", &[])?;
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
    subject.compare(settings, report, &contenders)
}
