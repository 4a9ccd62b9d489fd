//! Decisions: `if`, loop conditions, `?:`, `&&`, `||`, `??`, `switch` and `match`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::syntax::{
    bare, close_statement, expression_child, is_listed, is_uncounted, listed, unticked, wrap_probe,
};

const COMPARISONS: [&str; 11] = [
    "<",
    ">",
    "<=",
    ">=",
    "==",
    "===",
    "!=",
    "!==",
    "<>",
    "instanceof",
    "<=>",
];

/// The condition of a statement or a `?:`.
pub(crate) fn condition<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let Some(field) = node.child_by_field_name("condition") else {
        return;
    };
    let condition = match field.kind() {
        "parenthesized_expression" if node.kind() != "conditional_expression" => {
            let Some(inner) = expression_child(field) else {
                return;
            };
            inner
        }
        // Of several, the last decides.
        "sequence_expression" => {
            let mut all = Vec::new();
            listed(field, &mut all);
            let Some(last) = all.last() else { return };
            *last
        }
        _ => field,
    };
    // PHP refuses `a ? b : c ? d : e`; a call around the first part would make it legal.
    if condition.kind() == "conditional_expression" {
        return;
    }
    let site = two_armed(r, condition);
    if r.wants(Detail::Full) && operands(r, condition, site) {
        return;
    }
    if node.kind() == "conditional_expression" && node.child_by_field_name("body").is_none() {
        // `a ?: b` gives the value itself.
        wrap_probe(r, condition, &format!("b({site},"));
        return;
    }
    decide(r, condition, site);
}

fn two_armed<'a>(r: &mut Rewriter<'a>, condition: Node<'a>) -> u32 {
    let site = r.site(Kind::Branch, condition);
    let text = r.label(condition);
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    site
}

/// Reports a truth value that only decides, without a call once its visits are counted.
fn decide(r: &mut Rewriter<'_>, condition: Node<'_>, site: u32) {
    r.wrap(
        condition,
        "((",
        format!(
            ")?(--\\Trc0::$f[{site}]>=0||\\trc0_bt({site})):(--\\Trc0::$f[{site}]<0&&\\trc0_bf({site})))"
        ),
    );
}

/// At full detail, a comparison's operands are kept where they are evaluated.
fn operands<'a>(r: &mut Rewriter<'a>, condition: Node<'a>, site: u32) -> bool {
    let comparison = bare(condition);
    if comparison.kind() != "binary_expression" {
        return false;
    }
    let (Some(left), Some(right), Some(operator)) = (
        comparison.child_by_field_name("left"),
        comparison.child_by_field_name("right"),
        comparison.child_by_field_name("operator"),
    ) else {
        return false;
    };
    if !COMPARISONS.contains(&operator.kind()) || operator.kind() == "instanceof" {
        return false;
    }
    let names = [r.label(left), r.label(right)];
    r.set_names(site, names);
    wrap_probe(r, condition, &format!("bo({site},2,"));
    for side in [left, right] {
        let glued = side.start_byte() == operator.end_byte();
        r.wrap(
            side,
            format!("{}\\trc0_h(", if glued { " " } else { "" }),
            ")",
        );
    }
    true
}

/// Whether `&&`, `||` or `??` goes on to its right side.
pub(crate) fn shortcut<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let (Some(left), Some(operator), Some(right)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("operator"),
        node.child_by_field_name("right"),
    ) else {
        return;
    };
    let site = r.site(Kind::Branch, left);
    let text = format!("{} {}", r.label(left), operator.kind());
    let null = operator.kind() == "??";
    let arms = if null {
        ["null", "present"]
    } else {
        ["false", "true"]
    };
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = arms.map(String::from).to_vec();
    if !null {
        decide(r, left, site);
        return;
    }
    // The left side is asked without a warning where it is undefined, and must stay as it is.
    wrap_probe(r, node, &format!("nn({site},"));
    r.wrap(right, format!("(\\trc0_na({site})?0:"), ")");
}

/// Which case a `switch` jumps to; falling through is no decision.
pub(crate) fn choose<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let value = node
        .child_by_field_name("condition")
        .and_then(expression_child);
    let (Some(value), Some(body)) = (value, node.child_by_field_name("body")) else {
        return;
    };
    let site = r.site(Kind::Branch, value);
    // PHP looks a variable up at each case, and warns there.
    if value.kind() == "variable_name" && is_listed(r, node) {
        let text = unticked(r, &format!("\\trc0_q({site},0);"));
        r.open(node, text);
    } else {
        wrap_probe(r, value, &format!("q({site},"));
    }
    let mut arms = Vec::new();
    let mut has_default = false;
    let mut cursor = body.walk();
    let cases: Vec<Node<'a>> = body.named_children(&mut cursor).collect();
    for case in cases {
        let arm = match case.kind() {
            "case_statement" => case
                .child_by_field_name("value")
                .map_or_else(|| "case".into(), |value| format!("case {}", r.label(value))),
            "default_statement" => {
                has_default = true;
                "default".into()
            }
            _ => continue,
        };
        let mut inner = case.walk();
        let colon = case
            .children(&mut inner)
            .find(|child| matches!(child.kind(), ":" | ";"));
        let is_last = case.next_named_sibling().is_none();
        if let Some(colon) = colon.filter(|_| !(is_last && is_uncounted(r, case))) {
            let text = unticked(r, &format!("\\trc0_k({site},{});", arms.len()));
            r.open_at(
                colon.end_byte(),
                case.end_byte() - case.start_byte() + 1,
                text,
            );
        }
        arms.push(arm);
    }
    if !has_default && is_listed(r, node) {
        close_statement(r, node, &format!("\\trc0_k({site},{});", arms.len()));
        arms.push("none".into());
    }
    name_arms(r, site, value, arms);
}

fn name_arms<'a>(r: &mut Rewriter<'a>, site: u32, value: Node<'a>, arms: Vec<String>) {
    let text = r.label(value);
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = arms;
}

/// Which arm of a `match` gives the value.
pub(crate) fn select<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let value = node
        .child_by_field_name("condition")
        .and_then(expression_child);
    let (Some(value), Some(body)) = (value, node.child_by_field_name("body")) else {
        return;
    };
    let site = r.site(Kind::Branch, value);
    wrap_probe(r, value, &format!("q({site},"));
    let mut arms = Vec::new();
    let mut cursor = body.walk();
    let cases: Vec<Node<'a>> = body.named_children(&mut cursor).collect();
    for case in cases {
        let arm = match case.kind() {
            "match_conditional_expression" => case
                .child_by_field_name("conditional_expressions")
                .map_or_else(|| "case".into(), |value| r.label(value)),
            "match_default_expression" => "default".into(),
            _ => continue,
        };
        let Some(result) = case.child_by_field_name("return_expression") else {
            continue;
        };
        if !r.is_broken(case) {
            r.wrap(result, format!("(\\trc0_k({site},{})?0:", arms.len()), ")");
        }
        arms.push(arm);
    }
    name_arms(r, site, value, arms);
}
