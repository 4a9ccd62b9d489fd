//! What Ruby's imports look like, as data.

use tracer_instrument::{HintForm, Imports, StandardBy};

/// See `imports.scm`; `standard.txt` says how it was made.
pub(crate) const IMPORTS: Imports = Imports {
    query: include_str!("../imports.scm"),
    standard: include_str!("../standard.txt"),
    standard_by: StandardBy::FirstPart,
    separator: "/",
    standard_prefixes: &[],
    relative: &["./", "../", "/"],
    files: &["{}.rb", "{}", "lib/{}.rb"],
    own_parts: 0,
    hints: &[("Gemfile", HintForm::Gemfile)],
};
