//! Programs that attack the trace itself: close, flood and forge the channel, take the probes away,
//! print look-alikes. The trace is still made, the outcome is the program's own, and what was
//! recorded before is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::skipped;
use libtest_mimic::{Failed, Trial};
use tracer_engine::{ProgramOptions, RunOptions, languages};
use tracer_model::{End, Payload};
use tracer_tests::{missing, repository, settings};

/// A program and what its header says must come of it.
#[derive(Clone)]
struct Case {
    source: PathBuf,
    ends: Vec<String>,
    keeps_mark: bool,
    /// Whether the trace must say that it is invalid; `None`: it may.
    invalid: Option<bool>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let folder = repository().join("fixtures/hostile/instrumentation");
    let mut sources: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of the cases")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    sources.sort();
    for source in sources {
        let name = source
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let ending = name.rsplit('.').next().unwrap_or_default();
        let spec = languages::all()
            .iter()
            .find(|spec| spec.extensions.contains(&ending))
            .expect("a language for the case");
        if let Some(why) = missing(spec) {
            trials.push(skipped(&format!("channel/{name}"), why));
            continue;
        }
        let case = read(&source).expect("a header");
        trials.push(Trial::test(format!("channel/{name}"), move || {
            survives(&case)
        }));
    }
    trials
}

fn read(source: &Path) -> Option<Case> {
    let text = fs::read_to_string(source).ok()?;
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let line = line.strip_prefix("# ").or(line.strip_prefix("// "))?;
            line.strip_prefix(name)?.strip_prefix(": ")
        })
    };
    field("attack")?;
    Some(Case {
        source: source.to_owned(),
        ends: field("ends")?.split(" | ").map(str::to_owned).collect(),
        keeps_mark: field("keeps")? == "mark",
        invalid: field("invalid").map(|word| word == "yes"),
    })
}

fn survives(case: &Case) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let ending = case.source.extension().unwrap_or_default();
    let path = folder.path().join("main").with_extension(ending);
    fs::copy(&case.source, &path)?;
    let mut settings = settings(folder.path())?;
    settings.limits.wall = Some(Duration::from_secs(30));
    settings.limits.memory = Some(512 << 20);
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    let trace = tracer_engine::trace(&path, &options)?.trace;
    let end = match &trace.outcome.end {
        End::Exited { code } => format!("exited {code}"),
        End::Signaled { name, .. } => format!("signaled {name}"),
        other => format!("{other:?}"),
    };
    if !case.ends.contains(&end) {
        return Err(format!("{end}, with the notes {:?}", trace.coverage.notes).into());
    }
    let faults = &trace.coverage.trace_invalid;
    if let Some(invalid) = case.invalid
        && invalid == faults.is_empty()
    {
        return Err(format!("invalid: {faults:?}, notes {:?}", trace.coverage.notes).into());
    }
    let marks: Vec<&str> = trace
        .events
        .iter()
        .filter_map(|event| match &event.payload {
            Payload::Var { name, value } if name == "mark" => Some(value.text.as_str()),
            _ => None,
        })
        .collect();
    if case.keeps_mark && !marks.contains(&"42") {
        let notes = &trace.coverage.notes;
        return Err(format!("`mark = 42` is lost: {marks:?}, with the notes {notes:?}").into());
    }
    // Nothing that was printed or forged may pass for a record of the program's own.
    if case.keeps_mark && marks.iter().any(|mark| !["41", "42", "43"].contains(mark)) {
        return Err(format!("strange values: {marks:?}").into());
    }
    // Another run, beside and after all that, is as ever.
    fs::write(&path, "")?;
    tracer_engine::trace(&path, &options)
        .map(drop)
        .or_else(|error| {
            // An empty C file has no `main`, which is the compiler's to say.
            if ending == "c" {
                Ok(())
            } else {
                Err(error.into())
            }
        })
}
