//! Exports, and their way into another store.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;
use crate::archive::sample::pack;
use crate::archive::{ImportLimits, Reading, pack_tar};
use crate::import::{Import, Pack, languages};
use crate::manifest::MANIFEST_VERSION;
use crate::{Layer, Origin, Toolchain};

/// Packs with the host's own mkfs.erofs, of whatever version, from a tree.
#[expect(clippy::disallowed_methods, reason = "the tool that the test is about")]
fn erofs(_packer: &Path, work: &Path, (from, to): (&str, &str)) -> Result<(), ImageError> {
    let tree = work.join("unpacked");
    let mut archive = tar::Archive::new(fs::File::open(work.join(from)).unwrap());
    archive.set_preserve_permissions(true);
    archive.unpack(&tree).unwrap();
    let failed = |error| ImageError::system("start mkfs.erofs", error);
    let made = std::process::Command::new("mkfs.erofs")
        .args(["-zlz4hc,9", "-T7", "--all-root", "-x-1"])
        .args(["-U", "00000000-0000-0000-0000-000000000000"])
        .args([&work.join(to), &tree])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .map_err(failed)?;
    assert!(made.status.success(), "{made:?}");
    Ok(())
}

/// A store with an image of ruby on a base, both packed by [`pack`].
struct Sample {
    folder: tempfile::TempDir,
    store: Store,
    images: Vec<(Manifest, Vec<PathBuf>)>,
}

fn sample() -> Sample {
    sample_of(&pack)
}

fn sample_of(pack: Pack<'_>) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("images"));
    let base = tree(folder.path(), "base", |root| {
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::create_dir(root.join("tmp")).unwrap();
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::write(root.join("usr/bin/sh"), vec![7; 100_000]).unwrap();
        fs::hard_link(root.join("usr/bin/sh"), root.join("usr/bin/bash")).unwrap();
        symlink("usr/bin", root.join("bin")).unwrap();
        symlink("..//./x", root.join("odd")).unwrap();
        symlink("t".repeat(200), root.join("long-link")).unwrap();
    });
    let ruby = tree(folder.path(), "ruby", |root| {
        let deep = root.join("d".repeat(120)).join("e".repeat(120));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("ruby"), "puts").unwrap();
    });
    let layers = [(LayerKind::Base, &base), (LayerKind::Toolchain, &ruby)].map(|(kind, tree)| {
        let staging = store.staging().unwrap();
        let staged = staging.path().join("layer");
        let file = fs::File::create(staging.path().join("tar")).unwrap();
        let failed = |error| ImageError::system("write", error);
        pack_tar::write(tree, file, &failed, &(), &Cancel::new()).unwrap();
        pack(tree, staging.path(), ("tar", "layer")).unwrap();
        let digest = Digest::of_file(&staged).unwrap();
        let size = store.keep_layer(&staged, &digest).unwrap();
        Layer {
            kind,
            size,
            source: Digest::of(b"source"),
            digest,
        }
    });
    let image = |language: &str, layers: &[Layer]| Manifest {
        version: MANIFEST_VERSION,
        language: language.into(),
        architecture: crate::oci::native().into(),
        layers: layers.to_vec(),
        environment: BTreeMap::from([("PATH".into(), "/usr/bin".into())]),
        scratch: vec!["/var/lib/ruby".into()],
        toolchain: Some(Toolchain {
            program: "/usr/bin/ruby".into(),
            version: "Ruby 3.3".into(),
        }),
        built: 7,
        origin: Origin::Built {
            drifted: vec!["a 1 -> 2".into()],
        },
    };
    let images = vec![
        (image("base", &layers[..1]), vec![base.clone()]),
        (image("ruby", &layers), vec![base, ruby]),
    ];
    Sample {
        folder,
        store,
        images,
    }
}

fn tree(folder: &Path, name: &str, fill: impl Fn(&Path)) -> PathBuf {
    let root = folder.join(name);
    fs::create_dir(&root).unwrap();
    fill(&root);
    root
}

impl Sample {
    fn export(&self, name: &str) -> PathBuf {
        let out = self.folder.path().join(name);
        let images: Vec<_> = self
            .images
            .iter()
            .map(|(image, trees)| (image, trees.clone()))
            .collect();
        write(&images, &out, &(), &Cancel::new()).unwrap();
        out
    }
}

fn import(
    store: &Store,
    archive: &Path,
    language: &str,
    (packer, trusted): (Option<&str>, bool),
) -> Result<Manifest, ImageError> {
    import_with(&pack, store, archive, language, (packer, trusted))
}

fn import_with(
    pack: Pack<'_>,
    store: &Store,
    archive: &Path,
    language: &str,
    (packer, trusted): (Option<&str>, bool),
) -> Result<Manifest, ImageError> {
    let cancel = Cancel::new();
    Import {
        store,
        language,
        reading: &Reading::new(archive, ImportLimits::default(), &(), &cancel),
        pack,
        trusted,
        packer: packer.map(PathBuf::from),
    }
    .run()
}

#[test]
fn an_export_is_the_same_image_in_another_store() {
    let sample = sample();
    let archive = sample.export("images.tar");
    let names = languages(&archive, &Cancel::new()).unwrap();
    assert_eq!(names, ["base", "ruby"]);
    let other = Store::at(sample.folder.path().join("other"));
    let image = import(&other, &archive, "ruby", (Some("/"), false)).unwrap();
    assert_eq!(image, sample.images[1].0);
    for layer in &image.layers {
        other.check_layer(layer).unwrap();
        let (one, two) = (
            sample.store.layer(&layer.digest),
            other.layer(&layer.digest),
        );
        assert_eq!(fs::read(one).unwrap(), fs::read(two).unwrap());
    }
    // The base came along, unpacked for who may not mount it.
    assert_eq!(other.manifest("base").as_ref(), Some(&sample.images[0].0));
    let shell = other.tree(&image.layers[0].digest).join("usr/bin/sh");
    let length = fs::metadata(shell).ok().map(|shell| shell.len());
    assert_eq!(length, (!crate::tool::is_root()).then_some(100_000));
    // Under another name it is the same image still.
    let renamed = import(&other, &archive, "mine", (Some("/"), false));
    assert!(
        renamed
            .unwrap_err()
            .to_string()
            .contains("several images (base, ruby)")
    );
}

#[test]
#[expect(clippy::print_stderr, reason = "says why it cannot run")]
fn a_compressed_layer_comes_back_with_its_digest() {
    if crate::tool::find("mkfs.erofs").is_none() {
        return eprintln!("skipped: there is no mkfs.erofs (erofs-utils)");
    }
    let sample = sample_of(&erofs);
    let archive = sample.export("images.tar");
    let other = Store::at(sample.folder.path().join("other"));
    let image = import_with(&erofs, &other, &archive, "ruby", (Some("/"), false)).unwrap();
    assert_eq!(image, sample.images[1].0);
    for layer in &image.layers {
        other.check_layer(layer).unwrap();
    }
}

#[test]
fn the_same_images_give_the_same_archive() {
    let sample = sample();
    let [one, two] = ["one.tar", "two.tar"].map(|name| sample.export(name));
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    // The shared layer is there once.
    let mut archive = tar::Archive::new(fs::File::open(one).unwrap());
    let names: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("blobs/"))
            .count(),
        6
    );
    let left: Vec<_> = fs::read_dir(sample.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 5);
}

#[test]
fn a_packer_from_a_stranger_is_not_run() {
    let sample = sample();
    let archive = sample.export("images.tar");
    let other = Store::at(sample.folder.path().join("other"));
    let error = import(&other, &archive, "ruby", (None, false)).unwrap_err();
    assert!(matches!(error, ImageError::NotBuilt { ref language } if language == "base"));
    assert!(other.manifests().is_empty());
    import(&other, &archive, "ruby", (None, true)).unwrap();
    assert_eq!(other.manifests().len(), 2);
}

#[test]
fn an_export_that_was_changed_is_damaged() {
    let mut sample = sample();
    // Another file under the digest of the first: a forger can make all else fit.
    fs::write(sample.images[1].1[1].join("more"), "x").unwrap();
    let archive = sample.export("images.tar");
    let other = Store::at(sample.folder.path().join("other"));
    let error = import(&other, &archive, "ruby", (Some("/"), false)).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    assert!(other.manifest("ruby").is_none());

    sample.images[1].0.scratch = vec!["/var/../../etc".into()];
    let archive = sample.export("images.tar");
    let error = import(&other, &archive, "ruby", (Some("/"), false)).unwrap_err();
    assert!(error.to_string().contains("no image can have"), "{error}");
}

#[test]
fn an_export_that_fails_leaves_nothing() {
    let sample = sample();
    let (image, trees) = &sample.images[1];
    let out = sample.folder.path().join("out.tar");
    let cancel = Cancel::new();
    cancel.cancel();
    let error = write(&[(image, trees.clone())], &out, &(), &cancel).unwrap_err();
    assert!(matches!(error, ImageError::Cancelled), "{error}");
    assert_eq!(fs::read_dir(sample.folder.path()).unwrap().count(), 3);
}
