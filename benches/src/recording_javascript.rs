//! Recording JavaScript: against the untraced program and one instrumented by istanbul.

use crate::peers;
use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("javascript", &[])?;
    report.say(&format!(
        "{}, `programs/javascript/work.js`; time of one round of its work. `all` keeps every \
         event; the other rows have the default budget. istanbul counts statements, branches and \
         functions, without order or values.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (4000, 100)
    } else {
        (20_000, 300)
    };
    let mut contenders = subject.levels(long, middle);
    let folder = tempfile::tempdir()?;
    let modules = peers::folder().join("javascript/node_modules");
    if modules.join("istanbul-lib-instrument").is_dir() {
        let instrumented = folder.path().join("work.js");
        succeed(
            command(&subject.found.program)
                .arg(peers::script("istanbul.js"))
                .args([
                    &modules,
                    &programs::program(subject.spec, "work"),
                    &instrumented,
                ]),
        )?;
        let node = &subject.found.program;
        contenders.push(Contender {
            name: "istanbul, counts".into(),
            work: long,
            at_most: None,
            run: Box::new(move |work| {
                timed(&mut || succeed(command(node).arg(&instrumented).arg(work.to_string())))
            }),
        });
    } else {
        report.skip("istanbul", "not installed; `cargo xtask peers` brings it");
    }
    subject.compare(settings, report, &contenders)
}
