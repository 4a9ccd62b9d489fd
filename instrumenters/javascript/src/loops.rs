//! Loops: reached, going round, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::chains::first_of;
use crate::functions::frame_text;
use crate::suspensions::resumption;
use crate::syntax::{
    bare, bound_names, close_statement, enclosing_function, has_token, is_declaration, probe, texts,
};

/// A loop statement of any kind.
pub(crate) fn circle<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if is_declaration(body.kind()) {
        r.drop_probe(node, "unsupported");
        return;
    }
    // A label must stay on its loop.
    let mut outer = node;
    while let Some(parent) = outer
        .parent()
        .filter(|parent| parent.kind() == "labeled_statement")
    {
        outer = parent;
    }
    let suspends = node.kind() == "for_in_statement" && has_token(node, "await");
    if !r.wants(Detail::Lines) && !suspends {
        return;
    }
    let site = r.site(Kind::Loop, node);
    r.enter_loop(node, site);
    r.remember(node, "loop", site);
    let text = header(r, node, body);
    r.site_mut(site).text = text;

    let first = first_of(r, body);
    r.site_mut(site).chain.after = first;

    let mut names = Vec::new();
    if node.kind() == "for_in_statement"
        && let Some(left) = node.child_by_field_name("left")
    {
        bound_names(bare(left), &mut names);
    }
    let names = texts(r, &names);
    r.set_names(site, names.iter().cloned());
    let mut round = String::new();
    let mut before = String::new();
    let mut after = String::new();
    if r.wants(Detail::Lines) {
        let name = match names.len() {
            0 => "l",
            1 => "l1",
            _ => "ln",
        };
        let list: String = names.iter().map(|name| format!(",{name}")).collect();
        round = format!("{}({site}{list});", probe(r, name));
        before = format!("{}({site});", probe(r, "le"));
        after = format!(";{}({site});", probe(r, "x"));
    }
    let mut again = String::new();
    if let Some(wake) = awaited_list(r, node) {
        round.insert_str(0, &wake);
        after.insert_str(0, &format!(";{wake}"));
    }
    if suspends {
        let function = enclosing_function(r, node);
        if let Some(frame) = frame_text(r, function) {
            let pause = r.site(Kind::Out, node);
            r.remember(node, "pause", pause);
            let sleep = format!("{}({pause},{frame});", probe(r, "y0"));
            let wake = format!("{}({pause},{frame});", probe(r, "w0"));
            before.push_str(&sleep);
            round = format!("{wake}{round}");
            again = format!(";{sleep}");
            after = format!(";{wake}{after}");
        }
    }
    r.open(outer, before);
    close_statement(r, outer, after);
    r.open(body, format!("{{{round}"));
    close_statement(r, body, format!("{again}}}"));
}

/// What takes up a frame whose `await` gives the list to go over, which V8 prints when it is none.
fn awaited_list<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> Option<String> {
    let list = node.child_by_field_name("right")?;
    Some(format!("{};", resumption(r, list)?))
}

fn header<'a>(r: &Rewriter<'a>, node: Node<'a>, body: Node<'a>) -> String {
    let label = r.label(node);
    let end = body.start_byte().saturating_sub(node.start_byte());
    if body.start_byte() <= node.start_byte() || node.kind() == "do_statement" {
        return node
            .child_by_field_name("condition")
            .map_or(label, |condition| {
                format!("do … while {}", r.label(condition))
            });
    }
    let bytes = &r.source[node.start_byte()..node.start_byte() + end.min(160)];
    String::from_utf8_lossy(bytes)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
