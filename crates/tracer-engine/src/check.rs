//! The proof for one file: the original and the traced program, run and compared.
//!
//! Compared are how they ended, stdout, stderr, and every file they left behind.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracer_model::{End, Limit};
use tracer_sandbox::{Change, FileType};

use crate::run::{Executed, RunOptions, Settings, execute};
use crate::toolchain::Toolchain;
use crate::{EngineError, Program, alone, choose_toolchain, wasm};

/// How much slower than the original's limit the traced run may be.
const TRACED_ALLOWANCE: u32 = 6;

/// How often the original is run again before a difference is held against the traced run: always,
/// at most, and no further once they took this long.
const AGAIN: usize = 3;
const AGAIN_AT_MOST: usize = 16;
const AGAIN_WHILE: Duration = Duration::from_secs(3);

/// Where a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The traced program did what the original did.
    Same,
    /// It did not.
    Differs,
    /// The original gives nothing to compare with: it hit a limit, or two runs of it differ.
    OriginalFailed,
    /// Not instrumented, or nothing to run it with.
    Refused,
    /// The original does not build.
    BuildFailed,
    /// The original did not end in time; or it did and the traced program, which has several times
    /// as long, did not, having done nothing else so far.
    Timeout,
}

impl Status {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Same,
        Self::Differs,
        Self::OriginalFailed,
        Self::Refused,
        Self::BuildFailed,
        Self::Timeout,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::OriginalFailed => "original_failed",
            Self::Refused => "refused",
            Self::BuildFailed => "build_failed",
            Self::Timeout => "timeout",
        }
    }
}

/// One file's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The file as it was named.
    pub path: String,
    /// Its language id; empty if unknown.
    pub language: String,
    /// Where it ends.
    pub status: Status,
    /// Why, as a fixed word; empty for `same`.
    pub reason: String,
    /// Particulars for people; may be empty.
    pub detail: String,
    /// Probes placed in the traced program; none where it was not run.
    #[serde(default)]
    pub probes: usize,
    /// Those of them that its compiler refused, or that were read otherwise: they were left out.
    #[serde(default)]
    pub shed: usize,
}

/// How files are checked.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// How they are loaded and run. The limits are the original's.
    pub run: RunOptions,
}

/// Runs a file both ways and compares.
pub fn check_file(path: &Path, options: &CheckOptions) -> Checked {
    let mut seen = Seen::default();
    let verdict = compare(path, options, &mut seen);
    let (status, reason, detail) = match verdict {
        Ok(verdict) => (verdict.status, verdict.reason.to_owned(), verdict.detail),
        Err(error) => refusal(&error),
    };
    Checked {
        path: path.to_string_lossy().into_owned(),
        language: seen.language,
        status,
        reason,
        detail,
        probes: seen.probes,
        shed: seen.shed,
    }
}

/// What is known of a file whatever its verdict.
#[derive(Default)]
struct Seen {
    language: String,
    probes: usize,
    shed: usize,
}

struct Verdict {
    status: Status,
    reason: &'static str,
    detail: String,
}

impl Verdict {
    fn new(status: Status, reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            detail: detail.into(),
        }
    }
}

fn refusal(error: &EngineError) -> (Status, String, String) {
    let reason = match error {
        EngineError::Read { .. } => "unreadable",
        EngineError::UnknownLanguage { .. } | EngineError::NoSuchLanguage { .. } => {
            "unknown_language"
        }
        EngineError::Refused { .. } => "not_instrumented",
        EngineError::NoToolchain { .. }
        | EngineError::StrangeToolchain { .. }
        | EngineError::NativeOnly { .. }
        | EngineError::NotInImage { .. } => "no_toolchain",
        EngineError::Image(_) | EngineError::ImageNeedsWalls | EngineError::EmitterBuild { .. } => {
            "image"
        }
        EngineError::ModuleBuild { .. } | EngineError::NoWasm => "wasm",
        EngineError::Sandbox(_) => "sandbox",
        EngineError::System { .. } => "system",
    };
    (Status::Refused, reason.into(), describe(error))
}

/// An error with its causes, on one line.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn compare(path: &Path, options: &CheckOptions, seen: &mut Seen) -> Result<Verdict, EngineError> {
    let alone = alone::stand(path, &options.run)?;
    let given = &options.run;
    let (mut program, run) = match &alone {
        Some((program, run)) => (program.clone(), run),
        None => (Program::load(path, &given.program)?, given),
    };
    program.spec.id.clone_into(&mut seen.language);
    wasm::enter(&mut program, &run.settings)?;
    let toolchain = choose_toolchain(&program, &run.settings)?;
    let original = execute(&mut program, &toolchain, &run.settings, None)?;
    match &original.outcome.end {
        End::BuildFailed { diagnostics, .. } => {
            return Ok(Verdict::new(
                Status::BuildFailed,
                "compiler",
                telling(diagnostics).chars().take(200).collect::<String>(),
            ));
        }
        End::Limited {
            limit: Limit::Wall | Limit::Cpu,
        } => {
            return Ok(Verdict::new(Status::Timeout, "original", ""));
        }
        End::Limited { limit } => {
            return Ok(Verdict::new(
                Status::OriginalFailed,
                "limit",
                format!("{limit:?}"),
            ));
        }
        End::Exited { .. } | End::Signaled { .. } => {}
    }
    let settings = allowing(&run.settings);
    let traced = execute(
        &mut program,
        &toolchain,
        &settings,
        Some(run.program.detail),
    )?;
    for source in &program.sources {
        let (placed, shed) = source.instrumented.probes();
        seen.probes += placed;
        seen.shed += shed;
    }
    let printed = [
        (original.stdout.as_slice(), traced.stdout.as_slice()),
        (&original.stderr, &traced.stderr),
    ];
    if is_only_slower(&traced.outcome.end, printed) {
        return Ok(Verdict::new(
            Status::Timeout,
            "traced",
            format!("the original ended; traced, it did not in {TRACED_ALLOWANCE} times the limit"),
        ));
    }
    let noise = program.toolchain.noise;
    let Some((reason, detail)) = difference(&original, &traced, noise) else {
        // The same, but nothing was traced: whoever counts must be able to see it.
        let silent = match &traced.channel {
            Some(channel) => {
                let recording = channel.read(&program.table)?;
                !program.table.sites.is_empty() && !recording.decoded().reported()
            }
            None => !program.table.sites.is_empty(),
        };
        let detail = if silent { "no probe reported" } else { "" };
        return Ok(Verdict::new(Status::Same, "", detail));
    };
    if let Some(why) = unsteady(&mut program, &toolchain, &run.settings, &original)? {
        return Ok(Verdict::new(
            Status::OriginalFailed,
            "nondeterministic",
            why,
        ));
    }
    Ok(Verdict::new(Status::Differs, reason, detail))
}

/// Whether the traced program was stopped for its time while it did what the original did.
/// `printed`: what the original wrote to a stream, and what it did.
fn is_only_slower(end: &End, printed: [(&[u8], &[u8]); 2]) -> bool {
    let stopped = matches!(
        end,
        End::Limited {
            limit: Limit::Wall | Limit::Cpu
        }
    );
    stopped && printed.iter().all(|(whole, part)| whole.starts_with(part))
}

/// Runs the original again, as it was and varied. Says in what it differs from itself, if it does:
/// then what it does depends on time, chance, or what happens to be in memory.
fn unsteady(
    program: &mut Program,
    toolchain: &Toolchain,
    settings: &Settings,
    original: &Executed,
) -> Result<Option<String>, EngineError> {
    let moved = Settings {
        random_addresses: true,
        ..settings.clone()
    };
    let mut rounds = vec![(String::new(), settings.clone())];
    rounds.resize(AGAIN, (" at other addresses".to_owned(), moved));
    for flag in program.toolchain.variations {
        let mut varied = settings.clone();
        varied.compiler_flags.push(flag.into());
        rounds.push((format!(" when built with {flag}"), varied));
    }
    for (how, varied) in rounds {
        let again = execute(program, toolchain, &varied, None)?;
        // A compiler that does not know the argument says nothing about the program.
        if matches!(again.outcome.end, End::BuildFailed { .. }) {
            continue;
        }
        if let Some((own, _)) = difference(original, &again, program.toolchain.noise) {
            return Ok(Some(format!(
                "two runs of the original differ in {own}{how}"
            )));
        }
    }
    // A race that the original rarely loses shows only in many runs.
    let started = Instant::now();
    for _ in AGAIN..AGAIN_AT_MOST {
        if started.elapsed() > AGAIN_WHILE {
            break;
        }
        let again = execute(program, toolchain, settings, None)?;
        if let Some((own, _)) = difference(original, &again, program.toolchain.noise) {
            return Ok(Some(format!("two runs of the original differ in {own}")));
        }
    }
    Ok(None)
}

/// The line of a compiler's words that says most: the first error, else the first that names a place.
pub fn telling(diagnostics: &str) -> &str {
    // The linker's own is said by the one that started it, too.
    let error = |line: &&str| {
        !line.starts_with("collect2: ")
            && ["error:", "error[", "error "]
                .iter()
                .any(|word| line.contains(word))
    };
    let place = |line: &&str| {
        line.split(':')
            .nth(1)
            .is_some_and(|row| row.parse::<u32>().is_ok())
            || line.contains("undefined reference")
    };
    let lines = || diagnostics.lines();
    lines()
        .find(error)
        .or_else(|| lines().find(place))
        .or_else(|| lines().find(|line| !line.starts_with('#')))
        .unwrap_or_default()
}

/// Settings of the traced run, which may be slower than the original's limits allow.
pub fn allowing(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    for limit in [&mut settings.limits.wall, &mut settings.limits.cpu] {
        *limit = limit.map(|duration| duration * TRACED_ALLOWANCE);
    }
    settings
}

/// The first thing in which two runs differ: a fixed word (`exit`, `stdout`, `stderr`, `files`) and
/// particulars. `noise` is the toolchain's.
pub fn difference(
    original: &Executed,
    traced: &Executed,
    noise: Option<fn(&[u8]) -> Vec<u8>>,
) -> Option<(&'static str, String)> {
    if original.outcome.end != traced.outcome.end {
        let (a, b) = (&original.outcome.end, &traced.outcome.end);
        let errors = String::from_utf8_lossy(&traced.stderr);
        let last = errors.lines().last().unwrap_or_default();
        return Some((
            "exit",
            format!("{a:?} became {b:?}; last on stderr: {last}"),
        ));
    }
    for (stream, before, after) in [
        ("stdout", &original.stdout, &traced.stdout),
        ("stderr", &original.stderr, &traced.stderr),
    ] {
        if before == after {
            continue;
        }
        let quiet = |text: &Vec<u8>| noise.map_or_else(|| text.clone(), |without| without(text));
        let (before, after) = (quiet(before), quiet(after));
        if before != after {
            return Some((stream, first_difference(&before, &after)));
        }
    }
    let (before, after) = (files(&original.changes), files(&traced.changes));
    (before != after).then(|| {
        let odd = before
            .iter()
            .find(|file| !after.contains(file))
            .or_else(|| after.iter().find(|file| !before.contains(file)));
        ("files", odd.map(|file| file.0.clone()).unwrap_or_default())
    })
}

fn first_difference(a: &[u8], b: &[u8]) -> String {
    let at = a
        .iter()
        .zip(b)
        .position(|(x, y)| x != y)
        .unwrap_or(a.len().min(b.len()));
    let line = a[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    let show = |text: &[u8]| {
        let start = text[..at]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        let rest = &text[start..];
        let end = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(rest.len());
        String::from_utf8_lossy(&rest[..end])
            .chars()
            .take(160)
            .collect::<String>()
    };
    format!("line {line}: {:?} became {:?}", show(a), show(b))
}

/// What the run left behind, in order: path, and a digest of what stands there.
fn files(changes: &[Change]) -> Vec<(String, String)> {
    changes
        .iter()
        .map(|change| {
            let path = change
                .folder
                .join(&change.path)
                .to_string_lossy()
                .into_owned();
            let contents = match &change.file {
                FileType::Regular(_) => digest(change).unwrap_or_else(|error| error.to_string()),
                other => format!("{other:?}"),
            };
            (
                path,
                format!("{:?} {:o} {contents}", change.kind, change.mode),
            )
        })
        .collect()
}

fn digest(change: &Change) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = change.open()?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            n => {
                hasher.update(&buffer[..n]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_is_quoted_where_it_says_what_is_wrong() {
        let said = [
            (
                "# example.com/m\n./a.go:3:7: undefined: x\n",
                "./a.go:3:7: undefined: x",
            ),
            (
                "a.c: In function 'f':\na.c:3:1: error: bad\n",
                "a.c:3:1: error: bad",
            ),
            (
                "ld: /tmp/a.o: in function `main':\na.c:(.text+0x5): undefined reference to `f'\n\
                 collect2: error: ld returned 1 exit status\n",
                "a.c:(.text+0x5): undefined reference to `f'",
            ),
            ("nothing else\n", "nothing else"),
        ];
        for (words, line) in said {
            assert_eq!(telling(words), line);
        }
    }

    #[test]
    fn a_traced_program_that_is_stopped_is_slow_only_where_it_did_the_same() {
        let wall = End::Limited { limit: Limit::Wall };
        let memory = End::Limited {
            limit: Limit::Memory,
        };
        let none: (&[u8], &[u8]) = (b"", b"");
        assert!(is_only_slower(&wall, [(b"one\ntwo\n", b"one\nt"), none]));
        assert!(!is_only_slower(&wall, [(b"one\n", b"two"), none]));
        assert!(!is_only_slower(&wall, [(b"one\n", b"one\n"), (b"", b"!")]));
        assert!(!is_only_slower(&memory, [(b"one\n", b"one"), none]));
        assert!(!is_only_slower(&End::Exited { code: 0 }, [none, none]));
    }

    #[test]
    fn the_first_difference_is_shown_by_line() {
        let said = first_difference(b"one\ntwo\n", b"one\ntoo\n");
        assert_eq!(said, "line 2: \"two\" became \"too\"");
        assert_eq!(
            first_difference(b"one\n", b""),
            "line 1: \"one\" became \"\""
        );
    }
}
