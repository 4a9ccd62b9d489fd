//! What a language is: one value, data and a few functions.
//!
//! Everything the rest of the system does differently for a language hangs on [`LanguageSpec`].
//! Nothing here runs a toolchain: a [`Plan`] only says what to run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_model::{Budget, Detail, Phrase, TypeNames};
use tree_sitter::{Node, Tree};

use crate::drive::DriveSpec;
use crate::patterns::{Patterns, Role};
use crate::{Imports, Insertion, Rewriter};

/// Called for each node captured under the hook's name, outermost first.
pub type Hook = for<'a> fn(&mut Rewriter<'a>, Node<'a>);

/// Finds the files of the program's own folder that a file pulls in: tree, source, the file's
/// path, and whether a path exists.
pub type LocalModules = fn(&Tree, &[u8], &Path, &dyn Fn(&Path) -> bool) -> Vec<PathBuf>;

/// What a project says about its files beside their own text, as `tsconfig.json` does. Settings
/// are in the language's own form; there are none where nothing is said.
#[derive(Debug, Clone, Copy)]
pub struct Project {
    /// Finds the settings for a main file: its path, and how to read a file if there is one. A
    /// folder is read as the names of its entries, one a line.
    pub read: fn(&Path, &dyn Fn(&Path) -> Option<Vec<u8>>) -> Vec<u8>,
    /// The local files that a file pulls in by names which the settings give a meaning: settings,
    /// then as for [`LocalModules`].
    pub local_modules: fn(&[u8], &Tree, &[u8], &Path, &dyn Fn(&Path) -> bool) -> Vec<PathBuf>,
}

/// A file of the emitter, compiled into this program.
#[derive(Debug, Clone, Copy)]
pub struct EmitterFile {
    /// Name inside the emitter's folder.
    pub name: &'static str,
    /// Contents.
    pub contents: &'static [u8],
}

/// One language.
pub struct LanguageSpec {
    /// The join key: the folder name everywhere. Lower case.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Other names users type.
    pub aliases: &'static [&'static str],
    /// File extensions without the dot.
    pub extensions: &'static [&'static str],
    /// Program names in a `#!` line, without version digits.
    pub interpreters: &'static [&'static str],
    /// What its toolchains say where a library, or a file of the project, is not there: the texts
    /// before and behind its name on a line of their error output.
    pub missing_library: &'static [(&'static str, &'static str)],
    /// Variables under which its hashes are seeded otherwise than usually, so that an order that
    /// hangs on them shows. Empty where each run has a seed of its own, or none has.
    pub hash_seeds: &'static [(&'static str, &'static str)],
    /// The grammar.
    pub grammar: fn() -> tree_sitter::Language,
    /// Grammars for files with these extensions (without the dot), which the first one misreads.
    /// The probe query must fit them all.
    pub other_grammars: &'static [(&'static str, fn() -> tree_sitter::Language)],
    /// The probe query (`probes.scm`): its captures name hooks; `@opaque` marks what is never
    /// edited inside.
    pub probes: &'static str,
    /// Hooks by capture name.
    pub hooks: &'static [(&'static str, Hook)],
    /// Node kinds whose children stand on their own: an unreadable child does not spoil the
    /// parent. Without it one syntax error would cost every enclosing statement its probes.
    pub blocks: &'static [&'static str],
    /// Called once after all hooks, for what needs the whole file. `None` where nothing does.
    pub finish: Option<Hook>,
    /// Local files a file pulls in, so that they are instrumented too.
    pub local_modules: Option<LocalModules>,
    /// What its files need, for finding libraries.
    pub imports: Imports,
    /// Settings of the project around a program. `None` where files say all themselves.
    pub project: Option<Project>,
    /// A text of the same length to parse instead, where the grammar leaves error nodes: what it
    /// does not read is replaced by what it does. It is used if it leaves fewer. Everything but the
    /// shape of the tree is the source's.
    pub mask: Option<fn(&[u8]) -> Option<Vec<u8>>>,
    /// The emitter.
    pub emitter: &'static [EmitterFile],
    /// What the language calls its basic types, for values the emitter sends without a type.
    pub type_names: TypeNames,
    /// How a reader would print a line on stderr.
    pub phrase: Phrase,
    /// How to find, build and run.
    pub toolchain: Toolchain,
    /// Toolchains for programs that the first one cannot run, such as those in the dialect of
    /// another engine; each with what tells such a program by its main file's text. Where
    /// `toolchain` is [`SELF`], that program is seen by them too, as the first of
    /// [`Found::roots`].
    pub other_toolchains: &'static [(fn(&[u8]) -> bool, &'static Toolchain)],
    /// How its programs run as WebAssembly.
    pub wasm: Wasm,
    /// How files that only define are called, and how input is read; the reason where there is no
    /// such thing.
    pub drive: Result<&'static DriveSpec, &'static str>,
}

/// Whether and how a language's programs run as WebAssembly.
#[derive(Clone, Copy)]
pub enum Wasm {
    /// They do not: the reason, for people.
    No(&'static str),
    /// Commands of this toolchain's plans whose program ends in `.wasm` are modules; all others run
    /// as they are.
    Yes {
        /// How programs are found, built and run. Where the first of
        /// [`programs`](Toolchain::programs) is a module, it is looked for in the image's
        /// [`MODULES`].
        toolchain: &'static Toolchain,
        /// The folder of `sandbox-images` it comes from; `None` where the language's usual
        /// toolchain builds modules.
        image: Option<&'static str>,
    },
}

/// The name by which a module opens the trace channel, in any folder that it is given.
pub const CHANNEL_FILE: &str = ".tracer-channel";

/// Where an image keeps modules.
pub const MODULES: &str = "/usr/lib/wasm";

/// In [`Toolchain::programs`]: the program that is running, for a language that it carries itself.
pub const SELF: &str = ".";

/// In [`Toolchain::programs`], before the name of an environment variable: the program it says,
/// where it is set to the name or path of one.
pub const VARIABLE: char = '$';

/// How a language's programs are found, built and run.
pub struct Toolchain {
    /// Programs to look for on `PATH` and beside the running program, best first; or [`SELF`], or
    /// [`VARIABLE`] and the name of an environment variable.
    pub programs: &'static [&'static str],
    /// Arguments that make the program describe itself on stdout (see `describe`).
    pub identify: &'static [&'static str],
    /// Reads that output: version, and the folders it needs to run.
    pub describe: fn(&str, &Path) -> Option<Found>,
    /// What the user installs when none is found, e.g. `the Debian package python3`.
    pub hint: &'static str,
    /// Says what to run.
    pub plan: fn(&PlanRequest<'_>) -> Plan,
    /// Variables that make runs agree, such as a fixed hash seed. The user's own win.
    pub environment: &'static [(&'static str, &'static str)],
    /// Further compiler arguments under which a program whose behaviour is defined does the same.
    /// Where the original itself changes with them, it is no measure for the traced program.
    pub variations: &'static [&'static str],
    /// Reads a compiler's error output: path, line and byte column (from 1) of each error, so that
    /// the probes there can be dropped. `None` for interpreted languages.
    pub diagnostics: Option<fn(&str) -> Vec<(PathBuf, u32, u32)>>,
    /// Further compiler arguments to try in order where the original does not build, for sources
    /// in older dialects. Both runs get the same.
    pub dialects: &'static [&'static [&'static str]],
    /// Takes out of a program's output what differs between any two builds of it, such as the
    /// addresses in a stack trace. `None` where there is no such thing.
    pub noise: Option<fn(&[u8]) -> Vec<u8>>,
}

/// A toolchain on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The program to run (after version managers' shims).
    pub program: PathBuf,
    /// For people and the trace, e.g. `CPython 3.13.0`.
    pub version: String,
    /// Folders outside the usual system ones that must be visible read-only.
    pub roots: Vec<PathBuf>,
}

/// A source file of the program to run.
#[derive(Debug, Clone)]
pub struct PlanSource<'a> {
    /// Absolute path of the original.
    pub path: &'a Path,
    /// Instrumented text; `None` when the original is to run.
    pub instrumented: Option<&'a [u8]>,
    /// What was inserted, for restoring columns.
    pub insertions: &'a [Insertion],
    /// The file as it stands.
    pub original: &'a [u8],
}

/// What a plan is made from.
pub struct PlanRequest<'a> {
    /// The toolchain.
    pub found: &'a Found,
    /// Main file first. Those without an instrumented text run as they are. Empty where only
    /// [`Plan::once`] is wanted.
    pub sources: &'a [PlanSource<'a>],
    /// Local files it pulls in that are not instrumented, for languages whose toolchain cannot
    /// run a source as it stands.
    pub companions: &'a [PlanSource<'a>],
    /// What [`Project::read`] found; empty without it.
    pub settings: &'a [u8],
    /// The main file as the user named it, as it must appear in `argv`.
    pub given: &'a Path,
    /// The folder that it is run in, from which such a name counts.
    pub cwd: &'a Path,
    /// Arguments for the program.
    pub args: &'a [OsString],
    /// Whether the traced program is wanted, or the original.
    pub traced: bool,
    /// Folder inside the sandbox where [`Plan::files`] may be put; read-only to the subject.
    pub private: &'a Path,
    /// Folder for build products; writable while building, read-only while running.
    pub build: &'a Path,
    /// Whether a file at the path of an original can stand in for it while running.
    pub replaces: bool,
    /// Descriptor number of the trace channel.
    pub channel: i32,
    /// How much to report.
    pub detail: Detail,
    /// Recording bounds.
    pub budget: &'a Budget,
    /// Extra arguments for the compiler, from the user.
    pub compiler_flags: &'a [OsString],
}

/// What to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Commands that build it, in order; empty for interpreted languages. Each is a full `argv`
    /// with an absolute program.
    pub build: Vec<Vec<OsString>>,
    /// Build steps (by index) that depend on the emitter and the toolchain alone, each with the
    /// file or folder it makes, so that they are done once and not once a program. A folder that
    /// was made before is a link in the build folder, and read-only.
    pub once: Vec<(usize, PathBuf)>,
    /// Products of such steps that the run needs: where they are made, and where they stand then.
    /// With none but such steps, the build folder is not visible to the subject.
    pub brought: Vec<(PathBuf, PathBuf)>,
    /// Folders of the project beside those of the sources. What is written in them while building
    /// is seen by later commands of the same step alone.
    pub folders: Vec<PathBuf>,
    /// Further paths that build steps read, such as libraries; those that do not exist are left
    /// out.
    pub roots: Vec<PathBuf>,
    /// Program to start.
    pub program: PathBuf,
    /// Its `argv`, `argv[0]` included.
    pub argv: Vec<OsString>,
    /// Variables to add to the environment; the emitter removes its own again.
    pub env: Vec<(OsString, OsString)>,
    /// Files to place, by absolute path. A path of an original source stands in for it while
    /// building (only then); where nothing is built, while running.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Whether files that stand in for originals stay while running, though something was built.
    pub stands_in: bool,
    /// For an interpreter: the first file that it reads of this program, as it names it. What it does
    /// before is the same for every program, so a run may take over an interpreter that has come so
    /// far; see `crates/tracer-sandbox/README.md`. `None`: each run starts one.
    pub begins_at: Option<PathBuf>,
    /// Whether the emitter knows the channel's descriptor by itself: no variable names it, for
    /// languages that cannot take one out of their own environment.
    pub silent: bool,
    /// Whether a module goes to the folder that it is run in by itself. Then `/` is the root above all
    /// of its folders; else another name for that one, as a module's library begins in the root.
    pub rooted: bool,
    /// In which form the emitter writes the stream.
    pub form: StreamForm,
    /// What the coverage block must say of this way of running: that, and why, it tells less than
    /// the sites promise.
    pub notes: Vec<String>,
    /// How to see that the language reads the rewritten files as they were meant, where a grammar
    /// may err without a compiler's noticing.
    pub proof: Option<Proof>,
}

/// A build step that prints what the language itself read, and who judges it.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// The step, an index into [`Plan::build`].
    pub step: usize,
    /// Judges what the step printed on stdout: the probes that stand where they must not, each as
    /// the index of its source and its group.
    pub judge: Judge,
}

/// The judge of a [`Proof`].
pub type Judge = fn(&[PlanSource<'_>], &[u8]) -> Vec<(usize, u32)>;

impl PartialEq for Proof {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step
    }
}

impl Eq for Proof {}

/// Forms of the trace stream (`crates/tracer-stream/FORMAT.md`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StreamForm {
    /// Records in segments of shared memory.
    #[default]
    Segments,
    /// Lines of text, for languages that can only append.
    Lines,
    /// None: this program runs without an emitter, and must not see a channel.
    Nothing,
}

impl LanguageSpec {
    /// Which of the grammars reads a file: 0 is the first.
    pub fn grammar_of(&self, path: &Path) -> usize {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let other = extension.and_then(|extension| {
            let mut others = self.other_grammars.iter();
            others.position(|(known, _)| known.eq_ignore_ascii_case(extension))
        });
        other.map_or(0, |index| index + 1)
    }

    /// The toolchain for a main file with this text.
    pub fn toolchain_of(&'static self, source: &[u8]) -> &'static Toolchain {
        let mut others = self.other_toolchains.iter();
        let other = others.find(|(fits, _)| fits(source));
        other.map_or(&self.toolchain, |(_, toolchain)| toolchain)
    }

    /// A grammar by its number; the first for a number there is none of.
    pub fn language(&self, grammar: usize) -> tree_sitter::Language {
        let other = grammar.checked_sub(1);
        match other.and_then(|index| self.other_grammars.get(index)) {
            Some((_, make)) => make(),
            None => (self.grammar)(),
        }
    }

    /// The compiled probe query of the first grammar.
    pub fn query(&self) -> Result<&'static tree_sitter::Query, crate::InstrumentError> {
        Ok(&self.compiled(0)?.query)
    }

    /// The probe query, ready for use.
    pub(crate) fn compiled(
        &self,
        grammar: usize,
    ) -> Result<&'static Probes, crate::InstrumentError> {
        use std::collections::BTreeMap;
        use std::sync::{Mutex, PoisonError};
        // Compiling a query costs more than rewriting a short file: once per grammar and process.
        static COMPILED: Mutex<BTreeMap<(&'static str, usize), &'static Probes>> =
            Mutex::new(BTreeMap::new());
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(probes) = compiled.get(&(self.id, grammar)) {
            return Ok(probes);
        }
        let probes: &'static Probes = Box::leak(Box::new(self.compile(grammar)?));
        compiled.insert((self.id, grammar), probes);
        Ok(probes)
    }

    fn compile(&self, grammar: usize) -> Result<Probes, crate::InstrumentError> {
        let language = self.language(grammar);
        let mut query = tree_sitter::Query::new(&language, self.probes).map_err(|error| {
            crate::InstrumentError::Query {
                language: self.id,
                message: error.to_string(),
            }
        })?;
        let role = |name: &str| {
            if name == "opaque" {
                return Some(Role::Opaque);
            }
            let hook = self.hooks.iter().position(|(known, _)| *known == name)?;
            Some(Role::Hook(hook as u32))
        };
        let roles = query
            .capture_names()
            .iter()
            .map(|name| role(name))
            .collect();
        let (patterns, others) = Patterns::take(&language, self.probes, &mut query, &role);
        Ok(Probes {
            query,
            roles,
            patterns,
            others,
        })
    }
}

/// A compiled probe query.
#[derive(Debug)]
pub(crate) struct Probes {
    /// Only the patterns that are not plain are enabled in it.
    pub(crate) query: tree_sitter::Query,
    /// What each capture of the query is for.
    pub(crate) roles: Vec<Option<Role>>,
    /// The plain patterns.
    pub(crate) patterns: Patterns,
    /// Whether there are any that are not plain.
    pub(crate) others: bool,
}
