//! What the whole-system tests share: the literate fixtures and where to find things.
//!
//! It holds no test of its own; see the files in `tests/`.

pub mod fixture;

use std::path::PathBuf;

/// The repository's root.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Whether recorded expectations are to be rewritten (`TRACER_BLESS=1`).
pub fn blessing() -> bool {
    std::env::var_os("TRACER_BLESS").is_some_and(|value| value == "1")
}
