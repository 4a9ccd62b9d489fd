//! The image reader over any bytes: an archive is refused or unpacked, and nothing is written
//! outside of where it belongs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tracer_image::{Cancel, ImportLimits};

const MOST: u64 = 8 << 20;

pub fn feed(bytes: &[u8]) {
    let folder = tempfile::Builder::new()
        .tempdir_in("/dev/shm")
        .expect("a folder");
    let archive = folder.path().join("archive");
    fs::write(&archive, bytes).expect("an archive");
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).expect("a folder");
    fs::write(folder.path().join("outside"), "untouched").expect("a file");
    let cancel = Cancel::new();
    let _ = tracer_image::import::languages(&archive, &cancel);
    let limits = ImportLimits {
        bytes: MOST,
        entries: 1000,
    };
    let _ = tracer_image::import::extract(&archive, &tree, limits, &cancel);
    let outside = fs::read(folder.path().join("outside")).expect("the file outside");
    assert_eq!(outside, b"untouched");
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    names.sort();
    assert!(
        names
            .iter()
            .all(|name| ["archive", "outside", "tree"].iter().any(|own| name == own)),
        "{names:?}"
    );
    assert!(size(&tree) <= 2 * MOST, "more than the limit");
}

fn size(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| {
            let kind = metadata.mode() & libc::S_IFMT;
            assert!(
                kind != libc::S_IFCHR && kind != libc::S_IFBLK,
                "a device: {}",
                path.display()
            );
            if metadata.is_dir() {
                size(&path)
            } else {
                metadata.len()
            }
        })
        .sum()
}
