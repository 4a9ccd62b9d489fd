//! Ruby against `TracePoint`: the same statements in the same order, the same calls, returns and
//! their values, the same errors, the same values of local variables.
//!
//! The oracle runs the original program and knows nothing of tracer. Compared are the program's own
//! file only; of values the plain ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a missing toolchain is said")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tracer_engine::{find_toolchain, languages};
use tracer_model::{ErrPhase, Event, Kind, Payload, Shape, Trace, Value};
use tracer_tests::fixture::Case;
use tracer_tests::oracle::{self, Verdict};

/// One comparable thing that happened: what, in which function, with what.
type Fact = (String, String, String);

/// What one recorder says of a program.
#[derive(Default)]
struct Record {
    /// Statements, calls, returns and errors in order.
    flow: Vec<Fact>,
    /// Plain values that calls of a function gave, in order; `None` for others.
    returns: BTreeMap<String, Vec<Option<String>>>,
    /// Values each name took, by function.
    values: BTreeMap<(String, String), Vec<String>>,
}

impl Record {
    fn fact(&mut self, what: &str, function: &str, detail: &str) {
        self.flow
            .push((what.into(), function.into(), detail.into()));
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
fn seen(program: &Path, ruby: &Path, roots: &[PathBuf]) -> Option<Record> {
    let text = oracle::run("ruby/recorder.rb", program, ruby, roots, &[])?;
    let mut record = Record::default();
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        match parts[..] {
            ["line", function, line] => record.fact("line", function, line),
            ["call", function] => record.fact("call", function, ""),
            ["raise", line, class] => record.fact("raise", line, class),
            ["set", function, name, value] => record.value(function, name, value),
            ["return", function, ref value @ ..] => {
                record.fact("return", function, "");
                let value = value.first().filter(|value| !value.is_empty());
                record
                    .returns
                    .entry(function.to_owned())
                    .or_default()
                    .push(value.map(|&value| value.to_owned()));
            }
            _ => {}
        }
    }
    Some(record)
}

fn plain(value: &Value) -> Option<String> {
    let plain = matches!(
        value.shape,
        Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::String
    );
    (plain && value.cut.is_none()).then(|| value.text.clone())
}

fn function_name(trace: &Trace, event: &Event) -> String {
    trace
        .table
        .site(event.site)
        .and_then(|site| trace.table.functions.get(site.function as usize))
        .map(|function| function.name.replace("<module>", "<main>"))
        .unwrap_or_default()
}

fn ours(trace: &Trace) -> Record {
    let mut record = Record::default();
    for event in &trace.events {
        let function = function_name(trace, event);
        match &event.payload {
            Payload::Step => record.fact("line", &function, &event.line.to_string()),
            Payload::In { args } => {
                record.fact("call", &function, "");
                for (name, value) in args {
                    if let Some(text) = plain(value) {
                        record.value(&function, name, &text);
                    }
                }
            }
            Payload::Out {
                value, unwinding, ..
            } => {
                record.fact("return", &function, "");
                let value = value.as_ref().filter(|_| !unwinding).and_then(plain);
                record.returns.entry(function).or_default().push(value);
            }
            Payload::Var { name, value } => {
                if let Some(text) = plain(value) {
                    record.value(&function, name, &text);
                }
            }
            Payload::Err {
                phase: ErrPhase::Raised,
                type_name,
                ..
            } => record.fact("raise", &event.line.to_string(), type_name),
            Payload::Loop { targets, .. } => {
                for (name, value) in targets {
                    if let Some(text) = plain(value) {
                        record.value(&function, name, &text);
                    }
                }
            }
            _ => {}
        }
    }
    record
}

/// What both can say: statements that have a site. The interpreter has no event for a statement on
/// the line of the one before it, and may have one for a line inside a statement.
fn flow(trace: &Trace, record: &Record) -> Vec<Fact> {
    let sites: BTreeSet<(String, String)> = trace
        .table
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step && site.file == 0)
        .map(|site| {
            let function = &trace.table.functions[site.function as usize];
            let name = function.name.replace("<module>", "<main>");
            (name, site.span.line.to_string())
        })
        .collect();
    let text: Vec<&str> = trace.table.files[0].text.lines().collect();
    // What the compiler leaves out, or places at a later line of the statement.
    let doubtful = |line: &str| {
        let Some(index) = line
            .parse::<usize>()
            .ok()
            .and_then(|line| line.checked_sub(1))
        else {
            return false;
        };
        let at = |index: usize| text.get(index).map_or("", |line| line.trim());
        let line = at(index);
        let begins = ["when", "while", "until", "%w"];
        line == "case"
            || line.contains(" false")
            || begins.iter().any(|word| line.starts_with(word))
            || line.ends_with(['[', '{', '('])
            || at(index + 1).starts_with('.')
    };
    let mut kept: Vec<Fact> = Vec::new();
    // The line that each open frame is at.
    let mut standing = vec![String::new()];
    for fact in &record.flow {
        let (what, function, detail) = fact;
        match what.as_str() {
            "call" => standing.push(String::new()),
            "return" => {
                standing.pop();
                if standing.is_empty() {
                    standing.push(String::new());
                }
            }
            // An error of a library is told where it reaches the program's own code.
            "raise" => continue,
            _ if !sites.contains(&(function.clone(), detail.clone())) => continue,
            _ => {
                let last = standing.last_mut().unwrap();
                if *last == *detail {
                    continue;
                }
                last.clone_from(detail);
                if doubtful(detail) {
                    continue;
                }
            }
        }
        kept.push(fact.clone());
    }
    kept
}

fn compare(trace: &Trace, ours: &Record, oracle: &Record) -> Result<usize, String> {
    let (a, b) = (flow(trace, ours), flow(trace, oracle));
    // To print an error nobody caught, the interpreter may call the program's own methods.
    let uncaught = trace.events.iter().any(|event| {
        matches!(
            event.payload,
            Payload::Err {
                phase: ErrPhase::Uncaught,
                ..
            }
        )
    });
    let end = if uncaught {
        b.len()
    } else {
        a.len().max(b.len())
    };
    if let Some(at) = (0..end).find(|&at| a.get(at) != b.get(at)) {
        let from = at.saturating_sub(3);
        let part = |facts: &[Fact]| facts.iter().skip(from).take(7).cloned().collect::<Vec<_>>();
        return Err(format!(
            "event {at}:\n  ours   {:?}\n  oracle {:?}",
            part(&a),
            part(&b)
        ));
    }
    let mut compared = a.len();
    for (function, expected) in &oracle.returns {
        let found = ours.returns.get(function).map_or(&[][..], Vec::as_slice);
        let differs = |(ours, theirs): &(&Option<String>, &Option<String>)| {
            // Where a frame is left without a value the oracle says nil.
            ours.is_some() && theirs.is_some() && ours != theirs
        };
        if let Some((ours, theirs)) = found.iter().zip(expected).find(differs) {
            return Err(format!(
                "{function} returned {ours:?}, by the oracle {theirs:?}"
            ));
        }
        compared += expected.len();
    }
    let errors = |record: &Record| -> Vec<Fact> {
        let all = record.flow.iter().filter(|fact| fact.0 == "raise");
        all.cloned().collect()
    };
    // What is told is true; errors that never reach the program's own frames are not told.
    let mut theirs = errors(oracle).into_iter();
    for error in errors(ours) {
        // Its own frame, or the one it is called from: both are said of a wrong number of arguments.
        if !theirs.any(|other| other.2 == error.2) {
            return Err(format!("{error:?} was not raised, by the oracle"));
        }
        compared += 1;
    }
    for (key, expected) in &oracle.values {
        // A block's variable may be that of the code around it.
        let writers: Vec<&Vec<String>> = ours
            .values
            .iter()
            .filter(|((_, name), _)| *name == key.1)
            .map(|(_, values)| values)
            .collect();
        if writers.len() > 1 {
            let known = |value: &String| writers.iter().any(|values| values.contains(value));
            if let Some(odd) = expected.iter().find(|value| !known(value)) {
                return Err(format!("{key:?} was {odd}, by the oracle"));
            }
            compared += expected.len();
            continue;
        }
        let Some(found) = ours.values.get(key) else {
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
fn traces_agree_with_tracepoint() {
    let spec = languages::by_name("ruby").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let suits = |case: &Case| !OWN.iter().any(|word| case.files[0].1.contains(word));
    let mut verdict = Verdict::default();
    for (name, path) in oracle::subjects("ruby", "rb", scratch.path(), &suits) {
        let Some(theirs) = seen(&path, &found.program, &found.roots) else {
            Verdict::skip(&name, "does not end under the oracle");
            continue;
        };
        let trace = oracle::record(&path);
        verdict.add(&name, compare(&trace, &ours(&trace), &theirs));
    }
    verdict.close("events agree with TracePoint");
}

/// Words of programs that the oracle cannot run, or that see it.
const OWN: [&str; 20] = [
    "refine Integer",
    "weakref",
    "at_exit",
    "redo",
    "\nfor ",
    "DATA",
    "TracePoint",
    "Thread",
    "fork",
    "Fiber",
    ".next",
    "exit!",
    ":KILL",
    "SystemStackError",
    "class Integer",
    "class Array",
    "BasicObject",
    "trap(",
    "zip(",
    "def hash",
];
