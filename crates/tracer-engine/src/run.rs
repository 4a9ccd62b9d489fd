//! Builds and runs a program, traced or as it is, in the sandbox.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracer_image::Store;
use tracer_model::{
    Budget, Detail, Dropped, End, Environment, Limits, Outcome, Protection, Trace, Usage,
};
use tracer_sandbox::{
    Beginning, Cancel, Change, Copied, Finished, Isolation, Profile, Stdin, Stream, UPTIME,
};

use crate::channel::Channel;
use crate::toolchain::{Origin, Toolchain};
use crate::{Built, EngineError, Program, ProgramOptions, Warm, choose_toolchain, libraries, wasm};

/// How a program is run, traced or not.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Arguments after the file name.
    pub args: Vec<OsString>,
    /// Variables added to the fixed environment.
    pub env: Vec<(OsString, OsString)>,
    /// Working directory.
    pub cwd: PathBuf,
    /// What the subject reads.
    pub stdin: Stdin,
    /// Where its stdout goes.
    pub stdout: Stream,
    /// Where its stderr goes.
    pub stderr: Stream,
    /// Bounds on the run.
    pub limits: Limits,
    /// Bounds on the build.
    pub build_limits: Limits,
    /// Back end.
    pub isolation: Isolation,
    /// How strict the walls are.
    pub profile: Profile,
    /// Recording bounds.
    pub budget: Budget,
    /// Extra arguments for the compiler.
    pub compiler_flags: Vec<OsString>,
    /// Further host folders the subject may read.
    pub roots: Vec<PathBuf>,
    /// Folders of this machine whose copies stand somewhere else inside, for programs that
    /// [stand alone](Program::standing_alone). The working directory may lie in one. They need
    /// walls.
    pub copies: Vec<Copied>,
    /// Whether memory is laid out anew in each run.
    pub random_addresses: bool,
    /// Processes that were there before the subject, which give it another process number.
    pub earlier: u32,
    /// What the monotonic clocks say when the subject starts, in seconds.
    pub uptime: u32,
    /// What runs may take over from earlier ones. It makes them begin sooner, and no other
    /// difference.
    pub warm: Option<Arc<Warm>>,
    /// Where the toolchain comes from.
    pub toolchain: Origin,
    /// Folder of the image store; the user's own when `None`.
    pub store: Option<PathBuf>,
    /// Ends builds and runs from outside.
    pub cancel: Cancel,
}

impl Settings {
    /// Defaults, in the current directory, on this machine's toolchain, with empty input and
    /// captured output.
    pub fn new() -> Result<Self, EngineError> {
        let cwd = std::env::current_dir().map_err(|source| EngineError::System {
            what: "find the working directory",
            source,
        })?;
        Ok(Self {
            args: Vec::new(),
            env: Vec::new(),
            cwd,
            stdin: Stdin::Null,
            stdout: Stream::Capture,
            stderr: Stream::Capture,
            limits: Limits::default(),
            build_limits: Limits {
                cpu: None,
                ..Limits::default()
            },
            isolation: Isolation::Native,
            profile: Profile::Compat,
            budget: Budget::default(),
            compiler_flags: Vec::new(),
            roots: Vec::new(),
            copies: Vec::new(),
            random_addresses: false,
            earlier: 0,
            uptime: UPTIME,
            warm: None,
            toolchain: Origin::Host,
            store: None,
            cancel: Cancel::default(),
        })
    }

    /// The image store.
    pub fn store(&self) -> Result<Store, EngineError> {
        match &self.store {
            Some(folder) => Ok(Store::at(folder)),
            None => Ok(Store::open()?),
        }
    }
}

/// What a traced run is asked for.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How to load the program.
    pub program: ProgramOptions,
    /// How to run it.
    pub settings: Settings,
}

/// How a run, traced or not, came out.
#[derive(Debug)]
pub struct Executed {
    /// How it ended.
    pub outcome: Outcome,
    /// Captured stdout.
    pub stdout: Vec<u8>,
    /// Captured stderr.
    pub stderr: Vec<u8>,
    /// What it consumed.
    pub usage: Usage,
    /// What protected the machine.
    pub protections: Vec<Protection>,
    /// Files it created, changed or deleted.
    pub changes: Vec<Change>,
    /// Probes that the compiler refused.
    pub shed: Vec<Dropped>,
    /// What the language said of this way of running.
    pub notes: Vec<String>,
    /// What it took over from earlier runs.
    pub beginning: Beginning,
    /// The channel, where the run was traced.
    pub channel: Option<Channel>,
}

/// A traced run.
#[derive(Debug)]
pub struct Recorded {
    /// The normalised trace.
    pub trace: Trace,
    /// The run itself.
    pub executed: Executed,
    /// What it ran on.
    pub toolchain: Toolchain,
}

/// Instruments, builds, runs and normalises one program.
pub fn trace(path: &Path, options: &RunOptions) -> Result<Recorded, EngineError> {
    record(Program::load(path, &options.program)?, options)
}

/// Builds, runs and normalises a program that was loaded.
pub(crate) fn record(mut program: Program, options: &RunOptions) -> Result<Recorded, EngineError> {
    wasm::enter(&mut program, &options.settings)?;
    let toolchain = choose_toolchain(&program, &options.settings)?;
    let executed = execute(
        &mut program,
        &toolchain,
        &options.settings,
        Some(options.program.detail),
    )?;
    let detail = options.program.detail;
    let trace = normalise(&program, &toolchain, &options.settings, detail, &executed)?;
    Ok(Recorded {
        trace,
        executed,
        toolchain,
    })
}

pub(crate) fn normalise(
    program: &Program,
    toolchain: &Toolchain,
    settings: &Settings,
    detail: Detail,
    executed: &Executed,
) -> Result<Trace, EngineError> {
    let mut notes = executed.notes.clone();
    notes.extend(toolchain.libraries.notes());
    let recording = executed
        .channel
        .as_ref()
        .map(|channel| channel.read(&program.table))
        .transpose()?;
    let decoded = match &recording {
        Some(recording) => {
            notes.extend_from_slice(recording.notes());
            recording.decoded()
        }
        None => {
            notes.push(match executed.outcome.end {
                End::BuildFailed { .. } => "nothing ran, so nothing was recorded".to_owned(),
                _ => "the program ran without an emitter, so nothing was recorded".to_owned(),
            });
            tracer_stream::Decoded::default()
        }
    };
    if executed.channel.is_some() && !program.table.sites.is_empty() && !decoded.reported() {
        notes.push(
            "no probe reported: only declarations ran, or the program ran without its probes"
                .to_owned(),
        );
    }
    notes.extend(libraries::calls_left(program));
    let mut dropped = program.dropped.clone();
    dropped.extend(executed.shed.iter().cloned());
    let mut trace = tracer_normalize::normalise(tracer_normalize::Inputs {
        table: program.table.clone(),
        dropped,
        decoded: &decoded,
        type_names: &program.spec.type_names,
        stdout: (settings.stdout == Stream::Capture).then_some(&executed.stdout[..]),
        stderr: (settings.stderr == Stream::Capture).then_some(&executed.stderr[..]),
        outcome: executed.outcome.clone(),
        limits: settings.limits.clone(),
        budget: settings.budget.clone(),
        detail,
        environment: Environment {
            language: program.spec.id.into(),
            toolchain: toolchain.found.version.clone(),
            image: toolchain
                .image
                .as_ref()
                .map(|image| image.digest.to_string()),
            tracer: env!("CARGO_PKG_VERSION").into(),
            isolation: isolation_name(settings.isolation).into(),
            args: settings
                .args
                .iter()
                .map(|arg| arg.to_string_lossy().into_owned())
                .collect(),
        },
        protections: executed.protections.clone(),
        notes,
    });
    libraries::name_packages(program, toolchain, &mut trace);
    Ok(trace)
}

/// Builds (where the language needs it) and runs. `traced` is the detail level, or `None` for the
/// original program.
pub fn execute(
    program: &mut Program,
    toolchain: &Toolchain,
    settings: &Settings,
    traced: Option<Detail>,
) -> Result<Executed, EngineError> {
    Built::new(program, toolchain, settings, traced)?.run(program, toolchain, settings)
}

fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::None => "none",
        Isolation::Wasm => "wasm",
        _ => "native",
    }
}

impl From<Finished> for Executed {
    fn from(finished: Finished) -> Self {
        Self {
            outcome: finished.outcome,
            stdout: finished.stdout,
            stderr: finished.stderr,
            usage: finished.usage,
            protections: finished.protections,
            changes: finished.changes,
            shed: Vec::new(),
            notes: Vec::new(),
            beginning: finished.beginning,
            channel: None,
        }
    }
}
