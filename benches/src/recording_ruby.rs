//! Recording Ruby: against the untraced program and `TracePoint`.

use crate::peers;
use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("ruby", &[])?;
    report.say(&format!(
        "{}, `programs/ruby/work.rb`; time of one round of its work. `all` keeps every event; the \
         other rows have the default budget. The peer records each line with the locals that \
         changed, and calls and returns.",
        subject.found.version
    ));
    let scale = if settings.quick { 10 } else { 1 };
    let (long, middle, short) = (20_000 / scale, 600 / scale, 200 / scale);
    let folder = tempfile::tempdir()?;
    let program = programs::program(subject.spec, "work");
    let mut contenders = subject.levels(long, middle);
    for (name, extra) in [
        ("TracePoint, lines", Some("lines")),
        ("TracePoint, changed locals", None),
    ] {
        let (ruby, program) = (&subject.found.program, &program);
        let out = folder.path().join("out");
        contenders.push(Contender {
            name: name.into(),
            work: short,
            at_most: None,
            run: Box::new(move |work| {
                timed(&mut || {
                    let mut ruby = command(ruby);
                    ruby.arg(peers::script("tracepoint.rb"));
                    ruby.arg(&out).arg(program).arg(work.to_string());
                    succeed(ruby.args(extra))
                })
            }),
        });
    }
    subject.compare(settings, report, &contenders)
}
