//! `STDOUT`: where to look whether something was written.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Detail;

use crate::context::{is_result, takes_statement};
use crate::facts::{FileFacts, contains};

/// What a statement that writes holds, in practice.
const WRITERS: &[&[u8]] = &[
    b"<<", b"print", b"put", b"write", b"flush", b"cout", b"cerr", b"show", b"dump", b"perror",
];

/// Whether a statement may write.
pub(crate) fn may_print(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let text = &rewriter.source[node.start_byte()..node.end_byte()];
    WRITERS.iter().any(|writer| contains(text, writer)) && FileFacts::of(rewriter).watch_output
}

/// Hook: an expression statement.
pub(crate) fn output<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if rewriter.wants(Detail::Calls)
        && !is_result(node)
        && may_print(rewriter, node)
        && takes_statement(rewriter, node)
    {
        // Before whatever else is said after the statement.
        rewriter.close_at(node.end_byte(), 0, "_tr_p();");
    }
}
