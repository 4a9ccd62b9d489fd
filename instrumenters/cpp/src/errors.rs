//! `ERR`: what is thrown and what is caught.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{first_statement, open_body, takes_statement};
use crate::functions::Frame;
use crate::steps;

/// Hook: `throw`, as a statement.
pub(crate) fn throw<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Calls) || !takes_statement(rewriter, node) {
        return;
    }
    let site = rewriter.site(Kind::Err, node);
    let probe = match node.named_child(0) {
        Some(_) => format!("_tr_th({site}u);"),
        None => format!("_tr_tr({site}u);"),
    };
    rewriter.open(node, probe);
}

/// Hook: a handler.
pub(crate) fn catch<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if Frame::around(rewriter, body).is_none() {
        return;
    }
    let site = rewriter.site(Kind::Err, node);
    if let Some(first) = first_statement(rewriter, body)
        && let Some(step) = steps::imply(rewriter, first)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
    open_body(rewriter, body, &format!("_tr_ct({site}u);"));
}
