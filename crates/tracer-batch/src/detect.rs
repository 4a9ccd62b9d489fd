//! Which language a row is in.
//!
//! The row's own column is asked first, then a library that knows file names, `#!` lines and what
//! is typical of a language. It knows hundreds; what is not in our table is not ours.

use std::path::Path;

use gengo_language::Language;
use tracer_languages::LanguageSpec;

/// Bytes of a file that are looked at.
const LOOK: usize = 16 << 10;

/// The language of a source, by its column, its path and its text; none if it is not ours.
pub(crate) fn detect(
    column: Option<&str>,
    path: Option<&Path>,
    text: &str,
) -> Option<&'static LanguageSpec> {
    if let Some(name) = column {
        return by_name(name);
    }
    let path = path.unwrap_or(Path::new(""));
    let mut limit = LOOK.min(text.len());
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    match Language::pick(path, text.as_bytes(), limit) {
        Some(language) => by_name(language.name()).or_else(|| {
            // Several languages share an extension; the table says which of them is meant here.
            let same = tracer_languages::by_extension(path);
            same.filter(|_| language.name() == "Hack")
        }),
        None => tracer_languages::detect(path, text.as_bytes()),
    }
}

fn by_name(name: &str) -> Option<&'static LanguageSpec> {
    tracer_languages::by_name(name.trim())
}
