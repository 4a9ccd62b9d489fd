//! `yield`: a generator is left and taken up again.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::functions::{Frame, frame_of, returns_reference};
use crate::syntax::{FRAME, enclosing_function, expression_child};

/// `yield`, `yield $key => $value` and `yield from`.
pub(crate) fn pause<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let function = enclosing_function(r, node);
    if frame_of(r, function) != Some(Frame::Task) {
        return;
    }
    let site = r.site(Kind::Out, node);
    let text = r.label(node);
    r.site_mut(site).text = text;
    let delegates = node.child(0).is_some_and(|word| word.kind() != "yield");
    if delegates || returns_reference(function) {
        let before = format!("\\trc0_w({site},{FRAME},\\trc0_y0({site},{FRAME}),");
        r.wrap(node, before, ")");
        return;
    }
    r.wrap(node, format!("\\trc0_w({site},{FRAME},0,"), ")");
    let value = expression_child(node).map(|value| {
        if value.kind() != "array_element_initializer" {
            return value;
        }
        let count = value.named_child_count();
        (0..count)
            .rev()
            .filter_map(|at| value.named_child(at as _))
            .find(|child| !child.is_extra())
            .unwrap_or(value)
    });
    match value {
        Some(value) => {
            let glued = value.start_byte() == node.start_byte() + "yield".len();
            let space = if glued { " " } else { "" };
            r.wrap(value, format!("{space}\\trc0_y({site},{FRAME},"), ")");
        }
        None => r.close_at(
            node.end_byte(),
            0,
            format!(" \\trc0_y({site},{FRAME},null)"),
        ),
    }
}
