//! The gates that look at one row: from the text to a verified example, or a reason.

mod informative;
mod runs;
mod steady;
mod subject;
mod written;

use std::time::Instant;

use tracer_engine::alone::PLACE;
use tracer_engine::check::{describe, telling};
use tracer_engine::{EngineError, Program, ProgramOptions};
use tracer_instrument::engine;
use tracer_languages::LanguageSpec;
use tracer_model::{End, Limit};

use crate::account::{Account, Stage};
use crate::benchmark::Benchmarks;
use crate::example::Example;
use crate::ledger::{Entry, Status};
use crate::proposal::{Proposal, propose};
use crate::record::Record;
use crate::tokens::Tokens;
use crate::{BatchError, Options, Reason, detect, example, row, similar};
use serde_json::{Map, Value};
use subject::Subject;

/// Times that calls of a driver are taken out which a compiler refuses.
const REFUSALS: usize = 4;

/// Why a row goes no further.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
}

impl Rejection {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// A row that goes no further, or a machine that does not work.
pub(crate) enum Stop {
    Rejected(Rejection),
    /// The original does not build; with all that the compiler said.
    Unbuilt(Rejection, String),
    Machine(EngineError),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        let reason = match &error {
            EngineError::Sandbox(_) | EngineError::System { .. } => return Self::Machine(error),
            EngineError::Refused { .. } => Reason::Instrument,
            EngineError::NoToolchain { .. }
            | EngineError::StrangeToolchain { .. }
            | EngineError::NativeOnly { .. }
            | EngineError::NoWasm
            | EngineError::Image(_)
            | EngineError::ImageNeedsWalls
            | EngineError::EmitterBuild { .. }
            | EngineError::ModuleBuild { .. }
            | EngineError::NotInImage { .. } => Reason::Toolchain,
            EngineError::Read { .. } => Reason::Unreadable,
            EngineError::UnknownLanguage { .. } | EngineError::NoSuchLanguage { .. } => {
                Reason::Language
            }
        };
        Self::Rejected(Rejection::new(reason, describe(&error)))
    }
}

/// What a row became: what the ledger keeps of it.
pub(crate) struct Judged {
    pub(crate) entry: Entry,
    pub(crate) columns: Map<String, Value>,
}

/// All that judging needs beside the row.
pub(crate) struct Judge {
    pub(crate) options: Options,
    pub(crate) benchmarks: Benchmarks,
    pub(crate) tokens: Tokens,
    pub(crate) account: Account,
}

impl Judge {
    /// Takes one row through the gates. An error is the machine's, not the row's.
    pub(crate) fn judge(&self, record: &Record) -> Result<Judged, BatchError> {
        let started = Instant::now();
        let mut entry = Entry::of(record);
        let outcome = self.gates(record, &mut entry);
        self.account.row(started.elapsed());
        match outcome {
            Ok(columns) => Ok(Judged { entry, columns }),
            Err(Stop::Machine(error)) => Err(BatchError::Machine(error)),
            Err(
                Stop::Rejected(Rejection { reason, detail })
                | Stop::Unbuilt(Rejection { reason, detail }, _),
            ) => Ok(rejected(record, entry, reason, detail)),
        }
    }

    fn gates(&self, record: &Record, entry: &mut Entry) -> Result<Map<String, Value>, Stop> {
        let text = match &record.text {
            Ok(text) => text,
            Err(why) => return Err(Rejection::new(Reason::Unreadable, why).into()),
        };
        let spec = self.language(record, text)?;
        spec.id.clone_into(&mut entry.language);
        if text.len() > self.options.source_limit {
            let detail = format!("{} bytes", text.len());
            return Err(Rejection::new(Reason::TooLarge, detail).into());
        }
        let example = self.verify(record, spec, text)?;
        let rendering = Instant::now();
        let shown = example::show(&example, &self.options, &self.tokens)?;
        let status = Status::Candidate {
            pinned: example.checks.pinned,
            source: Box::new(similar::bands(&similar::shingles(&similar::words(text)))),
            trace: Box::new(similar::bands(&informative::shape(&example))),
            benchmark: self.benchmarks.shared(text),
        };
        entry.status = status;
        let columns = row::columns(record, &entry.id, &example, &shown, self.options.view);
        self.account.add(Stage::Render, rendering.elapsed());
        Ok(columns)
    }

    fn language(&self, record: &Record, text: &str) -> Result<&'static LanguageSpec, Rejection> {
        let column = self.options.language.as_ref().or(record.language.as_ref());
        detect::detect(column.map(String::as_str), record.path(), text).ok_or_else(|| {
            let detail = column.map_or_else(
                || "neither its name nor its text is that of a known language".to_owned(),
                |name| format!("the row says {name}"),
            );
            Rejection::new(Reason::Language, detail)
        })
    }

    /// Takes the program through the gates with all that was found for it; what of that does not
    /// work is left out, down to the file as it stands.
    fn verify(
        &self,
        record: &Record,
        spec: &'static LanguageSpec,
        text: &str,
    ) -> Result<Example, Stop> {
        let name = subject::name(record, spec);
        let mut proposal = propose(spec, &name, text);
        let mut rounds = REFUSALS;
        let driven = loop {
            if proposal.driver.is_none() {
                break None;
            }
            match self.attempt(spec, text, &proposal) {
                Err(Stop::Unbuilt(rejection, said)) => {
                    let lines = refused(spec, &proposal.files[0].0, &said);
                    let less = proposal.without(text, &lines);
                    let less = less.filter(|_| rounds > 0 && !lines.is_empty());
                    match less {
                        Some(less) => proposal = less,
                        None => break Some(rejection),
                    }
                    rounds -= 1;
                }
                Err(Stop::Rejected(rejection)) if !rejection.reason.is_of_surroundings() => {
                    break Some(rejection);
                }
                done => return done,
            }
        };
        let why = match &driven {
            Some(Rejection { reason, detail }) => {
                proposal = Proposal::plain(&name, text);
                format!("; with a driver: {}: {detail}", reason.name())
            }
            None if proposal.undriven.is_empty() => String::new(),
            None => format!("; no driver: {}", proposal.undriven),
        };
        let done = self.attempt(spec, text, &proposal);
        done.map_err(|stop| match stop {
            Stop::Rejected(mut rejection) | Stop::Unbuilt(mut rejection, _) => {
                rejection.detail.push_str(&why);
                Stop::Rejected(rejection)
            }
            Stop::Machine(error) => Stop::Machine(error),
        })
    }

    /// Runs it as it is, traced, and traced under other circumstances.
    fn attempt(
        &self,
        spec: &'static LanguageSpec,
        text: &str,
        proposal: &Proposal,
    ) -> Result<Example, Stop> {
        let subject = Subject::new(spec, text, proposal, &self.options.settings)?;
        let options = ProgramOptions {
            language: Some(spec.id.to_owned()),
            ..ProgramOptions::default()
        };
        let started = Instant::now();
        let mut program = subject.program(PLACE, &options)?;
        let reparsed = reparsed(&program);
        self.account.add(Stage::Instrument, started.elapsed());
        let errors = reparsed?;
        runs::verify(self, &subject, &mut program, errors)
    }

    pub(crate) fn timed<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        self.account.add(stage, started.elapsed());
        done
    }
}

/// A row that ends here, with the columns of rejected rows.
pub(crate) fn rejected(
    record: &Record,
    mut entry: Entry,
    reason: Reason,
    detail: String,
) -> Judged {
    let columns = row::rejected(record, &entry, reason, &detail);
    entry.status = Status::Rejected { reason, detail };
    Judged { entry, columns }
}

impl Entry {
    /// The entry of a row of which nothing is known.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            at: record.at,
            key: record.key(),
            language: String::new(),
            id: row::id(record),
            repository: record.repository().to_owned(),
            license: record.license(),
            status: Status::Rejected {
                reason: Reason::Failed,
                detail: String::new(),
            },
        }
    }
}

/// The parse gates: something must be left to report, and no rewritten text may have more error
/// nodes than its original. Gives the originals'.
fn reparsed(program: &Program) -> Result<u32, Rejection> {
    let before = program.sources.iter();
    let before: u32 = before.map(|source| source.instrumented.errors).sum();
    if program.table.sites.is_empty() {
        return Err(match before {
            0 => Rejection::new(Reason::Instrument, "nothing in it would report anything"),
            n => Rejection::new(Reason::Parse, format!("{n} places the parser cannot read")),
        });
    }
    for source in &program.sources {
        let options = tracer_instrument::Options {
            grammar: program.spec.grammar_of(&source.path),
            ..tracer_instrument::Options::default()
        };
        let before = source.instrumented.errors;
        let text = &source.instrumented.rewritten.text;
        let after = engine::instrument(program.spec, text, &options).map(|again| again.errors);
        match after {
            Ok(after) if after <= before => {}
            Ok(after) => {
                return Err(Rejection::new(
                    Reason::Reparse,
                    format!("{after} places that cannot be read after rewriting, {before} before"),
                ));
            }
            Err(error) => return Err(Rejection::new(Reason::Reparse, error.to_string())),
        }
    }
    Ok(before)
}

/// Lines of a file that a compiler refused, each once.
fn refused(spec: &LanguageSpec, name: &str, said: &str) -> Vec<u32> {
    let Some(read) = spec.toolchain.diagnostics else {
        return Vec::new();
    };
    let errors = read(said);
    let of_file = errors.iter().filter(|(path, ..)| path.ends_with(name));
    let lines: std::collections::BTreeSet<u32> = of_file.map(|(_, line, _)| *line).collect();
    lines.into_iter().collect()
}

/// A line of output as it may stand in a detail: bounded, and without names of scratch folders.
pub(crate) fn shown(line: &str) -> String {
    let words = line
        .trim()
        .split(' ')
        .map(|word| match word.find("/tmp/tracer-") {
            Some(at) => format!("{}…", &word[..at]),
            None => word.to_owned(),
        });
    let line: Vec<String> = words.collect();
    line.join(" ").chars().take(200).collect()
}

/// What the original's end means for the row.
pub(crate) fn fate(end: &End) -> Option<Rejection> {
    match end {
        End::BuildFailed { diagnostics, .. } => {
            Some(Rejection::new(Reason::Build, shown(telling(diagnostics))))
        }
        End::Limited {
            limit: Limit::Wall | Limit::Cpu,
        } => Some(Rejection::new(Reason::Timeout, "")),
        End::Limited { limit } => Some(Rejection::new(
            Reason::Limit,
            format!("{limit:?}").to_lowercase(),
        )),
        End::Exited { .. } | End::Signaled { .. } => None,
    }
}
