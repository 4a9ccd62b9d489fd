//! `STEP`: a statement is about to run.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, takes_statement};

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
            "storage_class_specifier" => {
                if !matches!(&*rewriter.text(child), "auto" | "register") {
                    return false;
                }
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

/// Hook: one statement.
pub(crate) fn step<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || rewriter.known_site(node, ROLE).is_some() {
        return;
    }
    if !has_step(rewriter, node) {
        return;
    }
    let site = rewriter.site_of(Kind::Step, node, ROLE);
    rewriter.open(node, format!("_tr_s({site}u);"));
}
