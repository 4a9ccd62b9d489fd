//! `LOOP`: entered, each iteration, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{
    declared_name, first_statement, following, inside_parentheses, open_body, takes_statement,
};
use crate::operands::{capture_all, operands};
use crate::steps;

const ROLE: &str = "loop";

/// The names that a range-`for` binds.
fn targets(node: Node<'_>) -> Vec<Node<'_>> {
    let Some(declarator) = node.child_by_field_name("declarator") else {
        return Vec::new();
    };
    match bound(declarator) {
        Some(names) => names,
        None => declared_name(declarator).into_iter().collect(),
    }
}

/// The names of a structured binding.
pub(crate) fn bound(declarator: Node<'_>) -> Option<Vec<Node<'_>>> {
    let mut node = declarator;
    loop {
        if node.kind() == "structured_binding_declarator" {
            let mut cursor = node.walk();
            let names = node.named_children(&mut cursor);
            return Some(names.filter(|name| name.kind() == "identifier").collect());
        }
        if node.kind() == "identifier" {
            return None;
        }
        let mut cursor = node.walk();
        node = node
            .named_children(&mut cursor)
            .find(|child| child.kind().ends_with("declarator"))?;
    }
}

/// Hook: `while`, `do`, `for` and range-`for`.
pub(crate) fn loop_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if !rewriter.wants(Detail::Lines) || !takes_statement(rewriter, node) {
        if body.kind() != "compound_statement" {
            open_body(rewriter, body, "");
        }
        return;
    }
    let site = rewriter.site_of(Kind::Loop, node, ROLE);
    let range = node.kind() == "for_range_loop";
    let condition = node.child_by_field_name("condition");
    if let Some(shown) = condition.or_else(|| node.child_by_field_name("right")) {
        let text = rewriter.label(inside_parentheses(shown));
        rewriter.site_mut(site).text = text;
    }
    rewriter.enter_loop(node, site);
    steps::absorb(rewriter, node, site);
    if let Some(first) = first_statement(rewriter, body)
        && let Some(step) = steps::imply(rewriter, first)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
    let in_block = node
        .parent()
        .is_some_and(|parent| parent.kind() == "compound_statement");
    if let Some(next) = following(node).filter(|_| in_block)
        && let Some(step) = steps::imply(rewriter, next)
    {
        rewriter.site_mut(site).chain.after_left.push(step);
    }
    rewriter.open(node, format!("_tr_le({site}u);"));
    let told = match condition {
        _ if range && rewriter.wants(Detail::State) => targets(node),
        Some(condition) if rewriter.wants(Detail::State) && declares(condition) => {
            operands(rewriter, condition)
        }
        Some(condition) if rewriter.wants(Detail::Full) && node.kind() != "do_statement" => {
            operands(rewriter, condition)
        }
        _ => Vec::new(),
    };
    let probe = if told.is_empty() {
        format!("_tr_li({site}u);")
    } else {
        let names: Vec<String> = told.iter().map(|node| rewriter.label(*node)).collect();
        rewriter.set_names(site, names);
        let captured = capture_all(rewriter, &told);
        format!("_tr_ln({site}u,{}u)&&({captured}_tr_z(),0);", told.len())
    };
    open_body(rewriter, body, &probe);
    rewriter.close(node, format!("_tr_lx({site}u);"));
}

fn declares(condition: Node<'_>) -> bool {
    inside_parentheses(condition).kind() == "declaration"
}

/// Hook: a label, which a `goto` may use to leave loops.
pub(crate) fn label<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || !takes_statement(rewriter, node) {
        return;
    }
    let mut outer = node.parent();
    let mut site = 0;
    while let Some(parent) = outer {
        if matches!(parent.kind(), "function_definition" | "lambda_expression") {
            break;
        }
        if let Some(known) = rewriter.known_site(parent, ROLE) {
            site = known;
            break;
        }
        outer = parent.parent();
    }
    let mut cursor = node.walk();
    let Some(colon) = node.children(&mut cursor).find(|child| child.kind() == ":") else {
        return;
    };
    // Attributes of the label itself come before any statement.
    let mut after = colon.end_byte();
    if let Some(next) = colon
        .next_named_sibling()
        .filter(|next| next.kind().starts_with("attribute_"))
    {
        after = next.end_byte();
    }
    let extent = node.end_byte() - node.start_byte();
    rewriter.open_at(after, extent, format!("_tr_g({site}u);"));
}
