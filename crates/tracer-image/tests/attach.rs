//! Attaching images: mounted as root, unpacked as an ordinary user, and run in.
//!
//! Each test that mounts does so in a mount namespace of its own, with an empty `/run`.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)] // host's tools

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use tempfile::TempDir;
use tracer_image::manifest::MANIFEST_VERSION;
use tracer_image::{Attached, Digest, Form, ImageError, Layer, LayerKind, Manifest, Origin, Store};
use tracer_sandbox::{Request, Root, run};

/// Whether the packer is there; if not, says so.
fn tools() -> bool {
    let there = Command::new("mkfs.erofs").arg("--help").output().is_ok();
    if !there {
        eprintln!("skipped: no mkfs.erofs");
    }
    there
}

/// A mount namespace of this thread's own; `None` (said aloud) where it may not be had.
fn own_mounts() -> Option<()> {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNS) {
        eprintln!("skipped: mounting is not permitted: {error}");
        return None;
    }
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some("run"), "/run", Some("tmpfs"), MsFlags::empty(), none).unwrap();
    Some(())
}

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let store = Store::at(folder.path().join("a cache").join("images"));
    (folder, store)
}

fn layer(store: &Store, kind: LayerKind, tree: &Path) -> Layer {
    let staging = store.staging().unwrap();
    let staged = staging.path().join("layer");
    let made = Command::new("mkfs.erofs")
        .args([
            "-zlz4hc",
            "-T0",
            "-U00000000-0000-0000-0000-000000000001",
            "--all-root",
        ])
        .args([&staged, tree])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let digest = Digest::of_file(&staged).unwrap();
    Layer {
        kind,
        size: store.keep_layer(&staged, &digest).unwrap(),
        source: digest.clone(),
        digest,
    }
}

fn image(layers: Vec<Layer>) -> Manifest {
    Manifest {
        version: MANIFEST_VERSION,
        language: "test".into(),
        architecture: "amd64".into(),
        layers,
        environment: [].into(),
        scratch: vec!["/var/scratch".into()],
        toolchain: None,
        built: 1,
        origin: Origin::Built { drifted: vec![] },
    }
}

/// Two layers of one file each.
fn small(store: &Store) -> Manifest {
    let layers = [(LayerKind::Base, "base"), (LayerKind::Toolchain, "tool")];
    image(
        layers
            .map(|(kind, name)| {
                let tree = tempfile::tempdir().unwrap();
                let file = tree.path().join(name);
                fs::write(&file, name.repeat(5000)).unwrap();
                fs::set_permissions(&file, fs::Permissions::from_mode(0o4755)).unwrap();
                layer(store, kind, tree.path())
            })
            .into(),
    )
}

fn mounted(digest: &Digest) -> usize {
    let list = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    list.lines()
        .filter(|line| line.contains(digest.hex()))
        .count()
}

#[test]
fn layers_are_mounted_once_and_stay() {
    if !tools() || own_mounts().is_none() {
        return;
    }
    let (_folder, store) = store();
    let image = small(&store);
    let attached: Vec<Attached> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| store.attach(&image).unwrap()))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    if attached[0].form == Form::Unpacked {
        eprintln!("skipped: the kernel cannot mount erofs");
        return;
    }
    for (layer, name) in image.layers.iter().zip(["base", "tool"]) {
        assert_eq!(mounted(&layer.digest), 1);
        let at = Path::new("/run/tracer/images").join(layer.digest.hex());
        assert!(fs::read_to_string(at.join(name)).unwrap().starts_with(name));
        assert!(fs::write(at.join("x"), "x").is_err());
    }
    assert!(attached.iter().all(|one| *one == attached[0]));
    let start = Instant::now();
    for _ in 0..100 {
        store.attach(&image).unwrap();
    }
    eprintln!("attached again: {:?}", start.elapsed() / 100);

    store.detach(&image.layers[1].digest).unwrap();
    assert_eq!(mounted(&image.layers[1].digest), 0);
    assert_eq!(mounted(&image.layers[0].digest), 1);
    assert_eq!(store.attach(&image).unwrap(), attached[0]);
    assert_eq!(mounted(&image.layers[1].digest), 1);
}

#[test]
fn only_the_layers_own_file_passes_for_it() {
    if !tools() || own_mounts().is_none() {
        return;
    }
    let (_folder, store) = store();
    let image = small(&store);
    let digest = &image.layers[0].digest;
    let at = Path::new("/run/tracer/images").join(digest.hex());
    fs::create_dir_all(&at).unwrap();
    fs::write(at.join("planted"), "").unwrap();
    let none = None::<&str>;
    mount(Some("x"), &at, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    if store.attach(&image).unwrap().form == Form::Unpacked {
        eprintln!("skipped: the kernel cannot mount erofs");
        return;
    }
    assert!(at.join("base").exists());
    assert_eq!(mounted(digest), 1);
    // The same layer of another store is that store's to unmount.
    let (_other_folder, other) = self::store();
    let same = small(&other);
    assert_eq!(same.layers[0].digest, *digest);
    other.detach(digest).unwrap();
    assert_eq!(mounted(digest), 1);
    // A place that others may write to is not used.
    store.detach(digest).unwrap();
    let run = Path::new("/run/tracer");
    fs::set_permissions(run, fs::Permissions::from_mode(0o777)).unwrap();
    let error = store.attach(&image).unwrap_err();
    assert!(error.to_string().contains("/run/tracer"), "{error}");
}

/// As an ordinary user; as root this test runs itself again as one.
#[test]
fn layers_are_unpacked_where_mounting_is_not_permitted() {
    if !tools() {
        return;
    }
    if nix::unistd::geteuid().is_root() {
        again_as_nobody("layers_are_unpacked_where_mounting_is_not_permitted");
        return;
    }
    let (_folder, store) = store();
    let image = small(&store);
    let attached = store.attach(&image).unwrap();
    assert_eq!(attached.form, Form::Unpacked);
    for (path, name) in attached.layers.iter().zip(["base", "tool"]) {
        let text = fs::read_to_string(path.join(name)).unwrap();
        assert_eq!(text, name.repeat(5000));
        let mode = fs::metadata(path.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
    }
    assert_eq!(store.attach(&image).unwrap(), attached);
    let staging = fs::read_dir(store.root().join("staging")).unwrap();
    assert_eq!(staging.count(), 0);
}

fn again_as_nobody(test: &str) {
    const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let possible = Command::new("setpriv").args(NOBODY).arg("true").status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no setpriv, or another user cannot be chosen");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("attach");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let out = Command::new("setpriv")
        .args(NOBODY)
        .arg(&copy)
        .args(["--exact", "--nocapture", test])
        .env_remove("TMPDIR")
        .current_dir("/tmp")
        .output()
        .unwrap();
    let said = [&out.stdout, &out.stderr].map(|said| String::from_utf8_lossy(said));
    eprintln!("{}", said[1]);
    assert!(
        out.status.success() && said[0].contains("1 passed"),
        "{said:?}"
    );
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    if !tools() {
        return;
    }
    let _ = own_mounts();
    let (_folder, store) = store();
    let image = small(&store);
    let path = store.layer(&image.layers[1].digest);
    let whole = fs::read(&path).unwrap();
    // Everything is there but the superblock.
    let mut spoilt = whole.clone();
    spoilt[1024..1152].fill(0);
    fs::write(&path, &spoilt).unwrap();
    let error = store.attach(&image).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    fs::write(&path, &whole[1..]).unwrap();
    let error = store.attach(&image).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    assert!(error.hint().is_some());
    fs::remove_file(&path).unwrap();
    let error = store.attach(&image).unwrap_err();
    assert!(matches!(error, ImageError::NotBuilt { .. }), "{error}");
    for layer in &image.layers {
        store.detach(&layer.digest).unwrap();
    }
}

#[test]
fn a_flipped_bit_is_seen_before_and_after_mounting() {
    if !tools() || own_mounts().is_none() {
        return;
    }
    let (_folder, store) = store();
    let image = small(&store);
    let path = store.layer(&image.layers[1].digest);
    let whole = fs::read(&path).unwrap();
    let flip = || {
        let mut file = whole.clone();
        let middle = file.len() / 2;
        file[middle] ^= 1;
        fs::write(&path, file).unwrap();
    };
    flip();
    let error = store.attach(&image).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    fs::write(&path, &whole).unwrap();
    if store.attach(&image).unwrap().form == Form::Unpacked {
        eprintln!("skipped: the kernel cannot mount erofs");
        return;
    }
    // In use already: the next run sees what it would read.
    flip();
    let error = store.attach(&image).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    assert!(error.hint().is_some());
    fs::write(&path, &whole).unwrap();
    store.attach(&image).unwrap();
}

/// A shell with its libraries, found with `ldd`, and a folder to write in.
fn with_shell(store: &Store) -> Manifest {
    let tree = tempfile::tempdir().unwrap();
    for name in ["bin", "lib", "lib64"] {
        fs::create_dir_all(tree.path().join("usr").join(name)).unwrap();
        symlink(format!("usr/{name}"), tree.path().join(name)).unwrap();
    }
    fs::copy("/bin/sh", tree.path().join("usr/bin/sh")).unwrap();
    let listed = Command::new("ldd").arg("/bin/sh").output().unwrap();
    let libraries: BTreeSet<PathBuf> = String::from_utf8_lossy(&listed.stdout)
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect();
    for library in libraries {
        let inside = library.strip_prefix("/").unwrap();
        let place = tree
            .path()
            .join("usr")
            .join(inside.strip_prefix("usr").unwrap_or(inside));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&library, place).unwrap();
    }
    let top = tempfile::tempdir().unwrap();
    fs::create_dir_all(top.path().join("var/scratch")).unwrap();
    fs::write(top.path().join("var/scratch/file"), "old\n").unwrap();
    image(vec![
        layer(store, LayerKind::Base, tree.path()),
        layer(store, LayerKind::Toolchain, top.path()),
    ])
}

#[test]
fn a_program_runs_in_what_is_attached() {
    if !tools() {
        return;
    }
    if nix::unistd::geteuid().is_root() {
        again_as_nobody("a_program_runs_in_what_is_attached");
        let _ = own_mounts();
    }
    let (_folder, store) = store();
    let image = with_shell(&store);
    let mut request = Request::new("/bin/sh", "/var/scratch");
    let script = "read -r line < file; echo more >> file; echo $line; > new; echo *; \
                  test -e /usr/bin/env || echo alone; (> /usr/x) 2> /dev/null || echo kept";
    request.argv = ["sh", "-c", script].map(Into::into).to_vec();
    request.image = Some(Root {
        layers: store.attach(&image).unwrap().layers,
        scratch: image.scratch.clone(),
    });
    for _ in 0..2 {
        match run(&request) {
            Ok(finished) => assert_eq!(
                String::from_utf8_lossy(&finished.stdout),
                "old\nfile new\nalone\nkept\n",
                "{}",
                String::from_utf8_lossy(&finished.stderr)
            ),
            Err(error) if error.is_refusal() => eprintln!("skipped: {error}"),
            Err(error) => panic!("{error:?}"),
        }
    }
}
