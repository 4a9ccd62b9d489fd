//! Loops: entered, each round, left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::blocks::{
    ahead, behind, behind_token, block_of, edits, in_backquotes, is_kept, probe, statements,
};
use crate::branches::conditions;
use crate::calls::{Use, leading};
use crate::statements::step_site;
use crate::{words, writes};

/// The loop that a statement is, perhaps with redirections.
pub(crate) fn loop_of(node: Node<'_>) -> Option<Node<'_>> {
    match node.kind() {
        "while_statement" | "for_statement" | "c_style_for_statement" => Some(node),
        "redirected_statement" => loop_of(node.child_by_field_name("body")?),
        _ => None,
    }
}

/// Whether a loop tells when it is entered, and so of its step.
pub(crate) fn enters<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> bool {
    loop_of(statement).is_some_and(|inner| !r.is_broken(inner)) && !in_backquotes(r, statement)
}

/// `while` and `until`.
pub(crate) fn while_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let conditions = conditions(node);
    let Some((&first, &last)) = conditions.first().zip(conditions.last()) else {
        return;
    };
    let names = read_in(r, last);
    let label = r.label(last);
    let Some(site) = around(r, node, names, &label) else {
        return;
    };
    r.enter_loop(node, site);
    for call in leading(r, first, Use::Decides) {
        ahead(r, first, &call);
    }
}

/// The names that a condition reads into.
fn read_in(r: &Rewriter<'_>, condition: Node<'_>) -> Vec<String> {
    let mut node = condition;
    while node.kind() == "redirected_statement" {
        let Some(body) = node.child_by_field_name("body") else {
            return Vec::new();
        };
        node = body;
    }
    let name = node.child_by_field_name("name").map(|name| r.text(name));
    if node.kind() != "command" || name.as_deref() != Some("read") {
        return Vec::new();
    }
    let mut cursor = node.walk();
    let arguments: Vec<String> = node
        .children_by_field_name("argument", &mut cursor)
        .map(|word| r.text(word).into_owned())
        .collect();
    if arguments
        .iter()
        .any(|word| word.starts_with('-') && word.ends_with('a'))
    {
        return Vec::new();
    }
    writes::read_names(&arguments)
}

/// `for`, `select` and `for ((…))`.
pub(crate) fn for_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Lines) {
        return;
    }
    let names: Vec<String> = if node.kind() == "for_statement" {
        node.child_by_field_name("variable")
            .map(|name| r.text(name).into_owned())
            .into_iter()
            .collect()
    } else {
        let end = node
            .child_by_field_name("body")
            .map_or(node.end_byte(), |body| body.start_byte());
        let head = String::from_utf8_lossy(&r.source[node.start_byte()..end]).into_owned();
        writes::assigned_names(head.trim_start_matches("for"))
    };
    let body = node.child_by_field_name("body");
    let end = body.map_or(node.end_byte(), |body| body.start_byte());
    let head = String::from_utf8_lossy(&r.source[node.start_byte()..end]);
    let label = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let label = label.trim_end_matches([';', ' ']);
    if let Some(site) = around(r, node, names, label) {
        r.enter_loop(node, site);
    }
}

/// The probes of a loop; its site.
fn around<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    names: Vec<String>,
    label: &str,
) -> Option<u32> {
    if in_backquotes(r, node) || r.is_broken(node) {
        return None;
    }
    let body = node.child_by_field_name("body")?;
    let opener = body
        .child(0)
        .filter(|first| matches!(first.kind(), "do" | "{") && !first.is_missing())?;
    // A probe would make an empty block a valid one.
    if statements(body).is_empty() || is_kept(r, opener.end_byte()) {
        return None;
    }
    let statement = outermost(r, node);
    let stands = block_of(r, statement).is_some();
    let stage = !stands && is_stage(r, statement);
    let step = stands.then(|| step_site(r, statement));
    let site = r.site(Kind::Loop, node);
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| writes::is_name(name) && words::is_plain_variable(name))
        .collect();
    let mut targets = String::new();
    if r.wants(Detail::State) {
        for name in &names {
            targets.push_str(&format!(" \"${{{name}-}}\""));
        }
        r.set_names(site, names);
    }
    let entry = r.site_mut(site);
    entry.text = label.chars().take(160).collect();
    entry.chain.before = step.into_iter().collect();
    if stands {
        ahead(r, statement, &format!("_tr_l {site} 0"));
    }
    behind_token(r, opener, &format!("_tr_l {site} 1{targets}"));
    if stands {
        behind(r, statement, &format!("_tr_l {site} 2"));
    } else if stage && edits(r) {
        // A compound stage runs in a process of its own in any case.
        let before = probe(r, &format!("_tr_l {site} 0"));
        let after = probe(r, &format!("_tr_l {site} 2"));
        r.wrap(statement, format!("{{ {before};"), format!(";{after};}}"));
    }
    Some(site)
}

/// The statement that a loop with its redirections makes.
fn outermost<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Node<'a> {
    let mut whole = node;
    while let Some(parent) = r.parent(whole)
        && parent.kind() == "redirected_statement"
    {
        whole = parent;
    }
    whole
}

/// Whether a statement is a stage of a pipeline, on lines of its own.
fn is_stage<'a>(r: &Rewriter<'a>, statement: Node<'a>) -> bool {
    let heredoc = r.text(statement).contains("<<");
    r.parent(statement)
        .is_some_and(|parent| parent.kind() == "pipeline")
        && !heredoc
}
