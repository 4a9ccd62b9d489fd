//! Columns of kept and of rejected rows.
//!
//! What came in stands beside ours; a column of ours that came in, too, is found as `input_…`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tracer_model::{Kind, Payload, Protection};
use tracer_view::jsonl;

use crate::Reason;
use crate::example::{Example, Ran, Shown};
use crate::ledger::Entry;
use crate::options::View;
use crate::record::Record;

/// `major.minor` of the rows.
pub const SCHEMA_VERSION: &str = "1.0";

/// Columns of every kept row that are not from the input, in order.
pub(crate) const OWN: &[&str] = &[
    "id",
    "schema_version",
    "language",
    "source",
    "prompt",
    "response",
    "messages",
    "text",
    "n_tokens",
    "view",
    "program",
    "instrumented_program",
    "files",
    "driver",
    "stdin",
    "args",
    "trace",
    "stdout",
    "stderr",
    "exit_code",
    "runs",
    "libraries",
    "toolchain",
    "sandbox",
    "image_digest",
    "deterministic",
    "limits",
    "checks",
    "stats",
    "split",
    "source_sha256",
];

/// Columns of every rejected row that are not from the input, in order.
pub(crate) const REJECTED: &[&str] = &["id", "language", "source", "reason", "detail"];

/// The id of a row: the same wherever it stands among others.
pub(crate) fn id(record: &Record) -> String {
    let mut hasher = blake3::Hasher::new();
    match &record.text {
        Ok(text) => hasher.update(text.as_bytes()),
        Err(why) => hasher.update(why.as_bytes()),
    };
    hasher.update(&[0xff]);
    let path = record
        .path()
        .map(|path| path.to_string_lossy().into_owned());
    hasher.update(path.unwrap_or_default().as_bytes());
    hasher.update(&[0xff]);
    hasher.update(record.repository().as_bytes());
    hasher.update(&record.number.to_le_bytes());
    hasher.finalize().to_hex()[..24].to_owned()
}

/// The columns of a row that may be kept. The split is added when it is.
pub(crate) fn columns(
    record: &Record,
    id: &str,
    example: &Example,
    shown: &Shown,
    view: View,
) -> Map<String, Value> {
    let first = &example.runs[0];
    let runs = &example.runs[..shown.runs];
    let (name, _) = &example.files[0];
    let files: Map<String, Value> = example
        .files
        .iter()
        .map(|(name, text)| (name.clone(), text.clone().into()))
        .collect();
    let text = format!("User:\n{}\n\nAssistant:\n{}", shown.prompt, shown.response);
    let deterministic = if example.checks.pinned {
        "pinned"
    } else {
        "yes"
    };
    let own = json!({
        "id": id,
        "schema_version": SCHEMA_VERSION,
        "language": example.spec.id,
        "source": example.source,
        "prompt": shown.prompt,
        "response": shown.response,
        "messages": [
            {"role": "user", "content": shown.prompt},
            {"role": "assistant", "content": shown.response},
        ],
        "text": text,
        "n_tokens": shown.tokens,
        "view": view.name(),
        "program": name,
        "instrumented_program": example.instrumented,
        "files": files,
        "driver": example.driver,
        "stdin": stdin(first),
        "args": first.case.args,
        "trace": jsonl::render(&first.trace),
        "stdout": first.stdout,
        "stderr": first.stderr,
        "exit_code": first.exit_code,
        "runs": example.runs.iter().enumerate()
            .map(|(number, ran)| run(ran, number < shown.runs))
            .collect::<Vec<_>>(),
        "libraries": libraries(&example.libraries, runs),
        "toolchain": example.toolchain,
        "sandbox": sandbox(&first.trace.protections, &first.trace.environment.isolation),
        "image_digest": example.image,
        "deterministic": deterministic,
        "limits": example.limits,
        "checks": checks(example),
        "stats": stats(example, runs),
        "source_sha256": sha256(&example.source),
    });
    let own = match own {
        Value::Object(own) => own,
        _ => Map::new(),
    };
    beside(own, record, OWN)
}

/// The columns of a rejected row.
pub(crate) fn rejected(
    record: &Record,
    entry: &Entry,
    reason: Reason,
    detail: &str,
) -> Map<String, Value> {
    let mut own = Map::new();
    own.insert("id".into(), entry.id.clone().into());
    own.insert("language".into(), entry.language.clone().into());
    own.insert("source".into(), record.text.clone().ok().into());
    own.insert("reason".into(), reason.name().into());
    own.insert("detail".into(), detail.into());
    beside(own, record, REJECTED)
}

fn beside(mut own: Map<String, Value>, record: &Record, names: &[&str]) -> Map<String, Value> {
    for (name, value) in &record.columns {
        let mut name = name.clone();
        while names.contains(&name.as_str()) || own.contains_key(&name) {
            name = format!("input_{name}");
        }
        own.insert(name, value.clone());
    }
    own
}

/// What a run read, as a text.
fn stdin(run: &Ran) -> Option<String> {
    let bytes = run.case.stdin.as_deref()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// `shown`: whether it is in prompt and response.
fn run(run: &Ran, shown: bool) -> Value {
    json!({
        "args": run.case.args,
        "stdin": stdin(run),
        "environment": run.case.env,
        "files": run.case.files.iter()
            .map(|(name, contents)| (name.clone(), String::from_utf8_lossy(contents).into_owned()))
            .collect::<BTreeMap<_, _>>(),
        "why": run.case.why,
        "stdout": run.stdout,
        "stderr": run.stderr,
        "exit_code": run.exit_code,
        "events": run.trace.events.len(),
        "trace": jsonl::render(&run.trace),
        "shown": shown,
    })
}

/// Libraries that are imported, and packages whose functions were called, with their versions.
fn libraries(imported: &[String], runs: &[Ran]) -> Vec<String> {
    let mut found: BTreeSet<String> = imported.iter().cloned().collect();
    for event in runs.iter().flat_map(|run| &run.trace.events) {
        if let Payload::Call {
            package: Some(package),
            version,
            ..
        } = &event.payload
        {
            let version = version.as_deref();
            found.insert(
                version.map_or_else(|| package.clone(), |version| format!("{package} {version}")),
            );
        }
    }
    found.into_iter().collect()
}

fn sandbox(protections: &[Protection], isolation: &str) -> Value {
    let names = |active: bool| -> Vec<&str> {
        let those = protections.iter().filter(|one| one.active == active);
        those.map(|one| one.name.as_str()).collect()
    };
    json!({
        "isolation": isolation,
        "active": names(true),
        "inactive": names(false),
    })
}

fn checks(example: &Example) -> Value {
    let checks = &example.checks;
    json!({
        "error_nodes": checks.error_nodes,
        "equivalent": true,
        "probes": checks.probes,
        "probes_shed": checks.probes_shed,
        "varied": checks.varied,
        "depends_on": checks.causes,
    })
}

fn stats(example: &Example, runs: &[Ran]) -> Value {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut arms: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut depth = 0;
    for event in runs.iter().flat_map(|run| &run.trace.events) {
        *kinds.entry(event.kind).or_default() += 1;
        depth = depth.max(event.depth);
        if let Payload::Branch { arm, .. } = &event.payload {
            arms.entry(event.site).or_default().insert(arm.index);
        }
    }
    json!({
        "bytes": example.source.len(),
        "lines": example.source.lines().count(),
        "runs": runs.len(),
        "events": kinds.values().sum::<usize>(),
        "kinds": kinds.iter().map(|(kind, count)| (format!("{kind:?}").to_uppercase(), *count))
            .collect::<BTreeMap<_, _>>(),
        "branches": arms.len(),
        "branches_both_ways": arms.values().filter(|arms| arms.len() > 1).count(),
        "depth": depth,
    })
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
