//! How Python programs are found and run.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use tracer_instrument::{CHANNEL_FILE, Found, Insertion, Plan, PlanRequest, PlanSource, Toolchain};

/// Byte code of the emitter's files.
const COMPILED: &str = "emitter.marshal";

/// `CPython` 3.8 or later.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["python3", "python"],
    identify: &[
        "-c",
        "import sys;print(*(list(sys.version_info[:3])+[sys.implementation.name]));\
         print(sys.executable);print(sys.base_prefix);print(sys.prefix)",
    ],
    describe,
    hint: "the Debian package python3, or CPython 3.8 or later from python.org",
    plan,
    environment: &[("PYTHONHASHSEED", "0")],
    variations: &[],
    diagnostics: None,
    dialects: &[],
    noise: None,
};

/// The same as a WebAssembly module.
pub(crate) const MODULE: Toolchain = Toolchain {
    programs: &["python.wasm"],
    hint: "the image wasm-python",
    ..TOOLCHAIN
};

fn describe(output: &str, _asked: &Path) -> Option<Found> {
    let mut lines = output.lines();
    let words: Vec<&str> = lines.next()?.split_whitespace().collect();
    let [major, minor, patch, implementation] = words[..] else {
        return None;
    };
    let minor: u32 = minor.parse().ok()?;
    if major != "3" || minor < 8 || implementation != "cpython" {
        return None;
    }
    let program = PathBuf::from(lines.next()?);
    let mut roots: Vec<PathBuf> = lines
        .map(PathBuf::from)
        .filter(|p| p != Path::new("/usr"))
        .collect();
    roots.dedup();
    Some(Found {
        program,
        version: format!("CPython {major}.{minor}.{patch}"),
        roots,
    })
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    let program = request.found.program.clone();
    let flags = request
        .sources
        .first()
        .map(|main| flags(main))
        .unwrap_or_default();
    let mut original: Vec<OsString> = vec![program.clone().into()];
    original.extend(flags.iter().cloned());
    original.push(request.given.into());
    original.extend(request.args.iter().cloned());
    let instrumented = request
        .sources
        .first()
        .is_some_and(|main| main.instrumented.is_some());
    if !request.traced || !(instrumented || request.sources.is_empty()) {
        let plan = Plan {
            program,
            argv: original,
            begins_at: Some(request.given.into()),
            ..Plan::default()
        };
        return if is_module(request) {
            placed(request, plan)
        } else {
            plan
        };
    }
    let (script, number) = script(request);
    let mut argv: Vec<OsString> = vec![program.clone().into()];
    argv.extend(flags);
    argv.push(script.clone().into());
    argv.extend(request.args.iter().cloned());
    let emitter = request.private.join("emitter");
    let mut files: Vec<(PathBuf, Vec<u8>)> = crate::SPEC
        .emitter
        .iter()
        .map(|file| (emitter.join(file.name), file.contents.to_vec()))
        .collect();
    // Compiling the emitter takes longer than many a program.
    let compiled = request.build.join(COMPILED);
    let build: Vec<Vec<OsString>> = vec![vec![
        program.clone().into(),
        "-I".into(),
        "-S".into(),
        emitter.join("compile.py").into(),
        compiled.clone().into(),
    ]];
    // An interpreter inside a machine knows those descriptors alone that it opened.
    let channel = if is_module(request) {
        let folder = path_text(request.cwd.as_os_str().as_bytes());
        format!("'channel': '/tmp/{CHANNEL_FILE}', 'folder': {folder}, ")
    } else {
        String::new()
    };
    let mut table = format!(
        "PLAN = {{'given': {}, 'script': '{script}', 'script_fd': {number}, {channel}'original': [",
        path_text(request.given.as_os_str().as_bytes())
    );
    for word in &original {
        let _ = write!(table, "{},", path_text(word.as_bytes()));
    }
    table.push_str("], 'files': [");
    for (index, source) in request.sources.iter().enumerate() {
        let Some(text) = source.instrumented else {
            continue;
        };
        let name = format!("{index}.src");
        let _ = write!(
            table,
            "{{'source': '{name}', 'path': {}, 'columns': {{{}}}}},",
            path_text(source.path.as_os_str().as_bytes()),
            columns(text, source.insertions),
        );
        files.push((request.private.join(name), text.to_vec()));
    }
    table.push_str("]}\n");
    files.push((request.private.join("plan.py"), table.into_bytes()));
    Plan {
        build,
        once: vec![(0, compiled.clone())],
        brought: vec![(compiled, request.private.join(COMPILED))],
        program,
        argv,
        env: vec![("PYTHONPATH".into(), emitter.into())],
        rooted: is_module(request),
        files,
        begins_at: Some(request.private.join("plan.py")),
        ..Plan::default()
    }
}

/// The untraced program in the folder that it is run in (see `folder.py`).
fn placed(request: &PlanRequest<'_>, mut plan: Plan) -> Plan {
    let text = |path: &Path| path_text(path.as_os_str().as_bytes());
    let whole = request.cwd.join(request.given);
    if let Some(word) = plan.argv.iter_mut().find(|word| **word == *request.given) {
        *word = whole.into();
    }
    let stand_in = request.private.join("folder");
    let mut lines = format!(
        "FOLDER = {}; GIVEN = {}\n",
        text(request.cwd),
        text(request.given)
    )
    .into_bytes();
    lines.extend_from_slice(include_bytes!("../../../runtimes/python/folder.py"));
    plan.files.push((stand_in.join("sitecustomize.py"), lines));
    plan.env.push(("PYTHONPATH".into(), stand_in.into()));
    plan.rooted = true;
    plan
}

fn is_module(request: &PlanRequest<'_>) -> bool {
    let program = &request.found.program;
    program.extension().is_some_and(|end| end == "wasm")
}

/// Where the interpreter looks for the script's code: a path, and a descriptor's number or `None`.
fn script(request: &PlanRequest<'_>) -> (String, String) {
    if is_module(request) {
        // A module has no memory files.
        return ("/tmp/.script".to_owned(), "None".to_owned());
    }
    let number = request.channel + 1;
    (format!("/proc/self/fd/{number}"), number.to_string())
}

/// Interpreter flags of the script's `#!` line. Those that would keep the emitter from starting
/// are left out: they only change where modules are looked for.
fn flags(main: &PlanSource<'_>) -> Vec<OsString> {
    let text = main.instrumented.unwrap_or_default();
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let Some(line) = line.strip_prefix(b"#!") else {
        return Vec::new();
    };
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .skip_while(|word| {
            !word
                .rsplit(|&b| b == b'/')
                .next()
                .unwrap_or(word)
                .starts_with(b"python")
        });
    words.next();
    words
        .take_while(|word| word.starts_with(b"-"))
        .filter(|word| {
            !word
                .iter()
                .any(|byte| matches!(byte, b'E' | b'I' | b'S' | b'c' | b'm' | b'i'))
        })
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect()
}

/// A Python string literal of a file system path.
fn path_text(bytes: &[u8]) -> String {
    let mut text = String::from("'");
    match std::str::from_utf8(bytes) {
        Ok(path) => {
            for c in path.chars() {
                match c {
                    '\\' | '\'' => text.extend(['\\', c]),
                    ' '..='~' => text.push(c),
                    _ => {
                        let _ = write!(text, "\\U{:08x}", c as u32);
                    }
                }
            }
        }
        // As `os.fsdecode` does it.
        Err(_) => {
            for &byte in bytes {
                match byte {
                    b'\\' | b'\'' => text.extend(['\\', byte as char]),
                    b' '..=b'~' => text.push(byte as char),
                    0x80.. => {
                        let _ = write!(text, "\\udc{byte:02x}");
                    }
                    _ => {
                        let _ = write!(text, "\\x{byte:02x}");
                    }
                }
            }
        }
    }
    text.push('\'');
    text
}

/// For each line with insertions: (column in the rewritten line, length, lengths before).
fn columns(text: &[u8], insertions: &[Insertion]) -> String {
    let mut table = String::new();
    let mut line = 1u32;
    let mut line_start = 0usize;
    let mut scanned = 0usize;
    let mut shift = 0usize;
    let mut open_line = 0u32;
    let mut before = 0usize;
    for insertion in insertions {
        let at = insertion.at as usize + shift;
        while let Some(next) = text.get(scanned..at).and_then(line_end) {
            scanned += next;
            line += 1;
            line_start = scanned;
        }
        if open_line != line {
            if open_line != 0 {
                table.push_str("],");
            }
            let _ = write!(table, "{line}:[");
            open_line = line;
            before = 0;
        }
        let _ = write!(
            table,
            "({},{},{before}),",
            at - line_start,
            insertion.length
        );
        before += insertion.length as usize;
        shift += insertion.length as usize;
        scanned = scanned.max(at + insertion.length as usize);
    }
    if open_line != 0 {
        table.push_str("],");
    }
    table
}

/// Bytes up to and including the first line end, if there is one. A lone CR ends a line, too.
fn line_end(part: &[u8]) -> Option<usize> {
    let at = part
        .iter()
        .position(|&byte| byte == b'\n' || byte == b'\r')?;
    Some(if part[at] == b'\r' && part.get(at + 1) == Some(&b'\n') {
        at + 2
    } else {
        at + 1
    })
}
