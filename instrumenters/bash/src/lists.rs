//! `&&` and `||`: which way each went; pipelines.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{ahead_in_list, behind, block_of, in_backquotes, is_async};
use crate::calls::{Use, leading};

/// The operator of a list and what stands behind it.
fn parts(list: Node<'_>) -> Option<(Node<'_>, Node<'_>, Node<'_>)> {
    let left = list.named_child(0)?;
    let mut cursor = list.walk();
    let children: Vec<_> = list.children(&mut cursor).collect();
    let at = children
        .iter()
        .position(|child| matches!(child.kind(), "&&" | "||"))?;
    let right = children[at + 1..]
        .iter()
        .find(|child| child.is_named() && !child.is_extra())?;
    Some((left, children[at], *right))
}

/// A list.
pub(crate) fn list<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) || in_backquotes(r, node) {
        return;
    }
    let Some((left, operator, right)) = parts(node) else {
        return;
    };
    if r.is_broken(left) || r.is_broken(right) || right.is_missing() {
        return;
    }
    let site = operator_site(r, left);
    let (word, arm) = if operator.kind() == "&&" {
        ("&&", 1)
    } else {
        ("||", 0)
    };
    // The probes in front of the right side hand the status on; the last of them was reached.
    let calls = leading(r, right, Use::Counts);
    let decides = r.parent(node).is_some_and(|parent| {
        matches!(
            parent.kind(),
            "if_statement" | "while_statement" | "elif_clause"
        )
    });
    let step = r
        .known_site(node, "step")
        .filter(|_| !decides && calls.is_empty())
        .unwrap_or(0);
    let mut before = String::new();
    if left.kind() == "list" {
        unreached(r, left, &mut before);
    }
    ahead_in_list(
        r,
        right,
        &format!("_tr_y {site} {arm} {step}{before}"),
        word,
    );
    for call in calls {
        ahead_in_list(r, right, &call, word);
    }
    if block_of(r, node).is_some() && !is_async(r, node) {
        let mut operators = String::new();
        unreached(r, node, &mut operators);
        behind(r, node, &format!("_tr_x{operators}"));
    }
}

fn operator_site<'a>(r: &mut Rewriter<'a>, left: Node<'a>) -> u32 {
    let site = r.site_of(Kind::Branch, left, "operand");
    let label = r.label(left);
    let entry = r.site_mut(site);
    entry.text = label;
    entry.arms = vec!["false".into(), "true".into()];
    site
}

/// The arguments of the probe behind a list: each operator's site, and the arm it took if its right
/// side was not reached.
fn unreached<'a>(r: &mut Rewriter<'a>, list: Node<'a>, found: &mut String) {
    let Some((left, operator, _)) = parts(list) else {
        return;
    };
    if left.kind() == "list" {
        unreached(r, left, found);
    }
    let site = operator_site(r, left);
    let arm = u8::from(operator.kind() == "||");
    found.push_str(&format!(" {site} {arm}"));
}
