//! Long loops, busy functions and deep recursion of bash under a small budget: what is left out is
//! counted, calls stay paired, and the program does what it did.

use std::path::Path;

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{End, Kind, Payload, Trace};

/// Events that are kept.
const BUDGET: u32 = 600;

/// Runs a script; `None` where there is no bash.
fn run(text: &str) -> Option<(Trace, String)> {
    let spec = languages::by_name("bash").expect("bash is in the table");
    find_toolchain(spec).ok()?;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("main.sh"), text).expect("the script is written");
    let mut settings = Settings::new().expect("settings");
    settings.cwd = folder.path().to_path_buf();
    settings.budget.events = BUDGET;
    let program = ProgramOptions {
        folder: Some(folder.path().to_path_buf()),
        ..ProgramOptions::default()
    };
    let options = RunOptions { program, settings };
    let recorded = tracer_engine::trace(Path::new("main.sh"), &options).expect("a trace");
    let stdout = String::from_utf8_lossy(&recorded.executed.stdout).into_owned();
    assert_eq!(recorded.trace.outcome.end, End::Exited { code: 0 });
    Some((recorded.trace, stdout))
}

/// Visits of the sites of a kind on a line: told, and left out.
fn visits(trace: &Trace, kind: Kind, line: u32) -> (u64, u64) {
    let mut told = 0;
    let mut left_out = 0;
    for event in trace.events.iter().filter(|event| event.line == line) {
        let site = trace.table.site(event.site);
        match &event.payload {
            Payload::Elide { count, .. } if site.is_some_and(|site| site.kind == kind) => {
                left_out += count;
            }
            _ if event.kind == kind => told += 1,
            _ => {}
        }
    }
    (told, left_out)
}

#[test]
fn rounds_that_are_left_out_are_counted() {
    let text = "for ((i = 1; i <= 2000; i++)); do\n  square=$((i * i))\n  ((i == 1900)) && \
                rare=$i\ndone\necho \"$square $rare\"\n";
    let Some((trace, stdout)) = run(text) else {
        return;
    };
    assert_eq!(stdout, "4000000 1900\n");
    let (told, left_out) = visits(&trace, Kind::Var, 2);
    assert!(told > 2 && left_out > 0, "{told} {left_out}");
    assert_eq!(told + left_out, 2000);
    assert!(trace.events.len() < 2 * BUDGET as usize);
    // What happens once, late in a hot loop, is seen.
    assert_eq!(visits(&trace, Kind::Var, 3).0, 1);
}

#[test]
fn calls_stay_paired() {
    let text = "count() {\n  local n=$1\n  total=$((total + n))\n}\ntotal=0\nn=1\nwhile ((n <= \
                1500)); do\n  count \"$n\"\n  n=$((n + 1))\ndone\necho \"$total\"\n";
    let Some((trace, stdout)) = run(text) else {
        return;
    };
    assert_eq!(stdout, "1125750\n");
    let of = |kind| {
        trace
            .events
            .iter()
            .filter(|event| event.kind == kind)
            .count()
    };
    assert!(of(Kind::In) > 2);
    assert_eq!(of(Kind::In), of(Kind::Out));
    assert!(trace.events.len() < 2 * BUDGET as usize);
}

#[test]
fn deep_recursion_ends() {
    let text = "down() {\n  if (($1 == 0)); then\n    depth=${#FUNCNAME[@]}\n    return\n  fi\n  \
                down $(($1 - 1))\n}\ndown 600\necho \"$depth\"\n";
    let Some((trace, stdout)) = run(text) else {
        return;
    };
    assert_eq!(stdout, "602\n");
    // The budget is used up on the way down: the ways out are counted.
    let all = |kind| {
        let lines = [1, 4, 6, 7];
        let of = lines.map(|line| visits(&trace, kind, line));
        of.iter()
            .map(|(told, left_out)| told + left_out)
            .sum::<u64>()
    };
    assert_eq!((all(Kind::In), all(Kind::Out)), (601, 601));
}
