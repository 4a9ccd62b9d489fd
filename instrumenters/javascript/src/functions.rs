//! Calls: functions entered, left and unwound; classes, which only give names.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::chains::first_of;
use crate::statements::prologue_end;
use crate::syntax::{
    Frame, bound_names, enclosing_function, has_token, is_function, own_code, probe, texts,
    wrap_argument,
};

/// The local that holds a function's frame.
pub(crate) fn depth_name(r: &mut Rewriter<'_>) -> String {
    probe(r, "F")
}

/// What a function's own code needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    /// For its own `try` statements.
    pub(crate) frame: Frame,
    /// Whether it waits or yields.
    pub(crate) suspends: bool,
    /// Whether it has a `with`, inside which nothing reports.
    pub(crate) has_with: bool,
}

/// Looks through a function's own code.
pub(crate) fn scan(node: Node<'_>) -> Needs {
    let mut needs_depth = false;
    let mut suspends = false;
    let mut has_with = false;
    own_code(node, &mut |child| {
        match child.kind() {
            "try_statement" => needs_depth = true,
            "await_expression" | "yield_expression" => suspends = true,
            "for_in_statement" if has_token(child, "await") => suspends = true,
            "with_statement" => has_with = true,
            _ => {}
        }
        false
    });
    Needs {
        frame: if needs_depth {
            Frame::Depth
        } else {
            Frame::None
        },
        suspends,
        has_with,
    }
}

/// The frame of the function (or file) that runs a node.
pub(crate) fn frame_of(r: &Rewriter<'_>, function: Node<'_>) -> Option<Frame> {
    Some(match r.recall(function, "frame")? {
        0 => Frame::None,
        1 => Frame::Depth,
        _ => Frame::Task,
    })
}

/// The expression for the frame of the function that runs a node.
pub(crate) fn frame_text(r: &mut Rewriter<'_>, function: Node<'_>) -> Option<String> {
    match frame_of(r, function)? {
        // Only the main file's top level needs none for a `try`.
        Frame::None => Some("0".into()),
        Frame::Depth | Frame::Task => Some(depth_name(r)),
    }
}

fn is_async(node: Node<'_>) -> bool {
    has_token(node, "async")
}

fn is_generator(node: Node<'_>) -> bool {
    node.kind().starts_with("generator") || has_token(node, "*")
}

fn name_of(r: &Rewriter<'_>, node: Node<'_>) -> String {
    if node.kind() == "class_static_block" {
        return "<static>".into();
    }
    if let Some(name) = node.child_by_field_name("name") {
        let text = r.text(name);
        return if has_token(node, "get") {
            format!("get {text}")
        } else if has_token(node, "set") {
            format!("set {text}")
        } else {
            text.into_owned()
        };
    }
    let mut child = node;
    while let Some(parent) = child.parent() {
        let field = match parent.kind() {
            "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression"
            | "type_assertion" => {
                child = parent;
                continue;
            }
            "variable_declarator" | "public_field_definition" => "name",
            "assignment_expression" | "assignment_pattern" => "left",
            "pair" => "key",
            "field_definition" => "property",
            _ => break,
        };
        return match parent.child_by_field_name(field) {
            Some(target) if target.kind() == "member_expression" => target
                .child_by_field_name("property")
                .map_or_else(|| "<anonymous>".into(), |name| r.text(name).into_owned()),
            Some(target)
                if matches!(
                    target.kind(),
                    "identifier"
                        | "property_identifier"
                        | "private_property_identifier"
                        | "string"
                        | "number"
                ) =>
            {
                r.text(target).trim_matches(['"', '\'']).to_owned()
            }
            _ => "<anonymous>".into(),
        };
    }
    "<anonymous>".into()
}

/// Whether the caller is native code that keeps an error to itself: a promise's callbacks.
fn is_swallowed(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    let Some(call) = node
        .parent()
        .filter(|parent| parent.kind() == "arguments")
        .and_then(|arguments| arguments.parent())
    else {
        return false;
    };
    match call.kind() {
        "new_expression" => call
            .child_by_field_name("constructor")
            .is_some_and(|maker| r.text(maker) == "Promise"),
        "call_expression" => call
            .child_by_field_name("function")
            .and_then(|callee| callee.child_by_field_name("property"))
            .is_some_and(|name| matches!(r.text(name).as_ref(), "then" | "catch" | "finally")),
        _ => false,
    }
}

/// Whether a body may stand in a `try`: a block changes the scope of function declarations, and
/// would hide a clash of names.
fn may_stand_in_try(r: &Rewriter<'_>, body: Node<'_>, parameters: &[String]) -> bool {
    if body.kind() != "statement_block" {
        return true;
    }
    let mut cursor = body.walk();
    for child in body.named_children(&mut cursor) {
        match child.kind() {
            "function_declaration" | "generator_function_declaration" => return false,
            "class_declaration" => {
                if let Some(name) = child.child_by_field_name("name")
                    && parameters.iter().any(|known| *known == r.text(name))
                {
                    return false;
                }
            }
            "lexical_declaration" => {
                let mut inner = child.walk();
                for declarator in child.named_children(&mut inner) {
                    let mut names = Vec::new();
                    if let Some(name) = declarator.child_by_field_name("name") {
                        bound_names(name, &mut names);
                    }
                    if names.iter().any(|name| {
                        let text = r.text(*name);
                        text == "arguments" || parameters.iter().any(|known| *known == text)
                    }) {
                        return false;
                    }
                }
            }
            _ => {}
        }
    }
    true
}

/// A function's body reports its arguments and its end.
pub(crate) fn function<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let is_arrow = node.kind() == "arrow_function";
    let is_static = node.kind() == "class_static_block";
    let (asynchronous, generator) = (is_async(node), is_generator(node));
    let needs = scan(node);
    let mut frame = needs.frame;
    if generator || (asynchronous && needs.suspends) {
        frame = Frame::Task;
    }
    let mut names = Vec::new();
    if let Some(parameters) = node
        .child_by_field_name("parameters")
        .or_else(|| node.child_by_field_name("parameter"))
    {
        bound_names(parameters, &mut names);
    }
    let names = texts(r, &names);
    let guard = (frame == Frame::Task || asynchronous || needs.has_with || is_swallowed(r, node))
        && may_stand_in_try(r, body, &names);
    if guard && frame == Frame::None {
        frame = Frame::Depth;
    }
    let name = name_of(r, node);
    let kind = match () {
        () if is_static => FunctionKind::Class,
        () if generator => FunctionKind::Generator,
        () if asynchronous => FunctionKind::Async,
        () if node.kind() == "method_definition" => FunctionKind::Method,
        () if name == "<anonymous>" => FunctionKind::Lambda,
        () => FunctionKind::Function,
    };
    r.enter_function(node, body, &name, ".", kind);
    r.remember(node, "frame", frame as u32);
    let site = r.site(Kind::In, node);
    r.set_names(site, names.iter().cloned());
    let out = r.site(Kind::Out, node);
    r.remember(node, "out", out);

    if body.kind() == "statement_block" {
        let first = first_of(r, body);
        r.site_mut(site).chain.after = first;
    }
    let list = names.join(",");
    let mut entry = match frame {
        Frame::Task => {
            let what = match (asynchronous, generator) {
                (true, true) => "async generator",
                (true, false) => "async",
                _ => "generator",
            };
            let arguments = if list.is_empty() {
                String::new()
            } else {
                format!(",{list}")
            };
            format!(
                "const {}={}({site},\"{what}\"{arguments});",
                depth_name(r),
                probe(r, "g")
            )
        }
        Frame::None | Frame::Depth => {
            let arity = match names.len() {
                few @ 0..=3 => few.to_string(),
                _ => "N".into(),
            };
            let arguments = if list.is_empty() {
                String::new()
            } else {
                format!(",{list}")
            };
            let call = format!("{}({site}{arguments});", probe(r, &format!("i{arity}")));
            if frame == Frame::Depth {
                format!("const {}={call}", depth_name(r))
            } else {
                call
            }
        }
    };
    let mut ending = String::new();
    if guard {
        entry.push_str("try{");
        let unwound = probe(r, if frame == Frame::Task { "u" } else { "un" });
        ending = format!("}}finally{{{unwound}({out},{});}}", depth_name(r));
    }

    if is_arrow && body.kind() != "statement_block" {
        let leave = if frame == Frame::Task {
            format!("{}({out},{},", probe(r, "R"), depth_name(r))
        } else {
            format!("{}({out},", probe(r, "r"))
        };
        r.wrap(
            body,
            format!("{{{entry}return {leave}"),
            format!("){ending}}}"),
        );
        return;
    }
    let start = prologue_end(body).unwrap_or(body.start_byte() + 1);
    // A directive may end by automatic semicolon.
    let leave = if frame == Frame::Task {
        format!("{}({out},{});", probe(r, "O"), depth_name(r))
    } else {
        format!("{}({out});", probe(r, "o"))
    };
    surround(
        r,
        body,
        start,
        &format!(";{entry}"),
        &format!(";{leave}{ending}"),
    );
}

/// Inserts at the start (from `start`) and end of a block's inside, which may be empty.
pub(crate) fn surround(
    r: &mut Rewriter<'_>,
    block: Node<'_>,
    start: usize,
    head: &str,
    tail: &str,
) {
    let extent = block.end_byte() - block.start_byte();
    let end = block.end_byte() - 1;
    if start >= end {
        // What is put at the start must come between them.
        r.open_at(start, extent, head);
        r.open_at(start, 0, tail);
        return;
    }
    r.open_at(start, extent, head);
    if !tail.is_empty() {
        r.close_at(end, extent - 1, tail);
    }
}

/// A class qualifies the names of what is inside.
pub(crate) fn class<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let name = node
        .child_by_field_name("name")
        .map_or_else(|| name_of(r, node), |name| r.text(name).into_owned());
    r.enter_class(body, &name);
}

/// `return` reports the value. Inside a `try` with a `finally` the report waits for that.
pub(crate) fn leave<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let function = enclosing_function(r, node);
    let Some(frame) = frame_of(r, function) else {
        return;
    };
    if function.kind() == "program" && r.options.file == 0 {
        return;
    }
    let site = r.site(Kind::Out, node);
    let waits = waits_for_finally(node, function);
    let value = crate::syntax::expression_child(node);
    let Some(value) = value else {
        let keyword = node.start_byte() + "return".len();
        let (name, arguments) = match (waits, frame) {
            (true, _) => (
                "rf",
                format!(
                    "{site},{},void 0",
                    frame_text(r, function).unwrap_or_default()
                ),
            ),
            (false, Frame::Task) => ("Ru", format!("{site},{}", depth_name(r))),
            (false, _) => ("ru", site.to_string()),
        };
        let text = format!(" {}({arguments})", probe(r, name));
        r.close_at(keyword, 0, text);
        return;
    };
    r.set_names(site, [r.label(value)]);
    let before = match (waits, frame) {
        (true, _) => {
            format!(
                "{}({site},{},",
                probe(r, "rf"),
                frame_text(r, function).unwrap_or_default()
            )
        }
        (false, Frame::Task) => format!("{}({site},{},", probe(r, "R"), depth_name(r)),
        (false, _) => format!("{}({site},", probe(r, "r")),
    };
    // `return` and an operand that begins right behind it, as in `return(x)`.
    let glued = value.start_byte() == node.start_byte() + "return".len();
    wrap_argument(
        r,
        value,
        &format!("{}{before}", if glued { " " } else { "" }),
    );
}

/// Whether a return passes a `finally` that runs to its end.
pub(crate) fn waits_for_finally(node: Node<'_>, function: Node<'_>) -> bool {
    let mut child = node;
    while let Some(parent) = child.parent() {
        if child == function {
            break;
        }
        if parent.kind() == "try_statement"
            && parent.child_by_field_name("finalizer") != Some(child)
            && let Some(finalizer) = parent.child_by_field_name("finalizer")
        {
            return ends_normally(finalizer);
        }
        child = parent;
    }
    false
}

/// Whether nothing in a `finally` leaves it early.
pub(crate) fn ends_normally(finalizer: Node<'_>) -> bool {
    !own_code(finalizer, &mut |child| {
        matches!(
            child.kind(),
            "return_statement" | "break_statement" | "continue_statement" | "throw_statement"
        )
    })
}

/// Whether a `try` lies inside the protected part of another of the same function.
pub(crate) fn is_outermost_finally(try_statement: Node<'_>) -> bool {
    let mut child = try_statement;
    while let Some(parent) = child.parent() {
        if is_function(parent.kind()) {
            break;
        }
        if parent.kind() == "try_statement"
            && parent
                .child_by_field_name("finalizer")
                .is_some_and(|own| own != child)
        {
            return false;
        }
        child = parent;
    }
    true
}
