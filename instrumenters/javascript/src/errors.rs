//! Errors: raised, caught, passing through a `finally`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::functions::{ends_normally, frame_text, is_outermost_finally, surround};
use crate::syntax::{enclosing_function, expression_child, probe, wrap_argument};

/// `throw`.
pub(crate) fn throw<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = expression_child(node) else {
        return;
    };
    let site = r.site(Kind::Err, node);
    let text = r.label(value);
    r.site_mut(site).text = text;
    let glued = value.start_byte() == node.start_byte() + "throw".len();
    let before = format!("{}{}({site},", if glued { " " } else { "" }, probe(r, "t"));
    wrap_argument(r, value, &before);
}

/// The start of a `catch` body.
pub(crate) fn catch<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let Some(frame) = frame_text(r, enclosing_function(r, node)) else {
        return;
    };
    let site = r.site(Kind::Err, node);
    let parameter = node
        .child_by_field_name("parameter")
        .filter(|parameter| parameter.kind() == "identifier")
        .map(|parameter| r.text(parameter).into_owned());
    let text = match parameter {
        Some(name) => {
            r.set_names(site, [name.clone()]);
            format!("{}({site},{frame},{name});", probe(r, "c"))
        }
        None => format!("{}({site},{frame});", probe(r, "c0")),
    };
    r.open_at(
        body.start_byte() + 1,
        body.end_byte() - body.start_byte(),
        text,
    );
}

/// The start and end of a `finally` body.
pub(crate) fn finally<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let Some(frame) = frame_text(r, enclosing_function(r, node)) else {
        return;
    };
    let site = r.site(Kind::Err, node);
    let head = format!("{}({site},{frame});", probe(r, "f"));
    let outermost = node.parent().is_some_and(is_outermost_finally);
    let tail = if outermost && ends_normally(node) {
        format!(";{}({frame});", probe(r, "fe"))
    } else {
        String::new()
    };
    surround(r, body, body.start_byte() + 1, &head, &tail);
}
