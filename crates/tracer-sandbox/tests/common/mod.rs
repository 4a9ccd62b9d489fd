//! Requests that most tests of the sandbox begin with, and the reasons for which one is skipped.
#![allow(dead_code, clippy::print_stderr, clippy::unwrap_used)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tracer_model::{End, Limit};
use tracer_sandbox::{Access, Finished, Folder, Request, SandboxError, run};

/// `sh -c script` with a usual path and short limits.
pub(crate) fn shell(script: &str) -> Request {
    program("/bin/sh", &["-c", script])
}

/// A program with arguments; `argv[0]` is the program.
pub(crate) fn program(path: &str, arguments: &[&str]) -> Request {
    let mut request = Request::new(path, "/tmp");
    request.argv.extend(arguments.iter().map(OsString::from));
    request
        .env
        .push(("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()));
    request.limits.wall = Some(Duration::from_secs(20));
    request.limits.cpu = Some(Duration::from_secs(10));
    request.limits.memory = Some(256 << 20);
    request.limits.processes = Some(64);
    request.limits.disk = Some(64 << 20);
    request
}

/// Python with a script, or `None` (said aloud) where there is none under `/usr`.
pub(crate) fn python(script: &str) -> Option<Request> {
    let path = "/usr/bin/python3";
    if !Path::new(path).exists() {
        eprintln!("skipped: no {path}");
        return None;
    }
    Some(program(path, &["-I", "-S", "-c", script]))
}

/// Runs, or gives `None` (said aloud) where this machine refuses isolation.
///
/// With `TRACER_NURSERY` set, in sandboxes that the nursery makes.
pub(crate) fn outcome(request: &Request) -> Option<Finished> {
    if std::env::var_os("TRACER_NURSERY").is_some() {
        tracer_sandbox::nursery().unwrap();
    }
    match run(request) {
        Ok(finished) => Some(finished),
        Err(error) if error.is_refusal() && std::env::var_os("TRACER_MUST_ISOLATE").is_none() => {
            eprintln!(
                "skipped: {error}: {:?} ({:?})",
                source(&error),
                error.hint()
            );
            None
        }
        Err(error) => panic!("{error}: {:?}", source(&error)),
    }
}

fn source(error: &SandboxError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn exited(finished: &Finished, code: u8) {
    assert_eq!(
        finished.outcome.end,
        End::Exited { code },
        "stdout {:?} stderr {:?}",
        text(&finished.stdout),
        text(&finished.stderr)
    );
}

pub(crate) fn limited(finished: &Finished, limit: Limit) {
    assert_eq!(
        finished.outcome.end,
        End::Limited { limit },
        "stdout {:?} stderr {:?}",
        text(&finished.stdout[..finished.stdout.len().min(500)]),
        text(&finished.stderr[..finished.stderr.len().min(500)])
    );
}

pub(crate) fn signaled(finished: &Finished, number: i32) {
    let End::Signaled { signal, .. } = &finished.outcome.end else {
        panic!("{:?} {:?}", finished.outcome, text(&finished.stderr));
    };
    assert_eq!(*signal, number);
}

/// A folder that the program may write to.
pub(crate) fn folder(access: Access) -> (TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, Folder { path, access })
}

/// Compiles a C program on the host, or `None` (said aloud) without a compiler.
pub(crate) fn compiled(source: &str) -> Option<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let (file, binary) = (
        folder.path().join("subject.c"),
        folder.path().join("subject"),
    );
    std::fs::write(&file, source).unwrap();
    match std::process::Command::new("cc")
        .args(["-O0", "-o"])
        .arg(&binary)
        .arg(&file)
        .status()
    {
        Ok(status) => assert!(status.success()),
        Err(error) => {
            eprintln!("skipped: no cc: {error}");
            return None;
        }
    }
    Some((folder, binary))
}

/// A request for a compiled subject.
pub(crate) fn subject(folder: &TempDir, binary: &Path) -> Request {
    let mut request = program(binary.to_str().unwrap(), &[]);
    request.roots.push(folder.path().to_owned());
    request
}
