//! `LOOP`: entered, each iteration, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::branches::{capture_all, operands};
use crate::context::{
    FileFacts, first_statement, following, inside_parentheses, open_body, takes_statement,
};
use crate::steps;

const ROLE: &str = "loop";

/// Hook: `while`, `do`, `for`.
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
    if let Some(condition) = node.child_by_field_name("condition") {
        let text = rewriter.label(inside_parentheses(condition));
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
    let facts = FileFacts::of(rewriter);
    let entered = facts.kept(format!("_tr_le({site}u)"));
    rewriter.open(node, format!("{entered};"));
    let operands = match node.child_by_field_name("condition") {
        Some(condition) if rewriter.wants(Detail::Full) && node.kind() != "do_statement" => {
            operands(rewriter, condition)
        }
        _ => Vec::new(),
    };
    let probe = if operands.is_empty() {
        format!("_tr_li({site}u)")
    } else {
        let names: Vec<String> = operands.iter().map(|node| rewriter.label(*node)).collect();
        rewriter.set_names(site, names);
        let captured = capture_all(rewriter, &operands);
        format!("_tr_ln({site}u,{}u)&&({captured}_tr_z(),0)", operands.len())
    };
    let probe = facts.kept(probe) + ";";
    open_body(rewriter, body, &probe);
    rewriter.close(node, format!("_tr_lx({site}u);"));
}

/// Hook: a label, which a `goto` may use to leave loops.
pub(crate) fn label<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || !takes_statement(rewriter, node) {
        return;
    }
    let mut outer = node.parent();
    let mut site = 0;
    while let Some(parent) = outer {
        if parent.kind() == "function_definition" {
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
    if let Some(next) = colon.next_named_sibling().filter(|next| {
        next.kind() == "attribute_specifier" || next.kind() == "attribute_declaration"
    }) {
        after = next.end_byte();
    }
    let extent = node.end_byte() - node.start_byte();
    rewriter.open_at(after, extent, format!("_tr_g({site}u);"));
}
