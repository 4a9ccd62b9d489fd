//! Finding PHP and starting a program on it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tracer_instrument::{CHANNEL_FILE, Found, Plan, PlanRequest, PlanSource, Toolchain};

/// PHP 8 on the command line.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["php", "php8.4", "php8.3", "php8.2"],
    identify: &["-n", "-r", "echo PHP_VERSION,\"\\n\",PHP_BINARY;"],
    describe,
    hint: "the Debian package php-cli, PHP 8.0 or later",
    plan,
    // A debugger that is loaded would print its own text at errors.
    environment: &[("XDEBUG_MODE", "off")],
    variations: &[],
    diagnostics: None,
    dialects: &[],
    noise: None,
};

/// The same as a WebAssembly module, of the kind that web servers start.
pub(crate) const MODULE: Toolchain = Toolchain {
    programs: &["php.wasm"],
    identify: &["-q", "-v"],
    describe: describe_module,
    hint: "the image wasm-php",
    plan: plan_module,
    ..TOOLCHAIN
};

/// What the command line's PHP has set, and the others have not.
const SETTINGS: &[&str] = &[
    "html_errors=0",
    "implicit_flush=1",
    "max_execution_time=0",
    "max_input_time=-1",
    "output_buffering=0",
    "register_argc_argv=1",
];

/// Makes the module's surroundings those of the command line.
const SURROUNDINGS: &[u8] = include_bytes!("../../../runtimes/php/module.php");

/// Reads `PHP 8.2.0 (cgi-fcgi) (built: …)`.
fn describe_module(output: &str, program: &Path) -> Option<Found> {
    let version = output.strip_prefix("PHP ")?.split_whitespace().next()?;
    describe(version, program)
}

/// The same command with the settings of the command line. The module begins in the root, and would go
/// on in the script's folder: the surroundings go to the one that it is run in.
fn plan_module(request: &PlanRequest<'_>) -> Plan {
    let mut plan = plan(request);
    let surroundings = request.private.join("module.php");
    let mut prepend = OsString::from("auto_prepend_file=");
    prepend.push(&surroundings);
    let settings = SETTINGS.iter().map(OsString::from).chain([prepend]);
    let words = settings.flat_map(|setting| [OsString::from("-d"), setting]);
    if let Some(script) = plan.argv.iter_mut().find(|word| **word == request.given) {
        *script = request.cwd.join(request.given).into();
    }
    let words: Vec<OsString> = ["-q".into(), "-C".into()]
        .into_iter()
        .chain(words)
        .collect();
    plan.argv.splice(1..1, words);
    let mut text = SURROUNDINGS.to_vec();
    text.extend_from_slice(b"trc0_surround(");
    text.extend(quoted(request.cwd.as_os_str().as_bytes()));
    text.push(b',');
    text.extend(quoted(request.given.as_os_str().as_bytes()));
    text.extend_from_slice(b");\n");
    plan.files.push((surroundings, text));
    plan.rooted = true;
    plan
}

/// Reads `8.2.0\n/usr/bin/php8.2`.
pub(crate) fn describe(output: &str, program: &Path) -> Option<Found> {
    let mut lines = output.lines();
    let version = lines.next()?.trim();
    let major: u32 = version.split('.').next()?.parse().ok()?;
    if major < 8 {
        return None;
    }
    let real = lines
        .next()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map_or_else(|| program.to_owned(), PathBuf::from);
    let mut roots = Vec::new();
    // `<root>/bin/php`: extensions and configuration are beside `bin`.
    if let Some(root) = real.parent().and_then(Path::parent)
        && root != Path::new("/")
        && root != Path::new("/usr")
    {
        roots.push(root.to_owned());
    }
    Some(Found {
        program: real,
        version: format!("PHP {version}"),
        roots,
    })
}

/// `php file args…`; traced, PHP is given the emitter to run, which ends at once, and the program
/// as the file that is run behind every script, so that no frame lies below the program's own.
pub(crate) fn plan(request: &PlanRequest<'_>) -> Plan {
    let program = request.found.program.clone();
    let instrumented = request
        .sources
        .first()
        .is_some_and(|main| main.instrumented.is_some());
    let mut argv: Vec<OsString> = vec![program.clone().into()];
    let mut files = Vec::new();
    let begins_at = if request.traced && instrumented {
        let start = request.private.join("start.php");
        argv.push("-d".into());
        argv.push("auto_append_file=trc0://0".into());
        argv.push(start.clone().into());
        files.push((start.clone(), emitter(request)));
        start
    } else {
        argv.push(request.given.into());
        request.given.into()
    };
    argv.extend(request.args.iter().cloned());
    Plan {
        program,
        argv,
        files,
        begins_at: Some(begins_at),
        ..Plan::default()
    }
}

/// The emitter and the sources as one file: each file that PHP opens takes up a number that the
/// program can see.
fn emitter(request: &PlanRequest<'_>) -> Vec<u8> {
    let mut text = b"<?php\n".to_vec();
    for file in crate::SPEC.emitter {
        let body = file.contents;
        text.extend_from_slice(body.strip_prefix(b"<?php").unwrap_or(body));
    }
    text.extend_from_slice(b"trc0_start([");
    let module = request.found.program.extension() == Some("wasm".as_ref());
    let channel = if module {
        // A module knows those descriptors alone that it opened.
        format!("'/tmp/{CHANNEL_FILE}'")
    } else {
        request.channel.to_string()
    };
    let mut head = format!("'channel'=>{channel},'given'=>");
    head.push_str(&String::from_utf8_lossy(&quoted(
        request.given.as_os_str().as_bytes(),
    )));
    text.extend_from_slice(head.as_bytes());
    text.extend_from_slice(b",'private'=>");
    text.extend(quoted(request.private.as_os_str().as_bytes()));
    text.extend_from_slice(b",'sources'=>[");
    for source in request.sources {
        one_source(&mut text, source);
    }
    text.extend_from_slice(b"]]);\n");
    text
}

fn one_source(text: &mut Vec<u8>, source: &PlanSource<'_>) {
    text.extend_from_slice(b"['path'=>");
    text.extend(quoted(source.path.as_os_str().as_bytes()));
    if let Some(code) = source.instrumented {
        // The last insertion holds what the emitter must know; it is not part of the program.
        let (code, facts) = match source.insertions.last() {
            Some(last) if code.len() >= last.length as usize => {
                code.split_at(code.len() - last.length as usize)
            }
            _ => (code, &[][..]),
        };
        let facts = facts
            .strip_prefix(b"/*")
            .and_then(|facts| facts.strip_suffix(b"*/"))
            .unwrap_or_default();
        let kept = source.insertions.len().saturating_sub(1);
        let mut places = String::new();
        for insertion in &source.insertions[..kept] {
            let _ = write!(places, "{} {} ", insertion.at, insertion.length);
        }
        text.extend_from_slice(b",'code'=>");
        text.extend(quoted(code));
        text.extend_from_slice(b",'facts'=>");
        text.extend(quoted(facts));
        text.extend_from_slice(b",'places'=>");
        text.extend(quoted(places.trim_end().as_bytes()));
    }
    text.extend_from_slice(b"],");
}

/// A PHP string literal.
fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut literal = vec![b'\''];
    for &byte in bytes {
        if matches!(byte, b'\'' | b'\\') {
            literal.push(b'\\');
        }
        literal.push(byte);
    }
    literal.push(b'\'');
    literal
}
