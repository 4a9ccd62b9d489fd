//! One row as a program that stands alone, in a folder of its own.

use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;
use tracer_engine::alone::PLACE;
use tracer_engine::circumstances::ELSEWHERE;
use tracer_engine::{EngineError, Program, ProgramOptions, Settings, Toolchain};
use tracer_languages::LanguageSpec;
use tracer_libraries::{Around, Needs, classify};
use tracer_model::Site;

use super::Rejection;
use crate::Reason;
use crate::example::Case;
use crate::proposal::Proposal;
use crate::record::Record;

/// Events of a run that are kept in full: more than any view shows.
const EVENTS: u32 = 2_000;

/// A row ready to be run.
pub(crate) struct Subject {
    pub(crate) spec: &'static LanguageSpec,
    /// Its files, the main one first.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// The row's own text.
    pub(crate) source: String,
    /// What was added so that something of it runs, and where in the first file it begins.
    pub(crate) driver: Option<(String, u32)>,
    /// Which of the files holds the row's own text.
    own: usize,
    /// What it is run with, one run each.
    pub(crate) cases: Vec<Case>,
    /// Where and within which bounds it runs.
    pub(crate) settings: Settings,
    folder: TempDir,
}

impl Subject {
    pub(crate) fn new(
        spec: &'static LanguageSpec,
        text: &str,
        proposal: &Proposal,
        settings: &Settings,
    ) -> Result<Self, EngineError> {
        let files = proposal.files.clone();
        let cases = proposal.cases.clone();
        let driver = proposal.driver.as_ref().map(|driver| {
            let behind = !driver.placed.appended.is_empty();
            let begins = if behind { text.len() as u32 } else { 0 };
            (driver.text().to_owned(), begins)
        });
        let beside = driver.as_ref().is_some_and(|(_, begins)| *begins == 0);
        let own = if beside { files.len() - 1 } else { 0 };
        let folder = lay_out(&files, &cases)?;
        let mut settings = settings.clone().standing_at(PLACE, folder.path());
        settings.budget.events = EVENTS;
        Ok(Self {
            spec,
            files,
            source: text.to_owned(),
            driver,
            own,
            cases,
            settings,
            folder,
        })
    }

    /// The same program with another text in the file that runs first.
    pub(crate) fn with_first(&self, text: &str) -> Result<Self, EngineError> {
        let mut files = self.files.clone();
        files[0].1 = text.as_bytes().to_vec();
        let folder = lay_out(&files, &self.cases)?;
        let mut settings = self.settings.clone();
        settings.copies.clear();
        Ok(Self {
            spec: self.spec,
            source: self.source.clone(),
            driver: self.driver.clone(),
            own: self.own,
            cases: self.cases.clone(),
            settings: settings.standing_at(PLACE, folder.path()),
            files,
            folder,
        })
    }

    /// Whether a site is in the row's own text, not in what was added to it.
    pub(crate) fn is_own(&self, site: &Site) -> bool {
        let driver = self.driver.as_ref();
        driver.is_none_or(|(_, begins)| site.file > 0 || site.span.start < *begins)
    }

    /// The file of the row's own text, as it was rewritten.
    pub(crate) fn instrumented(&self, program: &Program) -> String {
        let path = Path::new(PLACE).join(&self.files[self.own].0);
        let own = program.sources.iter().find(|source| source.path == path);
        let own = own.or(program.sources.first());
        own.map(|own| String::from_utf8_lossy(&own.instrumented.rewritten.text).into_owned())
            .unwrap_or_default()
    }

    /// The program as it stands in one of the two places.
    pub(crate) fn program(
        &self,
        place: &str,
        options: &ProgramOptions,
    ) -> Result<Program, EngineError> {
        let mut program = Program::standing_alone(Path::new(place), &self.files, options)?;
        program.enter(&self.settings)?;
        Ok(program)
    }

    /// What a toolchain says is missing: a library, or a file of the project.
    pub(crate) fn missing(&self, said: &str) -> Option<String> {
        let known = |line: &&str| {
            let mut known = self.spec.missing_library.iter();
            known.any(|(start, end)| {
                let rest = line.split_once(start).map(|(_, rest)| rest);
                rest.is_some_and(|rest| rest.contains(end))
            })
        };
        let line = said.lines().find(known)?;
        Some(super::shown(line))
    }

    /// Libraries of others that the text imports.
    pub(crate) fn libraries(&self) -> Vec<String> {
        let path = Path::new(PLACE).join(&self.files[self.own].0);
        let around = Around {
            path: &path,
            exists: &|_| false,
            read: &|_| None,
        };
        let needs = classify(self.spec, self.source.as_bytes(), &around);
        let named = |needs: Needs| needs.third_party().into_iter().map(str::to_owned).collect();
        needs.map(named).unwrap_or_default()
    }

    /// What a program lacks whose toolchain says that something is missing, with the libraries by
    /// name: in an image, those that its catalogue does not have or that are not built.
    pub(crate) fn lacks(&self, said: &str, toolchain: &Toolchain) -> Rejection {
        let imported = self.libraries();
        let missing = &toolchain.libraries.missing;
        let reason = if imported.is_empty() && missing.is_empty() {
            Reason::Project
        } else {
            Reason::Library
        };
        let named = match (&toolchain.image, &missing[..], &imported[..]) {
            (_, [], []) => String::new(),
            (Some(_), [], _) => format!("; its libraries are there: {}", imported.join(", ")),
            (Some(_), ..) => format!("; not in the image: {}", missing.join(", ")),
            (None, ..) => format!("; imports {}", imported.join(", ")),
        };
        Rejection::new(reason, format!("{said}{named}"))
    }

    /// Moves settings to the other place. A program that was built stays where it was built.
    pub(crate) fn moved_away(&self, mut settings: Settings, built: bool) -> Settings {
        if !built {
            settings.copies.clear();
        }
        settings.standing_at(ELSEWHERE, self.folder.path())
    }
}

/// Writes a program's files, and those that its runs read, into a folder of their own.
fn lay_out(files: &[(String, Vec<u8>)], cases: &[Case]) -> Result<TempDir, EngineError> {
    let made = |source| EngineError::System {
        what: "lay out a program",
        source,
    };
    let folder = TempDir::with_prefix("tracer-").map_err(made)?;
    let write = |(name, text): &(String, Vec<u8>)| {
        let path = folder.path().join(plain(name));
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above)?;
        }
        std::fs::write(path, text)
    };
    for file in cases.iter().flat_map(|case| &case.files) {
        // A name that cannot be written is one that the program cannot read.
        let _ = write(file);
    }
    // The program's own last: nothing that is asked for in it may take its place.
    for file in files {
        write(file).map_err(made)?;
    }
    Ok(folder)
}

/// A name below the program's folder: nothing that a text asks for lies elsewhere.
fn plain(name: &str) -> PathBuf {
    let parts = Path::new(name).components();
    let own = parts.filter(|part| matches!(part, Component::Normal(_)));
    own.collect()
}

/// The main file's name: the row's own where it has a plain one, since some languages want it to
/// fit the text.
pub(crate) fn name(record: &Record, spec: &LanguageSpec) -> String {
    let own = record.path().and_then(Path::file_name);
    let own = own.map(|name| name.to_string_lossy().into_owned());
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    own.filter(|name| {
        name.chars().all(plain)
            && !name.starts_with(['.', '-'])
            && tracer_languages::by_extension(Path::new(name)).is_some_and(|of| of.id == spec.id)
    })
    .unwrap_or_else(|| format!("main.{}", spec.extensions.first().unwrap_or(&"txt")))
}
