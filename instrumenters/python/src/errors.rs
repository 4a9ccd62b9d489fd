//! Exceptions: raised, caught, passing through `finally`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{PREFIX, Place, follow_block, insert_head, statements};
use crate::targets;

/// `raise`.
pub(crate) fn raise_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let site = r.site(Kind::Err, node);
    let value = node.named_child(0).filter(|value| {
        value.kind() != "comment"
            && node
                .child_by_field_name("cause")
                .is_none_or(|cause| cause.id() != value.id())
    });
    match value {
        Some(value) if value.kind() != "expression_list" => {
            r.wrap(value, format!("_tr_g{site}("), ")");
        }
        Some(_) => r.drop_probe(node, "unsupported"),
        None => r.open_at(node.start_byte(), PREFIX - 1, format!("_tr_g{site}();")),
    }
}

fn block_of(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| child.kind() == "block")
}

/// `except` and `except*`.
pub(crate) fn except_clause<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(block) = block_of(node).filter(|block| !statements(*block).is_empty()) else {
        return;
    };
    let site = r.site(Kind::Err, node);
    let mut names = Vec::new();
    let mut cursor = node.walk();
    for child in node
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "as_pattern")
    {
        if let Some(alias) = child.child_by_field_name("alias") {
            targets::names(r, alias, &mut names);
        }
    }
    if let Some(alias) = node.child_by_field_name("alias") {
        targets::names(r, alias, &mut names);
    }
    insert_head(r, block, Place::Head, &format!("_tr_h{site}()"), false);
    let mut last = site;
    if !names.is_empty() && r.wants(Detail::State) {
        let bound = r.site(Kind::Var, node);
        r.set_names(bound, names.clone());
        let text = format!("_tr_v{bound}({})", names.join(","));
        insert_head(r, block, Place::Head, &text, false);
        last = bound;
    }
    let chain = follow_block(r, block);
    r.site_mut(last).chain.after = chain;
}

/// `finally`: says what passes through, if anything does.
pub(crate) fn finally_clause<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(block) = block_of(node).filter(|block| !statements(*block).is_empty()) else {
        return;
    };
    let site = r.site(Kind::Err, node);
    insert_head(r, block, Place::Head, &format!("_tr_G{site}()"), false);
}
