//! The second way to an answer: the program is run again, as it is and traced.

use std::path::Path;

use tempfile::TempDir;
use tracer_engine::alone::PLACE;
use tracer_engine::check::allowing;
use tracer_engine::{Built, EngineError, ProgramOptions, Settings, Toolchain, choose_toolchain};
use tracer_model::{Detail, Trace};
use tracer_sandbox::Stdin;
use tracer_view::jsonl;

use crate::programs::{Program, Run};

/// A program built both ways, ready for its runs.
pub(crate) struct Verifier {
    original: Built,
    traced: Built,
    program: tracer_engine::Program,
    plain: tracer_engine::Program,
    toolchain: Toolchain,
    settings: Settings,
    _folder: TempDir,
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
        let folder = lay_out(program)?;
        let mut settings = settings.clone().standing_at(PLACE, folder.path());
        settings.budget = budget.budget.clone();
        let options = ProgramOptions {
            detail: Detail::State,
            language: Some(program.language.clone()),
            ..ProgramOptions::default()
        };
        let files = program.in_order();
        let mut plain = tracer_engine::Program::standing_alone(Path::new(PLACE), &files, &options)?;
        plain.enter(&settings)?;
        let mut traced = plain.clone();
        let toolchain = choose_toolchain(&plain, &settings)?;
        let original = Built::new(&mut plain, &toolchain, &settings, None)?;
        let built = Built::new(
            &mut traced,
            &toolchain,
            &allowing(&settings),
            Some(Detail::State),
        )?;
        if original.failed().is_some() || built.failed().is_some() {
            return Ok(None);
        }
        Ok(Some(Self {
            original,
            traced: built,
            program: traced,
            plain,
            toolchain,
            settings,
            _folder: folder,
        }))
    }

    pub(crate) fn again(&self, run: &Run) -> Result<Again, EngineError> {
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
                .chain(
                    run.environment
                        .iter()
                        .map(|(name, value)| (name.into(), value.into())),
                )
                .collect(),
            ..self.settings.clone()
        };
        let original = self.original.run(&self.plain, &self.toolchain, &settings)?;
        let slower = allowing(&settings);
        let executed = self.traced.run(&self.program, &self.toolchain, &slower)?;
        let trace = self
            .traced
            .trace(&self.program, &self.toolchain, &slower, &executed)?;
        Ok(Again {
            stdout: String::from_utf8_lossy(&original.stdout).into_owned(),
            status: original.outcome.exit_status(),
            trace,
        })
    }
}

/// A run's trace, as it stands in the row.
pub(crate) fn trace_of(run: &Run) -> Option<Trace> {
    jsonl::read(run.trace.as_bytes()).ok()
}

/// The program's files, and those that its runs read, in a folder of their own.
fn lay_out(program: &Program) -> Result<TempDir, EngineError> {
    let made = |source| EngineError::System {
        what: "lay out a program",
        source,
    };
    let folder = TempDir::with_prefix("tracer-").map_err(made)?;
    let beside = program.runs.iter().flat_map(|run| &run.files);
    for (name, text) in beside.chain(&program.files) {
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
