//! Where a line of its own can stand: before or behind a statement that begins its line.
//!
//! Judged by the text around it, since the statements' spans are in the trace: a trace is all
//! that a view sees.

use tracer_model::{Phrase, Site, SiteTable};

/// Words that begin statements behind which nothing runs.
const LEAVING: &[&str] = &[
    "return",
    "throw",
    "raise",
    "break",
    "continue",
    "goto",
    "exit",
    "yield",
    "next",
    "panic",
    "fallthrough",
    "die",
];

/// A statement's text.
pub(super) fn text_of<'t>(table: &'t SiteTable, site: &Site) -> &'t str {
    let text = table.files.first().map_or("", |file| &file.text);
    text.get(site.span.start as usize..site.span.end as usize)
        .unwrap_or("")
}

/// Whether a statement leaves the block it stands in.
pub(super) fn leaves(text: &str) -> bool {
    let word = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or("");
    LEAVING.contains(&word)
}

/// Byte offset and indentation of a line before a statement; `None` where there is no place.
pub(super) fn before(source: &str, step: &Site, phrase: &Phrase) -> Option<(usize, String)> {
    let head = source.get(..step.span.start as usize)?;
    let line = head.rfind('\n').map_or(0, |at| at + 1);
    let indent = &head[line..];
    if !indent.trim().is_empty() {
        return None;
    }
    if phrase.bare_bodies && !preceded_by_block(&head[..line]) {
        return None;
    }
    Some((line, indent.to_owned()))
}

/// Likewise behind it.
pub(super) fn behind(source: &str, step: &Site, phrase: &Phrase) -> Option<(usize, String)> {
    let (_, indent) = before(source, step, phrase)?;
    let text = source.get(step.span.start as usize..step.span.end as usize)?;
    let rest = source.get(step.span.end as usize..)?;
    let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let tail = rest[..end].trim();
    let bare = tail.trim_start_matches(';').trim_start();
    if !(bare.is_empty() || bare.starts_with("//") || bare.starts_with('#')) {
        return None;
    }
    let ended = text.ends_with([';', '}']) || tail.starts_with(';');
    if phrase.close.ends_with(';') && !ended {
        return None;
    }
    Some((step.span.end as usize + end, indent))
}

/// Whether what precedes a line ends a statement or opens a block: not `if (…)` or `else`.
fn preceded_by_block(head: &str) -> bool {
    for line in head.lines().rev() {
        let line = line.trim();
        let comment = ["//", "/*", "*"].iter().any(|mark| line.starts_with(mark));
        if line.is_empty() || comment || line.starts_with('#') {
            continue;
        }
        let code = line.split("//").next().unwrap_or("").trim_end();
        let code = match code.strip_suffix("*/") {
            Some(code) => code.split("/*").next().unwrap_or("").trim_end(),
            None => code,
        };
        return code.ends_with(['{', '}', ';', ':']) || code.ends_with("<?php");
    }
    true
}

/// Whether a statement is the first of an `else` arm.
pub(super) fn follows_else(source: &str, step: &Site) -> bool {
    let head = source.get(..step.span.start as usize).unwrap_or("");
    let head = head.trim_end().trim_end_matches(['{', ':']).trim_end();
    head.ends_with("else")
}

/// A name or path that can be read again where it stands without doing anything.
pub(super) fn is_plain(name: &str) -> bool {
    let bare = name.replace("->", ".");
    let begins = bare.starts_with(|c: char| c.is_alphabetic() || "_$@".contains(c));
    begins
        && bare
            .chars()
            .all(|c| c.is_alphanumeric() || "_$@.[]".contains(c))
}
