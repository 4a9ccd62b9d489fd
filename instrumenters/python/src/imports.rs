//! What Python's imports look like, as data.

use tracer_instrument::{HintForm, Imports, StandardBy};

/// See `imports.scm`; `standard.txt` says how it was made.
pub(crate) const IMPORTS: Imports = Imports {
    query: include_str!("../imports.scm"),
    standard: include_str!("../standard.txt"),
    standard_by: StandardBy::FirstPart,
    separator: ".",
    standard_prefixes: &["__future__"],
    relative: &["."],
    files: &["{}.py", "{}/__init__.py", "{}.pyx", "{}.so"],
    own_parts: 0,
    hints: &[
        ("requirements.txt", HintForm::Requirements),
        ("pyproject.toml", HintForm::Pyproject),
    ],
};
