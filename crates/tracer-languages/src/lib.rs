//! The one table of languages, and how a file's language is told.
//!
//! Everything a language does differently hangs on its [`LanguageSpec`]; nothing outside this file
//! lists languages. A language that was not compiled in is not in the table.

use std::path::Path;

pub use tracer_instrument::LanguageSpec;

/// Every language compiled in, in the order they are listed to people.
static TABLE: &[&LanguageSpec] = &[
    #[cfg(feature = "python")]
    &tracer_lang_python::SPEC,
    #[cfg(feature = "javascript")]
    &tracer_lang_javascript::SPEC,
    #[cfg(feature = "c")]
    &tracer_lang_c::SPEC,
    #[cfg(feature = "cpp")]
    &tracer_lang_cpp::SPEC,
    #[cfg(feature = "typescript")]
    &tracer_lang_typescript::SPEC,
    #[cfg(feature = "php")]
    &tracer_lang_php::SPEC,
    #[cfg(feature = "ruby")]
    &tracer_lang_ruby::SPEC,
    #[cfg(feature = "sql")]
    &tracer_lang_sql::SPEC,
    #[cfg(feature = "bash")]
    &tracer_lang_bash::SPEC,
    #[cfg(feature = "csharp")]
    &tracer_lang_csharp::SPEC,
    #[cfg(feature = "rust")]
    &tracer_lang_rust::SPEC,
    #[cfg(feature = "go")]
    &tracer_lang_go::SPEC,
    #[cfg(feature = "swift")]
    &tracer_lang_swift::SPEC,
    #[cfg(feature = "java")]
    &tracer_lang_java::SPEC,
];

/// All languages compiled in.
pub fn all() -> &'static [&'static LanguageSpec] {
    TABLE
}

/// The language of this id or alias, in any case.
pub fn by_name(name: &str) -> Option<&'static LanguageSpec> {
    let name = name.to_ascii_lowercase();
    TABLE
        .iter()
        .copied()
        .find(|spec| spec.id == name || spec.aliases.contains(&name.as_str()))
}

/// The language of a file, by its extension, else by its `#!` line.
pub fn detect(path: &Path, source: &[u8]) -> Option<&'static LanguageSpec> {
    by_extension(path).or_else(|| by_shebang(source))
}

/// The language of a file name's extension.
pub fn by_extension(path: &Path) -> Option<&'static LanguageSpec> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    TABLE
        .iter()
        .copied()
        .find(|spec| spec.extensions.contains(&extension.as_str()))
}

/// The language a `#!` line asks for: the interpreter's base name without its version.
pub fn by_shebang(source: &[u8]) -> Option<&'static LanguageSpec> {
    let line = source
        .strip_prefix(b"#!")?
        .split(|&byte| byte == b'\n')
        .next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let first = words.next()?.rsplit('/').next()?;
    let program = if first == "env" {
        words.find(|word| !word.starts_with('-') && !word.contains('='))?
    } else {
        first
    };
    let program = program.rsplit('/').next()?;
    let bare = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    TABLE
        .iter()
        .copied()
        .find(|spec| spec.interpreters.contains(&bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_extensions_and_aliases_are_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for spec in all() {
            let names = std::iter::once(&spec.id).chain(spec.aliases);
            for name in names {
                assert!(seen.insert(format!("name {name}")), "{name} stands twice");
            }
            for extension in spec.extensions {
                assert!(
                    seen.insert(format!(".{extension}")),
                    ".{extension} stands twice"
                );
            }
        }
    }

    #[test]
    fn every_probe_query_fits_its_grammar_and_its_hooks() {
        for spec in all() {
            let query = spec.query().expect("the query compiles");
            let known: Vec<&str> = spec.hooks.iter().map(|(name, _)| *name).collect();
            for capture in query.capture_names() {
                assert!(
                    *capture == "opaque" || capture.starts_with('_') || known.contains(capture),
                    "{}: nothing handles @{capture}",
                    spec.id
                );
            }
            for hook in known {
                assert!(
                    query.capture_names().contains(&hook),
                    "{}: no pattern captures @{hook}",
                    spec.id
                );
            }
        }
    }

    #[test]
    #[cfg(feature = "python")]
    fn a_shebang_names_the_language() {
        let id = |source: &[u8]| by_shebang(source).map(|spec| spec.id);
        assert_eq!(id(b"#!/usr/bin/env python3.11\nprint(1)"), Some("python"));
        assert_eq!(id(b"#!/usr/bin/env -S python3 -u\n"), Some("python"));
        assert_eq!(id(b"#!/usr/bin/python\n"), Some("python"));
        assert_eq!(id(b"#!/bin/unknown\n"), None);
        assert_eq!(id(b"print(1)"), None);
    }
}
