//! `BRANCH`: conditions. An `if` reports from inside its arms, so that what its condition binds or
//! assigns stays known; conditions within expressions go through a call where that is harmless.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::constants::may_be_wrapped;
use crate::syntax::{bare, open_body, takes_statement};

fn two_armed<'a>(r: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>) -> u32 {
    let site = r.site(Kind::Branch, node);
    let text = r.label(bare(condition));
    let site_entry = r.site_mut(site);
    site_entry.text = text;
    site_entry.arms = vec!["false".into(), "true".into()];
    site
}

/// Hook: `if`.
pub(crate) fn if_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(condition), Some(consequence)) = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("consequence"),
    ) else {
        return;
    };
    let alternative = node.child_by_field_name("alternative");
    if !r.wants(Detail::Lines) || !takes_statement(r, node) {
        open_body(r, consequence, "");
        if let Some(alternative) = alternative {
            open_alternative(r, alternative, "");
        }
        return;
    }
    let site = two_armed(r, node, condition);
    open_body(r, consequence, &format!("trc$.P.n({site},1);"));
    let otherwise = format!("trc$.P.n({site},0);");
    match alternative {
        Some(alternative) => open_alternative(r, alternative, &otherwise),
        None => {
            let extent = node.end_byte() - node.start_byte();
            r.close_at(
                consequence.end_byte(),
                extent,
                format!("else{{{otherwise}}}"),
            );
        }
    }
}

fn open_alternative<'a>(r: &mut Rewriter<'a>, body: Node<'a>, text: &str) {
    // `else` and what follows may touch only if that is a brace.
    open_body(r, body, text);
}

fn within_expression<'a>(r: &mut Rewriter<'a>, node: Node<'a>, condition: Node<'a>) {
    if !may_be_wrapped(r, condition) {
        return;
    }
    let site = two_armed(r, node, condition);
    r.wrap(condition, format!("trc$.P.b({site},"), ")");
}

/// Hook: `?:`.
pub(crate) fn ternary<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(condition) = node.child_by_field_name("condition")
        && r.wants(Detail::Lines)
    {
        within_expression(r, node, condition);
    }
}

/// Hook: `&&` and `||`. The branch is whether the left operand is true.
pub(crate) fn logical<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(left) = node.child_by_field_name("left")
        && r.wants(Detail::State)
    {
        within_expression(r, node, left);
    }
}
