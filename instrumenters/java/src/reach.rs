//! Whether a statement can complete normally, by the rules of the language (JLS 14.22).
//!
//! Java refuses code that cannot be reached, so a probe behind a statement needs to know. `None`:
//! it hangs on a constant that only the compiler can work out.

use tracer_instrument::{Node, Rewriter};

use crate::constants::is_always;
use crate::syntax::parts;

/// Whether what follows a statement can be reached.
pub(crate) fn completes(r: &mut Rewriter<'_>, node: Node<'_>) -> Option<bool> {
    match node.kind() {
        "return_statement" | "throw_statement" | "break_statement" | "continue_statement"
        | "yield_statement" => Some(false),
        "block" | "constructor_body" | "switch_block_statement_group" => list(r, &parts(node)),
        "if_statement" => {
            let Some(alternative) = node.child_by_field_name("alternative") else {
                return Some(true);
            };
            let consequence = node.child_by_field_name("consequence")?;
            any(completes(r, consequence), completes(r, alternative))
        }
        "while_statement" => {
            let condition = node.child_by_field_name("condition")?;
            let always = is_always(r, condition);
            any(always.map(|always| !always), Some(has_break(r, node)))
        }
        "for_statement" => {
            let ends = match node.child_by_field_name("condition") {
                Some(condition) => is_always(r, condition).map(|always| !always),
                None => Some(false),
            };
            any(ends, Some(has_break(r, node)))
        }
        "do_statement" => {
            let body = node.child_by_field_name("body")?;
            let condition = node.child_by_field_name("condition")?;
            let goes_round = any(
                completes(r, body),
                Some(jumps(r, node, "continue_statement")),
            );
            let ends = is_always(r, condition).map(|always| !always);
            let at_end = both(goes_round, ends);
            any(at_end, Some(has_break(r, node)))
        }
        "labeled_statement" => {
            let inner = parts(node);
            let body = inner.last().copied()?;
            any(completes(r, body), Some(has_break(r, node)))
        }
        "switch_expression" => switch(r, node),
        "synchronized_statement" => {
            let body = node.child_by_field_name("body")?;
            completes(r, body)
        }
        "try_statement" | "try_with_resources_statement" => {
            let body = node.child_by_field_name("body")?;
            let mut whole = completes(r, body);
            for part in parts(node) {
                match part.kind() {
                    "catch_clause" => {
                        let body = part.child_by_field_name("body")?;
                        whole = any(whole, completes(r, body));
                    }
                    "finally_clause" => {
                        let block = parts(part).last().copied()?;
                        whole = both(whole, completes(r, block));
                    }
                    _ => {}
                }
            }
            whole
        }
        _ => Some(true),
    }
}

fn list(r: &mut Rewriter<'_>, statements: &[Node<'_>]) -> Option<bool> {
    // What stands behind a statement that does not complete would be refused: the last one decides.
    match statements.last() {
        Some(last) => completes(r, *last),
        None => Some(true),
    }
}

fn any(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn switch(r: &mut Rewriter<'_>, node: Node<'_>) -> Option<bool> {
    if has_break(r, node) || (!has_default(node) && !is_enhanced(node)) {
        return Some(true);
    }
    let body = node.child_by_field_name("body")?;
    let cases = parts(body);
    let Some(last) = cases.last() else {
        return Some(true);
    };
    if last.kind() == "switch_block_statement_group" {
        let statements: Vec<Node<'_>> = parts(*last)
            .into_iter()
            .filter(|part| part.kind() != "switch_label")
            .collect();
        return list(r, &statements);
    }
    let mut whole = Some(false);
    for rule in cases {
        let right = parts(rule).last().copied()?;
        whole = any(whole, completes(r, right));
    }
    whole
}

/// Whether a switch says what happens otherwise.
pub(crate) fn has_default(switch: Node<'_>) -> bool {
    labels(switch).into_iter().any(|label| {
        let mut cursor = label.walk();
        label
            .children(&mut cursor)
            .any(|child| child.kind() == "default")
    })
}

/// Whether a switch must cover everything: one with patterns or `null`.
pub(crate) fn is_enhanced(switch: Node<'_>) -> bool {
    labels(switch).into_iter().any(|label| {
        parts(label)
            .into_iter()
            .any(|part| matches!(part.kind(), "pattern" | "guard" | "null_literal"))
    })
}

/// The labels of a switch.
pub(crate) fn labels(switch: Node<'_>) -> Vec<Node<'_>> {
    let Some(body) = switch.child_by_field_name("body") else {
        return Vec::new();
    };
    parts(body)
        .into_iter()
        .flat_map(parts)
        .filter(|part| part.kind() == "switch_label")
        .collect()
}

fn has_break(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    jumps(r, node, "break_statement")
}

/// Whether a jump out of (or to the end of) this statement lies within it.
fn jumps(r: &Rewriter<'_>, node: Node<'_>, kind: &str) -> bool {
    let mut own: Vec<String> = Vec::new();
    let mut outer = node;
    if node.kind() == "labeled_statement" {
        own.extend(label(r, node));
    } else {
        while let Some(parent) = outer.parent().filter(|p| p.kind() == "labeled_statement") {
            own.extend(label(r, parent));
            outer = parent;
        }
    }
    let plain = node.kind() != "labeled_statement";
    within(r, node, kind, plain, &own)
}

fn label(r: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    parts(node).first().map(|label| r.text(*label).into_owned())
}

fn within(r: &Rewriter<'_>, node: Node<'_>, kind: &str, plain: bool, own: &[String]) -> bool {
    parts(node).into_iter().any(|child| {
        if child.kind() == kind {
            return match parts(child).first() {
                Some(target) => own.iter().any(|label| *label == r.text(*target)),
                None => plain,
            };
        }
        match child.kind() {
            "lambda_expression" | "class_body" | "class_declaration" => false,
            "while_statement" | "do_statement" | "for_statement" | "enhanced_for_statement" => {
                within(r, child, kind, false, own)
            }
            "switch_expression" => {
                within(r, child, kind, plain && kind == "continue_statement", own)
            }
            _ => within(r, child, kind, plain, own),
        }
    })
}
