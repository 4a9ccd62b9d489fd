//! Where a node stands: what can be inserted there without changing the program.
//!
//! Answers questions about the syntax tree; inserts nothing.

use tracer_instrument::{Node, Rewriter};

/// The mark of functions that have a writer (`_trw`) in scope.
pub(crate) const FRAME: &str = "frame";

/// Whether a node is a function with a body.
pub(crate) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_declaration" | "method_declaration" | "func_literal"
    )
}

/// Whether the code around a node has a writer in scope.
pub(crate) fn has_writer<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut inner = node;
    while let Some(outer) = rewriter.parent(inner) {
        if is_function(outer.kind()) {
            let is_body = outer
                .child_by_field_name("body")
                .is_some_and(|body| body == inner);
            return is_body && rewriter.recall(outer, FRAME).is_some();
        }
        inner = outer;
    }
    false
}

/// The place in front of which a statement of ours may stand: the statement, or the label that
/// must stay with it.
pub(crate) fn anchor<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let parent = rewriter.parent(node)?;
    match parent.kind() {
        "statement_list" => Some(node),
        "labeled_statement" => {
            let outer = anchor(rewriter, parent)?;
            let keeps = matches!(
                node.kind(),
                "for_statement"
                    | "expression_switch_statement"
                    | "type_switch_statement"
                    | "select_statement"
            );
            Some(if keeps { outer } else { node })
        }
        _ => None,
    }
}

/// The anchor of a statement in a function that has a writer.
pub(crate) fn place<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    anchor(rewriter, node).filter(|_| has_writer(rewriter, node))
}

/// The label of a statement.
pub(crate) fn label<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<String> {
    let parent = rewriter.parent(node)?;
    (parent.kind() == "labeled_statement")
        .then(|| parent.child_by_field_name("label"))
        .flatten()
        .map(|label| rewriter.text(label).into_owned())
}

/// Whether hooks run for this node, as the engine decides it.
pub(crate) fn is_readable<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    !rewriter.is_opaque(node)
        && !rewriter.is_broken(node)
        && !rewriter
            .parent(node)
            .is_some_and(|parent| parent.is_error() && rewriter.parent(parent).is_some())
}

/// The statement list in a block or a clause of a switch.
pub(crate) fn list(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| child.kind() == "statement_list")
}

/// The first statement of a block or clause, if its step can be told by whatever opens it.
pub(crate) fn first_statement<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>) -> Option<Node<'a>> {
    let list = list(body)?;
    let first = rewriter.children(list).nodes.first().copied()?;
    crate::steps::has_step(rewriter, first).then_some(first)
}

/// The statement behind this one in its list.
pub(crate) fn following<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let parent = rewriter.parent(node)?;
    if parent.kind() != "statement_list" {
        return None;
    }
    let children = rewriter.children(parent);
    let place = children.place(node)?;
    children.nodes.get(place + 1).copied()
}

/// Puts `text` at the start of a block.
pub(crate) fn open_block<'a>(rewriter: &mut Rewriter<'a>, block: Node<'a>, text: &str) {
    let extent = block.end_byte() - block.start_byte();
    rewriter.open_at(block.start_byte() + 1, extent, text);
}

/// Strips parentheses.
pub(crate) fn inside_parentheses(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    while node.kind() == "parenthesized_expression" {
        match node.named_child(0) {
            Some(inner) if inner.kind() != "comment" => node = inner,
            _ => break,
        }
    }
    node
}

/// The identifiers of an expression list that name something.
pub(crate) fn identifiers<'a>(rewriter: &Rewriter<'a>, list: Node<'a>) -> Vec<Node<'a>> {
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter(|node| node.kind() == "identifier" && &*rewriter.text(*node) != "_")
        .collect()
}
