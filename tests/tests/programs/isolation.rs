//! Runs without isolation, for machines that have none to give: the same trace, and the
//! missing walls are reported.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use std::path::Path;

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{Event, Kind};
use tracer_sandbox::Isolation;

fn program(language: &str) -> &'static str {
    match language {
        "python" => "x = 1\nfor i in range(3):\n    x += i\n",
        "javascript" => "let x = 1;\nfor (let i = 0; i < 3; i++) {\n  x += i;\n}\n",
        "typescript" => "let x: number = 1;\nfor (let i = 0; i < 3; i++) {\n  x += i;\n}\n",
        "ruby" => "x = 1\nfor i in 0..2\n  x += i\nend\n",
        "c" => {
            "int main(void) {\n  int x = 1;\n  for (int i = 0; i < 3; i++) {\n    x += i;\n  }\n  \
             return x;\n}\n"
        }
        "java" => {
            "class Main {\n  public static void main(String[] args) {\n    int x = 1;\n    \
             for (int i = 0; i < 3; i++) {\n      x += i;\n    }\n  }\n}\n"
        }
        "csharp" => {
            "class P {\n  static void Main() {\n    int x = 1;\n    for (int i = 0; i < 3; i++)\n      \
             x += i;\n  }\n}\n"
        }
        "cpp" => {
            "int main() {\n  int x = 1;\n  for (int i = 0; i < 3; i++) {\n    x += i;\n  }\n  \
             return x;\n}\n"
        }
        "go" => {
            "package main\n\nfunc main() {\n\tx := 1\n\tfor i := 0; i < 3; i++ {\n\t\tx += i\n\t}\n}\n"
        }
        "swift" => "var x = 1\nfor i in 0..<3 {\n  x += i\n}\n",
        "php" => "<?php\n$x = 1;\nfor ($i = 0; $i < 3; $i++) {\n  $x += $i;\n}\n",
        "sql" => "CREATE TABLE t(x);\nINSERT INTO t VALUES (1), (2);\nSELECT sum(x) FROM t;\n",
        "bash" => "x=1\nfor i in 0 1 2; do\n  x=$((x + i))\ndone\n",
        "rust" => {
            "fn main() {\n    let mut x = 1;\n    for i in 0..3 {\n        x += i;\n    }\n    \
             std::process::exit(x);\n}\n"
        }
        other => panic!("write a program for {other}"),
    }
}

fn events(language: &str, isolation: Isolation) -> Vec<Event> {
    let spec = languages::by_name(language).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("main.{}", spec.extensions[0]));
    std::fs::write(&path, program(language)).unwrap();
    let mut settings = Settings::new().unwrap();
    settings.cwd = folder.path().to_path_buf();
    settings.isolation = isolation;
    let options = RunOptions {
        program: ProgramOptions {
            folder: Some(folder.path().to_path_buf()),
            ..ProgramOptions::default()
        },
        settings,
    };
    // Without walls nothing can stand in at an absolute path.
    let given = Path::new(path.file_name().unwrap());
    let trace = tracer_engine::trace(given, &options).unwrap().trace;
    let seccomp = trace
        .protections
        .iter()
        .find(|protection| protection.name == "seccomp")
        .unwrap();
    assert_eq!(
        seccomp.active,
        isolation != Isolation::None,
        "{:?}",
        trace.protections
    );
    trace.events
}

#[test]
fn a_trace_does_not_depend_on_isolation() {
    for spec in languages::all() {
        if let Err(why) = find_toolchain(spec) {
            eprintln!("skipped: {}: {why}", spec.id);
            continue;
        }
        let isolated = events(spec.id, Isolation::Native);
        assert!(
            isolated.iter().any(|event| event.kind == Kind::Var),
            "{}",
            spec.id
        );
        assert_eq!(isolated, events(spec.id, Isolation::None), "{}", spec.id);
    }
}

#[test]
fn bash_tells_of_an_absolute_path_without_isolation() {
    let spec = languages::by_name("bash").unwrap();
    if let Err(why) = find_toolchain(spec) {
        return eprintln!("skipped: {}: {why}", spec.id);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.sh");
    std::fs::write(&path, program("bash")).unwrap();
    let mut settings = Settings::new().unwrap();
    settings.cwd = folder.path().to_path_buf();
    settings.isolation = Isolation::None;
    let program = ProgramOptions::default();
    let options = RunOptions { program, settings };
    // Nothing can stand in for the script: it is xtrace that tells, and the trace says so.
    let trace = tracer_engine::trace(&path, &options).unwrap().trace;
    assert!(trace.events.iter().any(|event| event.kind == Kind::Step));
    assert!(!trace.coverage.notes.is_empty());
}
