//! Rust against gdb: each statement ran as often as the debugger stops at its line.
//!
//! The oracle runs the original program, compiled with debug information, and knows nothing of
//! tracer. Compared are lines of one plain statement for which the compiler made one place: macros
//! and expressions with several paths have several.
//!
//! `TRACER_ORACLE=<folder>` compares every Rust file below a folder too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "skips are said")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use tracer_engine::{find_toolchain, languages};
use tracer_model::{End, Kind, Trace};
use tracer_sandbox::{Isolation, Request};
use tracer_tests::fixture::Case;
use tracer_tests::oracle::{self, Verdict};

const DEBUGGER: &str = "/usr/bin/gdb";

/// Lines that hold exactly one statement, which the compiler makes one place of, with how often
/// it was told.
fn ours(trace: &Trace) -> BTreeMap<u32, u64> {
    let sites = &trace.table.sites;
    let mut by_line: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for site in sites.iter().filter(|site| site.file == 0) {
        by_line.entry(site.span.line).or_default().push(site);
    }
    let text = &trace.table.files[0].text;
    let plain = |statement: &str| {
        let splits = [
            "!", "?", "|", "&&", "{", "return", "break", "continue", "loop", "async",
        ];
        statement.ends_with(';') && !splits.iter().any(|part| statement.contains(part))
    };
    let mut lines = BTreeMap::new();
    for (line, sites) in by_line {
        let mut steps = sites.iter().filter(|site| site.kind == Kind::Step);
        let (Some(step), None) = (steps.next(), steps.next()) else {
            continue;
        };
        let statement = &text[step.span.start as usize..step.span.end as usize];
        let alone = sites
            .iter()
            .all(|site| matches!(site.kind, Kind::Step | Kind::Var));
        if alone && step.span.line == step.span.end_line && plain(statement) {
            let told = trace
                .events
                .iter()
                .filter(|event| event.kind == Kind::Step && event.site == step.id);
            lines.insert(line, told.count() as u64);
        }
    }
    lines
}

/// How often each of these lines is stopped at; those the compiler made several places of, or none,
/// are left out. `None` where the program does not build, or does not end by itself.
fn stops(program: &Path, compiler: &Path, lines: &[u32]) -> Option<BTreeMap<u32, u64>> {
    let scratch = tempfile::tempdir().unwrap();
    let name = program.file_name().unwrap().to_string_lossy();
    let mut commands = String::from("set pagination off\nset debuginfod enabled off\n");
    for (at, line) in lines.iter().enumerate() {
        let _ = write!(
            commands,
            "break {name}:{line}\nignore {} 100000000\n",
            at + 1
        );
    }
    commands.push_str("run >/dev/null 2>&1 </dev/null\ninfo breakpoints\n");
    std::fs::write(scratch.path().join("commands"), commands).unwrap();
    let script = "cd \"$1\" && \"$2\" --edition=2021 --cap-lints=allow -g -o program \"$3\" \
                  && \"$4\" -q -batch -nx -x commands program";
    let mut request = Request::new("/bin/sh", program.parent().unwrap());
    let words = [scratch.path(), compiler, program, Path::new(DEBUGGER)];
    request.argv = ["sh", "-c", script, "oracle"].map(Into::into).into();
    request
        .argv
        .extend(words.map(|path| path.as_os_str().to_owned()));
    request.env = vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
        ("TMPDIR".into(), scratch.path().into()),
    ];
    request.limits.wall = Some(Duration::from_secs(60));
    // A debugger needs system calls that the walls refuse; the programs are the repository's own.
    request.isolation = Isolation::None;
    let finished = tracer_sandbox::run(&request).unwrap();
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    if finished.outcome.end != (End::Exited { code: 0 }) || !said.contains("exited") {
        return None;
    }
    let mut found: BTreeMap<u32, u64> = BTreeMap::new();
    let mut current = None;
    for row in said[said.rfind("Num ")?..].lines() {
        let first = row.split_whitespace().next().unwrap_or("");
        if let Some(runs) = row.trim().strip_prefix("breakpoint already hit ") {
            let runs = runs.split(' ').next().and_then(|runs| runs.parse().ok());
            if let Some(count) = current.and_then(|line| found.get_mut(&line)) {
                *count = runs.unwrap_or(0);
            }
        } else if let Ok(number) = first.parse::<usize>() {
            current = lines.get(number - 1).copied();
            match current.filter(|line| row.ends_with(&format!(":{line}"))) {
                Some(line) => drop(found.insert(line, 0)),
                None => current = None,
            }
        }
    }
    Some(found)
}

#[test]
fn statements_run_as_often_as_gdb_stops_at_them() {
    let spec = languages::by_name("rust").expect("Rust is compiled in");
    let Ok(found) = find_toolchain(spec) else {
        println!("skipped: no Rust compiler");
        return;
    };
    if !Path::new(DEBUGGER).exists() {
        println!("skipped: no gdb");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let mut verdict = Verdict::default();
    // A debugger's threads and signals, and a `main` that exits, are the program's only in part.
    let suits = |case: &Case| {
        let text = &case.files[0].1;
        case.stdin.is_empty()
            && !["thread", "exit(", "panic"]
                .iter()
                .any(|word| text.contains(word))
    };
    let subjects = oracle::subjects("rust", "rs", scratch.path(), &suits);
    for (name, path) in subjects {
        let trace = oracle::record(&path);
        let ours = ours(&trace);
        let lines: Vec<u32> = ours.keys().copied().collect();
        let Some(theirs) = stops(&path, &found.program, &lines) else {
            Verdict::skip(&name, "does not end under the oracle");
            continue;
        };
        let text = &trace.table.files[0].text;
        let differing = theirs.iter().find(|(line, runs)| ours[line] != **runs);
        verdict.add(
            &name,
            match differing {
                None => Ok(theirs.len()),
                Some((line, runs)) => Err(format!(
                    "line {line} ran {runs} times, {} told: {}",
                    ours[line],
                    text.lines().nth(*line as usize - 1).unwrap_or("").trim()
                )),
            },
        );
    }
    verdict.close("lines agree with gdb");
}
