//! `LOOP`: entered, each iteration, left.
//!
//! `while` and `for` are left behind themselves; a `loop`, which may have a value, at each `break`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::branches::tell_bound;
use crate::context::{self, is_statement, is_tail, open_body, runs};
use crate::patterns::{bindings, values};
use crate::steps;

const ROLE: &str = "loop";

/// Whether a loop stands where statements do, so that probes can stand beside it.
fn stands_free<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    let Some(parent) = rewriter.parent(node) else {
        return false;
    };
    match parent.kind() {
        "expression_statement" => {
            is_statement(rewriter, parent)
                && rewriter.source.get(parent.end_byte() - 1) != Some(&b';')
                && context::attributes(rewriter.source, parent).is_empty()
        }
        "block" => context::attributes(rewriter.source, node).is_empty(),
        _ => false,
    }
}

/// Hook: `while`, `for`, `loop`.
pub(crate) fn loop_expression<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if !rewriter.wants(Detail::Lines) || !runs(rewriter, node) {
        return;
    }
    let site = rewriter.site_of(Kind::Loop, node, ROLE);
    let head = node
        .child_by_field_name("condition")
        .or_else(|| node.child_by_field_name("value"));
    if let Some(head) = head {
        let text = rewriter.label(head);
        rewriter.site_mut(site).text = text;
    }
    rewriter.enter_loop(node, site);
    let mut names = Vec::new();
    if let Some(pattern) = node.child_by_field_name("pattern")
        && rewriter.wants(Detail::State)
    {
        names = bindings(rewriter, pattern);
    }
    let mut probe = if names.is_empty() {
        format!("_tr::li({site});")
    } else {
        let count = names.len();
        format!("if _tr::ln({site},{count}){{{}_tr::z();}}", values(&names))
    };
    rewriter.set_names(site, names);
    let mut implies = true;
    if let Some(condition) = node.child_by_field_name("condition") {
        let bound = tell_bound(rewriter, condition);
        implies = bound.is_empty();
        probe.push_str(&bound);
    }
    open_body(rewriter, body, &probe);
    if implies && let Some(step) = steps::imply_first(rewriter, body) {
        rewriter.site_mut(site).chain.after.push(step);
    }
    let free = stands_free(rewriter, node);
    let is_loop = node.kind() == "loop_expression";
    let last = rewriter
        .parent(node)
        .map(|parent| {
            if parent.kind() == "block" {
                node
            } else {
                parent
            }
        })
        .is_some_and(|statement| is_tail(rewriter, statement));
    let (before, behind) = (format!("_tr::le({site});"), format!("_tr::lx({site});"));
    match (is_loop, free) {
        // A last `loop` may be its block's value, and a result that is wrapped.
        (true, true) if !last => rewriter.open(node, before),
        (true, _) => rewriter.wrap(node, format!("{{{before}"), "}"),
        (false, true) => rewriter.wrap(node, before, behind),
        (false, false) => rewriter.wrap(node, format!("{{{before}"), format!("{behind}}}")),
    }
}

/// The loop that a `break` leaves.
fn target<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let label_of = |node: Node<'a>| {
        let mut cursor = node.walk();
        let label = node
            .named_children(&mut cursor)
            .find(|child| child.kind() == "label");
        label.map(|label| rewriter.text(label).into_owned())
    };
    let label = label_of(node);
    let mut outer = rewriter.parent(node);
    while let Some(parent) = outer {
        match parent.kind() {
            "loop_expression" | "while_expression" | "for_expression"
                if label.is_none() || label_of(parent) == label =>
            {
                return Some(parent);
            }
            "block" if label.is_some() && label_of(parent) == label => return None,
            "function_item" | "closure_expression" | "async_block" => return None,
            _ => {}
        }
        outer = rewriter.parent(parent);
    }
    None
}

/// Hook: `break`.
pub(crate) fn leave<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || !runs(rewriter, node) {
        return;
    }
    let Some(target) = target(rewriter, node).filter(|node| node.kind() == "loop_expression")
    else {
        return;
    };
    let Some(site) = rewriter.known_site(target, ROLE) else {
        return;
    };
    let free = rewriter.parent(node).is_some_and(|parent| {
        parent.kind() == "block" && context::attributes(rewriter.source, node).is_empty()
            || parent.kind() == "expression_statement"
                && context::attributes(rewriter.source, parent).is_empty()
    });
    if free {
        rewriter.open(node, format!("_tr::lx({site});"));
    } else {
        rewriter.wrap(node, format!("{{_tr::lx({site});"), "}");
    }
}
