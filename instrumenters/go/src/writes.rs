//! `VAR`: what declarations, assignments, `++` and `--` wrote.
//!
//! A target is read back after the statement where that is certain to give what was written, and
//! cannot fail. Else the value passes through a probe on its way there, if its type is its own.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, identifiers, inside_parentheses};
use crate::facts::Facts;
use crate::steps;

/// A probe that reads a variable back.
pub(crate) fn probe<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, target: Node<'a>) -> String {
    let site = var(rewriter, node, target);
    format!("_tr.V(_trw,{site},{});", rewriter.text(target))
}

fn var<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, target: Node<'a>) -> u32 {
    let site = rewriter.site(Kind::Var, node);
    let name = rewriter.label(target);
    rewriter.set_names(site, [name]);
    site
}

/// Probes for what the simple statement in the header of an `if` or `switch` wrote, to stand where
/// its variables are in scope.
pub(crate) fn in_header<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>) -> String {
    let left = statement
        .child_by_field_name("left")
        .filter(|_| rewriter.wants(Detail::State));
    let names = left
        .map(|left| identifiers(rewriter, left))
        .unwrap_or_default();
    let mut text = String::new();
    for name in names {
        text.push_str(&probe(rewriter, statement, name));
    }
    text
}

/// `x`, `p.x`, `a[i]`, `*p`: only variables and literals, and at most one field, since a second
/// pointer may lead back to what was just written.
pub(crate) fn is_path<'a>(rewriter: &Rewriter<'a>, facts: &Facts, node: Node<'a>) -> bool {
    let mut selectors = 0;
    path(rewriter, facts, node, &mut selectors) && selectors <= 1
}

fn path<'a>(rewriter: &Rewriter<'a>, facts: &Facts, node: Node<'a>, selectors: &mut u32) -> bool {
    let part = |field| node.child_by_field_name(field);
    match node.kind() {
        "identifier" => facts.is_variable(&rewriter.text(node)),
        "selector_expression" => {
            *selectors += 1;
            part("operand").is_some_and(|operand| path(rewriter, facts, operand, selectors))
        }
        "index_expression" => {
            part("operand").is_some_and(|operand| path(rewriter, facts, operand, selectors))
                && part("index").is_some_and(|index| is_index(rewriter, facts, index, selectors))
        }
        "parenthesized_expression" => node
            .named_child(0)
            .is_some_and(|inner| path(rewriter, facts, inner, selectors)),
        "unary_expression" => {
            part("operator").is_some_and(|operator| operator.kind() == "*")
                && part("operand").is_some_and(|inner| inner.kind() == "identifier")
        }
        _ => false,
    }
}

fn is_index<'a>(
    rewriter: &Rewriter<'a>,
    facts: &Facts,
    node: Node<'a>,
    selectors: &mut u32,
) -> bool {
    match node.kind() {
        // A constant's name is as good as a variable's.
        "identifier"
        | "int_literal"
        | "rune_literal"
        | "interpreted_string_literal"
        | "raw_string_literal"
        | "true"
        | "false" => true,
        "binary_expression" => {
            let operator = node
                .child_by_field_name("operator")
                .map_or("", |operator| operator.kind());
            matches!(operator, "+" | "-" | "*" | "%" | "/")
                && ["left", "right"].iter().all(|field| {
                    node.child_by_field_name(field)
                        .is_some_and(|part| is_index(rewriter, facts, part, selectors))
                })
        }
        "parenthesized_expression" => node
            .named_child(0)
            .is_some_and(|inner| is_index(rewriter, facts, inner, selectors)),
        _ => path(rewriter, facts, node, selectors),
    }
}

/// Whether evaluating an expression may run other code, or wait for it.
pub(crate) fn calls(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "func_literal" => return false,
        "call_expression" => {
            let name = node
                .child_by_field_name("function")
                .map(|name| rewriter.text(name).into_owned())
                .unwrap_or_default();
            let harmless = matches!(
                &*name,
                "len"
                    | "cap"
                    | "append"
                    | "make"
                    | "new"
                    | "min"
                    | "max"
                    | "string"
                    | "int"
                    | "int64"
                    | "int32"
                    | "uint"
                    | "uint8"
                    | "uint32"
                    | "uint64"
                    | "byte"
                    | "rune"
                    | "float64"
                    | "float32"
                    | "complex"
                    | "real"
                    | "imag"
            ) || name.starts_with("math.");
            if !harmless {
                return true;
            }
        }
        "unary_expression"
            if node
                .child_by_field_name("operator")
                .is_some_and(|operator| operator.kind() == "<-") =>
        {
            return true;
        }
        _ => {}
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| calls(rewriter, child))
}

/// Every name in an expression.
fn names_in(rewriter: &Rewriter<'_>, node: Node<'_>, names: &mut Vec<String>) {
    if node.kind() == "identifier" {
        names.push(rewriter.text(node).into_owned());
    }
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        names_in(rewriter, child, names);
    }
}

/// Whether a target can be read again right after the statement.
fn is_readable_again<'a>(
    rewriter: &mut Rewriter<'a>,
    target: Node<'a>,
    written: &[String],
    after_call: bool,
) -> bool {
    let facts = Facts::of(rewriter);
    if target.kind() == "identifier" {
        return &*rewriter.text(target) != "_";
    }
    if !is_path(rewriter, &facts, target) {
        return false;
    }
    let mut names = Vec::new();
    names_in(rewriter, target, &mut names);
    if names.iter().any(|name| written.contains(name)) {
        return false;
    }
    if !after_call {
        return true;
    }
    // Only a step away from variables that no call can change.
    let base = target
        .child_by_field_name("operand")
        .is_some_and(|operand| operand.kind() == "identifier");
    base && names
        .iter()
        .all(|name| facts.is_own(name) || !facts.is_variable(name))
}

/// Whether an expression has a type of its own, and is one value: it may pass through a call.
pub(crate) fn is_typed(rewriter: &Rewriter<'_>, facts: &Facts, node: Node<'_>) -> bool {
    let part = |field| node.child_by_field_name(field);
    match node.kind() {
        "identifier" => facts.is_variable(&rewriter.text(node)),
        "composite_literal"
        | "type_assertion_expression"
        | "slice_expression"
        | "type_conversion_expression" => true,
        "call_expression" => part("function").is_some_and(|name| {
            !matches!(
                &*rewriter.text(name),
                "min" | "max" | "complex" | "real" | "imag"
            )
        }),
        "selector_expression" | "index_expression" => {
            part("operand").is_some_and(|operand| is_typed(rewriter, facts, operand))
        }
        "parenthesized_expression" => node
            .named_child(0)
            .is_some_and(|inner| is_typed(rewriter, facts, inner)),
        "unary_expression" => match part("operator").map_or("", |operator| operator.kind()) {
            "&" | "<-" => true,
            "-" | "^" | "*" => {
                part("operand").is_some_and(|operand| is_typed(rewriter, facts, operand))
            }
            _ => false,
        },
        "binary_expression" => {
            let operator = part("operator").map_or("", |operator| operator.kind());
            matches!(
                operator,
                "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "&^"
            ) && ["left", "right"]
                .iter()
                .any(|field| part(field).is_some_and(|side| is_typed(rewriter, facts, side)))
        }
        _ => false,
    }
}

/// Whether a statement of ours may stand behind this one.
fn stands_in_list<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    context::place(rewriter, node).is_some()
}

/// Probes behind a statement for the targets that can be read there; the last site made.
fn report<'a>(
    rewriter: &mut Rewriter<'a>,
    node: Node<'a>,
    targets: &[Node<'a>],
    after_call: bool,
) -> Option<u32> {
    let written: Vec<String> = targets
        .iter()
        .filter(|target| target.kind() == "identifier")
        .map(|target| rewriter.text(*target).into_owned())
        .collect();
    let mut text = String::new();
    let mut last = None;
    for target in targets {
        let target = inside_parentheses(*target);
        if !is_readable_again(rewriter, target, &written, after_call) {
            continue;
        }
        let site = var(rewriter, node, target);
        text.push_str(&format!(";_tr.V(_trw,{site},{})", rewriter.text(target)));
        if last.is_none() {
            steps::absorb(rewriter, node, site);
        }
        last = Some(site);
    }
    rewriter.close(node, text);
    last
}

/// Hook: `var` in a function.
pub(crate) fn declared<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) || !stands_in_list(rewriter, node) {
        return;
    }
    let mut targets = Vec::new();
    collect_specs(node, &mut targets);
    targets.retain(|name| &*rewriter.text(*name) != "_");
    if let Some(last) = report(rewriter, node, &targets, false) {
        steps::chain_next(rewriter, node, last);
    }
}

fn collect_specs<'a>(node: Node<'a>, names: &mut Vec<Node<'a>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        match child.kind() {
            "var_spec" => {
                let mut inner = child.walk();
                names.extend(child.children_by_field_name("name", &mut inner));
            }
            "var_spec_list" => collect_specs(child, names),
            _ => {}
        }
    }
}

/// Hook: an assignment or a short declaration.
pub(crate) fn write<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(left), Some(right)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("right"),
    ) else {
        return;
    };
    if !rewriter.wants(Detail::State) || !stands_in_list(rewriter, node) {
        return;
    }
    let targets: Vec<Node<'a>> = rewriter.children(left).nodes.clone();
    let values: Vec<Node<'a>> = rewriter.children(right).nodes.clone();
    let after_call = calls(rewriter, right);
    let plain = node
        .child_by_field_name("operator")
        .is_some_and(|operator| operator.kind() == "=");
    if let ([target], [value]) = (&targets[..], &values[..])
        && plain
        && target.kind() != "identifier"
        && !is_readable_again(rewriter, *target, &[], after_call)
    {
        let facts = Facts::of(rewriter);
        if is_typed(rewriter, &facts, *value) {
            let site = var(rewriter, node, *target);
            rewriter.wrap(*value, format!("_tr.X(_trw,{site},"), ")");
        }
        return;
    }
    if let Some(last) = report(rewriter, node, &targets, after_call) {
        steps::chain_next(rewriter, node, last);
    }
}

/// Hook: `++` and `--`.
pub(crate) fn count<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(target) = node.named_child(0) else {
        return;
    };
    if !rewriter.wants(Detail::State) || !stands_in_list(rewriter, node) {
        return;
    }
    let after_call = calls(rewriter, target);
    if let Some(last) = report(rewriter, node, &[target], after_call) {
        steps::chain_next(rewriter, node, last);
    }
}
