//! What the coverage block of a bash script says where little or nothing of it is told.

use std::path::Path;

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{Payload, Trace};

/// Runs the first of these files; `None` where there is no bash.
fn run(files: &[(&str, &str)]) -> Option<(Trace, String)> {
    let spec = languages::by_name("bash").expect("bash is in the table");
    find_toolchain(spec).ok()?;
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the script is written");
    }
    let mut settings = Settings::new().expect("settings");
    settings.cwd = folder.path().to_path_buf();
    let program = ProgramOptions {
        folder: Some(folder.path().to_path_buf()),
        ..ProgramOptions::default()
    };
    let options = RunOptions { program, settings };
    let recorded = tracer_engine::trace(Path::new(files[0].0), &options).expect("a trace");
    let stdout = String::from_utf8_lossy(&recorded.executed.stdout).into_owned();
    Some((recorded.trace, stdout))
}

fn says(trace: &Trace, what: &str) -> bool {
    let notes = &trace.coverage.notes;
    notes.iter().any(|note| note.contains(what))
}

fn tells(trace: &Trace) -> bool {
    let output = |payload: &Payload| matches!(payload, Payload::Stdout { .. });
    trace.events.iter().any(|event| !output(&event.payload))
}

#[test]
fn another_shells_script_runs_untraced() {
    let Some((trace, stdout)) = run(&[("main.sh", "#!/bin/sh\nx=1\necho \"$x\"\n")]) else {
        return;
    };
    assert_eq!(stdout, "1\n");
    assert!(!tells(&trace));
    let notes = &trace.coverage.notes;
    assert!(
        says(&trace, "asks for /bin/sh, not for bash") && says(&trace, "nothing was recorded"),
        "{notes:?}"
    );
}

#[test]
fn a_script_that_would_see_any_tracing_runs_untraced() {
    let text = "x=1\nset | grep -c '^_tr_\\|XTRACEFD' || :\n";
    let Some((trace, stdout)) = run(&[("main.sh", text)]) else {
        return;
    };
    assert_eq!(stdout, "0\n");
    assert!(!tells(&trace));
    let notes = &trace.coverage.notes;
    assert!(says(&trace, "ran it untraced"), "{notes:?}");
}

#[test]
fn sourced_files_that_xtrace_does_not_tell_of_are_named() {
    let files = [
        ("main.sh", "set -v\n. ./part.sh\necho \"$part\"\n"),
        ("part.sh", "part=1\n"),
    ];
    let Some((trace, stdout)) = run(&files) else {
        return;
    };
    assert_eq!(stdout, "1\n");
    assert!(tells(&trace));
    let notes = &trace.coverage.notes;
    assert!(
        says(&trace, "comes from xtrace") && says(&trace, "nothing in it is told: part.sh"),
        "{notes:?}"
    );
}

#[test]
fn sourced_files_that_are_not_rewritten_are_named() {
    let files = [
        ("main.sh", ". ./part.sh\necho \"$part\"\n"),
        ("part.sh", "set -v\npart=1\nset +v\n"),
    ];
    let Some((trace, _)) = run(&files) else {
        return;
    };
    let notes = &trace.coverage.notes;
    assert!(
        says(&trace, "nothing in it is told: part.sh") && !says(&trace, "xtrace"),
        "{notes:?}"
    );
}

#[test]
fn a_script_that_is_rewritten_needs_no_note() {
    let files = [
        ("main.sh", ". ./part.sh\necho \"$part\"\n"),
        ("part.sh", "part=1\n"),
    ];
    let Some((trace, _)) = run(&files) else {
        return;
    };
    assert!(
        trace.coverage.notes.is_empty(),
        "{:?}",
        trace.coverage.notes
    );
}
