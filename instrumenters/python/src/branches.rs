//! Decisions: `if`, `elif`, `match`, `assert`, conditional expressions.
//!
//! The truth of a condition is tested once, where the original tests it:
//! `if _tr_t7() if (cond) else _tr_f7():`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{
    Place, follow_block, follow_next, insert_head, statements, step_site, terminates,
};
use crate::expressions;

/// Wraps a condition in test position; returns its site.
pub(crate) fn test<'a>(r: &mut Rewriter<'a>, kind: Kind, condition: Node<'a>) -> u32 {
    let site = r.site(kind, condition);
    let label = r.label(condition);
    let entry = r.site_mut(site);
    entry.text = label;
    entry.arms = vec!["false".into(), "true".into()];
    r.wrap(
        condition,
        format!("_tr_t{site}() if ("),
        format!(") else _tr_f{site}()"),
    );
    expressions::operands(r, condition, site);
    site
}

/// `if`.
pub(crate) fn if_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    branch(r, node, node);
}

/// `elif`.
pub(crate) fn elif_clause<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(statement) = r.parent(node) {
        branch(r, statement, node);
    }
}

fn branch<'a>(r: &mut Rewriter<'a>, statement: Node<'a>, clause: Node<'a>) {
    let Some(condition) = clause.child_by_field_name("condition") else {
        return;
    };
    let Some(body) = clause.child_by_field_name("consequence") else {
        return;
    };
    if !r.wants(Detail::Lines) || r.is_broken(condition) {
        return;
    }
    let site = test(r, Kind::Branch, condition);
    let yes = follow_block(r, body);
    let mut cursor = statement.walk();
    let rest: Vec<_> = statement
        .children_by_field_name("alternative", &mut cursor)
        .filter(|other| other.start_byte() > condition.start_byte())
        .collect();
    let no = match rest.first() {
        Some(next) if next.kind() == "elif_clause" && !r.is_broken(*next) => {
            vec![step_site(r, *next)]
        }
        Some(next) => match next.child_by_field_name("body") {
            Some(block) if !r.is_broken(*next) => follow_block(r, block),
            _ => Vec::new(),
        },
        None if arms_terminate(statement) => follow_next(r, statement),
        None => Vec::new(),
    };
    let chain = &mut r.site_mut(site).chain;
    for (arm, sites) in [(1, yes), (0, no)] {
        if !sites.is_empty() {
            chain.after_arm.push((arm, sites));
        }
    }
}

/// Whether what follows an `if` without `else` is reached through its last false arm only.
fn arms_terminate(statement: Node<'_>) -> bool {
    let mut cursor = statement.walk();
    let own = statement
        .child_by_field_name("consequence")
        .is_some_and(terminates);
    own && statement
        .children_by_field_name("alternative", &mut cursor)
        .all(|clause| {
            clause
                .child_by_field_name("consequence")
                .is_some_and(terminates)
        })
}

/// `assert`.
pub(crate) fn assert_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(condition) = node.named_child(0) else {
        return;
    };
    // The compiler warns about a tuple here; it must still see one.
    if r.wants(Detail::Lines) && condition.kind() != "tuple" {
        let site = test(r, Kind::Branch, condition);
        let next = follow_next(r, node);
        if !next.is_empty() {
            r.site_mut(site).chain.after_arm.push((1, next));
        }
    }
}

/// `a if cond else b`.
pub(crate) fn ternary<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let mut cursor = node.walk();
    let parts: Vec<_> = node
        .named_children(&mut cursor)
        .filter(|part| part.kind() != "comment")
        .collect();
    if let [_, condition, _] = parts[..]
        && r.wants(Detail::Lines)
    {
        inline_test(r, condition);
    }
}

/// Wraps a condition inside an expression.
pub(crate) fn inline_test<'a>(r: &mut Rewriter<'a>, condition: Node<'a>) {
    r.open(condition, "(");
    r.close(condition, ")");
    test(r, Kind::Branch, condition);
}

/// `match`: the case taken, at the head of its block.
pub(crate) fn match_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(subject), Some(body)) = (
        node.child_by_field_name("subject"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    if !r.wants(Detail::Lines) {
        return;
    }
    let site = r.site(Kind::Branch, node);
    let mut arms = vec!["no case".to_owned()];
    let cases: Vec<_> = statements(body)
        .into_iter()
        .filter(|case| case.kind() == "case_clause")
        .collect();
    let mut chains = Vec::new();
    for (index, &case) in cases.iter().enumerate() {
        let Some(block) = case.child_by_field_name("consequence") else {
            return;
        };
        let before = &r.source[case.start_byte()..block.start_byte()];
        let head = String::from_utf8_lossy(before);
        let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
        arms.push(
            head.trim_end_matches(':')
                .trim_end()
                .chars()
                .take(80)
                .collect(),
        );
        let arm = index as u32 + 1;
        if insert_head(
            r,
            block,
            Place::Head,
            &format!("_tr_a{site}_{arm}()"),
            false,
        ) {
            let after = follow_block(r, block);
            if !after.is_empty() {
                chains.push((arm, after));
            }
        }
    }
    let label = r.label(subject);
    let entry = r.site_mut(site);
    entry.text = label;
    entry.arms = arms;
    entry.chain.after_arm = chains;
}
