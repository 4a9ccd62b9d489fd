//! `BRANCH`: which way an `if`, `match`, `let else`, `&&`, `||` or `?` went.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{FileFacts, open_body, runs, start_of};
use crate::patterns::{bindings, tell};
use crate::steps;
use crate::writes::is_path;

/// Most operands one branch tells.
const OPERANDS: usize = 4;

/// Names bound by the `let`s of a condition, in order.
fn bound_by(rewriter: &Rewriter<'_>, condition: Node<'_>, found: &mut Vec<String>) {
    match condition.kind() {
        "let_condition" => {
            if let Some(pattern) = condition.child_by_field_name("pattern") {
                for name in bindings(rewriter, pattern) {
                    if !found.contains(&name) {
                        found.push(name);
                    }
                }
            }
        }
        "let_chain" => {
            let mut cursor = condition.walk();
            for child in condition.named_children(&mut cursor) {
                bound_by(rewriter, child, found);
            }
        }
        _ => {}
    }
}

/// A probe for what the `let`s of a condition have bound.
pub(crate) fn tell_bound<'a>(rewriter: &mut Rewriter<'a>, condition: Node<'a>) -> String {
    if !rewriter.wants(Detail::State) {
        return String::new();
    }
    let mut names = Vec::new();
    bound_by(rewriter, condition, &mut names);
    tell(rewriter, condition, &names)
}

fn two_armed<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>) -> u32 {
    let site = rewriter.site(Kind::Branch, node);
    let text = rewriter.label(condition);
    let entry = rewriter.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    site
}

/// Hook: `if` and `if let`.
pub(crate) fn if_expression<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(consequence)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("consequence"),
    ) else {
        return;
    };
    if !rewriter.wants(Detail::Lines) || !runs(rewriter, node) {
        return;
    }
    let alternative = node.child_by_field_name("alternative");
    let other = alternative.and_then(|clause| {
        let mut cursor = clause.walk();
        clause
            .named_children(&mut cursor)
            .find(|child| !child.kind().ends_with("_comment"))
    });
    if alternative.is_some() && other.is_none() {
        return;
    }
    let site = two_armed(rewriter, node, condition);
    let operands = operands(rewriter, condition);
    rewriter.set_names(site, operands.iter().cloned());
    let probe = arm_probe(site, 1, &operands);
    let bound = tell_bound(rewriter, condition);
    arm_body(
        rewriter,
        site,
        1,
        consequence,
        &format!("{probe}{bound}"),
        bound.is_empty(),
    );
    let probe = arm_probe(site, 0, &operands);
    match other {
        Some(other) => arm_body(rewriter, site, 0, other, &probe, true),
        None => rewriter.close(node, format!("else{{{probe}}}")),
    }
}

fn arm_body<'a>(
    rewriter: &mut Rewriter<'a>,
    site: u32,
    arm: u32,
    body: Node<'a>,
    probe: &str,
    implies: bool,
) {
    open_body(rewriter, body, probe);
    if implies && let Some(step) = steps::imply_first(rewriter, body) {
        rewriter
            .site_mut(site)
            .chain
            .after_arm
            .push((arm, vec![step]));
    }
}

fn arm_probe(site: u32, arm: u32, operands: &[String]) -> String {
    if operands.is_empty() {
        return format!("_tr::b({site},{arm});");
    }
    let values = crate::patterns::values(operands);
    let count = operands.len();
    format!("if _tr::bn({site},{arm},{count}){{{values}_tr::z();}}")
}

/// The variables, fields and elements that a condition compares, if they can be read again right
/// after it: comparing takes references, and nothing was changed or called.
fn operands<'a>(rewriter: &mut Rewriter<'a>, condition: Node<'a>) -> Vec<String> {
    let mut found = Vec::new();
    if !rewriter.wants(Detail::State) {
        return found;
    }
    let facts = FileFacts::of(rewriter);
    if !collect(rewriter, &facts, condition, &mut found) {
        found.clear();
    }
    found.truncate(OPERANDS);
    found
}

fn collect<'a>(
    rewriter: &Rewriter<'a>,
    facts: &FileFacts,
    node: Node<'a>,
    found: &mut Vec<String>,
) -> bool {
    let part = |field| node.child_by_field_name(field);
    match node.kind() {
        "integer_literal" | "float_literal" | "char_literal" | "string_literal"
        | "boolean_literal" | "scoped_identifier" => true,
        "parenthesized_expression" => node
            .named_child(0)
            .is_some_and(|inner| collect(rewriter, facts, inner, found)),
        "unary_expression" if !rewriter.text(node).starts_with('*') => node
            .named_child(0)
            .is_some_and(|inner| collect(rewriter, facts, inner, found)),
        "binary_expression" => {
            let (Some(left), Some(right)) = (part("left"), part("right")) else {
                return false;
            };
            let operator = part("operator").map_or("", |operator| operator.kind());
            match operator {
                "&&" | "||" => false,
                "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                    collect(rewriter, facts, left, found) && collect(rewriter, facts, right, found)
                }
                // Arithmetic takes its operands by value; with a number beside it, that is one too.
                _ if right.kind() == "integer_literal" => collect(rewriter, facts, left, found),
                _ => false,
            }
        }
        _ if is_path(rewriter, facts, node) => {
            let text = rewriter.text(node).into_owned();
            let constant = text
                .chars()
                .all(|c| c.is_uppercase() || c.is_numeric() || c == '_');
            if !constant && !found.contains(&text) {
                found.push(text);
            }
            true
        }
        _ => false,
    }
}

/// Hook: the block of a `let … else`.
pub(crate) fn let_else<'a>(rewriter: &mut Rewriter<'a>, block: Node<'a>) {
    let Some(node) = rewriter.parent(block) else {
        return;
    };
    let (Some(pattern), Some(_)) = (
        node.child_by_field_name("pattern"),
        node.child_by_field_name("value"),
    ) else {
        return;
    };
    if !rewriter.wants(Detail::Lines)
        || !runs(rewriter, node)
        || crate::context::is_conditional(rewriter, node)
    {
        return;
    }
    let site = two_armed(rewriter, node, pattern);
    arm_body(
        rewriter,
        site,
        0,
        block,
        &format!("_tr::b({site},0);"),
        true,
    );
    let extent = node.end_byte() - node.start_byte();
    // In front of the probe that tells what was bound.
    rewriter.close_at(node.end_byte(), extent - 1, format!("_tr::b({site},1);"));
}

/// Hook: an arm of a `match`.
pub(crate) fn arm<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(pattern), Some(value)) = (
        node.child_by_field_name("pattern"),
        node.child_by_field_name("value"),
    ) else {
        return;
    };
    let Some(block) = rewriter.parent(node) else {
        return;
    };
    let Some(whole) = rewriter
        .parent(block)
        .filter(|whole| whole.kind() == "match_expression")
    else {
        return;
    };
    if !runs(rewriter, node) || !runs(rewriter, value) {
        return;
    }
    if !rewriter.wants(Detail::Lines) {
        return;
    }
    let site = match rewriter.known_site(whole, "match") {
        Some(site) => site,
        None => match_site(rewriter, whole, block),
    };
    let arms = rewriter.children(block);
    let Some(number) = arms.place(node) else {
        return;
    };
    let number = number as u32;
    let mut probe = format!("_tr::b({site},{number});");
    let mut implies = true;
    if rewriter.wants(Detail::State) {
        let mut names = bindings(rewriter, pattern);
        if let Some(condition) = pattern.child_by_field_name("condition") {
            bound_by(rewriter, condition, &mut names);
        }
        let told = tell(rewriter, pattern, &names);
        implies = told.is_empty();
        probe.push_str(&told);
    }
    if value.kind() == "block" && start_of(value).is_none() {
        return;
    }
    arm_body(rewriter, site, number, value, &probe, implies);
}

fn match_site<'a>(rewriter: &mut Rewriter<'a>, whole: Node<'a>, block: Node<'a>) -> u32 {
    let site = rewriter.site_of(Kind::Branch, whole, "match");
    let arms = rewriter.children(block);
    let labels: Vec<String> = arms
        .nodes
        .iter()
        .map(|arm| arm.child_by_field_name("pattern").unwrap_or(*arm))
        .map(|pattern| rewriter.label(pattern))
        .collect();
    let text = whole
        .child_by_field_name("value")
        .map(|value| rewriter.label(value));
    let entry = rewriter.site_mut(site);
    entry.arms = labels;
    entry.text = text.unwrap_or_default();
    site
}

/// Hook: `&&` and `||`. The branch is whether the left operand is true.
pub(crate) fn logical<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if !rewriter.wants(Detail::State) || !runs(rewriter, node) || holds_let(left) {
        return;
    }
    let site = two_armed(rewriter, node, left);
    rewriter.wrap(left, format!("_tr::t({site},"), ")");
}

/// Whether an expression is part of a chain of `let`s, which no call may hold.
fn holds_let(node: Node<'_>) -> bool {
    if matches!(node.kind(), "let_condition" | "let_chain") {
        return true;
    }
    let parent = node.parent().and_then(|parent| parent.parent());
    let in_chain = parent.is_some_and(|parent| parent.kind() == "let_chain");
    let mut cursor = node.walk();
    in_chain
        || node.kind() == "binary_expression" && node.named_children(&mut cursor).any(holds_let)
}

/// Hook: `?`. The branch is whether it goes on.
pub(crate) fn question_mark<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = node.named_child(0) else {
        return;
    };
    if !rewriter.wants(Detail::Lines) || !runs(rewriter, node) {
        return;
    }
    let site = rewriter.site(Kind::Branch, node);
    let text = rewriter.label(node);
    let entry = rewriter.site_mut(site);
    entry.text = text;
    entry.arms = vec!["returns early".into(), "goes on".into()];
    rewriter.wrap(value, format!("_tr::q({site},"), ")");
}
