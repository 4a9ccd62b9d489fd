//! `TRANSFORM`: a call that stands as a statement and changes its receiver, or the container that it
//! is given.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::syntax::{parts, takes_statement};
use crate::types::Names;

/// Methods that change what they are called on.
const CHANGES: &[&str] = &[
    "add",
    "addAll",
    "addElement",
    "addFirst",
    "addLast",
    "append",
    "clear",
    "compute",
    "computeIfAbsent",
    "computeIfPresent",
    "delete",
    "deleteCharAt",
    "dequeue",
    "enqueue",
    "flip",
    "incrementAndGet",
    "getAndIncrement",
    "insert",
    "merge",
    "offer",
    "offerFirst",
    "offerLast",
    "poll",
    "pollFirst",
    "pollLast",
    "pop",
    "push",
    "put",
    "putAll",
    "putIfAbsent",
    "remove",
    "removeAll",
    "removeFirst",
    "removeIf",
    "removeLast",
    "replaceAll",
    "retainAll",
    "reverse",
    "set",
    "setCharAt",
    "setLength",
    "sort",
];

/// Static methods that change their first argument, by class.
const HELPERS: &[(&str, &[&str])] = &[
    ("Arrays", &["fill", "parallelSort", "setAll", "sort"]),
    (
        "Collections",
        &[
            "addAll",
            "fill",
            "replaceAll",
            "reverse",
            "rotate",
            "shuffle",
            "sort",
            "swap",
        ],
    ),
];

/// Hook: a call that is a statement.
pub(crate) fn mutation<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) || !takes_statement(r, node) {
        return;
    }
    let Some(call) = parts(node)
        .into_iter()
        .find(|part| part.kind() == "method_invocation")
    else {
        return;
    };
    let Some(container) = changed(r, call) else {
        return;
    };
    let name = r.text(container).into_owned();
    let site = r.site(Kind::Transform, node);
    r.open(node, format!("trc$.A.m({site},{name});"));
    r.close(node, format!("trc$.A.c({site},{name});"));
    r.set_names(site, [name]);
}

/// The variable whose contents a call may change.
fn changed<'a>(r: &mut Rewriter<'a>, call: Node<'a>) -> Option<Node<'a>> {
    let method = call.child_by_field_name("name")?;
    let method = r.text(method).into_owned();
    let object = call.child_by_field_name("object")?;
    let text = r.text(object).into_owned();
    if let Some((_, methods)) = HELPERS.iter().find(|(class, _)| *class == text) {
        let list = call.child_by_field_name("arguments")?;
        let first = parts(list).first().copied()?;
        return (methods.contains(&&*method) && is_variable(r, first)).then_some(first);
    }
    (CHANGES.contains(&&*method) && is_variable(r, object)).then_some(object)
}

/// A variable of this file's, or a field of `this`: reading it does nothing.
fn is_variable<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let names = Names::of(r);
    match node.kind() {
        "identifier" => names.is_variable(&r.text(node)),
        "field_access" => {
            node.child_by_field_name("object")
                .is_some_and(|object| object.kind() == "this")
                && node
                    .child_by_field_name("field")
                    .is_some_and(|field| names.is_variable(&r.text(field)))
        }
        _ => false,
    }
}
