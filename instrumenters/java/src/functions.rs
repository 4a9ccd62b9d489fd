//! `IN` and `OUT`: functions entered and left; classes, which only give names.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::reach::completes;
use crate::returns::{self, Shape};
use crate::syntax::{bare, first_statement, has_modifier, open_block, parts};
use crate::types::Names;

/// Larger than any node: outermost among the insertions at one place.
const OUTERMOST: usize = 1 << 30;

/// Hook: a class qualifies the names of what is inside.
pub(crate) fn class<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let body = node.child_by_field_name("body").or_else(|| {
        parts(node)
            .into_iter()
            .find(|part| part.kind() == "class_body")
    });
    let Some(body) = body else { return };
    let name = node
        .child_by_field_name("name")
        .or_else(|| node.child_by_field_name("type"))
        .map_or_else(String::new, |name| r.label(name));
    r.enter_class(body, &name);
    crate::fields::initialisers(r, body, &name);
}

fn kind_of(node: Node<'_>) -> FunctionKind {
    match node.kind() {
        "lambda_expression" => FunctionKind::Lambda,
        _ => FunctionKind::Method,
    }
}

/// What the JVM calls a function in a stack trace.
fn name_of(r: &Rewriter<'_>, node: Node<'_>) -> String {
    match node.kind() {
        "lambda_expression" => "<lambda>".into(),
        "constructor_declaration" | "compact_constructor_declaration" => "<init>".into(),
        _ => node
            .child_by_field_name("name")
            .map_or_else(String::new, |name| r.text(name).into_owned()),
    }
}

/// The parameters that a function's body can name.
fn parameters<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Vec<String> {
    let owner = match node.kind() {
        "compact_constructor_declaration" => r
            .parent(node)
            .and_then(|body| r.parent(body))
            .unwrap_or(node),
        _ => node,
    };
    let Some(list) = owner.child_by_field_name("parameters") else {
        return Vec::new();
    };
    if list.kind() == "identifier" {
        return vec![r.text(list).into_owned()];
    }
    parts(list)
        .into_iter()
        .filter_map(|part| match part.kind() {
            "identifier" => Some(part),
            "formal_parameter" => part.child_by_field_name("name"),
            "spread_parameter" => parts(part)
                .into_iter()
                .find(|inner| inner.kind() == "variable_declarator")
                .and_then(|declarator| declarator.child_by_field_name("name")),
            _ => None,
        })
        .filter(|name| name.kind() == "identifier")
        .map(|name| r.text(name).into_owned())
        .collect()
}

/// The probe that reports a function's arguments.
fn entry(site: u32, names: &[String]) -> String {
    match names {
        [] => format!("trc$.P.i({site});"),
        [one] => format!("trc$.A.i({site},{one});"),
        several => {
            let mut text = format!("if(trc$.P.in({site},{})){{", several.len());
            for name in several {
                let _ = write!(text, "trc$.A.a({name});");
            }
            text.push_str("trc$.A.z();}");
            text
        }
    }
}

/// Hook: a method, constructor or lambda.
pub(crate) fn function<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let name = name_of(r, node);
    r.enter_function(node, body, &name, ".", kind_of(node));
    if !matches!(body.kind(), "block" | "constructor_body") {
        expression(r, node, body);
        return;
    }
    let names = parameters(r, node);
    let site = r.site(Kind::In, node);
    // The emitter takes the site behind the IN for calls that an error leaves.
    let out = r.site(Kind::Out, node);
    let text = entry(site, &names);
    r.set_names(site, names);
    if let Some(first) = first_statement(r, body)
        && let Some(step) = crate::steps::imply(r, first)
    {
        r.site_mut(site).chain.after.push(step);
    }
    let call = parts(body)
        .into_iter()
        .find(|part| part.kind() == "explicit_constructor_invocation");
    let mut ends = String::new();
    if completes(r, body) == Some(true) {
        ends = format!("trc$.P.o({out});");
    }
    let extent = body.end_byte() - body.start_byte();
    if is_main(r, node) {
        let site = r.site(Kind::Err, node);
        open_block_at(r, body, OUTERMOST, "try{");
        open_block(r, body, &format!("{text}trc$.P.te({site});"));
        let caught =
            format!("{ends}}}catch(Throwable trc$t){{trc$.P.u({site},trc$t);throw trc$t;}}");
        r.close_at(body.end_byte() - 1, OUTERMOST, caught);
        return;
    }
    match call {
        Some(call) => r.close_at(call.end_byte(), extent, text),
        None => open_block(r, body, &text),
    }
    if !ends.is_empty() {
        r.close_at(body.end_byte() - 1, extent - 1, ends);
    }
}

fn open_block_at(r: &mut Rewriter<'_>, block: Node<'_>, extent: usize, text: &str) {
    r.open_at(block.start_byte() + 1, extent, text);
}

/// The method that a program begins with.
fn is_main<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    node.kind() == "method_declaration"
        && has_modifier(node, "static")
        && node
            .child_by_field_name("name")
            .is_some_and(|name| r.text(name) == "main")
        && node
            .child_by_field_name("type")
            .is_some_and(|kind| kind.kind() == "void_type")
}

/// A lambda whose body is an expression. Only where its value (or that it has none) is certain does
/// it get a frame: a call may be either.
fn expression<'a>(r: &mut Rewriter<'a>, node: Node<'a>, body: Node<'a>) {
    let value = bare(body);
    let void = match value.kind() {
        "method_invocation" => Some(is_void_call(r, value)),
        "assignment_expression" | "update_expression" | "object_creation_expression" => None,
        _ => Some(false),
    };
    let shape = returns::shape(value);
    match void {
        Some(true) => {
            let (before, out) = lambda_entry(r, node);
            r.wrap(body, format!("{{{before}"), format!(";trc$.P.o({out});}}"));
        }
        Some(false) if value.kind() != "method_invocation" => {
            let (before, out) = lambda_entry(r, node);
            match shape {
                Shape::Value => r.wrap(body, format!("{{{before}return trc$.V.r({out},"), ");}"),
                Shape::Bare => r.wrap(body, format!("{{{before}trc$.P.o({out});return "), ";}"),
            }
        }
        _ => {}
    }
}

fn lambda_entry<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> (String, u32) {
    let names = parameters(r, node);
    let site = r.site(Kind::In, node);
    let text = entry(site, &names);
    r.set_names(site, names);
    (text, r.site(Kind::Out, node))
}

/// Whether a call gives no value for certain: one of this file's own methods, or a print.
fn is_void_call(r: &mut Rewriter<'_>, call: Node<'_>) -> bool {
    let Some(name) = call.child_by_field_name("name") else {
        return false;
    };
    let name = r.text(name).into_owned();
    let object = call
        .child_by_field_name("object")
        .map(|object| r.text(object).into_owned());
    match object.as_deref() {
        Some("System.out" | "System.err") => matches!(&*name, "println" | "print"),
        None | Some("this") => Names::of(r).is_void(&name),
        Some(_) => false,
    }
}
