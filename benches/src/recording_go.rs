//! Recording Go: nanoseconds an event. Other recorders of Go are not measured.

use tracer_model::Detail;

use crate::recording::Subject;
use crate::report::Report;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("go", &[])?;
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
    let contenders = subject.levels_of(
        (
            long,
            &[Detail::Calls, Detail::Lines, Detail::State, Detail::Full],
        ),
        (middle, &[Detail::Lines, Detail::State]),
    );
    subject.compare(settings, report, &contenders)
}
