//! A runner that is itself in a container: it isolates with what it is left, and says what that is.
//! The containers are made of namespaces and capabilities alone, as container engines make theirs.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout
)] // tests start helpers and say why they skip

mod common;

use std::process::Command;

use common::shell;
use tracer_sandbox::{Profile, SandboxError, run};

/// What the helper says in a container that `words` start, or `None` where they cannot be had.
fn inside(words: &[&str]) -> Option<String> {
    let helper = std::env::current_exe().unwrap();
    let started = Command::new(words[0])
        .args(&words[1..])
        .arg(helper)
        .args(["helper_runner", "--exact", "--ignored", "--nocapture"])
        .output();
    let said = started
        .as_ref()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    if !said.contains("running 1 test") {
        eprintln!("skipped: no container can be made with {words:?}: {started:?}");
        return None;
    }
    Some(said)
}

#[test]
#[ignore = "a helper of the other tests here"]
fn helper_runner() {
    match run(&shell("cat /etc/shadow; id -u")) {
        Ok(finished) => {
            println!("said {}", String::from_utf8_lossy(&finished.stdout).trim());
            for wall in finished.protections.iter().filter(|wall| !wall.active) {
                println!(
                    "missing {}: {}",
                    wall.name,
                    wall.reason.as_deref().unwrap_or("")
                );
            }
        }
        Err(error) => println!("refused {}: {error}", error.is_refusal()),
    }
    let mut strict = shell("id -u");
    strict.profile = Profile::Trusted;
    match run(&strict) {
        Err(SandboxError::Untrusted { .. }) => println!("trusted: refused"),
        other => println!("trusted: {other:?}"),
    }
}

/// A rootless container whose only user is root.
#[test]
fn root_of_a_container_without_other_users() {
    let Some(said) = inside(&["unshare", "-Urmpf", "--mount-proc"]) else {
        return;
    };
    assert!(said.contains("said 1000"), "{said}");
    assert!(
        said.contains("missing own user: the container of the runner has no users"),
        "{said}"
    );
    assert!(!said.contains("missing seccomp"), "{said}");
    assert!(said.contains("trusted: refused"), "{said}");
}

/// What container engines leave root by default.
#[test]
fn root_of_a_container_with_few_capabilities() {
    const LEFT: &str = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,\
                        +net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can leave root with few capabilities");
        return;
    }
    let bounds = format!("--bounding-set={LEFT}");
    let inherited = format!("--inh-caps={LEFT}");
    let Some(said) = inside(&["setpriv", &bounds, &inherited]) else {
        return;
    };
    assert!(said.contains("said 1000"), "{said}");
    assert!(
        said.contains("missing own user: the runner is root without"),
        "{said}"
    );
    assert!(said.contains("trusted: refused"), "{said}");
}

/// A container whose engine allows no namespaces: nothing runs.
#[test]
fn a_container_without_namespaces() {
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  exec setpriv --bounding-set=-all --inh-caps=-all \"$0\" \"$@\"";
    let Some(said) = inside(&["unshare", "-Ur", "sh", "-c", forbid]) else {
        return;
    };
    assert!(said.contains("refused true: "), "{said}");
    assert!(
        said.contains("user.max_user_namespaces is 0") || said.contains("no user namespace"),
        "{said}"
    );
    assert!(!said.contains("said 1000"), "{said}");
}
