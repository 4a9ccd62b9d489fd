//! `STEP`: a statement is about to run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context;

const ROLE: &str = "step";

/// Whether a statement reports its step: it does something at run time, and something can stand
/// in front of it.
pub(crate) fn has_step<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    let runs = matches!(
        node.kind(),
        "expression_statement"
            | "send_statement"
            | "inc_statement"
            | "dec_statement"
            | "assignment_statement"
            | "short_var_declaration"
            | "var_declaration"
            | "return_statement"
            | "go_statement"
            | "defer_statement"
            | "if_statement"
            | "for_statement"
            | "expression_switch_statement"
            | "type_switch_statement"
            | "select_statement"
            | "fallthrough_statement"
            | "break_statement"
            | "continue_statement"
            | "goto_statement"
    );
    runs && context::is_readable(rewriter, node) && context::place(rewriter, node).is_some()
}

/// Lets another event, which comes right before this statement, tell of its step.
pub(crate) fn imply<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>) -> Option<u32> {
    if !rewriter.wants(Detail::Lines) || !has_step(rewriter, statement) {
        return None;
    }
    Some(rewriter.site_of(Kind::Step, statement, ROLE))
}

/// Lets the last event of a statement tell of the step that follows.
pub(crate) fn chain_next<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>, site: u32) {
    if let Some(next) = context::following(rewriter, statement)
        && let Some(step) = imply(rewriter, next)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
}

/// Whether evaluating an expression runs no probe and cannot fail: what is reported right after it
/// may then tell of the step before it too.
fn is_quiet(node: Node<'_>) -> bool {
    match node.kind() {
        "identifier"
        | "int_literal"
        | "float_literal"
        | "imaginary_literal"
        | "rune_literal"
        | "interpreted_string_literal"
        | "raw_string_literal"
        | "true"
        | "false"
        | "nil"
        | "comment"
        | "func_literal" => true,
        "binary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |node| node.kind());
            !matches!(operator, "&&" | "||" | "/" | "%" | "<<" | ">>") && parts_are_quiet(node)
        }
        "unary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |node| node.kind());
            operator != "<-" && parts_are_quiet(node)
        }
        "parenthesized_expression" | "expression_list" => parts_are_quiet(node),
        _ => false,
    }
}

fn parts_are_quiet(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).all(is_quiet)
}

/// Whether the event that a statement ends in, or begins with, tells of its step.
fn is_told_by_own_event<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    let part = |field| node.child_by_field_name(field);
    match node.kind() {
        "for_statement" => crate::loops::is_reported(node),
        "if_statement" => part("initializer").is_none() && part("condition").is_some_and(is_quiet),
        "short_var_declaration" | "assignment_statement" if rewriter.wants(Detail::State) => {
            let operator = part("operator").map_or("", |node| node.kind());
            !matches!(operator, "/=" | "%=" | "<<=" | ">>=")
                && part("right").is_some_and(is_quiet)
                && part("left").is_some_and(|left| {
                    let mut cursor = left.walk();
                    let plain = left
                        .named_children(&mut cursor)
                        .all(|target| target.kind() == "identifier");
                    plain && !context::identifiers(rewriter, left).is_empty()
                })
        }
        "var_declaration" if rewriter.wants(Detail::State) => {
            let mut cursor = node.walk();
            let specs: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
            let [spec] = specs[..] else { return false };
            spec.kind() == "var_spec"
                && spec.child_by_field_name("value").is_none_or(is_quiet)
                && spec
                    .child_by_field_name("name")
                    .is_some_and(|name| &*rewriter.text(name) != "_")
        }
        "inc_statement" | "dec_statement" if rewriter.wants(Detail::State) => node
            .named_child(0)
            .is_some_and(|target| target.kind() == "identifier"),
        _ => false,
    }
}

/// Lets a statement's own event tell of its step, if that can be and nothing else does.
pub(crate) fn absorb<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>, site: u32) {
    if rewriter.wants(Detail::Lines)
        && rewriter.known_site(statement, ROLE).is_none()
        && has_step(rewriter, statement)
        && is_told_by_own_event(rewriter, statement)
    {
        let step = rewriter.site_of(Kind::Step, statement, ROLE);
        rewriter.site_mut(site).chain.before.push(step);
    }
}

/// Hook: one statement.
pub(crate) fn step<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || rewriter.known_site(node, ROLE).is_some() {
        return;
    }
    if !has_step(rewriter, node) || is_told_by_own_event(rewriter, node) {
        return;
    }
    let Some(place) = context::place(rewriter, node) else {
        return;
    };
    let site = rewriter.site_of(Kind::Step, node, ROLE);
    rewriter.open(place, format!("_trw.S({site});"));
}
