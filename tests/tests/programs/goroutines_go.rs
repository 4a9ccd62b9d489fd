//! Thousands of goroutines: each is told, as far as there is room, and that there was none is
//! told too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use tracer_engine::{ProgramOptions, RunOptions};
use tracer_model::{End, Kind, Payload, TaskPhase, Trace};
use tracer_tests::{runnable, settings};

/// The trace of a program and what it printed; `None` where there is no Go.
fn run(text: &str) -> Option<(Trace, String)> {
    runnable("go")?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.go"), text).unwrap();
    let program = ProgramOptions {
        folder: Some(folder.path().to_path_buf()),
        ..ProgramOptions::default()
    };
    let settings = settings(folder.path()).unwrap();
    let options = RunOptions { program, settings };
    let recorded = tracer_engine::trace(Path::new("main.go"), &options).unwrap();
    assert_eq!(recorded.trace.outcome.end, End::Exited { code: 0 });
    let stdout = String::from_utf8_lossy(&recorded.executed.stdout).into_owned();
    Some((recorded.trace, stdout))
}

fn ended(trace: &Trace) -> usize {
    let phases = trace.events.iter().filter(|event| {
        matches!(
            event.payload,
            Payload::Task {
                phase: TaskPhase::Ended,
                ..
            }
        )
    });
    phases.count()
}

const ONE_AFTER_ANOTHER: &str = "package main\n\nfunc work(n int, out chan<- int) {\n\tout <- n % 7\n}\n\n\
    func main() {\n\tsum, out := 0, make(chan int)\n\tfor n := range 5000 {\n\t\tgo work(n, out)\n\t\t\
    sum += <-out\n\t}\n\tprintln(sum)\n}\n";

#[test]
fn short_goroutines_use_the_room_of_ended_ones() {
    let Some((trace, _)) = run(ONE_AFTER_ANOTHER) else {
        return;
    };
    let began = trace.events.iter().filter(|event| event.kind == Kind::In);
    assert_eq!(began.count(), 5001);
    // The program may end before the last one does.
    assert!(ended(&trace) >= 4999, "{}", ended(&trace));
    assert!(
        trace.coverage.notes.is_empty(),
        "{:?}",
        trace.coverage.notes
    );
}

const ALL_AT_ONCE: &str = "package main\n\nimport \"fmt\"\n\nfunc work(n int, out chan<- int) {\n\tout <- n\n}\n\n\
    func main() {\n\tout := make(chan int)\n\tfor n := range 40000 {\n\t\tgo work(n, out)\n\t}\n\tsum := 0\n\t\
    for range 40000 {\n\t\tsum += <-out\n\t}\n\tfmt.Println(sum)\n}\n";

#[test]
fn where_there_is_no_room_that_is_told() {
    let Some((trace, stdout)) = run(ALL_AT_ONCE) else {
        return;
    };
    assert_eq!(stdout, "799980000\n");
    // How many come to their end before the program does is the scheduler's choice.
    let began = trace.events.iter().filter(|event| event.kind == Kind::In);
    let began = began.count();
    assert!(began > 10_000, "{began}");
    let full = |note: &String| note.contains("full");
    assert!(trace.coverage.notes.iter().any(full));
    let left_out: u64 = trace
        .events
        .iter()
        .filter(|event| event.line == 6)
        .map(|event| match event.payload {
            Payload::Elide { count, .. } => count,
            _ => 1,
        })
        .sum();
    assert!(left_out >= 40_000, "{left_out}");
}
