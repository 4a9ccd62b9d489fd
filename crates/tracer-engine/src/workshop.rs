//! Carries out a language's plan for one program: builds it step by step, then runs it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracer_instrument::{Plan, PlanRequest, PlanSource};
use tracer_model::{Detail, Dropped, End};
use tracer_sandbox::{
    Access, Body, CHANNEL_FD, Finished, Folder, Inject, Isolation, Placed, Request,
};

use crate::channel::Channel;
use crate::run::Executed;
use crate::toolchain::{IMAGE_PATH, Toolchain};
use crate::{EngineError, Program, Settings, cache, mirror, shed, wasm};

/// Where the emitter and other private files stand inside the sandbox.
const PRIVATE: &str = "/run/tracer";

/// Where a program that was built stands while it runs.
const PROGRAM: &str = "/run/program";

/// Bytes of compiler output kept.
const DIAGNOSTICS_LIMIT: usize = 16 * 1024;

/// How much longer a step may take that is done once and not once a program.
const ONCE_ALLOWANCE: u32 = 10;

/// Where one program is built and run.
pub(crate) struct Workshop<'a> {
    pub(crate) toolchain: &'a Toolchain,
    pub(crate) settings: &'a Settings,
    /// `None`: the original.
    pub(crate) traced: Option<Detail>,
    /// Temporary folder.
    pub(crate) scratch: &'a Path,
    /// Kept products that the build folder links to.
    pub(crate) linked: Vec<PathBuf>,
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

    /// What the language says is to be done.
    pub(crate) fn plan(&self, program: &Program) -> Plan {
        let sources = self.sources(program);
        let companions: Vec<PlanSource<'_>> = program
            .companions
            .iter()
            .map(|(path, original)| PlanSource {
                path,
                instrumented: None,
                insertions: &[],
                original,
            })
            .collect();
        let dialect = program.dialect.iter().map(OsString::from);
        let compiler_flags: Vec<OsString> = self
            .settings
            .compiler_flags
            .iter()
            .chain(&self.toolchain.libraries.flags)
            .cloned()
            .chain(dialect)
            .collect();
        (program.toolchain.plan)(&PlanRequest {
            found: &self.toolchain.found,
            sources: &sources,
            companions: &companions,
            settings: &program.settings,
            given: &program.given,
            cwd: &self.settings.cwd,
            args: &self.settings.args,
            traced: self.traced.is_some(),
            private: &self.private(),
            build: &self.build_folder(),
            replaces: self.settings.isolation != Isolation::None,
            channel: CHANNEL_FD,
            detail: self.traced.unwrap_or_default(),
            budget: &self.settings.budget,
            compiler_flags: &compiler_flags,
        })
    }

    fn sources<'p>(&self, program: &'p Program) -> Vec<PlanSource<'p>> {
        let sources = program.sources.iter();
        sources
            .map(|source| PlanSource {
                path: &source.path,
                instrumented: self
                    .traced
                    .map(|_| source.instrumented.rewritten.text.as_slice()),
                insertions: &source.instrumented.rewritten.insertions,
                original: &source.original,
            })
            .collect()
    }

    /// Builds; the failed run if it does not build.
    pub(crate) fn build(
        &mut self,
        program: &mut Program,
        plan: &Plan,
        shed: &mut Vec<Dropped>,
    ) -> Result<Option<Executed>, EngineError> {
        self.make_build_folder()?;
        let mut plan = plan.clone();
        let mut rounds = shed::Rounds::new();
        let mut step = 0;
        while let Some(argv) = plan.build.get(step) {
            if self.is_made(&plan, step) {
                step += 1;
                continue;
            }
            let finished = self.step(program, &plan, argv)?;
            if finished.outcome.end == (End::Exited { code: 0 }) {
                if let Some((_, path)) = plan.once.iter().find(|(index, _)| *index == step) {
                    cache::keep(&self.key(argv, &plan), path);
                }
                if let Some(proof) = plan.proof.filter(|proof| proof.step == step) {
                    let faults = (proof.judge)(&self.sources(program), &finished.stdout);
                    if !faults.is_empty() && rounds.misread(program, &faults, shed) {
                        plan = self.plan(program);
                        continue;
                    }
                }
                step += 1;
                continue;
            }
            if !program.dialect_settled {
                if let Some(failed) = self.settle_dialect(program)? {
                    return Ok(Some(failed));
                }
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
            return Ok(Some(failed_build(finished)));
        }
        Ok(None)
    }

    /// Whether a step's product is in its place: put there from the cache, or by an earlier try.
    fn is_made(&mut self, plan: &Plan, step: usize) -> bool {
        let Some((_, path)) = plan.once.iter().find(|(index, _)| *index == step) else {
            return false;
        };
        let key = self.key(&plan.build[step], plan);
        let Some(kept) = cache::find(self.emitters(), &key) else {
            return false;
        };
        // What stands there and was not kept is what a failed step left.
        if path.exists() {
            return true;
        }
        if !cache::fetch(&kept, path) {
            return false;
        }
        if kept.is_dir() {
            self.linked.push(kept);
        }
        true
    }

    /// Makes the folder for build products.
    pub(crate) fn make_build_folder(&self) -> Result<(), EngineError> {
        std::fs::create_dir_all(self.build_folder()).map_err(|source| EngineError::System {
            what: "make the build folder",
            source,
        })
    }

    /// Names the product of a step by all that goes into it.
    pub(crate) fn key(&self, argv: &[OsString], plan: &Plan) -> String {
        let version = &self.toolchain.found.version;
        cache::key(version, argv, &plan.files, self.scratch)
    }

    fn emitters(&self) -> Option<&Path> {
        self.toolchain.image.as_ref()?.emitters.as_deref()
    }

    /// Finds the first dialect in which the original builds. Where it builds in none, what is given
    /// is its failure in the usual one: what the compiler says of the program as it stands.
    fn settle_dialect(&mut self, program: &mut Program) -> Result<Option<Executed>, EngineError> {
        let mut original = Workshop {
            traced: None,
            linked: std::mem::take(&mut self.linked),
            ..*self
        };
        program.dialect_settled = true;
        let usual: &[&[&str]] = &[&[]];
        let mut failed = Ok(None);
        for dialect in usual.iter().chain(program.toolchain.dialects) {
            program.dialect = dialect;
            match original.first_failure(program) {
                Ok(Some(again)) => failed = failed.map(|first| first.or(Some(again))),
                built => {
                    failed = built;
                    break;
                }
            }
        }
        // What it put into the build folder is this workshop's too.
        self.linked = original.linked;
        let failed = failed?;
        if failed.is_some() {
            program.dialect = &[];
        }
        Ok(failed.map(failed_build))
    }

    /// The first step of the plan that does not succeed; `None` where all do.
    fn first_failure(&mut self, program: &Program) -> Result<Option<Finished>, EngineError> {
        let plan = self.plan(program);
        for (step, argv) in plan.build.iter().enumerate() {
            if self.is_made(&plan, step) {
                continue;
            }
            let finished = self.step(program, &plan, argv)?;
            if finished.outcome.end != (End::Exited { code: 0 }) {
                return Ok(Some(finished));
            }
        }
        Ok(None)
    }

    /// One build step.
    pub(crate) fn step(
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
        let mut once = plan.once.iter().map(|(index, _)| &plan.build[*index]);
        if once.any(|step| step == argv) {
            // No subject has a hand in it, and a busy machine may need its time for a library.
            request.limits.wall = request.limits.wall.map(|wall| wall * ONCE_ALLOWANCE);
        }
        request.isolation = self.settings.isolation;
        request.profile = self.settings.profile;
        request.cancel = self.settings.cancel.clone();
        request.image = self.toolchain.root();
        request.roots = self.roots();
        request.roots.extend(self.linked.iter().cloned());
        request.roots.extend(plan.roots.iter().cloned());
        request.folders = project_folders(plan);
        request.folders.push(Folder {
            path: self.build_folder(),
            access: Access::Writable,
        });
        request.copies.clone_from(&self.settings.copies);
        for path in [self.settings.cwd.as_path(), program.folder()] {
            if !self.is_copied(path) && !is_within(path, &request.folders) {
                request.folders.push(Folder {
                    path: path.into(),
                    access: Access::ReadOnly,
                });
            }
        }
        // Other parts of a project may stand beside or above its main file.
        let private = self.private();
        for (path, _) in &plan.files {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let mut seen = request.folders.iter();
            if folder != private
                && folder.is_dir()
                && !seen.any(|known| folder.starts_with(&known.path))
            {
                request.folders.push(Folder {
                    path: folder.into(),
                    access: Access::ReadOnly,
                });
            }
        }
        if self.settings.isolation == Isolation::None {
            self.build_in_mirror(&mut request, plan)?;
        }
        request.files = self.place(&plan.files)?;
        wasm::run(request, self.toolchain, false)
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
        mirror::lay_out(&root, &files, &plan.folders).map_err(|source| EngineError::System {
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

    /// Runs what was built.
    pub(crate) fn run(
        &self,
        program: &Program,
        plan: &Plan,
        channel: Option<&Channel>,
    ) -> Result<Finished, EngineError> {
        let settings = self.settings;
        let mut request = Request::new(plan.program.clone(), settings.cwd.clone());
        request.argv.clone_from(&plan.argv);
        let fixed = program.toolchain.environment;
        request.env = self.environment(fixed, &plan.env);
        if let Some(channel) = channel {
            if !plan.silent {
                let number = CHANNEL_FD.to_string();
                request.env.push(("TRACER_CHANNEL".into(), number.into()));
            }
            request.channel = Some(channel.duplicate()?);
        }
        request.limits = settings.limits.clone();
        request.random_addresses = settings.random_addresses;
        (request.earlier, request.uptime) = (settings.earlier, settings.uptime);
        request.isolation = settings.isolation;
        request.profile = settings.profile;
        request.cancel = settings.cancel.clone();
        request.image = self.toolchain.root();
        request.roots = self.roots();
        request.stdin = settings.stdin.clone();
        (request.stdout, request.stderr) = (settings.stdout, settings.stderr);
        request.folders = project_folders(plan);
        request.copies.clone_from(&settings.copies);
        for path in [settings.cwd.as_path(), program.folder()] {
            if !self.is_copied(path) && !is_within(path, &request.folders) {
                request.folders.push(Folder {
                    path: path.into(),
                    access: Access::Overlay,
                });
            }
        }
        if plan.build.len() > plan.once.len() {
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
            .filter(|(path, _)| {
                plan.build.is_empty() || plan.stands_in || !own.contains(&path.as_path())
            })
            .cloned()
            .collect();
        if let Some(warm) = &settings.warm
            && let Some(placed) = self.placed(&request, &files, plan)?
        {
            if !placed.files.is_empty() {
                request.placed.push(placed);
            }
            request.begins_at.clone_from(&plan.begins_at);
            self.stand_in_one_place(&mut request);
            return Ok(warm.run(&request)?);
        }
        request.files = self.place(&files)?;
        for (made, place) in &plan.brought {
            request.files.extend(self.bring(made, place)?);
        }
        self.stand_in_one_place(&mut request);
        wasm::run(request, self.toolchain, plan.rooted)
    }

    /// A program that was built is run under the same name each time: it may show its `argv[0]`.
    fn stand_in_one_place(&self, request: &mut Request) {
        let built = request.program.clone();
        if request.isolation != Isolation::Native || !built.starts_with(self.build_folder()) {
            return;
        }
        if let Some(own) = request.argv.first_mut().filter(|own| **own == built) {
            *own = PROGRAM.into();
            request.program = PROGRAM.into();
            request.files.push(Inject {
                path: PROGRAM.into(),
                body: Body::Host(built),
                executable: true,
            });
        }
    }

    /// The private files of a run that may take over from earlier ones, whose sandbox has the same
    /// folders; `None` where its own are not.
    fn placed(
        &self,
        request: &Request,
        files: &[(PathBuf, Vec<u8>)],
        plan: &Plan,
    ) -> Result<Option<Placed>, EngineError> {
        let private = self.private();
        let mut all: Vec<(PathBuf, Arc<[u8]>)> = Vec::new();
        let own = |path: &Path| path.strip_prefix(&private).ok().map(Path::to_path_buf);
        if request.isolation != Isolation::Native || !request.folders.is_empty() {
            return Ok(None);
        }
        for (path, bytes) in files {
            let Some(name) = own(path) else {
                return Ok(None);
            };
            all.push((name, bytes.as_slice().into()));
        }
        for (made, place) in &plan.brought {
            let Some(name) = own(place).filter(|_| made.is_file()) else {
                return Ok(None);
            };
            let bytes = std::fs::read(made).map_err(|source| EngineError::System {
                what: "place the emitter",
                source,
            })?;
            all.push((name, bytes.into()));
        }
        Ok(Some(Placed {
            path: private,
            files: all,
        }))
    }

    /// A product that stands elsewhere while the program runs.
    fn bring(&self, made: &Path, place: &Path) -> Result<Option<Inject>, EngineError> {
        if self.settings.isolation == Isolation::None {
            std::fs::copy(made, place).map_err(|source| EngineError::System {
                what: "place the emitter",
                source,
            })?;
            return Ok(None);
        }
        Ok(Some(Inject {
            path: place.to_path_buf(),
            body: Body::Host(made.to_path_buf()),
            executable: false,
        }))
    }

    /// Whether what stands at a path inside is a copy.
    fn is_copied(&self, path: &Path) -> bool {
        let mut copies = self.settings.copies.iter();
        copies.any(|copied| path.starts_with(&copied.path))
    }

    fn roots(&self) -> Vec<PathBuf> {
        self.toolchain
            .found
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
        if let Some(folder) = self.toolchain.found.program.parent() {
            path.push(folder);
            path.push(":");
        }
        path.push(IMAGE_PATH.join(":"));
        let mut env: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), path),
            ("HOME".into(), "/tmp".into()),
            ("USER".into(), "tracer".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("LC_ALL".into(), "C.UTF-8".into()),
            ("TZ".into(), "UTC".into()),
        ];
        let fixed: Vec<(OsString, OsString)> = fixed
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let image = self
            .toolchain
            .image
            .iter()
            .flat_map(|image| &image.environment);
        for (name, value) in image.chain(&fixed).chain(&self.settings.env).chain(extra) {
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

/// The folders of a plan, each once and none inside another.
fn project_folders(plan: &Plan) -> Vec<Folder> {
    let mut paths: Vec<&PathBuf> = plan.folders.iter().filter(|path| path.is_dir()).collect();
    paths.sort();
    let mut folders: Vec<Folder> = Vec::new();
    for path in paths {
        if !is_within(path, &folders) {
            folders.push(Folder {
                path: path.clone(),
                access: Access::Overlay,
            });
        }
    }
    folders
}

fn is_within(path: &Path, folders: &[Folder]) -> bool {
    folders.iter().any(|folder| path.starts_with(&folder.path))
}

fn failed_build(finished: Finished) -> Executed {
    let said = String::from_utf8_lossy(&finished.stderr).into_owned();
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
