//! The same program gives the same trace, byte for byte, ten times over.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use tracer_engine::{ProgramOptions, RunOptions, languages};
use tracer_tests::{repository, runnable, settings};

/// Runs per program.
const RUNS: usize = 10;

fn programs(language: &str) -> Vec<PathBuf> {
    let folder = repository()
        .join("fixtures")
        .join(language)
        .join("programs");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| languages::by_extension(path).is_some())
        .collect();
    paths.sort();
    paths
}

fn written(path: &std::path::Path) -> String {
    let settings = settings(path.parent().unwrap()).unwrap();
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    let recorded = tracer_engine::trace(path, &options).unwrap();
    let mut out = Vec::new();
    tracer_view::jsonl::write(&recorded.trace, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn ten_runs_agree(language: &str) {
    if runnable(language).is_none() {
        return;
    }
    let programs = programs(language);
    assert!(
        !programs.is_empty(),
        "fixtures/{language}/programs has programs"
    );
    for path in programs {
        let first = written(&path);
        for run in 1..RUNS {
            let again = written(&path);
            let differing = first.lines().zip(again.lines()).find(|(a, b)| a != b);
            assert!(
                first == again,
                "{}: run {run} differs: {differing:?}",
                path.display()
            );
        }
    }
}

#[test]
fn python_traces_are_reproducible() {
    ten_runs_agree("python");
}

#[test]
fn bash_traces_are_reproducible() {
    ten_runs_agree("bash");
}

#[test]
fn javascript_traces_are_reproducible() {
    ten_runs_agree("javascript");
}

#[test]
fn typescript_traces_are_reproducible() {
    ten_runs_agree("typescript");
}

#[test]
fn php_traces_are_reproducible() {
    ten_runs_agree("php");
}

#[test]
fn ruby_traces_are_reproducible() {
    ten_runs_agree("ruby");
}

#[test]
fn java_traces_are_reproducible() {
    ten_runs_agree("java");
}

#[test]
fn sql_traces_are_reproducible() {
    ten_runs_agree("sql");
}

#[test]
fn go_traces_are_reproducible() {
    ten_runs_agree("go");
}

#[test]
fn c_traces_are_reproducible() {
    ten_runs_agree("c");
}

#[test]
fn swift_traces_are_reproducible() {
    ten_runs_agree("swift");
}

#[test]
fn cpp_traces_are_reproducible() {
    ten_runs_agree("cpp");
}

#[test]
fn rust_traces_are_reproducible() {
    ten_runs_agree("rust");
}

#[test]
fn csharp_traces_are_reproducible() {
    ten_runs_agree("csharp");
}
