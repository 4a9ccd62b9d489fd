//! JavaScript against V8's block coverage: every statement and every function ran as often as V8
//! counted.
//!
//! V8 counts blocks, not statements: where an error leaves a block half-way, only the block's first
//! statement is comparable. The oracle runs the original program and knows nothing of tracer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{FunctionKind, Kind, Payload, Trace};
use tracer_tests::{fixture, repository};

/// A stretch of source and how often it ran.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: usize,
    end: usize,
    count: u64,
}

/// What V8 counted; `None` if the program does not end in time under it, or leaves no counts.
fn oracle(program: &Path, node: &Path, roots: &[PathBuf]) -> Option<Vec<Vec<Range>>> {
    let env = [("TZ", "UTC")];
    let text = tracer_tests::oracle::run("javascript/coverage.cjs", program, node, roots, &env)?;
    let functions: Vec<Json> = serde_json::from_str(&text).unwrap();
    let number = |value: &Json| value.as_u64().unwrap();
    Some(
        functions
            .iter()
            .map(|function| {
                let ranges = function["ranges"].as_array().unwrap().iter();
                ranges
                    .map(|range| Range {
                        start: number(&range["startOffset"]) as usize,
                        end: number(&range["endOffset"]) as usize,
                        count: number(&range["count"]),
                    })
                    .collect()
            })
            .collect(),
    )
}

/// How often each site was visited, those left out included.
fn visits(trace: &Trace) -> BTreeMap<u32, u64> {
    let mut visits = BTreeMap::new();
    for event in &trace.events {
        *visits.entry(event.site).or_insert(0) += match &event.payload {
            Payload::Step | Payload::In { .. } => 1,
            Payload::Elide { count, .. } => *count,
            _ => continue,
        };
    }
    visits
}

/// The smallest of V8's ranges around a statement. A function that the statement begins with is not
/// around it.
fn innermost(functions: &[Vec<Range>], offset: usize) -> Option<Range> {
    let around = |range: &&Range| range.start <= offset && offset < range.end;
    let begins = |own: &Range| own.start == offset && offset > 0;
    functions
        .iter()
        .filter(|ranges| !ranges.first().is_some_and(begins))
        .flatten()
        .filter(around)
        .min_by_key(|range| range.end - range.start)
        .copied()
}

/// Compares every comparable place; the number compared, or the first that differs.
fn compare(trace: &Trace, functions: &[Vec<Range>]) -> Result<u64, String> {
    let text = &trace.table.files[0].text;
    let visits = visits(trace);
    let errors = trace.events.iter().any(|event| {
        event.kind == Kind::Err
            || matches!(
                event.payload,
                Payload::Out {
                    unwinding: true,
                    ..
                }
            )
    });
    let mut compared = 0;
    let mut blocks_seen = Vec::new();
    for site in trace.table.sites.iter().filter(|site| site.file == 0) {
        let offset = text[..site.span.start as usize].encode_utf16().count();
        // A generator's body begins at the first `next`; V8 counts the call.
        let function = &trace.table.functions[site.function as usize];
        let generates = function.kind == FunctionKind::Generator;
        let expected = match site.kind {
            Kind::Step => {
                let Some(range) = innermost(functions, offset) else {
                    continue;
                };
                let is_whole = functions.iter().any(|ranges| {
                    ranges
                        .first()
                        .is_some_and(|own| (own.start, own.end) == (range.start, range.end))
                });
                if generates && is_whole {
                    continue;
                }
                let block = (range.start, range.end);
                let first = !blocks_seen.contains(&block);
                blocks_seen.push(block);
                if errors && !first {
                    continue;
                }
                range.count
            }
            Kind::In if generates => continue,
            Kind::In => {
                // V8 names a function's own range first; it is the definition's.
                let end = text[..site.span.end as usize].encode_utf16().count();
                let own = functions
                    .iter()
                    .filter_map(|ranges| ranges.first())
                    .find(|range| range.start == offset && range.end == end);
                let Some(range) = own else { continue };
                // V8 counts a call before its parameters have their values, we do after.
                let body = text[site.span.start as usize..].find('{').unwrap_or(0);
                if errors && text[site.span.start as usize..][..body].contains('=') {
                    continue;
                }
                range.count
            }
            _ => continue,
        };
        let found = visits.get(&site.id).copied().unwrap_or(0);
        if found != expected {
            return Err(format!(
                "{:?} on line {}: we say {found}, V8 says {expected}",
                site.kind, site.span.line
            ));
        }
        compared += 1.max(found);
    }
    Ok(compared)
}

fn record(program: &Path) -> Trace {
    let mut settings = Settings::new().unwrap();
    settings.cwd = program.parent().unwrap().to_path_buf();
    settings.budget.events = 1_000_000;
    settings.budget.bytes = 32 << 20;
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    tracer_engine::trace(program, &options).unwrap().trace
}

#[test]
fn traces_agree_with_block_coverage() {
    let spec = languages::by_name("javascript").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let (mut programs, mut compared, mut wrong) = (0, 0, Vec::new());
    for (name, path) in subjects(scratch.path()) {
        let Some(theirs) = oracle(&path, &found.program, &found.roots) else {
            println!("skipped: {name}: leaves no counts");
            continue;
        };
        let trace = record(&path);
        // What the parser cannot read has no probes.
        if trace
            .coverage
            .dropped
            .iter()
            .any(|dropped| dropped.reason == "syntax_error")
        {
            println!("skipped: {name}: not all of it is traced");
            continue;
        }
        programs += 1;
        match compare(&trace, &theirs) {
            Ok(events) => compared += events,
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("{programs} programs, {compared} visits agree with V8's block coverage");
    assert!(
        wrong.is_empty(),
        "{} of {programs} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 0, "nothing was compared");
}

/// The fixture programs and every single-file fixture case. `TRACER_ORACLE` names a further folder.
fn subjects(scratch: &Path) -> Vec<(String, PathBuf)> {
    let folder = repository()
        .join("fixtures/javascript")
        .canonicalize()
        .unwrap();
    let mut subjects = Vec::new();
    let mut folders = vec![folder.join("programs")];
    folders.extend(std::env::var_os("TRACER_ORACLE").map(PathBuf::from));
    for folder in folders {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "js"))
            .collect();
        paths.sort();
        subjects.extend(
            paths
                .into_iter()
                .map(|path| (path.display().to_string(), path)),
        );
    }
    for fixture in fixture::load(&folder, "javascript", "js").unwrap() {
        for (index, case) in fixture.cases.iter().enumerate() {
            // Under the oracle a program is not the main module, and the stack is less deep.
            let own = ["require.main", "process._getActive", "Worker("];
            let deep = ["recursion-too-deep", "overflow"];
            let text = &case.files[0].1;
            if case.files.len() > 1
                || own.iter().any(|word| text.contains(word))
                || deep.contains(&case.name.as_str())
            {
                continue;
            }
            let stem = fixture
                .path
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let path = scratch.join(format!("{stem}_{index}.js"));
            std::fs::write(&path, text).unwrap();
            subjects.push((format!("{stem}/{}", case.name), path));
        }
    }
    subjects
}
