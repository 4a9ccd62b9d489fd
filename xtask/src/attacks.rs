//! The attack suite's results and the soak. Runs the tests that make them; holds none itself.
#![expect(
    clippy::disallowed_methods,
    reason = "project chores start cargo, never a subject"
)]

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Where the table is kept.
const TABLE: &str = "crates/tracer-sandbox/ATTACKS.md";

/// Runs every attack against every back end and writes the table.
pub(crate) fn table(root: &Path) -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args(["test", "-p", "tracer-attacks", "--test", "hostile"])
        .current_dir(root)
        .env("TRACER_ATTACK_TABLE", root.join(TABLE))
        .status()
        .context("starting cargo")?;
    ensure!(status.success(), "not every case is as it should be");
    println!("{TABLE}");
    Ok(())
}

/// Many runs on one runner, with an account of what it holds in between.
pub(crate) fn soak(root: &Path, runs: &str) -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args([
            "run",
            "--release",
            "-p",
            "tracer-attacks",
            "--bin",
            "soak",
            "--",
            runs,
        ])
        .current_dir(root)
        .status()
        .context("starting cargo")?;
    ensure!(
        status.success(),
        "something was left, or a run ended otherwise than it should"
    );
    Ok(())
}
