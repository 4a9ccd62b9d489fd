//! What C#'s imports look like, as data.

use tracer_instrument::{Imports, StandardBy};

/// See `imports.scm`; `standard.txt` says how it was made.
pub(crate) const IMPORTS: Imports = Imports {
    query: include_str!("../imports.scm"),
    standard: include_str!("../standard.txt"),
    standard_by: StandardBy::Whole,
    separator: ".",
    standard_prefixes: &[],
    relative: &[],
    files: &[],
    own_parts: 1,
    hints: &[],
};
