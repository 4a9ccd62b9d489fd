//! Finding PHP and starting a program on it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, PlanSource};

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
    if request.traced && instrumented {
        let start = request.private.join("start.php");
        argv.push("-d".into());
        argv.push("auto_append_file=trc0://0".into());
        argv.push(start.clone().into());
        files.push((start, emitter(request)));
    } else {
        argv.push(request.given.into());
    }
    argv.extend(request.args.iter().cloned());
    Plan {
        program,
        argv,
        files,
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
    let mut head = format!("'channel'=>{},'given'=>", request.channel);
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
