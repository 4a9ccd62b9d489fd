//! Runs an oracle: a recorder script in the subject's own language, which knows nothing of tracer.
//!
//! What the recorders write, and how it is compared, is each oracle test's own affair. What is
//! recorded beside it, which programs are subjects and how it ends is the same for all.
#![expect(clippy::print_stdout, reason = "the figures are said")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracer_engine::{ProgramOptions, RunOptions, Settings};
use tracer_model::{End, Trace};
use tracer_sandbox::{Access, Folder, Request};

use crate::fixture::{self, Case};
use crate::repository;

/// Longest a program may take under its oracle.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `tests/oracles/<script> OUT PROGRAM` with an interpreter, and gives what it wrote to OUT.
/// `None` if it does not end in time, or leaves nothing: the program does not compile, or ends
/// without notice.
///
/// # Panics
/// Where the sandbox or a temporary folder cannot be had: the test cannot tell anything then.
pub fn run(
    script: &str,
    program: &Path,
    interpreter: &Path,
    roots: &[PathBuf],
    env: &[(&str, &str)],
) -> Option<String> {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let out = scratch.path().join("out");
    let script = repository().join("tests/oracles").join(script);
    let folder = program.parent().expect("a program lies in a folder");
    let mut request = Request::new(interpreter, folder);
    request.argv = [interpreter, &script, &out, program]
        .map(|path| path.as_os_str().into())
        .to_vec();
    request.env = vec![("LANG".into(), "C.UTF-8".into())];
    request
        .env
        .extend(env.iter().map(|(name, value)| (name.into(), value.into())));
    request.limits.wall = Some(PATIENCE);
    request.roots = roots.to_vec();
    request.roots.extend(script.parent().map(Path::to_path_buf));
    request.folders = vec![
        Folder {
            path: folder.into(),
            access: Access::Overlay,
        },
        Folder {
            path: scratch.path().into(),
            access: Access::Writable,
        },
    ];
    let finished = tracer_sandbox::run(&request).expect("the sandbox runs the oracle");
    if matches!(finished.outcome.end, End::Limited { .. }) {
        return None;
    }
    std::fs::read_to_string(&out).ok()
}

/// A request for an oracle that is a shell script: `$1` is `scratch`, where it may write, and `words`
/// follow. It runs in the program's folder, on a private layer, with a usual path. What else it needs
/// is the caller's to add.
pub fn shell(script: &str, program: &Path, scratch: &Path, words: &[&OsStr]) -> Request {
    let folder = program.parent().expect("a program lies in a folder");
    let mut request = Request::new("/bin/sh", folder);
    request.argv = ["sh", "-c", script, "oracle"].map(Into::into).into();
    request.argv.push(scratch.into());
    request.argv.extend(words.iter().map(Into::into));
    request.env = vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
        ("TMPDIR".into(), scratch.into()),
    ];
    request.folders = vec![
        Folder {
            path: folder.into(),
            access: Access::Overlay,
        },
        Folder {
            path: scratch.into(),
            access: Access::Writable,
        },
    ];
    request
}

/// A program's trace with every event in it, recorded in the program's folder.
///
/// # Panics
/// Where it cannot be recorded.
pub fn record(program: &Path) -> Trace {
    let mut settings = Settings::new().expect("settings");
    let folder = program.parent().expect("a program lies in a folder");
    settings.cwd = folder.to_path_buf();
    settings.budget.events = 1_000_000;
    settings.budget.bytes = 32 << 20;
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    tracer_engine::trace(program, &options)
        .expect("it is traced")
        .trace
}

/// A language's fixture programs, and those of its cases that have a single file and suit the
/// oracle, written to `scratch`. `TRACER_ORACLE` names a further folder.
///
/// # Panics
/// Where the fixtures cannot be read.
pub fn subjects(
    language: &str,
    extension: &str,
    scratch: &Path,
    suits: &dyn Fn(&Case) -> bool,
) -> Vec<(String, PathBuf)> {
    let folder = repository().join("fixtures").join(language);
    let folder = folder.canonicalize().expect("the fixtures are there");
    let mut subjects = Vec::new();
    let mut folders = vec![folder.join("programs")];
    folders.extend(std::env::var_os("TRACER_ORACLE").map(PathBuf::from));
    for folder in folders {
        let entries = std::fs::read_dir(folder).expect("a folder of programs");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|own| own == extension))
            .collect();
        paths.sort();
        let named = |path: PathBuf| (path.display().to_string(), path);
        subjects.extend(paths.into_iter().map(named));
    }
    for fixture in fixture::load(&folder, language, extension).expect("fixtures") {
        let stem = fixture.path.file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy().into_owned();
        for (index, case) in fixture.cases.iter().enumerate() {
            if case.files.len() > 1 || !suits(case) {
                continue;
            }
            let path = scratch.join(format!("{stem}_{index}.{extension}"));
            std::fs::write(&path, &case.files[0].1).expect("a scratch folder");
            subjects.push((format!("{stem}/{}", case.name), path));
        }
    }
    subjects
}

/// How a comparison stands.
#[derive(Debug, Default)]
pub struct Verdict {
    programs: usize,
    compared: usize,
    wrong: Vec<String>,
}

impl Verdict {
    /// A program that cannot be compared.
    pub fn skip(name: &str, why: &str) {
        println!("skipped: {name}: {why}");
    }

    /// A program that was compared: how many events agree, or what differs.
    pub fn add(&mut self, name: &str, outcome: Result<usize, String>) {
        self.programs += 1;
        match outcome {
            Ok(events) => self.compared += events,
            Err(why) => self.wrong.push(format!("{name}: {why}")),
        }
    }

    /// Says the figures, e.g. `events agree with the oracle`.
    ///
    /// # Panics
    /// Where something differs, or nothing was compared.
    pub fn close(self, what: &str) {
        let Self {
            programs,
            compared,
            wrong,
        } = self;
        println!("{programs} programs, {compared} {what}");
        assert!(
            wrong.is_empty(),
            "{} of {programs} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert!(compared > 0, "nothing was compared");
    }
}
