//! Steps: the event before each statement.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{
    PREFIX, Place, first_block, follow_block, follow_next, has_docstring, insert_head, is_compound,
    step_site, steps, steps_in_header,
};
use crate::{generators, targets};

/// Any statement: its step, unless an earlier event implies it.
pub(crate) fn statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let parent = r.parent(node).map_or("", |parent| parent.kind());
    if !matches!(parent, "block" | "module") || !r.wants(Detail::Lines) || !steps(r, node) {
        return;
    }
    if r.known_site(node, "step").is_some() || steps_in_header(r, node) {
        return;
    }
    let site = step_site(r, node);
    if is_compound(node) {
        let Some(block) = first_block(node) else {
            return r.drop_probe(node, "unsupported");
        };
        if !insert_head(
            r,
            block,
            Place::Before,
            &format!("_tr_s{site}()"),
            has_docstring(node),
        ) {
            r.drop_probe(node, "unsupported");
        }
        if node.kind() == "try_statement" {
            r.site_mut(site).chain.after = follow_block(r, block);
        }
        return;
    }
    r.open_at(node.start_byte(), PREFIX, format!("_tr_s{site}();"));
    if node.kind() == "pass_statement" {
        r.site_mut(site).chain.after = follow_next(r, node);
    }
}

/// `with … as x`: the names bound, at the head of the body.
pub(crate) fn with_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    if generators::is_async(node) {
        generators::async_with(r, node, body);
    }
    if !r.wants(Detail::State) {
        return;
    }
    let mut names = Vec::new();
    let mut cursor = node.walk();
    for clause in node
        .children(&mut cursor)
        .filter(|child| child.kind() == "with_clause")
    {
        let mut items = clause.walk();
        for item in clause.named_children(&mut items) {
            let pattern = item
                .child_by_field_name("value")
                .filter(|v| v.kind() == "as_pattern");
            if let Some(alias) = pattern.and_then(|p| p.child_by_field_name("alias")) {
                targets::names(r, alias, &mut names);
            }
        }
    }
    if names.is_empty() {
        return;
    }
    let site = r.site(Kind::Var, node);
    r.set_names(site, names.clone());
    if insert_head(
        r,
        body,
        Place::Head,
        &format!("_tr_v{site}({})", names.join(",")),
        false,
    ) {
        r.site_mut(site).chain.after = follow_block(r, body);
    }
}
