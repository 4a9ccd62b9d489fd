//! Python against `sys.settrace`: the same statements in the same order, the same calls and returns,
//! the same values.
//!
//! The oracle runs the original program and knows nothing of tracer. Compared are the program's own
//! file only; of values the exact plain ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a missing toolchain is said")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tracer_engine::{find_toolchain, languages};
use tracer_model::{Event, FunctionKind, Kind, LoopPhase, Payload, Shape, TaskPhase, Trace, Value};
use tracer_tests::fixture::Case;
use tracer_tests::oracle::{self, Verdict};

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
fn seen(program: &Path, python: &Path, roots: &[PathBuf]) -> Option<Record> {
    let env = [("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let text = oracle::run("python/recorder.py", program, python, roots, &env)?;
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
    let mut frames: Vec<Names> = vec![Names::new()];
    let mut standing: Vec<u32> = Vec::new();
    let mut waiting: BTreeMap<String, Vec<Names>> = BTreeMap::new();
    for event in &trace.events {
        let function = function_name(trace, event);
        let mut call = |record: &mut Record, names: Names| {
            record.flow.push(("call", function.clone(), String::new()));
            frames.truncate(event.depth as usize);
            frames.resize_with(event.depth as usize, Names::new);
            frames.push(names);
        };
        match &event.payload {
            Payload::In { .. } => call(&mut record, Names::new()),
            Payload::Task {
                phase: TaskPhase::Switched,
                what,
                ..
            } if what == "generator" => {
                let names = waiting
                    .get_mut(&function)
                    .and_then(Vec::pop)
                    .unwrap_or_default();
                call(&mut record, names);
            }
            _ => {}
        }
        let depth = event.depth as usize;
        standing.resize(depth + 1, 0);
        if matches!(event.payload, Payload::In { .. }) {
            standing[depth] = 0;
        }
        let mut step = |record: &mut Record| {
            if std::mem::replace(&mut standing[depth], event.line) != event.line {
                record.step(&function, event.line.into());
            }
        };
        let mut note = |record: &mut Record, name: &str, value: &Value| {
            if let Some(names) = frames.get_mut(depth) {
                note(record, names, &function, name, value);
            }
        };
        match &event.payload {
            Payload::Step => step(&mut record),
            Payload::In { args } => {
                for (name, value) in args {
                    note(&mut record, name, value);
                }
            }
            Payload::Out { suspended, .. } => {
                record
                    .flow
                    .push(("return", function.clone(), String::new()));
                if *suspended && frames.len() > depth {
                    waiting.entry(function).or_default().extend(frames.pop());
                }
            }
            Payload::Var { name, value } => note(&mut record, name, value),
            Payload::Loop { phase, targets, .. } if *phase != LoopPhase::Entered => {
                if is_statement(trace, event) {
                    step(&mut record);
                }
                for (name, value) in targets {
                    note(&mut record, name, value);
                }
            }
            _ => {}
        }
    }
    record
}

/// Whether a loop is a statement rather than a comprehension.
fn is_statement(trace: &Trace, event: &Event) -> bool {
    let start = trace
        .table
        .site(event.site)
        .map_or(0, |site| site.span.start as usize);
    let text = trace.table.files[0].text.get(start..).unwrap_or_default();
    ["for", "while", "async"]
        .iter()
        .any(|word| text.starts_with(word))
}

fn function_name(trace: &Trace, event: &Event) -> String {
    trace
        .table
        .site(event.site)
        .and_then(|site| trace.table.functions.get(site.function as usize))
        .map(|function| function.name.clone())
        .unwrap_or_default()
}

/// The plain values that a frame's names have, as far as they were told.
type Names = BTreeMap<String, String>;

fn note(record: &mut Record, names: &mut Names, function: &str, name: &str, value: &Value) {
    let plain = matches!(
        value.shape,
        Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::String
    );
    if !plain || value.cut.is_some() {
        names.remove(name);
    } else if names.insert(name.to_owned(), value.text.clone()).as_ref() != Some(&value.text) {
        record.value(function, name, &value.text);
    }
}

/// What both can say: statements that have a site, functions that are not scopes of their own only
/// in some versions of Python, names the oracle saw too.
fn compare(trace: &Trace, ours: &Record, oracle: &Record) -> Result<usize, String> {
    let functions = &trace.table.functions;
    let sites: BTreeSet<(String, String)> = trace
        .table
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step && site.file == 0)
        .map(|site| {
            (
                functions[site.function as usize].name.clone(),
                site.span.line.to_string(),
            )
        })
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
            "<lambda>",
        ])
        .collect();
    // A `for` line stands before the code that gives its next value in the oracle, behind it in
    // ours; a `with` line stands twice in the oracle, a `case` line when it is looked at.
    let text = &trace.table.files[0].text;
    let lines: Vec<&str> = text.lines().collect();
    let starts = |line: &str, word: &str| {
        let line = line
            .parse::<usize>()
            .ok()
            .and_then(|line| lines.get(line - 1));
        line.is_some_and(|line| line.trim_start().starts_with(word))
    };
    let doubtful: BTreeSet<&str> = oracle
        .flow
        .windows(2)
        .filter(|pair| pair[0].0 == "line" && starts(&pair[0].2, "for") && pair[1].0 == "call")
        .map(|pair| pair[0].2.as_str())
        .chain(sites.iter().map(|(_, line)| line.as_str()).filter(|line| {
            ["with", "case", "class"]
                .iter()
                .any(|word| starts(line, word))
        }))
        .collect();
    let flow = |record: &Record| -> Vec<Fact> {
        let mut kept: Vec<Fact> = Vec::new();
        for fact in &record.flow {
            let (what, function, detail) = fact;
            let keep = match *what {
                "line" => {
                    sites.contains(&(function.clone(), detail.clone()))
                        && !doubtful.contains(detail.as_str())
                        && (function == "<module>" || !scopes.contains(function.as_str()))
                }
                _ => !scopes.contains(function.as_str()),
            };
            if keep && (kept.last() != Some(fact) || *what != "line") {
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
        // A variable of another scope is ours by the function that writes it.
        let shared = |word: &str| text.contains(&format!("{word} {}", key.1));
        let Some(found) = ours
            .values
            .get(key)
            .filter(|_| !shared("global") && !shared("nonlocal"))
        else {
            continue;
        };
        // The oracle looks between statements only, and so may miss values.
        let mut rest = found.iter();
        if !expected
            .iter()
            .all(|value| rest.any(|other| other == value))
        {
            return Err(format!(
                "values of {key:?}:\n  ours   {found:?}\n  oracle {expected:?}"
            ));
        }
        compared += expected.len();
    }
    Ok(compared)
}

#[test]
fn traces_agree_with_settrace() {
    let spec = languages::by_name("python").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let suits = |case: &Case| !OWN.iter().any(|word| case.files[0].1.contains(word));
    let mut verdict = Verdict::default();
    for (name, path) in oracle::subjects("python", "py", scratch.path(), &suits) {
        let Some(theirs) = seen(&path, &found.program, &found.roots) else {
            Verdict::skip(&name, "does not end under the oracle");
            continue;
        };
        let trace = oracle::record(&path);
        verdict.add(&name, compare(&trace, &ours(&trace), &theirs));
    }
    verdict.close("events agree with sys.settrace");
}

/// Words of programs that the oracle, itself a trace function, cannot follow.
const OWN: [&str; 20] = [
    "settrace",
    "_getframe",
    "inspect",
    "traceback",
    "thread",
    "async ",
    "fork",
    "yield from",
    "_exit",
    "SIGKILL",
    "exec",
    "setitimer",
    "RecursionError",
    "subprocess",
    "multiprocessing",
    "even(-1)",
    "sys.exit",
    "exit_",
    "__prepare__",
    "__loader__",
];
