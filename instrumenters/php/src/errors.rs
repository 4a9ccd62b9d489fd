//! Errors: raised, caught, passing through a `finally`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::functions::{frame_text, is_outermost_finally, surround};
use crate::syntax::{enclosing_function, expression_child, is_uncounted, unticked};

/// `throw`.
pub(crate) fn throw<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = expression_child(node) else {
        return;
    };
    let site = r.site(Kind::Err, node);
    let text = r.label(value);
    r.site_mut(site).text = text;
    let glued = value.start_byte() == node.start_byte() + "throw".len();
    let space = if glued { " " } else { "" };
    r.wrap(value, format!("{space}\\trc0_t({site},"), ")");
}

/// The start of a `catch` body.
pub(crate) fn catch<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let Some(frame) = frame_text(r, enclosing_function(r, node)) else {
        return;
    };
    if is_uncounted(r, body) {
        return r.drop_probe(node, "unsupported");
    }
    let site = r.site(Kind::Err, node);
    let name = node
        .child_by_field_name("name")
        .map(|name| r.text(name).into_owned());
    let text = match name {
        Some(name) => {
            r.set_names(site, [name.clone()]);
            format!("\\trc0_c({site},{frame},{name});")
        }
        None => {
            let caught = node
                .child_by_field_name("type")
                .map(|caught| r.label(caught))
                .filter(|caught| {
                    caught
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                })
                .unwrap_or_else(|| "Throwable".into());
            format!("\\trc0_c({site},{frame},['{caught}',null]);")
        }
    };
    let text = unticked(r, &text);
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
    if is_uncounted(r, body) {
        return r.drop_probe(node, "unsupported");
    }
    let site = r.site(Kind::Err, node);
    let head = format!("\\trc0_f({site},{frame});");
    let outermost = r
        .parent(node)
        .is_some_and(|parent| is_outermost_finally(r, parent));
    let tail = if outermost {
        format!("\\trc0_fe({frame});")
    } else {
        String::new()
    };
    surround(r, body, &head, &tail);
}
