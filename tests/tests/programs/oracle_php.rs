//! PHP against Xdebug's function trace: the same calls, returns and assignments in the same order,
//! with the same scalars.
//!
//! Not compared: generators, which Xdebug tells of differently, keys and values of `foreach`, and
//! what Xdebug shows cut. The oracle runs the original program and knows nothing of tracer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{FunctionKind, Kind, Payload, Shape, Site, Trace, Value};
use tracer_tests::{fixture, repository};

/// What Xdebug said, one fact a line; `None` if the program does not end in time under it.
fn oracle(program: &Path, php: &Path, roots: &[PathBuf]) -> Option<Vec<String>> {
    let env = [("TZ", "UTC"), ("XDEBUG_MODE", "off")];
    let text = tracer_tests::oracle::run("php/recorder.php", program, php, roots, &env)?;
    Some(
        text.lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn plain(value: &Value) -> String {
    match value.shape {
        Shape::Int | Shape::Bool | Shape::Null => value.text.clone(),
        Shape::String
            if value.text.len() <= 40
                && value.cut.is_none()
                && value
                    .text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_')) =>
        {
            format!("{}\"", value.text.replace(' ', "."))
        }
        _ => "_".into(),
    }
}

/// Whether a write is one that Xdebug tells with its value: `$x = …` or a list of them.
fn is_plain_assignment(text: &str, site: &Site, name: &str) -> bool {
    let source = text[site.span.start as usize..].trim_start();
    if source.starts_with('[') || source.starts_with("list") {
        return true;
    }
    source.strip_prefix(name).is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.starts_with('=') && !rest[1..].trim_start().starts_with('&')
    })
}

/// The same facts from our trace.
fn ours(trace: &Trace, generators: &BTreeSet<String>) -> Vec<String> {
    let table = &trace.table;
    let mut facts = Vec::new();
    for event in &trace.events {
        let Some(site) = table.site(event.site) else {
            continue;
        };
        let function = &table.functions[site.function as usize];
        let text = &table.files[site.file as usize].text;
        let skip = function.kind == FunctionKind::Module || generators.contains(&function.name);
        match &event.payload {
            Payload::In { args } if !skip => {
                let values: Vec<String> = args.iter().map(|(_, value)| plain(value)).collect();
                let name = function.name.rsplit('\\').next().unwrap_or_default();
                facts.push(format!("call {name} {}", values.join(" ")));
            }
            Payload::Out {
                value: Some(value),
                unwinding: false,
                suspended: false,
            } if !skip => facts.push(format!("return {}", plain(value))),
            Payload::Var { name, value }
                if event.kind == Kind::Var
                    && name.starts_with('$')
                    && name[1..]
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_')
                    && is_plain_assignment(text, site, name) =>
            {
                facts.push(format!("set {} {name} {}", event.line, plain(value)));
            }
            _ => {}
        }
    }
    facts
}

/// Whether two facts agree; `_` is any value, and Xdebug tells only the arguments that were given.
fn agree(ours: &str, theirs: &str) -> bool {
    let call = theirs.starts_with("call ");
    let (mut a, mut b) = (ours.split_whitespace(), theirs.split_whitespace());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            // More parameters than arguments, or more arguments than parameters.
            (_, None) | (None, Some(_)) => return call,
            (Some(a), Some(b)) if a == b || a == "_" || b == "_" => {}
            (Some(_), Some(_)) => return false,
        }
    }
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

/// Compares in order; how many facts agree, or the first that does not.
fn compare(ours: &[String], theirs: &[String]) -> Result<usize, String> {
    let (mut at, mut compared) = (0, 0);
    for fact in ours {
        let is_return = fact.starts_with("return ");
        match theirs.get(at) {
            Some(theirs) if agree(fact, theirs) => {
                at += 1;
                compared += 1;
            }
            // Xdebug does not tell of a value that nobody takes.
            _ if is_return => {}
            other => {
                return Err(format!("fact {at}: we say {fact:?}, Xdebug says {other:?}"));
            }
        }
    }
    match theirs.get(at) {
        None => Ok(compared),
        other => Err(format!("fact {at}: we say nothing, Xdebug says {other:?}")),
    }
}

/// Facts of generators, of `foreach` headers and of closures bound to nothing are told differently.
fn comparable(facts: Vec<String>, text: &str, generators: &BTreeSet<String>) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    facts
        .into_iter()
        .filter(|fact| {
            let mut words = fact.split_whitespace();
            match (words.next(), words.next()) {
                (Some("set"), Some(line)) => {
                    let line: usize = line.parse().unwrap_or(0);
                    lines
                        .get(line.wrapping_sub(1))
                        .is_some_and(|line| !line.contains("foreach"))
                }
                (Some("call"), Some(name)) => !generators.contains(name),
                // Xdebug shows something also for a function that an error left.
                (Some("return"), Some(value)) => !matches!(value, "null" | "_"),
                _ => true,
            }
        })
        .collect()
}

#[test]
fn traces_agree_with_xdebug() {
    let spec = languages::by_name("php").unwrap();
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let (mut programs, mut compared, mut wrong) = (0, 0, Vec::new());
    for (name, path) in subjects(scratch.path()) {
        let Some(theirs) = oracle(&path, &found.program, &found.roots) else {
            println!("skipped: {name}: Xdebug leaves no trace");
            continue;
        };
        let text = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        let trace = record(&path);
        if trace
            .coverage
            .dropped
            .iter()
            .any(|dropped| dropped.reason == "syntax_error")
        {
            println!("skipped: {name}: not all of it is traced");
            continue;
        }
        let generators: BTreeSet<String> = trace
            .table
            .functions
            .iter()
            .filter(|function| function.kind == FunctionKind::Generator)
            .map(|function| function.name.clone())
            .collect();
        let theirs = comparable(theirs, &text, &generators);
        let ours = comparable(ours(&trace, &generators), &text, &generators);
        programs += 1;
        match compare(&ours, &theirs) {
            Ok(facts) => compared += facts,
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("{programs} programs, {compared} facts agree with Xdebug");
    assert!(
        wrong.is_empty(),
        "{} of {programs} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    if programs == 0 {
        eprintln!("skipped: Xdebug is not installed");
    }
}

/// The fixture programs and every single-file fixture case. `TRACER_ORACLE` names a further folder.
fn subjects(scratch: &Path) -> Vec<(String, PathBuf)> {
    let folder = repository().join("fixtures/php").canonicalize().unwrap();
    let mut subjects = Vec::new();
    let mut folders = vec![folder.join("programs")];
    folders.extend(std::env::var_os("TRACER_ORACLE").map(PathBuf::from));
    for folder in folders {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "php"))
            .collect();
        paths.sort();
        subjects.extend(
            paths
                .into_iter()
                .map(|path| (path.display().to_string(), path)),
        );
    }
    for fixture in fixture::load(&folder, "php", "php").unwrap() {
        for (index, case) in fixture.cases.iter().enumerate() {
            // Xdebug tells of a write before it is done, by other names, or not by line.
            let other = [
                "copy on write and destructors",
                "classes of every kind",
                "a forked child",
                "functions that return references",
                "ticks are counted in statements",
                "what a function sees of itself",
                "static and global",
                "strict types come first",
                "capturing runs nothing of the program",
            ];
            if case.files.len() > 1 || !case.args.is_empty() || other.contains(&case.name.as_str())
            {
                continue;
            }
            let stem = fixture
                .path
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let path = scratch.join(format!("{stem}_{index}.php"));
            std::fs::write(&path, &case.files[0].1).unwrap();
            subjects.push((format!("{stem}/{}", case.name), path));
        }
    }
    subjects
}
