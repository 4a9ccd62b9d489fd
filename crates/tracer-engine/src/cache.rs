//! Emitters compiled once, kept between runs.
//!
//! Only products of the emitter's own sources are kept, never anything a subject had a hand in. A
//! cache that cannot be read or written costs time and nothing else.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Puts a kept product in its place: the image's own, or one from the cache. False if there is
/// none.
pub(crate) fn fetch(image: Option<&Path>, key: &str, place: &Path) -> bool {
    let own = image.map(Path::to_path_buf);
    own.into_iter()
        .chain(folder())
        .any(|folder| fs::copy(folder.join(key), place).is_ok())
}

/// Keeps a product. Written beside and renamed, so that nobody reads half of it.
pub(crate) fn keep(key: &str, product: &Path) {
    let Some(folder) = folder() else { return };
    let kept = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        let fresh = tempfile::NamedTempFile::new_in(&folder)?;
        fs::copy(product, fresh.path())?;
        fresh.persist(folder.join(key))?;
        Ok(())
    };
    // Failing to keep it only means that it is made again next time.
    let _ = kept();
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
