//! What JavaScript's imports look like, as data.

use tracer_instrument::{HintForm, Imports, StandardBy};

/// See `imports.scm`; `standard.txt` says how it was made.
pub const IMPORTS: Imports = Imports {
    query: include_str!("../imports.scm"),
    standard: include_str!("../standard.txt"),
    standard_by: StandardBy::Whole,
    separator: "/",
    standard_prefixes: &["node:"],
    relative: &["./", "../", "/", "@/", "~/", "#"],
    files: &["{}", "{}.js", "{}.mjs", "{}.cjs", "{}.json", "{}/index.js"],
    own_parts: 0,
    hints: &[
        ("package.json", HintForm::PackageJson),
        ("tsconfig.json", HintForm::TsConfig),
        ("jsconfig.json", HintForm::TsConfig),
    ],
};
