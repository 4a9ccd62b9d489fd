//! `VAR`: a name, field or element has a new value.
//!
//! A place that was just written can be read: whoever may write it holds it alone.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, FileFacts, behind, is_conditional, is_statement, is_tail, runs};
use crate::patterns::{bindings, tell};
use crate::steps;

/// Longest place that is written out a second time, bytes.
const LENGTH: usize = 80;

/// Methods of the standard library that change what they are called on, and keep nothing.
const CHANGES: &[&str] = &[
    "append",
    "clear",
    "dedup",
    "extend",
    "extend_from_slice",
    "fill",
    "insert",
    "insert_str",
    "pop",
    "pop_back",
    "pop_front",
    "push",
    "push_back",
    "push_front",
    "push_str",
    "remove",
    "resize",
    "retain",
    "reverse",
    "rotate_left",
    "rotate_right",
    "sort",
    "sort_by",
    "sort_by_key",
    "sort_unstable",
    "sort_unstable_by",
    "sort_unstable_by_key",
    "swap",
    "swap_remove",
    "truncate",
];

/// A place that can be read again without running code of the program: names, fields, elements.
pub(crate) fn is_path(rewriter: &Rewriter<'_>, facts: &FileFacts, node: Node<'_>) -> bool {
    let text = &rewriter.source[node.start_byte()..node.end_byte()];
    text.len() <= LENGTH && !text.contains(&b'\n') && path(rewriter, facts, node)
}

fn path(rewriter: &Rewriter<'_>, facts: &FileFacts, node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" => rewriter.text(node) != "_",
        "self" => true,
        "parenthesized_expression" => node
            .named_child(0)
            .is_some_and(|inner| path(rewriter, facts, inner)),
        "field_expression" => {
            !facts.odd_fields
                && !facts.derefs
                && node
                    .child_by_field_name("value")
                    .is_some_and(|value| path(rewriter, facts, value))
        }
        "unary_expression" => {
            !facts.derefs
                && rewriter.text(node).starts_with('*')
                && node
                    .named_child(0)
                    .is_some_and(|inner| path(rewriter, facts, inner))
        }
        "index_expression" => {
            let (Some(of), Some(at)) = (node.named_child(0), node.named_child(1)) else {
                return false;
            };
            !facts.indexes && path(rewriter, facts, of) && index(rewriter, facts, at)
        }
        _ => false,
    }
}

fn index(rewriter: &Rewriter<'_>, facts: &FileFacts, node: Node<'_>) -> bool {
    match node.kind() {
        "integer_literal" => true,
        "binary_expression" | "parenthesized_expression" => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .all(|child| index(rewriter, facts, child))
        }
        "type_cast_expression" => node
            .child_by_field_name("value")
            .is_some_and(|value| index(rewriter, facts, value)),
        _ => path(rewriter, facts, node),
    }
}

/// Hook: `let`.
pub(crate) fn declared<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(pattern) = node.child_by_field_name("pattern") else {
        return;
    };
    if !rewriter.wants(Detail::State)
        || node.child_by_field_name("value").is_none()
        || rewriter.source.get(node.end_byte() - 1) != Some(&b';')
        || is_conditional(rewriter, node)
        || !is_statement(rewriter, node)
        || !runs(rewriter, node)
    {
        return;
    }
    if FileFacts::of(rewriter)
        .column_lines
        .contains(&node.end_position().row)
    {
        return;
    }
    let names = bindings(rewriter, pattern);
    if names.is_empty() {
        return;
    }
    let site = next_site(rewriter);
    let probe = tell(rewriter, node, &names);
    steps::absorb(rewriter, node, site);
    behind(rewriter, node, probe);
}

/// The id that the next site gets.
fn next_site(rewriter: &Rewriter<'_>) -> u32 {
    rewriter.options.first_site + rewriter.sites().len() as u32
}

/// Puts a probe behind an assignment, wherever it stands.
fn follow<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, probe: &str) {
    let parent = rewriter.parent(node);
    match parent {
        Some(statement)
            if statement.kind() == "expression_statement"
                && is_statement(rewriter, statement)
                && !is_conditional(rewriter, statement) =>
        {
            behind(rewriter, statement, probe.to_owned());
        }
        Some(block) if block.kind() == "block" && is_tail(rewriter, node) => {
            rewriter.close(node, format!(";{probe}"));
        }
        Some(_) if context::attributes(rewriter.source, node).is_empty() => {
            rewriter.wrap(node, "{", format!(";{probe}}}"));
        }
        _ => {}
    }
}

/// Hook: `=` and `+=`.
pub(crate) fn write<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if !rewriter.wants(Detail::State) || !runs(rewriter, node) {
        return;
    }
    let facts = FileFacts::of(rewriter);
    let mut targets = Vec::new();
    if left.kind() == "tuple_expression" {
        let mut cursor = left.walk();
        targets.extend(left.named_children(&mut cursor));
    } else {
        targets.push(left);
    }
    let names: Vec<String> = targets
        .into_iter()
        .filter(|target| is_path(rewriter, &facts, *target))
        .map(|target| rewriter.text(target).into_owned())
        .collect();
    if names.is_empty() {
        return;
    }
    let probe = tell(rewriter, node, &names);
    follow(rewriter, node, &probe);
}

/// Hook: a call whose result nobody wants: what it changed.
pub(crate) fn change<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) || !runs(rewriter, node) {
        return;
    }
    let (Some(function), Some(arguments)) = (
        node.child_by_field_name("function"),
        node.child_by_field_name("arguments"),
    ) else {
        return;
    };
    let Some(statement) = rewriter.parent(node).filter(|statement| {
        rewriter.source.get(statement.end_byte() - 1) == Some(&b';')
            && is_statement(rewriter, *statement)
            && !is_conditional(rewriter, *statement)
    }) else {
        return;
    };
    let facts = FileFacts::of(rewriter);
    let mut names: Vec<String> = Vec::new();
    if function.kind() == "field_expression" {
        let (Some(value), Some(name)) = (
            function.child_by_field_name("value"),
            function.child_by_field_name("field"),
        ) else {
            return;
        };
        let name = rewriter.text(name);
        if CHANGES.contains(&&*name)
            && !facts.consuming.contains(&*name)
            && is_path(rewriter, &facts, value)
            && value.kind() != "self"
        {
            names.push(rewriter.text(value).into_owned());
        }
    } else {
        let callee = rewriter.text(function);
        let known = facts.plain_functions.contains(&*callee)
            || matches!(&*callee, "std::mem::swap" | "mem::swap" | "swap");
        let mut cursor = arguments.walk();
        for argument in arguments.named_children(&mut cursor).filter(|_| known) {
            if argument.kind() != "reference_expression"
                || !rewriter.text(argument).starts_with("&mut ")
            {
                continue;
            }
            let place = argument.child_by_field_name("value");
            if let Some(place) = place.filter(|place| is_path(rewriter, &facts, *place)) {
                names.push(rewriter.text(place).into_owned());
            }
        }
    }
    if names.is_empty() {
        return;
    }
    let site = rewriter.site(Kind::Var, node);
    let probe = match &names[..] {
        [name] => format!("_tr::v({site},{});", crate::patterns::reference(name)),
        names => format!(
            "if _tr::m({site},{}){{{}_tr::z();}}",
            names.len(),
            crate::patterns::values(names)
        ),
    };
    rewriter.set_names(site, names);
    behind(rewriter, statement, probe);
}
