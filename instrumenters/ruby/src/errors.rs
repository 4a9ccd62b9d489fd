//! Errors: caught by a `rescue`, passing through an `ensure`.
//!
//! Where they were raised is told by the frames they leave, whose probes see them first.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::statements::first_of;
use crate::syntax::{around, code_end, probe, token};

/// Two sites: caught here, and where the error came up if nothing has told that yet.
fn sites<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> u32 {
    let site = r.site(Kind::Err, node);
    let around = r.parent(node).unwrap_or(node);
    r.site(Kind::Err, around);
    site
}

/// The start of a `rescue` body.
pub(crate) fn rescue<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let site = sites(r, node);
    let text = r.label(node);
    let head = text.split(" then ").next().unwrap_or_default();
    head.clone_into(&mut r.site_mut(site).text);
    let variable = node.child_by_field_name("variable");
    if let Some(variable) = variable.and_then(|variable| variable.named_child(0)) {
        let name = r.text(variable).into_owned();
        r.set_names(site, [name]);
    }
    let body = node.child_by_field_name("body");
    let first = first_of(r, body);
    r.site_mut(site).chain.after = first;
    let call = format!("{}({site});", probe("c"));
    let extent = usize::MAX >> 34;
    if let Some(then) = body
        .and_then(|body| token(body, "then"))
        .or_else(|| token(node, "then"))
    {
        r.open_at(then.end_byte(), extent, format!(" {call}"));
        return;
    }
    let head = variable.or_else(|| node.child_by_field_name("exceptions"));
    let at = head.map_or(node.start_byte() + "rescue".len(), code_end);
    r.close_at(at, extent, format!(";{call}"));
}

/// `expression rescue handler`.
pub(crate) fn modifier<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(handler) = node.child_by_field_name("handler") else {
        return;
    };
    let site = sites(r, node);
    let text = r.label(node);
    r.site_mut(site).text = text;
    around(r, handler, &format!("({}({site});", probe("c")), ")");
}

/// The start of an `ensure` body.
pub(crate) fn ensure<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let site = sites(r, node);
    let at = node.start_byte() + "ensure".len();
    r.open_at(at, usize::MAX >> 34, format!(";{}({site});", probe("f")));
}
