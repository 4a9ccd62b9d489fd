//! Go against its own coverage counters: each statement ran as often as `go tool cover` counts.
//!
//! The oracle rewrites, compiles and runs the original program and knows nothing of tracer. A block
//! of its counters is what runs as a whole, so each statement told in it must have run that often.
//!
//! `TRACER_ORACLE=<folder>` compares every Go file below a folder too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{Budget, End, Kind, Trace};
use tracer_sandbox::{Access, Folder, Stdin};
use tracer_tests::oracle::shell;
use tracer_tests::{files, fixture, repository};

/// Events recorded at most; a loop may take a quarter. A program that makes more is not compared.
const EVENTS: u32 = 4_000_000;

/// Writes the counters when `main` is left.
const DUMP: &str = r#"package main

import (
	"fmt"
	"os"
)

func dump_() {
	out, _ := os.Create("counts")
	defer out.Close()
	for i, n := range cover_.Count {
		columns := cover_.Pos[3*i+2]
		fmt.Fprintln(out, cover_.Pos[3*i], columns&0xffff, cover_.Pos[3*i+1], columns>>16, n)
	}
}
"#;

const SCRIPT: &str = r#"cd "$1" && "$2" tool cover -mode=count -var=cover_ -o counted.go "$3" &&
    sed -i 's/^func main() {/&defer dump_();/' counted.go &&
    "$2" build -o program counted.go dump.go && { ./program >out 2>/dev/null; test -s counts; } &&
    cat counts"#;

/// A block of statements that run as a whole: its first and last place, and how often it ran.
type Block = ((u32, u32), (u32, u32), u64);

/// What the counters say; `None` where they say nothing: the program does not build, or does not
/// leave `main`.
fn oracle(program: &Path, go: &Path, cache: &Path, stdin: &str) -> Option<(Vec<Block>, Vec<u8>)> {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("dump.go"), DUMP).unwrap();
    let words = [go.as_os_str(), program.as_os_str()];
    let mut request = shell(SCRIPT, program, scratch.path(), &words);
    let own = [
        ("HOME", "/tmp"),
        ("GO111MODULE", "off"),
        ("GOENV", "off"),
        ("GOTOOLCHAIN", "local"),
        ("GOMAXPROCS", "1"),
    ];
    request
        .env
        .extend(own.map(|(name, value)| (name.into(), value.into())));
    request.env.push(("GOCACHE".into(), cache.into()));
    request.stdin = Stdin::Bytes(stdin.as_bytes().to_vec());
    request.limits.wall = Some(Duration::from_secs(120));
    request.limits.cpu = None;
    request.folders.push(Folder {
        path: cache.into(),
        access: Access::Writable,
    });
    let finished = tracer_sandbox::run(&request).unwrap();
    if finished.outcome.end != (End::Exited { code: 0 }) {
        return None;
    }
    let text = String::from_utf8(finished.stdout).ok()?;
    let blocks = text
        .lines()
        .filter_map(|line| {
            let numbers: Vec<u64> = line.split(' ').filter_map(|n| n.parse().ok()).collect();
            let [line, column, end_line, end_column, count] = numbers[..] else {
                return None;
            };
            let place = |line: u64, column: u64| (line as u32, column as u32);
            Some((place(line, column), place(end_line, end_column), count))
        })
        .collect();
    let stdout = std::fs::read(scratch.path().join("out")).unwrap_or_default();
    Some((blocks, stdout))
}

/// Statements by place, with how often each was told of.
fn ours(trace: &Trace) -> Vec<((u32, u32), u64)> {
    let mut steps: BTreeMap<u32, u64> = BTreeMap::new();
    for event in &trace.events {
        if event.kind == Kind::Step {
            *steps.entry(event.site).or_default() += 1;
        }
    }
    let sites = trace.table.sites.iter();
    sites
        .filter(|site| site.file == 0 && site.kind == Kind::Step)
        .map(|site| {
            let place = (site.span.line, site.span.column);
            (place, steps.get(&site.id).copied().unwrap_or(0))
        })
        .collect()
}

fn record(program: &Path, stdin: &str) -> Option<(Trace, Vec<u8>)> {
    let mut settings = Settings::new().unwrap();
    settings.cwd = program.parent().unwrap().into();
    settings.stdin = Stdin::Bytes(stdin.as_bytes().to_vec());
    settings.budget = Budget {
        events: EVENTS,
        bytes: 256 << 20,
        ..Budget::default()
    };
    settings.limits.wall = Some(Duration::from_secs(60));
    let options = RunOptions {
        program: ProgramOptions {
            main_only: true,
            ..ProgramOptions::default()
        },
        settings,
    };
    let done = tracer_engine::trace(program, &options).ok()?;
    let (trace, stdout) = (done.trace, done.executed.stdout);
    let elided = trace.events.iter().any(|event| event.kind == Kind::Elide);
    // What a probe that did not compile would have told is unknown, not absent.
    let dropped = !trace.coverage.dropped.is_empty();
    (matches!(trace.outcome.end, End::Exited { .. }) && !elided && !dropped)
        .then_some((trace, stdout))
}

/// Statements compared, and what differs; `None` where there is nothing to compare.
fn compare(program: &Path, go: &Path, cache: &Path, stdin: &str) -> Option<(usize, Vec<String>)> {
    let (blocks, expected) = oracle(program, go, cache, stdin)?;
    let (trace, stdout) = record(program, stdin)?;
    // A program that says something else each time (the time, chance) shows nothing.
    if stdout != expected {
        return None;
    }
    let text = &trace.table.files[0].text;
    // A block is counted when it begins; a panic may end it early.
    let panics =
        trace.events.iter().any(|event| event.kind == Kind::Err) || text.contains("//line");
    if panics || text.contains("Goexit") {
        return None;
    }
    let (mut compared, mut wrong) = (0, Vec::new());
    for (place, count) in ours(&trace) {
        let mut around = blocks
            .iter()
            .filter(|(from, to, _)| (*from..*to).contains(&place));
        let Some((_, _, runs)) = around.next() else {
            continue;
        };
        compared += 1;
        if *runs != count {
            let line = text.lines().nth(place.0 as usize - 1).unwrap_or("");
            wrong.push(format!(
                "line {} ran {runs} times, {count} told: {}",
                place.0,
                line.trim()
            ));
        }
    }
    Some((compared, wrong))
}

#[test]
fn statements_run_as_often_as_cover_counts() {
    let spec = languages::by_name("go").expect("Go is compiled in");
    let Ok(found) = find_toolchain(spec) else {
        println!("skipped: no Go toolchain");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let cache = scratch.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    let mut programs = Vec::new();
    let fixtures = fixture::load(&repository().join("fixtures/go"), "go", "go").unwrap();
    for (number, case) in fixtures
        .iter()
        .flat_map(|fixture| &fixture.cases)
        .enumerate()
    {
        let folder = scratch.path().join(number.to_string());
        let main = case.write(&folder).unwrap();
        programs.push((main, case.stdin.clone(), case.name.clone()));
    }
    let mut more = Vec::new();
    files(&repository().join("fixtures/go/programs"), "go", &mut more);
    if let Some(folder) = std::env::var_os("TRACER_ORACLE") {
        files(Path::new(&folder), "go", &mut more);
    }
    for path in more {
        let path = path.canonicalize().unwrap();
        let name = path.display().to_string();
        programs.push((path, String::new(), name));
    }
    let (mut ran, mut statements, mut differing) = (0, 0, Vec::new());
    for (program, stdin, name) in &programs {
        let Some((compared, wrong)) = compare(program, &found.program, &cache, stdin) else {
            println!("not compared: {name}");
            continue;
        };
        ran += 1;
        statements += compared;
        for what in wrong {
            eprintln!("{name}: {what}");
            differing.push(what);
        }
    }
    println!(
        "{ran} programs, {statements} statements compared, {} differ",
        differing.len()
    );
    assert!(
        ran > 20 && statements > 200,
        "only {ran} programs and {statements} statements were compared"
    );
    assert!(
        differing.is_empty(),
        "{} statements differ",
        differing.len()
    );
}
