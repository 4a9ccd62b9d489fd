//! Java against the JVM's debugger interface: the main thread ran the same lines in the same order.
//!
//! The oracle (`oracles/java/Lines.java`) sets a breakpoint wherever the compiler began a line of
//! the original program, and knows nothing of tracer. Compared are the lines that hold one statement
//! and no loop.
//!
//! `TRACER_ORACLE=<folder>` compares every Java file below a folder too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{Budget, End, Kind, Trace};
use tracer_sandbox::{Isolation, Request};
use tracer_tests::{files, fixture, repository};

/// Events recorded at most; a program that makes more is not compared.
const EVENTS: u32 = 2_000_000;

/// What the oracle says of one run.
struct Heard {
    /// Lines of the main thread in order.
    visits: Vec<u32>,
    /// Lines that have code.
    lines: BTreeSet<u32>,
}

/// A JDK's tools, and the compiled oracle.
struct Tools {
    compiler: PathBuf,
    oracle: tempfile::TempDir,
}

impl Tools {
    fn new(compiler: PathBuf) -> Self {
        let oracle = tempfile::tempdir().unwrap();
        let source = repository().join("tests/oracles/java/Lines.java");
        let words = [
            "-nowarn".into(),
            "-d".into(),
            oracle.path().into(),
            source.into(),
        ];
        run(&compiler, &words, oracle.path()).expect("the oracle compiles");
        Self { compiler, oracle }
    }
}

/// Starts a program of the JDK without walls: the debugger talks to its target through a socket.
fn run(program: &Path, words: &[OsString], folder: &Path) -> Option<Vec<u8>> {
    let mut request = Request::new(program, folder);
    request.argv = std::iter::once(program.into())
        .chain(words.iter().cloned())
        .collect();
    request.env = vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())];
    request.isolation = Isolation::None;
    request.limits.wall = Some(Duration::from_secs(60));
    request.limits.memory = None;
    request.limits.output = Some(64 << 20);
    let finished = tracer_sandbox::run(&request).unwrap();
    (finished.outcome.end == (End::Exited { code: 0 })).then_some(finished.stdout)
}

/// The class whose `main` is first in a file.
fn main_class(source: &str) -> Option<String> {
    let before = &source[..source.find("static void main")?];
    let at = before.rfind("class ")? + "class ".len();
    let name = before[at..].split(|c: char| !c.is_alphanumeric() && c != '_');
    name.into_iter().next().map(str::to_owned)
}

fn oracle(program: &Path, tools: &Tools) -> Option<Heard> {
    let classes = tempfile::tempdir().unwrap();
    let folder = program.parent().unwrap();
    let class = main_class(&std::fs::read_to_string(program).ok()?)?;
    let words = [
        "-nowarn".into(),
        "-d".into(),
        classes.path().into(),
        program.into(),
    ];
    run(&tools.compiler, &words, folder)?;
    let words = [
        "-cp".into(),
        tools.oracle.path().into(),
        "Lines".into(),
        classes.path().into(),
        class.into(),
    ];
    let said = run(&tools.compiler.with_file_name("java"), &words, folder)?;
    let said = String::from_utf8(said).ok()?;
    let mut heard = Heard {
        visits: Vec::new(),
        lines: BTreeSet::new(),
    };
    let mut main = None;
    for row in said.lines() {
        if let Some(all) = row.strip_prefix("= ") {
            heard.lines = all
                .split(' ')
                .filter_map(|line| line.parse().ok())
                .collect();
        } else {
            let (line, thread) = row.split_once(' ')?;
            if thread == *main.get_or_insert(thread) {
                heard.visits.push(line.parse().ok()?);
            }
        }
    }
    Some(heard)
}

/// Lines that hold exactly one statement and nothing that the compiler splits.
fn comparable(trace: &Trace) -> BTreeSet<u32> {
    let mut by_line: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for site in trace.table.sites.iter().filter(|site| site.file == 0) {
        by_line.entry(site.span.line).or_default().push(site);
    }
    let source = &trace.table.files[0].text;
    // The compiler copies a `finally` to each way out, and comes back from it.
    let copies = source.contains("finally");
    by_line
        .into_iter()
        .filter_map(|(line, sites)| {
            let mut own = sites.iter().filter(|site| site.kind == Kind::Step);
            let step = own.next().filter(|_| own.next().is_none())?;
            let text = source.get(step.span.start as usize..step.span.end as usize)?;
            let head = text.lines().next().unwrap_or(text);
            let row = source.lines().nth(line as usize - 1)?;
            let splits = [
                "&&",
                "||",
                "?",
                "->",
                "switch",
                "assert",
                "synchronized",
                "for",
                "while",
            ];
            let splits = splits.iter().any(|part| row.contains(part));
            let whole = step.span.line == step.span.end_line
                || text.starts_with("if") && head.ends_with('{');
            let comes_back = copies && text.starts_with("return");
            let loops = sites.iter().any(|site| site.kind == Kind::Loop);
            (whole && !splits && !comes_back && !loops).then_some(line)
        })
        .collect()
}

fn record(program: &Path) -> Option<Trace> {
    let mut settings = Settings::new().unwrap();
    settings.cwd = program.parent().unwrap().into();
    settings.budget = Budget {
        events: EVENTS,
        bytes: 128 << 20,
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
    let trace = tracer_engine::trace(program, &options).ok()?.trace;
    let elided = trace.events.iter().any(|event| event.kind == Kind::Elide);
    let shed = trace
        .coverage
        .dropped
        .iter()
        .any(|dropped| dropped.reason == "did_not_compile");
    (matches!(trace.outcome.end, End::Exited { .. }) && !elided && !shed).then_some(trace)
}

/// Visits compared, and the first that differs.
fn compare(program: &Path, tools: &Tools) -> Option<(usize, Option<String>)> {
    let source = std::fs::read_to_string(program).ok()?;
    // A program that does something else each time shows nothing; nor does a second thread's turn.
    let chance = [
        "Random",
        "Math.random",
        "nanoTime",
        "currentTimeMillis",
        "shuffle",
    ];
    if chance.iter().any(|word| source.contains(word)) {
        return None;
    }
    let expected = oracle(program, tools)?;
    let trace = record(program)?;
    let lines: BTreeSet<u32> = comparable(&trace)
        .intersection(&expected.lines)
        .copied()
        .collect();
    let ours: Vec<u32> = trace
        .events
        .iter()
        .filter(|event| event.kind == Kind::Step && event.task == 0 && lines.contains(&event.line))
        .map(|event| event.line)
        .collect();
    let theirs: Vec<u32> = expected
        .visits
        .into_iter()
        .filter(|line| lines.contains(line))
        .collect();
    let differs = (ours != theirs).then(|| {
        let at = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        format!(
            "{}: visit {at}: line {:?}, but the debugger says {:?}",
            program.display(),
            ours.get(at),
            theirs.get(at)
        )
    });
    Some((ours.len(), differs))
}

#[test]
fn lines_run_in_the_order_that_the_debugger_says() {
    let spec = languages::by_name("java").unwrap();
    let compiler = match find_toolchain(spec) {
        Ok(found) => found.program,
        Err(why) => {
            eprintln!("skipped: {why}");
            return;
        }
    };
    let tools = Tools::new(compiler);
    let scratch = tempfile::tempdir().unwrap();
    let mut programs = Vec::new();
    let folder = repository().join("fixtures/java");
    for fixture in fixture::load(&folder, "java", "java").unwrap() {
        for (index, case) in fixture.cases.iter().enumerate() {
            let stem = fixture.path.file_stem().unwrap().to_string_lossy();
            let path = scratch
                .path()
                .join(format!("{stem}{index}"))
                .join("main.java");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &case.files[0].1).unwrap();
            programs.push(path);
        }
    }
    files(&folder.join("programs"), "java", &mut programs);
    if let Some(more) = std::env::var_os("TRACER_ORACLE") {
        files(Path::new(&more), "java", &mut programs);
    }
    let (mut files, mut visits, mut wrong) = (0, 0, Vec::new());
    for program in &programs {
        if let Some((compared, differs)) = compare(program, &tools) {
            files += 1;
            visits += compared;
            wrong.extend(differs);
        }
    }
    println!(
        "{files} of {} programs, {visits} visits of lines",
        programs.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        files > 5 && visits > 100,
        "{files} programs, {visits} visits"
    );
}
