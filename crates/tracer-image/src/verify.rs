//! Proves an image: its toolchain says its version, and programs print what they should.
//!
//! Everything runs in the sandbox, on the image's layers; the programs come from the declaration, so
//! that an imported image is held to the same ones. Nothing is traced here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tracer_model::{End, Limits};
use tracer_sandbox::{Access, Body, Finished, Folder, Inject, Request, Root, SandboxError, run};

use crate::declaration::Check;
use crate::{Declaration, ImageError, Manifest};

/// Where a program's text lies inside.
const SOURCES: &str = "/tmp/verify";

/// How much of what a program printed a problem repeats, characters.
const SHOWN: usize = 400;

/// What an image proved.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verified {
    /// First line of what the toolchain says of itself; empty if it failed, or for the base.
    pub version: String,
    /// Each program, in the order of the declaration. A toolchain that cannot say its version is
    /// the first.
    pub programs: Vec<Proof>,
}

/// How one program went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proof {
    /// File name, e.g. `hello.py`; the command, for the version.
    pub name: String,
    /// Wall time of building and running it.
    pub seconds: f64,
    /// What was not as expected; `None` if all was.
    pub problem: Option<String>,
}

impl Verified {
    /// Whether nothing went wrong.
    pub fn passed(&self) -> bool {
        self.programs.iter().all(|proof| proof.problem.is_none())
    }
}

/// Changes a request before it is run, for images that are no root file systems.
pub type Prepare<'a> = &'a dyn Fn(&mut Request) -> Result<(), ImageError>;

/// Runs the programs of `declaration` on an attached image, lowest layer first. `prepare` is given
/// each request.
///
/// A toolchain that is missing or fails is a [`Proof::problem`]; an error means that this machine
/// could not run it.
pub fn verify(
    attached_layers: &[PathBuf],
    manifest: &Manifest,
    declaration: &Declaration,
    prepare: Prepare<'_>,
) -> Result<Verified, ImageError> {
    let Some(programs) = &declaration.image.verify else {
        return Ok(Verified::default());
    };
    let image = Image {
        layers: attached_layers,
        manifest,
        prepare,
    };
    let mut verified = Verified::default();
    let start = Instant::now();
    match image.command(&programs.version, None, None)? {
        Ok(finished) => verified.version = first_line(&finished),
        Err(problem) => verified.programs.push(Proof {
            name: programs.version.join(" "),
            seconds: start.elapsed().as_secs_f64(),
            problem: Some(problem),
        }),
    }
    for check in &programs.check {
        for name in &check.programs {
            let start = Instant::now();
            let problem = image.program(check, name, declaration)?;
            verified.programs.push(Proof {
                name: name.clone(),
                seconds: start.elapsed().as_secs_f64(),
                problem,
            });
        }
    }
    Ok(verified)
}

/// The image under test.
pub(crate) struct Image<'a> {
    pub(crate) layers: &'a [PathBuf],
    pub(crate) manifest: &'a Manifest,
    pub(crate) prepare: Prepare<'a>,
}

impl Image<'_> {
    /// Runs a command that may write the folder `out`, which stands for `{out}` in it; the inner
    /// error says how it went wrong.
    pub(crate) fn step(
        &self,
        command: &[String],
        out: &Path,
    ) -> Result<Result<(), String>, ImageError> {
        let words = filled(command, Path::new(""), out);
        Ok(self.command(&words, None, Some(out))?.map(drop))
    }

    /// Builds and runs one program; says what is wrong with it.
    fn program(
        &self,
        check: &Check,
        name: &str,
        declaration: &Declaration,
    ) -> Result<Option<String>, ImageError> {
        let file = |name: &str| {
            let path = format!("verify/{name}");
            declaration
                .file(&path)
                .ok_or_else(|| ImageError::Declaration {
                    file: format!("{}/{path}", declaration.language),
                    problem: "it is missing".into(),
                })
        };
        let (text, expected) = (file(name)?, file(&format!("{name}.expected"))?);
        let out = tempfile::tempdir()
            .map_err(|error| ImageError::system("make a temporary folder", error))?;
        let source = Inject {
            path: Path::new(SOURCES).join(name),
            body: Body::Bytes(Arc::from(text)),
            executable: false,
        };
        for command in &check.build {
            let words = filled(command, &source.path, out.path());
            if let Err(problem) = self.command(&words, Some(&source), Some(out.path()))? {
                return Ok(Some(format!("building: {problem}")));
            }
        }
        let words = filled(&check.run, &source.path, out.path());
        Ok(
            match self.command(&words, Some(&source), Some(out.path()))? {
                Ok(finished) => difference(expected, &finished.stdout),
                Err(problem) => Some(problem),
            },
        )
    }

    /// Runs a command that should end with status 0; the inner error says how it ended instead.
    fn command(
        &self,
        words: &[String],
        source: Option<&Inject>,
        out: Option<&Path>,
    ) -> Result<Result<Finished, String>, ImageError> {
        let program = words.first().map(String::as_str).unwrap_or_default();
        let mut request = Request::new(program, "/tmp");
        request.argv = words.iter().map(OsString::from).collect();
        request.env = environment(&self.manifest.environment);
        request.image = Some(Root {
            layers: self.layers.to_vec(),
            scratch: self.manifest.scratch.clone(),
        });
        request.files.extend(source.cloned());
        request.folders.extend(out.map(|path| Folder {
            path: path.to_owned(),
            access: Access::Writable,
        }));
        request.limits = limits();
        (self.prepare)(&mut request)?;
        match run(&request) {
            Ok(finished) => Ok(ended(&finished).map_or(Ok(finished), Err)),
            // An image without the program, or one for another machine, proves itself wrong.
            Err(SandboxError::Exec { program, source }) => {
                let program = program.display();
                Ok(Err(format!("cannot execute {program}: {source}")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Enough for a slow compiler on a busy machine; a program that hangs still ends.
fn limits() -> Limits {
    Limits {
        cpu: Some(Duration::from_secs(180)),
        wall: Some(Duration::from_secs(300)),
        memory: Some(4 << 30),
        disk: Some(1 << 30),
        ..Limits::default()
    }
}

/// What any program expects, then what the image says.
fn environment(image: &BTreeMap<String, String>) -> Vec<(OsString, OsString)> {
    let usual = [
        ("HOME", "/tmp"),
        ("LANG", "C.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ];
    let mut all: BTreeMap<&str, &str> = usual.into_iter().collect();
    all.extend(image.iter().map(|(name, value)| (&**name, &**value)));
    all.into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn filled(words: &[String], source: &Path, out: &Path) -> Vec<String> {
    let fill = |word: &String| {
        word.replace("{source}", &source.to_string_lossy())
            .replace("{out}", &out.to_string_lossy())
    };
    words.iter().map(fill).collect()
}

/// How a run ended, unless it ended well.
fn ended(finished: &Finished) -> Option<String> {
    let how = match &finished.outcome.end {
        End::Exited { code: 0 } => return None,
        End::Exited { code } | End::BuildFailed { code, .. } => format!("exit status {code}"),
        End::Signaled { name, .. } => format!("ended by {name}"),
        End::Limited { limit } => format!("stopped at its limit of {}", limit_name(*limit)),
    };
    let stream = [&finished.stderr, &finished.stdout];
    let said = stream
        .iter()
        .map(|bytes| shown(&String::from_utf8_lossy(bytes)))
        .find(|text| !text.is_empty());
    Some(match said {
        Some(said) => format!("{how}: {said}"),
        None => how,
    })
}

fn limit_name(limit: tracer_model::Limit) -> &'static str {
    use tracer_model::Limit;
    match limit {
        Limit::Cpu => "CPU time",
        Limit::Wall => "time",
        Limit::Memory => "memory",
        Limit::Processes => "processes",
        Limit::FileSize => "file size",
        Limit::Disk => "disk space",
        Limit::Output => "output",
    }
}

/// Where the output departs from the expected one.
fn difference(expected: &[u8], found: &[u8]) -> Option<String> {
    let lines = |bytes: &[u8]| -> Vec<String> {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let quoted = |line| format!("{:?}", String::from_utf8_lossy(line));
        lines.map(quoted).collect()
    };
    if expected == found {
        return None;
    }
    let (expected, found) = (lines(expected), lines(found));
    let same = expected.iter().zip(&found).take_while(|(a, b)| a == b);
    let index = same.count();
    let line = |lines: &[String]| match lines.get(index) {
        Some(line) => shown(line),
        None => "the end".into(),
    };
    let (number, wanted, came) = (index + 1, line(&expected), line(&found));
    Some(format!(
        "line {number} of its output: expected {wanted}, came {came}"
    ))
}

fn first_line(finished: &Finished) -> String {
    let text = String::from_utf8_lossy(&finished.stdout);
    let line = text.lines().find(|line| !line.trim().is_empty());
    shown(line.unwrap_or_default())
}

/// At most [`SHOWN`] characters, without the spaces around.
fn shown(text: &str) -> String {
    let text = text.trim_end();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_by_its_line() {
        assert_eq!(difference(b"a\nb\n", b"a\nb\n"), None);
        let all = [
            (
                &b"a\nb\n"[..],
                r#"line 2 of its output: expected "c\n", came "b\n""#,
            ),
            (b"a\nc", r#"line 2 of its output: expected "c\n", came "c""#),
            (
                b"a\n",
                r#"line 2 of its output: expected "c\n", came the end"#,
            ),
            (
                b"a\nc\nd",
                r#"line 3 of its output: expected the end, came "d""#,
            ),
            (b"", r#"line 1 of its output: expected "a\n", came the end"#),
        ];
        for (found, problem) in all {
            assert_eq!(difference(b"a\nc\n", found).as_deref(), Some(problem));
        }
        let long = difference(b"", &vec![b'x'; 100_000]).unwrap();
        assert!(
            long.len() < SHOWN + 100 && long.ends_with("xxx..."),
            "{long}"
        );
    }

    #[test]
    fn commands_are_filled_in() {
        let words = ["cc", "-o{out}/main", "{source}"].map(String::from);
        let filled = filled(&words, Path::new("/a/b.c"), Path::new("/tmp/x"));
        assert_eq!(filled, ["cc", "-o/tmp/x/main", "/a/b.c"]);
    }

    #[test]
    fn the_image_has_the_last_word_on_variables() {
        let image = [("PATH", "/opt/bin"), ("GOPROXY", "off")];
        let image = image.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let all = environment(&image.into());
        let of = |name: &str| {
            let mut found = all.iter().filter(|(each, _)| each == name);
            (found.next().unwrap().1.clone(), found.count())
        };
        assert_eq!(of("PATH"), ("/opt/bin".into(), 0));
        assert_eq!(of("GOPROXY"), ("off".into(), 0));
        assert_eq!(of("HOME"), ("/tmp".into(), 0));
    }
}
