//! `TRANSFORM`: what a call changed in the object it was made on or was given; `VAR`: what it left
//! in one that held nothing before, and what was read from a stream.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

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
    "inplace_merge",
    "make_heap",
    "next_permutation",
    "nth_element",
    "partial_sort",
    "pop_heap",
    "prev_permutation",
    "push_heap",
    "random_shuffle",
    "reverse",
    "rotate",
    "shuffle",
    "sort",
    "sort_heap",
    "stable_sort",
];

/// The same for what may hold nothing before, or is often no container.
const FILLERS: &[&str] = &["fill", "getline", "iota", "swap", "transform"];

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
    let mut is_known = true;
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
        is_known = !FILLERS.contains(&bare);
        let list = node.child_by_field_name("arguments");
        if let Some(list) = list.filter(|_| !own && (!is_known || CHANGERS.contains(&bare))) {
            let mut cursor = list.walk();
            for argument in list.named_children(&mut cursor) {
                changed.extend(whole(rewriter, argument));
            }
        }
    }
    let how = if is_known { How::Changed } else { How::Filled };
    tell(rewriter, node, statement, changed, how);
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
        tell(rewriter, whole, statement, read, How::Filled);
    }
}

/// What a statement does to an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// It held something before.
    Changed,
    /// What it held before is of no interest.
    Filled,
}

/// Whether reading a variable before a statement does nothing that reading it in the statement would
/// not have done first: an element of a map comes into being by it.
fn has_elements(node: Node<'_>) -> bool {
    node.kind() == "subscript_expression"
        || node
            .child_by_field_name("argument")
            .is_some_and(has_elements)
}

/// Reports variables behind a statement, and what was in them before.
fn tell<'a>(
    rewriter: &mut Rewriter<'a>,
    node: Node<'a>,
    statement: Node<'a>,
    changed: Vec<Node<'a>>,
    how: How,
) {
    let mut seen = Vec::new();
    let (mut before, mut after) = (String::new(), String::new());
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
        if how == How::Changed && !has_elements(target) {
            let site = rewriter.site(Kind::Transform, node);
            let name = rewriter.label(target);
            rewriter.set_names(site, [name]);
            let _ = write!(before, "_tr_cb({site}u,{text});");
            let _ = write!(after, "_tr_ca({site}u,{text});");
        } else {
            let site = var(rewriter, node, target);
            let _ = write!(after, "_tr_v({site}u,{text});");
        }
        seen.push(text);
    }
    if !before.is_empty() {
        rewriter.open_at(statement.start_byte(), 0, before);
    }
    if !after.is_empty() {
        rewriter.close(statement, after);
    }
}

/// The container of `v.begin()` or `std::begin(v)`, or the variable itself.
fn whole<'a>(rewriter: &Rewriter<'a>, argument: Node<'a>) -> Option<Node<'a>> {
    const ENDS: &[&str] = &["begin", "end", "rbegin", "rend"];
    match argument.kind() {
        "identifier" | "field_expression" | "subscript_expression" => Some(argument),
        "call_expression" => {
            let callee = argument.child_by_field_name("function")?;
            let Some(method) = callee.child_by_field_name("field") else {
                let name = rewriter.text(callee);
                let arguments = argument.child_by_field_name("arguments")?;
                return arguments
                    .named_child(0)
                    .filter(|_| {
                        name.rsplit("::")
                            .next()
                            .is_some_and(|end| ENDS.contains(&end))
                    })
                    .filter(|_| arguments.named_child_count() == 1);
            };
            let object = callee.child_by_field_name("argument");
            object.filter(|_| ENDS.contains(&&*rewriter.text(method)))
        }
        _ => None,
    }
}
