//! Where hostile programs come from: compiled once, or read as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::case::{Case, Mode};
use crate::module::{NoModule, module};

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
pub fn prepare(case: &Case, mode: Mode) -> Result<PathBuf, String> {
    if case.is_module(mode) {
        return module(case).map_err(|error| match error {
            NoModule::Reason(why) | NoModule::Failed(why) => why,
        });
    }
    let is_c = case.source.extension().is_some_and(|ending| ending == "c");
    if !is_c || !case.run.is_empty() {
        return Ok(case.source.clone());
    }
    kept(case, "", |fresh| {
        let out = Command::new("cc")
            .args(["-O1", "-w", "-pthread", "-o"])
            .arg(fresh)
            .arg(&case.source)
            .output()
            .map_err(|error| format!("no cc: {error}"))?;
        if out.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&out.stderr).into_owned())
        }
    })
}

/// What `make` makes of a case's source, kept beside the test's own binary.
pub(crate) fn kept(
    case: &Case,
    ending: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own
        .parent()
        .unwrap_or(Path::new("/"))
        .join("hostile-programs");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let binary = folder
        .join(case.name.replace('/', "-"))
        .with_extension(ending);
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
    make(&fresh)?;
    fresh.persist(&binary).map_err(|error| error.to_string())?;
    Ok(binary)
}
