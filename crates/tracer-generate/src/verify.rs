//! The second way to an answer: the program is run again, as it is and traced.

use std::path::Path;

use tempfile::TempDir;
use tracer_engine::alone::PLACE;
use tracer_engine::check::allowing;
use tracer_engine::{Built, EngineError, ProgramOptions, Settings, Toolchain, choose_toolchain};
use tracer_model::{Detail, End, Trace};
use tracer_sandbox::Stdin;
use tracer_view::jsonl;

use crate::programs::{Program, Run};

/// A program that is built, as it is or traced, ready for its runs.
pub(crate) struct Subject {
    built: Built,
    program: tracer_engine::Program,
    toolchain: Toolchain,
    settings: Settings,
    _folder: TempDir,
}

/// What a run did.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: u8,
    /// Whether it was stopped, for its time or for what it used.
    pub(crate) limited: bool,
    /// Of a traced program.
    pub(crate) trace: Option<Trace>,
}

impl Subject {
    /// Builds it with the budget of a trace; `None` where it does not build. `text` stands for that
    /// of the file that is run.
    pub(crate) fn new(
        program: &Program,
        text: Option<&str>,
        budget: &Trace,
        settings: &Settings,
        detail: Option<Detail>,
    ) -> Result<Option<Self>, EngineError> {
        let mut files = program.in_order();
        if let (Some(text), Some((_, main))) = (text, files.first_mut()) {
            *main = text.as_bytes().to_vec();
        }
        let folder = lay_out(program, &files)?;
        let mut settings = settings.clone().standing_at(PLACE, folder.path());
        settings.budget = budget.budget.clone();
        let options = ProgramOptions {
            detail: detail.unwrap_or(Detail::State),
            language: Some(program.language.clone()),
            ..ProgramOptions::default()
        };
        let mut subject =
            tracer_engine::Program::standing_alone(Path::new(PLACE), &files, &options)?;
        subject.enter(&settings)?;
        let toolchain = choose_toolchain(&subject, &settings)?;
        if detail.is_some() {
            settings = allowing(&settings);
        }
        let built = Built::new(&mut subject, &toolchain, &settings, detail)?;
        Ok(built.failed().is_none().then_some(Self {
            built,
            program: subject,
            toolchain,
            settings,
            _folder: folder,
        }))
    }

    pub(crate) fn run(&self, run: &Run) -> Result<Ran, EngineError> {
        let own = run.environment.iter();
        let settings = Settings {
            args: run.args.iter().map(Into::into).collect(),
            stdin: match &run.stdin {
                Some(text) => Stdin::Bytes(text.clone().into_bytes()),
                None => Stdin::Null,
            },
            env: self
                .settings
                .env
                .iter()
                .cloned()
                .chain(own.map(|(name, value)| (name.into(), value.into())))
                .collect(),
            ..self.settings.clone()
        };
        let executed = self.built.run(&self.program, &self.toolchain, &settings)?;
        let trace = match &executed.channel {
            Some(_) => {
                let (program, toolchain) = (&self.program, &self.toolchain);
                Some(self.built.trace(program, toolchain, &settings, &executed)?)
            }
            None => None,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ran {
            stdout: text(&executed.stdout),
            stderr: text(&executed.stderr),
            status: executed.outcome.exit_status(),
            limited: matches!(executed.outcome.end, End::Limited { .. }),
            trace,
        })
    }
}

/// A program built both ways.
pub(crate) struct Verifier {
    original: Subject,
    traced: Subject,
}

/// A run that was made again.
pub(crate) struct Again {
    /// What the program as it is printed, and its exit status.
    pub(crate) stdout: String,
    pub(crate) status: u8,
    pub(crate) trace: Trace,
}

impl Verifier {
    /// Builds it; `None` where it no longer builds.
    pub(crate) fn new(
        program: &Program,
        budget: &Trace,
        settings: &Settings,
    ) -> Result<Option<Self>, EngineError> {
        let build = |detail| Subject::new(program, None, budget, settings, detail);
        let (Some(original), Some(traced)) = (build(None)?, build(Some(Detail::State))?) else {
            return Ok(None);
        };
        Ok(Some(Self { original, traced }))
    }

    /// `None` where nothing was traced.
    pub(crate) fn again(&self, run: &Run) -> Result<Option<Again>, EngineError> {
        let original = self.original.run(run)?;
        let traced = self.traced.run(run)?;
        Ok(traced.trace.map(|trace| Again {
            stdout: original.stdout,
            status: original.status,
            trace,
        }))
    }
}

/// A run's trace, as it stands in the row.
pub(crate) fn trace_of(run: &Run) -> Option<Trace> {
    jsonl::read(run.trace.as_bytes()).ok()
}

/// The program's files, and those that its runs read, in a folder of their own.
fn lay_out(program: &Program, files: &[(String, Vec<u8>)]) -> Result<TempDir, EngineError> {
    let made = |source| EngineError::System {
        what: "lay out a program",
        source,
    };
    let folder = TempDir::with_prefix("tracer-").map_err(made)?;
    let beside = program.runs.iter().flat_map(|run| &run.files);
    let beside = beside.map(|(name, text)| (name, text.as_bytes()));
    let files = files.iter().map(|(name, text)| (name, text.as_slice()));
    for (name, text) in beside.chain(files) {
        let plain = Path::new(name).components();
        let parts = plain.filter(|part| matches!(part, std::path::Component::Normal(_)));
        let path = folder.path().join(parts.collect::<std::path::PathBuf>());
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above).map_err(made)?;
        }
        std::fs::write(path, text).map_err(made)?;
    }
    Ok(folder)
}
