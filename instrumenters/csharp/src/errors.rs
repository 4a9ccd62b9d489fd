//! `ERR`: raised by `throw`, caught by `catch`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::chains;
use crate::context::{bare, child_of_kind, enclosing_function};
use crate::functions::depth_name;

/// Hook: `throw` with an operand.
pub(crate) fn throw<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let mut cursor = node.walk();
    let value = node
        .named_children(&mut cursor)
        .find(|child| !child.is_extra());
    let Some(value) = value.filter(|value| bare(*value).kind() != "null_literal") else {
        return;
    };
    if crate::lambdas::has_no_type_of_its_own(r, value) {
        return;
    }
    let site = r.site(Kind::Err, node);
    let glued = value.start_byte() == node.start_byte() + "throw".len();
    let space = if glued { " " } else { "" };
    r.wrap(value, format!("{space}_tr.R({site},"), ")");
}

/// Hook: `catch`.
pub(crate) fn catch<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node
        .child_by_field_name("body")
        .filter(|body| body.kind() == "block")
    else {
        return;
    };
    let depth = match enclosing_function(r, node) {
        None => "0".to_owned(),
        Some(function) => match depth_name(r, function) {
            Some(name) => name,
            None => return,
        },
    };
    let site = r.site(Kind::Err, node);
    if r.wants(Detail::Lines) {
        r.site_mut(site).chain.after = chains::first_of(r, body);
    }
    let name = match child_of_kind(node, "catch_declaration") {
        Some(declaration) => match declaration.child_by_field_name("name") {
            Some(name) => r.text(name).into_owned(),
            None => {
                r.open_at(declaration.end_byte() - 1, 0, format!(" _tr_e{site}"));
                format!("_tr_e{site}")
            }
        },
        None => {
            let keyword = node.start_byte() + "catch".len();
            r.open_at(
                keyword,
                0,
                format!("(global::System.Exception _tr_e{site})"),
            );
            format!("_tr_e{site}")
        }
    };
    let extent = body.end_byte() - body.start_byte();
    r.open_at(
        body.start_byte() + 1,
        extent,
        format!("_tr.C({site},{name},{depth});"),
    );
}
