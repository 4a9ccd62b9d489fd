//! What the whole-system tests share: the literate fixtures and where to find things.
//!
//! It holds no test of its own; see the files in `tests/`.

pub mod coverage;
pub mod fixture;
pub mod oracle;

use std::path::{Path, PathBuf};

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
