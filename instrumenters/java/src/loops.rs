//! `LOOP`: entered, each iteration, left.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::reach::completes;
use crate::steps;
use crate::syntax::{bare, first_statement, open_body, parts, takes_statement, with_labels};

/// The variables that a loop's head declares.
pub(crate) fn targets(r: &Rewriter<'_>, node: Node<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if node.kind() == "enhanced_for_statement" {
        found.extend(node.child_by_field_name("name"));
    }
    if let Some(init) = node.child_by_field_name("init")
        && init.kind() == "local_variable_declaration"
    {
        for part in parts(init) {
            // Without a value it may not be read yet.
            if part.kind() == "variable_declarator" && part.child_by_field_name("value").is_some() {
                found.extend(part.child_by_field_name("name"));
            }
        }
    }
    found
        .into_iter()
        .filter(|name| name.kind() == "identifier")
        .map(|name| r.text(name).into_owned())
        .collect()
}

/// Hook: `while`, `do`, `for`.
pub(crate) fn circle<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if !r.wants(Detail::Lines) || !takes_statement(r, node) {
        open_body(r, body, "");
        return;
    }
    let site = r.site(Kind::Loop, node);
    r.enter_loop(node, site);
    let head = head(r, node, body);
    r.site_mut(site).text = head;
    steps::absorb(r, node, site);
    if let Some(first) = first_statement(r, body)
        && let Some(step) = steps::imply(r, first)
    {
        r.site_mut(site).chain.after.push(step);
    }
    let outer = with_labels(r, node);
    r.open(outer, format!("trc$.P.le({site});"));
    let names = if r.wants(Detail::State) {
        targets(r, node)
    } else {
        Vec::new()
    };
    let probe = match &names[..] {
        [] => format!("trc$.P.l({site});"),
        [one] => format!("trc$.A.l({site},{one});"),
        several => {
            let mut text = format!("if(trc$.P.ln({site},{})){{", several.len());
            for name in several {
                let _ = write!(text, "trc$.A.a({name});");
            }
            text.push_str("trc$.A.z();}");
            text
        }
    };
    r.set_names(site, names);
    open_body(r, body, &probe);
    if completes(r, outer) == Some(true) {
        let next = steps::follow(r, node);
        r.site_mut(site).chain.after_left = next;
        r.close(outer, format!("trc$.P.lx({site});"));
    }
}

fn head(r: &Rewriter<'_>, node: Node<'_>, body: Node<'_>) -> String {
    if let Some(condition) = node.child_by_field_name("condition")
        && node.kind() != "for_statement"
    {
        return r.label(bare(condition));
    }
    let end = body.start_byte().min(node.start_byte() + 160);
    String::from_utf8_lossy(&r.source[node.start_byte()..end])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
