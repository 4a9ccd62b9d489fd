//! Which statement is certain to begin right after an event, so that it needs no probe of its own.
//!
//! Only where nothing can come between: not behind a condition, whose left-out visits would not
//! tell the arms apart.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::syntax::{file, is_block, is_echoed, is_list, is_misread};

/// Whether a statement has a site for its beginning.
pub(crate) fn is_stepped<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    if !r.wants(Detail::Lines)
        || r.is_broken(node)
        || r.is_opaque(node)
        || node.prev_sibling().is_some_and(|before| before.is_error())
        || (node.kind() == "if_statement" && is_misread(node))
    {
        return false;
    }
    match node.kind() {
        "expression_statement" => !is_echoed(r, node),
        "echo_statement"
        | "if_statement"
        | "switch_statement"
        | "for_statement"
        | "foreach_statement"
        | "while_statement"
        | "do_statement"
        | "try_statement"
        | "return_statement"
        | "break_statement"
        | "continue_statement"
        | "goto_statement"
        | "unset_statement"
        | "global_declaration"
        | "function_static_declaration"
        | "exit_statement" => true,
        _ => false,
    }
}

/// Declarations run nothing when they are passed.
fn is_passed_over(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "comment" | "function_definition" | "empty_statement" | "namespace_use_declaration"
    )
}

fn sites<'a>(r: &mut Rewriter<'a>, statement: Option<Node<'a>>) -> Vec<u32> {
    match statement {
        Some(statement) if is_stepped(r, statement) => {
            vec![r.site_of(Kind::Step, statement, "step")]
        }
        _ => Vec::new(),
    }
}

/// The first statement of a body.
pub(crate) fn first_of<'a>(r: &mut Rewriter<'a>, body: Node<'a>) -> Vec<u32> {
    if !is_block(body) {
        return sites(r, Some(body));
    }
    let mut cursor = body.walk();
    let first = body
        .named_children(&mut cursor)
        .find(|child| !is_passed_over(*child));
    sites(r, first)
}

/// The statement behind one of a list.
pub(crate) fn next_of<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Vec<u32> {
    let listed = r
        .parent(statement)
        .is_some_and(|parent| is_list(parent.kind()));
    // Between two statements that are counted, what was registered for ticks may run.
    if !listed || file(r).ticks {
        return Vec::new();
    }
    let mut next = statement.next_named_sibling();
    while let Some(sibling) = next.filter(|sibling| is_passed_over(*sibling)) {
        next = sibling.next_named_sibling();
    }
    sites(r, next)
}

/// Chains what follows a statement to the site of a write that is the last thing it does.
pub(crate) fn follow_write<'a>(r: &mut Rewriter<'a>, write: Node<'a>, site: u32) {
    let Some(statement) = r.parent(write) else {
        return;
    };
    if statement.kind() != "expression_statement" || is_echoed(r, statement) {
        return;
    }
    let next = next_of(r, statement);
    r.site_mut(site).chain.after = next;
}
