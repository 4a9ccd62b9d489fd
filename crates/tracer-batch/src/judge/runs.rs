//! The gates that run the program.

use tracer_engine::check::{allowing, difference};
use tracer_engine::circumstances::ADDRESSES;
use tracer_engine::{Built, Executed, Program, Settings, Toolchain, choose_toolchain};
use tracer_model::{Detail, End, Trace};
use tracer_sandbox::Stdin;

use super::subject::Subject;
use super::{Judge, Rejection, Stop, fate, informative, steady, written};
use crate::account::Stage;
use crate::example::{Case, Checks, Example, Ran};
use crate::{Reason, View};

/// How often the original is run again before a difference is held against the traced run.
const AGAIN: usize = 4;

/// Runs that may end at a limit before the rest is not tried.
const HOPELESS: usize = 2;

/// A traced program, built, and what it is run with.
pub(crate) struct Traced<'a> {
    pub(crate) judge: &'a Judge,
    pub(crate) subject: &'a Subject,
    pub(crate) program: &'a Program,
    pub(crate) built: &'a Built,
    pub(crate) toolchain: &'a Toolchain,
    /// Limits and place; the case adds its input.
    pub(crate) settings: &'a Settings,
}

/// One run and its trace.
pub(crate) struct Run {
    pub(crate) executed: Executed,
    pub(crate) trace: Trace,
}

impl Traced<'_> {
    /// Runs it once. `stage` is what the time is booked on.
    pub(crate) fn run(&self, settings: &Settings, stage: Stage) -> Result<Run, Stop> {
        let executed = self.judge.timed(stage, || {
            self.built.run(self.program, self.toolchain, settings)
        })?;
        let trace = self.judge.timed(Stage::Normalise, || {
            self.built
                .trace(self.program, self.toolchain, settings, &executed)
        })?;
        self.judge.account.events(trace.events.len());
        Ok(Run { executed, trace })
    }
}

/// Settings with a case's input.
pub(crate) fn with_case(settings: &Settings, case: &Case) -> Settings {
    Settings {
        args: case.args.iter().map(Into::into).collect(),
        stdin: match &case.stdin {
            Some(bytes) => Stdin::Bytes(bytes.clone()),
            None => Stdin::Null,
        },
        env: settings
            .env
            .iter()
            .cloned()
            .chain(
                case.env
                    .iter()
                    .map(|(name, value)| (name.into(), value.into())),
            )
            .collect(),
        ..settings.clone()
    }
}

/// Original once, traced, compared; then the traced program under other circumstances.
pub(crate) fn verify(
    judge: &Judge,
    subject: &Subject,
    program: &mut Program,
    errors: u32,
) -> Result<Example, Stop> {
    let settings = &subject.settings;
    let toolchain = choose_toolchain(program, settings)?;
    let original = judge.timed(Stage::BuildOriginal, || {
        Built::new(program, &toolchain, settings, None)
    })?;
    if let Some(failed) = original.failed() {
        if let End::BuildFailed { diagnostics, .. } = &failed.outcome.end
            && let Some(missing) = subject.missing(diagnostics)
        {
            return Err(subject.lacks(&missing, &toolchain).into());
        }
        let why = fate(&failed.outcome.end);
        let why = why.unwrap_or_else(|| Rejection::new(Reason::Build, ""));
        return Err(match &failed.outcome.end {
            End::BuildFailed { diagnostics, .. } => Stop::Unbuilt(why, diagnostics.clone()),
            _ => why.into(),
        });
    }
    let mut originals = Vec::new();
    let mut last = None;
    for (number, case) in subject.cases.iter().enumerate() {
        // Time is dear: what ran over twice is tried once more as it stands.
        if originals.is_empty() && number >= HOPELESS && number + 1 < subject.cases.len() {
            continue;
        }
        let case = case.clone();
        let settings = with_case(settings, &case);
        let executed = judge.timed(Stage::RunOriginal, || {
            original.run(program, &toolchain, &settings)
        })?;
        match fate(&executed.outcome.end) {
            Some(rejection) => {
                last.get_or_insert(rejection);
            }
            None => originals.push((case, executed)),
        }
    }
    if originals.is_empty() {
        let none = Rejection::new(Reason::Timeout, "");
        return Err(last.unwrap_or(none).into());
    }
    let missing = |(_, run): &(Case, Executed)| {
        let failed = run.outcome.exit_status() != 0;
        let said = String::from_utf8_lossy(&run.stderr);
        failed.then(|| subject.missing(&said)).flatten()
    };
    let complaints: Vec<String> = originals.iter().filter_map(missing).collect();
    // A program whose other runs do without it is worth keeping.
    if complaints.len() == originals.len()
        && let Some(first) = complaints.into_iter().next()
    {
        return Err(subject.lacks(&first, &toolchain).into());
    }
    let slower = allowing(settings);
    let built = judge.timed(Stage::BuildTraced, || {
        Built::new(program, &toolchain, &slower, Some(Detail::State))
    })?;
    let program = &*program;
    let traced = Traced {
        judge,
        subject,
        program,
        built: &built,
        toolchain: &toolchain,
        settings: &slower,
    };
    let mut ran = Vec::new();
    let mut dropped = Dropped::default();
    for (case, executed) in originals {
        match once(&traced, &original, &case, &executed) {
            Ok(run) => ran.push((case, run)),
            Err(stop) => dropped.add(stop)?,
        }
    }
    let ran = match dropped.unless(ran.is_empty()) {
        Some(rejection) => return Err(rejection.into()),
        None => informative::choose(subject, ran)?,
    };
    let mut steady = Vec::new();
    let mut dropped = Dropped::default();
    for (case, run) in ran {
        match steady::vary(&traced, &case, &run) {
            Ok(circumstances) => steady.push((case, run, circumstances)),
            Err(stop) => dropped.add(stop)?,
        }
    }
    if let Some(rejection) = dropped.unless(steady.is_empty()) {
        return Err(rejection.into());
    }
    // A run that depends on something is no company for one that does not.
    if steady
        .iter()
        .any(|(.., circumstances)| !circumstances.pinned)
    {
        steady.retain(|(.., circumstances)| !circumstances.pinned);
    }
    let mut circumstances = steady::Circumstances::default();
    let mut ran = Vec::new();
    for (case, run, found) in steady {
        circumstances.add(found);
        ran.push((case, run));
    }
    let probes = program
        .sources
        .iter()
        .map(|source| source.instrumented.probes());
    let (placed, shed) = probes.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let mut example = Example {
        spec: subject.spec,
        files: texts(subject),
        driver: subject.driver.as_ref().map(|(text, _)| text.clone()),
        driver_begins: subject.driver.as_ref().map_or(0, |(_, begins)| *begins),
        libraries: subject.libraries(),
        source: subject.source.clone(),
        instrumented: subject.instrumented(program),
        written: None,
        image: toolchain
            .image
            .as_ref()
            .map(|image| image.digest.to_string()),
        toolchain: toolchain.found.version.clone(),
        limits: settings.limits.clone(),
        runs: ran
            .into_iter()
            .map(|(case, run)| Ran {
                case,
                trace: run.trace,
                stdout: String::from_utf8_lossy(&run.executed.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&run.executed.stderr).into_owned(),
                exit_code: run.executed.outcome.exit_status(),
            })
            .collect(),
        checks: Checks {
            error_nodes: errors,
            probes: placed - shed,
            probes_shed: shed,
            pinned: circumstances.pinned,
            varied: circumstances.varied,
            causes: circumstances.causes,
        },
    };
    if judge.options.view == View::Probes {
        let written = written::written(judge, subject, &toolchain, &example.runs)?;
        example.written = Some(written);
    }
    Ok(example)
}

/// Runs that are left out, and why the first of them is.
#[derive(Default)]
struct Dropped(Option<Rejection>);

impl Dropped {
    /// An error is the machine's.
    fn add(&mut self, stop: Stop) -> Result<(), Stop> {
        match stop {
            Stop::Rejected(rejection) | Stop::Unbuilt(rejection, _) => {
                self.0.get_or_insert(rejection);
                Ok(())
            }
            Stop::Machine(error) => Err(Stop::Machine(error)),
        }
    }

    /// Why nothing is left, where nothing is.
    fn unless(self, nothing: bool) -> Option<Rejection> {
        self.0.filter(|_| nothing)
    }
}

/// Runs a case traced and compares it with the original.
fn once(
    traced: &Traced<'_>,
    original: &Built,
    case: &Case,
    executed: &Executed,
) -> Result<Run, Stop> {
    let (program, toolchain) = (traced.program, traced.toolchain);
    let run = traced.run(&with_case(traced.settings, case), Stage::RunTraced)?;
    let noise = program.toolchain.noise;
    if let Some((what, detail)) = difference(executed, &run.executed, noise) {
        let again = |settings: &Settings| original.run(program, toolchain, settings);
        let case = with_case(&traced.subject.settings, case);
        return Err(match unsteady(executed, &case, again, noise)? {
            None => Rejection::new(Reason::Differs, format!("{what}: {detail}")),
            // What it was this time says nothing, and is another the next time.
            Some(cause) => Rejection::new(
                Reason::Nondeterministic,
                format!("{cause}: {what} of the original"),
            ),
        }
        .into());
    }
    let coverage = &run.trace.coverage;
    if !coverage.trace_invalid.is_empty() {
        return Err(Rejection::new(Reason::TraceInvalid, coverage.notes.join("; ")).into());
    }
    Ok(run)
}

fn texts(subject: &Subject) -> Vec<(String, String)> {
    let files = subject.files.iter();
    files
        .map(|(name, text)| (name.clone(), String::from_utf8_lossy(text).into_owned()))
        .collect()
}

/// What makes the original differ from itself, if it does.
fn unsteady(
    first: &Executed,
    settings: &Settings,
    again: impl Fn(&Settings) -> Result<Executed, tracer_engine::EngineError>,
    noise: Option<fn(&[u8]) -> Vec<u8>>,
) -> Result<Option<&'static str>, Stop> {
    for _ in 0..AGAIN {
        if difference(first, &again(settings)?, noise).is_some() {
            return Ok(Some(steady::UNNAMED));
        }
    }
    let moved = Settings {
        random_addresses: true,
        ..settings.clone()
    };
    for _ in 0..AGAIN {
        if difference(first, &again(&moved)?, noise).is_some() {
            return Ok(Some(ADDRESSES));
        }
    }
    Ok(None)
}
