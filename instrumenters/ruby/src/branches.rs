//! Decisions: `if` and its kin, loop conditions, `?:`, `&&`, `||`, `case`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::names::bindings;
use crate::statements::follow;
use crate::syntax::{around, bare, code_end, counted, last, probe, token};

const COMPARISONS: [&str; 9] = ["<", ">", "<=", ">=", "==", "!=", "===", "=~", "<=>"];

/// Whether an expression means something else as a condition: a bare regex is matched, and a range
/// becomes a flip-flop, which keeps a state.
fn is_magic(node: Node<'_>) -> bool {
    let node = bare(node);
    let part = |field: &str| node.child_by_field_name(field).is_some_and(is_magic);
    match node.kind() {
        "regex" | "range" => true,
        "unary" => part("operand"),
        "binary" => {
            let word = node.child_by_field_name("operator").map(|word| word.kind());
            matches!(word, Some("&&" | "||" | "and" | "or")) && (part("left") || part("right"))
        }
        _ => false,
    }
}

/// The condition of a statement, a modifier or a `?:`.
pub(crate) fn condition<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let Some(condition) = node.child_by_field_name("condition") else {
        return;
    };
    if is_magic(condition) {
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
    // The round that a loop's condition lets begin is told with it.
    let circle = r.recall(node, "round");
    if let (Some(circle), "until") = (circle, node.kind()) {
        around(
            r,
            condition,
            &format!("{}({site},{circle},(", probe("wu")),
            "))",
        );
        return;
    }
    let told = match circle {
        Some(circle) => format!("{}&&{}", counted(site), counted(circle)),
        None => counted(site),
    };
    let holds = match circle {
        Some(circle) => format!("{}({site},{circle})", probe("wt")),
        None => format!("{}({site},true)", probe("b")),
    };
    let after = format!(
        ")?({told}?({last}=true): {holds}):({counted}?({last}=false): {probe}({site},false)))",
        last = last(site),
        counted = counted(site),
        probe = probe("b"),
    );
    around(r, condition, "((", &after);
}

/// Whether a loop's condition can tell of its rounds.
pub(crate) fn tells_rounds<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    matches!(node.kind(), "while" | "until")
        && !r.wants(Detail::Full)
        && node
            .child_by_field_name("condition")
            .is_some_and(|condition| !is_magic(condition))
}

/// At full detail a comparison's operands are kept where they are evaluated.
fn operands<'a>(r: &mut Rewriter<'a>, condition: Node<'a>, site: u32) -> bool {
    let comparison = bare(condition);
    if comparison.kind() != "binary" {
        return false;
    }
    let (Some(left), Some(right), Some(operator)) = (
        comparison.child_by_field_name("left"),
        comparison.child_by_field_name("right"),
        comparison.child_by_field_name("operator"),
    ) else {
        return false;
    };
    // A literal regex on the left binds variables.
    if !COMPARISONS.contains(&operator.kind()) || left.kind() == "regex" || left.kind() == "super" {
        return false;
    }
    let names = [r.label(left), r.label(right)];
    r.set_names(site, names);
    around(r, condition, &format!("{}({site},(", probe("bo")), "))");
    for side in [left, right] {
        around(r, side, &format!("{}({site},(", probe("h")), "))");
    }
    true
}

/// Whether `&&`, `||`, `and` or `or` goes on to its right side.
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
    if is_magic(left) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let site = r.site(Kind::Branch, left);
    let text = format!("{} {}", r.label(left), operator.kind());
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    around(r, left, &format!("{}({site},(", probe("b")), "))");
}

/// Which arm of a `case` runs.
pub(crate) fn choose<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let mut cursor = node.walk();
    let arms: Vec<Node<'a>> = node
        .named_children(&mut cursor)
        .filter(|child| matches!(child.kind(), "when" | "in_clause" | "else"))
        .collect();
    let place = node.child_by_field_name("value").unwrap_or(node);
    let site = r.site(Kind::Branch, place);
    let mut words = Vec::new();
    let mut has_else = false;
    for arm in &arms {
        let number = words.len();
        words.push(match arm.kind() {
            "else" => "else".to_owned(),
            kind => format!(
                "{} {}",
                if kind == "when" { "when" } else { "in" },
                patterns(r, *arm)
            ),
        });
        has_else |= arm.kind() == "else";
        let mut text = format!("{}({site},{number});", probe("k"));
        if arm.kind() == "in_clause" && r.wants(Detail::State) {
            text.push_str(&bound(r, *arm));
        }
        inside(r, *arm, &text);
    }
    if !has_else
        && node.kind() == "case"
        && !arms.is_empty()
        && let Some(end) = token(node, "end")
    {
        let text = format!(";else;{}({site},{});", probe("k"), words.len());
        r.close_at(end.start_byte(), usize::MAX >> 33, text);
        words.push("none".into());
    }
    let text = node
        .child_by_field_name("value")
        .map_or_else(|| "case".into(), |value| r.label(value));
    let entry = r.site_mut(site);
    entry.text = text;
    entry.arms = words;
}

fn patterns<'a>(r: &Rewriter<'a>, arm: Node<'a>) -> String {
    let mut cursor = arm.walk();
    let all: Vec<String> = arm
        .children_by_field_name("pattern", &mut cursor)
        .map(|pattern| r.label(pattern))
        .collect();
    all.join(", ")
}

/// Inserts where an arm's body begins.
fn inside<'a>(r: &mut Rewriter<'a>, arm: Node<'a>, text: &str) {
    let extent = usize::MAX >> 34;
    if arm.kind() == "else" {
        r.open_at(arm.start_byte() + "else".len(), extent, format!(" {text}"));
        return;
    }
    let body = arm.child_by_field_name("body");
    if let Some(then) = body.and_then(|body| token(body, "then")) {
        r.open_at(then.end_byte(), extent, format!(" {text}"));
        return;
    }
    if let Some(then) = token(arm, "then") {
        r.open_at(then.end_byte(), extent, format!(" {text}"));
        return;
    }
    let mut cursor = arm.walk();
    let head = arm
        .child_by_field_name("guard")
        .or_else(|| arm.children_by_field_name("pattern", &mut cursor).last());
    if let Some(head) = head {
        // Behind what closes probes of the pattern or guard.
        r.close_at(code_end(head), extent, format!(";{text}"));
    }
}

/// The report of what a pattern bound.
fn bound<'a>(r: &mut Rewriter<'a>, arm: Node<'a>) -> String {
    let mut names = Vec::new();
    if let Some(pattern) = arm.child_by_field_name("pattern") {
        bindings(pattern, &mut names);
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| r.text(*name).into_owned())
        .filter(|name| !name.starts_with('_'))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    let site = r.site(Kind::Var, arm);
    r.set_names(site, names);
    format!("{}({site}{list});", probe("n"))
}

/// `value => pattern` as a statement: what it bound.
pub(crate) fn bind<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let is_statement = r
        .parent(node)
        .is_some_and(|parent| crate::syntax::is_list(parent.kind()));
    if !is_statement || !r.wants(Detail::State) {
        return;
    }
    let text = bound(r, node);
    let Some(call) = text.strip_suffix(';') else {
        return;
    };
    // The last statement gives its list a value: none.
    let last = r
        .parent(node)
        .is_some_and(|parent| crate::syntax::statements(parent).last() == Some(&node));
    let site = r.sites().last().map_or(0, |site| site.id);
    let tail = if last { ";nil" } else { "" };
    let extent = node.end_byte() - node.start_byte();
    r.close_at(code_end(node), extent, format!(";{call}{tail}"));
    if !last {
        follow(r, node, site);
    }
}
