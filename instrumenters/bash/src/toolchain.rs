//! How Bash programs are found and run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use tracer_instrument::{Found, Plan, PlanRequest, PlanSource, Proof, StreamForm, Toolchain};
use tracer_model::{Budget, Detail};

use crate::caution::{self, Mode};
use crate::functions::is_rewritten;
use crate::{notes, proof};

/// GNU bash 4.4 or later.
pub(crate) const TOOLCHAIN: Toolchain = Toolchain {
    programs: &["bash"],
    identify: &["-c", "echo \"$BASH_VERSION\"; type -P bash"],
    describe,
    hint: "the Debian package bash, 4.4 or later",
    plan,
    environment: &[],
    variations: &[],
    diagnostics: Some(diagnostics),
    dialects: &[],
    noise: None,
};

fn describe(output: &str, asked: &Path) -> Option<Found> {
    let version = output.lines().next()?;
    let mut parts = version.split(['.', '(']);
    let major: u32 = parts.next()?.parse().ok()?;
    let minor: u32 = parts.next()?.parse().ok()?;
    if (major, minor) < (4, 4) {
        return None;
    }
    let release: String = version
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    Some(Found {
        program: asked.to_path_buf(),
        version: format!("GNU bash {release}"),
        roots: Vec::new(),
    })
}

/// Bytes of a line that are looked at for probes, and how closely.
const WIDEST: u32 = 4000;
const CLOSELY: usize = 8;

/// Reads `file: line 7: syntax error …`. Bash knows no columns: the whole line is meant.
fn diagnostics(said: &str) -> Vec<(PathBuf, u32, u32)> {
    let place = |line: &str| {
        let (path, rest) = line.split_once(": line ")?;
        let number = rest.split(':').next()?.parse().ok()?;
        Some((PathBuf::from(path), number))
    };
    let mut places: Vec<(PathBuf, u32)> = said.lines().filter_map(place).collect();
    places.dedup();
    places
        .into_iter()
        .flat_map(|(path, line)| {
            (1..WIDEST)
                .step_by(CLOSELY)
                .map(move |column| (path.clone(), line, column))
        })
        .collect()
}

/// What a script's first line asks for.
struct Interpreter {
    program: PathBuf,
    /// Words between program and script.
    flags: Vec<OsString>,
    /// Whether it is the bash that was found.
    is_bash: bool,
}

fn interpreter(found: &Found, script: &[u8]) -> Interpreter {
    let bash = |flags| Interpreter {
        program: found.program.clone(),
        flags,
        is_bash: true,
    };
    let line = script
        .split(|&byte| byte == b'\n')
        .next()
        .and_then(|line| line.strip_prefix(b"#!"))
        .unwrap_or_default();
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(|word| OsString::from_vec(word.to_vec()));
    let Some(program) = words.next() else {
        return bash(Vec::new());
    };
    let rest: Vec<OsString> = words.collect();
    let is_bash = |word: &OsStr| Path::new(word).file_name() == Some(OsStr::new("bash"));
    if is_bash(&program) {
        return bash(rest);
    }
    if Path::new(&program).file_name() == Some(OsStr::new("env")) {
        let named = rest.iter().position(|word| {
            let bytes = word.as_bytes();
            !bytes.starts_with(b"-") && !bytes.contains(&b'=')
        });
        match named {
            Some(at) if is_bash(&rest[at]) => return bash(rest[at + 1..].to_vec()),
            Some(_) => {}
            None => return bash(Vec::new()),
        }
    }
    // Another shell runs its scripts itself, and has no hook that this emitter could use.
    Interpreter {
        program: PathBuf::from(program),
        flags: rest,
        is_bash: false,
    }
}

/// Bytes of a file by which bash tells whether it is a script.
const SAMPLE: usize = 80;

/// Whether bash refuses the file, as it does where the first line holds a NUL.
fn is_binary(script: &[u8]) -> bool {
    let sample = &script[..script.len().min(SAMPLE)];
    let line = sample.split(|&byte| byte == b'\n').next();
    line.unwrap_or_default().contains(&0)
}

fn plan(request: &PlanRequest<'_>) -> Plan {
    let main = request.sources.first();
    let asked = interpreter(request.found, main.map_or(&[], |main| main.original));
    let mut argv: Vec<OsString> = vec![asked.program.clone().into()];
    argv.extend(asked.flags);
    argv.push(request.given.into());
    argv.extend(request.args.iter().cloned());
    let plain = Plan {
        program: asked.program,
        argv,
        form: StreamForm::Nothing,
        ..Plan::default()
    };
    let Some((main, text)) = main
        .and_then(|main| Some((main, main.instrumented?)))
        .filter(|_| request.traced)
    else {
        return plain;
    };
    let untraced = |note: String| Plan {
        notes: vec![note],
        ..plain.clone()
    };
    if !asked.is_bash {
        return untraced(notes::another_shell(&plain.argv[0]));
    }
    if is_binary(main.original) {
        return untraced(notes::BINARY.to_owned());
    }
    let relative = request.given.is_relative();
    // At a fixed path the rewritten text can only stand in for the file itself, which the script
    // must then not read.
    let probes = is_rewritten(text)
        && (relative || request.replaces && !reads_itself(main))
        && !(request.detail >= Detail::Lines && is_shed(main));
    if !probes && caution::fallback(&String::from_utf8_lossy(main.original)) == Mode::Plain {
        return untraced(notes::WATCHES.to_owned());
    }
    let mut files: Vec<(PathBuf, Vec<u8>)> = crate::SPEC
        .emitter
        .iter()
        .map(|file| (request.private.join(file.name), file.contents.to_vec()))
        .collect();
    let mut stage = PathBuf::new();
    let mut build = Vec::new();
    if probes {
        let (command, read) = proof::asks(&request.found.program, request.private, request.sources);
        build.push(command);
        files.extend(read);
        if relative {
            let (folder, file) = staged(request.private, request.given);
            stage = folder;
            files.push((file, text.to_vec()));
            // The folder must exist even where the name leads out of it.
            files.push((stage.join(".stage"), Vec::new()));
        } else {
            files.push((main.path.to_path_buf(), text.to_vec()));
        }
        for module in request.sources[1..].iter().filter(|_| request.replaces) {
            if let Some(text) = module.instrumented.filter(|text| is_rewritten(text)) {
                files.push((module.path.to_path_buf(), text.to_vec()));
            }
        }
    }
    let mode = if probes { "probes" } else { "hook" };
    files.push((
        request.private.join("plan.sh"),
        settings(request.private, &stage, mode, request.budget),
    ));
    Plan {
        notes: notes::partly(probes, request),
        env: vec![("BASH_ENV".into(), request.private.join("start.sh").into())],
        files,
        proof: (!build.is_empty()).then_some(Proof {
            step: 0,
            judge: proof::judge,
        }),
        build,
        stands_in: true,
        form: StreamForm::Lines,
        ..plain
    }
}

/// Whether all probes were dropped from a script that does something.
fn is_shed(main: &PlanSource<'_>) -> bool {
    let mut lines = main.original.split(|&byte| byte == b'\n');
    main.insertions.len() < 2
        && lines.any(|line| !matches!(line.trim_ascii_start().first(), None | Some(b'#')))
}

/// A folder from which the given name leads to a file of ours: the folder and the file.
fn staged(private: &Path, given: &Path) -> (PathBuf, PathBuf) {
    let climbs = given
        .components()
        .filter(|part| *part == Component::ParentDir)
        .count();
    let mut folder = private.join("stage");
    for _ in 0..climbs {
        folder.push("d");
    }
    let mut file = folder.clone();
    for part in given.components() {
        match part {
            Component::ParentDir => {
                file.pop();
            }
            Component::Normal(name) => file.push(name),
            _ => {}
        }
    }
    (folder, file)
}

/// Whether a script names itself other than to say its name or find its folder.
fn reads_itself(main: &PlanSource<'_>) -> bool {
    let text = String::from_utf8_lossy(main.original);
    text.lines().any(|line| {
        let names = line.contains("$0") || line.contains("${0}") || line.contains("BASH_SOURCE");
        let harmless = [
            "echo", "printf", "basename", "dirname", "readlink", "realpath", "[[", "##",
        ];
        names && !harmless.iter().any(|word| line.contains(word))
    })
}

/// The emitter's settings as a script.
fn settings(private: &Path, stage: &Path, mode: &str, budget: &Budget) -> Vec<u8> {
    let mut text = Vec::new();
    let mut put = |name: &str, value: &OsStr| {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"='");
        for &byte in value.as_bytes() {
            if byte == b'\'' {
                text.extend_from_slice(b"'\\''");
            } else {
                text.push(byte);
            }
        }
        text.extend_from_slice(b"'\n");
    };
    put("_tr_dir", private.as_os_str());
    put("_tr_stage", stage.as_os_str());
    put("_tr_mode", OsStr::new(mode));
    let numbers = [
        ("_tr_events", u64::from(budget.events)),
        ("_tr_bytes", u64::from(budget.bytes)),
        ("_tr_elements", u64::from(budget.elements).max(1)),
        ("_tr_chars", u64::from(budget.characters).clamp(1, 2000)),
        ("_tr_h", u64::from(budget.characters).clamp(1, 2000)),
    ];
    for (name, number) in numbers {
        put(name, OsStr::new(&number.to_string()));
    }
    text
}
