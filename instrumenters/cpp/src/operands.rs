//! Which expressions can be read again beside the one that uses them: no code of the program's may
//! run twice.

use tracer_instrument::{Node, Rewriter};

use crate::facts::{FileFacts, is_shouting};

/// Most operands one branch tells.
const OPERANDS: usize = 4;

/// A variable, or a field of one: what is returned by it may be moved, so it must stay bare.
pub(crate) fn is_name(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" => {
            let name = rewriter.text(node);
            !FileFacts::of(rewriter).functions.contains(&*name)
        }
        "field_expression" => {
            let plain = node
                .child_by_field_name("field")
                .is_some_and(|field| field.kind() == "field_identifier");
            let base = node.child_by_field_name("argument");
            let method = node.child_by_field_name("field").is_some_and(|field| {
                FileFacts::of(rewriter)
                    .functions
                    .contains(&*rewriter.text(field))
            });
            plain
                && !method
                && base.is_some_and(|base| match operator(node) {
                    "." => is_name(rewriter, base),
                    "->" => base.kind() == "this",
                    _ => false,
                })
        }
        _ => false,
    }
}

fn operator(node: Node<'_>) -> &str {
    node.child_by_field_name("operator")
        .map_or("", |operator| operator.kind())
}

/// Whether an expression is a bit-field, which no reference can be bound to.
pub(crate) fn is_bit_field(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let name = match node.kind() {
        "field_expression" => node.child_by_field_name("field"),
        "identifier" => Some(node),
        _ => None,
    };
    name.is_some_and(|name| {
        FileFacts::of(rewriter)
            .bit_fields
            .contains(&*rewriter.text(name))
    })
}

/// `x`, `p->x`, `a[i].y`, `*p`: only names and constants, and no operator of the program's own.
pub(crate) fn is_path(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let part = |field| node.child_by_field_name(field);
    let facts = FileFacts::of(rewriter);
    match node.kind() {
        "number_literal" | "char_literal" | "this" => true,
        "parenthesized_expression" => node
            .named_child(0)
            .is_some_and(|inner| is_path(rewriter, inner)),
        "identifier" => is_name(rewriter, node),
        "field_expression" => {
            let base = part("argument");
            let plain = part("field").is_some_and(|field| {
                field.kind() == "field_identifier"
                    && !facts.functions.contains(&*rewriter.text(field))
            });
            let arrow = operator(node) == "->";
            plain
                && base.is_some_and(|base| {
                    (!arrow || base.kind() == "this" || !facts.own.arrows)
                        && is_path(rewriter, base)
                })
        }
        "subscript_expression" => {
            let index = part("indices").filter(|list| list.named_child_count() == 1);
            !facts.own.subscripts
                && part("argument").is_some_and(|base| is_path(rewriter, base))
                && index
                    .and_then(|list| list.named_child(0))
                    .is_some_and(|index| is_path(rewriter, index))
        }
        "pointer_expression" => {
            operator(node) == "*"
                && !facts.own.arrows
                && part("argument").is_some_and(|inner| is_path(rewriter, inner))
        }
        "binary_expression" => {
            matches!(operator(node), "+" | "-")
                && part("left").is_some_and(|left| is_path(rewriter, left))
                && part("right").is_some_and(|right| is_path(rewriter, right))
        }
        _ => false,
    }
}

/// The variables, fields and elements that a condition compares, if they can be read again right
/// after it: all of them were read, and nothing was changed or called.
pub(crate) fn operands<'a>(rewriter: &mut Rewriter<'a>, condition: Node<'a>) -> Vec<Node<'a>> {
    let mut found = Vec::new();
    if !collect(rewriter, condition, &mut found) {
        return Vec::new();
    }
    let mut seen = Vec::new();
    found.retain(|node| {
        let text = rewriter.text(*node).into_owned();
        let fresh = !seen.contains(&text) && !text.contains(['\n', '\\']);
        seen.push(text);
        fresh
    });
    found.truncate(OPERANDS);
    found
}

fn collect<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, found: &mut Vec<Node<'a>>) -> bool {
    match node.kind() {
        "identifier" => {
            if !is_name(rewriter, node) {
                return false;
            }
            let name = rewriter.text(node);
            if !is_shouting(&name) && name != "consteval" {
                found.push(node);
            }
            true
        }
        "field_expression" | "subscript_expression" | "pointer_expression" => {
            let simple = is_path(rewriter, node);
            if simple {
                found.push(node);
            }
            simple
        }
        "number_literal"
        | "char_literal"
        | "string_literal"
        | "true"
        | "false"
        | "null"
        | "comment"
        | "sizeof_expression"
        | "this"
        | "qualified_identifier" => true,
        "binary_expression" => {
            !matches!(operator(node), "&&" | "||" | "and" | "or" | "<<" | ">>")
                && parts(rewriter, node, found)
        }
        "parenthesized_expression" | "unary_expression" => parts(rewriter, node, found),
        "condition_clause" => {
            let value = node.child_by_field_name("value");
            value.is_some_and(|value| collect(rewriter, value, found))
        }
        // `if (auto p = f())`: what was declared.
        "declaration" => {
            let name = node
                .child_by_field_name("declarator")
                .and_then(crate::context::declared_name);
            found.extend(name);
            name.is_some()
        }
        "cast_expression" => node
            .child_by_field_name("value")
            .is_some_and(|value| collect(rewriter, value, found)),
        _ => false,
    }
}

fn parts<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, found: &mut Vec<Node<'a>>) -> bool {
    let mut cursor = node.walk();
    let children: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
    children
        .into_iter()
        .all(|child| collect(rewriter, child, found))
}

/// Captures of expressions for one record, each with a comma behind it.
pub(crate) fn capture_all<'a>(rewriter: &mut Rewriter<'a>, operands: &[Node<'a>]) -> String {
    operands
        .iter()
        .map(|operand| format!("_tr_a(0u,{}),", rewriter.text(*operand)))
        .collect()
}
