//! What the whole-system tests share: the literate fixtures and where to find things.
//!
//! It holds no test of its own; see the files in `tests/`.

pub mod coverage;
pub mod fixture;
pub mod gcov;
pub mod oracle;

use std::path::{Path, PathBuf};

use tracer_engine::toolchain::Origin;
use tracer_engine::{EngineError, Settings, find_toolchain, languages};
use tracer_instrument::LanguageSpec;

/// Settings of a test run: this machine's toolchain, or else the language's image.
pub fn settings(folder: &Path) -> Result<Settings, EngineError> {
    let mut settings = Settings::new()?;
    settings.cwd = folder.to_path_buf();
    settings.toolchain = Origin::Auto;
    Ok(settings)
}

/// Why a language cannot be run here; `None` where it can.
pub fn missing(spec: &'static LanguageSpec) -> Option<EngineError> {
    let why = find_toolchain(spec).err()?;
    let store = settings(Path::new("/")).and_then(|settings| settings.store());
    let built = store.is_ok_and(|store| store.manifest(spec.id).is_some());
    (!built).then_some(why)
}

/// A language whose tests can run here. Where they cannot the skip is said, with its reason.
///
/// # Panics
/// Where the table has no such language.
#[expect(clippy::print_stderr, reason = "skips are said")]
pub fn runnable(language: &str) -> Option<&'static LanguageSpec> {
    let spec = languages::by_name(language).expect("the language is in the table");
    match missing(spec) {
        Some(why) => {
            eprintln!("skipped: {why}");
            None
        }
        None => Some(spec),
    }
}

/// The repository's root.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}

/// Files below a folder with this extension, in order of their names.
pub fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
}

/// Whether recorded expectations are to be rewritten (`TRACER_BLESS=1`).
pub fn blessing() -> bool {
    std::env::var_os("TRACER_BLESS").is_some_and(|value| value == "1")
}
