//! Starting a program on `QuickJS`, a WebAssembly module, with what programs for Node.js expect.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_instrument::{CHANNEL_FILE, EmitterFile, Found, Plan, PlanRequest};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(EmitterFile {
            name: concat!("quickjs-", $name),
            contents: include_bytes!(concat!("../../../runtimes/javascript/quickjs/", $name)),
        }),*]
    };
}

/// What stands in for Node.js, recorded or not.
const NODE: &[EmitterFile] = files![
    "start.js",
    "node.cjs",
    "types.cjs",
    "buffer.cjs",
    "inspect.cjs",
    "console.cjs",
    "events.cjs",
    "process.cjs",
    "path.cjs",
    "fs.cjs",
    "timers.cjs",
    "library.cjs",
    "modules.cjs",
    "stacks.cjs",
];

/// Reads `QuickJS-ng version 0.16.2`.
pub fn describe(output: &str, program: &Path) -> Option<Found> {
    let version = output.lines().next()?.strip_prefix("QuickJS-ng version ")?;
    Some(Found {
        program: program.to_owned(),
        version: format!("QuickJS-ng {}", version.trim()),
        roots: Vec::new(),
    })
}

/// `quickjs.wasm start.js args…`, given the program's files and what is known of them (as
/// for Node.js): each a path, whether it is rewritten and, where known, its format. With
/// `recorded`, the channel is opened.
pub fn plan(
    request: &PlanRequest<'_>,
    emitter: &[EmitterFile],
    sources: &serde_json::Value,
    recorded: bool,
) -> Plan {
    let program = request.found.program.clone();
    let start = request.private.join("quickjs-start.js");
    let mut argv: Vec<OsString> = vec![program.clone().into()];
    argv.push(start.into());
    argv.extend(request.args.iter().cloned());
    let mut files: Vec<(PathBuf, Vec<u8>)> = NODE
        .iter()
        .chain(emitter)
        .map(|file| (request.private.join(file.name), file.contents.to_vec()))
        .collect();
    let about = serde_json::json!({
        "channel": recorded.then(|| format!("/tmp/{CHANNEL_FILE}")),
        "cwd": request.cwd.to_string_lossy(),
        "sources": sources,
    });
    files.push((
        request.private.join("program.json"),
        about.to_string().into_bytes(),
    ));
    Plan {
        program,
        argv,
        files,
        ..Plan::default()
    }
}
