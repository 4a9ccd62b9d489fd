//! `STEP`: a statement is about to run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::chains::{self, STEP, has_step, is_quiet, parts_are_quiet};
use crate::context;
use crate::writes;

/// Whether the event that a statement begins or ends with tells of its step.
fn is_told_by_own_event<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    match node.kind() {
        "while_statement" | "do_statement" | "for_statement" | "foreach_statement" => true,
        "if_statement" => node
            .child_by_field_name("condition")
            .is_some_and(|condition| is_quiet(r, condition)),
        "return_statement" => parts_are_quiet(r, node) && crate::functions::tells_return(r, node),
        "local_declaration_statement" => writes::tells_declaration(r, node),
        "expression_statement" => writes::tells_write(r, node),
        _ => false,
    }
}

/// Hook: a statement that writes to a standard stream. The stream is watched from then on.
pub(crate) fn output<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(call) = node
        .named_child(0)
        .filter(|call| call.kind() == "invocation_expression")
    else {
        return;
    };
    let Some(callee) = call.child_by_field_name("function") else {
        return;
    };
    let text = r.text(callee);
    let text = text.strip_prefix("System.").unwrap_or(&text);
    let stream = match text {
        "Console.WriteLine" | "Console.Write" | "Console.Out.WriteLine" | "Console.Out.Write" => 1,
        "Console.Error.WriteLine" | "Console.Error.Write" => 2,
        "WriteLine" | "Write" if contains(r.source, b"using static System.Console") => 1,
        _ => return,
    };
    if context::takes_statement(r, node) && context::enclosing_function(r, node).is_some() {
        r.open(node, format!("_tr.Q({stream});"));
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Hook: one statement.
pub(crate) fn step<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !has_step(r, node) || r.known_site(node, STEP).is_some() || is_told_by_own_event(r, node) {
        return;
    }
    let site = r.site_of(Kind::Step, node, STEP);
    r.open(node, format!("_tr.S({site});"));
    if node.kind() == "try_statement"
        && let Some(body) = node.child_by_field_name("body")
    {
        r.site_mut(site).chain.after = chains::first_of(r, body);
    }
}

/// Hook: a statement with one inside it, which gets braces.
pub(crate) fn embedded<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    for body in context::bodies_of(node) {
        context::brace(r, body);
    }
}
