//! `BRANCH`: `if`, `guard`, `switch` and `?:`. For `&&` and `||` see `operators`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::statements;
use crate::syntax::{bound_names, child, children, is_expression, statements_of};

/// The parts of a condition list.
fn conditions(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    let mut found = Vec::new();
    if cursor.goto_first_child() {
        loop {
            if cursor.field_name() == Some("condition") {
                found.push(cursor.node());
            }
            if matches!(cursor.node().kind(), "{" | "else") || !cursor.goto_next_sibling() {
                break;
            }
        }
    }
    found
}

/// The only condition, if that is an expression and no constant.
fn plain_condition<'a>(rewriter: &Rewriter<'_>, node: Node<'a>) -> Option<Node<'a>> {
    let [only] = conditions(node)[..] else {
        return None;
    };
    (only.is_named()
        && is_expression(rewriter, only)
        && !matches!(
            only.kind(),
            "availability_condition" | "boolean_literal" | "value_binding_pattern" | "directive"
        ))
    .then_some(only)
}

/// Source text of what is decided.
fn condition_text(rewriter: &Rewriter<'_>, node: Node<'_>) -> String {
    let all = conditions(node);
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        return String::new();
    };
    let text = &rewriter.source[first.start_byte()..last.end_byte()];
    String::from_utf8_lossy(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn branch_site<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> u32 {
    let site = rewriter.site(Kind::Branch, node);
    let mut text = condition_text(rewriter, node);
    while text.len() > 160 {
        text.pop();
    }
    let entry = rewriter.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    site
}

/// Offsets behind the braces that open blocks.
fn blocks(node: Node<'_>) -> Vec<(usize, Option<Node<'_>>)> {
    let parts = children(node);
    let open = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.kind() == "{");
    open.map(|(at, brace)| {
        let inner = parts.get(at + 1).filter(|next| next.kind() == "statements");
        (brace.end_byte(), inner.copied())
    })
    .collect()
}

/// Text behind an opening brace, in front of the block's statements.
fn open_block(rewriter: &mut Rewriter<'_>, block: (usize, Option<Node<'_>>), text: &str) {
    let separator = if block.1.is_some() { "; " } else { " " };
    rewriter.open_at(
        block.0,
        statements::OUTERMOST,
        format!(" {text}{separator}"),
    );
}

fn imply_arm<'a>(rewriter: &mut Rewriter<'a>, site: u32, arm: u32, block: Option<Node<'a>>) {
    let first = block.and_then(|block| statements_of(block).into_iter().next());
    if let Some(first) = first
        && statements::takes_probe(rewriter, first)
        && let Some(step) = statements::imply(rewriter, first)
    {
        rewriter
            .site_mut(site)
            .chain
            .after_arm
            .push((arm, vec![step]));
    }
}

/// The probe for names that a condition, an arm or a `catch` binds.
pub(crate) fn bound<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> Option<String> {
    if !rewriter.wants(Detail::State) {
        return None;
    }
    let names = bound_names(rewriter, node);
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| name != "self" && name != "_")
        .collect();
    if names.is_empty() {
        return None;
    }
    let site = rewriter.site(Kind::Var, node);
    let text = match &names[..] {
        [name] => format!("_tr_w({site}, {name})"),
        several => format!(
            "_tr_w({site}, {}, each: {})",
            several.len(),
            several.join(", ")
        ),
    };
    rewriter.set_names(site, names);
    Some(text)
}

/// Hook: `if`, an `else if` too.
pub(crate) fn if_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) {
        return;
    }
    let parts = children(node);
    let arms = blocks(node);
    let Some(&then) = arms.first() else { return };
    let value = statements::is_value_choice(rewriter, node) || is_in_builder(rewriter, node);
    if let Some(condition) = plain_condition(rewriter, node) {
        let site = branch_site(rewriter, node);
        rewriter.wrap(condition, format!("_tr_c({site}, "), ")");
        if !value {
            imply_arm(rewriter, site, 1, then.1);
            if let Some(other) = arms.get(1) {
                imply_arm(rewriter, site, 0, other.1);
            }
        }
        return;
    }
    if value {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let site = branch_site(rewriter, node);
    let mut text = format!("_tr_b({site}, 1)");
    match bound(rewriter, node) {
        Some(values) => text = format!("{text}; {values}"),
        None => imply_arm(rewriter, site, 1, then.1),
    }
    open_block(rewriter, then, &text);
    let text = format!("_tr_b({site}, 0)");
    if let Some(&other) = arms.get(1) {
        imply_arm(rewriter, site, 0, other.1);
        open_block(rewriter, other, &text);
    } else if let Some(next) = parts.iter().find(|part| part.kind() == "if_statement") {
        rewriter.wrap(*next, format!("{{ {text}; "), " }");
    } else {
        rewriter.close(node, format!(" else {{ {text} }}"));
    }
}

fn is_in_builder(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let mut top = node;
    while let Some(parent) = rewriter
        .parent(top)
        .filter(|parent| parent.kind() == "if_statement")
    {
        top = parent;
    }
    !statements::takes_probe(rewriter, top)
}

/// Hook: `guard`.
pub(crate) fn guard<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) || !statements::takes_probe(rewriter, node) {
        return;
    }
    let Some(&block) = blocks(node).last() else {
        return;
    };
    let site = branch_site(rewriter, node);
    imply_arm(rewriter, site, 0, block.1);
    if let Some(condition) = plain_condition(rewriter, node) {
        rewriter.wrap(condition, format!("_tr_c({site}, "), ")");
        return;
    }
    open_block(rewriter, block, &format!("_tr_b({site}, 0)"));
    let mut text = format!("; _tr_b({site}, 1)");
    if let Some(values) = bound(rewriter, node) {
        text = format!("{text}; {values}");
    }
    rewriter.close(node, text);
}

/// Hook: `switch`.
pub(crate) fn switch<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::Lines) {
        return;
    }
    if statements::is_value_choice(rewriter, node) || !statements::takes_probe(rewriter, node) {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let site = rewriter.site(Kind::Branch, node);
    if let Some(subject) = node.child_by_field_name("expr") {
        rewriter.site_mut(site).text = rewriter.label(subject);
    }
    let entries = children(node)
        .into_iter()
        .filter(|part| part.kind() == "switch_entry");
    let mut arms = Vec::new();
    for (arm, entry) in entries.enumerate() {
        let Some(block) = child(entry, "statements") else {
            arms.push(String::new());
            continue;
        };
        let head = &rewriter.source[entry.start_byte()..block.start_byte()];
        let head = String::from_utf8_lossy(head);
        let head = head.trim_end().trim_end_matches(':');
        arms.push(head.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut text = format!("_tr_b({site}, {arm}); ");
        match bound(rewriter, entry) {
            Some(values) => text = format!("{text}{values}; "),
            None => imply_arm(rewriter, site, arm as u32, Some(block)),
        }
        rewriter.open_at(block.start_byte(), statements::OUTERMOST, text);
    }
    rewriter.site_mut(site).arms = arms;
}

/// Hook: `a ? b : c`.
pub(crate) fn ternary<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(condition) = node.child_by_field_name("condition") else {
        return;
    };
    let bounded = rewriter.parent(node).is_some_and(|parent| {
        matches!(
            parent.kind(),
            "value_argument"
                | "assignment"
                | "property_declaration"
                | "control_transfer_statement"
                | "statements"
                | "tuple_expression"
                | "array_literal"
                | "interpolated_expression"
        )
    });
    if !rewriter.wants(Detail::Lines)
        || !bounded
        || matches!(
            condition.kind(),
            "ternary_expression" | "boolean_literal" | "try_expression" | "await_expression"
        )
    {
        return;
    }
    let site = rewriter.site(Kind::Branch, node);
    let text = rewriter.label(condition);
    let entry = rewriter.site_mut(site);
    entry.text = text;
    entry.arms = vec!["false".into(), "true".into()];
    rewriter.wrap(condition, format!("_tr_c({site}, "), ")");
}
