//! Where in a file a node stands: what may be put in front of it, and whether it runs at all.

use std::collections::BTreeSet;
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

/// What hooks need to know of the whole file.
pub(crate) struct FileFacts {
    /// The file gives types of its own an index operator, which is code of the program.
    pub(crate) indexes: bool,
    /// The same for `*`.
    pub(crate) derefs: bool,
    /// Fields may lie where no reference can point, or be read in unsafe code alone.
    pub(crate) odd_fields: bool,
    /// Functions whose reference parameters cannot be kept anywhere: no lifetime is named.
    pub(crate) plain_functions: BTreeSet<String>,
    /// Methods that consume what they are called on.
    pub(crate) consuming: BTreeSet<String>,
    /// Lines that say their own columns.
    pub(crate) column_lines: BTreeSet<usize>,
}

impl FileFacts {
    pub(crate) fn of(rewriter: &mut Rewriter<'_>) -> Rc<Self> {
        rewriter.memo(|rewriter| {
            let text = String::from_utf8_lossy(rewriter.source);
            let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
            let mut facts = Self {
                indexes: says(&["Index<", "IndexMut<"]),
                derefs: says(&["Deref for", "DerefMut for"]),
                odd_fields: says(&["packed", "union "]),
                plain_functions: BTreeSet::new(),
                consuming: BTreeSet::new(),
                column_lines: BTreeSet::new(),
            };
            for (row, line) in text.lines().enumerate() {
                if line.contains("dbg!") || line.contains("column!") {
                    facts.column_lines.insert(row);
                }
            }
            facts.collect(rewriter, rewriter.root());
            facts
        })
    }

    fn collect(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "function_item" | "function_signature_item" => {
                    self.function(rewriter, child);
                    if let Some(body) = child.child_by_field_name("body") {
                        self.collect(rewriter, body);
                    }
                }
                "token_tree" | "type_arguments" | "parameters" => {}
                _ => self.collect(rewriter, child),
            }
        }
    }

    fn function(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>) {
        let part = |field| node.child_by_field_name(field);
        let (Some(name), Some(parameters)) = (part("name"), part("parameters")) else {
            return;
        };
        let name = rewriter.text(name).into_owned();
        let mut cursor = parameters.walk();
        let own = parameters
            .named_children(&mut cursor)
            .find(|child| child.kind() == "self_parameter");
        match own {
            Some(own) if !rewriter.text(own).starts_with('&') => {
                self.consuming.insert(name);
            }
            Some(_) => {}
            None => {
                let generics = part("type_parameters").map(|node| rewriter.text(node));
                if !generics.is_some_and(|text| text.contains('\'')) {
                    self.plain_functions.insert(name);
                }
            }
        }
    }
}

/// Whether a node is code that runs when the program does, in a function that takes probes.
pub(crate) fn runs<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let facts = FileFacts::of(rewriter);
    if facts.column_lines.contains(&node.start_position().row) {
        return false;
    }
    let mut inner = node;
    while let Some(outer) = rewriter.parent(inner) {
        match outer.kind() {
            "function_item" => return takes_probes(rewriter, outer),
            "const_item" | "static_item" | "const_block" | "ERROR" => return false,
            _ => {}
        }
        inner = outer;
    }
    false
}

/// Whether calls may stand in a function at all.
pub(crate) fn takes_probes(rewriter: &Rewriter<'_>, function: Node<'_>) -> bool {
    let mut cursor = function.walk();
    let is_const = function.children(&mut cursor).any(|child| {
        child.kind() == "function_modifiers"
            && rewriter
                .text(child)
                .split_whitespace()
                .any(|word| word == "const")
    });
    let naked = attributes(rewriter.source, function)
        .iter()
        .any(|attribute| rewriter.text(*attribute).contains("naked"));
    !is_const && !naked
}

/// The attributes in front of an item or statement, the nearest first.
pub(crate) fn attributes<'n>(source: &[u8], node: Node<'n>) -> Vec<Node<'n>> {
    let mut found = Vec::new();
    // Asking for a sibling takes time in the number of siblings.
    let before = source[..node.start_byte()].trim_ascii_end().last();
    if matches!(before, Some(b';' | b'{' | b'}' | b',') | None) {
        return found;
    }
    let mut before = node.prev_named_sibling();
    while let Some(sibling) = before {
        match sibling.kind() {
            "attribute_item" => found.push(sibling),
            "line_comment" | "block_comment" => {}
            _ => break,
        }
        before = sibling.prev_named_sibling();
    }
    found
}

/// Whether an attribute may leave a node out, or make something else of it.
pub(crate) fn is_conditional(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    attributes(rewriter.source, node).iter().any(|attribute| {
        let text = rewriter.text(*attribute);
        ![
            "allow", "expect", "warn", "deny", "rustfmt", "inline", "must_use", "doc", "cold",
        ]
        .iter()
        .any(|word| text.trim_start_matches(['#', '[', ' ']).starts_with(word))
    })
}

/// Kinds of what may stand in a block without being run in its turn.
fn is_item(kind: &str) -> bool {
    kind.ends_with("_item")
        || kind.ends_with("_comment")
        || matches!(
            kind,
            "use_declaration"
                | "macro_definition"
                | "associated_type"
                | "extern_crate_declaration"
                | "empty_statement"
                | "label"
                | "ERROR"
        )
}

/// Whether a node is a statement of a block, or its last expression.
pub(crate) fn is_statement(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    !is_item(node.kind())
        && rewriter
            .parent(node)
            .is_some_and(|parent| parent.kind() == "block")
}

/// Whether a node is the value of its block: its last expression, without a semicolon.
pub(crate) fn is_tail(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    if !is_statement(rewriter, node) || rewriter.source.get(node.end_byte() - 1) == Some(&b';') {
        return false;
    }
    match rewriter.source[node.end_byte()..]
        .trim_ascii_start()
        .first()
    {
        Some(b'}') => return true,
        Some(b'/') => {}
        _ => return false,
    }
    let mut after = node.next_named_sibling();
    while after.is_some_and(|node| node.kind().ends_with("_comment")) {
        after = after.and_then(|node| node.next_named_sibling());
    }
    after.is_none()
}

/// Puts `text` in front of a statement and its attributes.
pub(crate) fn before(rewriter: &mut Rewriter<'_>, statement: Node<'_>, text: String) {
    let lead = attributes(rewriter.source, statement)
        .last()
        .map_or(statement.start_byte(), Node::start_byte);
    let extent = statement.end_byte() - statement.start_byte();
    rewriter.open_at(lead, extent, text);
}

/// Puts `text` behind a statement.
pub(crate) fn behind(rewriter: &mut Rewriter<'_>, statement: Node<'_>, text: String) {
    let extent = statement.end_byte() - statement.start_byte();
    rewriter.close_at(statement.end_byte(), extent, text);
}

/// The place right behind a block's brace and its inner attributes.
pub(crate) fn start_of(block: Node<'_>) -> Option<usize> {
    let mut cursor = block.walk();
    let mut at = None;
    for child in block.children(&mut cursor) {
        match child.kind() {
            "{" | "inner_attribute_item" => at = Some(child.end_byte()),
            "line_comment" | "block_comment" => {
                let mut inner = child.walk();
                if at.is_some()
                    && child
                        .children(&mut inner)
                        .any(|part| part.kind() == "inner_doc_comment_marker")
                {
                    // A line of documentation takes its end of line with it.
                    at = Some(child.end_byte());
                }
            }
            _ if at.is_some() => break,
            _ => {}
        }
    }
    at
}

/// Puts `text` at the start of a body, which gets braces if it is not a block.
pub(crate) fn open_body<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>, text: &str) {
    if body.kind() == "block" {
        if let Some(at) = start_of(body) {
            rewriter.open_at(at, body.end_byte() - body.start_byte(), text);
        }
    } else {
        rewriter.enclose(body, "{", "}");
        rewriter.open(body, text);
    }
}

/// The statement that runs first in a body.
pub(crate) fn first_statement<'a>(rewriter: &Rewriter<'a>, body: Node<'a>) -> Option<Node<'a>> {
    if body.kind() != "block" {
        return None;
    }
    let mut cursor = body.walk();
    body.named_children(&mut cursor)
        .find(|child| !is_item(child.kind()))
        .filter(|first| is_statement(rewriter, *first))
}

/// Function, closure or future whose frame a node runs in.
pub(crate) fn frame_of<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut outer = rewriter.parent(node);
    while let Some(parent) = outer {
        match parent.kind() {
            "function_item" | "closure_expression" | "async_block" => return Some(parent),
            "const_block" | "const_item" | "static_item" => return None,
            _ => {}
        }
        outer = rewriter.parent(parent);
    }
    None
}
