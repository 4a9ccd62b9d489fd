//! Swift against the compiler's own coverage counts: each statement ran as often as they say.
//!
//! The oracle compiles and runs the original program and knows nothing of tracer. It counts regions,
//! so a region that an error leaves half-way counts what was not reached: programs with errors are
//! not compared.
//!
//! `TRACER_ORACLE=<folder>` compares every Swift file below a folder too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;
use tracer_engine::toolchain::{Toolchain, in_image};
use tracer_engine::{ProgramOptions, RunOptions, find_toolchain, languages};
use tracer_model::{Budget, End, Kind, Payload, Trace};
use tracer_tests::oracle::shell;
use tracer_tests::{files, fixture, missing, repository, settings};

/// Events recorded at most. A program that makes more is not compared.
const EVENTS: u32 = 2_000_000;

/// Builds with counters, runs, and writes the counts as JSON.
const SCRIPT: &str = "cd \"$1\" && tools=$(dirname \"$(readlink -f \"$2\")\") \
    && \"$2\" -Onone -suppress-warnings $4 -profile-generate -profile-coverage-mapping \
    -module-cache-path \"$1/modules\" \"$3\" -o program \
    && { LLVM_PROFILE_FILE=\"$1/raw\" ./program >out 2>/dev/null; test $? -lt 128; } \
    && \"$tools/llvm-profdata\" merge raw -o counts \
    && \"$tools/llvm-cov\" export -format=text -instr-profile counts program";

/// Where a count begins to hold.
struct Segment {
    line: u32,
    column: u32,
    count: u64,
    counted: bool,
    gap: bool,
}

struct Counted {
    segments: Vec<Segment>,
    stdout: Vec<u8>,
}

fn oracle(program: &Path, toolchain: &Toolchain) -> Option<Counted> {
    let scratch = tempfile::tempdir().unwrap();
    let source = std::fs::read_to_string(program).ok()?;
    let library = if source.contains("@main") {
        "-parse-as-library"
    } else {
        ""
    };
    let words = [
        toolchain.found.program.as_os_str(),
        program.as_os_str(),
        library.as_ref(),
    ];
    let mut request = shell(SCRIPT, program, scratch.path(), &words);
    request.image = toolchain.image.as_ref().map(|image| image.root.clone());
    request.roots.clone_from(&toolchain.found.roots);
    let own = [
        ("LANG", "C.UTF-8"),
        ("SWIFT_DETERMINISTIC_HASHING", "1"),
        ("SWIFT_BACKTRACE", "enable=no"),
    ];
    request
        .env
        .extend(own.map(|(name, value)| (name.into(), value.into())));
    request.limits.wall = Some(Duration::from_secs(60));
    let finished = tracer_sandbox::run(&request).unwrap();
    if finished.outcome.end != (End::Exited { code: 0 }) {
        return None;
    }
    let report: Json = serde_json::from_slice(&finished.stdout).ok()?;
    let mut segments = Vec::new();
    for file in report["data"][0]["files"].as_array()? {
        if Path::new(file["filename"].as_str()?).file_name() != program.file_name() {
            continue;
        }
        for segment in file["segments"].as_array()? {
            segments.push(Segment {
                line: u32::try_from(segment[0].as_u64()?).ok()?,
                column: u32::try_from(segment[1].as_u64()?).ok()?,
                count: segment[2].as_u64()?,
                counted: segment[3].as_bool()?,
                gap: segment[5].as_bool().unwrap_or(false),
            });
        }
    }
    let stdout = std::fs::read(scratch.path().join("out")).unwrap_or_default();
    Some(Counted { segments, stdout })
}

fn record(program: &Path) -> Option<(Trace, Vec<u8>)> {
    let mut settings = settings(program.parent().unwrap()).unwrap();
    settings.budget = Budget {
        events: EVENTS,
        bytes: 128 << 20,
        ..Budget::default()
    };
    settings.limits.wall = Some(Duration::from_secs(30));
    let program_options = ProgramOptions::default();
    let options = RunOptions {
        program: program_options,
        settings,
    };
    let done = tracer_engine::trace(program, &options).ok()?;
    let (trace, stdout) = (done.trace, done.executed.stdout);
    let elided = trace.events.iter().any(|event| event.kind == Kind::Elide);
    (matches!(trace.outcome.end, End::Exited { .. }) && !elided).then_some((trace, stdout))
}

/// Statements compared, and what differs. `None` where there is nothing to compare.
fn compare(program: &Path, toolchain: &Toolchain) -> Option<(usize, Vec<String>)> {
    let expected = oracle(program, toolchain)?;
    let (trace, stdout) = record(program)?;
    if stdout != expected.stdout || trace.events.iter().any(|event| event.kind == Kind::Err) {
        return None;
    }
    let dropped = &trace.coverage.dropped;
    if dropped
        .iter()
        .any(|dropped| dropped.reason == "did_not_compile")
    {
        return None;
    }
    let mut runs: BTreeMap<u32, u64> = BTreeMap::new();
    for event in &trace.events {
        if matches!(event.payload, Payload::Step) {
            *runs.entry(event.site).or_default() += 1;
        }
    }
    let (mut compared, mut wrong) = (0, Vec::new());
    for site in trace
        .table
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step)
    {
        let place = (site.span.line, site.span.column);
        let before = expected
            .segments
            .iter()
            .rfind(|segment| (segment.line, segment.column) <= place);
        let Some(segment) = before.filter(|segment| segment.counted && !segment.gap) else {
            continue;
        };
        // The compiler counts the rounds that a loop's `where` leaves out too.
        let filtered = trace.table.sites.iter().any(|around| {
            around.kind == Kind::Loop
                && around.text.contains(" where ")
                && (around.span.start..around.span.end).contains(&site.span.start)
                && around.span.start != site.span.start
        });
        if filtered {
            continue;
        }
        compared += 1;
        let told = runs.get(&site.id).copied().unwrap_or(0);
        if told != segment.count {
            let (line, ran) = (place.0, segment.count);
            let text = trace.table.files[0].text.lines().nth(line as usize - 1);
            let text = text.unwrap_or("").trim();
            wrong.push(format!("line {line} ran {ran} times, {told} told: {text}"));
        }
    }
    Some((compared, wrong))
}

#[test]
fn statements_run_as_often_as_the_compiler_counts() {
    let spec = languages::by_name("swift").expect("Swift is compiled in");
    if let Some(why) = missing(spec) {
        println!("skipped: {why}");
        return;
    }
    let toolchain = if let Ok(found) = find_toolchain(spec) {
        Toolchain::from(found)
    } else {
        let store = settings(Path::new("/")).unwrap().store().unwrap();
        let manifest = store.manifest(spec.id).expect("it is not missing");
        in_image(spec, &store, &manifest).unwrap()
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut programs = Vec::new();
    let fixtures = fixture::load(&repository().join("fixtures/swift"), "swift", "swift").unwrap();
    let cases = fixtures.iter().flat_map(|fixture| &fixture.cases);
    for (number, case) in cases.enumerate() {
        let folder = scratch.path().join(number.to_string());
        programs.push((case.write(&folder).unwrap(), case.name.clone()));
    }
    let mut more = Vec::new();
    files(
        &repository().join("fixtures/swift/programs"),
        "swift",
        &mut more,
    );
    if let Some(folder) = std::env::var_os("TRACER_ORACLE") {
        files(Path::new(&folder), "swift", &mut more);
    }
    for path in more {
        let path = path.canonicalize().unwrap();
        let name = path.display().to_string();
        programs.push((path, name));
    }
    let (mut ran, mut statements, mut differing) = (0, 0, Vec::new());
    for (program, name) in &programs {
        let Some((compared, wrong)) = compare(program, &toolchain) else {
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
        ran > 15 && statements > 100,
        "only {ran} programs and {statements} statements were compared"
    );
    assert!(differing.is_empty(), "{} differ", differing.len());
}
