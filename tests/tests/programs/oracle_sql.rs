//! Traces against the `sqlite3` shell: the same statements and triggers in the same order, the same
//! number of rows, and tables that our changes, replayed, arrive at.
//!
//! The oracle is the shell with its own `.trace`, another build of the engine that knows nothing of
//! tracer. `TRACER_ORACLE` names a further folder of scripts.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures and skips are said"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracer_engine::{ProgramOptions, RunOptions, Settings, find_toolchain, languages};
use tracer_model::{End, Event, Payload, Shape, SiteTable, Trace, Value};
use tracer_sandbox::{Access, Folder, Request, Stdin};
use tracer_tests::{fixture, repository};

const SHELL: &str = "/usr/bin/sqlite3";
const MARK: &str = "@@tables";

/// One thing that happened: a statement or trigger by its text, and the rows it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    text: String,
    rows: u64,
    /// It is a statement of the script, not of a trigger.
    top: bool,
    /// It failed: the oracle may not have begun it.
    failed: bool,
}

/// A table's rows as texts, by key.
type Tables = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// A text with its white space made even, from its first word on.
fn even(text: &str) -> String {
    let mut text = text.trim_start_matches([';', ' ', '\n', '\t']);
    while !text.starts_with("-- TRIGGER") {
        let behind = if let Some(comment) = text.strip_prefix("/*") {
            comment.split_once("*/")
        } else if text.starts_with("--") && text.contains('\n') {
            text.split_once('\n')
        } else {
            None
        };
        let Some((_, behind)) = behind else { break };
        text = behind.trim_start_matches([';', ' ', '\n', '\t']);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the shell says: facts, and each table's rows; `None` if it does not end in time.
fn oracle(program: &Path, text: &str, tables: &[String]) -> Option<(Vec<Fact>, Vec<String>)> {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("trace");
    let mut script = format!(
        ".trace '{}' --plain --stmt --row\n{text}\n;\n",
        out.display()
    );
    script.push_str(&format!(
        ".trace off\n.bail off\n.output stdout\n.print\n.print {MARK}\n.headers off\n.mode quote\n"
    ));
    for table in tables {
        let name = table.replace('"', "\"\"");
        let literal = table.replace('\'', "''");
        script.push_str(&format!("SELECT '{literal}', * FROM \"{name}\";\n"));
    }
    let folder = program.parent().unwrap();
    let mut request = Request::new(SHELL, folder);
    request.stdin = Stdin::Bytes(script.into_bytes());
    request.limits.wall = Some(Duration::from_secs(10));
    request.folders = vec![
        Folder {
            path: folder.into(),
            access: Access::Overlay,
        },
        Folder {
            path: scratch.path().into(),
            access: Access::Writable,
        },
    ];
    let finished = tracer_sandbox::run(&request).expect("the sandbox runs the oracle");
    if matches!(finished.outcome.end, End::Limited { .. }) {
        return None;
    }
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    let rows = said.split_once(&format!("{MARK}\n")).map(|(_, rows)| rows);
    // Without the mark the script left the shell by itself, and its tables are not known.
    let rows = rows.unwrap_or("?").lines().map(str::to_owned).collect();
    let traced = std::fs::read(&out).unwrap_or_default();
    Some((facts(&String::from_utf8_lossy(&traced)), rows))
}

/// Reads the shell's trace: a text for each statement begun, and again for each of its rows.
fn facts(traced: &str) -> Vec<Fact> {
    let mut found: Vec<Fact> = Vec::new();
    let mut open = String::new();
    for line in traced.lines() {
        open.push_str(line);
        open.push('\n');
        // A text may have several lines; a statement ends where the engine says that it does.
        let whole = open
            .trim_end()
            .strip_suffix(';')
            .unwrap_or_default()
            .to_owned();
        let comment = whole.starts_with("-- ");
        if !line.ends_with(';') || !comment && !is_complete(&open) {
            continue;
        }
        open.clear();
        let text = even(whole.trim_end_matches([';', ' ', '\n']));
        let text = text
            .strip_prefix("-- ")
            .map_or_else(|| text.clone(), str::to_owned);
        found.push(Fact {
            text,
            rows: 0,
            top: false,
            failed: false,
        });
    }
    found
}

/// Whether quotes and triggers of a text are closed.
fn is_complete(text: &str) -> bool {
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (None, '\'' | '"' | '`') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    let words = text.to_ascii_lowercase();
    let trigger = words.trim_start().starts_with("create") && words.contains(" trigger ");
    let ended = words
        .trim_end()
        .trim_end_matches(';')
        .trim_end()
        .strip_suffix("end");
    quote.is_none() && (!trigger || ended.is_some_and(|body| body.trim_end().ends_with(';')))
}

/// What the trace says, in the oracle's terms.
fn ours(trace: &Trace) -> Vec<Fact> {
    let table = &trace.table;
    let mut found: Vec<Fact> = Vec::new();
    let mut running: Vec<usize> = Vec::new();
    for event in &trace.events {
        let depth = event.depth as usize;
        match &event.payload {
            Payload::Step => {
                let text = text_of(table, event);
                if text.starts_with('.') {
                    continue;
                }
                running.truncate(depth);
                running.resize(depth, 0);
                running.push(found.len());
                found.push(Fact {
                    text,
                    rows: 0,
                    top: depth == 0,
                    failed: false,
                });
            }
            Payload::In { .. } => {
                let function = table.site(event.site).unwrap().function as usize;
                let function = &table.functions[function];
                if function.kind != tracer_model::FunctionKind::Module {
                    found.push(Fact {
                        text: format!("TRIGGER {}", function.name),
                        rows: 0,
                        top: false,
                        failed: false,
                    });
                }
            }
            Payload::Err { .. } => {
                if let Some(&at) = running.last() {
                    found[at].failed = true;
                    found[running[0]].failed = true;
                }
            }
            Payload::Var { name, value } if name == "result" => {
                if let Some(&at) = running.first() {
                    found[at].rows = value.length.unwrap_or(0);
                }
            }
            _ => {}
        }
    }
    found
}

fn text_of(table: &SiteTable, event: &Event) -> String {
    let site = table.site(event.site).unwrap();
    let text = &table.files[site.file as usize].text;
    even(
        text.get(site.span.start as usize..site.span.end as usize)
            .unwrap_or_default(),
    )
}

/// Compares the orders. The shell tells a statement again for each row: that gives the rows.
fn compare(ours: &[Fact], oracle: &[Fact]) -> Result<usize, String> {
    let (mut at, mut compared) = (0, 0);
    let mut top = "";
    let same = |a: &str, b: &str| a == b || a.to_lowercase() == b.to_lowercase();
    for (index, fact) in ours.iter().enumerate() {
        if fact.text.starts_with("EXPLAIN") {
            continue; // the shell does not trace them
        }
        // A foreign key's action is told of under its statement's text; and what the engine asks
        // of itself behind `ANALYZE`.
        let mut place = at;
        let text = |place: usize| oracle.get(place).map(|fact| fact.text.as_str());
        while text(place).is_some_and(|text| {
            text == top && fact.text != top || text.starts_with("SELECT tbl,idx,stat FROM ")
        }) {
            place += 1;
        }
        let found = text(place).is_some_and(|text| same(text, &fact.text));
        if !found && fact.failed {
            // The oracle never began it: what comes next in it is another one's.
            continue;
        }
        at = place;
        top = if fact.top { &fact.text } else { top };
        if !found {
            let next: Vec<&str> = oracle
                .iter()
                .skip(at)
                .take(3)
                .map(|f| f.text.as_str())
                .collect();
            return Err(format!(
                "fact {index}: ours {:?}, oracle {next:?}",
                fact.text
            ));
        }
        at += 1;
        compared += 1;
        let repeated = (0..fact.rows as usize)
            .take_while(|ahead| {
                oracle
                    .get(at + ahead)
                    .is_some_and(|next| same(&next.text, &fact.text))
            })
            .count() as u64;
        let fires = ours
            .get(index + 1)
            .is_some_and(|next| next.text.starts_with("TRIGGER "));
        if fact.rows > 0 && !fires {
            if repeated != fact.rows {
                return Err(format!(
                    "{:?} gave {} rows, oracle {repeated}",
                    fact.text, fact.rows
                ));
            }
            at += repeated as usize;
            compared += repeated as usize;
        }
    }
    while oracle.get(at).is_some_and(|fact| fact.text == top) {
        at += 1;
    }
    match oracle.get(at) {
        None => Ok(compared),
        Some(more) => Err(format!("the oracle goes on with {:?}", more.text)),
    }
}

/// The tables that the changes told of lead to. `None` for a table that was not told of in full.
fn replay(trace: &Trace) -> BTreeMap<String, Option<BTreeMap<String, Vec<String>>>> {
    let mut state = Tables::new();
    let mut unknown = BTreeSet::new();
    let mut before = Tables::new();
    let mut transaction: Option<Tables> = None;
    let mut savepoints: Vec<(String, Tables)> = Vec::new();
    for event in &trace.events {
        match &event.payload {
            Payload::Step if event.depth == 0 => {
                before = state.clone();
                let text = text_of(&trace.table, event).to_lowercase();
                let text = text.as_str();
                if ["drop", "alter", "attach", "pragma writable"]
                    .iter()
                    .any(|word| text.starts_with(word))
                    || text.starts_with("create") && text.contains(" as ") && text.contains("table")
                    || text.contains("temp")
                {
                    unknown.insert(String::new());
                }
            }
            Payload::Err { .. } => state.clone_from(&before),
            Payload::Transform { before, after, .. } => {
                let name = before.type_name.clone();
                if before.cut.is_some() || after.cut.is_some() {
                    unknown.insert(name.clone());
                }
                let rows = state.entry(name.clone()).or_default();
                for (key, _) in entries(before) {
                    rows.remove(&key);
                }
                for (key, row) in entries(after) {
                    match row {
                        Some(row) => {
                            rows.insert(key, row);
                        }
                        None => {
                            unknown.insert(name.clone());
                        }
                    }
                }
            }
            Payload::Var { name, value } if name == "transaction" => match value.text.as_str() {
                "open" => {
                    transaction.get_or_insert_with(|| state.clone());
                }
                "rolled back" => {
                    if let Some(kept) = transaction.take() {
                        state = kept;
                    }
                    savepoints.clear();
                }
                _ => {
                    transaction = None;
                    savepoints.clear();
                }
            },
            Payload::Var { name, value } if name == "savepoints" => {
                let Shape::Sequence { items } = &value.shape else {
                    continue;
                };
                let text = text_of(&trace.table, event).to_lowercase();
                if text.starts_with("savepoint") {
                    let name = items
                        .last()
                        .map(|item| item.text.clone())
                        .unwrap_or_default();
                    savepoints.push((name, state.clone()));
                } else {
                    savepoints.truncate(items.len());
                    if text.starts_with("rollback")
                        && let Some((_, kept)) = savepoints.last()
                    {
                        state.clone_from(kept);
                    }
                }
            }
            _ => {}
        }
    }
    let all = unknown.contains("");
    state
        .into_iter()
        .map(|(name, rows)| {
            let known = !all && !unknown.contains(&name);
            (name, known.then_some(rows))
        })
        .collect()
}

/// A snapshot's rows by key; a row that is not shown in full has no values.
fn entries(table: &Value) -> Vec<(String, Option<Vec<String>>)> {
    let Shape::Map { entries } = &table.shape else {
        return Vec::new();
    };
    entries
        .iter()
        .map(|(key, row)| {
            let values = match &row.shape {
                Shape::Record { fields } if row.cut.is_none() => fields
                    .iter()
                    .map(|(_, value)| value.cut.is_none().then(|| plain(value)))
                    .collect(),
                _ => None,
            };
            (format!("{key:?}"), values)
        })
        .collect()
}

fn plain(value: &Value) -> String {
    match &value.shape {
        Shape::Null => "NULL".into(),
        Shape::Float => number(&value.text),
        Shape::Int => value.text.clone(),
        Shape::Bytes => "blob".into(),
        _ => format!("'{}'", value.text.replace('\'', "''")),
    }
}

fn number(text: &str) -> String {
    match text {
        "inf" | "1e999" => "inf".into(),
        "-inf" | "-1e999" => "-inf".into(),
        _ => text
            .parse::<f64>()
            .map_or_else(|_| text.into(), |number| format!("{number:?}")),
    }
}

/// A row of the oracle's, whose values stand as SQL literals, made like ours.
fn quoted_row(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut inside = false;
    for character in line.chars() {
        match character {
            ',' if !inside => cells.push(String::new()),
            _ => {
                inside ^= character == '\'';
                cells.last_mut().unwrap().push(character);
            }
        }
    }
    let one = |cell: String| match cell.as_bytes() {
        [b'X', b'\'', ..] => "blob".into(),
        [b'-' | b'0'..=b'9', ..] if cell.contains(['.', 'e']) => number(&cell),
        _ => cell,
    };
    cells.into_iter().map(one).collect()
}

/// Compares the tables that both know.
fn compare_tables(trace: &Trace, lines: &[String]) -> Result<usize, String> {
    if lines == ["?"] {
        return Ok(0);
    }
    let mut compared = 0;
    for (name, rows) in replay(trace) {
        let Some(rows) = rows else { continue };
        let mut ours: Vec<Vec<String>> = rows.into_values().collect();
        let mut theirs: Vec<Vec<String>> = lines
            .iter()
            .map(|line| quoted_row(line))
            .filter(|row| row[0] == format!("'{}'", name.replace('\'', "''")))
            .map(|row| row[1..].to_vec())
            .collect();
        ours.sort();
        theirs.sort();
        // Columns that are worked out when read are not among ours.
        let width = ours.first().map_or(0, Vec::len);
        if theirs
            .first()
            .is_some_and(|row| row.len() > width && width > 0)
        {
            continue;
        }
        if ours != theirs {
            return Err(format!(
                "table {name}:\n  ours   {ours:?}\n  oracle {theirs:?}"
            ));
        }
        compared += ours.len();
    }
    Ok(compared)
}

fn record(program: &Path) -> Trace {
    let mut settings = Settings::new().unwrap();
    settings.cwd = program.parent().unwrap().to_path_buf();
    settings.budget.events = 1_000_000;
    settings.budget.bytes = 32 << 20;
    settings.budget.elements = 1000;
    settings.budget.characters = 10_000;
    settings.budget.value_bytes = u16::MAX;
    let options = RunOptions {
        program: ProgramOptions::default(),
        settings,
    };
    tracer_engine::trace(program, &options).unwrap().trace
}

#[test]
fn traces_agree_with_the_shell() {
    let spec = languages::by_name("sql").unwrap();
    if let Err(why) = find_toolchain(spec) {
        return eprintln!("skipped: {why}");
    }
    if !Path::new(SHELL).exists() {
        return eprintln!("skipped: {SHELL} is not there");
    }
    let scratch = tempfile::tempdir().unwrap();
    let (mut programs, mut events, mut rows, mut wrong) = (0, 0, 0, Vec::new());
    for (name, path) in subjects(scratch.path()) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let options = RunOptions {
            program: ProgramOptions::default(),
            settings: Settings::new().unwrap(),
        };
        // Another dialect.
        let loaded = tracer_engine::Program::load(&path, &options.program);
        if !loaded.is_ok_and(|program| std::ptr::eq(program.toolchain, &raw const spec.toolchain)) {
            continue;
        }
        let trace = record(&path);
        let tables: Vec<String> = replay(&trace).into_keys().collect();
        let Some((theirs, lines)) = oracle(&path, &text, &tables) else {
            println!("skipped: {name}: does not end under the oracle");
            continue;
        };
        programs += 1;
        let verdict = compare(&ours(&trace), &theirs)
            .and_then(|facts| compare_tables(&trace, &lines).map(|rows| (facts, rows)));
        match verdict {
            Ok((facts, same)) => {
                events += facts;
                rows += same;
            }
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("{programs} scripts, {events} events and {rows} rows of tables agree with sqlite3");
    assert!(
        wrong.is_empty(),
        "{} of {programs} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(events > 0, "nothing was compared");
}

/// The fixture programs and every single-file case. `TRACER_ORACLE` names a further folder.
fn subjects(scratch: &Path) -> Vec<(String, PathBuf)> {
    let folder = repository().join("fixtures/sql").canonicalize().unwrap();
    let mut subjects = Vec::new();
    let mut folders = vec![folder.join("programs")];
    folders.extend(std::env::var_os("TRACER_ORACLE").map(PathBuf::from));
    for folder in folders {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .collect();
        paths.sort();
        subjects.extend(
            paths
                .into_iter()
                .map(|path| (path.display().to_string(), path)),
        );
    }
    for fixture in fixture::load(&folder, "sql", "sql").unwrap() {
        for (index, case) in fixture.cases.iter().enumerate() {
            // What the shell asks for itself is in its trace too; virtual tables run statements.
            let own = [
                ".tables", ".schema", ".read", ".import", ".mode", "fts5", "open;",
            ];
            let text = &case.files[0].1;
            if case.files.len() > 1
                || !case.args.is_empty()
                || own.iter().any(|word| text.contains(word))
            {
                continue;
            }
            let stem = fixture
                .path
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let path = scratch.join(format!("{stem}_{index}.sql"));
            std::fs::write(&path, text).unwrap();
            subjects.push((format!("{stem}/{}", case.name), path));
        }
    }
    subjects
}
