//! `STEP`: a statement is about to run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, is_conditional, is_statement, runs};

const ROLE: &str = "step";

/// Whether a statement reports its step.
fn has_step<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    if !is_statement(rewriter, node)
        || rewriter.is_broken(node)
        || is_conditional(rewriter, node)
        || node.kind() == "let_declaration" && node.child_by_field_name("value").is_none()
    {
        return false;
    }
    runs(rewriter, node)
}

/// Lets another event, which comes right before this statement, tell of its step.
pub(crate) fn imply<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>) -> Option<u32> {
    if !rewriter.wants(Detail::Lines) || !has_step(rewriter, statement) {
        return None;
    }
    Some(rewriter.site_of(Kind::Step, statement, ROLE))
}

/// The same for the first statement of a body.
pub(crate) fn imply_first<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>) -> Option<u32> {
    let first = context::first_statement(rewriter, body)?;
    imply(rewriter, first)
}

/// Whether evaluating an expression runs no probe and cannot fail: what is reported right after it
/// may then tell of the step before it too.
fn is_quiet(node: Node<'_>) -> bool {
    match node.kind() {
        "integer_literal" | "float_literal" | "string_literal" | "char_literal"
        | "boolean_literal" | "identifier" | "raw_string_literal" | "unit_expression" => true,
        "reference_expression" | "parenthesized_expression" | "tuple_expression" => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .all(|child| child.kind() == "mutable_specifier" || is_quiet(child))
        }
        _ => false,
    }
}

/// Whether the event that a statement ends in tells of its step.
fn is_told_by_own_event<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    if !rewriter.wants(Detail::State) || !context::attributes(rewriter.source, node).is_empty() {
        return false;
    }
    node.kind() == "let_declaration"
        && node.child_by_field_name("alternative").is_none()
        && node.child_by_field_name("value").is_some_and(is_quiet)
        && node
            .child_by_field_name("pattern")
            .is_some_and(|pattern| !crate::patterns::bindings(rewriter, pattern).is_empty())
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
pub(crate) fn statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || rewriter.known_site(node, ROLE).is_some() {
        return;
    }
    if !has_step(rewriter, node) || is_told_by_own_event(rewriter, node) {
        return;
    }
    let site = rewriter.site_of(Kind::Step, node, ROLE);
    context::before(rewriter, node, format!("_tr::s({site});"));
}
