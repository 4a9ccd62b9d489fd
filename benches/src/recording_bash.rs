//! Recording Bash: against the untraced script, and xtrace on a descriptor of its own.
//!
//! xtrace tells of commands with their words, and neither of branches, of statuses nor of what
//! `read` and `local` set.

use tracer_model::Detail;

use crate::process::{command, succeed};
use crate::programs;
use crate::recording::{Contender, Subject};
use crate::report::Report;
use crate::sample::timed;
use crate::settings::Settings;

/// Runs a script with xtrace into a file.
const XTRACE: &str = "exec 9>\"$1\"; BASH_XTRACEFD=9; script=$2; shift 2; set -x; . \"$script\"";

pub(crate) fn measure(settings: &Settings, report: &mut Report) -> anyhow::Result<()> {
    let subject = Subject::of("bash", &[])?;
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
    let mut contenders = subject.levels_of(
        (long, &[Detail::Lines, Detail::State]),
        (middle, &[Detail::State]),
    );
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("xtrace");
    let bash = &subject.found.program;
    let source = programs::program(subject.spec, "work");
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
    subject.compare(settings, report, &contenders)
}
