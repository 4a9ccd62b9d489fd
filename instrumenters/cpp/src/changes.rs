//! `VAR`: what a call left in the object it was made on or was given, and what was read from a
//! stream.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Detail;

use crate::context::{is_readable, is_result, takes_statement};
use crate::facts::FileFacts;
use crate::operands::is_path;
use crate::writes::var;

/// Methods of the library's containers that change them.
const CHANGES: &[&str] = &[
    "append",
    "assign",
    "clear",
    "emplace",
    "emplace_back",
    "emplace_front",
    "erase",
    "insert",
    "insert_or_assign",
    "merge",
    "pop",
    "pop_back",
    "pop_front",
    "push",
    "push_back",
    "push_front",
    "remove",
    "remove_if",
    "replace",
    "reset",
    "resize",
    "reverse",
    "shrink_to_fit",
    "sort",
    "splice",
    "swap",
    "try_emplace",
    "unique",
];

/// Functions that change what they are given, by name without `std::`.
const CHANGERS: &[&str] = &[
    "fill",
    "getline",
    "iota",
    "nth_element",
    "partial_sort",
    "random_shuffle",
    "reverse",
    "rotate",
    "shuffle",
    "sort",
    "stable_sort",
    "swap",
    "make_heap",
    "push_heap",
    "pop_heap",
    "next_permutation",
    "prev_permutation",
    "transform",
];

/// Hook: a call, as a whole statement. What it is made on, or the containers that it is given, may
/// have changed.
pub(crate) fn call<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) {
        return;
    }
    let Some(statement) = node
        .parent()
        .filter(|parent| parent.kind() == "expression_statement" && !is_result(*parent))
    else {
        return;
    };
    let Some(callee) = node.child_by_field_name("function") else {
        return;
    };
    let mut changed = Vec::new();
    if callee.kind() == "field_expression" {
        let method = callee.child_by_field_name("field");
        let known = method.is_some_and(|method| CHANGES.contains(&&*rewriter.text(method)));
        if let Some(object) = callee.child_by_field_name("argument").filter(|_| known) {
            changed.push(object);
        }
    } else {
        let name = rewriter.text(callee).into_owned();
        let bare = name.rsplit("::").next().unwrap_or(&name);
        let own = FileFacts::of(rewriter).functions.contains(bare);
        let list = node.child_by_field_name("arguments");
        if let Some(list) = list.filter(|_| CHANGERS.contains(&bare) && !own) {
            let mut cursor = list.walk();
            for argument in list.named_children(&mut cursor) {
                changed.extend(whole(rewriter, argument));
            }
        }
    }
    tell(rewriter, node, statement, changed);
}

/// Hook: `in >> a >> b;`.
pub(crate) fn input<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>) {
    if !rewriter.wants(Detail::State) || is_result(statement) {
        return;
    }
    let Some(whole) = statement.named_child(0) else {
        return;
    };
    let mut read = Vec::new();
    let mut at = whole;
    while at.kind() == "binary_expression" {
        let part = |field| at.child_by_field_name(field);
        let (Some(left), Some(operator), Some(right)) =
            (part("left"), part("operator"), part("right"))
        else {
            return;
        };
        if operator.kind() != ">>" {
            return;
        }
        // Manipulators and temporaries hold nothing to show.
        if matches!(
            right.kind(),
            "identifier" | "field_expression" | "subscript_expression"
        ) && rewriter.text(right) != "ws"
        {
            read.push(right);
        }
        at = left;
    }
    read.reverse();
    if !read.is_empty() {
        tell(rewriter, whole, statement, read);
    }
}

/// Reports variables behind a statement.
fn tell<'a>(
    rewriter: &mut Rewriter<'a>,
    node: Node<'a>,
    statement: Node<'a>,
    changed: Vec<Node<'a>>,
) {
    let mut seen = Vec::new();
    let mut probes = String::new();
    for target in changed {
        let text = rewriter.text(target).into_owned();
        if !is_path(rewriter, target)
            || target.kind() == "this"
            || seen.contains(&text)
            || text.contains('\n')
            || !takes_statement(rewriter, statement)
            || !is_readable(rewriter, statement)
        {
            continue;
        }
        let site = var(rewriter, node, target);
        probes.push_str(&format!("_tr_v({site}u,{text});"));
        seen.push(text);
    }
    if !probes.is_empty() {
        rewriter.close(statement, probes);
    }
}

/// The container of `v.begin()`, or the variable itself.
fn whole<'a>(rewriter: &Rewriter<'a>, argument: Node<'a>) -> Option<Node<'a>> {
    match argument.kind() {
        "identifier" | "field_expression" | "subscript_expression" => Some(argument),
        "call_expression" => {
            let callee = argument.child_by_field_name("function")?;
            let method = rewriter.text(callee.child_by_field_name("field")?);
            let begins = matches!(&*method, "begin" | "end" | "rbegin" | "rend");
            callee.child_by_field_name("argument").filter(|_| begins)
        }
        _ => None,
    }
}
