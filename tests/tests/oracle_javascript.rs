//! JavaScript against V8's block coverage: every statement and every function ran as often as V8
//! counted.
//!
//! V8 counts blocks, not statements: where an error leaves a block half-way, only the block's first
//! statement is comparable. The oracle runs the original program and knows nothing of tracer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::path::{Path, PathBuf};

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::Trace;
use tracer_tests::coverage::{compare, count};
use tracer_tests::{fixture, repository};

fn record(program: &Path) -> Trace {
    let mut settings = Settings::new().unwrap();
    settings.cwd = program.parent().unwrap().to_path_buf();
    settings.budget.events = 1_000_000;
    settings.budget.bytes = 32 << 20;
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    tracer_engine::trace(program, &options).unwrap().trace
}

#[test]
fn traces_agree_with_block_coverage() {
    let spec = languages::by_name("javascript").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let (mut programs, mut compared, mut wrong) = (0, 0, Vec::new());
    for (name, path) in subjects(scratch.path()) {
        let Some(theirs) = count(&path, &found.program, &found.roots) else {
            println!("skipped: {name}: leaves no counts");
            continue;
        };
        let trace = record(&path);
        // What the parser cannot read has no probes.
        if trace
            .coverage
            .dropped
            .iter()
            .any(|dropped| dropped.reason == "syntax_error")
        {
            println!("skipped: {name}: not all of it is traced");
            continue;
        }
        programs += 1;
        let text = &trace.table.files[0].text;
        let place = |offset: usize| text[..offset].encode_utf16().count();
        match compare(&trace, &theirs, &place) {
            Ok(events) => compared += events,
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("{programs} programs, {compared} visits agree with V8's block coverage");
    assert!(
        wrong.is_empty(),
        "{} of {programs} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 0, "nothing was compared");
}

/// The fixture programs and every single-file fixture case. `TRACER_ORACLE` names a further folder.
fn subjects(scratch: &Path) -> Vec<(String, PathBuf)> {
    let folder = repository()
        .join("fixtures/javascript")
        .canonicalize()
        .unwrap();
    let mut subjects = Vec::new();
    let mut folders = vec![folder.join("programs")];
    folders.extend(std::env::var_os("TRACER_ORACLE").map(PathBuf::from));
    for folder in folders {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "js"))
            .collect();
        paths.sort();
        subjects.extend(
            paths
                .into_iter()
                .map(|path| (path.display().to_string(), path)),
        );
    }
    for fixture in fixture::load(&folder, "javascript", "js").unwrap() {
        for (index, case) in fixture.cases.iter().enumerate() {
            // Under the oracle a program is not the main module, and the stack is less deep.
            let own = ["require.main", "process._getActive", "Worker("];
            let deep = ["recursion-too-deep", "overflow"];
            let text = &case.files[0].1;
            if case.files.len() > 1
                || own.iter().any(|word| text.contains(word))
                || deep.contains(&case.name.as_str())
            {
                continue;
            }
            let stem = fixture
                .path
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let path = scratch.join(format!("{stem}_{index}.js"));
            std::fs::write(&path, text).unwrap();
            subjects.push((format!("{stem}/{}", case.name), path));
        }
    }
    subjects
}
