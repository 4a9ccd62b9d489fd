//! Writes: declarations, assignments, `++`, `delete`, fields, and calls that change a container.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind};

use crate::chains::follow_write;
use crate::suspensions::resumption;
use crate::syntax::{
    bare, bound_names, close_statement, is_anonymous_function, is_pattern, is_printed, probe, texts,
};

/// Methods that change an array, map or set in place.
const CHANGING: [&str; 14] = [
    "push",
    "pop",
    "shift",
    "unshift",
    "splice",
    "sort",
    "reverse",
    "fill",
    "copyWithin",
    "set",
    "add",
    "delete",
    "clear",
    "append",
];

fn site_for<'a>(r: &mut Rewriter<'a>, node: Node<'a>, names: Vec<String>) -> u32 {
    let site = r.site(Kind::Var, node);
    r.set_names(site, names);
    site
}

/// `let x = …`. What takes its name from the variable, and what an error message may print, is
/// reported once the declaration is done.
pub(crate) fn declarator<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(name), Some(value)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("value"),
    ) else {
        return;
    };
    let pattern = is_pattern(name);
    if !pattern && !is_anonymous_function(value) {
        let names = vec![r.text(name).into_owned()];
        let site = site_for(r, node, names);
        follow_write(r, node, site);
        let before = format!("{}({site},", probe(r, "v"));
        r.wrap(value, before, ")");
        return;
    }
    let mut bound = Vec::new();
    bound_names(name, &mut bound);
    let names = texts(r, &bound);
    let Some(declaration) = node.parent() else {
        return;
    };
    if names.is_empty() {
        return;
    }
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    let site = site_for(r, node, names);
    let mut report = format!("{}({site}{list})", probe(r, "vn"));
    if let Some(wake) = resumption(r, value).filter(|_| pattern) {
        report = format!("({wake},{report})");
    }
    if declaration
        .parent()
        .is_some_and(|parent| parent.kind() == "for_statement")
    {
        let spare = probe(r, "x_");
        r.close(node, format!(",{spare}={report}"));
    } else {
        close_statement(r, declaration, format!(";{report};"));
    }
}

/// `x = …`, also to members and patterns.
pub(crate) fn assignment<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if is_printed(r, node) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let target = bare(left);
    if is_pattern(target) {
        let mut bound = Vec::new();
        assigned_names(target, &mut bound);
        if bound.is_empty() {
            return;
        }
        let names = texts(r, &bound);
        let mut list: String = names.iter().map(|name| format!(",{name}")).collect();
        let right = node.child_by_field_name("right");
        if let Some(wake) = right.and_then(|right| resumption(r, right)) {
            list = format!(
                ",({wake},{}){}",
                names[0],
                list.get(1 + names[0].len()..).unwrap_or("")
            );
        }
        let site = site_for(r, node, names);
        let before = format!("{}({site},", probe(r, "vd"));
        r.wrap(node, before, format!("{list})"));
        return;
    }
    let names = vec![r.label(target)];
    let site = site_for(r, node, names);
    follow_write(r, node, site);
    let before = format!("{}({site},", probe(r, "v"));
    r.wrap(node, before, ")");
}

/// The identifiers an assignment pattern writes; the grammar reads some patterns as literals.
pub(crate) fn assigned_names<'a>(node: Node<'a>, names: &mut Vec<Node<'a>>) {
    match node.kind() {
        "shorthand_property_identifier" => names.push(node),
        "pair" => {
            if let Some(value) = node.child_by_field_name("value") {
                assigned_names(value, names);
            }
        }
        "assignment_expression" => {
            if let Some(left) = node.child_by_field_name("left") {
                assigned_names(left, names);
            }
        }
        "object" | "array" | "object_pattern" | "array_pattern" | "rest_pattern"
        | "spread_element" => {
            let mut cursor = node.walk();
            for child in node.named_children(&mut cursor) {
                assigned_names(child, names);
            }
        }
        _ => bound_names(node, names),
    }
}

/// `x += …`; `??=`, `||=` and `&&=` only where they assign.
pub(crate) fn compound<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(left), Some(operator), Some(right)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("operator"),
        node.child_by_field_name("right"),
    ) else {
        return;
    };
    if is_printed(r, node) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let names = vec![r.label(bare(left))];
    if matches!(operator.kind(), "??=" | "||=" | "&&=") {
        if is_anonymous_function(right) {
            r.drop_probe(node, "unsupported");
            return;
        }
        let site = site_for(r, node, names);
        let before = format!("{}({site},", probe(r, "v"));
        r.wrap(right, before, ")");
        return;
    }
    let site = site_for(r, node, names);
    follow_write(r, node, site);
    let before = format!("{}({site},", probe(r, "v"));
    r.wrap(node, before, ")");
}

/// `x++` and the like.
pub(crate) fn update<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(argument), Some(operator)) = (
        node.child_by_field_name("argument"),
        node.child_by_field_name("operator"),
    ) else {
        return;
    };
    if is_printed(r, node) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let names = vec![r.label(bare(argument))];
    let site = site_for(r, node, names);
    follow_write(r, node, site);
    let prefix = operator.start_byte() < argument.start_byte();
    let name = match (prefix, operator.kind()) {
        (true, _) => "v",
        (false, "++") => "p",
        (false, _) => "m",
    };
    let before = format!("{}({site},", probe(r, name));
    r.wrap(node, before, ")");
}

/// `delete x.y`.
pub(crate) fn delete<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) || is_printed(r, node) {
        return;
    }
    let Some(argument) = node.child_by_field_name("argument") else {
        return;
    };
    let names = vec![r.label(bare(argument))];
    let site = site_for(r, node, names);
    let before = format!("{}({site},", probe(r, "d"));
    r.wrap(node, before, ")");
}

/// A class field with an initial value. Initial values run in a frame of their own, whenever an
/// object is made.
pub(crate) fn field<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let (Some(property), Some(value)) = (
        node.child_by_field_name("property"),
        node.child_by_field_name("value"),
    ) {
        initial_value(r, node, property, value);
    }
}

/// What [`field`] does for a class field, its name and its value.
pub fn initial_value<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    property: Node<'a>,
    value: Node<'a>,
) {
    if is_anonymous_function(value) {
        return;
    }
    let is_constant = matches!(
        value.kind(),
        "number" | "string" | "true" | "false" | "null"
    );
    if is_constant && !r.wants(Detail::State) {
        return;
    }
    r.enter_function(node, value, "<field>", ".", FunctionKind::Class);
    let entry = r.site(Kind::In, node);
    let write = r.wants(Detail::State).then(|| {
        let names = vec![r.label(property)];
        site_for(r, node, names)
    });
    let out = r.site(Kind::Out, node);
    match write {
        // Nothing can happen between: one probe tells all three.
        Some(write) if is_constant => {
            let chain = &mut r.site_mut(write).chain;
            chain.before.push(entry);
            chain.after.push(out);
            let before = format!("{}({write},", probe(r, "v"));
            r.wrap(value, before, ")");
        }
        _ => {
            let mut before = format!("{}({out},", probe(r, "r"));
            let mut after = String::from("))");
            if let Some(write) = write {
                before.push_str(&format!("{}({write},", probe(r, "v")));
                after.push(')');
            }
            before.push_str(&format!("({}({entry}),", probe(r, "i0")));
            r.wrap(value, before, after);
        }
    }
}

/// `list.push(…)` and the like on a variable or a path of names: the container before and after.
pub(crate) fn change<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let Some(callee) = node.child_by_field_name("function") else {
        return;
    };
    let (Some(object), Some(method)) = (
        callee.child_by_field_name("object"),
        callee.child_by_field_name("property"),
    ) else {
        return;
    };
    let Some(place) = plain_path(r, object) else {
        return;
    };
    if callee.child_by_field_name("optional_chain").is_some()
        || node
            .child_by_field_name("arguments")
            .is_none_or(|list| list.kind() != "arguments")
        || !CHANGING.contains(&r.text(method).as_ref())
        || is_printed(r, node)
        || in_chain(node)
    {
        return;
    }
    let site = r.site(Kind::Transform, node);
    let text = r.label(node);
    let name = r.label(object);
    r.set_names(site, [name]);
    r.site_mut(site).text = text;
    let before = format!(
        "{}({site},{}({site},{place}),",
        probe(r, "U"),
        probe(r, "T")
    );
    r.wrap(node, before, ")");
}

/// `a.b.c` as `a,"b","c"`: the emitter follows such a path without running a getter.
fn plain_path(r: &Rewriter<'_>, object: Node<'_>) -> Option<String> {
    match object.kind() {
        "identifier" | "this" => Some(r.text(object).into_owned()),
        "non_null_expression" => plain_path(r, object.named_child(0)?),
        "member_expression" if object.child_by_field_name("optional_chain").is_none() => {
            let name = object.child_by_field_name("property")?;
            let text = r.text(name);
            if name.kind() != "property_identifier" || text.contains('\\') {
                return None;
            }
            Some(format!(
                "{},\"{text}\"",
                plain_path(r, object.child_by_field_name("object")?)?
            ))
        }
        _ => None,
    }
}

/// Whether the call is a link of an optional chain, which must stay whole.
fn in_chain(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| {
        matches!(
            parent.kind(),
            "member_expression" | "subscript_expression" | "call_expression"
        ) && parent.child_by_field_name("optional_chain").is_some()
    })
}
