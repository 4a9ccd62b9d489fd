//! What C's imports look like, as data.

use tracer_instrument::Imports;

/// See `imports.scm`; `standard.txt` says how it was made.
pub const IMPORTS: Imports = Imports {
    query: include_str!("../imports.scm"),
    standard: include_str!("../standard.txt"),
    separator: "/",
    relative: &["./", "../", "/"],
    files: crate::headers::PLACES,
    ..Imports::NONE
};
