//! `cargo xtask python`: builds the Python package, installs it as users do, and runs its tests.

use std::path::Path;

use anyhow::{Context, bail};

use crate::setup::run;

/// What the tests need beside pip's own; Ray and datatrove are tested where they are asked for.
const PACKAGES: &[&str] = &["maturin>=1.9,<2", "pyarrow", "pandas", "pytest", "mypy"];
const ENGINES: &[&str] = &["ray[data]", "datatrove", "orjson"];

/// `engines` adds Ray and datatrove, some 700 MB; without them their tests are skipped, and say so.
pub(crate) fn test(root: &Path, rest: &[&str]) -> anyhow::Result<()> {
    let engines = match rest {
        [] => false,
        ["--engines"] => true,
        _ => bail!("usage: cargo xtask python [--engines]"),
    };
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let folder = target.join("python");
    let python = folder.join("bin/python");
    let python = python.to_string_lossy();
    if !folder.join("bin/python").is_file() {
        run("python3", &["-m", "venv", &folder.to_string_lossy()])
            .context("python3 with venv is needed: apt-get install python3-venv")?;
    }
    let mut packages = PACKAGES.to_vec();
    if engines {
        packages.extend(ENGINES);
    }
    run(
        &python,
        &[&["-m", "pip", "install", "--quiet"], packages.as_slice()].concat(),
    )?;
    // The same profile as the other tests, so that their dependencies are not built twice.
    let package = root.join("crates/tracer-python");
    let wheels = folder.join("wheels");
    let _ = std::fs::remove_dir_all(&wheels);
    let (manifest, out) = (package.join("Cargo.toml"), wheels.to_string_lossy());
    let manifest = manifest.to_string_lossy();
    let build = ["build", "--quiet", "--profile", "dev", "--manifest-path"];
    run(
        &folder.join("bin/maturin").to_string_lossy(),
        &[&build[..], &[&*manifest, "--out", &*out]].concat(),
    )?;
    let wheels: Vec<String> = std::fs::read_dir(&wheels)?
        .map(|wheel| Ok(wheel?.path().to_string_lossy().into_owned()))
        .collect::<anyhow::Result<_>>()?;
    let [wheel] = wheels.as_slice() else {
        bail!("{} wheels were built, not one", wheels.len());
    };
    let install = ["-m", "pip", "install", "--quiet", "--no-deps"];
    run(
        &python,
        &[&install[..], &["--force-reinstall", wheel]].concat(),
    )?;
    // Traces and rows are compared with the command's.
    run("cargo", &["build", "--quiet", "-p", "tracer-cli"])?;
    let command = target.join("debug/tracer");
    let tests = package.to_string_lossy();
    let variable = format!("TRACER_COMMAND={}", command.display());
    let pytest = [&variable, &*python, "-m", "pytest", "-q", "-rs", &*tests];
    run("env", &pytest)
}
