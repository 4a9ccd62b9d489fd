//! `STEP`: a statement is about to run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::constants::is_quiet;
use crate::syntax::{
    following, is_function, is_statement_switch, parts, takes_statement, with_labels,
};

const ROLE: &str = "step";

/// Whether a statement reports its step.
pub(crate) fn has_step<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let runs = match node.kind() {
        "expression_statement"
        | "if_statement"
        | "while_statement"
        | "do_statement"
        | "for_statement"
        | "enhanced_for_statement"
        | "return_statement"
        | "break_statement"
        | "continue_statement"
        | "throw_statement"
        | "try_statement"
        | "try_with_resources_statement"
        | "synchronized_statement"
        | "assert_statement"
        | "yield_statement" => true,
        "local_variable_declaration" => parts(node).into_iter().any(|part| {
            part.kind() == "variable_declarator" && part.child_by_field_name("value").is_some()
        }),
        "switch_expression" => is_statement_switch(r, node),
        _ => false,
    };
    runs && !r.is_broken(node) && !r.is_opaque(node) && takes_statement(r, node)
}

/// The statement that a label stands before.
fn labelled(node: Node<'_>) -> Node<'_> {
    let mut inner = node;
    while inner.kind() == "labeled_statement" {
        match parts(inner).last() {
            Some(last) => inner = *last,
            None => break,
        }
    }
    inner
}

/// Lets another event, which comes right before this statement, tell of its step.
pub(crate) fn imply<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Option<u32> {
    let statement = labelled(statement);
    if !r.wants(Detail::Lines) || !has_step(r, statement) {
        return None;
    }
    Some(r.site_of(Kind::Step, statement, ROLE))
}

/// Lets a statement's own event tell of its step, if nothing can come between and nothing else
/// tells it.
pub(crate) fn absorb<'a>(r: &mut Rewriter<'a>, statement: Node<'a>, site: u32) {
    if r.wants(Detail::Lines)
        && r.known_site(statement, ROLE).is_none()
        && has_step(r, statement)
        && is_told_by_own_event(r, statement)
    {
        let step = r.site_of(Kind::Step, statement, ROLE);
        r.site_mut(site).chain.before.push(step);
    }
}

/// Whether a `finally` runs between a return and the function's end.
fn waits<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut child = node;
    while let Some(parent) = r.parent(child).filter(|parent| !is_function(parent.kind())) {
        let last = parts(parent).last().copied();
        if parent.kind().starts_with("try_")
            && last.is_some_and(|last| last.kind() == "finally_clause" && last != child)
        {
            return true;
        }
        child = parent;
    }
    false
}

fn is_told_by_own_event<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    match node.kind() {
        "while_statement" | "do_statement" | "for_statement" | "enhanced_for_statement" => true,
        "return_statement" => {
            !waits(r, node) && parts(node).into_iter().all(|part| is_quiet(r, part))
        }
        "local_variable_declaration" if r.wants(Detail::State) => {
            let declarators: Vec<Node<'a>> = parts(node)
                .into_iter()
                .filter(|part| part.kind() == "variable_declarator")
                .collect();
            // With several, the first value is told before the others are worked out.
            declarators.len() == 1
                && declarators[0]
                    .child_by_field_name("name")
                    .is_some_and(|name| name.kind() == "identifier")
                && declarators[0]
                    .child_by_field_name("value")
                    .is_some_and(|value| is_quiet(r, value))
        }
        "expression_statement" if r.wants(Detail::State) => {
            let Some(write) = parts(node).into_iter().next() else {
                return false;
            };
            match write.kind() {
                "update_expression" => parts(write)
                    .into_iter()
                    .all(|operand| operand.kind() == "identifier"),
                "assignment_expression" => {
                    let left = write.child_by_field_name("left");
                    let right = write.child_by_field_name("right");
                    let plain = write
                        .child_by_field_name("operator")
                        .is_some_and(|operator| operator.kind() == "=");
                    plain
                        && left.is_some_and(|left| {
                            left.kind() == "identifier"
                                || (left.kind() == "field_access" && is_quiet(r, left))
                        })
                        && right.is_some_and(|right| is_quiet(r, right))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Lets the last event of a statement tell of the next one's step.
pub(crate) fn follow<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Vec<u32> {
    let outer = with_labels(r, statement);
    match following(r, outer) {
        Some(next) => imply(r, next).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Hook: one statement.
pub(crate) fn step<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines)
        || r.known_site(node, ROLE).is_some()
        || !has_step(r, node)
        || is_told_by_own_event(r, node)
    {
        return;
    }
    let site = r.site_of(Kind::Step, node, ROLE);
    let outer = with_labels(r, node);
    r.open(outer, format!("trc$.P.s({site});"));
}
