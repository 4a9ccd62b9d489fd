//! A source as a row of tokens, without comments: what surrounds a name, in any language.

use tree_sitter::{Node, Tree};

/// A leaf of the tree; a string with all it holds is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// As it stands.
    pub(crate) text: &'a str,
    /// What the grammar calls it.
    pub(crate) kind: &'a str,
    /// Where it begins.
    pub(crate) at: usize,
}

impl Token<'_> {
    pub(crate) fn is_string(&self) -> bool {
        is_string(self.kind)
    }

    pub(crate) fn is_number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }

    pub(crate) fn is_name(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '$' | '@'))
            && !self.is_string()
    }

    /// What a string holds, without its quotes; `None` if it is no plain string.
    pub(crate) fn content(&self) -> Option<&str> {
        if !self.is_string() {
            return None;
        }
        let open = self.text.find(['"', '\'', '`'])?;
        let text = &self.text[open..];
        let quote = text.chars().next()?;
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(['\\', '\n']) && !inner.contains("${") && !inner.contains("#{"))
            .then_some(inner)
    }
}

fn is_string(kind: &str) -> bool {
    kind.contains("string")
        || kind.contains("char_literal")
        || kind.contains("character_literal")
        || kind == "raw_text"
        || kind == "encapsed_string"
}

/// Whether a node of this kind is a comment.
pub(crate) fn is_comment(kind: &str) -> bool {
    kind.contains("comment")
}

/// All tokens in their order.
pub(crate) fn tokens<'a>(tree: &'a Tree, source: &'a str) -> Vec<Token<'a>> {
    let mut found = Vec::new();
    let mut stack = vec![tree.root_node()];
    while let Some(node) = stack.pop() {
        if is_comment(node.kind()) || node.start_byte() == node.end_byte() {
            continue;
        }
        if node.child_count() == 0 || (is_string(node.kind()) && node.is_named()) {
            let text = source.get(node.byte_range()).unwrap_or("").trim();
            if !text.is_empty() {
                found.push(Token {
                    text,
                    kind: node.kind(),
                    at: node.start_byte(),
                });
            }
            continue;
        }
        for index in (0..count(node)).rev() {
            stack.extend(node.child(index));
        }
    }
    found
}

fn count(node: Node<'_>) -> u32 {
    node.child_count()
}

/// Comments and documenting strings, each with where it begins.
pub(crate) fn notes<'a>(tree: &Tree, source: &'a str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let mut stack = vec![tree.root_node()];
    while let Some(node) = stack.pop() {
        let own_line = || {
            node.parent()
                .is_some_and(|parent| parent.kind() == "expression_statement")
        };
        if is_comment(node.kind()) || (is_string(node.kind()) && own_line()) {
            let before = found.last().copied();
            let (from, to) = (node.start_byte(), node.end_byte());
            // Comments on lines one below the other are one.
            let joined = before.filter(|(start, text): &(usize, &str)| {
                let gap = source.get(start + text.len()..from).unwrap_or("-");
                gap.trim().is_empty() && gap.matches('\n').count() <= 1
            });
            let start = joined.map_or(from, |(start, _)| start);
            if joined.is_some() {
                found.pop();
            }
            if let Some(text) = source.get(start..to) {
                found.push((start, text));
            }
            continue;
        }
        for index in (0..count(node)).rev() {
            stack.extend(node.child(index));
        }
    }
    found
}
