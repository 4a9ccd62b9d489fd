//! Finds a language's toolchain on this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracer_instrument::{Found, LanguageSpec};
use tracer_model::Limits;
use tracer_sandbox::{Isolation, Request, Stream};

use crate::EngineError;

/// Longest a toolchain may take to describe itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// The first working toolchain on `PATH`; asked once per process.
pub fn find(spec: &'static LanguageSpec) -> Result<Found, EngineError> {
    static KNOWN: Mutex<BTreeMap<&'static str, Found>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(spec.id) {
        return Ok(found.clone());
    }
    let mut strange = None;
    for name in spec.toolchain.programs {
        let Some(path) = on_path(name) else { continue };
        match identify(spec, &path) {
            Ok(found) => {
                known.insert(spec.id, found.clone());
                return Ok(found);
            }
            Err(error) => strange = strange.or(Some(error)),
        }
    }
    Err(strange.unwrap_or_else(|| EngineError::NoToolchain {
        language: spec.name,
        programs: spec.toolchain.programs.join(", "),
        hint: spec.toolchain.hint,
    }))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn identify(spec: &LanguageSpec, program: &Path) -> Result<Found, EngineError> {
    let mut argv: Vec<OsString> = vec![program.into()];
    argv.extend(spec.toolchain.identify.iter().map(OsString::from));
    // A version manager's shim needs the user's own environment and folders to find its target.
    let mut request = Request::new(program, "/");
    request.argv = argv;
    request.isolation = Isolation::None;
    request.env = std::env::vars_os().collect();
    request.stdout = Stream::Capture;
    request.stderr = Stream::Capture;
    request.limits = Limits {
        wall: Some(PATIENCE),
        cpu: None,
        memory: None,
        processes: None,
        stack: None,
        ..Limits::default()
    };
    let finished = tracer_sandbox::run(&request)?;
    let said = String::from_utf8_lossy(&finished.stdout);
    (spec.toolchain.describe)(&said, program).ok_or_else(|| EngineError::StrangeToolchain {
        program: program.to_path_buf(),
        said: said
            .chars()
            .chain(String::from_utf8_lossy(&finished.stderr).chars())
            .take(400)
            .collect(),
    })
}
