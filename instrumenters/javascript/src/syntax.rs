//! Questions about the syntax tree that several hooks ask.

use tracer_instrument::{Node, Rewriter};

/// The prefixes the emitter defines its probes under.
const PREFIXES: [&str; 4] = ["$t0_", "$t1_", "$t2_", "$t3_"];

/// Node kinds whose children stand on their own.
pub const BLOCKS: &[&str] = &[
    "program",
    "statement_block",
    "class_body",
    "switch_body",
    "switch_case",
    "switch_default",
    "class_static_block",
];

/// What a function keeps in its local `d`, for the probes that need to know the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Nothing.
    None,
    /// How many calls are open.
    Depth,
    /// An object, since the function is left and taken up again.
    Task,
}

/// The name of a probe in this file.
pub fn probe(r: &mut Rewriter<'_>, name: &str) -> String {
    let root = r.root();
    let index = r.recall(root, "prefix").unwrap_or_else(|| {
        let used = |prefix: &str| {
            r.source
                .windows(prefix.len())
                .any(|window| window == prefix.as_bytes())
        };
        let index = PREFIXES
            .iter()
            .position(|prefix| !used(prefix))
            .unwrap_or(0);
        r.remember(root, "prefix", index as u32);
        index as u32
    });
    format!("{}{name}", PREFIXES[index as usize])
}

pub(crate) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_declaration"
            | "function_expression"
            | "generator_function_declaration"
            | "generator_function"
            | "arrow_function"
            | "method_definition"
            | "class_static_block"
    )
}

/// A declaration that may not be the lone body of another statement.
pub(crate) fn is_declaration(kind: &str) -> bool {
    matches!(
        kind,
        "lexical_declaration"
            | "using_declaration"
            | "class_declaration"
            | "abstract_class_declaration"
            | "enum_declaration"
            | "function_declaration"
            | "generator_function_declaration"
    )
}

/// Whether a namespace of TypeScript, or the statement it is, holds types and nothing that runs.
pub(crate) fn declares_types(node: Node<'_>) -> bool {
    match node.kind() {
        "expression_statement" | "export_statement" => {
            let mut cursor = node.walk();
            let mut inner = node.named_children(&mut cursor);
            inner
                .find(|child| child.kind() != "comment")
                .is_some_and(declares_types)
        }
        "internal_module" | "module" => node.child_by_field_name("body").is_some_and(|body| {
            let mut cursor = body.walk();
            body.named_children(&mut cursor)
                .filter(|child| child.kind() != "comment")
                .all(declares_types)
        }),
        "interface_declaration" | "type_alias_declaration" | "ambient_declaration" => true,
        _ => false,
    }
}

/// Whether a node's children are a list of statements.
pub(crate) fn is_list(kind: &str) -> bool {
    matches!(
        kind,
        "program" | "statement_block" | "switch_case" | "switch_default" | "class_static_block"
    )
}

/// The innermost function (or the program) whose frame runs the node.
pub(crate) fn enclosing_function<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Node<'a> {
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        if is_function(parent.kind()) && parent.child_by_field_name("name") != Some(child) {
            return parent;
        }
        child = parent;
    }
    child
}

/// The expression without parentheses and type assertions around it.
pub(crate) fn bare(node: Node<'_>) -> Node<'_> {
    let mut inner = node;
    loop {
        let child = match inner.kind() {
            "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression" => expression_child(inner),
            "type_assertion" => {
                let last = inner.named_child_count().saturating_sub(1);
                inner.named_child(last as u32)
            }
            _ => None,
        };
        match child {
            Some(child) => inner = child,
            None => return inner,
        }
    }
}

/// The first named child that is no comment.
pub(crate) fn expression_child(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| child.kind() != "comment")
}

/// Whether the expression takes its name from what it is assigned to.
pub(crate) fn is_anonymous_function(node: Node<'_>) -> bool {
    let node = bare(node);
    match node.kind() {
        "arrow_function" => true,
        "function_expression" | "generator_function" | "class" => {
            node.child_by_field_name("name").is_none()
        }
        _ => false,
    }
}

/// Whether V8 may print the node's source in an error message (`x.f is not a function`), where an
/// insertion would show.
pub(crate) fn is_printed<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        let printed = match parent.kind() {
            "call_expression" => parent.child_by_field_name("function") == Some(child),
            "new_expression" => parent.child_by_field_name("constructor") == Some(child),
            "for_in_statement" => return parent.child_by_field_name("right") == Some(child),
            "variable_declarator" => return has_pattern(parent, "name"),
            "assignment_expression" => {
                parent.child_by_field_name("right") == Some(child) && has_pattern(parent, "left")
            }
            "spread_element" | "class_heritage" => true,
            "yield_expression" => is_delegation(parent),
            "arguments" | "class_body" | "statement_block" | "program" | "formal_parameters" => {
                return false;
            }
            kind => {
                if is_function(kind) || kind.ends_with("_statement") {
                    return false;
                }
                false
            }
        };
        if printed {
            return true;
        }
        child = parent;
    }
    false
}

pub(crate) fn is_delegation(node: Node<'_>) -> bool {
    has_token(node, "*")
}

pub(crate) fn has_token(node: Node<'_>, token: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| !child.is_named() && child.kind() == token)
}

fn has_pattern(node: Node<'_>, field: &str) -> bool {
    node.child_by_field_name(field)
        .is_some_and(|target| is_pattern(bare(target)))
}

pub(crate) fn is_pattern(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "object_pattern" | "array_pattern" | "object" | "array"
    )
}

/// The identifiers that a parameter or pattern binds or assigns, in order.
pub(crate) fn bound_names<'a>(node: Node<'a>, names: &mut Vec<Node<'a>>) {
    match node.kind() {
        "identifier" | "shorthand_property_identifier_pattern" => names.push(node),
        "object_pattern" | "array_pattern" | "rest_pattern" | "formal_parameters" => {
            let mut cursor = node.walk();
            for child in node.named_children(&mut cursor) {
                bound_names(child, names);
            }
        }
        "pair_pattern" => {
            if let Some(value) = node.child_by_field_name("value") {
                bound_names(value, names);
            }
        }
        "required_parameter" | "optional_parameter" => {
            if let Some(pattern) = node.child_by_field_name("pattern") {
                bound_names(pattern, names);
            }
        }
        "assignment_pattern" | "object_assignment_pattern" => {
            if let Some(left) = node.child_by_field_name("left") {
                bound_names(left, names);
            }
        }
        _ => {}
    }
}

/// The texts of name nodes.
pub(crate) fn texts(r: &Rewriter<'_>, names: &[Node<'_>]) -> Vec<String> {
    names
        .iter()
        .map(|name| r.text(*name).into_owned())
        .collect()
}

/// Calls `visit` for the nodes of a function's own code, not those of functions inside it. Stops
/// when `visit` says so.
pub(crate) fn own_code<'a>(root: Node<'a>, visit: &mut dyn FnMut(Node<'a>) -> bool) -> bool {
    let mut cursor = root.walk();
    let mut stack: Vec<Node<'a>> = root.children(&mut cursor).collect();
    stack.reverse();
    while let Some(node) = stack.pop() {
        if visit(node) {
            return true;
        }
        if is_function(node.kind())
            || matches!(node.kind(), "field_definition" | "public_field_definition")
        {
            continue;
        }
        let mut children: Vec<Node<'a>> = node.children(&mut cursor).collect();
        children.reverse();
        stack.append(&mut children);
    }
    false
}

/// Whether the parser could not read the statement that the node belongs to.
pub(crate) fn in_broken(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    if !r.root().has_error() {
        return false;
    }
    let mut child = node;
    while let Some(parent) = child.parent() {
        if BLOCKS.contains(&parent.kind()) {
            return false;
        }
        if r.is_broken(parent) {
            return true;
        }
        child = parent;
    }
    false
}

/// Where a statement's own text ends. Its node may go on over a comment, up to where a semicolon
/// was supplied.
pub(crate) fn code_end(node: Node<'_>) -> usize {
    let mut node = node;
    loop {
        let last = (0..node.child_count())
            .rev()
            .filter_map(|index| node.child(index))
            .find(|child| child.kind() != "comment" && child.end_byte() > child.start_byte());
        match last {
            Some(child) => node = child,
            None => return node.end_byte(),
        }
    }
}

/// Inserts behind a statement, inside what was inserted behind it before.
pub fn close_statement(r: &mut Rewriter<'_>, node: Node<'_>, text: String) {
    r.close_at(code_end(node), node.end_byte() - node.start_byte(), text);
}

/// Wraps an expression as the last argument of a call; a comma expression gets parentheses.
pub(crate) fn wrap_argument<'a>(r: &mut Rewriter<'a>, node: Node<'a>, before: &str) {
    if node.kind() == "sequence_expression" {
        r.wrap(node, format!("{before}("), "))");
    } else {
        r.wrap(node, before, ")");
    }
}
