//! Runs an oracle: a recorder script in the subject's own language, which knows nothing of tracer.
//!
//! What the recorders write, and how it is compared, is each oracle test's own affair.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tracer_model::End;
use tracer_sandbox::{Access, Folder, Request};

use crate::repository;

/// Longest a program may take under its oracle.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `tests/oracles/<script> OUT PROGRAM` with an interpreter, and gives what it wrote to OUT.
/// `None` if it does not end in time, or leaves nothing: the program does not compile, or ends
/// without notice.
///
/// # Panics
/// Where the sandbox or a temporary folder cannot be had: the test cannot tell anything then.
pub fn run(
    script: &str,
    program: &Path,
    interpreter: &Path,
    roots: &[PathBuf],
    env: &[(&str, &str)],
) -> Option<String> {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let out = scratch.path().join("out");
    let script = repository().join("tests/oracles").join(script);
    let folder = program.parent().expect("a program lies in a folder");
    let mut request = Request::new(interpreter, folder);
    request.argv = [interpreter, &script, &out, program]
        .map(|path| path.as_os_str().into())
        .to_vec();
    request.env = vec![("LANG".into(), "C.UTF-8".into())];
    request
        .env
        .extend(env.iter().map(|(name, value)| (name.into(), value.into())));
    request.limits.wall = Some(PATIENCE);
    request.roots = roots.to_vec();
    request.roots.extend(script.parent().map(Path::to_path_buf));
    request.folders = vec![
        Folder {
            path: folder.into(),
            access: Access::Overlay,
        },
        Folder {
            path: scratch.path().into(),
            access: Access::Writable,
        },
    ];
    let finished = tracer_sandbox::run(&request).expect("the sandbox runs the oracle");
    if matches!(finished.outcome.end, End::Limited { .. }) {
        return None;
    }
    std::fs::read_to_string(&out).ok()
}
