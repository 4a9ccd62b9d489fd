//! `VAR`: locals are read again behind the statement that wrote them; for anything else the
//! assignment passes through the probe, so that no property is asked.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::chains;
use crate::context::{
    enclosing_function, has_word, is_special_type, is_whole_statement, operator_of,
    takes_statement, type_text,
};
use crate::facts::{self, Facts};

/// The declarators of a declaration.
pub(crate) fn declarators(node: Node<'_>) -> Vec<Node<'_>> {
    let declaration = if node.kind() == "variable_declaration" {
        Some(node)
    } else {
        crate::context::child_of_kind(node, "variable_declaration")
    };
    let Some(declaration) = declaration else {
        return Vec::new();
    };
    let mut cursor = declaration.walk();
    declaration
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "variable_declarator")
        .collect()
}

/// The initial value of a declarator.
pub(crate) fn initial_value(declarator: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = declarator.walk();
    let mut behind = false;
    for child in declarator.children(&mut cursor) {
        if behind && child.is_named() && !child.is_extra() {
            return Some(child);
        }
        behind |= child.kind() == "=";
    }
    None
}

/// Whether locals declared with this type can be told.
fn is_tellable(r: &Rewriter<'_>, declaration: Node<'_>) -> bool {
    declaration.child_by_field_name("type").is_some_and(|of| {
        let text = r.text(of);
        !is_special_type(&text) && text != "dynamic" && of.kind() != "ref_type"
    })
}

fn looks_special(r: &Rewriter<'_>, value: Node<'_>) -> bool {
    matches!(
        value.kind(),
        "stackalloc_expression" | "implicit_stackalloc_expression" | "ref_expression"
    ) || (value.kind() == "invocation_expression" && {
        let text = r.text(value);
        text.contains("AsSpan") || text.ends_with("ReadOnlySpan()")
    }) || (value.kind() == "object_creation_expression"
        && value
            .child_by_field_name("type")
            .is_some_and(|of| is_special_type(&r.text(of))))
}

/// Whether the events of a declaration tell of its step.
pub(crate) fn tells_declaration<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    if !r.wants(Detail::State) {
        return false;
    }
    let Some(declaration) = crate::context::child_of_kind(node, "variable_declaration") else {
        return false;
    };
    let declared = declarators(node);
    is_tellable(r, declaration)
        && declared.len() == 1
        && initial_value(declared[0])
            .is_some_and(|value| !looks_special(r, value) && chains::is_quiet(r, value))
        && declared[0].child_by_field_name("name").is_some()
}

/// Hook: a declaration of locals.
pub(crate) fn declared<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) || has_word(r, node, "const") || !takes_statement(r, node) {
        return;
    }
    let Some(declaration) = crate::context::child_of_kind(node, "variable_declaration") else {
        return;
    };
    if !is_tellable(r, declaration) {
        return;
    }
    let absorbs = tells_declaration(r, node);
    let mut text = String::new();
    let mut last = None;
    for declarator in declarators(node) {
        let (Some(name), Some(value)) = (
            declarator.child_by_field_name("name"),
            initial_value(declarator),
        ) else {
            continue;
        };
        if looks_special(r, value) || name.kind() != "identifier" {
            continue;
        }
        let site = r.site(Kind::Var, declarator);
        let name = r.text(name).into_owned();
        let _ = write!(text, "_tr.V({site},{name});");
        r.set_names(site, [name]);
        if absorbs {
            chains::absorb(r, node, site);
        }
        last = Some(site);
    }
    if let Some(site) = last {
        r.site_mut(site).chain.after = chains::next_of(r, node);
        r.close(node, text);
    }
}

/// Hook: the head of a `for`, whose variables are told where they are given their first value.
pub(crate) fn header<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let Some(declaration) = node
        .child_by_field_name("initializer")
        .filter(|first| first.kind() == "variable_declaration")
        .filter(|first| is_tellable(r, *first))
    else {
        return;
    };
    let of = declaration
        .child_by_field_name("type")
        .and_then(|of| type_text(r, of));
    let Some(of) = of else { return };
    let of = match &*of {
        "var" => String::new(),
        "int" => "i".to_owned(),
        of => format!("<{of}>"),
    };
    for declarator in declarators(declaration) {
        let (Some(name), Some(value)) = (
            declarator.child_by_field_name("name"),
            initial_value(declarator),
        ) else {
            continue;
        };
        if looks_special(r, value) || value.kind() == "initializer_expression" {
            continue;
        }
        let site = r.site(Kind::Var, declarator);
        let name = r.text(name).into_owned();
        r.set_names(site, [name]);
        r.wrap(value, format!("_tr.V{of}({site},"), ")");
    }
}

/// What is written by a statement that is one write of a local.
fn local_write<'a>(r: &mut Rewriter<'a>, write: Node<'a>) -> Option<(Node<'a>, Option<Node<'a>>)> {
    let (target, value) = match write.kind() {
        "assignment_expression" => (
            write.child_by_field_name("left")?,
            Some(write.child_by_field_name("right")?),
        ),
        "postfix_unary_expression" | "prefix_unary_expression" if is_update(write) => {
            (write.named_child(0)?, None)
        }
        _ => return None,
    };
    facts::is_plain_local(r, target).then_some((target, value))
}

/// Whether the event of a write tells of its statement's step.
pub(crate) fn tells_write<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    if !r.wants(Detail::State) {
        return false;
    }
    let Some(write) = node.named_child(0) else {
        return false;
    };
    local_write(r, write).is_some_and(|(_, value)| {
        value.is_none_or(|value| {
            value.kind() != "ref_expression" && !divides(write) && chains::is_quiet(r, value)
        })
    })
}

fn divides(node: Node<'_>) -> bool {
    node.child_by_field_name("operator")
        .is_some_and(|operator| matches!(operator.kind(), "/=" | "%="))
}

fn is_update(node: Node<'_>) -> bool {
    matches!(operator_of(node), "++" | "--")
}

/// Tells a local behind the statement that wrote it.
fn tell_behind<'a>(r: &mut Rewriter<'a>, write: Node<'a>, statement: Node<'a>, target: Node<'a>) {
    let site = r.site(Kind::Var, write);
    let name = r.text(target).into_owned();
    if tells_write(r, statement) {
        chains::absorb(r, statement, site);
    }
    r.site_mut(site).chain.after = chains::next_of(r, statement);
    r.close(statement, format!("_tr.V({site},{name});"));
    r.set_names(site, [name]);
}

/// Whether an assignment is none: a part of an initialiser or of an attribute.
fn is_part<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    r.parent(node).is_none_or(|parent| {
        matches!(
            parent.kind(),
            "initializer_expression"
                | "with_initializer"
                | "anonymous_object_creation_expression"
                | "attribute_argument"
                | "argument"
                | "ERROR"
        ) && parent.kind() != "argument"
    })
}

/// Whether `+=` or `-=` may be about an event, which gives no value.
fn may_be_event<'a>(r: &mut Rewriter<'a>, target: Node<'a>, value: Node<'a>) -> bool {
    let facts = Facts::of(r);
    let name = match target.kind() {
        "member_access_expression" => target.child_by_field_name("name"),
        _ => Some(target),
    };
    if name.is_some_and(|name| facts.events.contains(&*r.text(name))) {
        return true;
    }
    match value.kind() {
        "lambda_expression" | "anonymous_method_expression" | "object_creation_expression" => true,
        "identifier" => facts.methods.contains_key(&*r.text(value)) || !facts::is_local(r, value),
        "member_access_expression" => value
            .child_by_field_name("name")
            .is_some_and(|name| facts.methods.contains_key(&*r.text(name))),
        _ => false,
    }
}

/// Hook: an assignment.
pub(crate) fn assignment<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(target), Some(value)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("right"),
    ) else {
        return;
    };
    if !r.wants(Detail::State)
        || is_part(r, node)
        || enclosing_function(r, node).is_none() && r.parent(node).is_none()
        || value.kind() == "ref_expression"
        || Facts::of(r).expression_trees && in_lambda_expression(r, node)
    {
        return;
    }
    if matches!(target.kind(), "tuple_expression" | "declaration_expression") {
        tell_parts(r, node, target);
        return;
    }
    if r.text(target) == "_" {
        return;
    }
    let statement = is_whole_statement(r, node);
    if let Some(statement) = statement.filter(|statement| takes_statement(r, *statement))
        && facts::is_plain_local(r, target)
    {
        tell_behind(r, node, statement, target);
        return;
    }
    if facts::is_local(r, target) && !facts::is_plain_local(r, target) {
        return;
    }
    let operator = node
        .child_by_field_name("operator")
        .map_or("=", |operator| operator.kind());
    if matches!(operator, "+=" | "-=")
        && !facts::is_local(r, target)
        && may_be_event(r, target, value)
    {
        return;
    }
    if target.kind() == "prefix_unary_expression" && operator_of(target) == "*"
        || looks_special(r, value)
    {
        return;
    }
    // Mono's compiler evaluates the value first where an assignment's own value is used.
    let whole = statement.is_none()
        || operator != "="
        || is_simple_target(r, target)
        || chains::is_quiet(r, value);
    if !whole
        && (may_be_method_or_constant(r, value) || crate::lambdas::has_no_type_of_its_own(r, value))
    {
        return;
    }
    let site = r.site(Kind::Var, node);
    let label = r.label(target);
    r.set_names(site, [label]);
    r.wrap(
        if whole { node } else { value },
        format!("_tr.V({site},"),
        ")",
    );
    if let Some(statement) = statement.filter(|_| whole) {
        r.site_mut(site).chain.after = chains::next_of(r, statement);
    }
}

/// Whether finding out where a target is has no effect and cannot fail.
fn is_simple_target<'a>(r: &mut Rewriter<'a>, target: Node<'a>) -> bool {
    match target.kind() {
        "identifier" => true,
        "member_access_expression" => target.child_by_field_name("expression").is_some_and(|of| {
            matches!(
                of.kind(),
                "this" | "base" | "identifier" | "predefined_type"
            )
        }),
        "element_access_expression" => {
            let (Some(of), Some(places)) = (
                target.child_by_field_name("expression"),
                target.child_by_field_name("subscript"),
            ) else {
                return false;
            };
            let mut cursor = places.walk();
            let places: Vec<Node<'a>> = places.named_children(&mut cursor).collect();
            matches!(of.kind(), "this" | "identifier")
                && places.into_iter().all(|place| {
                    place.named_child_count() == 1 && chains::parts_are_quiet(r, place)
                })
        }
        _ => false,
    }
}

fn may_be_method_or_constant<'a>(r: &mut Rewriter<'a>, value: Node<'a>) -> bool {
    let facts = Facts::of(r);
    let name = match value.kind() {
        "identifier" => Some(value),
        "member_access_expression" => value.child_by_field_name("name"),
        "binary_expression"
        | "prefix_unary_expression"
        | "parenthesized_expression"
        | "conditional_expression" => {
            let mut cursor = value.walk();
            let parts: Vec<Node<'a>> = value.named_children(&mut cursor).collect();
            return parts
                .into_iter()
                .all(|part| may_be_method_or_constant(r, part));
        }
        kind => return kind.ends_with("_literal"),
    };
    name.is_some_and(|name| {
        let text = r.text(name);
        facts.methods.contains_key(&*text)
            || facts.constants.contains(&*text)
            || text.starts_with(char::is_uppercase) && value.kind() == "member_access_expression"
    })
}

fn in_lambda_expression<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    enclosing_function(r, node).is_some_and(|function| {
        function.kind() == "lambda_expression"
            && crate::context::body_of(function).is_some_and(|body| body.kind() != "block")
    })
}

/// `(a, b) = …`: each local is told.
fn tell_parts<'a>(r: &mut Rewriter<'a>, node: Node<'a>, target: Node<'a>) {
    let Some(statement) =
        is_whole_statement(r, node).filter(|statement| takes_statement(r, *statement))
    else {
        return;
    };
    let mut names = Vec::new();
    collect_names(r, target, &mut names);
    names.retain(|name| name != "_");
    if names.is_empty() {
        return;
    }
    let mut text = String::new();
    let mut last = 0;
    for name in names {
        let site = r.site(Kind::Var, node);
        let _ = write!(text, "_tr.V({site},{name});");
        r.set_names(site, [name]);
        last = site;
    }
    r.site_mut(last).chain.after = chains::next_of(r, statement);
    r.close(statement, text);
}

fn collect_names<'a>(r: &mut Rewriter<'a>, node: Node<'a>, names: &mut Vec<String>) {
    match node.kind() {
        "identifier" if facts::is_plain_local(r, node) => names.push(r.text(node).into_owned()),
        "declaration_expression" | "parenthesized_variable_designation" => {
            let mut cursor = node.walk();
            let found: Vec<Node<'a>> = node.children_by_field_name("name", &mut cursor).collect();
            for name in found {
                names.push(r.text(name).into_owned());
            }
            let inner = crate::context::child_of_kind(node, "parenthesized_variable_designation");
            if let Some(inner) = inner {
                collect_names(r, inner, names);
            }
        }
        "tuple_expression" | "argument" => {
            let mut cursor = node.walk();
            let children: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
            for child in children {
                collect_names(r, child, names);
            }
        }
        _ => {}
    }
}

/// Hook: `++` and `--`.
pub(crate) fn update<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) || !is_update(node) || Facts::of(r).expression_trees {
        return;
    }
    let Some(target) = node.named_child(0) else {
        return;
    };
    let known = facts::is_local(r, target);
    if known && !facts::is_plain_local(r, target) {
        return;
    }
    if let Some(statement) =
        is_whole_statement(r, node).filter(|statement| takes_statement(r, *statement))
        && known
    {
        tell_behind(r, node, statement, target);
        return;
    }
    let site = r.site(Kind::Var, node);
    let label = r.label(target);
    r.set_names(site, [label]);
    let call = match (node.kind(), operator_of(node)) {
        ("prefix_unary_expression", _) => "_tr.V",
        (_, "++") => "_tr.P",
        _ => "_tr.M",
    };
    r.wrap(node, format!("{call}({site},"), ")");
}
