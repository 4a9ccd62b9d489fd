//! Structs and enums of the program's own: how their values are told.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Detail;

use crate::context::attributes;

/// The source between two places on one line; `None` where a comment or attribute stands.
fn plain(rewriter: &Rewriter<'_>, from: usize, to: usize) -> Option<String> {
    let text = String::from_utf8_lossy(&rewriter.source[from..to]);
    if text.contains("//") || text.contains("/*") || text.contains('#') {
        return None;
    }
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A type's generics as an `impl` declares them, and as it names them.
fn generics(rewriter: &Rewriter<'_>, list: Option<Node<'_>>) -> Option<(String, String)> {
    let Some(list) = list else {
        return Some((String::new(), String::new()));
    };
    let (mut declared, mut named) = (Vec::new(), Vec::new());
    let mut cursor = list.walk();
    for child in list.named_children(&mut cursor) {
        let name = child.child_by_field_name("name")?;
        let default = match child.kind() {
            "type_parameter" => child.child_by_field_name("default_type"),
            "const_parameter" => child.child_by_field_name("value"),
            "lifetime_parameter" => None,
            _ => return None,
        };
        let end = default.map_or(child.end_byte(), |default| default.start_byte());
        let text = plain(rewriter, child.start_byte(), end)?;
        declared.push(text.trim_end_matches(['=', ' ']).to_owned());
        named.push(rewriter.text(name).into_owned());
    }
    if declared.is_empty() {
        return Some((String::new(), String::new()));
    }
    Some((
        format!("<{}>", declared.join(",")),
        format!("<{}>", named.join(",")),
    ))
}

/// Names of the fields of a body: those they have, or their numbers.
fn fields(rewriter: &Rewriter<'_>, body: Node<'_>) -> Vec<String> {
    let mut cursor = body.walk();
    if body.kind() == "field_declaration_list" {
        return body
            .named_children(&mut cursor)
            .filter(|child| child.kind() == "field_declaration")
            .filter_map(|child| child.child_by_field_name("name"))
            .map(|name| rewriter.text(name).into_owned())
            .collect();
    }
    let count = body.children_by_field_name("type", &mut cursor).count();
    (0..count).map(|number| number.to_string()).collect()
}

fn record(name: &str, fields: &[(String, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let name = name.trim_start_matches("r#");
            format!("({name:?},&_tr::field({value}))")
        })
        .collect();
    format!("_tr::record({name:?},&[{}])", fields.join(","))
}

fn variant(rewriter: &Rewriter<'_>, of: &str, node: Node<'_>) -> Option<String> {
    let name = rewriter
        .text(node.child_by_field_name("name")?)
        .into_owned();
    let Some(body) = node.child_by_field_name("body") else {
        return Some(format!("Self::{name}=>_tr::unit({of:?},{name:?})"));
    };
    let names = fields(rewriter, body);
    let bound = |number: usize| format!("_tr_{number}");
    let parts: Vec<(String, String)> = names
        .iter()
        .enumerate()
        .map(|(number, name)| (name.clone(), bound(number)))
        .collect();
    let pattern: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(number, name)| format!("{name}:{}", bound(number)))
        .collect();
    Some(format!(
        "Self::{name}{{{}}}=>{}",
        pattern.join(","),
        record(&name, &parts)
    ))
}

/// Hook: a struct or enum.
pub(crate) fn described<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let part = |field| node.child_by_field_name(field);
    let Some(name) = part("name") else { return };
    if !rewriter.wants(Detail::State) && rewriter.detail() != Detail::Calls {
        return;
    }
    let text = rewriter.text(node);
    let odd = attributes(rewriter.source, node).iter().any(|attribute| {
        let text = rewriter.text(*attribute);
        text.contains("packed") || text.contains("cfg")
    });
    if odd || text.contains("cfg") {
        return;
    }
    let name = rewriter.text(name).into_owned();
    let Some((declared, named)) = generics(rewriter, part("type_parameters")) else {
        return;
    };
    let mut cursor = node.walk();
    let bounds = node
        .named_children(&mut cursor)
        .find(|child| child.kind() == "where_clause");
    let bounds = match bounds {
        Some(clause) => plain(rewriter, clause.start_byte(), clause.end_byte()),
        None => Some(String::new()),
    };
    let Some(bounds) = bounds else { return };
    let body = if node.kind() == "struct_item" {
        let names = part("body")
            .map(|body| fields(rewriter, body))
            .unwrap_or_default();
        let parts: Vec<(String, String)> = names
            .into_iter()
            .map(|name| (name.clone(), format!("&_tr_s.{name}")))
            .collect();
        if parts.is_empty() {
            format!("_tr::unit({name:?},{name:?});")
        } else {
            record(&name, &parts)
        }
    } else {
        let Some(body) = part("body") else { return };
        let mut cursor = body.walk();
        let arms: Option<Vec<String>> = body
            .named_children(&mut cursor)
            .filter(|child| child.kind() == "enum_variant")
            .map(|child| variant(rewriter, &name, child))
            .collect();
        match arms {
            Some(arms) if !arms.is_empty() => format!("match _tr_s{{{}}}", arms.join(",")),
            _ => return,
        }
    };
    rewriter.close(
        node,
        format!("_tr::d!{{_tr_s [{declared}][{name}{named}][{bounds}]{{{body}}}}}"),
    );
}
