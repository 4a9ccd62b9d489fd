//! Where hostile programs come from: compiled once, or read as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::case::Case;

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}

/// What there is to start: the compiled program of a C source that is run itself, else the source.
///
/// Compiled programs are kept beside the test's own binary and made anew when the source is
/// newer.
pub fn prepare(case: &Case) -> Result<PathBuf, String> {
    let is_c = case.source.extension().is_some_and(|ending| ending == "c");
    if !is_c || !case.run.is_empty() {
        return Ok(case.source.clone());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own
        .parent()
        .unwrap_or(Path::new("/"))
        .join("hostile-programs");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let binary = folder.join(case.name.replace('/', "-"));
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    if let (Ok(made), Ok(written)) = (time(&binary), time(&case.source))
        && made > written
    {
        return Ok(binary);
    }
    // Under another name first: several tests may want it at once.
    let fresh = tempfile::NamedTempFile::new_in(&folder)
        .map_err(|error| error.to_string())?
        .into_temp_path();
    let out = Command::new("cc")
        .args(["-O1", "-w", "-pthread", "-o"])
        .arg(&fresh)
        .arg(&case.source)
        .output()
        .map_err(|error| format!("no cc: {error}"))?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned());
    }
    fresh.persist(&binary).map_err(|error| error.to_string())?;
    Ok(binary)
}
