//! Bash against `set -x`: the same commands with the same words on the same lines, in the same order
//! within the main process, and the same values assigned.
//!
//! The oracle runs the original program with xtrace on a descriptor of its own and knows nothing of
//! tracer. Compared are simple commands that are neither functions of the program nor told of as
//! something else (tests as branches, declarations as writes, `return` as the way out of a call).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::path::{Path, PathBuf};

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{FunctionKind, Payload, Shape, Trace, Value};
use tracer_tests::{fixture, repository};

/// Told of by other events than `CALL`.
const OTHERWISE: &[&str] = &[
    "[", "local", "declare", "typeset", "export", "readonly", "unset", "return", ":", "true",
    "false", "set",
];

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    /// A command's words; `None` for a word that we did not expand.
    Command(Vec<Option<String>>),
    /// A name and its value.
    Write(String, String),
}

/// What the oracle saw: process, line, fact.
fn oracle(program: &Path, bash: &Path) -> Option<Vec<(String, u32, Fact)>> {
    let text = tracer_tests::oracle::run(
        "bash/recorder.sh",
        program,
        bash,
        &[],
        &[("USER", "tracer")],
    )?;
    let name = program.file_name()?.to_str()?;
    let mut facts = Vec::new();
    for line in text.lines() {
        let mut parts = line.trim_start_matches('+').splitn(4, '|');
        let (Some(process), Some(file), Some(number), Some(said)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        if Path::new(file).file_name().and_then(|file| file.to_str()) != Some(name) {
            continue;
        }
        if let Some(fact) = read(said) {
            facts.push((process.to_owned(), number, fact));
        }
    }
    Some(facts)
}

/// Reads what xtrace printed. Keywords and what it prints unquoted are passed over.
fn read(said: &str) -> Option<Fact> {
    let words = split(said)?;
    let first = words.first()?;
    if let Some((name, value)) = first.split_once('=')
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        let plain = words.len() == 1 && !said[name.len() + 1..].starts_with('(');
        return plain.then(|| Fact::Write(name.into(), value.into()));
    }
    let keyword = ["for", "case", "select", "((", "[[", "time"].contains(&first.as_str());
    let operator = first.contains(['=', '[', '(', '{']);
    (!keyword && !operator && !OTHERWISE.contains(&first.as_str()))
        .then(|| Fact::Command(words.into_iter().map(Some).collect()))
}

/// Splits words as xtrace quotes them; `None` for what is not quoted so.
fn split(said: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = said.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            // `$'…'`: escapes are compared elsewhere.
            '$' if chars.peek() == Some(&'\'') => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// What our trace says: task, first and last line, fact.
fn ours(trace: &Trace) -> Vec<(u32, u32, u32, Fact)> {
    let mut facts = Vec::new();
    for event in &trace.events {
        let Some(site) = trace.table.site(event.site) else {
            continue;
        };
        let fact = match &event.payload {
            Payload::Call { callee, args, .. } => {
                if OTHERWISE.contains(&callee.as_str()) {
                    continue;
                }
                let mut words = vec![(callee != "\u{1}substitution\u{1}").then(|| callee.clone())];
                words.extend(args.iter().map(text));
                Fact::Command(words)
            }
            Payload::Var { name, value } => match text(value) {
                Some(value) => Fact::Write(name.clone(), value),
                None => continue,
            },
            _ => continue,
        };
        facts.push((event.task, site.span.line, site.span.end_line, fact));
    }
    facts
}

/// A string in full, or a number.
fn text(value: &Value) -> Option<String> {
    let whole = value.cut.is_none();
    (whole && matches!(value.shape, Shape::String | Shape::Int)).then(|| value.text.clone())
}

fn fits(theirs: &Fact, own: &Fact) -> bool {
    match (theirs, own) {
        (Fact::Write(name, value), Fact::Write(own_name, own_value)) => {
            name == own_name && value == own_value
        }
        (Fact::Command(theirs), Fact::Command(own)) => {
            // A word that was not expanded may have become any number of words.
            let unknown = own.iter().any(Option::is_none);
            let alike = theirs
                .iter()
                .zip(own)
                .take_while(|(_, own)| own.is_some())
                .all(|(theirs, own)| theirs == own);
            alike && (unknown || theirs.len() == own.len())
        }
        _ => false,
    }
}

#[derive(Default, Debug)]
struct Counts {
    programs: usize,
    commands: usize,
    writes: usize,
    moved: usize,
    missing: usize,
    disordered: usize,
}

fn compare(path: &Path, bash: &Path, counts: &mut Counts, odd: &mut Vec<String>) {
    // Text that is run as code is left alone, and so is what a trap runs.
    let source = std::fs::read_to_string(path).unwrap_or_default();
    if ["trap ", "eval ", "alias "]
        .iter()
        .any(|word| source.contains(word))
    {
        return;
    }
    let Some(theirs) = oracle(path, bash) else {
        return;
    };
    let folder = path.parent().expect("a program lies in a folder");
    let mut settings = Settings::new().expect("the test has a folder");
    settings.cwd = folder.to_path_buf();
    let program = ProgramOptions {
        folder: Some(folder.to_path_buf()),
        main_only: true,
        ..ProgramOptions::default()
    };
    let name = PathBuf::from(path.file_name().expect("a program has a name"));
    let trace = match tracer_engine::trace(&name, &RunOptions { program, settings }) {
        Ok(recorded) => recorded.trace,
        Err(why) => return odd.push(format!("{}: {why}", path.display())),
    };
    // What its coverage block says is missing, or came from xtrace itself, proves nothing.
    if !trace.coverage.dropped.is_empty() || !trace.coverage.notes.is_empty() {
        return;
    }
    let functions: Vec<&str> = trace
        .table
        .functions
        .iter()
        .filter(|function| function.kind == FunctionKind::Function)
        .map(|function| function.name.as_str())
        .collect();
    let mut own: Vec<Option<(u32, u32, u32, Fact)>> = ours(&trace).into_iter().map(Some).collect();
    let main = theirs.first().map(|(process, ..)| process.clone());
    let mut last = 0;
    counts.programs += 1;
    for (process, line, fact) in theirs {
        if let Fact::Command(words) = &fact
            && words[0]
                .as_deref()
                .is_some_and(|name| functions.contains(&name))
        {
            continue;
        }
        // A command whose words are all known before one of which some are not.
        let find = |unknown: bool, anywhere: bool| {
            own.iter().position(|candidate| {
                candidate.as_ref().is_some_and(|(_, first, end, own)| {
                    (anywhere || (*first..=*end).contains(&line))
                        && fits(&fact, own)
                        && unknown == matches!(own, Fact::Command(words) if words.contains(&None))
                })
            })
        };
        // Behind here-documents and in substitutions bash itself is not sure of the line.
        let found = find(false, false)
            .or_else(|| find(true, false))
            .or_else(|| find(false, true).inspect(|_| counts.moved += 1));
        match &fact {
            Fact::Command(_) => counts.commands += 1,
            Fact::Write(..) => counts.writes += 1,
        }
        let Some(found) = found else {
            // Prefix assignments and those within expansions are parts of commands.
            if matches!(fact, Fact::Command(_)) {
                counts.missing += 1;
                odd.push(format!("{}:{line}: {fact:?} is missing", path.display()));
            } else {
                counts.writes -= 1;
            }
            continue;
        };
        let task = own[found].take().map(|(task, ..)| task);
        if Some(&process) == main.as_ref() && task == Some(0) {
            if found < last {
                counts.disordered += 1;
                odd.push(format!("{}:{line}: {fact:?} came later", path.display()));
            }
            last = found;
        }
    }
}

#[test]
fn agrees_with_xtrace() {
    let spec = languages::by_name("bash").expect("bash is in the table");
    let found = match find_toolchain(spec) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let mut counts = Counts::default();
    let mut odd = Vec::new();
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let mut paths: Vec<PathBuf> = Vec::new();
    let fixtures = repository().join("fixtures/bash");
    let folders = std::env::var_os("TRACER_ORACLE")
        .map(PathBuf::from)
        .into_iter()
        .chain([fixtures.join("programs")]);
    for folder in folders {
        let entries = std::fs::read_dir(&folder).expect("the folder can be listed");
        paths.extend(
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|extension| extension == "sh")),
        );
    }
    for fixture in fixture::load(&fixtures, "bash", "sh").expect("the fixtures can be read") {
        let topic = fixture.path.file_stem().unwrap_or_default().to_os_string();
        for (index, case) in fixture.cases.iter().enumerate() {
            let folder = scratch.path().join(&topic).join(index.to_string());
            paths.push(case.write(&folder).expect("the files of the case"));
        }
    }
    paths.sort();
    for path in paths {
        compare(&path, &found.program, &mut counts, &mut odd);
    }
    println!("{counts:?}");
    for line in &odd {
        println!("{line}");
    }
    assert!(counts.programs >= 40, "{counts:?}");
    let wrong = counts.missing + counts.disordered;
    assert!(
        wrong * 100 <= counts.commands,
        "{counts:?}\n{}",
        odd.join("\n")
    );
}
