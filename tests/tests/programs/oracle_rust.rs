//! Rust against gdb and the compiler's own counters: each statement ran as often as the debugger stops
//! at its line, and as often as what it begins with was counted.
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
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracer_engine::{find_toolchain, languages};
use tracer_model::{End, Kind, Trace};
use tracer_sandbox::Isolation;
use tracer_tests::fixture::Case;
use tracer_tests::oracle::{self, Verdict, shell};

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
    let words = [compiler, program, Path::new(DEBUGGER)].map(Path::as_os_str);
    let mut request = shell(script, program, scratch.path(), &words);
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

/// Builds with counters, runs, and prints the counts. Words: folder, compiler, program, tools.
const COUNTS: &str = r#"cd "$1" && "$2" --edition=2021 --cap-lints=allow -C instrument-coverage -o program "$3" &&
LLVM_PROFILE_FILE="$1/raw" ./program >/dev/null 2>&1 </dev/null
status=$?
[ $status != 101 ] && [ $status -lt 128 ] && "$4/llvm-profdata" merge -sparse raw -o counts &&
exec "$4/llvm-cov" export -instr-profile=counts program
"#;

/// The tools that come with a compiler, if they are installed.
fn tools(compiler: &Path) -> Option<PathBuf> {
    let libraries = compiler.parent()?.parent()?.join("lib/rustlib");
    let mut places = std::fs::read_dir(libraries).ok()?.flatten();
    places.find_map(|place| {
        let folder = place.path().join("bin");
        folder.join("llvm-cov").exists().then_some(folder)
    })
}

/// How often each counted place of a program was reached, by line and byte column.
fn counted(program: &Path, compiler: &Path, tools: &Path) -> Option<BTreeMap<(u64, u64), u64>> {
    let scratch = tempfile::tempdir().unwrap();
    let words = [compiler, program, tools].map(Path::as_os_str);
    let mut request = shell(COUNTS, program, scratch.path(), &words);
    request.limits.wall = Some(Duration::from_secs(60));
    // The programs are the repository's own.
    request.isolation = Isolation::None;
    let finished = tracer_sandbox::run(&request).unwrap();
    if finished.outcome.end != (End::Exited { code: 0 }) {
        return None;
    }
    let said: serde_json::Value = serde_json::from_slice(&finished.stdout).ok()?;
    let files = said["data"][0]["files"].as_array()?;
    let file = files.iter().find(|file| {
        let name = file["filename"].as_str();
        name.is_some_and(|name| program.ends_with(name.trim_start_matches('/')))
    })?;
    let mut counts = BTreeMap::new();
    for segment in file["segments"].as_array()? {
        // Line, column, count, whether there is one, whether a place begins here.
        if segment[3].as_bool()? && segment[4].as_bool()? {
            counts.insert(
                (segment[0].as_u64()?, segment[1].as_u64()?),
                segment[2].as_u64()?,
            );
        }
    }
    Some(counts)
}

/// Where the first thing that a statement does stands in it; `None` where that is done another
/// number of times, as in the head of a loop, or not always.
fn first_of(statement: &str) -> Option<usize> {
    let word = statement.split(|c: char| !c.is_alphanumeric() && c != '_');
    let word = word.into_iter().next().unwrap_or("");
    if matches!(
        word,
        "for" | "while" | "loop" | "if" | "match" | "unsafe" | "move" | "async" | ""
    ) || statement.starts_with('\'')
    {
        return None;
    }
    if word == "let" {
        let from = statement.find(" = ")? + 3;
        let value = &statement[from..];
        let rest = [
            "'", "for", "while", "loop", "match", "if", "unsafe", "move", "async", "|", "{",
        ];
        return (!rest.iter().any(|word| value.starts_with(word))).then_some(from);
    }
    // What is written to is counted once the value is there.
    (!statement.contains('?') && !statement.contains(".await")).then_some(0)
}

/// Compares the statements of a trace with the counters: how many agree, or the first that does not.
fn agree(trace: &Trace, counts: &BTreeMap<(u64, u64), u64>) -> Result<usize, String> {
    let text = &trace.table.files[0].text;
    let place = |at: usize| {
        let before = &text[..at];
        let line = before.matches('\n').count() as u64 + 1;
        let column = at - before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, column as u64 + 1)
    };
    let mut told: BTreeMap<u32, u64> = BTreeMap::new();
    for event in trace.events.iter().filter(|event| event.kind == Kind::Step) {
        *told.entry(event.site).or_default() += 1;
    }
    let mut compared = 0;
    let steps = trace
        .table
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step);
    for site in steps.filter(|site| site.file == 0) {
        let (start, end) = (site.span.start as usize, site.span.end as usize);
        let Some(from) = first_of(&text[start..end]) else {
            continue;
        };
        let first = counts.range(place(start + from)..place(end)).next();
        let Some((_, &runs)) = first else { continue };
        let ours = told.get(&site.id).copied().unwrap_or(0);
        if ours != runs {
            return Err(format!(
                "line {} ran {runs} times, {ours} told: {}",
                site.span.line,
                &text[start..end]
            ));
        }
        compared += 1;
    }
    Ok(compared)
}

#[test]
fn statements_run_as_often_as_the_compiler_counts() {
    let spec = languages::by_name("rust").expect("Rust is compiled in");
    let Ok(found) = find_toolchain(spec) else {
        println!("skipped: no Rust compiler");
        return;
    };
    let Some(tools) = tools(&found.program) else {
        println!("skipped: no llvm-tools beside the compiler (`rustup component add llvm-tools`)");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut verdict = Verdict::default();
    // Counters know nothing of what a panic leaves out, and are not exact between threads.
    let suits = |case: &Case| {
        let text = &case.files[0].1;
        let words = ["thread", "catch_unwind", "should_panic"];
        case.stdin.is_empty() && !words.iter().any(|word| text.contains(word))
    };
    for (name, path) in oracle::subjects("rust", "rs", scratch.path(), &suits) {
        let Some(counts) = counted(&path, &found.program, &tools) else {
            Verdict::skip(&name, "does not build or end under the oracle");
            continue;
        };
        verdict.add(&name, agree(&oracle::record(&path), &counts));
    }
    verdict.close("statements agree with the compiler's counters");
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
    // A debugger takes long: the counters see to the cases, it to the programs.
    let subjects = oracle::subjects("rust", "rs", scratch.path(), &|_| false);
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
