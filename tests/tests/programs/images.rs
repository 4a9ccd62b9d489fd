//! A program traced in an image: its own toolchain and nothing of the machine's, the same trace.
//!
//! The image is made on the spot from this machine's Python; building one from packages needs a
//! mirror and is not tested here.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stderr)] // host's tools

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tracer_engine::images::manifest::MANIFEST_VERSION;
use tracer_engine::images::{
    Digest, Layer, LayerKind, Manifest, Origin, Store, Toolchain as Inside,
};
use tracer_engine::toolchain::Origin as From;
use tracer_engine::{
    EngineError, ProgramOptions, RunOptions, Settings, find_toolchain, languages, trace,
};
use tracer_instrument::Found;
use tracer_model::{End, Kind};
use tracer_sandbox::Isolation;

const PROGRAM: &str = "\
import os
total = 0
for i in range(3):
    total += i
print(total, os.path.exists('/usr/share/image-mark'), os.environ.get('MARK'))
";

/// Puts a file of this machine at the same place of the tree.
fn copy(tree: &Path, file: &Path) {
    let place = tree.join(file.strip_prefix("/").unwrap());
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::copy(file, place).unwrap();
}

fn copy_folder(tree: &Path, folder: &Path) {
    let skipped = ["site-packages", "dist-packages", "test", "__pycache__"];
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && !skipped.iter().any(|skip| name == *skip) {
            copy_folder(tree, &path);
        } else if path.is_file() && path.extension().is_none_or(|kind| kind != "a") {
            copy(tree, &path);
        }
    }
}

fn said(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The interpreter, its library and what they link to.
fn python(tree: &Path, found: &Found) {
    let place = "import sysconfig;print(sysconfig.get_path('stdlib'))";
    let library = PathBuf::from(said(&found.program, &["-I", "-c", place]).trim());
    copy_folder(tree, &library);
    copy(tree, &found.program);
    let mut linked = BTreeSet::from([found.program.clone()]);
    for module in fs::read_dir(library.join("lib-dynload")).unwrap().flatten() {
        linked.insert(module.path());
    }
    let mut libraries = BTreeSet::new();
    for file in &linked {
        let listed = said(Path::new("ldd"), &[file.to_str().unwrap()]);
        let words = listed.split_whitespace().map(PathBuf::from);
        libraries.extend(words.filter(|word| word.is_absolute() && word.is_file()));
    }
    for name in ["bin", "lib", "lib64"] {
        fs::create_dir_all(tree.join("usr").join(name)).unwrap();
        symlink(format!("usr/{name}"), tree.join(name)).unwrap();
    }
    for library in libraries {
        copy(tree, &library);
    }
    fs::create_dir_all(tree.join("usr/share")).unwrap();
    fs::write(tree.join("usr/share/image-mark"), "").unwrap();
}

/// A store with that image; `None` (said aloud) where its parts are not to be had.
fn store(found: &Found) -> Option<(TempDir, Store, Manifest)> {
    if Command::new("mkfs.erofs").arg("--help").output().is_err() {
        eprintln!("skipped: no mkfs.erofs");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let store = Store::at(folder.path().join("images"));
    let staging = store.staging().unwrap();
    let tree = staging.path().join("tree");
    python(&tree, found);
    let packed = staging.path().join("layer");
    let made = Command::new("mkfs.erofs")
        .args(["-zlz4", "--all-root"])
        .args([&packed, &tree])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let digest = Digest::of_file(&packed).unwrap();
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        language: "python".into(),
        architecture: "amd64".into(),
        layers: vec![Layer {
            kind: LayerKind::Imported,
            size: store.keep_layer(&packed, &digest).unwrap(),
            source: digest.clone(),
            digest,
        }],
        environment: [("MARK".into(), "seen".into())].into(),
        scratch: Vec::new(),
        toolchain: Some(Inside {
            program: found.program.clone(),
            version: found.version.clone(),
        }),
        built: 1,
        origin: Origin::Imported {
            name: "test".into(),
        },
    };
    store.save(&manifest).unwrap();
    drop(staging);
    Some((folder, store, manifest))
}

#[test]
fn a_program_is_traced_in_its_image() {
    let found = match find_toolchain(languages::by_name("python").unwrap()) {
        Ok(found) => found,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let Some((_folder, store, manifest)) = store(&found) else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("main.py");
    fs::write(&path, PROGRAM).unwrap();
    let run = |toolchain: From, isolation: Isolation| {
        let mut settings = Settings::new().unwrap();
        settings.cwd = work.path().into();
        settings.toolchain = toolchain;
        settings.isolation = isolation;
        settings.store = Some(store.root().into());
        let program = ProgramOptions::default();
        trace(&path, &RunOptions { program, settings })
    };
    let image = run(From::Image, Isolation::Native).unwrap();
    let said = String::from_utf8_lossy(&image.executed.stderr);
    assert_eq!(image.trace.outcome.end, End::Exited { code: 0 }, "{said}");
    assert_eq!(image.executed.stdout, b"3 True seen\n");
    let digest = Some(manifest.digest().to_string());
    assert_eq!(image.trace.environment.image, digest);

    let host = run(From::Host, Isolation::Native).unwrap();
    assert_eq!(host.executed.stdout, b"3 False None\n");
    assert_eq!(host.trace.environment.image, None);
    let told = |trace: &tracer_model::Trace| -> Vec<(Kind, u32)> {
        let events = trace.events.iter();
        events.map(|event| (event.kind, event.line)).collect()
    };
    assert_eq!(told(&image.trace), told(&host.trace));

    // This machine has one, and it is preferred.
    let auto = run(From::Auto, Isolation::Native).unwrap();
    assert_eq!(auto.trace.environment.image, None);
    let open = run(From::Auto, Isolation::None).unwrap();
    assert_eq!(open.trace.environment.image, None);
    let refused = run(From::Image, Isolation::None).unwrap_err();
    assert!(matches!(refused, EngineError::ImageNeedsWalls), "{refused}");
    store.remove("python").unwrap();
    let missing = run(From::Image, Isolation::Native).unwrap_err();
    assert!(missing.hint().unwrap().contains("image build python"));
    let auto = run(From::Auto, Isolation::Native).unwrap();
    assert_eq!(auto.trace.environment.image, None);
    store.detach(&manifest.layers[0].digest).unwrap();
}
