//! Writes: assignments of every form, `del`, imports, and containers changed in place.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::follow_next;
use crate::targets;

/// `a = b.c = expr`, `a: T = expr`, `a += expr`.
pub(crate) fn assignment<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let Some(statement) = r.parent(node) else {
        return;
    };
    if node.kind() == "augmented_assignment" {
        return augmented(r, node, statement);
    }
    let mut lefts = Vec::new();
    let mut right = Some(node);
    while let Some(inner) = right.filter(|inner| inner.kind() == "assignment") {
        lefts.extend(inner.child_by_field_name("left"));
        right = inner.child_by_field_name("right");
    }
    // An annotation alone assigns nothing.
    let Some(value) = right.filter(|value| value.kind() != "augmented_assignment") else {
        return;
    };
    let mut names = Vec::new();
    for &left in &lefts {
        targets::names(r, left, &mut names);
    }
    let places: Vec<_> = lefts
        .iter()
        .copied()
        .filter(|left| targets::is_place(*left))
        .collect();
    if let Some(&place) = places.first() {
        let site = r.site(Kind::Var, node);
        let label = r.label(place);
        r.set_names(site, [label]);
        r.wrap(value, format!("_tr_u{site}(("), "))");
    } else if let [left] = lefts[..]
        && let Some(parts) = targets::parts(left)
        && names.len() < parts.len()
        && value.kind() == "expression_list"
    {
        elements(r, &parts, value);
    }
    if !names.is_empty() {
        let site = r.site(Kind::Var, node);
        r.set_names(site, names.clone());
        let letter = if names.len() == 1 && is_arithmetic(value) {
            'V'
        } else {
            'v'
        };
        r.close(
            statement,
            format!(";_tr_{letter}{site}({})", names.join(",")),
        );
        r.site_mut(site).chain.after = follow_next(r, statement);
    }
}

/// Whether the value is most likely a number, so that its visits can be counted more cheaply.
fn is_arithmetic(value: Node<'_>) -> bool {
    match value.kind() {
        "binary_operator"
        | "integer"
        | "float"
        | "unary_operator"
        | "comparison_operator"
        | "not_operator" => true,
        "parenthesized_expression" => value.named_child(0).is_some_and(is_arithmetic),
        _ => false,
    }
}

/// `a[i], a[j] = x, y`: each value on its way to its place.
fn elements<'a>(r: &mut Rewriter<'a>, parts: &[Node<'a>], value: Node<'a>) {
    let mut cursor = value.walk();
    let values: Vec<_> = value
        .named_children(&mut cursor)
        .filter(|part| part.kind() != "comment")
        .collect();
    if values.len() != parts.len()
        || values
            .iter()
            .any(|part| r.source[part.start_byte()] == b'*')
    {
        return;
    }
    for (&part, &value) in parts.iter().zip(&values) {
        if targets::is_place(part) {
            let site = r.site(Kind::Var, part);
            let label = r.label(part);
            r.set_names(site, [label]);
            r.wrap(value, format!("_tr_u{site}("), ")");
        }
    }
}

fn augmented<'a>(r: &mut Rewriter<'a>, node: Node<'a>, statement: Node<'a>) {
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    let site = r.site(Kind::Var, node);
    let label = r.label(left);
    r.set_names(site, [label]);
    match left.kind() {
        "identifier" => {
            let name = r.text(left).into_owned();
            r.close(statement, format!(";_tr_V{site}({name})"));
            r.site_mut(site).chain.after = follow_next(r, statement);
        }
        _ => match path(r, left) {
            Some(path) => {
                r.close(statement, format!(";_tr_k{site}({path})"));
                r.site_mut(site).chain.after = follow_next(r, statement);
            }
            None => r.drop_probe(node, "unsupported"),
        },
    }
}

/// Arguments that let the emitter read a place safely: the root name, then attribute names as
/// strings in lists and indices in tuples. `None` if reading it could run code.
pub(crate) fn path(r: &Rewriter<'_>, place: Node<'_>) -> Option<String> {
    match place.kind() {
        "identifier" => Some(r.text(place).into_owned()),
        "attribute" => {
            let object = path(r, place.child_by_field_name("object")?)?;
            let name = r.text(place.child_by_field_name("attribute")?).into_owned();
            // Private names are mangled by the compiler, not here.
            if name.starts_with("__") && !name.ends_with("__") {
                return None;
            }
            Some(format!("{object},'{name}'"))
        }
        "subscript" => {
            let object = path(r, place.child_by_field_name("value")?)?;
            let mut cursor = place.walk();
            let indices: Vec<_> = place
                .children_by_field_name("subscript", &mut cursor)
                .collect();
            let [index] = indices[..] else { return None };
            Some(format!("{object},({},)", simple(r, index)?))
        }
        _ => None,
    }
}

/// The text of an index that can be evaluated again without effect.
fn simple(r: &Rewriter<'_>, index: Node<'_>) -> Option<String> {
    match index.kind() {
        "identifier" | "integer" | "true" | "false" | "none" => Some(r.text(index).into_owned()),
        "string" if index.end_position().row == index.start_position().row => {
            let text = r.text(index).into_owned();
            (!text.to_ascii_lowercase().starts_with('f') && !text.contains('{')).then_some(text)
        }
        "unary_operator" => {
            let inner = index.child_by_field_name("argument")?;
            (inner.kind() == "integer").then(|| r.text(index).into_owned())
        }
        _ => None,
    }
}

/// `x := expr`.
pub(crate) fn walrus<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(name), Some(value)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("value"),
    ) else {
        return;
    };
    if r.wants(Detail::State) {
        let site = r.site(Kind::Var, node);
        let label = r.label(name);
        r.set_names(site, [label]);
        r.wrap(value, format!("_tr_u{site}(("), "))");
    }
}

/// `del x`.
pub(crate) fn delete_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let mut names = Vec::new();
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        targets::names(r, child, &mut names);
    }
    if !names.is_empty() {
        let site = r.site(Kind::Var, node);
        let count = names.len();
        r.set_names(site, names);
        r.close(node, format!(";_tr_n{site}({count})"));
        r.site_mut(site).chain.after = follow_next(r, node);
    }
}

/// `import a.b, c as d`, `from m import x`.
pub(crate) fn import_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let mut names = Vec::new();
    let mut cursor = node.walk();
    for name in node.children_by_field_name("name", &mut cursor) {
        let bound = match name.kind() {
            "aliased_import" => name.child_by_field_name("alias"),
            _ => name.named_child(0),
        };
        if let Some(bound) = bound {
            let bound = r.text(bound).into_owned();
            if !names.contains(&bound) {
                names.push(bound);
            }
        }
    }
    if !names.is_empty() {
        let site = r.site(Kind::Var, node);
        r.set_names(site, names.clone());
        r.close(node, format!(";_tr_v{site}({})", names.join(",")));
        r.site_mut(site).chain.after = follow_next(r, node);
    }
}

/// `type X = …`.
pub(crate) fn type_alias<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let name = node
        .child_by_field_name("left")
        .and_then(|left| left.named_child(0));
    if let Some(name) = name.filter(|name| name.kind() == "identifier" && r.wants(Detail::State)) {
        let name = r.text(name).into_owned();
        let site = r.site(Kind::Var, node);
        r.close(node, format!(";_tr_v{site}({name})"));
        r.set_names(site, [name]);
        r.site_mut(site).chain.after = follow_next(r, node);
    }
}

/// Methods of built-in containers that change them.
const MUTATORS: &[&str] = &[
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "sort",
    "reverse",
    "update",
    "add",
    "discard",
    "popitem",
    "setdefault",
    "appendleft",
    "popleft",
    "extendleft",
    "rotate",
    "intersection_update",
    "difference_update",
    "symmetric_difference_update",
];

/// `xs.append(v)` as a statement: the container before and after.
pub(crate) fn mutation<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(function) = node.child_by_field_name("function") else {
        return;
    };
    let (Some(object), Some(method)) = (
        function.child_by_field_name("object"),
        function.child_by_field_name("attribute"),
    ) else {
        return;
    };
    let Some(statement) = r.parent(node) else {
        return;
    };
    if !r.wants(Detail::State) || !MUTATORS.contains(&r.text(method).as_ref()) {
        return;
    }
    let Some(path) = path(r, object) else { return };
    let site = r.site(Kind::Transform, node);
    let label = r.label(object);
    r.set_names(site, [label]);
    r.open_at(
        statement.start_byte(),
        crate::blocks::PREFIX - 1,
        format!("_tr_b{site}({path});"),
    );
    r.close(statement, format!(";_tr_j{site}({path})"));
}
