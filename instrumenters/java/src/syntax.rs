//! Where in Java's syntax a node stands, and the insertions that follow from it.

use tracer_instrument::{Node, Rewriter};

/// Lists of statements.
pub(crate) fn is_list(kind: &str) -> bool {
    matches!(
        kind,
        "block" | "constructor_body" | "switch_block_statement_group"
    )
}

/// Whether a switch stands as a statement, not as a value.
pub(crate) fn is_statement_switch<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let Some(parent) = r.parent(node) else {
        return false;
    };
    match parent.kind() {
        "labeled_statement" => true,
        "expression_statement" => takes_statement(r, parent),
        kind => is_list(kind) || is_body(node, parent),
    }
}

/// Whether a statement is the only one of a body without braces, which are then inserted.
pub(crate) fn is_body(node: Node<'_>, parent: Node<'_>) -> bool {
    match parent.kind() {
        "if_statement" => ["consequence", "alternative"]
            .iter()
            .any(|field| parent.child_by_field_name(field) == Some(node)),
        "while_statement" | "do_statement" | "for_statement" | "enhanced_for_statement" => {
            parent.child_by_field_name("body") == Some(node)
        }
        _ => false,
    }
}

/// The statement with the labels in front of it.
pub(crate) fn with_labels<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Node<'a> {
    let mut outer = node;
    while let Some(parent) = r.parent(outer).filter(|p| p.kind() == "labeled_statement") {
        outer = parent;
    }
    outer
}

/// Whether another statement can stand in front of this one, labels included.
pub(crate) fn takes_statement<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let outer = with_labels(r, node);
    let Some(parent) = r.parent(outer) else {
        return false;
    };
    if is_list(parent.kind()) || is_body(outer, parent) {
        return true;
    }
    // The right side of `case … ->` in a switch that is a statement.
    parent.kind() == "switch_rule"
        && node.kind() != "block"
        && (node.kind() == "throw_statement" || in_statement_rule(r, parent))
}

fn in_statement_rule<'a>(r: &Rewriter<'a>, rule: Node<'a>) -> bool {
    r.parent(rule)
        .and_then(|block| r.parent(block))
        .is_some_and(|switch| is_statement_switch(r, switch))
}

/// Puts braces around a body that has none, and text at its beginning.
pub(crate) fn open_body<'a>(r: &mut Rewriter<'a>, body: Node<'a>, text: &str) {
    if body.kind() == "block" {
        open_block(r, body, text);
        return;
    }
    r.enclose(body, "{", "}");
    if !text.is_empty() {
        r.open(body, text);
    }
}

/// Puts text at the beginning of a block.
pub(crate) fn open_block(r: &mut Rewriter<'_>, block: Node<'_>, text: &str) {
    if !text.is_empty() {
        let extent = block.end_byte() - block.start_byte();
        r.open_at(block.start_byte() + 1, extent, text);
    }
}

/// The first statement of a body.
pub(crate) fn first_statement<'a>(r: &mut Rewriter<'a>, body: Node<'a>) -> Option<Node<'a>> {
    if body.kind() != "block" && body.kind() != "constructor_body" {
        return Some(body);
    }
    let children = r.children(body);
    let first = children.nodes.first().copied();
    match first {
        Some(call) if call.kind() == "explicit_constructor_invocation" => {
            children.nodes.get(1).copied()
        }
        first => first,
    }
}

/// The statement behind one of a list.
pub(crate) fn following<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let parent = r.parent(node)?;
    if !is_list(parent.kind()) {
        return None;
    }
    let children = r.children(parent);
    let place = children.place(node)?;
    let next = children.nodes.get(place + 1).copied()?;
    // An unreadable part between them may be a statement.
    let mut between = node.next_sibling();
    while let Some(sibling) = between.filter(|sibling| *sibling != next) {
        if sibling.is_error() || sibling.kind() == ";" {
            return None;
        }
        between = sibling.next_sibling();
    }
    Some(next)
}

/// An expression without the parentheses around it.
pub(crate) fn bare(node: Node<'_>) -> Node<'_> {
    let mut inner = node;
    while inner.kind() == "parenthesized_expression" {
        let mut cursor = inner.walk();
        let child = inner
            .named_children(&mut cursor)
            .find(|child| !child.is_extra());
        match child {
            Some(child) => inner = child,
            None => break,
        }
    }
    inner
}

/// The named children that are not comments.
pub(crate) fn parts(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| !child.is_extra())
        .collect()
}

/// Whether a node of one of these kinds lies within, functions and classes of its own left out.
pub(crate) fn contains(node: Node<'_>, wanted: &dyn Fn(Node<'_>) -> bool) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|child| {
        wanted(child)
            || (!matches!(child.kind(), "lambda_expression" | "class_body")
                && contains(child, wanted))
    })
}

/// Whether a declaration has a modifier.
pub(crate) fn has_modifier(node: Node<'_>, word: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .filter(|child| child.kind() == "modifiers")
        .any(|modifiers| {
            let mut inner = modifiers.walk();
            modifiers
                .children(&mut inner)
                .any(|child| child.kind() == word)
        })
}

/// The function (or initialiser) that runs a node: a method, constructor or lambda.
pub(crate) fn enclosing_function<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut at = node;
    while let Some(parent) = r.parent(at) {
        if is_function(parent.kind()) {
            return Some(parent);
        }
        if parent.kind() == "class_body" {
            return None;
        }
        at = parent;
    }
    None
}

/// What runs as a frame of its own.
pub(crate) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "method_declaration"
            | "constructor_declaration"
            | "compact_constructor_declaration"
            | "lambda_expression"
    )
}
