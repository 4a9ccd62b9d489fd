//! Calls that the file itself shows: in comments, documenting strings and its own tests.

use std::collections::BTreeMap;

use tracer_instrument::LanguageSpec;
use tracer_instrument::drive::DriveSpec;
use tree_sitter::Tree;

use crate::facts::Facts;
use crate::tokens::{notes, tokens};

/// Examples of one definition at most, and their length.
const EXAMPLES: usize = 4;
const LENGTH: usize = 200;

/// Lines of an interactive session at most.
const SESSION: usize = 12;

/// The arguments of calls with nothing but literals, by the definition's index.
pub(crate) fn calls(
    spec: &'static LanguageSpec,
    grammar: usize,
    drive: &DriveSpec,
    facts: &Facts,
    source: &str,
) -> BTreeMap<usize, Vec<Vec<String>>> {
    let mut found: BTreeMap<usize, Vec<Vec<String>>> = BTreeMap::new();
    for (index, definition) in facts.definitions.iter().enumerate() {
        if definition.class.is_some() || definition.name.is_empty() {
            continue;
        }
        for (at, _) in source.match_indices(definition.name.as_str()) {
            let before = source[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let behind = &source[at + definition.name.len()..];
            let Some(inside) = behind.strip_prefix('(').and_then(inside) else {
                continue;
            };
            let known = found.entry(index).or_default();
            if known.len() >= EXAMPLES || inside.len() > LENGTH || inside.contains('\n') {
                continue;
            }
            let arguments: Vec<String> = tracer_instrument::drive::split_list(inside)
                .into_iter()
                .map(str::to_owned)
                .collect();
            let least = definition
                .parameters
                .iter()
                .filter(|p| p.default.is_none() && !p.rest)
                .count();
            let most = definition.parameters.len();
            let rest = definition.parameters.iter().any(|parameter| parameter.rest);
            let fits = arguments.len() >= least && (arguments.len() <= most || rest);
            if fits
                && !known.contains(&arguments)
                && !(arguments.is_empty() && most > 0)
                && arguments
                    .iter()
                    .all(|argument| literal(spec, grammar, drive, argument))
            {
                known.push(arguments);
            }
        }
    }
    found.retain(|_, examples| !examples.is_empty());
    found
}

/// The text up to the bracket that closes one already open.
fn inside(text: &str) -> Option<&str> {
    let mut depth = 1_usize;
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in text.char_indices().take(2 * LENGTH) {
        match (quote, letter) {
            (Some(open), _) if open == letter && before != '\\' => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[..at]);
        }
        before = letter;
    }
    None
}

/// Whether a text is a literal of the language: it is read as such, and names nothing.
fn literal(spec: &'static LanguageSpec, grammar: usize, drive: &DriveSpec, text: &str) -> bool {
    let plain = |word: &str| {
        let digits = word.trim_start_matches('-');
        !digits.is_empty()
            && digits
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '.')
            && digits.starts_with(|c: char| c.is_ascii_digit())
    };
    if plain(text) {
        return true;
    }
    let wrapped = (drive.snippet)(text);
    let Some(tree) = tracer_instrument::engine::parse_with(spec, grammar, wrapped.as_bytes())
    else {
        return false;
    };
    if tree.root_node().has_error() {
        return false;
    }
    let Some(start) = wrapped.rfind(text) else {
        return false;
    };
    let mut some = false;
    for token in tokens(&tree, &wrapped) {
        if token.at < start || token.at >= start + text.len() {
            continue;
        }
        if token.is_name() && !drive.literal_names.contains(&token.text) {
            return false;
        }
        if matches!(token.text, "..." | "…" | "=") || token.text.contains("${") {
            return false;
        }
        some |= token.is_number() || token.is_string() || token.is_name() || token.text == "[";
    }
    some
}

/// Interactive sessions in comments and documenting strings, as lines that begin with `>>> ` or
/// `... `.
pub(crate) fn sessions(tree: &Tree, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, note) in notes(tree, source) {
        let mut text = String::new();
        let mut count = 0;
        for line in note.lines() {
            let line = line
                .trim_start()
                .trim_start_matches(['#', '*', '/'])
                .trim_start();
            let (mark, code) = match (line.strip_prefix(">>>"), line.strip_prefix("...")) {
                (Some(code), _) => (">>> ", code),
                (None, Some(code)) if count > 0 => ("... ", code),
                _ => continue,
            };
            if mark == ">>> " {
                count += 1;
            }
            if count > SESSION {
                break;
            }
            text.push_str(mark);
            text.push_str(code.strip_prefix(' ').unwrap_or(code).trim_end());
            text.push('\n');
        }
        if count > 0 {
            found.push(text);
        }
    }
    found
}
