//! Files that are there whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::BatchError;

/// Writes a file under another name and renames it when it is whole.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BatchError> {
    let write = || -> io::Result<()> {
        let (partial, mut file) = begin(path)?;
        file.write_all(bytes)?;
        finish(&partial, &file, path)
    };
    write().map_err(BatchError::write(path))
}

/// Opens the file that will be `path`.
pub(crate) fn begin(path: &Path) -> io::Result<(PathBuf, File)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let file = File::create(&partial)?;
    Ok((partial, file))
}

/// Puts a whole file in its place.
pub(crate) fn finish(partial: &Path, file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    std::fs::rename(partial, path)
}
