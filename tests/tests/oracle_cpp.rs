//! C++ against gcov: each statement ran as often as the compiler's own counters say.
//!
//! The oracle compiles and runs the original program and knows nothing of tracer. Compared are the
//! lines that hold one statement and no loop, since gcov counts lines.
//!
//! `TRACER_ORACLE=<folder>` compares every C++ file below a folder too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;
use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{Budget, End, Kind, Payload, Trace};
use tracer_sandbox::{Access, Folder, Request, Stdin};
use tracer_tests::{fixture, repository};

/// Events recorded at most; a loop may take a quarter. A program that makes more is not compared.
const EVENTS: u32 = 8_000_000;

/// What gcov says of one run.
struct Counted {
    lines: BTreeMap<u32, u64>,
    stdout: Vec<u8>,
}

/// Runs of each line of a program by line number; `None` where gcov has nothing to say: the program
/// does not build, or does not end by itself.
fn oracle(program: &Path, compiler: &Path, stdin: &str) -> Option<Counted> {
    let scratch = tempfile::tempdir().unwrap();
    let script = "cd \"$1\" && \"$2\" -w -g0 --coverage -o program \"$3\" -lm -lpthread \
                  && { ./program >out 2>/dev/null; test $? -lt 128; } \
                  && gcov --json-format --stdout program-*.gcda";
    let mut request = Request::new("/bin/sh", program.parent().unwrap());
    let words = [scratch.path(), compiler, program].map(|path| path.as_os_str().to_owned());
    request.argv = ["sh", "-c", script, "oracle"]
        .map(Into::into)
        .into_iter()
        .chain(words)
        .collect();
    request.env = vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
        ("LANG".into(), "C.UTF-8".into()),
        ("TMPDIR".into(), scratch.path().into()),
    ];
    request.stdin = Stdin::Bytes(stdin.as_bytes().to_vec());
    request.limits.wall = Some(Duration::from_secs(20));
    request.folders = vec![
        Folder {
            path: program.parent().unwrap().into(),
            access: Access::Overlay,
        },
        Folder {
            path: scratch.path().into(),
            access: Access::Writable,
        },
    ];
    let finished = tracer_sandbox::run(&request).unwrap();
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
fn ours(trace: &Trace) -> BTreeMap<u32, u64> {
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
            // gcov adds the head of a function or handler to what stands on its line.
            let loops = sites
                .iter()
                .any(|site| matches!(site.kind, Kind::Loop | Kind::In | Kind::Err));
            // Conditions within an expression split a line into parts that gcov adds up.
            let text = &source[step.span.start as usize..step.span.end as usize];
            let head = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
            // So do lists, arrays and lambdas, which it counts by element and call.
            let splits = [
                &b"&&"[..],
                b"||",
                b"?",
                b"{{",
                b"{\"",
                b"{}",
                b"{1",
                b"](",
                b"&[",
                b"&&[",
                b"new ",
                b"fork",
            ]
            .iter()
            .any(|part| head.windows(part.len()).any(|window| window == *part));
            // A macro may hold several statements.
            let word = text
                .split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
                .next();
            let shouts = word
                .is_some_and(|word| !word.is_empty() && !word.iter().any(u8::is_ascii_lowercase));
            let is_if = text.starts_with(b"if") || text.starts_with(b"switch");
            let whole = step.span.line == step.span.end_line || is_if && head.ends_with(b"{");
            (!loops && !splits && !shouts && whole)
                .then(|| (line, steps.get(&step.id).copied().unwrap_or(0)))
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
fn compare(program: &Path, compiler: &Path, stdin: &str) -> Option<(usize, Vec<String>)> {
    let expected = oracle(program, compiler, stdin)?;
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
    for (line, count) in ours(&trace) {
        let Some(&runs) = expected.lines.get(&line) else {
            continue;
        };
        compared += 1;
        // Where locals are destroyed between a return's value and its end, gcov enters it twice.
        let entered_again = runs == 2 * count
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

fn cpp_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            cpp_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "cpp") {
            found.push(path);
        }
    }
}

#[test]
fn statements_run_as_often_as_gcov_counts() {
    let spec = languages::by_name("cpp").expect("C++ is compiled in");
    let Ok(found) = find_toolchain(spec) else {
        println!("skipped: no C++ compiler");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut programs = Vec::new();
    let fixtures = fixture::load(&repository().join("fixtures/cpp"), "cpp", "cpp").unwrap();
    for (number, case) in fixtures
        .iter()
        .flat_map(|fixture| &fixture.cases)
        .enumerate()
    {
        let folder = scratch.path().join(number.to_string());
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in &case.files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        programs.push((
            folder.join(&case.files[0].0),
            case.stdin.clone(),
            case.name.clone(),
        ));
    }
    let mut more = Vec::new();
    cpp_files(&repository().join("fixtures/cpp/programs"), &mut more);
    if let Some(folder) = std::env::var_os("TRACER_ORACLE") {
        cpp_files(Path::new(&folder), &mut more);
    }
    for path in more {
        let path = path.canonicalize().unwrap();
        let name = path.display().to_string();
        programs.push((path, String::new(), name));
    }
    let (mut ran, mut lines, mut differing) = (0, 0, Vec::new());
    for (program, stdin, name) in &programs {
        let Some((compared, wrong)) = compare(program, &found.program, stdin) else {
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
