//! Loops: reached, going round, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::chains::first_of;
use crate::syntax::{
    close_statement, guarded, is_block, is_listed, is_uncounted, targets, texts, unticked,
};

/// A loop statement of any kind.
pub(crate) fn circle<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let body = node.child_by_field_name("body");
    let site = r.site(Kind::Loop, node);
    r.enter_loop(node, site);
    let text = header(r, node, body);
    r.site_mut(site).text = text;
    let mut found = Vec::new();
    if node.kind() == "foreach_statement" {
        let mut cursor = node.walk();
        let mut behind = false;
        for child in node.children(&mut cursor) {
            match child.kind() {
                "as" => behind = true,
                ")" => break,
                "pair" if behind => pair(r, child, &mut found),
                _ if behind && child.is_named() => targets(r, child, &mut found),
                _ => {}
            }
        }
    }
    let names = texts(r, &found);
    r.set_names(site, names.iter().cloned());
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    let round = guarded(site, &format!("l({site}{list})"));
    if is_listed(r, node) {
        let text = unticked(r, &format!("\\trc0_le({site});"));
        r.open(node, text);
        close_statement(r, node, &format!("\\trc0_x({site});"));
    }
    let Some(body) = body else {
        // `for (…);` has no body of its own in some forms.
        return;
    };
    let first = first_of(r, body);
    r.site_mut(site).chain.after = first;
    let round = unticked(r, &round);
    if is_uncounted(r, body) && (is_block(body) || body.kind() == "empty_statement") {
        return r.drop_probe(body, "unsupported");
    }
    if is_block(body) {
        r.open_at(
            body.start_byte() + 1,
            body.end_byte() - body.start_byte(),
            round,
        );
        return;
    }
    r.open(body, format!("{{{round}"));
    close_statement(r, body, "}");
}

/// `$key => $value`: both are written.
fn pair<'a>(r: &Rewriter<'a>, node: Node<'a>, found: &mut Vec<Node<'a>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        targets(r, child, found);
    }
}

fn header<'a>(r: &Rewriter<'a>, node: Node<'a>, body: Option<Node<'a>>) -> String {
    if node.kind() == "do_statement" {
        return node.child_by_field_name("condition").map_or_else(
            || "do".into(),
            |test| format!("do … while {}", r.label(test)),
        );
    }
    let Some(body) = body else {
        return r.label(node);
    };
    let end = body.start_byte().min(node.start_byte() + 160);
    String::from_utf8_lossy(&r.source[node.start_byte()..end])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
