//! C# against Mono's own call trace (`mono --trace=program`): the program's methods were called in
//! the same order, with the same whole numbers.
//!
//! The oracle compiles and runs the original program and knows nothing of tracer. What a compiler
//! makes of its own (iterators, lambdas, implicit constructors) is left out, and so are threads.
//! Where nothing can be said before other code of the program runs (constructors that another one's
//! code comes before, static ones behind the fields' initial values), the calls are compared without
//! their order: as many, with the same arguments.
//!
//! `TRACER_ORACLE=<folder>` compares every C# file directly in a folder too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{Budget, End, Function, FunctionKind, Kind, Payload, Trace};
use tracer_sandbox::Stdin;
use tracer_tests::oracle::shell;
use tracer_tests::{fixture, repository};

/// Events recorded at most; a program that makes more is not compared.
const EVENTS: u32 = 4_000_000;

/// A call: the method, and its arguments where all of them are `int`.
type Call = (String, Option<Vec<i64>>);

/// What Mono prints on the way; `None` where the program does not build or end.
fn oracle(program: &Path, compiler: &Path, stdin: &str) -> Option<String> {
    let scratch = tempfile::tempdir().unwrap();
    let script = "cd \"$1\" && \"$2\" -debug -unsafe -warn:0 -r:System.Numerics -out:program.exe \"$3\" \
                  >/dev/null 2>&1; test -f program.exe || \"$2\" -debug -unsafe -warn:0 \
                  -r:Microsoft.CSharp -out:program.exe \"$3\" >/dev/null 2>&1; \
                  mono --debug --trace=program program.exe 2>/dev/null";
    let words = [compiler.as_os_str(), program.as_os_str()];
    let mut request = shell(script, program, scratch.path(), &words);
    request.env.push(("LANG".into(), "C.UTF-8".into()));
    request.stdin = Stdin::Bytes(stdin.as_bytes().to_vec());
    request.limits.wall = Some(Duration::from_secs(20));
    let finished = tracer_sandbox::run(&request).unwrap();
    matches!(finished.outcome.end, End::Exited { .. })
        .then(|| String::from_utf8_lossy(&finished.stdout).into_owned())
}

/// A method's name without its namespace and arguments of types, nested types as C# writes them.
fn plain(name: &str) -> String {
    let (outer, _) = name.split_once(['/', ':', '<']).unwrap_or((name, ""));
    let space = outer.rfind('.').map_or(0, |dot| dot + 1);
    let name = &name[space..];
    let mut plain = String::new();
    let mut depth = 0;
    let mut skipping = false;
    for letter in name.chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ if depth > 0 => {}
            '`' => skipping = true,
            _ if skipping && letter.is_ascii_digit() => {}
            '/' | ':' | '+' => {
                skipping = false;
                plain.push('.');
            }
            _ => {
                skipping = false;
                plain.push(letter);
            }
        }
    }
    plain
}

/// The calls of the main thread in Mono's words: `… ENTER: N.Type:Method (int,int)(1, 2)`.
fn expected(said: &str, known: &BTreeSet<String>) -> Vec<Call> {
    let mut thread = None;
    let mut calls = Vec::new();
    for line in said.lines() {
        let Some(at) = line.find("] ENTER: ") else {
            continue;
        };
        let own = line[..at]
            .rsplit('[')
            .next()
            .and_then(|head| head.split(':').next());
        if *thread.get_or_insert(own) != own {
            continue;
        }
        let rest = &line[at + "] ENTER: ".len()..];
        let Some((name, rest)) = rest.split_once(" (") else {
            continue;
        };
        if name.contains(">c__") || name.contains("<>") || rest.starts_with("wrapper") {
            continue;
        }
        let name = plain(name);
        if !known.contains(&name) {
            continue;
        }
        let (types, values) = rest.split_once(")(").unwrap_or((rest, ""));
        let whole = !types.is_empty() && types.split(',').all(|of| of == "int");
        let values = values.strip_suffix(')').unwrap_or(values);
        let numbers: Vec<i64> = values.split(", ").filter_map(|n| n.parse().ok()).collect();
        let complete = whole && numbers.len() == types.split(',').count();
        calls.push((name, complete.then_some(numbers)));
    }
    calls
}

fn whole_number(value: &tracer_model::Value) -> Option<i64> {
    (value.type_name == "int")
        .then(|| value.text.parse().ok())
        .flatten()
}

fn ours(trace: &Trace, known: &BTreeSet<String>) -> Vec<Call> {
    let events = trace.events.iter().filter(|event| event.task == 0);
    events
        .filter_map(|event| {
            let Payload::In { args } = &event.payload else {
                return None;
            };
            let site = trace.table.site(event.site)?;
            let name = &trace.table.functions[site.function as usize].qualified;
            let numbers: Option<Vec<i64>> =
                args.iter().map(|(_, value)| whole_number(value)).collect();
            known.contains(name).then(|| (name.clone(), numbers))
        })
        .collect()
}

fn record(program: &Path, stdin: &str) -> Option<Trace> {
    let mut settings = Settings::new().unwrap();
    settings.cwd = program.parent().unwrap().into();
    settings.stdin = Stdin::Bytes(stdin.as_bytes().to_vec());
    settings.budget = Budget {
        events: EVENTS,
        bytes: 128 << 20,
        ..Budget::default()
    };
    settings.limits.wall = Some(Duration::from_secs(20));
    let options = RunOptions {
        program: ProgramOptions {
            main_only: true,
            ..ProgramOptions::default()
        },
        settings,
    };
    let trace = tracer_engine::trace(program, &options).ok()?.trace;
    let elided = trace.events.iter().any(|event| event.kind == Kind::Elide);
    let shed = trace.coverage.dropped.iter();
    let shed = shed.filter(|dropped| dropped.reason == "did_not_compile");
    (matches!(trace.outcome.end, End::Exited { .. }) && !elided && shed.count() == 0)
        .then_some(trace)
}

/// Calls compared, and the first difference.
fn compare(program: &Path, compiler: &Path, stdin: &str) -> Option<(usize, Option<String>)> {
    let said = oracle(program, compiler, stdin)?;
    let trace = record(program, stdin)?;
    let functions = trace.table.functions.iter().filter(|function| {
        function.kind == FunctionKind::Method && !function.name.starts_with("operator")
    });
    let known: BTreeSet<String> = functions
        .clone()
        .map(|function| function.qualified.clone())
        .collect();
    let loose: BTreeSet<String> = functions
        .filter(|function| is_told_late(&trace, function))
        .map(|function| function.qualified.clone())
        .collect();
    let (expected, late_expected) = apart(expected(&said, &known), &loose);
    let (ours, late_ours) = apart(ours(&trace, &known), &loose);
    if expected.is_empty() {
        return None;
    }
    let compared = expected.len() + late_expected.len();
    let wrong = difference(&expected, &ours).or_else(|| difference(&late_expected, &late_ours));
    Some((compared, wrong))
}

/// The first call that is not the same.
fn difference(expected: &[Call], ours: &[Call]) -> Option<String> {
    let agree =
        |(a, b): &(&Call, &Call)| a.0 == b.0 && (a.1.is_none() || b.1.is_none() || a.1 == b.1);
    let same = expected.iter().zip(ours).take_while(agree).count();
    (same < expected.len() || same < ours.len()).then(|| {
        let (a, b) = (expected.get(same), ours.get(same));
        format!("call {same}: {a:?} by Mono, {b:?} told")
    })
}

/// The calls in their order, and those that are told late, sorted.
fn apart(calls: Vec<Call>, late: &BTreeSet<String>) -> (Vec<Call>, Vec<Call>) {
    let (mut late, kept): (Vec<_>, Vec<_>) =
        calls.into_iter().partition(|(name, _)| late.contains(name));
    // Mono gives no numbers where one argument is not an `int`: such a name is compared alone.
    let bare: BTreeSet<String> = late
        .iter()
        .filter(|(_, numbers)| numbers.is_none())
        .map(|(name, _)| name.clone())
        .collect();
    for (name, numbers) in &mut late {
        if bare.contains(name) {
            *numbers = None;
        }
    }
    late.sort();
    (kept, late)
}

/// Whether other code of the program may run in a function before it can be told that it is entered.
fn is_told_late(trace: &Trace, function: &Function) -> bool {
    if function.name != ".ctor" {
        return function.name == ".cctor";
    }
    let file = &trace.table.files[function.file as usize].text;
    let owner = function.qualified.trim_end_matches("..ctor");
    let name = owner.rsplit('.').next().unwrap_or(owner);
    // The type's own head and members, as far as a few words tell.
    let words = [format!("class {name}"), format!("struct {name}")];
    let declared = words.iter().find_map(|word| file.find(word.as_str()));
    let Some(body) = declared.map(|at| &file[at..]) else {
        return true;
    };
    let head = body.split('{').next().unwrap_or(body);
    head.contains(':') || file.contains("this(")
}

#[test]
fn methods_are_called_as_mono_says() {
    let spec = languages::by_name("csharp").expect("C# is compiled in");
    let Ok(found) = find_toolchain(spec) else {
        println!("skipped: no C# compiler");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut programs = Vec::new();
    let folder = repository().join("fixtures/csharp");
    let fixtures = fixture::load(&folder, "csharp", "cs").unwrap();
    let cases = fixtures.iter().flat_map(|fixture| &fixture.cases);
    for (number, case) in cases.enumerate() {
        let folder = scratch.path().join(number.to_string());
        let main = case.write(&folder).unwrap();
        programs.push((main, case.stdin.clone(), case.name.clone()));
    }
    if let Some(folder) = std::env::var_os("TRACER_ORACLE") {
        let mut more: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "cs"))
            .collect();
        more.sort();
        for path in more {
            let name = path.display().to_string();
            programs.push((path, String::new(), name));
        }
    }
    let (mut ran, mut calls, mut differing) = (0, 0, 0);
    for (program, stdin, name) in &programs {
        let Some((compared, wrong)) = compare(program, &found.program, stdin) else {
            println!("not compared: {name}");
            continue;
        };
        ran += 1;
        calls += compared;
        if let Some(what) = wrong {
            eprintln!("{name}: {what}");
            differing += 1;
        }
    }
    println!("{ran} programs, {calls} calls compared, {differing} programs differ");
    assert!(ran > 20 && calls > 60, "only {ran} programs, {calls} calls");
    assert_eq!(differing, 0, "programs differ");
}
