//! Loads a program: its main file and the local files it pulls in, instrumented.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Component, Path, PathBuf};

use tracer_instrument::{Instrumented, LanguageSpec, Options, Toolchain, engine};
use tracer_model::{Detail, Dropped, SiteTable, SourceFile};

use tracer_libraries::Origin;

use crate::{EngineError, Settings, libraries, wasm};

/// Most local files instrumented beside the main one.
const MODULE_LIMIT: usize = 200;

/// What to load.
#[derive(Debug, Clone, Default)]
pub struct ProgramOptions {
    /// Detail level.
    pub detail: Detail,
    /// Language id or alias; told from the file when `None`.
    pub language: Option<String>,
    /// Instrument the main file only.
    pub main_only: bool,
    /// The folder that a relative name is looked up in; the current one if `None`.
    pub folder: Option<PathBuf>,
}

/// One file of a program.
#[derive(Debug, Clone)]
pub struct Source {
    /// Absolute path.
    pub path: PathBuf,
    /// Original bytes.
    pub original: Vec<u8>,
    /// The rewritten file.
    pub instrumented: Instrumented,
}

/// A program ready to run.
#[derive(Clone)]
pub struct Program {
    /// Its language.
    pub spec: &'static LanguageSpec,
    /// How it is built and run: one of the language's toolchains.
    pub toolchain: &'static Toolchain,
    /// The main file as the user named it.
    pub given: PathBuf,
    /// Main file first.
    pub sources: Vec<Source>,
    /// Local files it pulls in that are not instrumented.
    pub companions: Vec<(PathBuf, Vec<u8>)>,
    /// What the project around it says, in the language's own form.
    pub settings: Vec<u8>,
    /// Sites and functions of all files.
    pub table: SiteTable,
    /// Places without probes.
    pub dropped: Vec<Dropped>,
    /// Calls into libraries: the import that each of these sites goes back to.
    pub calls: BTreeMap<u32, String>,
    /// Where the files' imports come from.
    pub imports: BTreeMap<String, Origin>,
    /// Calls into libraries that are left alone, by the reason.
    pub calls_left: BTreeMap<&'static str, u32>,
    /// Compiler arguments for the dialect it is written in; empty for the usual one.
    pub dialect: &'static [&'static str],
    /// Whether that was found out. It is only asked where the usual one does not build.
    pub(crate) dialect_settled: bool,
}

/// Where files are read.
pub(crate) enum Files {
    /// On this machine.
    Host,
    /// Given: their absolute paths inside the sandbox, and what is in them.
    Given(BTreeMap<PathBuf, Vec<u8>>),
}

impl Files {
    pub(crate) fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Host => std::fs::read(path),
            Self::Given(files) => {
                let file = files.get(path).cloned();
                file.ok_or_else(|| std::io::ErrorKind::NotFound.into())
            }
        }
    }

    pub(crate) fn is_file(&self, path: &Path) -> bool {
        match self {
            Self::Host => path.is_file(),
            Self::Given(files) => files.contains_key(path),
        }
    }

    /// The names in a folder, one a line; `None` where it is none.
    fn names(&self, path: &Path) -> Option<Vec<u8>> {
        let names: Vec<String> = match self {
            Self::Host => std::fs::read_dir(path)
                .ok()?
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect(),
            Self::Given(files) => {
                let below = files.keys().filter(|file| file.parent() == Some(path));
                let names = below.filter_map(|file| file.file_name());
                names
                    .map(|name| name.to_string_lossy().into_owned())
                    .collect()
            }
        };
        (matches!(self, Self::Host) || !names.is_empty()).then(|| names.join("\n").into_bytes())
    }
}

impl Program {
    /// Reads and instruments a file and the local modules it reaches.
    pub fn load(given: &Path, options: &ProgramOptions) -> Result<Self, EngineError> {
        let unreadable = |source| EngineError::Read {
            path: given.into(),
            source,
        };
        let path =
            without_parents(absolute(given, options).map_err(unreadable)?).map_err(unreadable)?;
        Self::gather(given, path, &Files::Host, options)
    }

    /// Instruments files that are given by name and contents, the main one first. They stand alone
    /// in `folder`, an absolute path inside the sandbox; nothing is read from this machine. What
    /// runs such a program puts the files there: [`Settings::copies`](crate::Settings::copies).
    pub fn standing_alone(
        folder: &Path,
        files: &[(String, Vec<u8>)],
        options: &ProgramOptions,
    ) -> Result<Self, EngineError> {
        let main = files.first().map_or("", |(name, _)| name);
        let given = files
            .iter()
            .map(|(name, text)| (folder.join(name), text.clone()))
            .collect();
        let files = Files::Given(given);
        Self::gather(Path::new(main), folder.join(main), &files, options)
    }

    /// Makes it a program for the back end of these settings. Loading makes one for the machine's
    /// own processor.
    pub fn enter(&mut self, settings: &Settings) -> Result<(), EngineError> {
        wasm::enter(self, settings)
    }

    fn gather(
        given: &Path,
        path: PathBuf,
        files: &Files,
        options: &ProgramOptions,
    ) -> Result<Self, EngineError> {
        let original = files.read(&path).map_err(|source| EngineError::Read {
            path: given.into(),
            source,
        })?;
        let spec = language(given, &original, options)?;
        let mut program = Self {
            given: given.into(),
            toolchain: spec.toolchain_of(&original),
            dialect_settled: false,
            settings: settings(spec, &path, files),
            ..Self::empty(spec)
        };
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let mut seen = BTreeSet::from([path.clone()]);
        let mut waiting = VecDeque::from([(path, original)]);
        while let Some((path, original)) = waiting.pop_front() {
            for module in local_modules(&program, &path, &original, files) {
                if seen.len() <= MODULE_LIMIT && seen.insert(module.clone()) {
                    // An unreadable module is the program's own affair when it imports it.
                    if let Ok(text) = files.read(&module) {
                        waiting.push_back((module, text));
                    }
                }
            }
            if options.main_only && !program.sources.is_empty() {
                program.companions.push((path, original));
            } else {
                program.add(&folder, path, original, options.detail, files)?;
            }
        }
        Ok(program)
    }

    /// A program without files, for what depends on the language alone.
    pub(crate) fn empty(spec: &'static LanguageSpec) -> Self {
        Self {
            spec,
            toolchain: &spec.toolchain,
            given: PathBuf::from("/none"),
            sources: Vec::new(),
            companions: Vec::new(),
            settings: Vec::new(),
            table: SiteTable::default(),
            dropped: Vec::new(),
            calls: BTreeMap::new(),
            imports: BTreeMap::new(),
            calls_left: BTreeMap::new(),
            dialect: &[],
            dialect_settled: true,
        }
    }

    fn add(
        &mut self,
        folder: &Path,
        path: PathBuf,
        original: Vec<u8>,
        detail: Detail,
        files: &Files,
    ) -> Result<(), EngineError> {
        let imports = libraries::origins(self.spec, &path, &original, files);
        let libraries = imports
            .iter()
            .filter(|(_, origin)| **origin != Origin::Local);
        let options = Options {
            detail,
            file: self.sources.len() as u32,
            first_site: self.table.sites.len() as u32 + 1,
            first_function: self.table.functions.len() as u32,
            grammar: self.spec.grammar_of(&path),
            libraries: Some(libraries.map(|(name, _)| name.clone()).collect()),
        };
        let instrumented = match engine::instrument(self.spec, &original, &options) {
            Ok(instrumented) => instrumented,
            Err(source) if self.sources.is_empty() => {
                return Err(EngineError::Refused { path, source });
            }
            // A module that cannot be rewritten runs as it is.
            Err(refusal) => {
                self.dropped.push(Dropped {
                    file: 0,
                    line: 0,
                    reason: "module_refused".into(),
                    detail: format!("{}: {refusal}", path.display()),
                });
                self.companions.push((path, original));
                return Ok(());
            }
        };
        let shown = if self.sources.is_empty() {
            self.given.clone()
        } else {
            relative(&path, folder)
        };
        self.table.files.push(SourceFile {
            path: shown.to_string_lossy().into_owned(),
            language: self.spec.id.into(),
            text: String::from_utf8_lossy(&original).into_owned(),
        });
        self.table
            .functions
            .extend(instrumented.functions.iter().cloned());
        self.table.sites.extend(instrumented.sites.iter().cloned());
        self.dropped.extend(instrumented.dropped.iter().cloned());
        let calls = instrumented.calls.iter();
        self.calls
            .extend(calls.map(|call| (call.site, call.import.clone())));
        self.imports.extend(imports);
        for (why, count) in &instrumented.calls_left {
            *self.calls_left.entry(why).or_default() += count;
        }
        self.sources.push(Source {
            path,
            original,
            instrumented,
        });
        Ok(())
    }

    /// Folder of the main file.
    pub fn folder(&self) -> &Path {
        let main = self.sources.first().and_then(|main| main.path.parent());
        main.unwrap_or(Path::new("/"))
    }
}

/// A path as seen from a folder, with `..` where it lies elsewhere: no machine's own folders show.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let shared = path
        .components()
        .zip(folder.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = folder
        .components()
        .skip(shared)
        .map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

fn absolute(given: &Path, options: &ProgramOptions) -> std::io::Result<PathBuf> {
    match &options.folder {
        Some(folder) => std::path::absolute(folder.join(given)),
        None => std::path::absolute(given),
    }
}

/// The same path without `..`, which the sandbox could not mount. Links stay where there is none.
fn without_parents(path: PathBuf) -> std::io::Result<PathBuf> {
    let climbs = path.components().any(|part| part == Component::ParentDir);
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if climbs => Ok(folder.canonicalize()?.join(name)),
        _ => Ok(path),
    }
}

/// The language asked for, or the one the file shows.
pub fn language(
    path: &Path,
    source: &[u8],
    options: &ProgramOptions,
) -> Result<&'static LanguageSpec, EngineError> {
    match &options.language {
        Some(name) => tracer_languages::by_name(name)
            .ok_or_else(|| EngineError::NoSuchLanguage { name: name.clone() }),
        None => tracer_languages::detect(path, source)
            .ok_or_else(|| EngineError::UnknownLanguage { path: path.into() }),
    }
}

fn settings(spec: &LanguageSpec, main: &Path, files: &Files) -> Vec<u8> {
    let read = |path: &Path| files.names(path).or_else(|| files.read(path).ok());
    let project = spec.project.as_ref();
    project.map_or_else(Vec::new, |project| (project.read)(main, &read))
}

fn local_modules(program: &Program, path: &Path, source: &[u8], files: &Files) -> Vec<PathBuf> {
    let spec = program.spec;
    if spec.local_modules.is_none() && spec.project.is_none() {
        return Vec::new();
    }
    let Some(tree) = engine::parse_with(spec, spec.grammar_of(path), source) else {
        return Vec::new();
    };
    let exists = |candidate: &Path| files.is_file(candidate);
    let mut found = Vec::new();
    if let Some(find) = spec.local_modules {
        found.extend(find(&tree, source, path, &exists));
    }
    if let Some(project) = &spec.project {
        let settings = &program.settings;
        found.extend((project.local_modules)(
            settings, &tree, source, path, &exists,
        ));
    }
    found
}
