//! `verify` on tiny images that are made of the host's shell.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)] // libraries are found out with `ldd`

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tracer_image::manifest::MANIFEST_VERSION;
use tracer_image::{Declaration, ImageError, Manifest, Origin, Verified, verify};

fn manifest() -> Manifest {
    Manifest {
        version: MANIFEST_VERSION,
        language: "bash".into(),
        architecture: "amd64".into(),
        layers: Vec::new(),
        environment: BTreeMap::from([("LC_ALL".into(), "C".into())]),
        scratch: Vec::new(),
        toolchain: None,
        built: 0,
        origin: Origin::Imported {
            name: "tiny.tar".into(),
        },
    }
}

/// Copies a program of the host and its libraries.
fn with(layer: &Path, program: &str) {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for file in files.chain([program]) {
        let place = layer.join(file.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(file, place).unwrap();
    }
}

/// `None`, with the reason printed, where this machine has no sandbox or no bash.
fn verified(prepare: impl FnOnce(&Path)) -> Option<Verified> {
    let bash = Path::new("/bin/bash");
    if !bash.exists() {
        eprintln!("skipped: there is no {}", bash.display());
        return None;
    }
    let layer: TempDir = tempfile::tempdir().unwrap();
    fs::create_dir_all(layer.path().join("etc")).unwrap();
    prepare(layer.path());
    let layers: Vec<PathBuf> = vec![layer.path().to_owned()];
    match verify(
        &layers,
        &manifest(),
        &Declaration::find("bash").unwrap(),
        &|_| Ok(()),
    ) {
        Ok(verified) => Some(verified),
        Err(ImageError::Sandbox(error))
            if error.is_refusal() && std::env::var_os("TRACER_MUST_ISOLATE").is_none() =>
        {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn what_works_and_what_does_not_are_told_apart() {
    let Some(verified) = verified(|layer| with(layer, "/bin/bash")) else {
        return;
    };
    assert!(verified.version.starts_with("GNU bash"), "{verified:?}");
    let [hello, sample] = &verified.programs[..] else {
        panic!("{verified:?}");
    };
    assert_eq!((&*hello.name, &hello.problem), ("hello.sh", &None));
    assert!(hello.seconds > 0.0);
    // The tools that it calls are not there.
    let problem = sample.problem.as_ref().unwrap();
    assert!(problem.starts_with("exit status 127: "), "{problem}");
    assert!(problem.contains("mktemp"), "{problem}");
    assert!(!verified.passed());
}

#[test]
fn an_image_without_the_toolchain_is_a_problem_and_no_error() {
    let Some(verified) = verified(|_| {}) else {
        return;
    };
    assert_eq!(verified.version, "");
    assert_eq!(verified.programs.len(), 3);
    assert_eq!(verified.programs[0].name, "/bin/bash --version");
    for proof in &verified.programs {
        let problem = proof.problem.as_ref().unwrap();
        assert!(problem.starts_with("cannot execute /bin/bash"), "{problem}");
    }
}

#[test]
fn another_output_is_a_problem() {
    let script = |layer: &Path| {
        with(layer, "/bin/bash");
        fs::rename(layer.join("bin/bash"), layer.join("bin/real")).unwrap();
        let text = "#!/bin/real\necho hello, moon\n";
        fs::write(layer.join("bin/bash"), text).unwrap();
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(layer.join("bin/bash"), all).unwrap();
    };
    let Some(verified) = verified(script) else {
        return;
    };
    assert_eq!(verified.version, "hello, moon");
    assert_eq!(
        verified.programs[0].problem.as_deref(),
        Some(r#"line 1 of its output: expected "hello, world\n", came "hello, moon\n""#)
    );
}
