//! The determinism gate: the same program under other circumstances.
//!
//! Two runs in which everything is varied at once, the last in another second of the day where the
//! program may look at it; where a trace differs, one thing at a time is
//! varied to name the cause. A program that agrees with itself where nothing is varied is kept, and
//! marked.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tracer_engine::check::difference;
use tracer_engine::circumstances::{CIRCUMSTANCES, ELSEWHERE, ROUNDS};
use tracer_engine::{Built, ProgramOptions, Settings};
use tracer_model::Detail;

use super::runs::{Run, Traced, with_case};
use super::{Rejection, Stop};
use crate::Reason;
use crate::account::Stage;
use crate::example::Case;

/// Runs in which nothing is, for a program that was seen to differ.
const AGAIN: usize = 5;

/// The name of the one that is not in the table.
const FOLDER: &str = "working_folder";

/// What differs although nothing is varied: no run can be at the time of another.
pub(super) const UNNAMED: &str = "time_or_chance";

/// What varying showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circumstances {
    /// Whether it agrees only where nothing is varied.
    pub(crate) pinned: bool,
    /// What was varied.
    pub(crate) varied: Vec<&'static str>,
    /// What it depends on.
    pub(crate) causes: BTreeSet<&'static str>,
}

impl Circumstances {
    pub(super) fn add(&mut self, other: Self) {
        self.pinned |= other.pinned;
        self.varied = other.varied;
        self.causes.extend(other.causes);
    }
}

/// Runs a program that was run once under other circumstances.
pub(super) fn vary(traced: &Traced<'_>, case: &Case, first: &Run) -> Result<Circumstances, Stop> {
    let base = with_case(traced.settings, case);
    let mut varied: Vec<&'static str> = CIRCUMSTANCES.iter().map(|one| one.name).collect();
    varied.push(FOLDER);
    let away = Away::new(traced)?;
    let mut agrees = true;
    let began = second();
    for round in 0..ROUNDS {
        let settings = base.varied(traced.subject.spec, round);
        if round + 1 == ROUNDS && reads_clock(&traced.subject.files) {
            until_after(began);
        }
        let run = away.run(traced, &settings)?;
        if !same(traced, first, &run) {
            agrees = false;
            break;
        }
    }
    if agrees {
        return Ok(Circumstances {
            varied,
            ..Circumstances::default()
        });
    }
    // Chance is often even: few runs that agree say little once some did not.
    for _ in 0..AGAIN {
        let again = traced.run(&base, Stage::RunVaried)?;
        if !same(traced, first, &again) {
            let what = difference(
                &first.executed,
                &again.executed,
                traced.program.toolchain.noise,
            );
            let what = what.map_or("the trace", |(what, _)| what);
            let detail = format!("{UNNAMED}: {what} of the traced program");
            return Err(Rejection::new(Reason::Nondeterministic, detail).into());
        }
    }
    let mut causes = BTreeSet::new();
    for one in CIRCUMSTANCES {
        let mut settings = base.clone();
        one.vary(traced.subject.spec, &mut settings, 0);
        if !same(traced, first, &traced.run(&settings, Stage::RunVaried)?) {
            causes.insert(one.name);
        }
    }
    if !same(traced, first, &away.run(traced, &base)?) {
        causes.insert(FOLDER);
    }
    if causes.is_empty() {
        // It takes more than one to see it, or it happens now and then.
        causes.insert(UNNAMED);
    }
    Ok(Circumstances {
        pinned: true,
        varied,
        causes,
    })
}

/// Words that read the time of day, in one language or another.
const CLOCKS: &[&str] = &[
    "time(",
    "time (",
    "Time.",
    "time.",
    "date(",
    "Date(",
    "Date.",
    "now(",
    ".now",
    "today",
    "DateTime",
    "LocalDate",
    "LocalTime",
    "Calendar",
    "$(date",
    "`date",
    "SECONDS",
    "SystemTime",
];

/// Whether a program may look at the time of day. Few can tell a run from another by less than a
/// second, and short runs are in the same one: `srand(time(NULL))`.
fn reads_clock(files: &[(String, Vec<u8>)]) -> bool {
    files.iter().any(|(_, text)| {
        let text = String::from_utf8_lossy(text);
        CLOCKS.iter().any(|word| text.contains(word))
    })
}

/// Seconds of the time of day.
fn second() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Waits until the time of day is in a later second than that one: less than a second, unless the
/// clock is set meanwhile.
fn until_after(began: u64) {
    let started = Instant::now();
    while second() <= began && started.elapsed() < Duration::from_secs(2) {
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether two runs cannot be told apart by what is kept of them.
fn same(traced: &Traced<'_>, one: &Run, other: &Run) -> bool {
    one.trace.events == other.trace.events
        && one.trace.outcome == other.trace.outcome
        && difference(
            &one.executed,
            &other.executed,
            traced.program.toolchain.noise,
        )
        .is_none()
}

/// The program in another folder. What an interpreter reads stands there itself; what was compiled
/// is only started from there.
enum Away {
    Moved(Box<(tracer_engine::Program, Built)>),
    Built,
}

impl Away {
    fn new(traced: &Traced<'_>) -> Result<Self, Stop> {
        if traced.program.toolchain.diagnostics.is_some() {
            return Ok(Self::Built);
        }
        let options = ProgramOptions {
            language: Some(traced.subject.spec.id.to_owned()),
            ..ProgramOptions::default()
        };
        let mut program = traced.subject.program(ELSEWHERE, &options)?;
        let settings = traced.subject.moved_away(traced.settings.clone(), false);
        let built = Built::new(
            &mut program,
            traced.toolchain,
            &settings,
            Some(Detail::State),
        )?;
        Ok(Self::Moved(Box::new((program, built))))
    }

    fn run(&self, traced: &Traced<'_>, settings: &Settings) -> Result<Run, Stop> {
        let built = matches!(self, Self::Built);
        let settings = traced.subject.moved_away(settings.clone(), built);
        match self {
            Self::Moved(moved) => {
                let (program, built) = &**moved;
                let moved = Traced {
                    program,
                    built,
                    ..*traced
                };
                moved.run(&settings, Stage::RunVaried)
            }
            Self::Built => traced.run(&settings, Stage::RunVaried),
        }
    }
}
