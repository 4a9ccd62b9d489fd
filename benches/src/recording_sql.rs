//! Recording SQL on `SQLite`: against the same runner with nobody listening.

use tracer_engine::find_toolchain;
use tracer_model::{Budget, Detail};

use crate::programs;
use crate::recording::{Subject, contest, everything, table};
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let spec = programs::language("sql")?;
    let subject = Subject {
        spec,
        found: find_toolchain(spec)?,
        flags: Vec::new(),
    };
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
    let mut contenders = vec![subject.contender("untraced", long, None)];
    for (name, detail) in [
        ("lines", Detail::Lines),
        ("state", Detail::State),
        ("full", Detail::Full),
    ] {
        let usual = Some((detail, Budget::default()));
        contenders.push(subject.contender(&format!("tracer, {name}"), long, usual));
        let all = Some((detail, everything()));
        contenders.push(subject.contender(&format!("tracer, {name}, all"), middle, all));
    }
    let samples = contest(settings.rounds(5), &contenders)?;
    let events = subject.events_of(&contenders, report);
    table(report, &samples, &events);
    Ok(())
}
