//! Suspension: `yield`, `yield from`, `await`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::blocks::{PREFIX, Place, insert_head};

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

/// Whether a `for` or `with` awaits by itself.
pub(crate) fn is_async(statement: Node<'_>) -> bool {
    statement
        .child(0)
        .is_some_and(|first| first.kind() == "async")
}

/// Sites of a statement's own waiting: the way out and, next in number, the way back.
pub(crate) fn waiting<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> u32 {
    let out = r.site(Kind::Out, statement);
    r.site(Kind::In, statement);
    out
}

/// `async with x:` waits on entering and on leaving. The completion pass adds the latter.
pub(crate) fn async_with<'a>(r: &mut Rewriter<'a>, node: Node<'a>, body: Node<'a>) {
    let mut cursor = node.walk();
    let clause = node
        .named_children(&mut cursor)
        .find(|child| child.kind() == "with_clause");
    let Some(clause) = clause else { return };
    let mut items = clause.walk();
    let items: Vec<_> = clause
        .named_children(&mut items)
        .filter(|item| item.kind() == "with_item")
        .collect();
    // Between several managers there is no place for a probe.
    let [item] = items[..] else { return };
    let Some(value) = item.child_by_field_name("value") else {
        return;
    };
    let manager = match value.kind() {
        "as_pattern" => value.named_child(0),
        _ => Some(value),
    };
    let Some(manager) = manager else { return };
    let out = waiting(r, node);
    r.wrap(manager, format!("_tr_d{out}(("), "))");
    insert_head(
        r,
        body,
        Place::Head,
        &format!("_tr_c{}(None)", out + 1),
        false,
    );
}

/// `async for` waits before each round: behind the iterable and at the end of the body, which the
/// completion pass adds, and before each of its own `continue`s.
pub(crate) fn async_for<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    iterable: Node<'a>,
    body: Node<'a>,
) {
    let out = waiting(r, node);
    r.wrap(iterable, format!("_tr_d{out}("), ")");
    insert_head(
        r,
        body,
        Place::Head,
        &format!("_tr_c{}(None)", out + 1),
        false,
    );
    continues(r, body, out);
}

fn continues(r: &mut Rewriter<'_>, node: Node<'_>, out: u32) {
    let mut cursor = node.walk();
    let children: Vec<_> = node.named_children(&mut cursor).collect();
    for child in children {
        match child.kind() {
            "continue_statement" => {
                r.open_at(child.start_byte(), PREFIX - 1, format!("_tr_d{out}(None);"));
            }
            "for_statement"
            | "while_statement"
            | "function_definition"
            | "class_definition"
            | "lambda" => {}
            _ => continues(r, child, out),
        }
    }
}
