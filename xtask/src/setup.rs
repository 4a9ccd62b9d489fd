//! `cargo xtask test`: brings what the tests need, then runs them all.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

/// A program the tests use, and the Debian package that has it.
const NEEDED: &[(&str, &str)] = &[
    ("python3", "python3"),
    ("bash", "bash"),
    ("node", "nodejs"),
    ("ruby", "ruby"),
    ("gcc", "gcc libc6-dev"),
    ("gcov", "gcc"),
    ("go", "golang-go"),
    ("javac", "default-jdk-headless"),
    ("g++", "g++"),
    ("rustc", "rustc"),
    ("php", "php-cli php-mbstring php-xml php-xdebug"),
    ("mkfs.erofs", "erofs-utils"),
    ("sqlite3", "sqlite3"),
    ("mcs", "mono-mcs mono-runtime"),
];

/// Installs the missing toolchains, then runs `cargo test` on the whole workspace.
pub(crate) fn test(extra: &[&str]) -> anyhow::Result<()> {
    toolchains()?;
    run("cargo", &[&["test", "--workspace"], extra].concat())
}

/// Installs the missing toolchains where that is possible; names them where it is not.
pub(crate) fn toolchains() -> anyhow::Result<()> {
    let missing: Vec<&str> = NEEDED
        .iter()
        .filter(|(program, _)| !on_path(program))
        .flat_map(|(_, packages)| packages.split(' '))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    if !on_path("apt-get") {
        bail!(
            "install these with your package manager: {}",
            missing.join(" ")
        );
    }
    let install = [
        &["install", "-y", "--no-install-recommends"],
        missing.as_slice(),
    ]
    .concat();
    run("apt-get", &["update"])
        .and_then(|()| run("apt-get", &install))
        .with_context(|| {
            format!(
                "could not install {}; install them as root",
                missing.join(" ")
            )
        })
}

pub(crate) fn on_path(program: &str) -> bool {
    // Programs of administrators, which an ordinary user's PATH leaves out.
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(more)
        .any(|folder| folder.join(program).is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a chore on the developer's own machine"
)]
pub(crate) fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}
