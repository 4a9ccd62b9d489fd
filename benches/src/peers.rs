//! Where other tools are found: `target/peers` (`cargo xtask peers`), or `PATH`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracer_engine::find_toolchain;
use tracer_instrument::{Found, LanguageSpec};

use crate::process::{command, on_path, output};
use crate::programs;

/// Where `cargo xtask peers` installs.
pub(crate) fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let root = programs::folder().parent().unwrap_or(Path::new("."));
    target.unwrap_or_else(|| root.join("target")).join("peers")
}

/// A script that drives a peer.
pub(crate) fn script(name: &str) -> PathBuf {
    programs::folder().join("peers").join(name)
}

/// The newest Python with `sys.monitoring`, else the one that `tracer` takes; and whether it has.
pub(crate) fn python(spec: &'static LanguageSpec) -> anyhow::Result<(Found, bool)> {
    let mut candidates: Vec<PathBuf> = ["python3.14", "python3.13", "python3.12"]
        .iter()
        .filter_map(|name| on_path(name))
        .collect();
    let root = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    if let Some(Ok(versions)) = root.map(|root| root.join("versions").read_dir()) {
        let mut installed: Vec<PathBuf> = versions
            .flatten()
            .map(|entry| entry.path().join("bin/python3"))
            .collect();
        // 3.9 sorts behind 3.13 by text; neither it nor anything older has what is looked for.
        installed.sort();
        candidates.extend(installed.into_iter().rev());
    }
    let has = |program: &Path| {
        let test = "import sys; sys.exit(not hasattr(sys, 'monitoring'))";
        command(program)
            .args(["-c", test])
            .status()
            .is_ok_and(|status| status.success())
    };
    let modern = candidates
        .iter()
        .filter(|program| has(program))
        .find_map(|program| {
            let said = output(command(program).args(spec.toolchain.identify)).ok()?;
            (spec.toolchain.describe)(&said, program)
        });
    match modern {
        Some(found) => Ok((found, true)),
        None => Ok((find_toolchain(spec)?, false)),
    }
}

/// `PATH` with a toolchain's own folder in front, so that `tracer` finds this one, and finds it
/// without a version manager in between.
pub(crate) fn path_to(found: &Found) -> anyhow::Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = found.program.parent().map(PathBuf::from);
    Ok(std::env::join_paths(
        own.into_iter().chain(std::env::split_paths(&path)),
    )?)
}
