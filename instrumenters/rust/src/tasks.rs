//! `TASK`: futures that wait and go on, and threads where they are made.
//!
//! What is awaited passes through a probe that is a future itself, so that it sees each poll.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::context::{self, frame_of, runs};
use crate::functions::{frame, is_async};

/// Hook: an `async` block, which has a frame as a function has.
pub(crate) fn block<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let mut cursor = node.walk();
    let body = node
        .named_children(&mut cursor)
        .find(|child| child.kind() == "block");
    let Some(body) = body.filter(|_| runs(rewriter, node)) else {
        return;
    };
    rewriter.enter_function(node, body, "{async}", "::", FunctionKind::Async);
    frame(rewriter, node, body);
}

/// Hook: `.await`.
pub(crate) fn wait<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = node.named_child(0) else {
        return;
    };
    let Some(around) = frame_of(rewriter, node) else {
        return;
    };
    if !is_async(around, rewriter.source)
        || rewriter.recall(around, "frame").is_none()
        || !runs(rewriter, node)
    {
        return;
    }
    let site = rewriter.site(Kind::Out, node);
    rewriter.wrap(value, format!("_tr::aw({site},&_tr_g,"), ")");
}

/// Hook: a call that may make a thread.
pub(crate) fn spawn<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(function), Some(arguments)) = (
        node.child_by_field_name("function"),
        node.child_by_field_name("arguments"),
    ) else {
        return;
    };
    if !rewriter.text(function).ends_with("spawn") || !runs(rewriter, node) {
        return;
    }
    let Some(closure) = arguments
        .named_child(0)
        .filter(|argument| argument.kind() == "closure_expression")
        .filter(|argument| context::attributes(rewriter.source, *argument).is_empty())
    else {
        return;
    };
    let site = rewriter.site(Kind::Task, node);
    rewriter.wrap(closure, format!("{{_tr::k({site});"), "}");
}
