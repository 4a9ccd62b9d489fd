//! Suspension: `yield`, `yield from`, `await`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

/// `yield` and `yield from`: suspended, then resumed with a value.
pub(crate) fn yield_expression<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let out = r.site(Kind::Out, node);
    let back = r.site(Kind::In, node);
    let value = node
        .named_child(0)
        .filter(|value| value.kind() != "comment");
    // Of one node's closers the last one made comes first.
    r.wrap(node, format!("_tr_c{back}(("), "))");
    match value {
        Some(value) => r.wrap(value, format!("_tr_d{out}(("), "))"),
        None => r.close(node, format!(" _tr_d{out}(None)")),
    }
}

/// `await`.
pub(crate) fn await_expression<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = node.named_child(0) else {
        return;
    };
    let out = r.site(Kind::Out, node);
    let back = r.site(Kind::In, node);
    r.wrap(value, format!("_tr_d{out}(("), "))");
    r.wrap(node, format!("_tr_c{back}(("), "))");
}
