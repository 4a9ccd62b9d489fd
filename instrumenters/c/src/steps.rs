//! `STEP`: a statement is about to run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, FileFacts, takes_statement};
use crate::definition::Definition;

const ROLE: &str = "step";

/// Whether a statement reports its step: it does something at run time, and something can stand
/// in front of it.
pub(crate) fn has_step(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    let runs = match node.kind() {
        "expression_statement" => node.named_child_count() > 0,
        "declaration" => declares_at_run_time(rewriter, node),
        "if_statement" | "switch_statement" | "while_statement" | "do_statement"
        | "for_statement" | "return_statement" | "break_statement" | "continue_statement"
        | "goto_statement" => true,
        _ => false,
    };
    runs && context::is_readable(rewriter, node) && takes_statement(rewriter, node)
}

/// Whether a declaration runs an initialiser.
pub(crate) fn declares_at_run_time(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    let mut initialised = false;
    for child in node.children(&mut cursor) {
        match child.kind() {
            "storage_class_specifier" if !matches!(&*rewriter.text(child), "auto" | "register") => {
                return false;
            }
            "type_qualifier" if rewriter.text(child) == "constexpr" => return false,
            "init_declarator" => initialised = true,
            _ => {}
        }
    }
    initialised
}

/// Lets another event, which comes right before this statement, tell of its step.
pub(crate) fn imply<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>) -> Option<u32> {
    if !rewriter.wants(Detail::Lines) || !has_step(rewriter, statement) {
        return None;
    }
    Some(rewriter.site_of(Kind::Step, statement, ROLE))
}

/// Whether evaluating an expression runs no probe and cannot fail: what is reported right after it
/// may then tell of the step before it too.
fn is_quiet(node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" | "number_literal" | "char_literal" | "string_literal" | "true" | "false"
        | "null" | "comment" | "sizeof_expression" => true,
        "binary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |node| node.kind());
            !matches!(operator, "&&" | "||" | "/" | "%") && parts_are_quiet(node)
        }
        "parenthesized_expression" | "unary_expression" | "initializer_list" => {
            parts_are_quiet(node)
        }
        "pointer_expression" => {
            node.child_by_field_name("operator")
                .is_some_and(|operator| operator.kind() == "&")
                && parts_are_quiet(node)
        }
        _ => false,
    }
}

fn parts_are_quiet(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).all(is_quiet)
}

/// Whether the event that a statement ends in, or begins with, tells of its step.
fn is_told_by_own_event<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let part = |field| node.child_by_field_name(field);
    match node.kind() {
        "while_statement" | "do_statement" | "for_statement" => part("body").is_some(),
        "if_statement" => {
            part("condition").is_some_and(is_quiet)
                && (part("alternative").is_some() || !crate::branches::else_may_follow(node))
        }
        "return_statement" => parts_are_quiet(node) && Definition::around(rewriter, node).is_some(),
        "declaration" if rewriter.wants(Detail::State) => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .filter(|child| child.kind() == "init_declarator")
                .all(|child| {
                    child.child_by_field_name("value").is_some_and(is_quiet)
                        && child
                            .child_by_field_name("declarator")
                            .is_some_and(|inner| context::declared_name(inner).is_some())
                })
        }
        "expression_statement" if rewriter.wants(Detail::State) && !context::is_result(node) => {
            let Some(write) = node.named_child(0) else {
                return false;
            };
            let (target, value) = match write.kind() {
                "update_expression" => (write.child_by_field_name("argument"), None),
                "assignment_expression" => (
                    write.child_by_field_name("left"),
                    write.child_by_field_name("right"),
                ),
                _ => return false,
            };
            target.is_some_and(|target| target.kind() == "identifier")
                && value.is_none_or(is_quiet)
                && !divides(write)
                && context::is_evaluated(rewriter, write)
        }
        _ => false,
    }
}

fn divides(node: Node<'_>) -> bool {
    node.child_by_field_name("operator")
        .is_some_and(|operator| matches!(operator.kind(), "/=" | "%="))
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
    let site = rewriter.site_of(Kind::Step, node, ROLE);
    let probe = FileFacts::of(rewriter).kept(format!("_tr_s({site}u)"));
    rewriter.open(node, probe + ";");
}
