//! Finding Node.js and starting a program on it.

use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest};

use crate::quickjs;

/// Reads `v20.20.2\n/usr/bin/node`.
pub fn describe(output: &str, program: &Path) -> Option<Found> {
    let mut lines = output.lines();
    let version = lines.next()?.trim();
    let digits = version.strip_prefix('v')?;
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let real = lines
        .next()
        .map_or_else(|| program.to_owned(), |line| PathBuf::from(line.trim()));
    let mut roots = Vec::new();
    // `<root>/bin/node`: libraries that come with it are beside `bin`.
    if let Some(root) = real.parent().and_then(Path::parent)
        && root != Path::new("/")
        && root != Path::new("/usr")
    {
        roots.push(root.to_owned());
    }
    Some(Found {
        program: real,
        version: format!("Node.js {version}"),
        roots,
    })
}

/// `node [--expose-internals --require <emitter>] file args…`. The emitter takes the first part
/// out of sight again.
pub(crate) fn plan(request: &PlanRequest<'_>) -> Plan {
    let mut plan = Plan {
        program: request.found.program.clone(),
        ..Plan::default()
    };
    plan.argv
        .push(request.found.program.clone().into_os_string());
    if request.traced {
        plan.argv.push("--expose-internals".into());
        plan.argv.push("--require".into());
        plan.argv
            .push(request.private.join("emitter.cjs").into_os_string());
        for file in crate::SPEC.emitter {
            plan.files
                .push((request.private.join(file.name), file.contents.to_vec()));
        }
        let (listed, files) = prepared(request);
        plan.files.extend(files);
        let program = serde_json::json!({ "channel": request.channel, "sources": listed });
        plan.files.push((
            request.private.join("program.json"),
            program.to_string().into_bytes(),
        ));
    }
    plan.argv.push(request.given.as_os_str().to_owned());
    plan.argv.extend(request.args.iter().cloned());
    plan
}

/// The same on `QuickJS`, where the original has to be started by the emitter's files, too.
pub(crate) fn module_plan(request: &PlanRequest<'_>) -> Plan {
    let (listed, files) = prepared(request);
    let mut plan = quickjs::plan(request, crate::SPEC.emitter, &listed, request.traced);
    plan.files.extend(files);
    plan
}

/// What the emitter must know of the sources, and the files with the rewritten ones.
fn prepared(request: &PlanRequest<'_>) -> (serde_json::Value, Vec<(PathBuf, Vec<u8>)>) {
    let mut listed = Vec::new();
    let mut files = Vec::new();
    for (order, source) in request.sources.iter().enumerate() {
        let instrumented = source.instrumented.filter(|_| request.traced);
        listed.push(serde_json::json!({
            "path": source.path.to_string_lossy(),
            "traced": instrumented.is_some(),
        }));
        let Some(text) = instrumented else {
            continue;
        };
        // The last insertion holds what the emitter must know; it is not part of the program.
        let (code, facts) = match source.insertions.last() {
            Some(last) if text.len() >= last.length as usize => {
                text.split_at(text.len() - last.length as usize)
            }
            _ => (text, &[][..]),
        };
        let kept = source.insertions.len().saturating_sub(1);
        let insertions: Vec<u32> = source.insertions[..kept]
            .iter()
            .flat_map(|insertion| [insertion.at, insertion.length])
            .collect();
        let facts = String::from_utf8_lossy(facts);
        let facts = facts
            .strip_prefix("/*")
            .and_then(|rest| rest.strip_suffix("*/"))
            .unwrap_or_default();
        let map = serde_json::json!({ "insertions": insertions, "facts": facts });
        files.push((request.private.join(format!("{order}.js")), code.to_vec()));
        files.push((
            request.private.join(format!("{order}.json")),
            map.to_string().into_bytes(),
        ));
    }
    (listed.into(), files)
}
