//! `BRANCH`: switches, as statements and as values, with colons and with arrows.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::reach::{has_default, is_enhanced};
use crate::syntax::{bare, is_statement_switch, open_block, parts, takes_statement, with_labels};

/// Hook: a switch.
pub(crate) fn switch<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(body)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    let statement = is_statement_switch(r, node);
    let cases: Vec<Node<'a>> = parts(body);
    for case in &cases {
        braces(r, *case, statement);
    }
    if !r.wants(Detail::Lines) {
        return;
    }
    let holder = match r.parent(node) {
        Some(parent) if statement && parent.kind() == "expression_statement" => parent,
        _ => node,
    };
    if statement && !takes_statement(r, holder) {
        return;
    }
    let site = r.site(Kind::Branch, node);
    let text = r.label(bare(condition));
    let selector = bare(condition);
    let mut arms: Vec<String> = cases.iter().map(|case| title(r, *case)).collect();
    for (arm, case) in cases.iter().enumerate() {
        let probe = if statement {
            format!("trc$.P.k({site},{arm});")
        } else {
            format!("trc$.P.n({site},{arm});")
        };
        match case.kind() {
            "switch_block_statement_group" => open_group(r, *case, probe),
            "switch_rule" => open_rule(r, *case, &probe, statement),
            _ => {}
        }
    }
    if statement {
        let outer = with_labels(r, holder);
        if selector.kind() == "identifier" {
            let name = r.text(selector).into_owned();
            r.open(outer, format!("trc$.A.q({site},{name});"));
            r.set_names(site, [name]);
        } else {
            r.open(outer, format!("trc$.P.q({site});"));
        }
        if !has_default(node) && !is_enhanced(node) {
            r.close(outer, format!("trc$.P.k({site},{});", arms.len()));
            arms.push("none".into());
        }
    }
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = arms;
}

/// What an arm is called.
fn title(r: &Rewriter<'_>, case: Node<'_>) -> String {
    let labels: Vec<String> = parts(case)
        .into_iter()
        .filter(|part| part.kind() == "switch_label")
        .map(|label| r.label(label))
        .collect();
    labels.join(", ")
}

/// Behind the last colon of a group's labels.
fn open_group(r: &mut Rewriter<'_>, group: Node<'_>, probe: String) {
    let mut cursor = group.walk();
    let mut colon = None;
    for child in group.children(&mut cursor) {
        match child.kind() {
            ":" => colon = Some(child),
            "switch_label" => {}
            _ if child.is_extra() => {}
            _ => break,
        }
    }
    if let Some(colon) = colon {
        let extent = group.end_byte() - group.start_byte();
        r.open_at(colon.end_byte(), extent, probe);
    }
}

/// Braces around the right side of an arrow, where a statement can stand.
fn braces<'a>(r: &mut Rewriter<'a>, rule: Node<'a>, statement: bool) {
    let Some(right) = parts(rule).last().copied() else {
        return;
    };
    if right.kind() == "throw_statement" || (statement && right.kind() == "expression_statement") {
        r.enclose(right, "{", "}");
    }
}

/// The right side of an arrow.
fn open_rule<'a>(r: &mut Rewriter<'a>, rule: Node<'a>, probe: &str, statement: bool) {
    let Some(right) = parts(rule).last().copied() else {
        return;
    };
    match right.kind() {
        "block" => open_block(r, right, probe),
        "throw_statement" => r.open(right, probe),
        "expression_statement" if statement => r.open(right, probe),
        "expression_statement" => r.wrap(right, format!("{{{probe}yield "), "}"),
        _ => {}
    }
}
