//! Decisions: `if`, loop conditions, `?:`, `&&`, `||`, `??` and `switch`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::syntax::{bare, close_statement, expression_child, is_printed, probe, wrap_argument};

const COMPARISONS: [&str; 10] = [
    "<",
    ">",
    "<=",
    ">=",
    "==",
    "===",
    "!=",
    "!==",
    "instanceof",
    "in",
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
        "parenthesized_expression" if node.kind() != "ternary_expression" => {
            let Some(inner) = expression_child(field) else {
                return;
            };
            inner
        }
        // `for (;;)` has nothing to decide.
        "empty_statement" => return,
        _ => field,
    };
    if node.kind() == "ternary_expression" && is_printed(r, node) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let site = r.site(Kind::Branch, condition);
    let text = r.label(condition);
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    if r.wants(Detail::Full) && operands(r, condition, site) {
        return;
    }
    let before = format!("{}({site},", probe(r, "b"));
    wrap_argument(r, condition, &before);
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
    if !COMPARISONS.contains(&operator.kind()) || left.kind() == "private_property_identifier" {
        return false;
    }
    let names = [r.label(left), r.label(right)];
    r.set_names(site, names);
    let before = format!("{}({site},2,", probe(r, "bo"));
    r.wrap(condition, before, ")");
    for side in [left, right] {
        let keep = format!("{}(", probe(r, "h"));
        // `a<b` with something glued to a word operator, as in `x instanceof(y)`.
        let glued = side.start_byte() == operator.end_byte();
        r.wrap(side, format!("{}{keep}", if glued { " " } else { "" }), ")");
    }
    true
}

/// Whether `&&`, `||` or `??` goes on to its right side.
pub(crate) fn shortcut<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let (Some(left), Some(operator)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("operator"),
    ) else {
        return;
    };
    if is_printed(r, node) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let site = r.site(Kind::Branch, left);
    let text = format!("{} {}", r.label(left), operator.kind());
    let arms = if operator.kind() == "??" {
        ["nullish", "present"]
    } else {
        ["false", "true"]
    };
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = arms.map(String::from).to_vec();
    let name = if operator.kind() == "??" { "n" } else { "b" };
    let before = format!("{}({site},", probe(r, name));
    r.wrap(left, before, ")");
}

/// Which case a `switch` jumps to; falling through is no decision.
pub(crate) fn choose<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let Some(value) = node.child_by_field_name("value").and_then(expression_child) else {
        return;
    };
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let site = r.site(Kind::Branch, value);
    let before = format!("{}({site},", probe(r, "q"));
    wrap_argument(r, value, &before);
    let mut arms = Vec::new();
    let mut has_default = false;
    let mut cursor = body.walk();
    let cases: Vec<Node<'a>> = body.named_children(&mut cursor).collect();
    for case in cases {
        let arm = match case.kind() {
            "switch_case" => case
                .child_by_field_name("value")
                .map_or_else(|| "case".into(), |value| format!("case {}", r.label(value))),
            "switch_default" => {
                has_default = true;
                "default".into()
            }
            _ => continue,
        };
        let mut inner = case.walk();
        let colon = case.children(&mut inner).find(|child| child.kind() == ":");
        if let Some(colon) = colon {
            let text = format!("{}({site},{});", probe(r, "k"), arms.len());
            r.open_at(
                colon.end_byte(),
                case.end_byte() - case.start_byte() + 1,
                text,
            );
        }
        arms.push(arm);
    }
    if !has_default {
        let text = format!(";{}({site},{});", probe(r, "k"), arms.len());
        close_statement(r, node, text);
        arms.push("none".into());
    }
    let text = r.label(value);
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = arms;
}
