//! `await`, `yield` and `for await`: a call is left and taken up again.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::functions::frame_text;
use crate::syntax::{
    enclosing_function, expression_child, has_token, is_delegation, is_function, is_printed, probe,
};

/// `await` and `yield`.
pub(crate) fn suspension<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let function = enclosing_function(node);
    let Some(frame) = frame_text(r, function) else { return };
    let site = r.site(Kind::Out, node);
    let text = r.label(node);
    r.site_mut(site).text = text;
    let (sleep, wake) = (probe(r, "y"), probe(r, "w"));
    // An optional call is what V8 prints as it prints an `await`: `(intermediate value)`.
    let (open, close) = if is_printed(node) {
        (format!("({wake}?.({site},{frame},"), "))")
    } else {
        (format!("{wake}({site},{frame},"), ")")
    };
    if node.kind() == "yield_expression" && is_delegation(node) {
        let sleep = probe(r, "y0");
        r.wrap(node, format!("{open}({sleep}({site},{frame}),"), format!("){close}"));
        return;
    }
    r.wrap(node, open, close);
    match expression_child(node) {
        Some(value) => {
            let keyword = node.child(0).map_or(0, |word| word.end_byte());
            let glued = if value.start_byte() == keyword { " " } else { "" };
            r.wrap(value, format!("{glued}{sleep}({site},{frame},"), ")");
        }
        None => r.close_at(node.end_byte(), 0, format!(" {sleep}({site},{frame},void 0)")),
    }
}

/// `break` and `continue` of a `for await` make it wait for the iterator.
pub(crate) fn jump<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let label = node.child_by_field_name("label").map(|label| r.text(label).into_owned());
    let mut child = node;
    let mut target = None;
    while let Some(parent) = child.parent() {
        if is_function(parent.kind()) {
            return;
        }
        let breaks = node.kind() == "break_statement";
        let is_loop = matches!(
            parent.kind(),
            "for_statement" | "for_in_statement" | "while_statement" | "do_statement"
        );
        if is_loop && has_token(parent, "await") {
            target = Some(parent);
        }
        let found = match &label {
            None => is_loop || (breaks && parent.kind() == "switch_statement"),
            Some(label) => {
                parent.kind() == "labeled_statement"
                    && parent
                        .child_by_field_name("label")
                        .is_some_and(|own| r.text(own) == label.as_str())
            }
        };
        if found {
            break;
        }
        child = parent;
    }
    let Some(target) = target else { return };
    let Some(pause) = r.recall(target, "pause") else { return };
    let Some(frame) = frame_text(r, enclosing_function(node)) else { return };
    let text = format!("{}({pause},{frame});", probe(r, "y0"));
    r.open(node, text);
}
