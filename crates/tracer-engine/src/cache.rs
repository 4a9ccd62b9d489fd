//! Emitters compiled once, kept between runs; and what a program depends on, where a build tool holds
//! it to checksums.
//!
//! Never kept is anything that a subject's own files had a hand in. A cache that cannot be read or
//! written costs time and nothing else; what nobody used for a month goes.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long a product is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Names a product by all that goes into it: toolchain, command, emitter files. The scratch
/// folder, new in each run, does not count.
pub(crate) fn key(
    toolchain: &str,
    argv: &[OsString],
    files: &[(PathBuf, Vec<u8>)],
    scratch: &Path,
) -> String {
    let scratch = scratch.to_string_lossy();
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(toolchain.as_bytes());
    for word in argv {
        add(word.to_string_lossy().replace(&*scratch, "").as_bytes());
    }
    let used: Vec<_> = argv
        .iter()
        .filter_map(|word| Path::new(word).parent())
        .collect();
    for (path, contents) in files {
        // The emitter's files stand beside the one the command names; sources stand elsewhere.
        if path.parent().is_some_and(|folder| used.contains(&folder)) {
            add(path.file_name().unwrap_or_default().as_encoded_bytes());
            add(contents);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// A kept product, a file or a folder: the image's own, or one from the cache.
pub(crate) fn find(image: Option<&Path>, key: &str) -> Option<PathBuf> {
    let own = image.map(Path::to_path_buf);
    own.into_iter()
        .chain(folder())
        .map(|folder| folder.join(key))
        .find(|kept| kept.exists())
        .inspect(|kept| used(kept))
}

/// Notes the use of a product, in the one of its times that no build system looks at.
fn used(kept: &Path) {
    let now = fs::FileTimes::new().set_accessed(SystemTime::now());
    // An image's own is read-only, and never removed here.
    let _ = fs::File::open(kept).and_then(|file| file.set_times(now));
}

/// Removes what was not used for `idle`.
fn prune(folder: &Path, idle: Duration) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let used = entry.metadata().and_then(|metadata| metadata.accessed());
        if !used.is_ok_and(|used| used.elapsed().is_ok_and(|since| since > idle)) {
            continue;
        }
        // Somebody may just have found it: renamed first, so that nobody finds half of it.
        let gone = folder.join(format!(".gone-{}", entry.file_name().display()));
        if fs::rename(&path, &gone).is_ok() && fs::remove_file(&gone).is_err() {
            let _ = fs::remove_dir_all(&gone);
        }
    }
}

/// Puts a kept product in its place: a file is copied, a folder linked to. False if that fails.
pub(crate) fn fetch(kept: &Path, place: &Path) -> bool {
    if kept.is_dir() {
        return std::os::unix::fs::symlink(kept, place).is_ok();
    }
    fs::copy(kept, place).is_ok()
}

/// Keeps a product in the user's cache. Written beside and renamed, so that nobody reads half of
/// it.
pub(crate) fn keep(key: &str, product: &Path) {
    let Some(folder) = folder() else { return };
    let kept = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        let fresh = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&folder)?;
        let made = fresh.path().join("product");
        copy(product, &made)?;
        fs::rename(made, folder.join(key))
    };
    prune(&folder, IDLE);
    // Failing to keep it, or losing the race for it, only means that it is made again next time.
    let _ = kept();
}

/// Copies a file, or a folder of files, folders and links. Files keep their times: build systems
/// tell by them what is fresh.
pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let kind = fs::symlink_metadata(from)?.file_type();
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if !kind.is_dir() {
        fs::copy(from, to)?;
        let modified = fs::metadata(from)?.modified()?;
        // What its owner may not write either stays as new as it is.
        return match fs::OpenOptions::new().append(true).open(to) {
            Ok(copied) => copied.set_modified(modified),
            Err(_) => Ok(()),
        };
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Takes a product out of the cache that is not what it was when it was kept.
pub(crate) fn drop(kept: &Path) {
    let _ = fs::remove_file(kept).or_else(|_| fs::remove_dir_all(kept));
}

fn folder() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    Some(base.join("tracer").join("emitters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_may_be_a_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let (product, kept) = (scratch.path().join("product"), scratch.path().join("kept"));
        fs::create_dir_all(product.join("a/b")).unwrap();
        fs::write(product.join("a/b/c"), "text").unwrap();
        std::os::unix::fs::symlink("b/c", product.join("a/link")).unwrap();
        copy(&product, &kept).unwrap();
        let place = scratch.path().join("place");
        assert!(fetch(&kept, &place));
        assert_eq!(fs::read(place.join("a/link")).unwrap(), b"text");
    }

    #[test]
    fn what_nobody_uses_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (file, tree, fresh) = (
            folder.path().join("file"),
            folder.path().join("tree"),
            folder.path().join("fresh"),
        );
        fs::write(&file, "old").unwrap();
        fs::create_dir_all(tree.join("below")).unwrap();
        fs::write(&fresh, "new").unwrap();
        let long_ago = fs::FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH);
        for path in [&file, &tree, &fresh] {
            let opened = fs::File::open(path).unwrap();
            opened.set_times(long_ago).unwrap();
        }
        used(&fresh);
        prune(folder.path(), IDLE);
        assert!(!file.exists() && !tree.exists() && fresh.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_scratch_folder_does_not_count_and_the_emitter_does() {
        let argv = |scratch: &str| -> Vec<OsString> {
            vec![
                "cc".into(),
                "/private/emit.c".into(),
                format!("{scratch}/emit.o").into(),
            ]
        };
        let files = |text: &str| vec![(PathBuf::from("/private/emit.h"), text.into())];
        let key = |scratch: &str, text: &str| {
            super::key("gcc 12", &argv(scratch), &files(text), Path::new(scratch))
        };
        assert_eq!(key("/tmp/a", "x"), key("/tmp/b", "x"));
        assert_ne!(key("/tmp/a", "x"), key("/tmp/a", "y"));
    }
}
