//! `BRANCH`: which way an `if`, `&&` or `||` went.
//!
//! Statements report inside their arms, so that conditions stay as they are. Within expressions the
//! condition's truth passes through the probe.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, has_writer, inside_parentheses, open_block};
use crate::facts::Facts;
use crate::{steps, writes};

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
    if !rewriter.wants(Detail::Lines) || !has_writer(rewriter, node) {
        return;
    }
    let alternative = node.child_by_field_name("alternative");
    let site = two_armed(rewriter, node, condition);
    steps::absorb(rewriter, node, site);
    let operands = if rewriter.wants(Detail::State) {
        operands(rewriter, condition)
    } else {
        Vec::new()
    };
    let names: Vec<String> = operands.iter().map(|node| rewriter.label(*node)).collect();
    rewriter.set_names(site, names);
    let header = node
        .child_by_field_name("initializer")
        .map(|initializer| writes::in_header(rewriter, initializer))
        .unwrap_or_default();
    let text = |rewriter: &Rewriter<'a>, arm: u32| {
        format!("{header}{}", branch_probe(rewriter, site, arm, &operands))
    };
    let probe = text(rewriter, 1);
    open_block(rewriter, consequence, &probe);
    imply_arm(rewriter, site, 1, consequence);
    let probe = text(rewriter, 0);
    match alternative {
        Some(block) if block.kind() == "block" => {
            open_block(rewriter, block, &probe);
            imply_arm(rewriter, site, 0, block);
        }
        Some(other) => {
            // The next `if` of a chain gets a block of its own.
            rewriter.enclose(other, "{", "}");
            rewriter.open(other, probe);
        }
        None => rewriter.close(node, format!("else{{{probe}}}")),
    }
}

fn imply_arm<'a>(rewriter: &mut Rewriter<'a>, site: u32, arm: u32, block: Node<'a>) {
    if let Some(first) = context::first_statement(rewriter, block)
        && let Some(step) = steps::imply(rewriter, first)
    {
        let chain = &mut rewriter.site_mut(site).chain;
        chain.after_arm.push((arm, vec![step]));
    }
}

fn branch_probe(rewriter: &Rewriter<'_>, site: u32, arm: u32, operands: &[Node<'_>]) -> String {
    if operands.is_empty() {
        return format!("_trw.B({site},{arm});");
    }
    let captured = capture_all(rewriter, operands);
    format!(
        "if _trw.Bn({site},{arm},{}){{{captured}_trw.Z()}};",
        operands.len()
    )
}

/// Captures of expressions for one record.
pub(crate) fn capture_all(rewriter: &Rewriter<'_>, operands: &[Node<'_>]) -> String {
    let mut text = String::new();
    for operand in operands {
        let _ = write!(text, "_tr.A(_trw,{});", rewriter.text(*operand));
    }
    text
}

/// The variables, fields and elements that a condition compares, if they can be read again right
/// after it: all of them were read, and nothing was changed or called.
pub(crate) fn operands<'a>(rewriter: &mut Rewriter<'a>, condition: Node<'a>) -> Vec<Node<'a>> {
    let facts = Facts::of(rewriter);
    let mut found = Vec::new();
    if !collect_operands(rewriter, &facts, condition, &mut found) {
        return Vec::new();
    }
    let mut seen = Vec::new();
    found.retain(|node| {
        let text = rewriter.text(*node).into_owned();
        let fresh = !seen.contains(&text) && !text.contains('\n');
        seen.push(text);
        fresh
    });
    found.truncate(OPERANDS);
    found
}

fn collect_operands<'a>(
    rewriter: &Rewriter<'a>,
    facts: &Facts,
    node: Node<'a>,
    found: &mut Vec<Node<'a>>,
) -> bool {
    match node.kind() {
        "identifier" => {
            if facts.is_variable(&rewriter.text(node)) {
                found.push(node);
            }
            true
        }
        "selector_expression" | "index_expression" => {
            let simple = writes::is_path(rewriter, facts, node);
            if simple {
                found.push(node);
            }
            simple
        }
        "int_literal"
        | "float_literal"
        | "imaginary_literal"
        | "rune_literal"
        | "interpreted_string_literal"
        | "raw_string_literal"
        | "true"
        | "false"
        | "nil"
        | "comment" => true,
        "binary_expression" => {
            let logical = node
                .child_by_field_name("operator")
                .is_some_and(|operator| matches!(operator.kind(), "&&" | "||"));
            !logical && parts(rewriter, facts, node, found)
        }
        "unary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |operator| operator.kind());
            matches!(operator, "!" | "-" | "+" | "^") && parts(rewriter, facts, node, found)
        }
        "parenthesized_expression" => parts(rewriter, facts, node, found),
        "call_expression" => {
            // `len(x)`: what is compared is in the text, and `x` is there to be read.
            let name = node.child_by_field_name("function");
            name.is_some_and(|name| matches!(&*rewriter.text(name), "len" | "cap"))
                && node
                    .child_by_field_name("arguments")
                    .is_some_and(|list| parts(rewriter, facts, list, found))
        }
        _ => false,
    }
}

fn parts<'a>(
    rewriter: &Rewriter<'a>,
    facts: &Facts,
    node: Node<'a>,
    found: &mut Vec<Node<'a>>,
) -> bool {
    let mut cursor = node.walk();
    let children: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
    children
        .into_iter()
        .all(|child| collect_operands(rewriter, facts, child, found))
}

/// Hook: `&&` and `||`. The branch is whether the left operand is true.
pub(crate) fn logical<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if !rewriter.wants(Detail::State) || !has_writer(rewriter, node) || is_constant(rewriter, left)
    {
        return;
    }
    let site = two_armed(rewriter, node, left);
    rewriter.wrap(left, format!("_trw.T({site},"), ")");
}

/// Whether an expression may be a constant.
fn is_constant<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    match node.kind() {
        "identifier" => {
            let facts = Facts::of(rewriter);
            !facts.is_variable(&rewriter.text(node))
        }
        "call_expression" | "index_expression" | "selector_expression" => false,
        _ => {
            let mut cursor = node.walk();
            let parts: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
            parts.into_iter().all(|part| is_constant(rewriter, part))
        }
    }
}
