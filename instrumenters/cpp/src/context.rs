//! Where a node stands: what can be inserted there without changing the program.
//!
//! Answers questions about the syntax tree; inserts nothing but the braces of a body.

use tracer_instrument::{Node, Rewriter};

use crate::facts::{FileFacts, is_shouting};
use crate::functions::Frame;

/// The identifier that a declarator declares.
pub(crate) fn declared_name(declarator: Node<'_>) -> Option<Node<'_>> {
    let mut node = declarator;
    loop {
        match node.kind() {
            "identifier" | "field_identifier" | "type_identifier" => return Some(node),
            "structured_binding_declarator" => return None,
            _ => {
                let inner = node.child_by_field_name("declarator");
                let mut cursor = node.walk();
                node = inner.or_else(|| {
                    node.named_children(&mut cursor).find(|child| {
                        child.kind().ends_with("declarator")
                            || matches!(child.kind(), "identifier" | "field_identifier")
                    })
                })?;
            }
        }
    }
}

/// Whether hooks run for this node, as the engine decides it.
pub(crate) fn is_readable(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    !rewriter.is_opaque(node)
        && !rewriter.is_broken(node)
        && !node
            .parent()
            .is_some_and(|parent| parent.is_error() && parent.parent().is_some())
}

/// The nearest neighbour before that is not a comment.
pub(crate) fn previous(node: Node<'_>) -> Option<Node<'_>> {
    let mut before = node.prev_named_sibling();
    while before.is_some_and(|node| node.kind() == "comment") {
        before = before.and_then(|node| node.prev_named_sibling());
    }
    before
}

/// The nearest neighbour behind that is not a comment.
pub(crate) fn following(node: Node<'_>) -> Option<Node<'_>> {
    let mut after = node.next_named_sibling();
    while after.is_some_and(|node| node.kind() == "comment") {
        after = after.and_then(|node| node.next_named_sibling());
    }
    after
}

/// Control statements whose body may be a single statement.
fn is_control(kind: &str) -> bool {
    matches!(
        kind,
        "if_statement"
            | "else_clause"
            | "while_statement"
            | "do_statement"
            | "for_statement"
            | "for_range_loop"
            | "switch_statement"
    )
}

/// Whether the parser did not find the end of a statement: what follows may belong to it.
fn is_unfinished(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    if !node.has_error() {
        return false;
    }
    if node.kind().starts_with("preproc_") {
        return true;
    }
    if !rewriter.is_broken(node) {
        return false;
    }
    let mut last = node;
    while let Some(inner) = last
        .child_count()
        .checked_sub(1)
        .and_then(|at| last.child(at))
    {
        last = inner;
    }
    let end = rewriter.source[..node.end_byte()].last();
    last.is_missing() || !matches!(end, Some(b';' | b'}'))
}

/// Whether a statement may be put in front of this one: it stands in a block, or in a body that
/// gets braces, of a function that is traced, and what comes before it was understood.
pub(crate) fn takes_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let Some(block) = statement_place(rewriter, node) else {
        return false;
    };
    Frame::around(rewriter, block).is_some()
}

fn statement_place<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut inner = node;
    let mut parent = rewriter.parent(node);
    while let Some(outer) = parent {
        if previous(inner).is_some_and(|before| is_unfinished(rewriter, before)) {
            return None;
        }
        match outer.kind() {
            "case_statement" => {}
            "labeled_statement" if inner.kind() != "declaration" => {}
            "compound_statement" => {
                // Declarations of a switch before its first label are never run.
                let in_switch = rewriter
                    .parent(outer)
                    .is_some_and(|parent| parent.kind() == "switch_statement");
                let skipped = in_switch
                    && inner.kind() != "case_statement"
                    && inner.kind() != "labeled_statement";
                return (!skipped).then_some(outer);
            }
            "preproc_if" | "preproc_ifdef" | "preproc_else" | "preproc_elif"
            | "preproc_elifdef" => {
                if outer.has_error() {
                    return None;
                }
            }
            kind if is_control(kind) => {
                let is_body = kind == "else_clause"
                    || ["body", "consequence"].iter().any(|field| {
                        outer
                            .child_by_field_name(field)
                            .is_some_and(|body| body == inner)
                    });
                if !is_body {
                    return None;
                }
                let control = if kind == "else_clause" {
                    rewriter.parent(outer)
                } else {
                    Some(outer)
                };
                return control
                    .filter(|control| is_readable(rewriter, *control))
                    .map(|_| outer);
            }
            _ => return None,
        }
        inner = outer;
        parent = rewriter.parent(outer);
    }
    None
}

/// Puts `text` at the start of a body, which gets braces if it has none.
pub(crate) fn open_body<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>, text: &str) {
    if body.kind() == "compound_statement" {
        let extent = body.end_byte() - body.start_byte();
        let mut at = body.start_byte() + 1;
        // GNU's declarations of labels come before anything else.
        let mut cursor = body.walk();
        for child in body.named_children(&mut cursor) {
            if !rewriter.source[child.start_byte()..].starts_with(b"__label__") {
                break;
            }
            at = child.end_byte();
        }
        rewriter.open_at(at, extent, text);
    } else {
        rewriter.enclose(body, "{", "}");
        rewriter.open(body, text);
    }
}

/// The statement that runs first in a body, if its step can be told by whatever opens the body.
pub(crate) fn first_statement<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>) -> Option<Node<'a>> {
    let first = if body.kind() == "compound_statement" {
        let mut cursor = body.walk();
        body.named_children(&mut cursor)
            .find(|child| child.kind() != "comment")?
    } else {
        body
    };
    crate::steps::has_step(rewriter, first).then_some(first)
}

/// Whether an expression is evaluated when the program runs, in a place where calls may stand, in
/// a function that is traced.
pub(crate) fn is_evaluated<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let facts = FileFacts::of(rewriter);
    let mut inner = node;
    while let Some(outer) = rewriter.parent(inner) {
        match outer.kind() {
            "function_definition" | "lambda_expression" => {
                let is_body = outer
                    .child_by_field_name("body")
                    .is_some_and(|body| body == inner);
                let captures = outer
                    .child_by_field_name("captures")
                    .is_some_and(|list| list == inner);
                if is_body {
                    return Frame::around(rewriter, node).is_some();
                }
                if !captures {
                    return false;
                }
            }
            "argument_list" => {
                let Some(call) = rewriter.parent(outer) else {
                    return false;
                };
                if let Some(name) = call.child_by_field_name("function")
                    && name.kind() == "identifier"
                    && facts.may_be_macro(&rewriter.text(name))
                {
                    return false;
                }
            }
            "declaration" if !crate::steps::is_dynamic(rewriter, outer) => return false,
            "array_declarator"
            | "abstract_array_declarator"
            | "new_declarator"
            | "subscript_designator"
            | "parameter_declaration"
            | "optional_parameter_declaration"
            | "field_declaration"
            | "field_initializer_list"
            | "type_descriptor"
            | "ERROR" => return false,
            "if_statement" => {
                let is_constant = rewriter.source[outer.start_byte()..inner.start_byte()]
                    .windows(9)
                    .any(|window| window == b"constexpr");
                let is_condition = outer
                    .child_by_field_name("condition")
                    .is_some_and(|condition| condition == inner);
                if is_constant && is_condition {
                    return false;
                }
            }
            _ => {}
        }
        inner = outer;
    }
    false
}

/// Whether a statement is the last of a statement expression, whose value it is: nothing may be
/// put behind it.
pub(crate) fn is_result(statement: Node<'_>) -> bool {
    let expression = statement
        .parent()
        .filter(|block| block.kind() == "compound_statement")
        .and_then(|block| block.parent())
        .is_some_and(|parent| parent.kind() == "parenthesized_expression");
    expression && following(statement).is_none()
}

/// Strips parentheses, those of a condition too.
pub(crate) fn inside_parentheses(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    loop {
        let inner = match node.kind() {
            "parenthesized_expression" => node.named_child(0),
            "condition_clause" => node.child_by_field_name("value"),
            _ => None,
        };
        match inner {
            Some(inner) if inner.kind() != "comment" => node = inner,
            _ => return node,
        }
    }
}

/// Whether a condition may be decided by the compiler, which then drops code that would not link.
pub(crate) fn may_be_constant(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" => {
            let name = rewriter.text(node);
            is_shouting(&name) || name == "consteval"
        }
        "call_expression"
        | "subscript_expression"
        | "field_expression"
        | "assignment_expression"
        | "update_expression"
        | "pointer_expression"
        | "this" => node.child_by_field_name("function").is_some_and(|callee| {
            let name = rewriter.text(callee);
            is_shouting(&name) || name == "__builtin_constant_p"
        }),
        "sizeof_expression" => true,
        _ => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .all(|child| may_be_constant(rewriter, child))
        }
    }
}
