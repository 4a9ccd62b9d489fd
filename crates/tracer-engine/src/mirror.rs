//! Builds without a mount namespace: instrumented sources in a copy of their folders.
//!
//! With isolation an instrumented file simply stands in at the path of the original. Without, the
//! folders around the sources are mirrored by links, and the compiler works there. Relative names
//! come out the same; an absolute `__FILE__` does not.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Writes the files below `root`, each at its own absolute path, with links to its neighbours and
/// to the further folders of a project.
pub(crate) fn lay_out(
    root: &Path,
    files: &[(&Path, &[u8])],
    folders: &[PathBuf],
) -> io::Result<()> {
    for (path, contents) in files {
        let place = within(root, path);
        let folder = place.parent().unwrap_or(root);
        fs::create_dir_all(folder)?;
        // An earlier round of shedding, or the link that an earlier file made here.
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::write(&place, contents)?;
    }
    for (path, _) in files {
        for folder in path.ancestors().skip(1).take(2) {
            link_neighbours(root, folder)?;
        }
    }
    for folder in folders {
        fs::create_dir_all(within(root, folder))?;
        link_neighbours(root, folder)?;
    }
    Ok(())
}

/// Where a path of the machine stands in the mirror.
pub(crate) fn within(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// A command with the absolute paths of mirrored files and their folders replaced.
pub(crate) fn command(root: &Path, argv: &[OsString], files: &[(&Path, &[u8])]) -> Vec<OsString> {
    argv.iter()
        .map(|word| {
            let named = Path::new(word);
            let mirrored = files
                .iter()
                .any(|(path, _)| named.parent().is_some() && path.starts_with(named));
            if mirrored {
                within(root, Path::new(word)).into()
            } else {
                OsStr::to_owned(word)
            }
        })
        .collect()
}

fn link_neighbours(root: &Path, folder: &Path) -> io::Result<()> {
    let mirrored = within(root, folder);
    // A folder that cannot be listed has no neighbours that a compiler could name.
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        match symlink(entry.path(), mirrored.join(entry.file_name())) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_links_and_sources_are_not() {
        let machine = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let source = machine.path().join("main.c");
        fs::write(&source, "original").unwrap();
        fs::write(machine.path().join("near.h"), "header").unwrap();
        for text in ["first", "second"] {
            lay_out(root.path(), &[(&source, text.as_bytes())], &[]).unwrap();
            assert_eq!(
                fs::read(within(root.path(), &source)).unwrap(),
                text.as_bytes()
            );
        }
        let near = within(root.path(), &machine.path().join("near.h"));
        assert_eq!(fs::read(near).unwrap(), b"header");
        assert_eq!(fs::read(&source).unwrap(), b"original");
        let argv = ["cc".into(), source.clone().into_os_string()];
        let command = command(root.path(), &argv, &[(&source, b"")]);
        assert_eq!(command[1], within(root.path(), &source));
    }
}
