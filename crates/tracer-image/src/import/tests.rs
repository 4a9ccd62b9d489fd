//! Imports, honest and hostile.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tar::EntryType;

use super::*;
use crate::archive::sample::{Sample, gzip, oci, pack, zstd};
use crate::oci::architecture;

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn step(&self, _subject: &str, _what: &str) {}
    fn bytes(&self, _done: u64, _total: u64) {}
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A store, an archive beside it, and a file that no archive may touch.
struct Place {
    folder: tempfile::TempDir,
    store: Store,
    notes: Notes,
    limits: ImportLimits,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        fs::write(folder.path().join("outside/victim"), "unharmed").unwrap();
        Self {
            store: Store::at(folder.path().join("images")),
            folder,
            notes: Notes::default(),
            limits: ImportLimits::default(),
        }
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    fn import(&self, archive: &[u8]) -> Result<Manifest, ImageError> {
        let path = self.folder.path().join("archive");
        fs::write(&path, archive).unwrap();
        self.import_file(&path, "ruby")
    }

    fn import_file(&self, path: &Path, language: &str) -> Result<Manifest, ImageError> {
        let cancel = Cancel::new();
        let result = Import {
            store: &self.store,
            language,
            reading: &Reading::new(path, self.limits, &self.notes, &cancel),
            pack: &pack,
            trusted: false,
            packer: Some("/".into()),
        }
        .run();
        let victim = fs::read_to_string(self.outside().join("victim")).unwrap();
        assert_eq!(victim, "unharmed");
        assert_eq!(fs::read_dir(self.outside()).unwrap().count(), 1);
        let staging = fs::read_dir(self.store.root().join("staging")).unwrap();
        assert_eq!(staging.count(), 0);
        if result.is_err() {
            assert!(self.store.manifest(language).is_none());
            assert!(!self.store.root().join("layers").exists());
        }
        result
    }

    /// Imports, and unpacks the layer again to look at it.
    fn tree(&self, archive: &[u8]) -> tempfile::TempDir {
        let manifest = self.import(archive).unwrap();
        self.layer_tree(&manifest, 0)
    }

    fn layer_tree(&self, manifest: &Manifest, index: usize) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        let layer = self.store.layer(&manifest.layers[index].digest);
        let mut archive = tar::Archive::new(File::open(layer).unwrap());
        archive.set_preserve_permissions(true);
        archive.unpack(tree.path()).unwrap();
        tree
    }

    fn refused(&self, archive: &[u8], problem: &str) {
        let error = self.import(archive).unwrap_err();
        assert!(matches!(error, ImageError::Archive { .. }), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
}

fn names(tree: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(tree)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_plain_root_becomes_an_image() {
    let sample = Sample::default()
        .folder("./")
        .folder("./usr/")
        .file("./usr/hello", "hello")
        .hard("./usr/again", "./usr/hello")
        .link("./bin", "usr")
        .entry(EntryType::Directory, "./tmp", "", 0o1777, b"");
    let mut digests = Vec::new();
    for store in [<[u8]>::to_vec, gzip, zstd] {
        let place = Place::new();
        let manifest = place.import(&store(&sample.bytes())).unwrap();
        assert_eq!(place.store.manifest("ruby"), Some(manifest.clone()));
        let [layer] = &manifest.layers[..] else {
            panic!("{manifest:?}");
        };
        assert_eq!(layer.kind, LayerKind::Imported);
        assert!(manifest.environment["PATH"].contains("/usr/bin"));
        assert!(matches!(&manifest.origin, Origin::Imported { name } if name == "archive"));
        let tree = place.layer_tree(&manifest, 0);
        assert_eq!(names(tree.path()), ["bin", "tmp", "usr"]);
        let hello = fs::metadata(tree.path().join("bin/hello")).unwrap();
        let again = fs::metadata(tree.path().join("usr/again")).unwrap();
        assert_eq!(hello.ino(), again.ino());
        let mode = fs::metadata(tree.path().join("tmp")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o1777);
        digests.push((layer.digest.clone(), layer.source.clone()));
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn names_that_lead_out_are_refused() {
    let place = Place::new();
    for name in ["../outside/victim", "usr/../../outside/victim", ".."] {
        let sample = Sample::default().file("fine", "").file(name, "harm");
        place.refused(&sample.bytes(), "leads out of it");
    }
    let long = Sample::default().pax("path", b"../outside/victim");
    place.refused(&long.file("x", "harm").bytes(), "leads out of it");
    let hard = Sample::default().hard("x", "../outside/victim");
    place.refused(&hard.bytes(), "leads out of it");
    let nul = Sample::default().pax("path", b"a\0b").file("x", "harm");
    place.refused(&nul.bytes(), "none that a file can have");
}

#[test]
fn absolute_names_stay_inside() {
    let place = Place::new();
    let victim = place.outside().join("victim");
    let victim = victim.as_os_str().as_bytes();
    let tree = place.tree(&Sample::default().file(victim, "mine").bytes());
    let inside = tree.path().join(OsStr::from_bytes(&victim[1..]));
    assert_eq!(fs::read_to_string(inside).unwrap(), "mine");
}

#[test]
fn links_that_point_out_cannot_be_written_through() {
    let place = Place::new();
    let outside = place.outside();
    let outside = outside.as_os_str().as_bytes();
    // Inside, where it leads does not exist.
    let absolute = Sample::default()
        .link("x", outside)
        .file("x/victim", "harm");
    place.refused(&absolute.bytes(), "used as a folder");
    // Above the root there is the root.
    let up = Sample::default()
        .link("x", "../../../../..")
        .file("x/victim", "mine");
    let tree = place.tree(&up.bytes());
    assert_eq!(
        fs::read_to_string(tree.path().join("victim")).unwrap(),
        "mine"
    );

    let place = Place::new();
    let swapped = Sample::default()
        .folder("x")
        .file("x/one", "")
        .link("x", outside)
        .file("x/victim", "harm");
    place.refused(&swapped.bytes(), "used as a folder");
    let proc = Sample::default()
        .link("x", "/proc/self/root")
        .file("x/victim", "harm");
    place.refused(&proc.bytes(), "used as a folder");
    let round = Sample::default()
        .link("x", "y")
        .link("y", "x")
        .file("x/victim", "harm");
    place.refused(&round.bytes(), "used as a folder");
}

#[test]
fn a_file_replaces_a_link_instead_of_following_it() {
    let place = Place::new();
    let victim = place.outside().join("victim");
    let sample = Sample::default()
        .link("x", victim.as_os_str().as_bytes())
        .hard("y", "x")
        .file("x", "mine")
        .file("y", "mine too");
    let tree = place.tree(&sample.bytes());
    for name in ["x", "y"] {
        let file = tree.path().join(name).symlink_metadata().unwrap();
        assert!(file.is_file(), "{name}");
    }
}

#[test]
fn hard_links_lead_to_files_of_the_archive_only() {
    let place = Place::new();
    for target in ["/etc/passwd", "missing", "folder", "."] {
        let sample = Sample::default().folder("folder").hard("x", target);
        place.refused(&sample.bytes(), "hard link");
    }
    let victim = place.outside().join("victim");
    let through = Sample::default()
        .link("out", place.outside().as_os_str().as_bytes())
        .hard("x", "out/victim");
    place.refused(&through.bytes(), "hard link");
    let within = Sample::default().file("d/f", "").hard("d", "d/f");
    place.refused(&within.bytes(), "hard link");
    assert_eq!(fs::metadata(victim).unwrap().nlink(), 1);
}

#[test]
fn a_hard_link_to_itself_keeps_the_file() {
    let place = Place::new();
    let sample = Sample::default()
        .file("usr/f", "text")
        .link("lib", "usr")
        .hard("usr/f", "usr/f")
        .hard("lib/f", "usr/f");
    let tree = place.tree(&sample.bytes());
    assert_eq!(
        fs::read_to_string(tree.path().join("usr/f")).unwrap(),
        "text"
    );
}

#[test]
fn devices_and_fifos_are_left_out_and_told() {
    let place = Place::new();
    let sample = Sample::default()
        .entry(EntryType::Char, "null", "", 0o666, b"")
        .entry(EntryType::Block, "sda", "", 0o666, b"")
        .entry(EntryType::Fifo, "fifo", "", 0o666, b"")
        .file("file", "");
    let tree = place.tree(&sample.bytes());
    assert_eq!(names(tree.path()), ["file"]);
    let notes = place.notes.0.lock().unwrap();
    assert!(
        notes.iter().any(|note| note.contains("left out 3")),
        "{notes:?}"
    );
}

#[test]
fn set_user_id_bits_are_dropped() {
    let place = Place::new();
    let sample = Sample::default()
        .entry(EntryType::Regular, "su", "", 0o6755, b"#!")
        .entry(EntryType::Directory, "mail", "", 0o2775, b"")
        .entry(EntryType::Regular, "secret", "", 0o000, b"");
    let tree = place.tree(&sample.bytes());
    let mode = |name| fs::metadata(tree.path().join(name)).unwrap().mode() & 0o7777;
    assert_eq!(mode("su"), 0o755);
    assert_eq!(mode("mail"), 0o775);
    assert_eq!(mode("secret"), 0o400);
}

#[test]
fn a_closed_folder_is_filled_before_it_is_closed() {
    let place = Place::new();
    let sample = Sample::default()
        .entry(EntryType::Directory, "a", "", 0o555, b"")
        .entry(EntryType::Directory, "a/b", "", 0o500, b"")
        .file("a/b/f", "text");
    let tree = place.tree(&sample.bytes());
    let mode = |name| {
        fs::metadata(tree.path().join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("a") & 0o777, 0o555);
    assert_eq!(mode("a/b") & 0o777, 0o500);
    assert_eq!(
        fs::read_to_string(tree.path().join("a/b/f")).unwrap(),
        "text"
    );
}

#[test]
fn sizes_beyond_the_limits_are_refused() {
    let mut place = Place::new();
    let huge = Sample::default().header(EntryType::Regular, "huge", "", 0o644, 1 << 50);
    place.refused(&huge.bytes(), "says that it has");
    let name = Sample::default().header(EntryType::GNULongName, "x", "", 0o644, 10 << 30);
    place.refused(&name.bytes(), "a name of 10737418240 bytes");
    place.limits = ImportLimits {
        bytes: 1 << 20,
        entries: 100,
    };
    let mut bomb = Sample::default();
    for index in 0..8 {
        bomb = bomb.file(format!("{index}"), &"\0".repeat(200_000));
    }
    for store in [<[u8]>::to_vec, gzip, zstd] {
        place.refused(&store(&bomb.bytes()), "1048576");
    }
    // What fills a layer behind its end counts as well; behind the end of a root nobody looks.
    let filling = oci(
        &[(Sample::default(), |_| gzip(&vec![0; 2 << 20]))],
        architecture(native()),
    );
    place.refused(&filling, "1048576");
    let filled = [Sample::default().file("x", "").bytes(), vec![0; 2 << 20]].concat();
    place.import(&filled).unwrap();
    let place = Place {
        limits: place.limits,
        ..Place::new()
    };
    let mut many = Sample::default();
    for index in 0..101 {
        many = many.file(format!("{index}"), "");
    }
    place.refused(&many.bytes(), "more than 100 entries");
}

#[test]
fn the_last_of_several_entries_counts() {
    let place = Place::new();
    let sample = Sample::default()
        .file("a", "first")
        .file("a", "second")
        .file("b/c", "")
        .file("b", "a file now")
        .file("d", "")
        .folder("d")
        .file("d/e", "")
        .link("d/e", "x");
    let tree = place.tree(&sample.bytes());
    let read = |name| fs::read_to_string(tree.path().join(name)).unwrap();
    assert_eq!(read("a"), "second");
    assert_eq!(read("b"), "a file now");
    assert!(tree.path().join("d/e").is_symlink());
    let inside = Sample::default().file("a", "").file("a/b", "");
    Place::new().refused(&inside.bytes(), "used as a folder");
}

#[test]
fn strange_and_long_names_are_kept() {
    let place = Place::new();
    let long = ["folder"; 40].join("/") + "/" + &"n".repeat(250);
    let pax = ["pax"; 60].join("/");
    let text = "t".repeat(300);
    let longer = [text.as_bytes(), b"\0"].concat();
    let sample = Sample::default()
        .file(b"caf\xe9\n", "latin")
        .entry(EntryType::GNULongName, "L", "", 0, long.as_bytes())
        .file("short", "long")
        .pax("SCHILY.xattr.user.x", b"a\nb")
        .pax("path", pax.as_bytes())
        .file("short", "pax")
        .entry(EntryType::GNULongLink, "K", "", 0, &longer)
        .link("link", "short");
    let tree = place.tree(&sample.bytes());
    let read = |name: &OsStr| fs::read_to_string(tree.path().join(name)).unwrap();
    assert_eq!(read(OsStr::from_bytes(b"caf\xe9\n")), "latin");
    assert_eq!(read(OsStr::new(&long)), "long");
    assert_eq!(read(OsStr::new(&pax)), "pax");
    let link = fs::read_link(tree.path().join("link")).unwrap();
    assert_eq!(link.as_os_str().len(), 300);
    for (name, problem) in [
        ("n".repeat(256), "none that"),
        ("a/".repeat(2100), "too long"),
    ] {
        let sample = Sample::default().pax("path", name.as_bytes()).file("x", "");
        Place::new().refused(&sample.bytes(), problem);
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    let place = Place::new();
    place.refused(b"", "holds no files");
    place.refused(&[7; 4096], "");
    place.refused(&gzip(b"hello"), "");
    let cut = Sample::default().file("a", &"x".repeat(5000)).bytes();
    place.refused(&cut[..2048], "");
    let zipped = zstd(&cut);
    place.refused(&zipped[..zipped.len() / 2], "");
    let sparse = Sample::default().entry(EntryType::GNUSparse, "x", "", 0o644, b"");
    place.refused(&sparse.bytes(), "sparse");
    let sparse = Sample::default()
        .pax("GNU.sparse.major", b"1")
        .file("x", "");
    place.refused(&sparse.bytes(), "sparse");
    let two = Sample::default().pax("size", b"9").file("x", "text");
    place.refused(&two.bytes(), "two lengths");
    let torn = Sample::default().entry(EntryType::XHeader, "x", "", 0o644, b"99 path=x\n");
    place.refused(&torn.file("x", "").bytes(), "malformed");
}

#[test]
fn a_container_image_becomes_one_layer() {
    let lower = Sample::default()
        .folder("usr/lib")
        .link("lib", "usr/lib")
        .file("etc/gone", "")
        .file("etc/kept", "lower")
        .file("opaque/old", "")
        .file("opaque/both/old", "")
        .file("dir/old", "");
    let upper = Sample::default()
        .file("lib/module", "through the link")
        .file("etc/.wh.gone", "")
        .file("etc/.wh.never-was", "")
        .file("opaque/both/new", "")
        .file("opaque/.wh..wh..opq", "")
        .file("opaque/new", "")
        .file(".wh..wh.plnk", "")
        .file("dir/new", "")
        .file(".wh.dir", "");
    let layers: [(Sample, fn(&[u8]) -> Vec<u8>); 2] = [(lower, gzip), (upper, zstd)];
    let archive = oci(&layers, architecture(native()));
    for store in [<[u8]>::to_vec, gzip] {
        let place = Place::new();
        let manifest = place.import(&store(&archive)).unwrap();
        let variables: Vec<_> = manifest.environment.iter().collect();
        let expected = [("LANG", "C"), ("PATH", "/opt/bin")];
        assert!(
            variables.iter().map(|(n, v)| (&n[..], &v[..])).eq(expected),
            "{variables:?}"
        );
        assert_eq!(manifest.layers.len(), 1);
        let tree = place.layer_tree(&manifest, 0);
        let path = |name: &str| tree.path().join(name);
        assert_eq!(names(tree.path()), ["dir", "etc", "lib", "opaque", "usr"]);
        assert_eq!(names(&path("etc")), ["kept"]);
        assert_eq!(names(&path("opaque")), ["both", "new"]);
        assert_eq!(names(&path("opaque/both")), ["new"]);
        assert_eq!(names(&path("dir")), ["new"]);
        assert!(path("lib").is_symlink() && path("usr/lib/module").is_file());
    }
}

#[test]
fn a_whiteout_cannot_reach_out() {
    let place = Place::new();
    let outside = place.outside();
    for name in ["a/.wh...", ".wh..", ".wh."] {
        let upper = Sample::default().file(name, "");
        let layers: [(Sample, fn(&[u8]) -> Vec<u8>); 1] = [(upper, gzip)];
        place.refused(&oci(&layers, architecture(native())), "hides nothing");
    }
    let upper = Sample::default()
        .link("out", outside.as_os_str().as_bytes())
        .file("file", "")
        .file("out/.wh.victim", "")
        .file("out/.wh..wh..opq", "");
    let layers: [(Sample, fn(&[u8]) -> Vec<u8>); 1] = [(upper, gzip)];
    place.import(&oci(&layers, architecture(native()))).unwrap();
}

#[test]
fn an_image_that_is_damaged_or_of_another_machine_is_refused() {
    let place = Place::new();
    let sample = Sample::default().file("a", "some text that is long enough to find");
    let layers: [(Sample, fn(&[u8]) -> Vec<u8>); 1] = [(sample, <[u8]>::to_vec)];
    let mut archive = oci(&layers, architecture(native()));
    place.refused(&oci(&layers, "vax"), "no image for linux");
    let at = archive
        .windows(9)
        .position(|part| part == b"some text")
        .unwrap();
    archive[at] ^= 1;
    let error = place.import(&archive).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
}

#[test]
fn what_docker_saves_is_imported() {
    let layer = Sample::default().file("hello", "docker").bytes();
    let config = format!(
        r#"{{"architecture":"{}","os":"linux","config":{{"Env":null}},"rootfs":{{"diff_ids":["{}","{1}"]}}}}"#,
        architecture(native()),
        Digest::of(&layer)
    );
    let config_name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    let [one, two] = ["1".repeat(64), "2".repeat(64)];
    let listed = format!(
        r#"[{{"Config":"{config_name}","RepoTags":null,"Layers":["{one}/layer.tar","{two}/layer.tar"]}}]"#
    );
    let archive = Sample::default()
        .folder(format!("{one}/"))
        .file(format!("{one}/VERSION"), "1.0")
        .entry(
            EntryType::Regular,
            format!("{one}/layer.tar"),
            "",
            0o644,
            &layer,
        )
        .link(format!("{two}/layer.tar"), format!("../{one}/layer.tar"))
        .file(&config_name, &config)
        .file("manifest.json", &listed)
        .file("repositories", "{}");
    let place = Place::new();
    let tree = place.tree(&archive.bytes());
    assert_eq!(
        fs::read_to_string(tree.path().join("hello")).unwrap(),
        "docker"
    );
}

#[test]
fn an_import_is_stopped() {
    let place = Place::new();
    let path = place.folder.path().join("archive");
    fs::write(&path, Sample::default().file("a", "").bytes()).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let result = Import {
        store: &place.store,
        language: "ruby",
        reading: &Reading::new(&path, place.limits, &(), &cancel),
        pack: &pack,
        trusted: false,
        packer: Some("/".into()),
    }
    .run();
    assert!(matches!(result, Err(ImageError::Cancelled)));
}
