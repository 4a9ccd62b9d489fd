//! Starting a lowered program on Node.js.

use std::path::PathBuf;

use tracer_instrument::{EmitterFile, Plan, PlanRequest, PlanSource};
use tracer_lang_javascript::{SPEC as JAVASCRIPT, quickjs};

use crate::lower::{Format, Lowered, Types, lower_among};
use crate::settings::Settings;

/// What this language adds to the emitter of JavaScript.
pub(crate) const EMITTER: &[EmitterFile] = &[
    EmitterFile {
        name: "lowered.cjs",
        contents: include_bytes!("../../../runtimes/typescript/lowered.cjs"),
    },
    EmitterFile {
        name: "decorators.cjs",
        contents: include_bytes!("../../../runtimes/typescript/decorators.cjs"),
    },
];

/// `node --expose-internals --require <emitter> file args…`. The emitter takes the first part out
/// of sight again. The original runs in the same way, lowered without probes and unrecorded.
pub(crate) fn plan(request: &PlanRequest<'_>) -> Plan {
    let program = request.found.program.clone();
    let mut plan = Plan {
        argv: vec![
            program.clone().into_os_string(),
            "--expose-internals".into(),
            "--require".into(),
            request.private.join("emitter.cjs").into_os_string(),
            request.given.as_os_str().to_owned(),
        ],
        program,
        ..Plan::default()
    };
    plan.argv.extend(request.args.iter().cloned());
    for file in JAVASCRIPT.emitter.iter().chain(EMITTER) {
        plan.files
            .push((request.private.join(file.name), file.contents.to_vec()));
    }
    let (listed, files) = lowered(request);
    plan.files.extend(files);
    let program = serde_json::json!({
        "channel": request.traced.then_some(request.channel),
        "setup": "lowered.cjs",
        "sources": listed,
    });
    plan.files.push((
        request.private.join("program.json"),
        program.to_string().into_bytes(),
    ));
    plan
}

/// The same on `QuickJS`.
pub(crate) fn module_plan(request: &PlanRequest<'_>) -> Plan {
    let (listed, files) = lowered(request);
    let emitter: Vec<EmitterFile> = JAVASCRIPT.emitter.iter().chain(EMITTER).copied().collect();
    let mut plan = quickjs::plan(request, &emitter, &listed, request.traced);
    plan.files.extend(files);
    plan
}

/// What the emitter must know of the files, and the lowered ones.
fn lowered(request: &PlanRequest<'_>) -> (serde_json::Value, Vec<(PathBuf, Vec<u8>)>) {
    let mut out = Vec::new();
    let files = || request.sources.iter().chain(request.companions);
    let settings = Settings::of(request.settings);
    let names = serde_json::json!({ "base": settings.base, "paths": settings.paths });
    out.push((
        request.private.join("names.json"),
        names.to_string().into_bytes(),
    ));
    let named = files().map(|source| (source.path, source.original));
    let types = Types::of(named, settings);
    let mut listed = Vec::new();
    for (order, source) in files().enumerate() {
        let lowered = lower_among(source.path, source.original, &types);
        listed.push(serde_json::json!({
            "path": source.path.to_string_lossy(),
            "traced": true,
            "format": match lowered.format {
                Format::Module => Some("module"),
                Format::Common => Some("commonjs"),
                Format::Script => None,
            },
        }));
        let (text, map) = prepared(source, &lowered);
        out.push((request.private.join(format!("{order}.js")), text));
        out.push((
            request.private.join(format!("{order}.json")),
            map.to_string().into_bytes(),
        ));
    }
    (listed.into(), out)
}

/// The text to run and what the emitter must know of it.
fn prepared(source: &PlanSource<'_>, lowered: &Lowered) -> (Vec<u8>, serde_json::Value) {
    let mut probes = Vec::new();
    let mut facts = String::new();
    // What Node.js will refuse is refused without probes in it.
    if let Some(text) = source.instrumented.filter(|_| lowered.readable) {
        let mut before = 0;
        for insertion in source.insertions {
            let start = insertion.at as usize + before;
            let end = start + insertion.length as usize;
            let inserted = String::from_utf8_lossy(text.get(start..end).unwrap_or_default());
            probes.push((insertion.at as usize, inserted.into_owned()));
            before += insertion.length as usize;
        }
        // The last insertion holds what the emitter must know; it is not part of the program.
        if let Some((_, last)) = probes.pop() {
            let inner = last
                .strip_prefix("/*")
                .and_then(|rest| rest.strip_suffix("*/"));
            inner.unwrap_or_default().clone_into(&mut facts);
        }
    }
    let rendered = lowered.instrumented(probes);
    let map = serde_json::json!({
        "insertions": rendered.insertions,
        "facts": facts,
        "moves": lowered.moves(),
    });
    (rendered.text, map)
}
