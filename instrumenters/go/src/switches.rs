//! `BRANCH` for `switch` and `select`: which clause was chosen.
//!
//! Clauses report where they begin; a `switch` without `default` gets one. A `select` does not: it
//! would no longer wait.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::branches::capture_all;
use crate::context::{self, has_writer, identifiers};
use crate::facts::Facts;
use crate::{steps, writes};

fn clauses<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> Vec<Node<'a>> {
    let children = rewriter.children(node);
    children
        .nodes
        .iter()
        .copied()
        .filter(|child| child.kind().ends_with("_case"))
        .collect()
}

fn colon(clause: Node<'_>) -> Option<usize> {
    let mut cursor = clause.walk();
    clause
        .children(&mut cursor)
        .find(|child| child.kind() == ":")
        .map(|colon| colon.end_byte())
}

fn name_of(rewriter: &Rewriter<'_>, clause: Node<'_>) -> String {
    if clause.kind() == "default_case" {
        return "default".into();
    }
    let end = colon(clause).unwrap_or(clause.end_byte()) - 1;
    let text = String::from_utf8_lossy(&rewriter.source[clause.start_byte()..end]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(80).collect()
}

/// Whether a clause ends in `fallthrough`.
fn falls(clause: Node<'_>) -> bool {
    let Some(list) = context::list(clause) else {
        return false;
    };
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .last()
        .is_some_and(|last| last.kind() == "fallthrough_statement")
}

/// Hook: `switch`, on values or types.
pub(crate) fn switch_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let clauses = clauses(rewriter, node);
    if !rewriter.wants(Detail::Lines) || !has_writer(rewriter, node) || clauses.is_empty() {
        return;
    }
    let site = rewriter.site(Kind::Branch, node);
    let value = node.child_by_field_name("value");
    let mut arms = vec!["no case".to_owned()];
    arms.extend(clauses.iter().map(|clause| name_of(rewriter, *clause)));
    let text = value.map(|value| rewriter.label(value)).unwrap_or_default();
    let entry = rewriter.site_mut(site);
    entry.text = text;
    entry.arms = arms;
    let facts = Facts::of(rewriter);
    let operand = value
        .map(context::inside_parentheses)
        .filter(|value| rewriter.wants(Detail::State) && writes::is_path(rewriter, &facts, *value));
    let operands: Vec<Node<'a>> = operand.into_iter().collect();
    let names: Vec<String> = operands.iter().map(|node| rewriter.label(*node)).collect();
    rewriter.set_names(site, names);
    let header = node
        .child_by_field_name("initializer")
        .map(|initializer| writes::in_header(rewriter, initializer))
        .unwrap_or_default();
    let probe = |rewriter: &Rewriter<'a>, arm: usize| {
        let chosen = if operands.is_empty() {
            format!("_trw.C({site},{arm});")
        } else {
            let captured = capture_all(rewriter, &operands);
            format!("if _trw.Cn({site},{arm},1){{{captured}_trw.Z()}};")
        };
        if header.is_empty() {
            chosen
        } else {
            format!("if _trw.Chosen(){{{header}{chosen}}};")
        }
    };
    let mut reached_by_fall = false;
    for (place, clause) in clauses.iter().enumerate() {
        let Some(at) = colon(*clause) else { continue };
        let text = probe(rewriter, place + 1);
        let extent = clause.end_byte() - clause.start_byte();
        rewriter.open_at(at, extent, text);
        if !reached_by_fall {
            imply_arm(rewriter, site, place + 1, *clause);
        }
        reached_by_fall = falls(*clause);
    }
    if !clauses.iter().any(|clause| clause.kind() == "default_case") {
        let text = probe(rewriter, 0);
        rewriter.open_at(node.end_byte() - 1, 0, format!(";default:{text}"));
    }
}

fn imply_arm<'a>(rewriter: &mut Rewriter<'a>, site: u32, arm: usize, clause: Node<'a>) {
    if let Some(first) = context::first_statement(rewriter, clause)
        && let Some(step) = steps::imply(rewriter, first)
    {
        let chain = &mut rewriter.site_mut(site).chain;
        chain.after_arm.push((arm as u32, vec![step]));
    }
}

/// Hook: `select`.
pub(crate) fn select_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let clauses = clauses(rewriter, node);
    if !rewriter.wants(Detail::Lines) || !has_writer(rewriter, node) || clauses.is_empty() {
        return;
    }
    let site = rewriter.site(Kind::Branch, node);
    let arms: Vec<String> = clauses
        .iter()
        .map(|clause| name_of(rewriter, *clause))
        .collect();
    let entry = rewriter.site_mut(site);
    entry.text = "select".into();
    entry.arms = arms;
    for (arm, clause) in clauses.iter().enumerate() {
        let Some(at) = colon(*clause) else { continue };
        let mut text = format!("_trw.B({site},{arm});");
        let received = clause
            .child_by_field_name("communication")
            .filter(|part| part.kind() == "receive_statement" && rewriter.wants(Detail::State))
            .and_then(|part| part.child_by_field_name("left"))
            .map(|left| identifiers(rewriter, left))
            .unwrap_or_default();
        let plain = received.is_empty();
        for name in received {
            text.push_str(&writes::probe(rewriter, name, name));
        }
        let extent = clause.end_byte() - clause.start_byte();
        rewriter.open_at(at, extent, text);
        if plain {
            imply_arm(rewriter, site, arm, *clause);
        }
    }
}

/// Hook: `fallthrough`. The clause it leads to was not chosen.
pub(crate) fn falls_through<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if rewriter.wants(Detail::Lines)
        && let Some(place) = context::place(rewriter, node)
    {
        rewriter.open(place, "_trw.Fall();");
    }
}
