//! A program of the corpus alone in a folder of its own, run traced and as it is.
//!
//! The folder inside is the same on every machine, so that no path differs. A run is believed only
//! if it is the same under other circumstances: the rule is the engine's.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path};

use tracer_engine::alone::PLACE;
use tracer_engine::check::{allowing, difference};
use tracer_engine::circumstances::{ELSEWHERE, ROUNDS};
use tracer_engine::languages::LanguageSpec;
use tracer_engine::{
    Built, EngineError, Executed, Program, ProgramOptions, Settings, Toolchain, choose_toolchain,
};
use tracer_model::{Detail, End, Event, Payload, Trace};
use tracer_sandbox::Stdin;

use crate::items::Given;

/// Why a program is not used.
pub(crate) type Reason = &'static str;

/// That of the machine, which says nothing of the program.
pub(crate) const MACHINE: Reason = "not run";

/// How often it is tried again for that.
const AGAIN: usize = 2;

/// A program in a folder.
pub(crate) struct Subject<'s> {
    pub(crate) spec: &'static LanguageSpec,
    pub(crate) name: &'s str,
    settings: Settings,
    base: &'s Settings,
    folder: tempfile::TempDir,
}

/// A run that is always the same.
pub(crate) struct Observed {
    pub(crate) given: Given,
    pub(crate) trace: Trace,
    pub(crate) stdout: Vec<u8>,
    /// Whether it adds something to the runs before it; the others are not proved.
    pub(crate) chosen: bool,
}

/// A text of it, built in one of the two places.
struct Standing<'s> {
    program: Program,
    toolchain: Toolchain,
    built: Built,
    settings: Settings,
    spec: &'s LanguageSpec,
}

impl Standing<'_> {
    fn run(&self, given: &Given, settings: &Settings) -> Result<Executed, Reason> {
        let settings = with(settings, given);
        self.built
            .run(&self.program, &self.toolchain, &settings)
            .map_err(|error| reason(&error))
    }

    fn trace(&self, given: &Given, executed: &Executed) -> Result<Trace, Reason> {
        let settings = with(&self.settings, given);
        self.built
            .trace(&self.program, &self.toolchain, &settings, executed)
            .map_err(|error| reason(&error))
    }

    /// What two runs differ in that a program can do anything about.
    fn differ(&self, one: &Executed, other: &Executed) -> bool {
        difference(one, other, self.program.toolchain.noise).is_some()
    }

    /// Whether two runs agree in all that is asked about. What stands on stderr is not: messages of
    /// errors name folders and threads.
    fn same(&self, one: (&Executed, &Trace), other: (&Executed, &Trace)) -> bool {
        let what = difference(one.0, other.0, self.program.toolchain.noise);
        let asked = |event: &&Event| !matches!(event.payload, Payload::Stdout { stream: 2, .. });
        what.is_none_or(|(what, _)| what == "stderr")
            && one.1.outcome == other.1.outcome
            && (one.1.events.iter().filter(asked)).eq(other.1.events.iter().filter(asked))
    }

    fn is_compiled(&self) -> bool {
        self.program.toolchain.diagnostics.is_some()
    }

    fn varied(&self, round: usize) -> Settings {
        self.settings.varied(self.spec, round)
    }
}

fn reason(error: &EngineError) -> Reason {
    match error {
        EngineError::Refused { .. } => "not instrumented",
        EngineError::NoToolchain { .. }
        | EngineError::StrangeToolchain { .. }
        | EngineError::Image(_)
        | EngineError::NotInImage { .. } => "no toolchain",
        _ => MACHINE,
    }
}

/// Does it again where the machine, not the program, did not do its part.
pub(crate) fn again<T>(mut run: impl FnMut() -> Result<T, Reason>) -> Result<T, Reason> {
    let mut result = run();
    for _ in 0..AGAIN {
        if !matches!(result, Err(MACHINE)) {
            break;
        }
        result = run();
    }
    result
}

fn with(settings: &Settings, given: &Given) -> Settings {
    Settings {
        args: given.args.iter().map(OsString::from).collect(),
        stdin: if given.stdin.is_empty() {
            Stdin::Null
        } else {
            Stdin::Bytes(given.stdin.clone().into_bytes())
        },
        ..settings.clone()
    }
}

/// Whether it ended by itself.
fn ended(executed: &Executed) -> bool {
    matches!(
        executed.outcome.end,
        End::Exited { .. } | End::Signaled { .. }
    )
}

/// Whether parts of it ran at the same time: that they came in one order three times proves nothing.
fn parallel(trace: &Trace) -> bool {
    let kinds = ["thread", "virtual thread", "worker", "goroutine"];
    trace.events.iter().any(|event| match &event.payload {
        Payload::Task { what, .. } => kinds.contains(&what.as_str()),
        _ => false,
    })
}

/// The arms that a run took.
fn arms(trace: &Trace) -> BTreeSet<(u32, u32)> {
    let taken = trace
        .events
        .iter()
        .filter_map(|event| match &event.payload {
            Payload::Branch { arm, .. } => Some((event.site, arm.index)),
            _ => None,
        });
    taken.collect()
}

impl<'s> Subject<'s> {
    /// Lays out a folder with these files, which runs may read; the program's own is not written
    /// yet.
    pub(crate) fn new(
        spec: &'static LanguageSpec,
        name: &'s str,
        files: &[(String, String)],
        base: &'s Settings,
    ) -> Result<Self, Reason> {
        let plain = |path: &Path| {
            let mut parts = path.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        };
        if Path::new(name).components().count() != 1 || !plain(Path::new(name)) {
            return Err("no plain file name");
        }
        let folder = tempfile::TempDir::with_prefix("tracer-eval-").map_err(|_| MACHINE)?;
        for (name, text) in files {
            let below = plain(Path::new(name));
            let path = folder.path().join(name);
            if let Some(above) = path.parent().filter(|_| below) {
                std::fs::create_dir_all(above).map_err(|_| MACHINE)?;
                std::fs::write(&path, text).map_err(|_| MACHINE)?;
            }
        }
        let settings = base.clone().standing_at(PLACE, folder.path());
        Ok(Self {
            spec,
            name,
            settings,
            base,
            folder,
        })
    }

    fn load(&self, place: &str, text: &str) -> Result<Program, Reason> {
        std::fs::write(self.folder.path().join(self.name), text).map_err(|_| MACHINE)?;
        let options = ProgramOptions {
            detail: Detail::State,
            language: Some(self.spec.id.into()),
            ..ProgramOptions::default()
        };
        let files = [(self.name.to_owned(), text.as_bytes().to_vec())];
        let mut program = Program::standing_alone(Path::new(place), &files, &options)
            .map_err(|error| reason(&error))?;
        program.enter(self.base).map_err(|error| reason(&error))?;
        Ok(program)
    }

    fn build(
        &self,
        mut program: Program,
        traced: Option<Detail>,
        settings: Settings,
    ) -> Result<Standing<'_>, Reason> {
        let toolchain = choose_toolchain(&program, &settings).map_err(|error| reason(&error))?;
        let built = Built::new(&mut program, &toolchain, &settings, traced)
            .map_err(|error| reason(&error))?;
        if built.failed().is_some() {
            return Err("does not build");
        }
        Ok(Standing {
            program,
            toolchain,
            built,
            settings,
            spec: self.spec,
        })
    }

    fn stand(&self, text: &str, traced: Option<Detail>) -> Result<Standing<'_>, Reason> {
        let settings = match traced {
            Some(_) => allowing(&self.settings),
            None => self.settings.clone(),
        };
        self.build(self.load(PLACE, text)?, traced, settings)
    }

    /// The same in the other folder; what was compiled is only started from there.
    fn elsewhere(
        &self,
        here: &Standing<'_>,
        text: &str,
        traced: Option<Detail>,
    ) -> Result<Option<Standing<'_>>, Reason> {
        if here.is_compiled() {
            return Ok(None);
        }
        let mut settings = here.settings.clone();
        settings.copies.clear();
        let settings = settings.standing_at(ELSEWHERE, self.folder.path());
        let program = self.load(ELSEWHERE, text)?;
        self.build(program, traced, settings).map(Some)
    }

    /// Runs the source with each input, chooses the runs that add something, and proves that they
    /// are always the same.
    pub(crate) fn observe(&self, text: &str, inputs: &[Given]) -> Result<Vec<Observed>, Reason> {
        let original = self.stand(text, None)?;
        let mut plain = Vec::new();
        for given in inputs {
            let executed = original.run(given, &original.settings)?;
            if self.lacks(&executed) {
                return Err("a library or command is missing");
            }
            if ended(&executed) {
                plain.push((given, executed));
            }
        }
        if plain.is_empty() {
            return Err("stopped at a limit");
        }
        let traced = self.stand(text, Some(Detail::State))?;
        let mut runs = Vec::new();
        for (given, executed) in plain {
            let run = traced.run(given, &traced.settings)?;
            if original.differ(&executed, &run) {
                return Err("differs when it is traced");
            }
            let trace = traced.trace(given, &run)?;
            if parallel(&trace) {
                return Err("runs several things at once");
            }
            if !trace.coverage.trace_invalid.is_empty() {
                return Err("no trace");
            }
            runs.push((given, run, trace));
        }
        let taken: Vec<_> = runs.iter().map(|(_, _, trace)| arms(trace)).collect();
        let chosen = tracer_drive::select(&taken);
        let away = self.elsewhere(&traced, text, Some(Detail::State))?;
        let mut kept = Vec::new();
        for (index, (given, run, trace)) in runs.into_iter().enumerate() {
            let chosen = chosen.contains(&index);
            for round in (0..ROUNDS).filter(|_| chosen) {
                let standing = away.as_ref().unwrap_or(&traced);
                let again = standing.run(given, &standing.varied(round))?;
                let other = standing.trace(given, &again)?;
                if !traced.same((&run, &trace), (&again, &other)) {
                    return Err("differs between runs");
                }
            }
            kept.push(Observed {
                given: given.clone(),
                trace,
                stdout: run.stdout,
                chosen,
            });
        }
        Ok(kept)
    }

    /// One run as it is traced: for what an answer is tried with. `None` if it does not end.
    pub(crate) fn once(&self, text: &str, given: &Given) -> Result<Option<Observed>, Reason> {
        let traced = self.stand(text, Some(Detail::Lines))?;
        let run = traced.run(given, &traced.settings)?;
        if !ended(&run) {
            return Ok(None);
        }
        Ok(Some(Observed {
            given: given.clone(),
            trace: traced.trace(given, &run)?,
            stdout: run.stdout,
            chosen: true,
        }))
    }

    /// What a source prints on stderr with each input, as it stands. If its probes print what they
    /// are to, they do so under other circumstances, too.
    pub(crate) fn printed(
        &self,
        text: &str,
        inputs: &[Given],
        wanted: &[Vec<String>],
    ) -> Result<Vec<String>, Reason> {
        let standing = self.stand(text, None)?;
        let lines = |executed: &Executed| String::from_utf8_lossy(&executed.stderr).into_owned();
        let as_wanted = |wanted: &[String], said: &str| probed(said).eq(wanted.iter());
        let mut found = Vec::new();
        for given in inputs {
            found.push(lines(&standing.run(given, &standing.settings)?));
        }
        if wanted
            .iter()
            .zip(&found)
            .all(|(wanted, said)| as_wanted(wanted, said))
        {
            let away = self.elsewhere(&standing, text, None)?;
            let standing = away.as_ref().unwrap_or(&standing);
            for (given, wanted) in inputs.iter().zip(wanted) {
                for round in 0..ROUNDS {
                    let said = lines(&standing.run(given, &standing.varied(round))?);
                    if !as_wanted(wanted, &said) {
                        return Err("probes print something else");
                    }
                }
            }
        }
        Ok(found)
    }

    /// Whether a toolchain says that something is missing: a library, a file of the project, a
    /// command.
    fn lacks(&self, executed: &Executed) -> bool {
        let said = String::from_utf8_lossy(&executed.stderr);
        said.lines().any(|line| {
            let mut known = self.spec.missing_library.iter();
            known.any(|(start, end)| {
                let rest = line.split_once(start).map(|(_, rest)| rest);
                rest.is_some_and(|rest| rest.contains(end))
            })
        })
    }
}

/// The lines that probes print.
fn probed(stderr: &str) -> impl Iterator<Item = &str> {
    stderr.lines().filter(|line| line.starts_with("TRACE:"))
}
