//! Python against `sys.settrace`: the same statements in the same order, the same calls and returns,
//! the same values.
//!
//! The oracle runs the original program and knows nothing of tracer. Compared are the program's own
//! file only; of values the exact plain ones.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;
use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{End, Event, FunctionKind, Kind, LoopPhase, Payload, Shape, Trace, Value};
use tracer_sandbox::{Access, Folder, Request};
use tracer_tests::{fixture, repository};

/// One comparable thing that happened: what, in which function, with what.
type Fact = (&'static str, String, String);

/// What one recorder says of a program.
#[derive(Default)]
struct Record {
    /// Statements, calls and returns in order.
    flow: Vec<Fact>,
    /// Values each name took, by function.
    values: BTreeMap<(String, String), Vec<String>>,
}

impl Record {
    fn step(&mut self, function: &str, line: u64) {
        let fact = ("line", function.to_owned(), line.to_string());
        // Settrace reports a statement again when it goes back to one of its lines.
        if self.flow.last() != Some(&fact) {
            self.flow.push(fact);
        }
    }

    fn value(&mut self, function: &str, name: &str, text: &str) {
        let values = self
            .values
            .entry((function.to_owned(), name.to_owned()))
            .or_default();
        if values.last().map(String::as_str) != Some(text) {
            values.push(text.to_owned());
        }
    }
}

/// What the oracle saw; `None` if the program does not end in time under it.
fn oracle(program: &Path, python: &Path, roots: &[PathBuf]) -> Option<Record> {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("events");
    let recorder = repository()
        .join("tests/oracles/python/recorder.py")
        .canonicalize()
        .unwrap();
    let mut request = Request::new(python, program.parent().unwrap());
    request.argv = [python, &recorder, &out, program]
        .map(|path| path.as_os_str().into())
        .to_vec();
    request.env = vec![
        ("LANG".into(), "C.UTF-8".into()),
        ("PYTHONHASHSEED".into(), "0".into()),
        ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
    ];
    request.limits.wall = Some(Duration::from_secs(20));
    request.roots = roots.to_vec();
    request.roots.push(recorder.parent().unwrap().into());
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
    if matches!(finished.outcome.end, End::Limited { .. }) {
        return None;
    }
    let text = std::fs::read_to_string(&out).unwrap_or_else(|_| {
        panic!("no events: {}", String::from_utf8_lossy(&finished.stderr));
    });
    let mut record = Record::default();
    for line in text.lines() {
        let event: Vec<Json> = serde_json::from_str(line).unwrap();
        let function = short(event[1].as_str().unwrap());
        match event[0].as_str().unwrap() {
            "line" => record.step(function, event[2].as_u64().unwrap()),
            "call" => {
                record.flow.push(("call", function.into(), String::new()));
                for (name, value) in event[2].as_object().unwrap() {
                    record.value(function, name, value.as_str().unwrap());
                }
            }
            "return" => record.flow.push(("return", function.into(), String::new())),
            "set" => record.value(
                function,
                event[2].as_str().unwrap(),
                event[3].as_str().unwrap(),
            ),
            _ => {}
        }
    }
    Some(record)
}

/// A function's own name; older versions of Python tell no more.
fn short(qualified: &str) -> &str {
    qualified.rsplit('.').next().unwrap_or(qualified)
}

fn ours(trace: &Trace) -> Record {
    let mut record = Record::default();
    for event in &trace.events {
        let function = function_name(trace, event);
        match &event.payload {
            Payload::Step => record.step(&function, event.line.into()),
            Payload::In { args } => {
                record.flow.push(("call", function.clone(), String::new()));
                args.iter()
                    .for_each(|(name, value)| note(&mut record, &function, name, value));
            }
            Payload::Out { .. } => record.flow.push(("return", function, String::new())),
            Payload::Var { name, value } => note(&mut record, &function, name, value),
            // Settrace comes by the loop's own line for every round, and once more to find the end.
            Payload::Loop {
                phase: LoopPhase::Iteration,
                targets,
                ..
            } => {
                record.step(&function, event.line.into());
                targets
                    .iter()
                    .for_each(|(name, value)| note(&mut record, &function, name, value));
            }
            Payload::Loop {
                phase: LoopPhase::Left,
                ..
            } if !left_by_break(trace, &record) => {
                record.step(&function, event.line.into());
            }
            _ => {}
        }
    }
    record
}

fn left_by_break(trace: &Trace, record: &Record) -> bool {
    let last = record.flow.iter().rev().find(|(what, ..)| *what == "line");
    let line = last
        .and_then(|(_, _, line)| line.parse::<usize>().ok())
        .unwrap_or(1);
    let source = trace.table.files[0]
        .text
        .lines()
        .nth(line - 1)
        .unwrap_or_default();
    source.split([' ', ';', ':']).any(|word| word == "break")
}

fn function_name(trace: &Trace, event: &Event) -> String {
    trace
        .table
        .site(event.site)
        .and_then(|site| trace.table.functions.get(site.function as usize))
        .map(|function| function.name.clone())
        .unwrap_or_default()
}

fn note(record: &mut Record, function: &str, name: &str, value: &Value) {
    let plain = matches!(
        value.shape,
        Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::String
    );
    if plain && value.cut.is_none() {
        record.value(function, name, &value.text);
    }
}

/// What both can say: statements that have a site, functions that are not scopes of their own only
/// in some versions of Python, names the oracle saw too.
fn compare(trace: &Trace, ours: &Record, oracle: &Record) -> Result<usize, String> {
    let sites: BTreeSet<String> = trace
        .table
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step && site.file == 0)
        .map(|site| site.span.line.to_string())
        .collect();
    let scopes: BTreeSet<&str> = trace
        .table
        .functions
        .iter()
        .filter(|function| function.kind == FunctionKind::Comprehension)
        .map(|function| function.name.as_str())
        .chain([
            "<listcomp>",
            "<setcomp>",
            "<dictcomp>",
            "<genexpr>",
            "<module>",
        ])
        .collect();
    let flow = |record: &Record| -> Vec<Fact> {
        let mut kept: Vec<Fact> = Vec::new();
        for fact in &record.flow {
            let (what, function, detail) = fact;
            let keep = match *what {
                "line" => {
                    sites.contains(detail) && !scopes.contains(function.as_str())
                        || function == "<module>" && sites.contains(detail)
                }
                _ => !scopes.contains(function.as_str()),
            };
            if keep && kept.last() != Some(fact) || keep && *what != "line" {
                kept.push(fact.clone());
            }
        }
        kept
    };
    let (a, b) = (flow(ours), flow(oracle));
    if let Some(at) = (0..a.len().max(b.len())).find(|&at| a.get(at) != b.get(at)) {
        let from = at.saturating_sub(3);
        let part = |facts: &[Fact]| facts.iter().skip(from).take(7).cloned().collect::<Vec<_>>();
        return Err(format!(
            "event {at}:\n  ours   {:?}\n  oracle {:?}",
            part(&a),
            part(&b)
        ));
    }
    let mut compared = a.len();
    for (key, expected) in &oracle.values {
        let Some(found) = ours.values.get(key) else {
            continue;
        };
        if found != expected {
            return Err(format!(
                "values of {key:?}:\n  ours   {found:?}\n  oracle {expected:?}"
            ));
        }
        compared += expected.len();
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
fn traces_agree_with_settrace() {
    let spec = languages::by_name("python").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let (mut programs, mut compared, mut wrong) = (0, 0, Vec::new());
    for (name, path) in subjects(scratch.path()) {
        let Some(theirs) = oracle(&path, &found.program, &found.roots) else {
            println!("skipped: {name}: does not end under the oracle");
            continue;
        };
        let trace = record(&path);
        programs += 1;
        match compare(&trace, &ours(&trace), &theirs) {
            Ok(events) => compared += events,
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("{programs} programs, {compared} events agree with sys.settrace");
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
    let folder = repository().join("fixtures/python").canonicalize().unwrap();
    let mut subjects = Vec::new();
    let mut folders = vec![folder.join("programs")];
    folders.extend(std::env::var_os("TRACER_ORACLE").map(PathBuf::from));
    for folder in folders {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
            .collect();
        paths.sort();
        subjects.extend(
            paths
                .into_iter()
                .map(|path| (path.display().to_string(), path)),
        );
    }
    for fixture in fixture::load(&folder, "python", "py").unwrap() {
        for (index, case) in fixture.cases.iter().enumerate() {
            // The oracle itself is a trace function, and reads one file.
            let own = [
                "settrace",
                "_getframe",
                "inspect",
                "traceback",
                "thread",
                "async ",
                "fork",
            ];
            let text = &case.files[0].1;
            if case.files.len() > 1 || own.iter().any(|word| text.contains(word)) {
                continue;
            }
            let stem = fixture
                .path
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let path = scratch.join(format!("{stem}_{index}.py"));
            std::fs::write(&path, text).unwrap();
            subjects.push((format!("{stem}/{}", case.name), path));
        }
    }
    subjects
}
