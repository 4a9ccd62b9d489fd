//! `BRANCH`: which way an `if`, `switch`, `?:`, `&&` or `||` went.
//!
//! Statements report inside their arms, so that conditions stay as they are (constant ones too).
//! Within expressions the condition's truth passes through the probe.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{
    first_statement, following, inside_parentheses, is_evaluated, may_be_constant, open_body,
    takes_statement,
};
use crate::facts::FileFacts;
use crate::functions::Frame;
use crate::operands::{capture_all, operands};
use crate::steps;

const SWITCH: &str = "switch";

fn two_armed<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>) -> u32 {
    let site = rewriter.site(Kind::Branch, node);
    let text = rewriter.label(inside_parentheses(condition));
    let entry = rewriter.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    site
}

/// Hook: `if`.
pub(crate) fn if_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(consequence) = node.child_by_field_name("consequence") else {
        return;
    };
    let alternative = node.child_by_field_name("alternative").and_then(|clause| {
        let mut cursor = clause.walk();
        clause
            .named_children(&mut cursor)
            .find(|child| child.kind() != "comment")
    });
    let condition = node.child_by_field_name("condition");
    let traced = Frame::around(rewriter, node).is_some();
    let Some(condition) = condition.filter(|_| traced && rewriter.wants(Detail::Lines)) else {
        if traced {
            brace(rewriter, consequence);
            if let Some(alternative) = alternative {
                brace(rewriter, alternative);
            }
        }
        return;
    };
    let site = two_armed(rewriter, node, condition);
    let operands = if rewriter.wants(Detail::State) {
        operands(rewriter, condition)
    } else {
        Vec::new()
    };
    let names: Vec<String> = operands.iter().map(|node| rewriter.label(*node)).collect();
    rewriter.set_names(site, names);
    arm(rewriter, site, 1, consequence, &operands);
    match alternative {
        Some(alternative) => arm(rewriter, site, 0, alternative, &operands),
        // An `else` that the parser could not join to this `if` may follow.
        None if node.child_by_field_name("alternative").is_none() && !else_may_follow(node) => {
            let probe = arm_probe(rewriter, site, 0, &operands);
            rewriter.close(node, format!("else{{{probe}}}"));
        }
        None => {}
    }
}

fn brace<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>) {
    if body.kind() != "compound_statement" {
        open_body(rewriter, body, "");
    }
}

/// Whether what follows an `if` may be its `else`, which the parser could not join to it.
fn else_may_follow(node: Node<'_>) -> bool {
    following(node).is_some_and(|next| next.has_error() || next.kind() == "ERROR")
}

fn arm<'a>(
    rewriter: &mut Rewriter<'a>,
    site: u32,
    arm: u32,
    body: Node<'a>,
    operands: &[Node<'a>],
) {
    let probe = arm_probe(rewriter, site, arm, operands);
    open_body(rewriter, body, &probe);
    if let Some(first) = first_statement(rewriter, body)
        && let Some(step) = steps::imply(rewriter, first)
    {
        rewriter
            .site_mut(site)
            .chain
            .after_arm
            .push((arm, vec![step]));
    }
}

fn arm_probe<'a>(
    rewriter: &mut Rewriter<'a>,
    site: u32,
    arm: u32,
    operands: &[Node<'a>],
) -> String {
    if operands.is_empty() {
        return format!("_tr_b({site}u,{arm});");
    }
    let captured = capture_all(rewriter, operands);
    format!(
        "_tr_bn({site}u,{arm},{}u)&&({captured}_tr_z(),0);",
        operands.len()
    )
}

/// Hook: `switch`.
pub(crate) fn switch_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(body)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    if !rewriter.wants(Detail::Lines) || !takes_statement(rewriter, node) {
        return;
    }
    if body.kind() != "compound_statement" {
        open_body(rewriter, body, "");
    }
    let value = inside_parentheses(condition);
    if value.kind() == "declaration" {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let mut labels = Vec::new();
    collect_cases(node, &mut labels);
    let facts = FileFacts::of(rewriter);
    let mut arms = vec!["no case".to_owned()];
    let mut has_default = false;
    for case in &labels {
        if let Some(value) = case.child_by_field_name("value") {
            arms.push(format!("case {}", rewriter.label(value)));
        } else {
            has_default = true;
            arms.push("default".to_owned());
        }
    }
    let site = rewriter.site_of(Kind::Branch, node, SWITCH);
    for (place, label) in labels.iter().enumerate() {
        facts
            .cases
            .borrow_mut()
            .insert(label.id(), (site, place + 1));
    }
    let text = rewriter.label(value);
    let entry = rewriter.site_mut(site);
    entry.text.clone_from(&text);
    entry.names = vec![text];
    entry.arms = arms;
    rewriter.wrap(value, format!("_tr_w({site}u,("), "))");
    if !has_default {
        rewriter.close(node, format!("_tr_k({site}u,0);"));
    }
}

/// The labels of a switch in order, not those of switches inside it.
fn collect_cases<'a>(node: Node<'a>, found: &mut Vec<Node<'a>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if child.kind() == "case_statement" {
            found.push(child);
        }
        if !matches!(
            child.kind(),
            "switch_statement" | "function_definition" | "lambda_expression"
        ) {
            collect_cases(child, found);
        }
    }
}

/// Hook: a label of a switch.
pub(crate) fn case<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) {
        return;
    }
    let known = FileFacts::of(rewriter)
        .cases
        .borrow()
        .get(&node.id())
        .copied();
    let Some((site, arm)) = known else { return };
    let mut cursor = node.walk();
    let Some(colon) = node.children(&mut cursor).find(|child| child.kind() == ":") else {
        return;
    };
    let extent = node.end_byte() - node.start_byte();
    rewriter.open_at(colon.end_byte(), extent, format!("_tr_k({site}u,{arm}u);"));
}

fn within_expression<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>) {
    if may_be_constant(rewriter, condition) || !is_evaluated(rewriter, node) {
        return;
    }
    let site = two_armed(rewriter, node, condition);
    rewriter.wrap(condition, format!("_tr_t({site}u,static_cast<bool>("), "))");
}

/// Hook: `?:`. GNU's `a ?: b` needs the condition's value, and is left alone.
pub(crate) fn ternary<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(_)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("consequence"),
    ) else {
        return;
    };
    if rewriter.wants(Detail::Lines) {
        within_expression(rewriter, node, condition);
    }
}

/// Hook: `&&` and `||`. The branch is whether the left operand is true. Overloaded ones take their
/// operands as they are.
pub(crate) fn logical<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if rewriter.wants(Detail::State) && !FileFacts::of(rewriter).own.logic {
        within_expression(rewriter, node, left);
    }
}
