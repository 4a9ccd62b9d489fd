//! Where a node stands: what can be inserted there without changing the program.
//!
//! Answers questions about the syntax tree; inserts only the braces that bodies lack.

use tracer_instrument::{Node, Rewriter};

/// Nodes that run as a frame of their own.
pub(crate) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "method_declaration"
            | "constructor_declaration"
            | "destructor_declaration"
            | "operator_declaration"
            | "conversion_operator_declaration"
            | "local_function_statement"
            | "accessor_declaration"
            | "property_declaration"
            | "indexer_declaration"
            | "lambda_expression"
            | "anonymous_method_expression"
    )
}

/// The function whose code a node is; `None` at the top level and in initialisers of fields.
pub(crate) fn enclosing_function<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut at = r.parent(node);
    while let Some(outer) = at {
        if is_function(outer.kind()) {
            return Some(outer);
        }
        if matches!(outer.kind(), "field_declaration" | "declaration_list") {
            return None;
        }
        if outer.kind() == "global_statement" {
            let file = r.parent(outer);
            return file.filter(|file| r.recall(*file, crate::functions::ENTRY).is_some());
        }
        at = r.parent(outer);
    }
    None
}

/// A function's body: a block, or the expression behind `=>`.
pub(crate) fn body_of(node: Node<'_>) -> Option<Node<'_>> {
    let body = match node.kind() {
        "anonymous_method_expression" => child_of_kind(node, "block"),
        "property_declaration" | "indexer_declaration" => node
            .child_by_field_name("value")
            .filter(|value| value.kind() == "arrow_expression_clause"),
        _ => node.child_by_field_name("body"),
    };
    body.filter(|body| !body.is_missing())
}

/// The first child of this kind.
pub(crate) fn child_of_kind<'a>(node: Node<'a>, kind: &str) -> Option<Node<'a>> {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .find(|child| child.kind() == kind)
}

/// Whether a node has this word among its own tokens or modifiers.
pub(crate) fn has_word(r: &Rewriter<'_>, node: Node<'_>, word: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| child.kind() == word || (child.kind() == "modifier" && r.text(child) == word))
}

/// Whether anything in a function's own code (not in functions inside it) is as asked.
pub(crate) fn own_code<'a>(node: Node<'a>, found: &mut dyn FnMut(Node<'a>) -> bool) -> bool {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if is_function(child.kind()) {
            continue;
        }
        if found(child) || own_code(child, found) {
            return true;
        }
    }
    false
}

/// Whether hooks run for this node, as the engine decides it.
pub(crate) fn is_readable(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    !r.is_opaque(node)
        && !r.is_broken(node)
        && !node
            .parent()
            .is_some_and(|parent| parent.is_error() && parent.parent().is_some())
}

/// The embedded statements of a control statement.
pub(crate) fn bodies_of(node: Node<'_>) -> Vec<Node<'_>> {
    match node.kind() {
        "if_statement" => ["consequence", "alternative"]
            .iter()
            .filter_map(|field| node.child_by_field_name(field))
            .collect(),
        "while_statement" | "do_statement" | "for_statement" | "foreach_statement"
        | "using_statement" => node.child_by_field_name("body").into_iter().collect(),
        "lock_statement" | "fixed_statement" => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .filter(|child| !child.is_extra())
                .last()
                .filter(|last| is_statement(last.kind()))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

pub(crate) fn is_statement(kind: &str) -> bool {
    kind == "block" || kind.ends_with("_statement")
}

/// Whether statements may be put in front of and behind this one: it stands in a list of
/// statements, or in a body that gets braces.
pub(crate) fn takes_statement<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let Some(parent) = r.parent(node) else {
        return false;
    };
    match parent.kind() {
        "block" | "switch_section" | "global_statement" => !parent.is_error(),
        "labeled_statement" => takes_statement(r, parent),
        "preproc_if" | "preproc_else" | "preproc_elif" => {
            !parent.has_error()
                && r.parent(parent)
                    .is_some_and(|outer| outer.kind() != "compilation_unit")
        }
        _ => {
            bodies_of(parent).contains(&node) && is_readable(r, parent) && braces_bodies(r, parent)
        }
    }
}

/// Whether the bodies of a control statement are given braces.
fn braces_bodies(r: &Rewriter<'_>, _node: Node<'_>) -> bool {
    r.wants(tracer_model::Detail::Calls)
}

/// Gives a body braces, if it has none.
pub(crate) fn brace<'a>(r: &mut Rewriter<'a>, body: Node<'a>) {
    if body.kind() != "block" {
        r.enclose(body, "{", "}");
    }
}

/// Puts `text` at the start of a body that is a block or has been given braces.
pub(crate) fn open_body<'a>(r: &mut Rewriter<'a>, body: Node<'a>, text: &str) {
    if body.kind() == "block" {
        let extent = body.end_byte() - body.start_byte();
        r.open_at(body.start_byte() + 1, extent, text);
    } else {
        r.open(body, text);
    }
}

/// The statements of a list, as far as they are statements.
pub(crate) fn first_statement(body: Node<'_>) -> Option<Node<'_>> {
    if body.kind() != "block" {
        return Some(body);
    }
    let mut cursor = body.walk();
    body.named_children(&mut cursor)
        .find(|child| !child.is_extra() && child.kind() != "local_function_statement")
}

/// The expression within parentheses.
pub(crate) fn bare(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    while node.kind() == "parenthesized_expression" {
        match node.named_child(0) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// The operand of a unary node, and its operator.
pub(crate) fn operator_of(node: Node<'_>) -> &str {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .find(|child| !child.is_named())
        .map_or("", |child| child.kind())
}

/// Whether a node stands where what it gives is not used: as a statement of its own.
pub(crate) fn is_whole_statement<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    r.parent(node)
        .filter(|parent| parent.kind() == "expression_statement")
}

/// Text of a type on one line; `None` where it cannot be written again.
pub(crate) fn type_text(r: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    let text = r.text(node);
    if text.contains("//") || text.contains("/*") || text.contains('#') {
        return None;
    }
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether values of this type cannot pass through a generic method.
pub(crate) fn is_special_type(text: &str) -> bool {
    text.contains('*')
        || text.contains("Span<")
        || text.starts_with("ref ")
        || text.starts_with("scoped ")
        || matches!(
            text,
            "void"
                | "TypedReference"
                | "ArgIterator"
                | "RuntimeArgumentHandle"
                | "System.TypedReference"
        )
}
