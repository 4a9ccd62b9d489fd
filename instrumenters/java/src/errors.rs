//! `ERR`: raised and caught; what a `try` needs to know which calls an error left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::reach::completes;
use crate::syntax::{bare, open_block, parts, takes_statement};

/// Hook: `throw`.
pub(crate) fn throw<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(value) = parts(node).into_iter().next() else {
        return;
    };
    let inner = bare(value);
    let site = r.site(Kind::Err, node);
    let text = r.label(inner);
    r.site_mut(site).text = text;
    match inner.kind() {
        // What a variable may throw is worked out from the try it comes from: it stays bare.
        "identifier" if takes_statement(r, node) => {
            let name = r.text(inner).into_owned();
            r.open(node, format!("trc$.P.t({site},{name});"));
        }
        "object_creation_expression" | "method_invocation" | "cast_expression" => {
            let glued = value.start_byte() == node.start_byte() + "throw".len();
            let space = if glued { " " } else { "" };
            r.wrap(value, format!("{space}trc$.P.t({site},"), ")");
        }
        _ => {}
    }
}

/// Hook: `try`.
pub(crate) fn attempt<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let clauses: Vec<Node<'a>> = parts(node);
    if takes_statement(r, node) {
        let mark = r.site_of(Kind::Err, node, "mark");
        let outer = crate::syntax::with_labels(r, node);
        let waits = clauses
            .iter()
            .any(|clause| clause.kind() == "finally_clause");
        let enter = if waits { "tf" } else { "te" };
        r.open(outer, format!("trc$.P.{enter}({mark});"));
        for clause in &clauses {
            match clause.kind() {
                "catch_clause" => caught(r, *clause, mark),
                "finally_clause" => {
                    if let Some(block) = parts(*clause).last() {
                        open_block(r, *block, &format!("trc$.P.f({mark});"));
                        if completes(r, *block) == Some(true) {
                            let extent = block.end_byte() - block.start_byte();
                            r.close_at(block.end_byte() - 1, extent - 1, "trc$.P.fe();");
                        }
                    }
                }
                _ => {}
            }
        }
    }
    if r.wants(Detail::State) {
        let resources = clauses
            .into_iter()
            .filter(|clause| clause.kind() == "resource_specification")
            .flat_map(parts);
        for resource in resources {
            let name = resource.child_by_field_name("name");
            if let Some(name) = name.filter(|name| name.kind() == "identifier") {
                let name = r.text(name).into_owned();
                let site = r.site(Kind::Var, resource);
                open_block(r, body, &format!("trc$.V.v({site},{name});"));
                r.set_names(site, [name]);
            }
        }
    }
}

fn caught<'a>(r: &mut Rewriter<'a>, clause: Node<'a>, mark: u32) {
    let Some(body) = clause.child_by_field_name("body") else {
        return;
    };
    let name = parts(clause)
        .into_iter()
        .find(|part| part.kind() == "catch_formal_parameter")
        .and_then(|parameter| parameter.child_by_field_name("name"))
        .filter(|name| name.kind() == "identifier");
    let Some(name) = name else {
        open_block(r, body, &format!("trc$.P.f({mark});"));
        return;
    };
    let name = r.text(name).into_owned();
    let site = r.site(Kind::Err, clause);
    open_block(r, body, &format!("trc$.P.c({site},{mark},{name});"));
    r.set_names(site, [name]);
}
