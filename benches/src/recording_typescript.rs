//! Recording TypeScript: against the untraced program, which is lowered by the same hand. What that
//! lowering costs is no part of it: it is done before the program starts.

use crate::recording::Subject;
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("typescript", &[])?;
    report.say(&format!(
        "{}, `programs/typescript/work.ts`; time of one round of its work. `all` keeps every \
         event; the other rows have the default budget.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (4000, 100)
    } else {
        (20_000, 300)
    };
    let contenders = subject.levels(long, middle);
    subject.compare(settings, report, &contenders)
}
