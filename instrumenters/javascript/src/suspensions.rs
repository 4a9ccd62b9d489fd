//! `await`, `yield` and `for await`: a call is left and taken up again.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::functions::frame_text;
use crate::syntax::{
    bare, enclosing_function, expression_child, has_token, is_delegation, is_function, is_pattern,
    is_printed, probe,
};

/// `await` and `yield`.
pub(crate) fn suspension<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let function = enclosing_function(r, node);
    let Some(frame) = frame_text(r, function) else {
        return;
    };
    let whole = whole_of(node);
    let unpacked = is_unpacked(whole);
    let site = match r.recall(node, "pause") {
        Some(site) => site,
        None => r.site(Kind::Out, node),
    };
    r.remember(node, "pause", site);
    let text = r.label(whole);
    r.site_mut(site).text = text;
    let (sleep, wake) = (probe(r, "y"), probe(r, "w"));
    // An optional call is what V8 prints as it prints an `await`: `(intermediate value)`.
    let (open, close) = if unpacked {
        (String::new(), "")
    } else if is_printed(r, whole) {
        (format!("({wake}?.({site},{frame},"), "))")
    } else {
        (format!("{wake}({site},{frame},"), ")")
    };
    if node.kind() == "yield_expression" && is_delegation(node) {
        let sleep = probe(r, "y0");
        let tail = format!("){close}");
        r.wrap(node, format!("{open}({sleep}({site},{frame}),"), tail);
        return;
    }
    if !open.is_empty() {
        r.wrap(whole, open, close);
    }
    match expression_child(node) {
        Some(value) => {
            let keyword = node.child(0).map_or(0, |word| word.end_byte());
            let glued = if value.start_byte() == keyword {
                " "
            } else {
                ""
            };
            let (start, end) = (value.start_byte(), whole.end_byte());
            let text = format!("{glued}{sleep}({site},{frame},");
            r.open_at(start, end - start, text);
            r.close_at(end, end - start, ")");
        }
        None => r.close_at(
            node.end_byte(),
            0,
            format!(" {sleep}({site},{frame},void 0)"),
        ),
    }
}

/// The grammar of TypeScript reads `await f<T>(x)` as a call of `await f`: what is awaited goes on
/// as far as calls and members do.
fn whole_of(node: Node<'_>) -> Node<'_> {
    let mut whole = node;
    if !is_misread(node) {
        return node;
    }
    while let Some(parent) = whole.parent().filter(|parent| begins_with(*parent, whole)) {
        whole = parent;
    }
    whole
}

fn is_misread(node: Node<'_>) -> bool {
    node.kind() == "await_expression"
        && node.parent().is_some_and(|parent| {
            parent.kind() == "call_expression"
                && parent.child_by_field_name("function") == Some(node)
                && parent.child_by_field_name("type_arguments").is_some()
        })
}

fn begins_with(parent: Node<'_>, child: Node<'_>) -> bool {
    let field = match parent.kind() {
        "call_expression" => "function",
        "member_expression" | "subscript_expression" => "object",
        "non_null_expression" => return true,
        _ => return false,
    };
    parent.child_by_field_name(field) == Some(child)
}

/// The `await` that such an expression begins with.
fn misread_await(value: Node<'_>) -> Option<Node<'_>> {
    let mut node = value;
    while node.kind() != "await_expression" {
        let first = node.named_child(0)?;
        if !begins_with(node, first) {
            return None;
        }
        node = first;
    }
    is_misread(node).then_some(node)
}

/// Whether the value is taken apart at once. V8 would print any call there; the frame is then taken
/// up again behind the statement, or where its first round begins.
fn is_unpacked(node: Node<'_>) -> bool {
    let mut child = node;
    while let Some(parent) = child.parent() {
        return match parent.kind() {
            "parenthesized_expression" => {
                child = parent;
                continue;
            }
            "variable_declarator" => parent.child_by_field_name("name").is_some_and(is_pattern),
            "assignment_expression" => {
                parent.child_by_field_name("right") == Some(child)
                    && parent
                        .child_by_field_name("left")
                        .is_some_and(|left| is_pattern(bare(left)))
            }
            "for_in_statement" => parent.child_by_field_name("right") == Some(child),
            _ => false,
        };
    }
    false
}

/// What takes up the frame of an awaited value that a pattern takes apart.
pub(crate) fn resumption<'a>(r: &mut Rewriter<'a>, value: Node<'a>) -> Option<String> {
    let value = bare(value);
    let value = misread_await(value).unwrap_or(value);
    if !matches!(value.kind(), "await_expression" | "yield_expression") {
        return None;
    }
    let site = match r.recall(value, "pause") {
        Some(site) => site,
        None => r.site(Kind::Out, value),
    };
    r.remember(value, "pause", site);
    let frame = frame_text(r, enclosing_function(r, value))?;
    Some(format!("{}({site},{frame})", probe(r, "w0")))
}

/// `break` and `continue` of a `for await` make it wait for the iterator.
pub(crate) fn jump<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let label = node
        .child_by_field_name("label")
        .map(|label| r.text(label).into_owned());
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
    let Some(pause) = r.recall(target, "pause") else {
        return;
    };
    let Some(frame) = frame_text(r, enclosing_function(r, node)) else {
        return;
    };
    let text = format!("{}({pause},{frame});", probe(r, "y0"));
    r.open(node, text);
}
