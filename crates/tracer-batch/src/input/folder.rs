//! The source files of a folder, each a row.
//!
//! What no language here could be meant by (images, data, prose) is not a row. Hidden files and
//! links are passed over.

use std::io;
use std::path::{Path, PathBuf};

use gengo_language::Language;
use serde_json::{Map, Value};

use super::Row;
use crate::BatchError;

/// Most bytes read of one file.
const READ_LIMIT: u64 = 16 << 20;

/// Bytes by which a file without a telling name is known.
const LOOK: usize = 200;

/// The rows of a folder, sorted by path.
pub(super) fn rows(
    root: &Path,
) -> Result<impl Iterator<Item = Result<Row, BatchError>> + Send + use<>, BatchError> {
    let root = root.canonicalize().map_err(BatchError::read(root))?;
    let own = repository(&root);
    let mut stack = vec![(root.clone(), own)];
    Ok(std::iter::from_fn(move || {
        loop {
            let (path, repository_above) = stack.pop()?;
            if !path.is_dir() {
                if !is_source(&path) {
                    continue;
                }
                return Some(Ok(row(&root, &path, repository_above.as_deref())));
            }
            let entries = match list(&path) {
                Ok(entries) => entries,
                Err(error) => return Some(Err(BatchError::read(&path)(error))),
            };
            let here = repository(&path).or(repository_above);
            let below = entries.into_iter().map(|entry| (entry, here.clone()));
            stack.extend(below.rev());
        }
    }))
}

/// The name of a folder that is a repository.
fn repository(path: &Path) -> Option<String> {
    path.join(".git").exists().then(|| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    })
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && !path.is_symlink() && (path.is_dir() || path.is_file()) {
            entries.push(path);
        }
    }
    entries.sort();
    Ok(entries)
}

/// Whether a file's name, or its `#!` line, is that of a program.
fn is_source(path: &Path) -> bool {
    if path.extension().is_some() {
        return tracer_languages::by_extension(path).is_some();
    }
    let mut start = vec![0; LOOK];
    let Ok(length) = std::fs::File::open(path).and_then(|mut file| {
        use std::io::Read;
        file.read(&mut start)
    }) else {
        return false;
    };
    start.truncate(length);
    start.starts_with(b"#!")
        && (tracer_languages::by_shebang(&start).is_some()
            || Language::pick(path, &start, LOOK)
                .is_some_and(|found| tracer_languages::by_name(found.name()).is_some()))
}

fn row(root: &Path, path: &Path, repository: Option<&str>) -> Row {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let name = repository.map_or_else(
        || {
            // Folders side by side are taken for repositories; a lone file for the root's.
            let mut parts = inside.components();
            let first = parts.next().filter(|_| parts.next().is_some());
            let first = first.map(|part| part.as_os_str().to_string_lossy().into_owned());
            first.unwrap_or_else(|| {
                root.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned()
            })
        },
        str::to_owned,
    );
    let mut columns = Map::new();
    columns.insert("repo_name".into(), Value::String(name));
    columns.insert(
        "path".into(),
        Value::String(inside.to_string_lossy().into_owned()),
    );
    Row {
        text: read(path),
        columns,
    }
}

fn read(path: &Path) -> Result<String, String> {
    use std::io::Read;
    use std::os::unix::fs::OpenOptionsExt;

    // What was a file when it was listed may be a pipe by now, or grow while it is read.
    let file = std::fs::File::options()
        .read(true)
        .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits() | nix::fcntl::OFlag::O_NOFOLLOW.bits())
        .open(path)
        .map_err(|error| error.to_string())?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file any more".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(READ_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > READ_LIMIT {
        return Err(format!("it has more than {READ_LIMIT} bytes"));
    }
    if bytes.is_empty() {
        return Err("the text is empty".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("byte {at} is not UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_something_else_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("a.py");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        assert_eq!(read(&fifo), Err("it is no file any more".to_owned()));
        let link = folder.path().join("b.py");
        std::os::unix::fs::symlink("/etc/passwd", &link).expect("a link");
        assert!(read(&link).is_err(), "a link is not followed");
        let large = folder.path().join("c.py");
        let file = std::fs::File::create(&large).expect("a file");
        file.set_len(READ_LIMIT + 1).expect("a size");
        assert!(read(&large).is_err_and(|why| why.contains("more than")));
    }

    #[test]
    fn links_pipes_and_strange_names_of_a_folder() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        std::fs::create_dir(&root).expect("a folder");
        std::fs::write(folder.path().join("outside.py"), "print(0)\n").expect("a file");
        std::os::unix::fs::symlink("../outside.py", root.join("link.py")).expect("a link");
        std::os::unix::fs::symlink("..", root.join("up")).expect("a link");
        nix::unistd::mkfifo(&root.join("pipe.py"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket.py"));
        let strange = OsStr::from_bytes(b"strange-\xff.py");
        std::fs::write(root.join(strange), "print(1)\n").expect("a file");
        std::fs::write(root.join("latin.py"), b"# caf\xe9\n").expect("a file");
        let found: Vec<Row> = rows(&root)
            .expect("a list")
            .map(|row| row.expect("a row"))
            .collect();
        let texts: Vec<_> = found.iter().map(|row| row.text.clone()).collect();
        let expected = [
            Err("byte 5 is not UTF-8".to_owned()),
            Ok("print(1)\n".to_owned()),
        ];
        assert_eq!(
            texts, expected,
            "one row for each file, none for what is not one"
        );
    }
}
