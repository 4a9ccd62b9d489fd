//! Timing a program as it is and recorded, for the measurements of each language.
//!
//! All figures are for the work alone: what the same process takes for no work (start of the
//! interpreter, of the sandbox, loading the emitter) is taken off, so that a short run and a long
//! one compare.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use tracer_engine::run::{Executed, execute};
use tracer_engine::{Program, ProgramOptions, find_toolchain};
use tracer_instrument::{Found, LanguageSpec};
use tracer_model::{Budget, Detail, End, Kind, Limits};
use tracer_normalize::{Inputs, normalise};

use crate::programs;
use crate::report::{Report, count, ratio, time};
use crate::sample::{Cost, Sample, Variant, interleave};
use crate::settings::Settings;

/// Enough for every event of a measurement.
const EVERYTHING: u32 = 1 << 30;

const DETAILS: [Detail; 4] = [Detail::Calls, Detail::Lines, Detail::State, Detail::Full];

/// A level of detail, in the names of contenders.
fn name_of(detail: Detail) -> &'static str {
    match detail {
        Detail::Calls => "calls",
        Detail::Lines => "lines",
        Detail::State => "state",
        Detail::Full => "full",
    }
}

/// What to compare with, and how much work it gets.
pub(crate) struct Contender<'a> {
    /// Name and what it records.
    pub(crate) name: String,
    /// Rounds of the program's work.
    pub(crate) work: u32,
    /// Repetitions, where fewer than usual must do.
    pub(crate) at_most: Option<usize>,
    /// Runs the program with this many rounds of work.
    pub(crate) run: Box<dyn Fn(u32) -> anyhow::Result<Cost> + 'a>,
}

/// One program under one toolchain.
pub(crate) struct Subject {
    pub(crate) spec: &'static LanguageSpec,
    pub(crate) found: Found,
    /// Arguments for the compiler.
    pub(crate) flags: Vec<OsString>,
}

impl Subject {
    /// A contender that runs the program under `tracer`; `None` runs it untraced.
    pub(crate) fn contender(
        &self,
        name: &str,
        work: u32,
        traced: Option<(Detail, Budget)>,
    ) -> Contender<'_> {
        Contender {
            name: name.into(),
            work,
            at_most: None,
            run: Box::new(move |work| {
                let (executed, _) = self.execute("work", Some(work), traced.as_ref())?;
                Ok(Cost {
                    wall: executed.usage.wall.as_secs_f64(),
                    cpu: executed.usage.cpu.as_secs_f64(),
                })
            }),
        }
    }

    /// Runs a program in the sandbox; any other end than success is an error.
    pub(crate) fn execute(
        &self,
        program: &str,
        work: Option<u32>,
        traced: Option<&(Detail, Budget)>,
    ) -> anyhow::Result<(Executed, Program)> {
        let path = programs::program(self.spec, program);
        let detail = traced.map(|(detail, _)| *detail);
        let options = ProgramOptions {
            detail: detail.unwrap_or_default(),
            ..ProgramOptions::default()
        };
        let mut program = Program::load(&path, &options)?;
        let mut settings = tracer_engine::Settings::new()?;
        settings.cwd = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        settings.args = work.iter().map(|work| work.to_string().into()).collect();
        settings.compiler_flags.clone_from(&self.flags);
        // The channel's pages are charged to the subject, and no program here needs a limit.
        settings.limits = Limits {
            memory: None,
            cpu: None,
            wall: None,
            ..Limits::default()
        };
        if let Some((_, budget)) = traced {
            settings.budget = budget.clone();
        }
        let executed = execute(&mut program, &self.found.clone().into(), &settings, detail)?;
        if executed.outcome.end != (End::Exited { code: 0 }) {
            let said = String::from_utf8_lossy(&executed.stderr);
            bail!(
                "{} ended with {:?}: {said}",
                path.display(),
                executed.outcome.end
            );
        }
        Ok((executed, program))
    }

    /// The language's program, on this machine's toolchain.
    pub(crate) fn of(language: &str, flags: &[&str]) -> anyhow::Result<Self> {
        let spec = programs::language(language)?;
        Ok(Self {
            spec,
            found: find_toolchain(spec)?,
            flags: flags.iter().map(Into::into).collect(),
        })
    }

    /// The untraced program and its usual levels of detail: with the default budget for `long`
    /// rounds of work, and with every event kept for `middle` rounds.
    pub(crate) fn levels(&self, long: u32, middle: u32) -> Vec<Contender<'_>> {
        let usual = [Detail::Lines, Detail::State, Detail::Full];
        self.levels_of((long, &usual), (middle, &usual))
    }

    /// The same at the levels given: rounds and levels with the default budget, then with every
    /// event kept.
    pub(crate) fn levels_of(
        &self,
        bounded: (u32, &[Detail]),
        kept: (u32, &[Detail]),
    ) -> Vec<Contender<'_>> {
        let mut contenders = vec![self.contender("untraced", bounded.0, None)];
        for &detail in bounded.1 {
            let name = format!("tracer, {}", name_of(detail));
            let traced = Some((detail, Budget::default()));
            contenders.push(self.contender(&name, bounded.0, traced));
        }
        for &detail in kept.1 {
            let name = format!("tracer, {}, all", name_of(detail));
            contenders.push(self.contender(&name, kept.0, Some((detail, everything()))));
        }
        contenders
    }

    /// Runs the contenders and writes the table.
    pub(crate) fn compare(
        &self,
        settings: &Settings,
        report: &mut Report,
        contenders: &[Contender<'_>],
    ) -> anyhow::Result<()> {
        let samples = contest(settings.rounds(5), contenders)?;
        let events = self.events_of(contenders, report);
        table(report, &samples, &events);
        Ok(())
    }

    /// Events a round of the contenders that keep every event, by the detail in their names.
    pub(crate) fn events_of(
        &self,
        contenders: &[Contender<'_>],
        report: &mut Report,
    ) -> Vec<Option<f64>> {
        let mut count = |name: &str| {
            let level = name.strip_prefix("tracer, ")?.strip_suffix(", all")?;
            let detail = DETAILS
                .into_iter()
                .find(|detail| name_of(*detail) == level)?;
            self.events_a_round(detail)
                .inspect_err(|error| report.skip(&format!("events of {name}"), &error.to_string()))
                .ok()
        };
        contenders
            .iter()
            .map(|contender| count(&contender.name))
            .collect()
    }

    /// Events that one round of the work makes at this detail.
    pub(crate) fn events_a_round(&self, detail: Detail) -> anyhow::Result<f64> {
        const ROUNDS: u32 = 20;
        let events = |work| -> anyhow::Result<usize> {
            let traced = (detail, everything());
            let (executed, program) = self.execute("work", Some(work), Some(&traced))?;
            events(&executed, &program, &traced)
        };
        Ok((events(ROUNDS)? - events(0)?) as f64 / f64::from(ROUNDS))
    }
}

/// A budget that no measured program uses up.
pub(crate) fn everything() -> Budget {
    Budget {
        events: EVERYTHING,
        bytes: EVERYTHING,
        ..Budget::default()
    }
}

/// Events in the normalised trace of a run.
pub(crate) fn events(
    executed: &Executed,
    program: &Program,
    (detail, budget): &(Detail, Budget),
) -> anyhow::Result<usize> {
    let channel = executed
        .channel
        .as_ref()
        .context("the run was not traced")?;
    let recording = channel.read(&program.table)?;
    let decoded = recording.decoded();
    let trace = normalise(Inputs {
        table: program.table.clone(),
        dropped: Vec::new(),
        decoded: &decoded,
        type_names: &program.spec.type_names,
        stdout: None,
        stderr: None,
        outcome: executed.outcome.clone(),
        limits: Limits::default(),
        budget: budget.clone(),
        detail: *detail,
        environment: tracer_model::Environment {
            language: program.spec.id.into(),
            toolchain: String::new(),
            tracer: String::new(),
            isolation: String::new(),
            image: None,
            args: Vec::new(),
        },
        protections: Vec::new(),
        notes: Vec::new(),
    });
    let notes = trace.coverage.notes.join("; ");
    ensure!(notes.is_empty(), "the trace is not whole: {notes}");
    let left_out = trace
        .events
        .iter()
        .filter(|event| event.kind == Kind::Elide)
        .count();
    ensure!(left_out == 0, "{left_out} sites are not recorded in full");
    Ok(trace.events.len())
}

/// Times the contenders in turns, each with and without work; gives the net cost of one round.
pub(crate) fn contest(rounds: usize, contenders: &[Contender<'_>]) -> anyhow::Result<Vec<Sample>> {
    let mut variants = Vec::new();
    for contender in contenders {
        for work in [contender.work, 0] {
            let run = move || (contender.run)(work);
            let mut variant = Variant::timing_itself(contender.name.clone(), run);
            if let Some(most) = contender.at_most {
                variant = variant.at_most(most);
            }
            variants.push(variant);
        }
    }
    let samples = interleave(rounds, variants)?;
    Ok(samples
        .chunks_exact(2)
        .zip(contenders)
        .map(|(pair, contender)| pair[0].without(&pair[1]).per(f64::from(contender.work)))
        .collect())
}

/// The table of a contest; the first contender is the untraced program. `events` are those of one
/// round for each contender, where they are known.
pub(crate) fn table(report: &mut Report, samples: &[Sample], events: &[Option<f64>]) {
    let base = &samples[0];
    let rows: Vec<Vec<String>> = samples
        .iter()
        .zip(events)
        .map(|(sample, events)| {
            let each =
                events.map(|events| (sample.least_cpu() - base.least_cpu()).max(0.0) / events);
            vec![
                sample.name.clone(),
                time(sample.median()),
                time(sample.least()),
                ratio(sample.median(), base.median()),
                ratio(sample.least(), base.least()),
                ratio(sample.least_cpu(), base.least_cpu()),
                events.map_or_else(String::new, |events| format!("{events:.0}")),
                each.map_or_else(String::new, time),
                each.map_or_else(String::new, |each| count(1.0 / each)),
            ]
        })
        .collect();
    let head = [
        "",
        "median",
        "least",
        "× median",
        "× least",
        "× processor",
        "events",
        "an event",
        "events/s",
    ];
    report.table(&head, &rows);
}
