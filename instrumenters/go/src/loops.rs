//! `LOOP`: entered, each iteration, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::branches::capture_all;
use crate::context::{self, identifiers, open_block};
use crate::steps;

const ROLE: &str = "loop";

/// Whether a loop can be reported.
pub(crate) fn is_reported(node: Node<'_>) -> bool {
    node.child_by_field_name("body").is_some()
}

/// What stands between `for` and the body.
fn header(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| !matches!(child.kind(), "block" | "comment"))
}

/// Whether a loop ends only by a jump.
fn is_endless(header: Option<Node<'_>>) -> bool {
    match header {
        None => true,
        Some(clause) => {
            clause.kind() == "for_clause" && clause.child_by_field_name("condition").is_none()
        }
    }
}

/// Whether a `break` leaves this loop.
fn is_broken_out_of(
    rewriter: &Rewriter<'_>,
    node: Node<'_>,
    label: Option<&str>,
    own: bool,
) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| match child.kind() {
            "break_statement" => match child.named_child(0) {
                Some(name) => label.is_some_and(|label| rewriter.text(name) == label),
                None => own,
            },
            "func_literal" => false,
            "for_statement"
            | "expression_switch_statement"
            | "type_switch_statement"
            | "select_statement" => is_broken_out_of(rewriter, child, label, false),
            _ => is_broken_out_of(rewriter, child, label, own),
        })
}

/// Hook: `for`.
pub(crate) fn loop_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if !rewriter.wants(Detail::Lines) {
        return;
    }
    let Some(place) = context::place(rewriter, node) else {
        return;
    };
    let header = header(node);
    let site = rewriter.site_of(Kind::Loop, node, ROLE);
    if let Some(header) = header {
        let text = rewriter.label(header);
        rewriter.site_mut(site).text = text;
    }
    rewriter.enter_loop(node, site);
    steps::absorb(rewriter, node, site);
    if let Some(first) = context::first_statement(rewriter, body)
        && let Some(step) = steps::imply(rewriter, first)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
    rewriter.open(place, format!("_trw.LE({site});"));
    let targets = if rewriter.wants(Detail::State) {
        targets(rewriter, header)
    } else {
        Vec::new()
    };
    let probe = if targets.is_empty() {
        format!("_trw.Ln({site},0);")
    } else {
        let names: Vec<String> = targets.iter().map(|node| rewriter.label(*node)).collect();
        let captured = capture_all(rewriter, &targets);
        rewriter.set_names(site, names);
        format!(
            "if _trw.Ln({site},{}){{{captured}_trw.Z()}};",
            targets.len()
        )
    };
    open_block(rewriter, body, &probe);
    let label = context::label(rewriter, node);
    if is_endless(header) && !is_broken_out_of(rewriter, body, label.as_deref(), true) {
        return;
    }
    rewriter.close(node, format!(";_trw.LX({site})"));
    if let Some(next) = context::following(rewriter, node)
        && let Some(step) = steps::imply(rewriter, next)
    {
        rewriter.site_mut(site).chain.after_left.push(step);
    }
}

/// The variables that each iteration sets.
fn targets<'a>(rewriter: &Rewriter<'a>, header: Option<Node<'a>>) -> Vec<Node<'a>> {
    let left = header.and_then(|header| match header.kind() {
        "for_clause" => header
            .child_by_field_name("initializer")
            .and_then(|initializer| initializer.child_by_field_name("left")),
        "range_clause" => header.child_by_field_name("left"),
        _ => None,
    });
    left.map(|left| identifiers(rewriter, left))
        .unwrap_or_default()
}
