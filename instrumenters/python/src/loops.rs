//! Loops and comprehensions.
//!
//! The completion pass adds what the text has no place for: a `for` loop's end by exhaustion, a
//! `while` loop's entry.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{
    Place, follow_block, follow_next, insert_head, statements, step_site, steps_in_header,
};
use crate::{branches, generators, targets};

/// `for` and `async for`.
pub(crate) fn for_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(left), Some(right), Some(body)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("right"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    if !r.wants(Detail::Lines) || statements(body).is_empty() {
        return;
    }
    let site = r.site(Kind::Loop, node);
    let mut names = Vec::new();
    if r.wants(Detail::State) {
        targets::names(r, left, &mut names);
    }
    r.set_names(site, names.clone());
    let label = r.label(right);
    r.site_mut(site).text = label;
    if generators::is_async(node) {
        generators::async_for(r, node, right, body);
    }
    r.wrap(right, format!("_tr_e{site}(("), "))");
    insert_head(
        r,
        body,
        Place::Head,
        &format!("_tr_l{site}({})", names.join(",")),
        false,
    );
    left_chain(r, node, body, site);
    r.enter_loop(node, site);
    r.site_mut(site).chain.after = follow_block(r, body);
}

/// What follows when the loop ends by itself.
fn left_chain<'a>(r: &mut Rewriter<'a>, node: Node<'a>, body: Node<'a>, site: u32) {
    let after = match node.child_by_field_name("alternative") {
        Some(other) if r.is_broken(other) => Vec::new(),
        Some(other) => match other.child_by_field_name("body") {
            Some(block) => follow_block(r, block),
            None => Vec::new(),
        },
        // A `break` comes to the next statement another way.
        None if breaks(body) => Vec::new(),
        None => follow_next(r, node),
    };
    r.site_mut(site).chain.after_left = after;
}

fn breaks(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| match child.kind() {
            "break_statement" => true,
            // Another loop's `break` is its own, but its `else` is ours.
            "for_statement" | "while_statement" => {
                child.child_by_field_name("alternative").is_some_and(breaks)
            }
            "function_definition" | "class_definition" | "lambda" => false,
            _ => breaks(child),
        })
}

/// `while`.
pub(crate) fn while_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(body)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    if !r.wants(Detail::Lines) || r.is_broken(condition) {
        return;
    }
    if is_endless(r, condition) {
        return endless(r, node, condition, body);
    }
    let site = branches::test(r, Kind::Loop, condition);
    if steps_in_header(r, node) {
        let step = step_site(r, node);
        r.wrap(condition, format!("_tr_s{step}() or ("), ")");
    }
    let span = r.span(node);
    let entry = r.site_mut(site);
    entry.arms.clear();
    entry.span = span;
    left_chain(r, node, body, site);
    r.enter_loop(node, site);
    r.site_mut(site).chain.after = follow_block(r, body);
}

/// Whether the compiler leaves the condition out. It must still see it.
fn is_endless(r: &Rewriter<'_>, condition: Node<'_>) -> bool {
    match condition.kind() {
        "true" => true,
        "integer" => r.text(condition).trim_start_matches('0') == "1",
        "parenthesized_expression" => condition
            .named_child(0)
            .is_some_and(|inner| is_endless(r, inner)),
        _ => false,
    }
}

/// `while True`: its rounds are told at the head of the body.
fn endless<'a>(r: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>, body: Node<'a>) {
    if statements(body).is_empty() {
        return;
    }
    let site = r.site(Kind::Loop, node);
    let label = r.label(condition);
    r.site_mut(site).text = label;
    insert_head(r, body, Place::Head, &format!("_tr_l{site}()"), false);
    r.enter_loop(node, site);
    r.site_mut(site).chain.after = follow_block(r, body);
}

/// List, set and dictionary comprehensions and generator expressions: the iterations of their
/// first clause, and their conditions.
pub(crate) fn comprehension<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let mut cursor = node.walk();
    let clauses: Vec<_> = node
        .named_children(&mut cursor)
        .filter(|child| matches!(child.kind(), "for_in_clause" | "if_clause"))
        .collect();
    let Some(first) = clauses
        .first()
        .filter(|clause| clause.kind() == "for_in_clause")
    else {
        return;
    };
    for clause in &clauses {
        if clause.kind() == "if_clause"
            && let Some(condition) = clause.named_child(0)
        {
            branches::inline_test(r, condition);
        }
    }
    let (Some(left), Some(body)) = (
        first.child_by_field_name("left"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    // One clause: each element is an iteration. More clauses: elements of the innermost one.
    let site = r.site(Kind::Loop, node);
    let mut names = Vec::new();
    if r.wants(Detail::State) {
        for clause in &clauses {
            if let Some(left) = clause.child_by_field_name("left") {
                targets::names(r, left, &mut names);
            }
        }
    }
    let label = r.label(left);
    r.set_names(site, names.clone());
    r.site_mut(site).text = label;
    let probe = format!("_tr_l{site}({}) or (", names.join(","));
    let place = if body.kind() == "pair" {
        body.child_by_field_name("key")
    } else {
        Some(body)
    };
    let Some(place) = place else { return };
    r.wrap(place, format!("({probe}"), "))");
    if node.kind() != "generator_expression" {
        r.wrap(node, format!("_tr_y{site}(_tr_w{site}() or "), ")");
    }
    r.enter_loop(node, site);
}
