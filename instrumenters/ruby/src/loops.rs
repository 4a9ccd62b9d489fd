//! Loops: reached, going round, left. Blocks that a method calls again and again are functions.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::branches::tells_rounds;
use crate::names::targets;
use crate::statements::first_of;
use crate::syntax::{around, probe, token};

/// A loop statement of any kind, also as a modifier.
pub(crate) fn circle<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let site = r.site(Kind::Loop, node);
    r.enter_loop(node, site);
    let text = match (node.kind(), node.child_by_field_name("condition")) {
        ("for", _) => header(r, node, body),
        (kind, Some(condition)) => {
            let word = if kind.starts_with("while") {
                "while"
            } else {
                "until"
            };
            format!("{word} {}", r.label(condition))
        }
        (kind, None) => kind.to_owned(),
    };
    r.site_mut(site).text = text;
    let mut names = Vec::new();
    if let Some(pattern) = node.child_by_field_name("pattern") {
        targets(pattern, &mut names);
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| r.text(*name).into_owned())
        .collect();
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    r.set_names(site, names.iter().cloned());
    let name = match names.len() {
        0 => "l",
        1 => "l1",
        _ => "ln",
    };
    let round = format!("{}({site}{list});", probe(name));
    let before = format!("{}({site},({}({site});", probe("x"), probe("e"));
    around(r, node, &before, "))");
    if node.kind().ends_with("_modifier") {
        if body.kind() == "begin" {
            // `begin … end while` runs its body before the condition: it must stay one.
            if let Some(word) = token(body, "begin") {
                let extent = body.end_byte() - body.start_byte();
                let first = first_of(r, Some(body));
                r.site_mut(site).chain.after = first;
                r.open_at(word.end_byte(), extent, format!(" {round}"));
            }
        } else {
            around(r, body, &format!("({round}"), ")");
        }
        return;
    }
    let first = first_of(r, Some(body));
    r.site_mut(site).chain.after = first;
    if tells_rounds(r, node) {
        r.remember(node, "round", site);
        return;
    }
    // Behind the `do`, or behind the header.
    let extent = body.end_byte() - body.start_byte() + 1;
    match token(body, "do") {
        Some(word) => r.open_at(word.end_byte(), extent, format!(" {round}")),
        None => {
            let at = node
                .child_by_field_name("condition")
                .or_else(|| node.child_by_field_name("value"))
                .map_or(body.start_byte(), crate::syntax::code_end);
            // Behind what closes the condition's own probe.
            r.close_at(at, usize::MAX >> 33, format!(";{round}"));
        }
    }
}

fn header<'a>(r: &Rewriter<'a>, node: Node<'a>, body: Node<'a>) -> String {
    let end = body.start_byte().min(node.start_byte() + 160);
    String::from_utf8_lossy(&r.source[node.start_byte()..end])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
