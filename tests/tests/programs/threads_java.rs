//! Thousands of Java threads: each is told from its first call to its end, for those that are over
//! leave their room to others.
//!
//! Virtual threads need a JDK from 21 on: the image's, where it is built.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use tracer_engine::toolchain::Origin;
use tracer_engine::{ProgramOptions, RunOptions, languages, trace};
use tracer_model::{End, Kind, Payload, TaskPhase, Trace};
use tracer_tests::{missing, settings};

const THREADS: &str = r#"
class Main {
    static int work(int n) {
        return n % 7;
    }

    public static void main(String[] args) throws InterruptedException {
        for (int n = 0; n < COUNT; n++) {
            int own = n;
            Thread thread = MAKE(() -> {
                work(own);
            });
            thread.join();
        }
        System.out.println("over");
    }
}
"#;

fn started(make: &str, count: usize) -> String {
    THREADS
        .replace("MAKE", make)
        .replace("COUNT", &count.to_string())
}

const ORDINARY: &str = "started";
const STARTED: &str = "    static Thread started(Runnable task) {\n        Thread thread = new Thread(task);\n        \
    thread.start();\n        return thread;\n    }\n}\n";

/// What a program did; `None` where this toolchain is not there.
fn run(text: &str, origin: Origin) -> Option<Trace> {
    let spec = languages::by_name("java").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path()).unwrap();
    settings.toolchain = origin;
    settings.budget.events = 400_000;
    if let Some(why) = missing(spec) {
        eprintln!("skipped: {why}");
        return None;
    }
    let built = settings.store().unwrap().manifest(spec.id).is_some();
    if origin == Origin::Image && !built {
        eprintln!("skipped: the image of java is not built");
        return None;
    }
    let path = folder.path().join("Main.java");
    std::fs::write(&path, text).unwrap();
    let program = ProgramOptions::default();
    let recorded = trace(&path, &RunOptions { program, settings }).unwrap();
    let said = String::from_utf8_lossy(&recorded.executed.stderr);
    assert_eq!(
        recorded.trace.outcome.end,
        End::Exited { code: 0 },
        "{said}"
    );
    Some(recorded.trace)
}

fn phases(trace: &Trace, wanted: TaskPhase) -> usize {
    let phases = trace
        .events
        .iter()
        .filter(|event| matches!(event.payload, Payload::Task { phase, .. } if phase == wanted));
    phases.count()
}

/// Every thread's own calls and its end are told, in a room that would not do for a segment each.
fn all_told(trace: &Trace, count: usize) {
    assert_eq!(phases(trace, TaskPhase::Created), count);
    assert_eq!(phases(trace, TaskPhase::Ended), count);
    let calls = |line: u32| {
        let own = |event: &&tracer_model::Event| event.kind == Kind::In && event.line == line;
        trace.events.iter().filter(own).count()
    };
    assert_eq!(calls(3), count);
    assert!(
        trace.coverage.notes.is_empty(),
        "{:?}",
        trace.coverage.notes
    );
}

#[test]
fn threads_use_the_room_of_ended_ones() {
    let text = started(ORDINARY, 1500);
    let text = text.trim_end().trim_end_matches('}').to_owned() + STARTED;
    if let Some(trace) = run(&text, Origin::Auto) {
        all_told(&trace, 1500);
    }
}

#[test]
fn virtual_threads_use_the_room_of_ended_ones() {
    if let Some(trace) = run(&started("Thread.startVirtualThread", 3000), Origin::Image) {
        all_told(&trace, 3000);
    }
}

const AT_ONCE: &str = r"
import java.util.concurrent.*;

class Main {
    static int work(int n) throws InterruptedException {
        Thread.sleep(1);
        int twice = n * 2;
        return twice;
    }

    public static void main(String[] args) throws Exception {
        long sum = 0;
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var all = new java.util.ArrayList<Future<Integer>>();
            for (int n = 0; n < 2000; n++) {
                int own = n;
                all.add(pool.submit(() -> work(own)));
            }
            for (Future<Integer> each : all) {
                sum += each.get();
            }
        }
        System.out.println(sum);
    }
}
";

#[test]
fn virtual_threads_that_run_at_once_keep_their_records_apart() {
    let Some(trace) = run(AT_ONCE, Origin::Image) else {
        return;
    };
    // Each stream has the whole of its calls: what it entered it left.
    let mut depths = std::collections::BTreeMap::<u32, (usize, usize)>::new();
    for event in &trace.events {
        let counts = depths.entry(event.task).or_default();
        match event.kind {
            Kind::In => counts.0 += 1,
            Kind::Out => counts.1 += 1,
            _ => {}
        }
    }
    assert!(depths.len() > 2000, "{}", depths.len());
    assert!(depths.values().all(|(entered, left)| entered == left));
}
