//! Which statement is certain to begin right after an event, so that it needs no probe of its own.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{first_statement, is_readable, takes_statement};

pub(crate) const STEP: &str = "step";

/// Whether a statement reports its step.
pub(crate) fn has_step<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    if !r.wants(Detail::Lines) {
        return false;
    }
    let runs = match node.kind() {
        "expression_statement"
        | "if_statement"
        | "switch_statement"
        | "while_statement"
        | "do_statement"
        | "for_statement"
        | "foreach_statement"
        | "return_statement"
        | "break_statement"
        | "continue_statement"
        | "goto_statement"
        | "throw_statement"
        | "try_statement"
        | "using_statement"
        | "lock_statement"
        | "fixed_statement"
        | "yield_statement" => true,
        "local_declaration_statement" => initialises(r, node),
        _ => false,
    };
    runs && is_readable(r, node) && takes_statement(r, node)
}

/// Whether a declaration runs an initialiser.
fn initialises(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    !crate::context::has_word(r, node, "const")
        && crate::writes::declarators(node)
            .iter()
            .any(|declarator| crate::writes::initial_value(*declarator).is_some())
}

/// Lets another event, which comes right before this statement, tell of its step.
fn imply<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Vec<u32> {
    if !has_step(r, statement) {
        return Vec::new();
    }
    vec![r.site_of(Kind::Step, statement, STEP)]
}

/// The step of the first statement of a body.
pub(crate) fn first_of<'a>(r: &mut Rewriter<'a>, body: Node<'a>) -> Vec<u32> {
    first_statement(body).map_or_else(Vec::new, |first| imply(r, first))
}

/// The step of the statement behind one, if nothing can come between.
pub(crate) fn next_of<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Vec<u32> {
    let Some(parent) = r.parent(statement) else {
        return Vec::new();
    };
    if !matches!(
        parent.kind(),
        "block" | "switch_section" | "global_statement"
    ) {
        return Vec::new();
    }
    let list = r.children(parent);
    let next = list
        .place(statement)
        .and_then(|place| list.nodes.get(place + 1).copied());
    next.map_or_else(Vec::new, |next| imply(r, next))
}

/// Whether evaluating an expression runs no probe and cannot fail: what is reported right after it
/// may then tell of the step before it too.
pub(crate) fn is_quiet<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    match node.kind() {
        "identifier" => crate::facts::is_local(r, node),
        "integer_literal"
        | "real_literal"
        | "string_literal"
        | "boolean_literal"
        | "character_literal"
        | "null_literal"
        | "verbatim_string_literal"
        | "this" => true,
        "binary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |node| node.kind());
            !matches!(operator, "&&" | "||" | "/" | "%" | "??") && parts_are_quiet(r, node)
        }
        "parenthesized_expression" => parts_are_quiet(r, node),
        "prefix_unary_expression" => {
            !matches!(crate::context::operator_of(node), "++" | "--" | "*")
                && parts_are_quiet(r, node)
        }
        _ => false,
    }
}

pub(crate) fn parts_are_quiet<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let mut cursor = node.walk();
    let parts: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
    parts.into_iter().all(|child| is_quiet(r, child))
}

/// Lets a statement's own event tell of its step, if nothing else does.
pub(crate) fn absorb<'a>(r: &mut Rewriter<'a>, statement: Node<'a>, site: u32) {
    if has_step(r, statement) && r.known_site(statement, STEP).is_none() {
        let step = r.site_of(Kind::Step, statement, STEP);
        r.site_mut(site).chain.before.push(step);
    }
}
