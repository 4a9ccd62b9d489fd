//! The attack suite's results. Runs the tests that make them; holds none itself.
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
