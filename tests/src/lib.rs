//! What the whole-system tests share: the literate fixtures and where to find things.
//!
//! It holds no test of its own; see the files in `tests/`.

pub mod coverage;
pub mod fixture;
pub mod oracle;

use std::path::{Path, PathBuf};

use tracer_engine::toolchain::Origin;
use tracer_engine::{EngineError, Settings, find_toolchain};
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

/// The repository's root.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}

/// Whether recorded expectations are to be rewritten (`TRACER_BLESS=1`).
pub fn blessing() -> bool {
    std::env::var_os("TRACER_BLESS").is_some_and(|value| value == "1")
}
