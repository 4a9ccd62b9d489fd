//! What TypeScript's imports look like beyond JavaScript's, as data.

use tracer_instrument::Imports;
use tracer_lang_javascript::imports as javascript;

/// JavaScript's, types, and files of either language.
pub(crate) const IMPORTS: Imports = Imports {
    query: concat!(
        include_str!("../../javascript/imports.scm"),
        include_str!("../imports.scm")
    ),
    files: &[
        "{}",
        "{}.ts",
        "{}.tsx",
        "{}.d.ts",
        "{}.js",
        "{}.json",
        "{}/index.ts",
        "{}/index.tsx",
        "{}/index.js",
    ],
    ..javascript::IMPORTS
};
