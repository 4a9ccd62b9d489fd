//! Decisions: `if`, `elif`, `case`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{
    ahead, before_token, behind_token, edits, in_backquotes, is_kept, probe, statements,
};
use crate::calls::{Use, leading};
use crate::statements::step_site;
use crate::words;
use crate::writes::is_arithmetic;

/// A condition's site, and the values it looks at.
fn condition_site<'a>(r: &mut Rewriter<'a>, clause: Node<'a>) -> Option<(u32, String)> {
    let conditions = conditions(clause);
    let &first = conditions.first()?;
    let &last = conditions.last()?;
    if conditions.iter().any(|condition| r.is_broken(*condition)) {
        return None;
    }
    let site = r.site_of(Kind::Branch, last, "condition");
    let label = r.label(last);
    let entry = r.site_mut(site);
    entry.text = label;
    entry.arms = vec!["false".into(), "true".into()];
    for call in leading(r, first, Use::Decides) {
        ahead(r, first, &call);
    }
    let operands = if r.wants(Detail::Full) {
        operands(r, last, site)
    } else {
        String::new()
    };
    Some((site, operands))
}

/// The values that a test compares, where looking at them once more does nothing.
fn operands<'a>(r: &mut Rewriter<'a>, condition: Node<'a>, site: u32) -> String {
    if condition.kind() != "test_command" || !words::is_pure(r, condition) {
        return String::new();
    }
    let mut names: Vec<String> = Vec::new();
    let mut waiting = vec![condition];
    while let Some(node) = waiting.pop() {
        if matches!(node.kind(), "simple_expansion" | "expansion") {
            let text = r.text(node).into_owned();
            let single = !text.contains(['@', '*', '\n', '!', '"', '\'', '\\']);
            if single && !names.contains(&text) && names.len() < 8 {
                names.push(text);
            }
            continue;
        }
        let mut cursor = node.walk();
        let mut children: Vec<_> = node.named_children(&mut cursor).collect();
        children.reverse();
        waiting.extend(children);
    }
    let mut call = String::new();
    for name in &names {
        call.push_str(&format!(" \"{name}\""));
    }
    r.set_names(site, names);
    call
}

/// The commands of a condition.
pub(crate) fn conditions(clause: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = clause.walk();
    let mut found = Vec::new();
    for child in clause.children(&mut cursor) {
        if matches!(child.kind(), "then" | "do_group") {
            break;
        }
        if child.is_named() && !child.is_extra() && child.kind() != "comment" {
            found.push(child);
        }
    }
    found
}

fn token<'a>(node: Node<'a>, kind: &str) -> Option<Node<'a>> {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .find(|child| child.kind() == kind && !child.is_missing())
}

/// `if`.
pub(crate) fn if_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) || in_backquotes(r, node) {
        return;
    }
    let (Some(then), Some(fi)) = (token(node, "then"), token(node, "fi")) else {
        return;
    };
    if has_empty_block(node) || is_kept(r, then.end_byte()) {
        return;
    }
    let Some((site, operands)) = condition_site(r, node) else {
        return;
    };
    behind_token(r, then, &format!("_tr_b {site} 1{operands}"));
    // The last condition's way out is the `else`, or nothing at all.
    let mut cursor = node.walk();
    let clauses: Vec<_> = node.named_children(&mut cursor).collect();
    if clauses.iter().any(|clause| clause.kind() == "elif_clause") {
        return;
    }
    otherwise(r, &clauses, fi, site, &operands);
}

/// Whether one of the blocks has no command, which is an error that a probe would mend.
fn has_empty_block(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    statements(node).is_empty()
        || node
            .named_children(&mut cursor)
            .any(|clause| clause.kind() == "else_clause" && statements(clause).is_empty())
}

fn otherwise<'a>(
    r: &mut Rewriter<'a>,
    clauses: &[Node<'a>],
    fi: Node<'a>,
    site: u32,
    operands: &str,
) {
    match clauses.iter().find(|clause| clause.kind() == "else_clause") {
        Some(clause) => {
            if let Some(word) = token(*clause, "else") {
                behind_token(r, word, &format!("_tr_b {site} 0{operands}"));
            }
        }
        None => {
            let call = probe(r, &format!("_tr_z {site} 0{operands}"));
            before_token(r, fi, format!("else {call};"));
        }
    }
}

/// `elif`.
pub(crate) fn elif_clause<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) || in_backquotes(r, node) {
        return;
    }
    let Some(statement) = r.parent(node) else {
        return;
    };
    if has_empty_block(node) {
        return;
    }
    let (Some(word), Some(then), Some(fi)) = (
        token(node, "elif"),
        token(node, "then"),
        token(statement, "fi"),
    ) else {
        return;
    };
    let mut cursor = statement.walk();
    let clauses: Vec<_> = statement.named_children(&mut cursor).collect();
    let earlier = clauses
        .iter()
        .take_while(|clause| clause.id() != node.id())
        .filter(|clause| clause.kind() == "elif_clause")
        .last()
        .copied()
        .unwrap_or(statement);
    if let Some(site) = conditions(earlier)
        .last()
        .and_then(|last| r.known_site(*last, "condition"))
    {
        behind_token(r, word, &format!("_tr_b {site} 0"));
    }
    let Some((site, operands)) = condition_site(r, node) else {
        return;
    };
    // A test tells of its step as it is decided; a command does so itself.
    match conditions(node)[..] {
        [test] if is_test(test) => {
            let step = step_site(r, test);
            r.site_mut(site).chain.before = vec![step];
        }
        [first, ..] if begins_with_test(first) => {
            let step = step_site(r, first);
            ahead(r, first, &format!("_tr_k {step}"));
        }
        _ => {}
    }
    behind_token(r, then, &format!("_tr_b {site} 1{operands}"));
    let last = clauses
        .iter()
        .rfind(|clause| clause.kind() == "elif_clause")
        .is_some_and(|last| last.id() == node.id());
    if last {
        otherwise(r, &clauses, fi, site, &operands);
    }
}

fn is_test(node: Node<'_>) -> bool {
    node.kind() == "test_command" || is_arithmetic(node)
}

fn begins_with_test(node: Node<'_>) -> bool {
    match node.kind() {
        "list" | "negated_command" => node.named_child(0).is_some_and(begins_with_test),
        _ => is_test(node),
    }
}

/// `case`.
pub(crate) fn case_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) || in_backquotes(r, node) {
        return;
    }
    let Some(value) = node.child_by_field_name("value") else {
        return;
    };
    let mut cursor = node.walk();
    let items: Vec<_> = node
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "case_item")
        .collect();
    let site = r.site(Kind::Branch, value);
    let label = r.label(value);
    r.site_mut(site).text = label;
    let operand_text = (r.wants(Detail::Full) && words::is_pure(r, value))
        .then(|| words::again(r, value))
        .flatten()
        .map(|text| {
            let name = r.label(value);
            r.set_names(site, [name]);
            format!(" \"\"{text}")
        })
        .filter(|_| value.kind() == "string")
        .map(|text| text.replacen("\"\"", "", 1))
        .unwrap_or_default();
    let mut arms = vec!["no match".to_owned()];
    let mut open = false;
    for (index, item) in items.iter().enumerate() {
        let arm = index + 1;
        let Some(bracket) = token(*item, ")") else {
            return;
        };
        let pattern = String::from_utf8_lossy(&r.source[item.start_byte()..bracket.start_byte()])
            .trim()
            .trim_start_matches('(')
            .to_owned();
        open |= pattern == "*";
        arms.push(pattern);
        if r.is_broken(*item) {
            continue;
        }
        let call = format!("{site} {arm}{operand_text}");
        let end = token(*item, ";;");
        open |= end.is_none() && (token(*item, ";&").or(token(*item, ";;&"))).is_some();
        if statements(*item).is_empty() {
            if end.is_some() {
                let text = probe(r, &format!("_tr_z {call}"));
                crate::blocks::after_token(r, bracket, format!(" {text} "));
            }
            continue;
        }
        behind_token(r, bracket, &format!("_tr_b {call}"));
    }
    r.site_mut(site).arms = arms;
    let ended = items.last().is_none_or(|last| token(*last, ";;").is_some());
    if let Some(esac) = token(node, "esac").filter(|_| ended && !open && edits(r)) {
        let text = probe(r, &format!("_tr_z {site} 0{operand_text}"));
        before_token(r, esac, format!("*) {text};;"));
    }
}
