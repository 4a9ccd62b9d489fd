//! The settings of a tracer, and its calls. Passes them to the engine; decides nothing itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracer_engine::alone::{check_text, trace_text};
use tracer_engine::languages;
use tracer_engine::toolchain::Origin;
use tracer_engine::{CheckOptions, Checked, ProgramOptions, RunOptions, Settings, Warm};
use tracer_model::{Budget, Detail, Limits, Trace};
use tracer_sandbox::{Cancel, Isolation, Profile, Stdin};

use crate::{Error, Run};

/// Settings of a [`Tracer`] in the making.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    language: Option<String>,
    name: Option<String>,
    detail: Detail,
    limits: Limits,
    budget: Budget,
    isolation: Isolation,
    profile: Profile,
    toolchain: Origin,
    store: Option<PathBuf>,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    env: Vec<(OsString, OsString)>,
    warm: Option<usize>,
}

impl Builder {
    /// Language id or alias (`python`, `js`). Files tell theirs by their names; text does not.
    #[must_use]
    pub fn language(mut self, name: impl Into<String>) -> Self {
        self.language = Some(name.into());
        self
    }

    /// File name that a source given as text gets; `main` with the language's extension if none.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How much is recorded; [`Detail::State`] if not said.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Bounds on the run.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Bounds on the recording.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Back end; [`Isolation::Native`] if not said.
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// How strict the walls are; [`Profile::Trusted`] is for programs by strangers.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Where the language's toolchain comes from.
    #[must_use]
    pub fn toolchain(mut self, origin: Origin) -> Self {
        self.toolchain = origin;
        self
    }

    /// Folder of the image store; the user's own if not said.
    #[must_use]
    pub fn store(mut self, folder: impl Into<PathBuf>) -> Self {
        self.store = Some(folder.into());
        self
    }

    /// Arguments of the program.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// What the program reads on its standard input; nothing if not said.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// A variable of the program's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Keeps sandboxes ready for so many runs at once. A small helper process is forked from this
    /// one, so it is best built before the process has grown or started threads.
    #[must_use]
    pub fn warm(mut self, runs: usize) -> Self {
        self.warm = Some(runs);
        self
    }

    /// The tracer. A language that is not there is told now.
    pub fn build(self) -> Result<Tracer, Error> {
        if let Some(name) = &self.language {
            supported(name)?;
        }
        let mut settings = Settings::new()?;
        settings.args = self.args;
        settings.stdin = input(self.stdin);
        settings.env = self.env;
        settings.limits = self.limits;
        settings.budget = self.budget;
        settings.isolation = self.isolation;
        settings.profile = self.profile;
        settings.toolchain = self.toolchain;
        settings.store = self.store;
        settings.warm = self.warm.map(|runs| Arc::new(Warm::new(runs)));
        let program = ProgramOptions {
            detail: self.detail,
            language: self.language,
            ..ProgramOptions::default()
        };
        Ok(Tracer {
            options: RunOptions { program, settings },
            name: self.name,
        })
    }
}

/// Traces programs under fixed settings.
///
/// ```
/// use tracer::{Detail, End, Limits, Tracer};
///
/// # fn main() -> Result<(), tracer::Error> {
/// let tracer = Tracer::builder().language("python").detail(Detail::Calls).build()?;
/// let trace = tracer.trace("raise SystemExit(3)")?;
/// assert_eq!(trace.outcome.end, End::Exited { code: 3 });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Tracer {
    options: RunOptions,
    name: Option<String>,
}

impl Tracer {
    /// Defaults of every setting.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The same tracer for another language.
    pub fn with_language(mut self, name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        supported(&name)?;
        self.options.program.language = Some(name);
        Ok(self)
    }

    /// The same tracer, which gives sources another file name.
    #[must_use]
    pub fn with_file_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same tracer for other arguments. What is kept ready is shared with this one.
    #[must_use]
    pub fn with_args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.options.settings.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// The same tracer for other input.
    #[must_use]
    pub fn with_stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.options.settings.stdin = input(bytes.into());
        self
    }

    /// The same tracer, whose builds and runs `cancel` ends: their callers get
    /// [`Error::Cancelled`].
    ///
    /// ```
    /// use std::{thread, time::Duration};
    /// use tracer::{Cancel, Error, Tracer};
    ///
    /// # fn main() -> Result<(), Error> {
    /// let cancel = Cancel::new();
    /// let tracer = Tracer::builder().language("python").build()?.with_cancel(&cancel);
    /// let endless = thread::spawn(move || tracer.run("while True: pass"));
    /// # let begun = std::time::Instant::now();
    /// cancel.cancel();
    /// assert!(matches!(endless.join().expect("no panic"), Err(Error::Cancelled)));
    /// # assert!(begun.elapsed() < Duration::from_secs(10), "a limit ended it");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_cancel(mut self, cancel: &Cancel) -> Self {
        self.options.settings.cancel = cancel.clone();
        self
    }

    /// The settings as the engine has them.
    pub fn settings(&self) -> &Settings {
        &self.options.settings
    }

    /// Options of a batch under this tracer's settings and language. Originals have ten seconds,
    /// unless the settings bound their time.
    ///
    /// ```no_run
    /// # struct Quiet;
    /// # impl tracer::batch::Observer for Quiet {}
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tracer = tracer::Tracer::builder().warm(8).build()?;
    /// let options = tracer.batch(["corpus".into()], "examples");
    /// let report = tracer::batch::run(&options, &Quiet)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "batch")]
    pub fn batch(
        &self,
        inputs: impl IntoIterator<Item = PathBuf>,
        out: impl Into<PathBuf>,
    ) -> tracer_batch::Options {
        let settings = self.options.settings.clone();
        let given = settings.limits.clone();
        let mut options =
            tracer_batch::Options::new(inputs.into_iter().collect(), out.into(), settings);
        if given != Limits::default() {
            options.settings.limits = given;
        }
        options.language.clone_from(&self.options.program.language);
        options
    }

    /// Runs a source and records what it does.
    pub fn run(&self, source: impl AsRef<[u8]>) -> Result<Run, Error> {
        let name = self.file_name()?;
        Ok(trace_text(&name, source.as_ref(), &self.options)?.into())
    }

    /// The trace alone of [`run`](Self::run).
    pub fn trace(&self, source: impl AsRef<[u8]>) -> Result<Trace, Error> {
        Ok(self.run(source)?.trace)
    }

    /// Runs a file, with the local files it pulls in, in the current directory.
    pub fn run_file(&self, path: impl AsRef<Path>) -> Result<Run, Error> {
        Ok(tracer_engine::trace(path.as_ref(), &self.options)?.into())
    }

    /// Runs a source as it is and traced, and compares the two. Refusals are
    /// [statuses](crate::Status).
    ///
    /// ```
    /// # fn main() -> Result<(), tracer::Error> {
    /// let tracer = tracer::Tracer::builder().language("python").build()?;
    /// assert_eq!(tracer.check("print(6 * 7)")?.status, tracer::Status::Same);
    /// # Ok(())
    /// # }
    /// ```
    pub fn check(&self, source: impl AsRef<[u8]>) -> Result<Checked, Error> {
        let name = self.file_name()?;
        let options = CheckOptions {
            run: self.options.clone(),
        };
        let checked = check_text(&name, source.as_ref(), &options)?;
        // Whatever ended one of its runs is a status.
        if self.options.settings.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(checked)
    }

    fn file_name(&self) -> Result<String, Error> {
        let language = self.options.program.language.as_deref();
        if let Some(name) = &self.name {
            let detected = languages::by_extension(Path::new(name)).map(|spec| spec.id);
            supported(language.or(detected).ok_or(Error::NoLanguage)?)?;
            return Ok(name.clone());
        }
        let spec = supported(language.ok_or(Error::NoLanguage)?)?;
        let extension = spec.extensions.first().ok_or(Error::NoLanguage)?;
        Ok(format!("main.{extension}"))
    }
}

/// The language of this name.
fn supported(name: &str) -> Result<&'static languages::LanguageSpec, Error> {
    languages::by_name(name).ok_or_else(|| Error::NoSuchLanguage {
        name: name.into(),
        known: languages::all()
            .iter()
            .map(|spec| spec.id)
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn input(bytes: Vec<u8>) -> Stdin {
    if bytes.is_empty() {
        Stdin::Null
    } else {
        Stdin::Bytes(bytes)
    }
}
