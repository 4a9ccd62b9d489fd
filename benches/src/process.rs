//! Starting processes the plain way: peers, and programs without a sandbox.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A command without input whose output is thrown away.
#[expect(
    clippy::disallowed_methods,
    reason = "the peers are measured outside the sandbox"
)]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs it; any other end than success is an error that names it.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// What it prints on stdout.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stdout(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The `tracer` program, built as the benches are.
pub(crate) fn tracer() -> anyhow::Result<PathBuf> {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    if let Some(built) = BUILT.get() {
        return Ok(built.clone());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    succeed(
        command(cargo)
            .args(["build", "--release", "--package", "tracer-cli"])
            .current_dir(crate::programs::folder())
            .stderr(Stdio::inherit()),
    )?;
    // This program is target/release/deps/figures-….
    let own = std::env::current_exe()?;
    let release = own
        .parent()
        .and_then(Path::parent)
        .context("no target folder")?;
    let built = release.join("tracer");
    if !built.is_file() {
        bail!("{} was not built", built.display());
    }
    Ok(BUILT.get_or_init(|| built).clone())
}
