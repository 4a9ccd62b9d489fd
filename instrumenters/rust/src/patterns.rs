//! Names that patterns bind, and how their values are told.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

/// Most names one probe tells.
const NAMES: usize = 8;

/// The names that a pattern binds, in order.
pub(crate) fn bindings(rewriter: &Rewriter<'_>, pattern: Node<'_>) -> Vec<String> {
    let mut found = Vec::new();
    collect(rewriter, pattern, &mut found);
    found.truncate(NAMES);
    found
}

fn collect(rewriter: &Rewriter<'_>, node: Node<'_>, found: &mut Vec<String>) {
    match node.kind() {
        "identifier" | "shorthand_field_identifier" => {
            let name = rewriter.text(node).into_owned();
            // A name in capitals is a constant or a variant.
            let binds = name
                .trim_start_matches("r#")
                .starts_with(|c: char| !c.is_uppercase());
            if binds && !found.contains(&name) {
                found.push(name);
            }
        }
        "macro_invocation" | "range_pattern" | "const_block" | "scoped_identifier"
        | "generic_pattern" | "token_tree" => {}
        _ => {
            let no_names = ["type", "name", "condition"].map(|field| {
                (node.kind() != "field_pattern" || node.child_by_field_name("pattern").is_some())
                    .then(|| node.child_by_field_name(field))
                    .flatten()
            });
            let mut cursor = node.walk();
            for child in node.named_children(&mut cursor) {
                if !no_names.contains(&Some(child)) {
                    collect(rewriter, child, found);
                }
            }
        }
    }
}

/// References to the values of names, for one record.
pub(crate) fn values(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("_tr::a({});", reference(name)))
        .collect()
}

/// A probe that tells the values of names that have just been bound.
pub(crate) fn tell<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, names: &[String]) -> String {
    let [name] = names else {
        if names.is_empty() {
            return String::new();
        }
        let site = rewriter.site(Kind::Var, node);
        rewriter.set_names(site, names.iter().cloned());
        let count = names.len();
        return format!("if _tr::m({site},{count}){{{}_tr::z();}}", values(names));
    };
    let site = rewriter.site(Kind::Var, node);
    rewriter.set_names(site, [name.clone()]);
    format!("_tr::v({site},{});", reference(name))
}

/// A reference to a place that was just written. The compiler may check a pointer more strictly
/// when a reference is made of what it points at than when that is written: so none is made here.
pub(crate) fn reference(place: &str) -> String {
    if place.contains('*') {
        format!("_tr::at(::core::ptr::addr_of!({place}))")
    } else {
        format!("&{place}")
    }
}
