//! Small questions about the syntax tree that several hooks ask.

use tracer_instrument::{Node, Rewriter};

/// The child tokens and nodes of a node.
pub(crate) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// The first child of a kind.
pub(crate) fn child<'a>(node: Node<'a>, kind: &str) -> Option<Node<'a>> {
    children(node)
        .into_iter()
        .find(|child| child.kind() == kind)
}

/// Statements of a `statements` node or file, without comments and directives.
pub(crate) fn statements_of(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| !child.is_extra() && !child.is_error())
        .filter(|child| !matches!(child.kind(), "comment" | "multiline_comment" | "directive"))
        .collect()
}

/// Whether a statement only declares something, and does nothing when it is reached.
pub(crate) fn only_declares(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "function_declaration"
            | "class_declaration"
            | "protocol_declaration"
            | "typealias_declaration"
            | "import_declaration"
            | "operator_declaration"
            | "precedence_group_declaration"
            | "macro_declaration"
            | "associatedtype_declaration"
            | "statement_label"
            | "shebang_line"
            | "directive"
            | "diagnostic"
            | "init_declaration"
            | "deinit_declaration"
            | "subscript_declaration"
    )
}

/// Whether a node is an expression, so that a body that is nothing else has its value.
pub(crate) fn is_expression(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    !only_declares(node)
        && !matches!(
            node.kind(),
            "control_transfer_statement"
                | "property_declaration"
                | "assignment"
                | "for_statement"
                | "while_statement"
                | "repeat_while_statement"
                | "do_statement"
                | "guard_statement"
                | "if_statement"
                | "switch_statement"
                | "discard_statement"
                | "ERROR"
        )
        && !is_keyword_statement(rewriter, node)
}

/// `defer { … }` and `fallthrough`, which the grammar takes for a call and a name.
pub(crate) fn is_keyword_statement(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    is_defer(rewriter, node)
        || (node.kind() == "simple_identifier" && rewriter.text(node) == "fallthrough")
}

/// `defer { … }`.
pub(crate) fn is_defer(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    node.kind() == "call_expression"
        && node.named_child(0).is_some_and(|callee| {
            callee.kind() == "simple_identifier" && rewriter.text(callee) == "defer"
        })
}

/// The block of a `defer`, which is no closure.
pub(crate) fn is_defer_block(rewriter: &Rewriter<'_>, lambda: Node<'_>) -> bool {
    let mut node = lambda;
    for _ in 0..2 {
        let Some(parent) = rewriter.parent(node) else {
            return false;
        };
        node = parent;
    }
    is_defer(rewriter, node)
}

/// Calls that never come back.
pub(crate) fn never_returns(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    node.kind() == "call_expression"
        && node.named_child(0).is_some_and(|callee| {
            matches!(
                &*rewriter.text(callee),
                "fatalError"
                    | "preconditionFailure"
                    | "abort"
                    | "exit"
                    | "_exit"
                    | "assertionFailure"
            )
        })
}

/// Names that patterns below a node bind, in source order.
pub(crate) fn bound_names(rewriter: &Rewriter<'_>, node: Node<'_>) -> Vec<String> {
    let mut names = Vec::new();
    collect_bound(rewriter, node, &mut names);
    names.dedup();
    names
}

fn collect_bound(rewriter: &Rewriter<'_>, node: Node<'_>, names: &mut Vec<String>) {
    let mut cursor = node.walk();
    let nodes: Vec<(Node<'_>, Option<&str>)> = {
        let mut found = Vec::new();
        if cursor.goto_first_child() {
            loop {
                found.push((cursor.node(), cursor.field_name()));
                if !cursor.goto_next_sibling() {
                    break;
                }
            }
        }
        found
    };
    for (child, field) in nodes {
        if field == Some("bound_identifier") && child.kind() == "simple_identifier" {
            names.push(rewriter.text(child).into_owned());
        } else if child.kind() == "pattern" || child.kind() == "switch_pattern" {
            collect_bound(rewriter, child, names);
        }
    }
}

/// Names a `for` binds: its item is a pattern without `let`.
pub(crate) fn item_names(rewriter: &Rewriter<'_>, item: Node<'_>) -> Vec<String> {
    let only = item.named_child_count() == 1;
    let first = item.named_child(0);
    match (only, first) {
        (true, Some(name)) if name.kind() == "simple_identifier" => {
            vec![rewriter.text(name).into_owned()]
        }
        _ => {
            let mut names = bound_names(rewriter, item);
            let tuple = rewriter.text(item).starts_with('(');
            if names.is_empty() && tuple {
                let mut cursor = item.walk();
                for part in item
                    .named_children(&mut cursor)
                    .filter(|part| part.kind() == "pattern")
                {
                    names.extend(item_names(rewriter, part));
                }
            }
            names
        }
    }
}
