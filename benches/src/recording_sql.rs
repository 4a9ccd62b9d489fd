//! Recording SQL on `SQLite`: against the same runner with nobody listening.

use crate::recording::Subject;
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("sql", &[])?;
    report.say(&format!(
        "{}, `programs/sql/work.sql`; time of one round of its work, a row whose triggers run five \
         statements. `all` keeps every event; the other rows have the default budget.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (20_000, 500)
    } else {
        (100_000, 5000)
    };
    let contenders = subject.levels(long, middle);
    subject.compare(settings, report, &contenders)
}
