//! What Swift's imports look like, as data.

use tracer_instrument::{Imports, StandardBy};

/// See `imports.scm`; `standard.txt` says how it was made.
pub(crate) const IMPORTS: Imports = Imports {
    query: include_str!("../imports.scm"),
    standard: include_str!("../standard.txt"),
    standard_by: StandardBy::FirstPart,
    separator: ".",
    standard_prefixes: &[],
    relative: &[],
    files: &["Sources/{}"],
    own_parts: 0,
    hints: &[],
};
