//! Builds and runs a program, traced or as it is, in the sandbox.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tracer_instrument::{Found, Plan, PlanRequest, PlanSource};
use tracer_model::{
    Budget, Detail, Dropped, End, Environment, Limits, Outcome, Protection, Trace, Usage,
};
use tracer_sandbox::{
    Access, Body, CHANNEL_FD, Change, Finished, Folder, Inject, Isolation, Request, Stdin, Stream,
};

use crate::channel::Channel;
use crate::{EngineError, Program, ProgramOptions, cache, find_toolchain, mirror, shed};

/// Where the emitter and other private files stand inside the sandbox.
const PRIVATE: &str = "/run/tracer";

/// Bytes of compiler output kept.
const DIAGNOSTICS_LIMIT: usize = 16 * 1024;

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
    /// Recording bounds.
    pub budget: Budget,
    /// Extra arguments for the compiler.
    pub compiler_flags: Vec<OsString>,
    /// Further host folders the subject may read.
    pub roots: Vec<PathBuf>,
    /// Whether memory is laid out anew in each run.
    pub random_addresses: bool,
}

impl Settings {
    /// Defaults, in the current directory, with empty input and captured output.
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
            budget: Budget::default(),
            compiler_flags: Vec::new(),
            roots: Vec::new(),
            random_addresses: false,
        })
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
}

/// Instruments, builds, runs and normalises one program.
pub fn trace(path: &Path, options: &RunOptions) -> Result<Recorded, EngineError> {
    let mut program = Program::load(path, &options.program)?;
    let found = find_toolchain(program.spec)?;
    let executed = execute(
        &mut program,
        &found,
        &options.settings,
        Some(options.program.detail),
    )?;
    let trace = normalise(program, &found, options, &executed)?;
    Ok(Recorded { trace, executed })
}

fn normalise(
    program: Program,
    found: &Found,
    options: &RunOptions,
    executed: &Executed,
) -> Result<Trace, EngineError> {
    let settings = &options.settings;
    let mut notes = Vec::new();
    let region = executed
        .channel
        .as_ref()
        .map(Channel::read)
        .transpose()?
        .unwrap_or_default();
    let decoded = match &executed.channel {
        Some(channel) => tracer_stream::decode(&region, channel.layout()),
        None => {
            notes.push("nothing ran, so nothing was recorded".to_owned());
            tracer_stream::Decoded::default()
        }
    };
    if executed.channel.is_some() && !program.table.sites.is_empty() && !decoded.reported() {
        notes.push(
            "no probe reported: only declarations ran, or the program ran without its probes"
                .to_owned(),
        );
    }
    let mut dropped = program.dropped;
    dropped.extend(executed.shed.iter().cloned());
    Ok(tracer_normalize::normalise(tracer_normalize::Inputs {
        table: program.table,
        dropped,
        decoded: &decoded,
        type_names: &program.spec.type_names,
        stdout: (settings.stdout == Stream::Capture).then_some(&executed.stdout[..]),
        stderr: (settings.stderr == Stream::Capture).then_some(&executed.stderr[..]),
        outcome: executed.outcome.clone(),
        limits: settings.limits.clone(),
        budget: settings.budget.clone(),
        detail: options.program.detail,
        environment: Environment {
            language: program.spec.id.into(),
            toolchain: found.version.clone(),
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
    }))
}

/// Builds (where the language needs it) and runs. `traced` is the detail level, or `None` for the
/// original program.
pub fn execute(
    program: &mut Program,
    found: &Found,
    settings: &Settings,
    traced: Option<Detail>,
) -> Result<Executed, EngineError> {
    let scratch = TempDir::with_prefix("tracer-").map_err(|source| EngineError::System {
        what: "make a temporary folder",
        source,
    })?;
    let mut workshop = Workshop {
        found,
        settings,
        traced,
        scratch: scratch.path(),
    };
    let mut shed = Vec::new();
    let plan = workshop.plan(program);
    if let Some(failed) = workshop.build(program, &plan, &mut shed)? {
        return Ok(Executed { shed, ..failed });
    }
    let plan = if shed.is_empty() {
        plan
    } else {
        workshop.plan(program)
    };
    let channel = traced
        .map(|detail| Channel::new(program.table.sites.len() as u32, &settings.budget, detail))
        .transpose()?;
    let finished = workshop.run(program, &plan, channel.as_ref())?;
    Ok(Executed {
        shed,
        channel,
        ..Executed::from(finished)
    })
}

fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::None => "none",
        _ => "native",
    }
}

struct Workshop<'a> {
    found: &'a Found,
    settings: &'a Settings,
    traced: Option<Detail>,
    scratch: &'a Path,
}

impl Workshop<'_> {
    /// Private files stand at a fixed path, so that nothing the subject can print tells two runs
    /// apart. Without a mount namespace they can only stand in the scratch folder.
    fn private(&self) -> PathBuf {
        match self.settings.isolation {
            Isolation::None => self.scratch.join("private"),
            _ => PathBuf::from(PRIVATE),
        }
    }

    fn build_folder(&self) -> PathBuf {
        self.scratch.join("build")
    }

    fn plan(&self, program: &Program) -> Plan {
        let sources: Vec<PlanSource<'_>> = program
            .sources
            .iter()
            .map(|source| PlanSource {
                path: &source.path,
                instrumented: self
                    .traced
                    .map(|_| source.instrumented.rewritten.text.as_slice()),
                insertions: &source.instrumented.rewritten.insertions,
            })
            .collect();
        let dialect = program.dialect.iter().map(OsString::from);
        let compiler_flags: Vec<OsString> = self
            .settings
            .compiler_flags
            .iter()
            .cloned()
            .chain(dialect)
            .collect();
        (program.spec.toolchain.plan)(&PlanRequest {
            found: self.found,
            sources: &sources,
            given: &program.given,
            args: &self.settings.args,
            traced: self.traced.is_some(),
            private: &self.private(),
            build: &self.build_folder(),
            channel: CHANNEL_FD,
            detail: self.traced.unwrap_or_default(),
            budget: &self.settings.budget,
            compiler_flags: &compiler_flags,
        })
    }

    fn build(
        &mut self,
        program: &mut Program,
        plan: &Plan,
        shed: &mut Vec<Dropped>,
    ) -> Result<Option<Executed>, EngineError> {
        let folder = self.build_folder();
        std::fs::create_dir_all(&folder).map_err(|source| EngineError::System {
            what: "make the build folder",
            source,
        })?;
        let mut plan = plan.clone();
        let mut rounds = shed::Rounds::new();
        let mut step = 0;
        while let Some(argv) = plan.build.get(step) {
            let product = plan.once.iter().find(|(index, _)| *index == step);
            let product = product.map(|(_, path)| {
                (
                    path.as_path(),
                    cache::key(&self.found.version, argv, &plan.files, self.scratch),
                )
            });
            if product
                .as_ref()
                .is_some_and(|(path, key)| cache::fetch(key, path))
            {
                step += 1;
                continue;
            }
            let finished = self.step(program, &plan, argv)?;
            if finished.outcome.end == (End::Exited { code: 0 }) {
                if let Some((path, key)) = product {
                    cache::keep(&key, path);
                }
                step += 1;
                continue;
            }
            if !program.dialect_settled {
                self.settle_dialect(program)?;
                plan = self.plan(program);
                if !program.dialect.is_empty() || self.traced.is_some() {
                    continue;
                }
            }
            let said = String::from_utf8_lossy(&finished.stderr).into_owned();
            if self.traced.is_some() && rounds.shed(program, &said, shed) {
                plan = self.plan(program);
                continue;
            }
            return Ok(Some(failed_build(finished, &said)));
        }
        Ok(None)
    }

    /// Finds the first dialect in which the original builds; the usual one if it builds in none.
    fn settle_dialect(&self, program: &mut Program) -> Result<(), EngineError> {
        let original = Workshop {
            traced: None,
            ..*self
        };
        program.dialect_settled = true;
        let usual: &[&[&str]] = &[&[]];
        for dialect in usual.iter().chain(program.spec.toolchain.dialects) {
            program.dialect = dialect;
            let plan = original.plan(program);
            let mut builds = true;
            for argv in &plan.build {
                let finished = original.step(program, &plan, argv)?;
                builds &= finished.outcome.end == (End::Exited { code: 0 });
            }
            if builds {
                return Ok(());
            }
        }
        program.dialect = &[];
        Ok(())
    }

    fn step(
        &self,
        program: &Program,
        plan: &Plan,
        argv: &[OsString],
    ) -> Result<Finished, EngineError> {
        let command = argv.first().expect("a build step names its program");
        // Where the user would compile: relative names and `__FILE__` come out the same.
        let mut request = Request::new(command, self.settings.cwd.clone());
        request.argv = argv.to_vec();
        request.env = self.environment(&[], &[("TMPDIR".into(), self.build_folder().into())]);
        request.limits = self.settings.build_limits.clone();
        request.isolation = self.settings.isolation;
        request.roots = self.roots();
        request.folders = vec![
            Folder {
                path: self.settings.cwd.clone(),
                access: Access::ReadOnly,
            },
            Folder {
                path: self.build_folder(),
                access: Access::Writable,
            },
        ];
        if !program.folder().starts_with(&self.settings.cwd) {
            request.folders.push(Folder {
                path: program.folder().into(),
                access: Access::ReadOnly,
            });
        }
        if self.settings.isolation == Isolation::None {
            self.build_in_mirror(&mut request, plan)?;
        }
        request.files = self.place(&plan.files)?;
        Ok(tracer_sandbox::run(&request)?)
    }

    fn build_in_mirror(&self, request: &mut Request, plan: &Plan) -> Result<(), EngineError> {
        let private = self.private();
        let files: Vec<(&Path, &[u8])> = plan
            .files
            .iter()
            .filter(|(path, _)| !path.starts_with(&private))
            .map(|(path, contents)| (path.as_path(), contents.as_slice()))
            .collect();
        if files.is_empty() {
            return Ok(());
        }
        let root = self.scratch.join("mirror");
        mirror::lay_out(&root, &files).map_err(|source| EngineError::System {
            what: "mirror the sources",
            source,
        })?;
        request.argv = mirror::command(&root, &request.argv, &files);
        request.cwd = mirror::within(&root, &request.cwd);
        std::fs::create_dir_all(&request.cwd).map_err(|source| EngineError::System {
            what: "mirror the sources",
            source,
        })
    }

    fn run(
        &self,
        program: &Program,
        plan: &Plan,
        channel: Option<&Channel>,
    ) -> Result<Finished, EngineError> {
        let settings = self.settings;
        let mut request = Request::new(plan.program.clone(), settings.cwd.clone());
        request.argv.clone_from(&plan.argv);
        let fixed = program.spec.toolchain.environment;
        request.env = self.environment(fixed, &plan.env);
        if let Some(channel) = channel {
            request
                .env
                .push(("TRACER_CHANNEL".into(), CHANNEL_FD.to_string().into()));
            request.channel = Some(channel.duplicate()?);
        }
        request.limits = settings.limits.clone();
        request.random_addresses = settings.random_addresses;
        request.isolation = settings.isolation;
        request.roots = self.roots();
        request.stdin = settings.stdin.clone();
        (request.stdout, request.stderr) = (settings.stdout, settings.stderr);
        request.folders = vec![Folder {
            path: settings.cwd.clone(),
            access: Access::Overlay,
        }];
        if !program.folder().starts_with(&settings.cwd) {
            request.folders.push(Folder {
                path: program.folder().into(),
                access: Access::Overlay,
            });
        }
        if !plan.build.is_empty() {
            request.folders.push(Folder {
                path: self.build_folder(),
                access: Access::ReadOnly,
            });
        }
        let own: Vec<&Path> = program
            .sources
            .iter()
            .map(|source| source.path.as_path())
            .collect();
        let files: Vec<_> = plan
            .files
            .iter()
            .filter(|(path, _)| plan.build.is_empty() || !own.contains(&path.as_path()))
            .cloned()
            .collect();
        request.files = self.place(&files)?;
        Ok(tracer_sandbox::run(&request)?)
    }

    fn roots(&self) -> Vec<PathBuf> {
        self.found
            .roots
            .iter()
            .chain(&self.settings.roots)
            .cloned()
            .collect()
    }

    /// The fixed environment: the same on every machine, so that it cannot show in a trace.
    fn environment(
        &self,
        fixed: &[(&str, &str)],
        extra: &[(OsString, OsString)],
    ) -> Vec<(OsString, OsString)> {
        let mut path = OsString::new();
        if let Some(folder) = self.found.program.parent() {
            path.push(folder);
            path.push(":");
        }
        path.push("/usr/local/bin:/usr/bin:/bin");
        let mut env: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), path),
            ("HOME".into(), "/tmp".into()),
            ("USER".into(), "tracer".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("LC_ALL".into(), "C.UTF-8".into()),
            ("TZ".into(), "UTC".into()),
        ];
        env.extend(
            fixed
                .iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        for (name, value) in self.settings.env.iter().chain(extra) {
            env.retain(|(known, _)| known != name);
            env.push((name.clone(), value.clone()));
        }
        env
    }

    fn place(&self, files: &[(PathBuf, Vec<u8>)]) -> Result<Vec<Inject>, EngineError> {
        let made = |source| EngineError::System {
            what: "place the emitter",
            source,
        };
        let private = self.private();
        let mut inject = Vec::new();
        for (path, bytes) in files {
            if self.settings.isolation == Isolation::None {
                if path.starts_with(&private) {
                    std::fs::create_dir_all(path.parent().unwrap_or(&private)).map_err(made)?;
                    std::fs::write(path, bytes).map_err(made)?;
                }
            } else {
                inject.push(Inject {
                    path: path.clone(),
                    body: Body::Bytes(bytes.as_slice().into()),
                    executable: false,
                });
            }
        }
        Ok(inject)
    }
}

fn failed_build(finished: Finished, said: &str) -> Executed {
    let code = match finished.outcome.end {
        End::Exited { code } => code,
        _ => finished.outcome.exit_status(),
    };
    let mut cut = said.len().min(DIAGNOSTICS_LIMIT);
    while !said.is_char_boundary(cut) {
        cut -= 1;
    }
    let mut executed = Executed::from(finished);
    executed.outcome.end = End::BuildFailed {
        code,
        diagnostics: said[..cut].into(),
    };
    executed
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
            channel: None,
        }
    }
}
