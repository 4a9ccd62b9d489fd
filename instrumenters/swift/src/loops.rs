//! `LOOP`: entered, each iteration, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::statements::{self, OUTERMOST};
use crate::syntax::{bound_names, children, item_names, statements_of};

/// Hook: `for`, `while`, `repeat`.
pub(crate) fn loop_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || !statements::takes_probe(rewriter, node) {
        return;
    }
    let parts = children(node);
    let Some(brace) = parts.iter().find(|part| part.kind() == "{") else {
        return;
    };
    let block = parts
        .iter()
        .find(|part| part.kind() == "statements")
        .copied();
    let site = rewriter.site(Kind::Loop, node);
    let head = &rewriter.source[node.start_byte()..brace.start_byte()];
    let head = String::from_utf8_lossy(head)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    rewriter.site_mut(site).text = head;
    rewriter.enter_loop(node, site);
    let mut names = Vec::new();
    if rewriter.wants(Detail::State) {
        names = match node.child_by_field_name("item") {
            Some(item) => item_names(rewriter, item),
            None if node.kind() == "while_statement" => bound_names(rewriter, node),
            None => Vec::new(),
        };
        names.retain(|name| name != "_" && name != "self");
    }
    let first = block.and_then(|block| statements_of(block).into_iter().next());
    if let Some(first) = first
        && let Some(step) = statements::imply(rewriter, first)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
    statements::open_before(rewriter, node, format!("_tr_le({site}); "));
    let probe = match names.len() {
        0 => format!(" _tr_li({site})"),
        count => format!(" _tr_ln({site}, {count}, {})", names.join(", ")),
    };
    rewriter.set_names(site, names);
    let separator = if block.is_some() { "; " } else { " " };
    rewriter.open_at(brace.end_byte(), OUTERMOST, format!("{probe}{separator}"));
    rewriter.close(node, format!("; _tr_lx({site})"));
}
