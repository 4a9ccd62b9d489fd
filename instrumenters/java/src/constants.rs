//! Which expressions the compiler may work out itself, and which cannot be interrupted.
//!
//! A constant expression decides what can be reached and what is assigned for certain, so that it
//! must stay what it is.

use tracer_instrument::{Node, Rewriter};

use crate::syntax::{bare, contains, parts};
use crate::types::Names;

/// Whether an expression may be a constant expression.
pub(crate) fn may_be_constant(r: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let names = Names::of(r);
    constant(r, &names, node)
}

fn constant(r: &Rewriter<'_>, names: &Names, node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" => names.may_be_constant(&r.text(node)),
        "field_access" => {
            let object = node.child_by_field_name("object");
            object.is_some_and(|object| matches!(object.kind(), "identifier" | "field_access"))
                && node
                    .child_by_field_name("field")
                    .is_some_and(|field| names.may_be_constant(&r.text(field)))
        }
        "binary_expression"
        | "unary_expression"
        | "parenthesized_expression"
        | "ternary_expression" => parts(node).into_iter().all(|part| constant(r, names, part)),
        "cast_expression" => node
            .child_by_field_name("value")
            .is_some_and(|value| constant(r, names, value)),
        "true" | "false" | "string_literal" | "character_literal" => true,
        kind => kind.ends_with("_literal") && kind != "null_literal" && kind != "class_literal",
    }
}

/// Whether a condition holds for certain: `Some(false)` for conditions that no compiler knows.
pub(crate) fn is_always(r: &mut Rewriter<'_>, condition: Node<'_>) -> Option<bool> {
    let condition = bare(condition);
    if condition.kind() == "true" {
        Some(true)
    } else if may_be_constant(r, condition) {
        None
    } else {
        Some(false)
    }
}

/// Whether a condition may go through a call: it is no constant, binds no pattern variable, and
/// assigns nothing that later code relies on.
pub(crate) fn may_be_wrapped(r: &mut Rewriter<'_>, condition: Node<'_>) -> bool {
    let special = |node: Node<'_>| match node.kind() {
        "instanceof_expression" => {
            node.child_by_field_name("name").is_some()
                || node.child_by_field_name("pattern").is_some()
        }
        "assignment_expression" => true,
        _ => false,
    };
    !special(condition) && !contains(condition, &special) && !may_be_constant(r, condition)
}

/// Whether evaluating an expression runs no probe and cannot fail: what is reported right after it
/// may then tell of the step before it too.
pub(crate) fn is_quiet(r: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let names = Names::of(r);
    quiet(r, &names, node)
}

fn quiet(r: &Rewriter<'_>, names: &Names, node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" | "this" | "true" | "false" | "lambda_expression" | "class_literal" => true,
        "field_access" => node
            .child_by_field_name("object")
            .is_some_and(|object| object.kind() == "this"),
        "binary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |operator| operator.kind());
            let plain = |part: Node<'_>| arithmetic(r, names, part);
            match operator {
                "==" | "!=" => parts(node).into_iter().all(|part| {
                    quiet(r, names, part)
                        && matches!(bare(part).kind(), "identifier" | "null_literal")
                        || plain(part)
                }),
                "&&" | "||" | "/" | "%" => false,
                _ => parts(node).into_iter().all(plain),
            }
        }
        "unary_expression" => parts(node)
            .into_iter()
            .all(|part| arithmetic(r, names, part)),
        "parenthesized_expression" => parts(node).into_iter().all(|part| quiet(r, names, part)),
        kind => kind.ends_with("_literal"),
    }
}

/// Whether an expression is arithmetic on primitives alone: an object's `+` may call its
/// `toString`, and a box may be null.
fn arithmetic(r: &Rewriter<'_>, names: &Names, node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" => names.is_primitive(&r.text(node)),
        "string_literal" | "null_literal" | "this" | "lambda_expression" | "class_literal"
        | "field_access" => false,
        "parenthesized_expression" => parts(node)
            .into_iter()
            .all(|part| arithmetic(r, names, part)),
        _ => quiet(r, names, node),
    }
}
