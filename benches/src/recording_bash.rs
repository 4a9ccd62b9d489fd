//! Recording Bash: against the untraced script, and xtrace on a descriptor of its own.
//!
//! xtrace tells of commands with their words, and neither of branches, of statuses nor of what
//! `read` and `local` set.

use tracer_engine::find_toolchain;
use tracer_model::{Budget, Detail};

use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject, contest, everything, table};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

/// Runs a script with xtrace into a file.
const XTRACE: &str = "exec 9>\"$1\"; BASH_XTRACEFD=9; script=$2; shift 2; set -x; . \"$script\"";

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let spec = programs::language("bash")?;
    let subject = Subject {
        spec,
        found: find_toolchain(spec)?,
        flags: Vec::new(),
    };
    report.say(&format!(
        "{}, `programs/bash/work.sh`; time of one round of its work. `all` keeps every event; the \
         other rows have the default budget. xtrace writes to a file.",
        subject.found.version
    ));
    let (long, middle) = if settings.quick {
        (300, 20)
    } else {
        (1200, 60)
    };
    let budget = Budget::default();
    let mut contenders = vec![
        subject.contender("untraced", long, None),
        subject.contender("tracer, lines", long, Some((Detail::Lines, budget.clone()))),
        subject.contender("tracer, state", long, Some((Detail::State, budget))),
        subject.contender(
            "tracer, state, all",
            middle,
            Some((Detail::State, everything())),
        ),
    ];
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("xtrace");
    let bash = &subject.found.program;
    let source = programs::program(spec, "work");
    contenders.push(Contender {
        name: "xtrace".into(),
        work: middle,
        at_most: None,
        run: Box::new(move |work| {
            timed(&mut || {
                succeed(
                    command(bash)
                        .args(["-c", XTRACE, "bash"])
                        .arg(&place)
                        .arg(&source)
                        .arg(work.to_string()),
                )
            })
        }),
    });
    let samples = contest(settings.rounds(5), &contenders)?;
    let events = subject.events_of(&contenders, report);
    table(report, &samples, &events);
    Ok(())
}
