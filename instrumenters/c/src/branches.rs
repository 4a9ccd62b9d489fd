//! `BRANCH`: which way an `if`, `switch`, `?:`, `&&` or `||` went.
//!
//! Statements report inside their arms, so that conditions stay as they are (constant ones too).
//! Within expressions the condition's truth passes through the probe.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::capture::{Into, Reach, capture};
use crate::context::{
    FileFacts, first_statement, following, inside_parentheses, is_evaluated, is_shouting,
    may_be_constant, open_body,
};
use crate::steps;

const SWITCH: &str = "switch";

/// Most operands one branch tells.
const OPERANDS: usize = 4;

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
    let (Some(condition), Some(consequence)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("consequence"),
    ) else {
        return;
    };
    let alternative = node.child_by_field_name("alternative").and_then(|clause| {
        let mut cursor = clause.walk();
        clause
            .named_children(&mut cursor)
            .find(|child| child.kind() != "comment")
    });
    if !rewriter.wants(Detail::Lines) {
        open_body(rewriter, consequence, "");
        if let Some(alternative) = alternative {
            open_body(rewriter, alternative, "");
        }
        return;
    }
    let site = two_armed(rewriter, node, condition);
    steps::absorb(rewriter, node, site);
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

/// Whether what follows an `if` may be its `else`, which the parser could not join to it.
pub(crate) fn else_may_follow(node: Node<'_>) -> bool {
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
    let probe = if operands.is_empty() {
        format!("_tr_b({site}u,{arm})")
    } else {
        let captured = capture_all(rewriter, operands);
        let count = operands.len();
        format!("_tr_bn({site}u,{arm},{count}u)&&({captured}_tr_z(),0)")
    };
    FileFacts::of(rewriter).kept(probe) + ";"
}

/// Captures of expressions for one record, each with a comma behind it.
pub(crate) fn capture_all<'a>(rewriter: &mut Rewriter<'a>, operands: &[Node<'a>]) -> String {
    let facts = FileFacts::of(rewriter);
    let mut text = String::new();
    for operand in operands {
        let expression = rewriter.text(*operand).into_owned();
        let type_ = facts.types.of_expression(rewriter, *operand);
        let at = operand.start_byte();
        text.push_str(&capture(
            rewriter,
            Into::Record,
            &expression,
            type_.as_ref(),
            Reach::Objects,
            at,
        ));
        text.push(',');
    }
    text
}

/// The variables, fields and elements that a condition compares, if they can be read again right
/// after it: all of them were read, and nothing was changed or called.
pub(crate) fn operands<'a>(rewriter: &Rewriter<'a>, condition: Node<'a>) -> Vec<Node<'a>> {
    let mut found = Vec::new();
    if !collect_operands(rewriter, condition, &mut found) {
        return Vec::new();
    }
    let mut seen = Vec::new();
    found.retain(|node| {
        let text = rewriter.text(*node).into_owned();
        let fresh = !seen.contains(&text) && !text.contains(['\n', '\\']);
        seen.push(text);
        fresh
    });
    found.truncate(OPERANDS);
    found
}

fn collect_operands<'a>(
    rewriter: &Rewriter<'a>,
    node: Node<'a>,
    found: &mut Vec<Node<'a>>,
) -> bool {
    match node.kind() {
        "identifier" => {
            if !is_shouting(&rewriter.text(node)) {
                found.push(node);
            }
            true
        }
        "field_expression" | "subscript_expression" => {
            let simple = is_path(node);
            if simple {
                found.push(node);
            }
            simple
        }
        "pointer_expression" if is_path(node) => {
            found.push(node);
            true
        }
        "number_literal" | "char_literal" | "string_literal" | "true" | "false" | "null"
        | "comment" | "sizeof_expression" => true,
        "binary_expression" => {
            let logical = node
                .child_by_field_name("operator")
                .is_some_and(|operator| matches!(operator.kind(), "&&" | "||"));
            !logical && parts(rewriter, node, found)
        }
        "parenthesized_expression" | "unary_expression" => parts(rewriter, node, found),
        "cast_expression" => node
            .child_by_field_name("value")
            .is_some_and(|value| collect_operands(rewriter, value, found)),
        _ => false,
    }
}

fn parts<'a>(rewriter: &Rewriter<'a>, node: Node<'a>, found: &mut Vec<Node<'a>>) -> bool {
    let mut cursor = node.walk();
    let children: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
    children
        .into_iter()
        .all(|child| collect_operands(rewriter, child, found))
}

/// `p->x`, `a[i].y`, `*p`: only names and constants.
pub(crate) fn is_path(node: Node<'_>) -> bool {
    let part = |field| node.child_by_field_name(field);
    match node.kind() {
        "identifier" | "number_literal" | "char_literal" => true,
        "field_expression" | "parenthesized_expression" => part("argument")
            .or_else(|| node.named_child(0))
            .is_some_and(is_path),
        "subscript_expression" => {
            part("argument").is_some_and(is_path) && part("index").is_some_and(is_path)
        }
        "pointer_expression" => {
            part("operator").is_some_and(|operator| operator.kind() == "*")
                && part("argument").is_some_and(is_path)
        }
        "binary_expression" => {
            part("operator").is_some_and(|operator| matches!(operator.kind(), "+" | "-"))
                && part("left").is_some_and(is_path)
                && part("right").is_some_and(is_path)
        }
        _ => false,
    }
}

/// Hook: `switch`.
pub(crate) fn switch_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(body)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    if body.kind() != "compound_statement" {
        open_body(rewriter, body, "");
    }
    if !rewriter.wants(Detail::Lines) {
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
    let value = inside_parentheses(condition);
    if defines_type(value) {
        // Its names would end with the expression that the probe makes of it.
        rewriter.drop_probe(node, "unsupported");
        return;
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
    rewriter.wrap(
        value,
        "({__auto_type _tr_x=+(",
        format!(");_tr_w({site}u,(_tr_ll)_tr_x);_tr_x;}})"),
    );
    if !has_default {
        rewriter.close(node, format!("_tr_k({site}u,0);"));
    }
}

fn defines_type(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|child| {
        matches!(child.kind(), "enumerator_list" | "field_declaration_list") || defines_type(child)
    })
}

/// The labels of a switch in order, not those of switches inside it.
fn collect_cases<'a>(node: Node<'a>, found: &mut Vec<Node<'a>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        if child.kind() == "case_statement" {
            found.push(child);
        }
        if !matches!(child.kind(), "switch_statement" | "function_definition") {
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
    rewriter.wrap(condition, format!("_tr_t({site}u,!!("), "))");
}

/// Hook: `?:`. GNU C's `a ?: b` needs the condition's value, and is left alone.
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

/// Hook: `&&` and `||`. The branch is whether the left operand is true.
pub(crate) fn logical<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if rewriter.wants(Detail::State) {
        within_expression(rewriter, node, left);
    }
}
