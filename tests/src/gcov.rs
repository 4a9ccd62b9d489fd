//! Programs of C and C++ against gcov: each statement ran as often as the compiler's own counters say.
//!
//! The oracle compiles and runs the original program and knows nothing of tracer. Compared are the
//! lines that hold one statement and no loop, since gcov counts lines; what else it counts by its own
//! rules, each language says in its [`Gcov`].
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;
use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{Budget, End, Kind, Payload, Trace};
use tracer_sandbox::Stdin;

use crate::{files, fixture, oracle, repository};

/// What gcov makes of one language.
#[derive(Debug, Clone, Copy)]
pub struct Gcov {
    /// The language's id, and its folder among the fixtures.
    pub language: &'static str,
    /// Extension of its programs.
    pub extension: &'static str,
    /// Compiler options that go in front of the program's name.
    pub options: &'static str,
    /// Kinds of sites whose lines gcov counts otherwise.
    pub counted_otherwise: &'static [Kind],
    /// Texts in a line that gcov splits into parts, which it adds up.
    pub splits: &'static [&'static [u8]],
    /// Whether a `return` may be entered twice: locals are destroyed between its value and its end.
    pub returns_twice: bool,
}

/// Events recorded at most; a loop may take a quarter. A program that makes more is not compared.
const EVENTS: u32 = 8_000_000;

/// What gcov says of one run.
struct Counted {
    lines: BTreeMap<u32, u64>,
    stdout: Vec<u8>,
}

/// Runs of each line of a program by line number; `None` where gcov has nothing to say: the program
/// does not build, or does not end by itself.
fn counts_of(gcov: &Gcov, program: &Path, compiler: &Path, stdin: &str) -> Option<Counted> {
    let scratch = tempfile::tempdir().expect("the test has what it needs");
    let script = "cd \"$1\" && \"$2\" -w -g0 --coverage -o program $4 \"$3\" -lm -lpthread \
                  && { ./program >out 2>/dev/null; test $? -lt 128; } \
                  && gcov --json-format --stdout program-*.gcda";
    let words = [
        compiler.as_os_str(),
        program.as_os_str(),
        gcov.options.as_ref(),
    ];
    let mut request = oracle::shell(script, program, scratch.path(), &words);
    request.env.push(("LANG".into(), "C.UTF-8".into()));
    request.stdin = Stdin::Bytes(stdin.as_bytes().to_vec());
    request.limits.wall = Some(Duration::from_secs(20));
    let finished = tracer_sandbox::run(&request).expect("the test has what it needs");
    if finished.outcome.end != (End::Exited { code: 0 }) {
        return None;
    }
    let report: Json = serde_json::from_slice(&finished.stdout).ok()?;
    let mut lines: BTreeMap<u32, u64> = BTreeMap::new();
    for file in report["files"].as_array()? {
        if Path::new(file["file"].as_str()?).file_name() != program.file_name() {
            continue;
        }
        for line in file["lines"].as_array()? {
            let number = u32::try_from(line["line_number"].as_u64()?).ok()?;
            *lines.entry(number).or_default() += line["count"].as_u64()?;
        }
    }
    let stdout = std::fs::read(scratch.path().join("out")).unwrap_or_default();
    Some(Counted { lines, stdout })
}

/// Runs of each line that holds exactly one statement and nothing that gcov counts otherwise.
fn ours(gcov: &Gcov, trace: &Trace) -> BTreeMap<u32, u64> {
    let mut steps: BTreeMap<u32, u64> = BTreeMap::new();
    for event in &trace.events {
        assert!(
            !matches!(event.payload, Payload::Elide { .. }),
            "the budget was too small"
        );
        if event.kind == Kind::Step {
            *steps.entry(event.site).or_default() += 1;
        }
    }
    let sites: Vec<_> = trace
        .table
        .sites
        .iter()
        .filter(|site| site.file == 0)
        .collect();
    let mut by_line: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for site in &sites {
        by_line.entry(site.span.line).or_default().push(*site);
    }
    let source = trace.table.files[0].text.as_bytes();
    by_line
        .into_iter()
        .filter_map(|(line, sites)| {
            let mut own = sites.iter().filter(|site| site.kind == Kind::Step);
            let step = own.next().filter(|_| own.next().is_none())?;
            let otherwise = sites
                .iter()
                .any(|site| gcov.counted_otherwise.contains(&site.kind));
            // Conditions within an expression split a line into parts that gcov adds up.
            let text = &source[step.span.start as usize..step.span.end as usize];
            let head = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
            let splits = gcov
                .splits
                .iter()
                .any(|part| head.windows(part.len()).any(|window| &window == part));
            // A macro may hold several statements.
            let word = text
                .split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
                .next();
            let shouts = word
                .is_some_and(|word| !word.is_empty() && !word.iter().any(u8::is_ascii_lowercase));
            let is_if = text.starts_with(b"if") || text.starts_with(b"switch");
            let whole = step.span.line == step.span.end_line || is_if && head.ends_with(b"{");
            (!otherwise && !splits && !shouts && whole)
                .then(|| (line, steps.get(&step.id).copied().unwrap_or(0)))
        })
        .collect()
}

fn record(program: &Path, stdin: &str) -> Option<(Trace, Vec<u8>)> {
    let mut settings = Settings::new().expect("the test has what it needs");
    settings.cwd = program.parent().expect("the test has what it needs").into();
    settings.stdin = Stdin::Bytes(stdin.as_bytes().to_vec());
    settings.budget = Budget {
        events: EVENTS,
        bytes: 256 << 20,
        ..Budget::default()
    };
    settings.limits.wall = Some(Duration::from_secs(20));
    let options = ProgramOptions {
        main_only: true,
        ..ProgramOptions::default()
    };
    let done = tracer_engine::trace(
        program,
        &RunOptions {
            program: options,
            settings,
        },
    )
    .ok()?;
    let (done, stdout) = (done.trace, done.executed.stdout);
    let elided = done.events.iter().any(|event| event.kind == Kind::Elide);
    (matches!(done.outcome.end, End::Exited { .. }) && !elided).then_some((done, stdout))
}

/// Lines compared, and what differs.
fn compare(
    gcov: &Gcov,
    program: &Path,
    compiler: &Path,
    stdin: &str,
) -> Option<(usize, Vec<String>)> {
    let expected = counts_of(gcov, program, compiler, stdin)?;
    let (trace, stdout) = record(program, stdin)?;
    // A program that says something else each time (the time, chance) shows nothing.
    let clock = trace.table.files[0].text.contains("time(");
    if stdout != expected.stdout || clock {
        return None;
    }
    // What a probe that did not compile would have told is unknown, not absent.
    if trace
        .coverage
        .dropped
        .iter()
        .any(|dropped| dropped.reason == "did_not_compile")
    {
        return None;
    }
    // The counters of a vfork child and its parent are one memory, written out by both.
    if trace.table.files[0].text.contains("vfork") {
        return None;
    }
    let mut compared = 0;
    let mut wrong = Vec::new();
    for (line, count) in ours(gcov, &trace) {
        let Some(&runs) = expected.lines.get(&line) else {
            continue;
        };
        compared += 1;
        // Where locals are destroyed between a return's value and its end, gcov enters it twice.
        let entered_again = gcov.returns_twice
            && runs == 2 * count
            && trace.table.files[0]
                .text
                .lines()
                .nth(line as usize - 1)
                .is_some_and(|text| text.trim_start().starts_with("return "));
        if runs != count && !entered_again {
            let text = trace.table.files[0]
                .text
                .lines()
                .nth(line as usize - 1)
                .unwrap_or("");
            wrong.push(format!(
                "line {line} ran {runs} times, {count} told: {}",
                text.trim()
            ));
        }
    }
    Some((compared, wrong))
}

/// Compares the language's fixtures and programs, and the files below `TRACER_ORACLE=<folder>`.
///
/// # Panics
/// Where they differ, or too little could be compared.
pub fn agree(gcov: &Gcov) {
    let spec = languages::by_name(gcov.language).expect("the language is compiled in");
    let Ok(found) = find_toolchain(spec) else {
        println!("skipped: no compiler for {}", spec.name);
        return;
    };
    let scratch = tempfile::tempdir().expect("the test has what it needs");
    let mut programs = Vec::new();
    let own = repository().join("fixtures").join(gcov.language);
    let fixtures =
        fixture::load(&own, gcov.language, gcov.extension).expect("the test has what it needs");
    for (number, case) in fixtures
        .iter()
        .flat_map(|fixture| &fixture.cases)
        .enumerate()
    {
        let folder = scratch.path().join(number.to_string());
        let main = case.write(&folder).expect("the test has what it needs");
        programs.push((main, case.stdin.clone(), case.name.clone()));
    }
    let mut more = Vec::new();
    files(&own.join("programs"), gcov.extension, &mut more);
    if let Some(folder) = std::env::var_os("TRACER_ORACLE") {
        files(Path::new(&folder), gcov.extension, &mut more);
    }
    for path in more {
        let path = path.canonicalize().expect("the test has what it needs");
        let name = path.display().to_string();
        programs.push((path, String::new(), name));
    }
    let (mut ran, mut lines, mut differing) = (0, 0, Vec::new());
    for (program, stdin, name) in &programs {
        let Some((compared, wrong)) = compare(gcov, program, &found.program, stdin) else {
            println!("not compared: {name}");
            continue;
        };
        ran += 1;
        lines += compared;
        for what in wrong {
            eprintln!("{name}: {what}");
            differing.push(what);
        }
    }
    println!(
        "{ran} programs, {lines} lines compared, {} differ",
        differing.len()
    );
    assert!(
        ran > 20 && lines > 200,
        "only {ran} programs and {lines} lines were compared"
    );
    assert!(differing.is_empty(), "{} lines differ", differing.len());
}
