//! `ERR`: errors caught. Thrown ones are told where they are thrown (`functions.rs`).

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::branches;
use crate::statements::{self, OUTERMOST};
use crate::syntax::{bound_names, child, children};

const ROLE: &str = "catch";

/// Hook: `do` with `catch`. Calls that an error leaves without a word are gone once it is caught.
pub(crate) fn do_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let catches = child(node, "catch_block").is_some();
    if !catches || !statements::takes_probe(rewriter, node) {
        return;
    }
    let site = rewriter.site_of(Kind::Err, node, ROLE);
    statements::open_before(rewriter, node, format!("let _tr_d{site} = _tr_d(); "));
}

/// Hook: one `catch`.
pub(crate) fn catch<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(whole) = rewriter.parent(node) else {
        return;
    };
    let parts = children(node);
    let Some(brace) = parts.iter().find(|part| part.kind() == "{") else {
        return;
    };
    let site = rewriter.site(Kind::Err, node);
    let pattern = node.child_by_field_name("error");
    let names = bound_names(rewriter, node);
    let named = match (pattern, &names[..]) {
        (None, _) => Some("error".to_owned()),
        (Some(pattern), [name]) => {
            let text = rewriter.text(pattern);
            let head = text
                .split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ");
            (head == format!("let {name}")).then(|| name.clone())
        }
        _ => None,
    };
    let mut text = match named {
        Some(name) => format!(" _tr_k({site}, {name})"),
        None => match branches::bound(rewriter, node) {
            Some(values) => format!(" _tr_k({site}); {values}"),
            None => format!(" _tr_k({site})"),
        },
    };
    if let Some(place) = rewriter.known_site(whole, ROLE) {
        text = format!(" _tr_dr(_tr_d{place});{text}");
    }
    let empty = child(node, "statements").is_none();
    text.push_str(if empty { " " } else { "; " });
    rewriter.open_at(brace.end_byte(), OUTERMOST, text);
}
