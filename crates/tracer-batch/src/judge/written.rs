//! The published form of an example, shown to print what its trace says.

use tracer_engine::alone::PLACE;
use tracer_engine::{Built, ProgramOptions, Toolchain};
use tracer_view::probes::{self, NoProbes, Printed, Run, Unproved};

use super::runs::with_case;
use super::subject::Subject;
use super::{Judge, Rejection, Stop};
use crate::Reason;
use crate::account::Stage;
use crate::example::Ran;

/// Writes probes into the first file, runs it untraced with each case, and takes out what does not
/// print as the trace says. With fewer runs where all of them do not fit the budget.
pub(super) fn written(
    judge: &Judge,
    subject: &Subject,
    toolchain: &Toolchain,
    ran: &[Ran],
) -> Result<probes::Example, Stop> {
    let count = |text: &str| judge.tokens.count(text);
    let beside = subject.files[1..].iter();
    let beside: usize = beside
        .map(|(_, text)| count(&String::from_utf8_lossy(text)))
        .sum();
    let options = probes::Options {
        token_budget: judge.options.token_budget.saturating_sub(beside + ROOM),
        tokens: &count,
        own: subject
            .driver
            .as_ref()
            .map_or(usize::MAX, |(_, begins)| *begins as usize),
        ..probes::Options::new(&subject.spec.phrase)
    };
    for runs in (1..=ran.len()).rev() {
        let ran = &ran[..runs];
        let shown: Vec<Run<'_>> = ran
            .iter()
            .map(|run| Run {
                trace: &run.trace,
                stdin: run.case.stdin.as_deref().unwrap_or_default(),
            })
            .collect();
        let print =
            |example: &probes::Example| printed(judge, subject, toolchain, ran, &example.source);
        let reject = |reason, detail: &str| Err(Rejection::new(reason, detail).into());
        return match probes::proved(&shown, &options, print) {
            Ok(example) => Ok(example),
            Err(Unproved::TooLong) if runs > 1 => continue,
            Err(Unproved::TooLong) => reject(Reason::TooLong, "five probes are too many"),
            Err(Unproved::None(NoProbes::Silent)) => {
                reject(Reason::Instrument, "its language cannot print on stderr")
            }
            Err(Unproved::None(why)) => reject(Reason::Uninformative, &why.to_string()),
            Err(Unproved::Little) => {
                reject(Reason::Uninformative, "written probes print too little")
            }
            Err(Unproved::Otherwise) => {
                reject(Reason::Differs, "written probes print something else")
            }
            Err(Unproved::Run(stop)) => Err(stop),
        };
    }
    Err(Rejection::new(Reason::Uninformative, "there is no run").into())
}

/// Tokens of the words around an example.
const ROOM: usize = 200;

/// What the source prints on stderr as it stands, in each run.
fn printed(
    judge: &Judge,
    subject: &Subject,
    toolchain: &Toolchain,
    ran: &[Ran],
    source: &str,
) -> Result<Printed, Stop> {
    let subject = subject.with_first(source)?;
    let options = ProgramOptions {
        language: Some(subject.spec.id.to_owned()),
        ..ProgramOptions::default()
    };
    let mut program = subject.program(PLACE, &options)?;
    let settings = &subject.settings;
    let built = judge.timed(Stage::Prove, || {
        Built::new(&mut program, toolchain, settings, None)
    })?;
    if built.failed().is_some() {
        return Ok(Printed::Unbuilt);
    }
    let mut all = Vec::new();
    for run in ran {
        let executed = judge.timed(Stage::Prove, || {
            built.run(&program, toolchain, &with_case(settings, &run.case))
        })?;
        all.push(String::from_utf8_lossy(&executed.stderr).into_owned());
    }
    Ok(Printed::Lines(all))
}
