//! Finding Ruby and starting a program on it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tracer_instrument::{CHANNEL_FILE, Found, Insertion, Plan, PlanRequest, Toolchain};

/// The reference interpreter, 2.7 or later.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["ruby"],
    identify: &[
        "-e",
        "puts [RUBY_ENGINE, RUBY_VERSION].join(' '), RbConfig.ruby, RbConfig::CONFIG['prefix']",
    ],
    describe,
    hint: "the Debian package ruby, or Ruby 2.7 or later from ruby-lang.org",
    plan,
    environment: &[],
    variations: &[],
    diagnostics: None,
    dialects: &[],
    noise: None,
};

/// The same as a WebAssembly module.
pub(crate) const MODULE: Toolchain = Toolchain {
    programs: &["ruby.wasm"],
    hint: "the image wasm-ruby",
    describe: describe_module,
    plan: plan_module,
    ..TOOLCHAIN
};

/// The module knows no file of its own.
fn describe_module(output: &str, program: &Path) -> Option<Found> {
    let found = describe(output, program)?;
    Some(Found {
        program: program.to_owned(),
        version: found.version,
        roots: Vec::new(),
    })
}

/// The same command; the library inside begins in the root, whatever the folder.
fn plan_module(request: &PlanRequest<'_>) -> Plan {
    let mut plan = plan(request);
    let mut folder = OsString::from("-C");
    folder.push(request.cwd);
    plan.argv.insert(1, folder);
    plan.rooted = true;
    plan
}

fn describe(output: &str, _asked: &Path) -> Option<Found> {
    let mut lines = output.lines();
    let version = lines.next()?.trim().strip_prefix("ruby ")?;
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    if (parts.next()?, parts.next()?) < (2, 7) {
        return None;
    }
    let program = PathBuf::from(lines.next()?.trim());
    let prefix = PathBuf::from(lines.next()?.trim());
    let roots = if prefix == Path::new("/usr") || prefix == Path::new("/") {
        Vec::new()
    } else {
        vec![prefix]
    };
    Some(Found {
        program,
        version: format!("Ruby {version}"),
        roots,
    })
}

/// From 3.3 on there are two parsers; the emitter reaches in through the older one.
fn has_two_parsers(version: &str) -> bool {
    let mut parts = version
        .trim_start_matches("Ruby ")
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (3, 4)
}

/// `ruby [-r <emitter>] file args…`.
fn plan(request: &PlanRequest<'_>) -> Plan {
    let program = request.found.program.clone();
    let mut argv: Vec<OsString> = vec![program.clone().into_os_string()];
    let mut files = Vec::new();
    let mut env = Vec::new();
    let traced = request.traced
        && request
            .sources
            .first()
            .is_some_and(|main| main.instrumented.is_some());
    if traced {
        if has_two_parsers(&request.found.version) {
            argv.push("--parser=parse.y".into());
        }
        let mut word = OsString::from("-r");
        word.push(request.private.join("emitter.rb"));
        argv.push(word);
        // Probes need stack too: recursion must end where it would have ended.
        env.push(("RUBY_THREAD_VM_STACK_SIZE".into(), "4194304".into()));
        env.push(("RUBY_FIBER_VM_STACK_SIZE".into(), "1048576".into()));
        for file in crate::SPEC.emitter {
            files.push((request.private.join(file.name), file.contents.to_vec()));
        }
        let channel = if program.extension().is_some_and(|end| end == "wasm") {
            // Descriptors inside have numbers of their own.
            format!("\"/tmp/{CHANNEL_FILE}\"")
        } else {
            request.channel.to_string()
        };
        let mut table = format!(
            "{{channel: {channel}, given: {}, files: [",
            literal(request.given.as_os_str().as_bytes())
        );
        let mut paths = Vec::new();
        for (index, source) in request.sources.iter().enumerate() {
            let Some(text) = source.instrumented else {
                continue;
            };
            paths.extend_from_slice(source.path.as_os_str().as_bytes());
            paths.push(b'\n');
            // The last insertion holds what the emitter must know; it is not part of the program.
            let (code, facts) = match source.insertions.last() {
                Some(last) if text.len() >= last.length as usize => {
                    text.split_at(text.len() - last.length as usize)
                }
                _ => (text, &[][..]),
            };
            let kept = source.insertions.len().saturating_sub(1);
            let insertions = &source.insertions[..kept];
            let facts = String::from_utf8_lossy(facts);
            let mut lists = facts.trim_start_matches('#').split('|');
            let mut list = || -> Vec<&str> {
                let words = lists.next().unwrap_or_default();
                words.split_whitespace().collect()
            };
            let (inner, homes, broken) = (list(), list(), list());
            let mut texts = vec![variant(code, insertions, &[])];
            let broken: Vec<u32> = broken.iter().filter_map(|word| word.parse().ok()).collect();
            if !broken.is_empty() {
                texts.push(variant(code, insertions, &broken));
            }
            table.push_str(&format!(
                "{{path: {}, inner: [{}], homes: [{}], texts: [",
                literal(source.path.as_os_str().as_bytes()),
                inner.join(","),
                homes.join(","),
            ));
            for (number, (text, moved)) in texts.into_iter().enumerate() {
                let name = format!("{index}-{number}.rb");
                table.push_str(&format!("[\"{name}\", [{moved}]],"));
                files.push((request.private.join(name), text));
            }
            table.push_str("]},");
        }
        table.push_str("]}\n");
        files.push((request.private.join("paths"), paths));
        files.push((request.private.join("plan.rb"), table.into_bytes()));
    }
    argv.push(request.given.as_os_str().to_owned());
    argv.extend(request.args.iter().cloned());
    Plan {
        program,
        argv,
        env,
        files,
        // Ruby reads it before its own libraries.
        begins_at: Some(request.given.into()),
        ..Plan::default()
    }
}

/// Instrumented text without the insertions inside certain ranges of the original, and where the
/// others are. The emitter falls back on it where the parser misread more than it could tell.
fn variant(code: &[u8], insertions: &[Insertion], without: &[u32]) -> (Vec<u8>, String) {
    let mut text = Vec::with_capacity(code.len());
    let mut moved = String::new();
    let (mut read, mut original) = (0usize, 0usize);
    for insertion in insertions {
        let upto = (read + insertion.at as usize - original).min(code.len());
        let end = (upto + insertion.length as usize).min(code.len());
        text.extend_from_slice(&code[read..upto]);
        original = insertion.at as usize;
        read = end;
        let left_out = without
            .chunks_exact(2)
            .any(|range| (range[0]..=range[1]).contains(&insertion.at));
        if !left_out {
            text.extend_from_slice(&code[upto..end]);
            moved.push_str(&format!("{},{},", insertion.at, insertion.length));
        }
    }
    text.extend_from_slice(&code[read..]);
    (text, moved)
}

/// Bytes as a Ruby string literal.
fn literal(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                text.push(byte as char);
            }
            _ => text.push_str(&format!("\\x{byte:02X}")),
        }
    }
    text.push('"');
    text
}
