//! `IN` and `OUT`: functions and closures entered and left.
//!
//! A frame is a local that is dropped last, so that every way out is seen: the end, `return`, `?`,
//! and a panic. A result passes through a probe that gives it back as it is.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind};

use crate::context::{self, frame_of, is_tail, runs, takes_probes};
use crate::patterns::{bindings, values};
use crate::steps;

/// Hook: an attribute of the whole crate.
pub(crate) fn crate_attribute<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let text = rewriter.text(node);
    let line = node.start_position().row + 1;
    for word in ["no_std", "no_core", "no_main"] {
        if text
            .trim_start_matches(['#', '!', '[', ' '])
            .starts_with(word)
        {
            rewriter.refuse(format!(
                "it is written to run without the standard library (#![{word}], line {line})"
            ));
        }
    }
}

fn is_plain_block(body: Node<'_>) -> bool {
    body.kind() == "block"
}

/// The names of a function's or closure's parameters that its body can read.
fn parameters(rewriter: &Rewriter<'_>, node: Node<'_>) -> Vec<String> {
    let Some(list) = node.child_by_field_name("parameters") else {
        return Vec::new();
    };
    let mut names = Vec::new();
    let mut cursor = list.walk();
    for child in list.named_children(&mut cursor) {
        match child.kind() {
            "self_parameter" => names.push("self".to_owned()),
            "parameter" => {
                if let Some(pattern) = child.child_by_field_name("pattern") {
                    names.extend(bindings(rewriter, pattern));
                }
            }
            "attribute_item" => return Vec::new(),
            _ if list.kind() == "closure_parameters" => names.extend(bindings(rewriter, child)),
            _ => {}
        }
    }
    names.truncate(16);
    names
}

/// Puts the frame at the start of a body.
pub(crate) fn frame<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, body: Node<'a>) {
    let names = parameters(rewriter, node);
    let site = rewriter.site(Kind::In, node);
    let out = rewriter.site(Kind::Out, node);
    rewriter.site(Kind::Err, node);
    let shows = rewriter.wants(Detail::State) || rewriter.detail() == Detail::Calls;
    let count = if shows { names.len() } else { 0 };
    let enter = if is_async(node, rewriter.source) {
        "af"
    } else {
        "f"
    };
    let mut text = format!("let _tr_g=_tr::{enter}({site},{out});");
    if node.kind() == "function_item" && is_main(rewriter, node) {
        text.insert_str(0, "_tr::restore(crate::_TR_COLUMNS);");
    }
    let (at, extent) = match context::start_of(body) {
        Some(at) if is_plain_block(body) => (at, body.end_byte() - body.start_byte()),
        _ => (body.start_byte(), body.end_byte() - body.start_byte()),
    };
    if !is_plain_block(body) {
        rewriter.enclose(body, "{", "}");
    }
    rewriter.rely_at(at, extent, text);
    if count != 0 {
        let values = values(&names);
        rewriter.open_at(
            at,
            extent,
            format!("if _tr_g.i({site},{count}){{{values}_tr::z();}}"),
        );
        rewriter.set_names(site, names);
    }
    if let Some(step) = steps::imply_first(rewriter, body) {
        rewriter.site_mut(site).chain.after.push(step);
    }
    rewriter.remember(node, "frame", site);
}

fn is_main(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    node.child_by_field_name("name")
        .is_some_and(|name| rewriter.text(name) == "main")
        && rewriter
            .parent(node)
            .is_some_and(|parent| parent.kind() == "source_file")
        && rewriter.options.file == 0
}

pub(crate) fn is_async(node: Node<'_>, source: &[u8]) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| {
        child.kind() == "async"
            || child.kind() == "function_modifiers"
                && source[child.start_byte()..child.end_byte()]
                    .windows(5)
                    .any(|word| word == b"async")
    })
}

/// The type whose `impl` or trait a function stands in.
fn owner(rewriter: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    let list = rewriter.parent(node)?;
    let item = rewriter.parent(list)?;
    let name = match item.kind() {
        "impl_item" => item.child_by_field_name("type")?,
        "trait_item" => item.child_by_field_name("name")?,
        _ => return None,
    };
    let text = rewriter.label(name);
    Some(text.split('<').next().unwrap_or(&text).to_owned())
}

/// Hook: a function.
pub(crate) fn function<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(name), Some(body)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    let name = rewriter.text(name).into_owned();
    let owner = owner(rewriter, node);
    let kind = match &owner {
        _ if is_async(node, rewriter.source) => FunctionKind::Async,
        Some(_) => FunctionKind::Method,
        None => FunctionKind::Function,
    };
    let id = rewriter.enter_function(node, body, &name, "::", kind);
    if let Some(owner) = owner {
        let qualified = format!("{owner}::{name}");
        rewriter.set_qualified(id, qualified.clone());
        rewriter.name_inside(qualified);
    }
    if !takes_probes(rewriter, node) {
        return;
    }
    frame(rewriter, node, body);
}

/// Hook: a closure.
pub(crate) fn closure<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if !runs(rewriter, node) || matches!(body.kind(), "_" | "async_block") {
        return;
    }
    let facts = context::FileFacts::of(rewriter);
    if facts.column_lines.contains(&body.start_position().row) {
        return;
    }
    rewriter.enter_function(node, body, "{closure}", "::", FunctionKind::Lambda);
    frame(rewriter, node, body);
}

/// Whether an expression never gives a value, or one that says nothing.
fn gives_nothing(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "return_expression"
        | "break_expression"
        | "continue_expression"
        | "unit_expression"
        | "while_expression"
        | "for_expression"
        | "assignment_expression"
        | "compound_assignment_expr" => true,
        "macro_invocation" => {
            let name = node
                .child_by_field_name("macro")
                .map(|name| rewriter.text(name));
            name.is_some_and(|name| {
                let name = name.rsplit("::").next().unwrap_or("");
                name.starts_with("print")
                    || name.starts_with("eprint")
                    || name.starts_with("assert")
                    || name.starts_with("debug_assert")
                    || matches!(name, "panic" | "todo" | "unimplemented" | "unreachable")
            })
        }
        _ => false,
    }
}

fn has_result(rewriter: &Rewriter<'_>, frame: Node<'_>) -> bool {
    match frame.child_by_field_name("return_type") {
        Some(type_) => !matches!(&*rewriter.text(type_), "()" | "!"),
        None => frame.kind() != "function_item",
    }
}

fn wants_results(rewriter: &Rewriter<'_>) -> bool {
    rewriter.wants(Detail::State) || rewriter.detail() == Detail::Calls
}

/// Hook: the last expression of a body.
pub(crate) fn result<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !wants_results(rewriter) {
        return;
    }
    let Some(parent) = rewriter.parent(node) else {
        return;
    };
    let frame = if parent.kind() == "closure_expression" {
        if node.kind() == "block" {
            return;
        }
        parent
    } else {
        let Some(outer) = rewriter.parent(parent) else {
            return;
        };
        let is_body = match outer.kind() {
            "function_item" | "closure_expression" => {
                outer.child_by_field_name("body") == Some(parent)
            }
            kind => kind == "async_block",
        };
        if !is_body || !is_tail(rewriter, node) {
            return;
        }
        outer
    };
    let value = match node.kind() {
        "expression_statement" => node.named_child(0),
        _ => Some(node),
    };
    let Some(value) = value else { return };
    if rewriter.recall(frame, "frame").is_none()
        || !has_result(rewriter, frame)
        || gives_nothing(rewriter, value)
        || !runs(rewriter, node)
        || context::is_conditional(rewriter, node)
    {
        return;
    }
    rewriter.wrap(node, "_tr::r(", ",&_tr_g)");
}

/// Hook: `return`.
pub(crate) fn leave<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = node.named_child(0).filter(|_| wants_results(rewriter)) else {
        return;
    };
    let Some(frame) = frame_of(rewriter, node) else {
        return;
    };
    if rewriter.recall(frame, "frame").is_none()
        || !has_result(rewriter, frame)
        || gives_nothing(rewriter, value)
        || value.kind().ends_with("_comment")
        || !runs(rewriter, node)
    {
        return;
    }
    rewriter.wrap(value, "_tr::r(", ",&_tr_g)");
}
