//! Coroutines: where they give up their turn, and where they go on.
//!
//! Told around the whole statement: an awaiter that is ready does not wait, which only it knows.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::takes_statement;
use crate::functions::Frame;

const ROLE: &str = "wait";

/// Hook: `co_yield`, `co_await` and `co_return`.
pub(crate) fn wait<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Calls) || Frame::around(rewriter, node).is_none() {
        return;
    }
    let mut statement = node;
    while !matches!(
        statement.kind(),
        "co_yield_statement" | "co_return_statement" | "expression_statement" | "declaration"
    ) {
        match rewriter.parent(statement) {
            Some(parent)
                if !parent.kind().ends_with("_expression")
                    || parent.kind() == "co_await_expression"
                    || parent.kind() == "call_expression" =>
            {
                statement = parent;
            }
            _ => return,
        }
        if statement.kind() == "compound_statement" || statement.kind().ends_with("_loop") {
            return;
        }
    }
    if rewriter.known_site(statement, ROLE).is_some() || !takes_statement(rewriter, statement) {
        return;
    }
    let site = rewriter.site_of(Kind::Out, statement, ROLE);
    if statement.kind() == "co_return_statement" {
        rewriter.open_at(statement.start_byte(), 0, format!("_tr_o({site}u);"));
        return;
    }
    // Innermost: other probes of the statement belong to the coroutine's own turn.
    rewriter.open_at(statement.start_byte(), 0, format!("_tr_y({site}u);"));
    rewriter.close_at(statement.end_byte(), 0, format!("_tr_yr({site}u);"));
}
