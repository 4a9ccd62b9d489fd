//! `STEP`: a statement is about to run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, takes_statement};

const ROLE: &str = "step";

/// Whether a statement reports its step: it does something at run time, and something can stand
/// in front of it.
pub(crate) fn has_step<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let runs = match node.kind() {
        "expression_statement" => node.named_child_count() > 0,
        "declaration" => declares_at_run_time(rewriter, node),
        "if_statement"
        | "switch_statement"
        | "while_statement"
        | "do_statement"
        | "for_statement"
        | "for_range_loop"
        | "return_statement"
        | "break_statement"
        | "continue_statement"
        | "goto_statement"
        | "throw_statement"
        | "co_return_statement"
        | "co_yield_statement" => true,
        _ => false,
    };
    runs && context::is_readable(rewriter, node) && takes_statement(rewriter, node)
}

/// Whether a declaration makes its variables each time it is reached.
pub(crate) fn is_dynamic(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).all(|child| match child.kind() {
        "storage_class_specifier" => matches!(&*rewriter.text(child), "auto" | "register"),
        "type_qualifier" => !matches!(&*rewriter.text(child), "constexpr" | "constinit"),
        _ => true,
    })
}

/// Whether a declaration runs an initialiser or, as far as can be told, a constructor.
pub(crate) fn declares_at_run_time(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    if !is_dynamic(rewriter, node) {
        return false;
    }
    let of_class = node.child_by_field_name("type").is_some_and(|type_| {
        matches!(
            type_.kind(),
            "type_identifier" | "template_type" | "qualified_identifier"
        )
    });
    let mut cursor = node.walk();
    node.children_by_field_name("declarator", &mut cursor)
        .any(|declarator| {
            declarator.kind() == "init_declarator"
                || of_class && (declarator.kind() == "identifier" || constructs(declarator))
        })
}

/// Whether a declarator within a body is one of a variable, `list(size)`, that reads like one of a
/// function with unnamed parameters.
pub(crate) fn constructs(declarator: Node<'_>) -> bool {
    let within = declarator
        .parent()
        .and_then(|declaration| declaration.parent())
        .is_some_and(|outer| matches!(outer.kind(), "compound_statement" | "case_statement"));
    let Some(list) = declarator
        .child_by_field_name("parameters")
        .filter(|_| within && declarator.kind() == "function_declarator")
    else {
        return false;
    };
    let mut cursor = list.walk();
    let mut parameters = list.named_children(&mut cursor).peekable();
    parameters.peek().is_some()
        && parameters.all(|parameter| {
            parameter.kind() == "parameter_declaration"
                && parameter.named_child_count() == 1
                && parameter
                    .child_by_field_name("type")
                    .is_some_and(|type_| type_.kind() == "type_identifier")
        })
}

/// Lets another event, which comes right before this statement, tell of its step.
pub(crate) fn imply<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>) -> Option<u32> {
    if !rewriter.wants(Detail::Lines) || !has_step(rewriter, statement) {
        return None;
    }
    Some(rewriter.site_of(Kind::Step, statement, ROLE))
}

/// Whether evaluating an expression runs no probe and cannot fail: what is reported right after it
/// may then tell of the step before it too. Operators may be the program's own, so only names and
/// literals count.
fn is_quiet(node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" | "number_literal" | "char_literal" | "string_literal" | "true" | "false"
        | "null" | "comment" | "sizeof_expression" => true,
        "parenthesized_expression" => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor).all(is_quiet)
        }
        _ => false,
    }
}

/// Whether a declared type is a basic one, whose initialiser runs nothing of the program.
fn is_basic(node: Node<'_>) -> bool {
    node.child_by_field_name("type")
        .is_some_and(|type_| matches!(type_.kind(), "primitive_type" | "sized_type_specifier"))
}

/// Whether the event that a statement ends in, or begins with, tells of its step.
fn is_told_by_own_event<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let part = |field| node.child_by_field_name(field);
    match node.kind() {
        "while_statement" | "do_statement" | "for_statement" | "for_range_loop" => {
            part("body").is_some()
        }
        "declaration" if rewriter.wants(Detail::State) && is_basic(node) => {
            let mut cursor = node.walk();
            node.children_by_field_name("declarator", &mut cursor)
                .all(|child| {
                    child.kind() == "init_declarator"
                        && child.child_by_field_name("value").is_some_and(is_quiet)
                        && child
                            .child_by_field_name("declarator")
                            .is_some_and(|inner| inner.kind() == "identifier")
                })
        }
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
    let site = rewriter.site_of(Kind::Step, node, ROLE);
    rewriter.open(node, format!("_tr_s({site}u);"));
}
