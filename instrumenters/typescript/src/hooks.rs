//! Hooks for what differs from JavaScript.

use tracer_instrument::{Node, Rewriter};
use tracer_lang_javascript::hooks as shared;
use tracer_model::{Detail, Kind};

/// A class field.
pub(crate) fn field<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let (Some(name), Some(value)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("value"),
    ) {
        shared::initial_value(r, node, name, value);
    }
}

/// An enum is an object once its declaration has run.
pub(crate) fn enumeration<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(name) = node.child_by_field_name("name") else {
        return;
    };
    if !r.wants(Detail::State) || r.is_broken(node) {
        return;
    }
    let name = r.text(name).into_owned();
    let site = r.site(Kind::Var, node);
    r.set_names(site, [name.clone()]);
    let text = format!(";{}({site},{name});", shared::probe(r, "v"));
    shared::close_statement(r, node, text);
}

/// A function of any kind. A constructor's parameters may be properties, which get their values
/// first of all, or behind the call of `super`.
pub(crate) fn function<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let before = r.sites().len();
    shared::function(r, node);
    let is_constructor = node.kind() == "method_definition"
        && node
            .child_by_field_name("name")
            .is_some_and(|name| r.text(name) == "constructor");
    let (Some(parameters), Some(body)) = (
        node.child_by_field_name("parameters"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    if !is_constructor || !r.wants(Detail::State) || r.is_broken(parameters) {
        return;
    }
    let mut cursor = parameters.walk();
    let properties: Vec<Node<'a>> = parameters
        .named_children(&mut cursor)
        .filter(|parameter| is_property(*parameter))
        .filter_map(|parameter| parameter.child_by_field_name("pattern"))
        .filter(|pattern| pattern.kind() == "identifier")
        .collect();
    let entry = r.sites()[before..]
        .iter()
        .find(|site| site.kind == Kind::In);
    let entry = entry.map(|site| site.id);
    let mut report = String::from(";");
    let mut last = None;
    for name in properties {
        let text = r.text(name).into_owned();
        let site = r.site(Kind::Var, name);
        r.set_names(site, [format!("this.{text}")]);
        report += &format!("{}({site},{text});", shared::probe(r, "v"));
        last = Some(site);
    }
    let Some(last) = last else {
        return;
    };
    let mut cursor = body.walk();
    let call = body
        .named_children(&mut cursor)
        .find(|statement| calls_super(*statement));
    let derived = node
        .parent()
        .and_then(|body| body.parent())
        .is_some_and(|class| extends(class));
    match call.filter(|_| derived) {
        Some(call) => shared::close_statement(r, call, report),
        None => {
            // They come between the call and the first statement.
            if let Some(entry) = entry {
                let first = std::mem::take(&mut r.site_mut(entry).chain.after);
                r.site_mut(last).chain.after = first;
            }
            let start = shared::prologue_end(body).unwrap_or(body.start_byte() + 1);
            // Behind the entry and in front of the first statement, which may begin right here.
            let extent = body.end_byte() - body.start_byte() - 1;
            r.open_at(start, extent, report);
        }
    }
}

fn is_property(parameter: Node<'_>) -> bool {
    let mut cursor = parameter.walk();
    parameter.children(&mut cursor).any(|child| {
        matches!(
            child.kind(),
            "accessibility_modifier" | "override_modifier" | "readonly"
        )
    })
}

fn calls_super(statement: Node<'_>) -> bool {
    statement.kind() == "expression_statement"
        && statement
            .named_child(0)
            .filter(|call| call.kind() == "call_expression")
            .and_then(|call| call.child_by_field_name("function"))
            .is_some_and(|callee| callee.kind() == "super")
}

fn extends(class: Node<'_>) -> bool {
    let mut cursor = class.walk();
    class
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "class_heritage")
        .any(|heritage| {
            heritage
                .named_child(0)
                .is_some_and(|first| first.kind() == "extends_clause")
        })
}
