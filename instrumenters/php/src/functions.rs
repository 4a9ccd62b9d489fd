//! Calls: functions entered and left; classes, which only give names.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::chains::first_of;
use crate::statements::entry;
use crate::syntax::{
    FRAME, enclosing_function, expression_child, guarded, has_token, is_listed, is_plain, own_code,
    spelled, texts, unticked, wrap_probe,
};

use crate::writes::place;

/// How a function's probes know their frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// They need not.
    None,
    /// The main file's top level: no call is open.
    Main,
    /// A file that another one includes: by its function.
    Included,
    /// A local holds how many calls are open.
    Depth,
    /// A local holds a number, since the function is left and taken up again.
    Task,
}

/// The frame of the function (or file) that runs a node.
pub(crate) fn frame_of(r: &Rewriter<'_>, function: Node<'_>) -> Option<Frame> {
    Some(match r.recall(function, "frame")? {
        0 => Frame::None,
        1 => Frame::Main,
        2 => Frame::Included,
        3 => Frame::Depth,
        _ => Frame::Task,
    })
}

/// The expression for the frame of the function that runs a node.
pub(crate) fn frame_text(r: &Rewriter<'_>, function: Node<'_>) -> Option<&'static str> {
    match frame_of(r, function)? {
        Frame::None => None,
        Frame::Main => Some("0"),
        Frame::Included => Some("null"),
        Frame::Depth | Frame::Task => Some(FRAME),
    }
}

fn name_of(r: &Rewriter<'_>, node: Node<'_>) -> String {
    match node.kind() {
        "anonymous_function" | "arrow_function" => "{closure}".into(),
        "property_hook" => {
            let mut cursor = node.walk();
            let hook = node
                .named_children(&mut cursor)
                .find(|child| child.kind() == "name")
                .map(|name| r.text(name).into_owned());
            let property = r
                .parent(node)
                .and_then(|list| r.parent(list))
                .and_then(|owner| property_name(r, owner));
            format!(
                "{}::{}",
                property.unwrap_or_default(),
                hook.unwrap_or_else(|| "get".into())
            )
        }
        _ => node
            .child_by_field_name("name")
            .map_or_else(|| "{closure}".into(), |name| r.text(name).into_owned()),
    }
}

fn property_name(r: &Rewriter<'_>, owner: Node<'_>) -> Option<String> {
    if let Some(name) = owner.child_by_field_name("name") {
        return Some(r.text(name).into_owned());
    }
    let mut cursor = owner.walk();
    let element = owner
        .named_children(&mut cursor)
        .find(|child| child.kind() == "property_element")?;
    let name = element.child_by_field_name("name")?;
    Some(r.text(name).into_owned())
}

/// The variables a parameter list binds.
fn parameters(node: Node<'_>) -> Vec<Node<'_>> {
    let Some(list) = node.child_by_field_name("parameters") else {
        return Vec::new();
    };
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter_map(|parameter| parameter.child_by_field_name("name"))
        .map(|name| {
            if name.kind() == "by_ref" {
                expression_child(name).unwrap_or(name)
            } else {
                name
            }
        })
        .filter(|name| name.kind() == "variable_name")
        .collect()
}

/// Whether a function returns a reference, so that its `return` wants a variable.
pub(crate) fn returns_reference(function: Node<'_>) -> bool {
    has_token(function, "reference_modifier") || has_token(function, "&")
}

/// A function's body reports its arguments and its end.
pub(crate) fn function<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = body_of(node) else {
        return;
    };
    let mut catches = false;
    let mut yields = false;
    own_code(node, &mut |child| {
        catches |= child.kind() == "try_statement";
        yields |= child.kind() == "yield_expression";
        false
    });
    let is_block = body.kind() == "compound_statement";
    let frame = match (yields, catches) {
        (true, _) if is_block => Frame::Task,
        (false, true) if is_block => Frame::Depth,
        _ => Frame::None,
    };
    let nodes = parameters(node);
    let nodes: Vec<Node<'a>> = nodes
        .into_iter()
        .filter(|name| is_plain(r, *name))
        .collect();
    let names = texts(r, &nodes);
    let mut name = name_of(r, node);
    if node.kind() == "function_definition" {
        name = spelled(r, node, &name);
    }
    let kind = match node.kind() {
        _ if yields => FunctionKind::Generator,
        "method_declaration" | "property_hook" => FunctionKind::Method,
        "anonymous_function" | "arrow_function" => FunctionKind::Lambda,
        _ => FunctionKind::Function,
    };
    r.enter_function(node, body, &name, "::", kind);
    r.remember(node, "frame", frame as u32);
    let site = r.site(Kind::In, node);
    r.set_names(site, names.iter().cloned());
    let out = r.site(Kind::Out, node);
    r.remember(node, "out", out);
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    if !is_block {
        let entered = format!("\\trc0_ia({site}{list})");
        if yields || (returns_reference(node) && !within_place(r, body, out, &entered)) {
            r.drop_probe(node, "unsupported");
        } else if !returns_reference(node) {
            wrap_probe(r, body, &format!("ra({out},{entered},"));
        }
        return;
    }
    let first = first_of(r, body);
    r.site_mut(site).chain.after = first;
    let entry = match frame {
        Frame::Task => format!("{FRAME}=\\trc0_g({site}{list});"),
        Frame::Depth => format!(
            "{FRAME}=++\\Trc0::$d;{}",
            guarded(site, &format!("i({site}{list})"))
        ),
        _ => entry(site, &list),
    };
    let leave = if ends(body) {
        String::new()
    } else if frame == Frame::Task {
        format!("\\trc0_go({out},{FRAME});")
    } else {
        format!("\\trc0_o({out});")
    };
    // In front of the first statement: a generator that has not begun stands there.
    let mut cursor = body.walk();
    let first = body
        .named_children(&mut cursor)
        .find(|child| child.kind() != "comment")
        .filter(|child| !child.is_extra() && !child.is_error());
    match first {
        Some(first) => {
            let extent = body.end_byte() - body.start_byte();
            let (entry, leave) = (unticked(r, &entry), unticked(r, &leave));
            r.open_at(first.start_byte(), extent, entry);
            if !leave.is_empty() {
                r.close_at(body.end_byte() - 1, extent - 1, leave);
            }
        }
        None => surround(r, body, &entry, &leave),
    }
}

/// `fn &() => place`: nothing may stand around a place, so that the report stands where its last
/// name or key is worked out. False where there is neither.
fn within_place<'a>(r: &mut Rewriter<'a>, body: Node<'a>, out: u32, entered: &str) -> bool {
    let known = match body.kind() {
        "member_access_expression" => property(r, body),
        "scoped_property_access_expression" => Some(format!("{}??null", r.text(body))),
        _ => place(r, body),
    };
    let known = known.unwrap_or_default();
    let probe = format!("\\trc0_rb({out},{entered},[{known}],");
    let quoted = |r: &mut Rewriter<'a>, name: Node<'a>| {
        r.wrap(name, format!("{{{probe}'"), "')}");
        true
    };
    match body.kind() {
        "variable_name" if is_plain(r, body) => expression_child(body)
            .filter(|name| name.kind() == "name")
            .is_some_and(|name| quoted(r, name)),
        "scoped_property_access_expression" => body
            .child_by_field_name("name")
            .filter(|name| name.kind() == "variable_name")
            .and_then(expression_child)
            .filter(|name| name.kind() == "name")
            .is_some_and(|name| quoted(r, name)),
        "member_access_expression" => body
            .child_by_field_name("name")
            .filter(|name| name.kind() == "name")
            .is_some_and(|name| quoted(r, name)),
        "subscript_expression" if body.named_child_count() == 2 => {
            let Some(key) = body.named_child(1) else {
                return false;
            };
            r.wrap(key, probe, ")");
            true
        }
        _ => false,
    }
}

/// `$object->name` as `$object??null,"\0name"`.
fn property(r: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    let object = node.child_by_field_name("object")?;
    let name = node.child_by_field_name("name")?;
    let known = object.kind() == "variable_name" && name.kind() == "name";
    known.then(|| format!("{}??null,\"\\0{}\"", r.text(object), r.text(name)))
}

fn body_of(node: Node<'_>) -> Option<Node<'_>> {
    if let Some(body) = node.child_by_field_name("body") {
        return Some(body);
    }
    if node.kind() != "property_hook" {
        return None;
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| child.kind() == "compound_statement")
        .last()
}

/// Whether a body's last statement leaves the function.
fn ends(body: Node<'_>) -> bool {
    let mut cursor = body.walk();
    body.named_children(&mut cursor)
        .filter(|child| !child.is_extra())
        .last()
        .is_some_and(|last| last.kind() == "return_statement")
}

/// Inserts at the start and end of a block's inside, which may be empty.
pub(crate) fn surround(r: &mut Rewriter<'_>, block: Node<'_>, head: &str, tail: &str) {
    let (head, tail) = (unticked(r, head), unticked(r, tail));
    let extent = block.end_byte() - block.start_byte();
    let (start, end) = (block.start_byte() + 1, block.end_byte() - 1);
    if start >= end {
        r.open_at(start, extent, format!("{head}{tail}"));
        return;
    }
    r.open_at(start, extent, head);
    if !tail.is_empty() {
        // The last statement may end at `?>`, behind which the brace stands in a new piece of code.
        r.close_at(end, extent - 1, tail);
    }
}

/// A class qualifies the names of what is inside.
pub(crate) fn class<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let name = match node.child_by_field_name("name") {
        Some(name) => {
            let name = r.text(name).into_owned();
            spelled(r, node, &name)
        }
        None => "class@anonymous".into(),
    };
    r.enter_class(body, &name);
}

/// `return` reports the value. Inside a `try` with a `finally` the report waits for that.
pub(crate) fn leave<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let function = enclosing_function(r, node);
    let Some(frame) = frame_of(r, function) else {
        return;
    };
    if frame == Frame::Main || r.recall(function, "out").is_none() {
        return;
    }
    if is_listed(r, node) && in_finally(r, node, function) {
        let text = unticked(r, "\\trc0_fd();");
        r.open(node, text);
    }
    // A value that the function may not return: the error message depends on its form.
    let is_void = function
        .child_by_field_name("return_type")
        .is_some_and(|name| matches!(r.text(name).as_ref(), "void" | "never"));
    if is_void && expression_child(node).is_some() {
        return;
    }
    let listed = is_listed(r, node);
    let site = r.site(Kind::Out, node);
    let waits = waits_for_finally(r, node, function);
    let frame_name = frame_text(r, function).unwrap_or("0");
    let value = expression_child(node);
    let by_reference = is_function_by_reference(function);
    // Where a reference is returned, nothing may stand around it, and it cannot be told beforehand.
    let Some(value) = value.filter(|value| !by_reference || is_plain(r, *value)) else {
        let text = match (waits, frame) {
            (true, _) => format!("\\trc0_rf0({site},{frame_name});"),
            (false, Frame::Task) => format!("\\trc0_go({site},{FRAME});"),
            (false, _) => format!("\\trc0_o({site});"),
        };
        if listed {
            let text = unticked(r, &text);
            r.open(node, text);
        }
        return;
    };
    r.set_names(site, [r.label(value)]);
    let before = match (waits, frame) {
        (true, _) => format!("rf({site},{frame_name},"),
        (false, Frame::Task) => format!("gr({site},{FRAME},"),
        (false, _) => format!("r({site},"),
    };
    if by_reference {
        if listed {
            let text = format!("\\trc0_{before}{});", r.text(value));
            let text = unticked(r, &text);
            r.open(node, text);
        }
        return;
    }
    let glued = value.start_byte() == node.start_byte() + "return".len();
    let space = if glued { " " } else { "" };
    r.wrap(value, format!("{space}\\trc0_{before}"), ")");
}

pub(crate) fn is_function_by_reference(function: Node<'_>) -> bool {
    crate::syntax::is_function(function.kind()) && returns_reference(function)
}

/// Whether a return passes a `finally`.
pub(crate) fn waits_for_finally<'a>(r: &Rewriter<'a>, node: Node<'a>, function: Node<'a>) -> bool {
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        if child == function {
            break;
        }
        if parent.kind() == "try_statement"
            && child.kind() != "finally_clause"
            && finally_of(parent).is_some()
        {
            return true;
        }
        child = parent;
    }
    false
}

/// Whether a node lies in a `finally`, where it takes the place of what was under way.
fn in_finally<'a>(r: &Rewriter<'a>, node: Node<'a>, function: Node<'a>) -> bool {
    let mut child = node;
    while let Some(parent) = r.parent(child).filter(|parent| *parent != function) {
        if parent.kind() == "finally_clause" {
            return true;
        }
        child = parent;
    }
    false
}

/// The `finally` of a `try`.
pub(crate) fn finally_of(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| child.kind() == "finally_clause")
}

/// Whether a `try` lies inside the protected part of no other of the same function.
pub(crate) fn is_outermost_finally<'a>(r: &Rewriter<'a>, try_statement: Node<'a>) -> bool {
    let mut child = try_statement;
    while let Some(parent) = r.parent(child) {
        if crate::syntax::is_function(parent.kind()) {
            break;
        }
        if parent.kind() == "try_statement"
            && child.kind() != "finally_clause"
            && finally_of(parent).is_some()
        {
            return false;
        }
        child = parent;
    }
    true
}
