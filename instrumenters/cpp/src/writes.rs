//! `VAR`: what declarations, assignments, `++` and `--` wrote.
//!
//! A plain variable is read back after the statement. Anything else reports the value of the
//! assignment itself: reading `a[i]` or `p->next->next` again could mean another place by then.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{
    declared_name, following, inside_parentheses, is_evaluated, is_readable, is_result,
    takes_statement,
};
use crate::loops::bound;
use crate::operands::{is_bit_field, is_name, is_path};
use crate::steps;

pub(crate) fn var<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, target: Node<'a>) -> u32 {
    let site = rewriter.site(Kind::Var, node);
    let name = rewriter.label(target);
    rewriter.set_names(site, [name]);
    site
}

/// Lets the probe that comes last behind a statement tell of the next one's step.
fn chain_next<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>, site: u32) {
    let in_block = statement
        .parent()
        .is_some_and(|parent| matches!(parent.kind(), "compound_statement" | "case_statement"));
    let Some(next) = following(statement).filter(|_| in_block) else {
        return;
    };
    // Where a nested write may already have claimed the step, it stays with that one.
    if let Some(step) = steps::imply(rewriter, next) {
        rewriter.site_mut(site).chain.after.push(step);
    }
}

/// Whether the value that a declaration or assignment takes is memory that holds nothing yet.
fn is_raw_memory(rewriter: &Rewriter<'_>, value: Option<Node<'_>>) -> bool {
    let Some(mut node) = value.map(inside_parentheses) else {
        return false;
    };
    while node.kind() == "cast_expression" {
        match node.child_by_field_name("value") {
            Some(inner) => node = inside_parentheses(inner),
            None => break,
        }
    }
    match node.kind() {
        "new_expression" => node
            .child_by_field_name("arguments")
            .is_none_or(|arguments| arguments.named_child_count() == 0),
        "call_expression" => rewriter.text(node).to_ascii_lowercase().contains("alloc"),
        _ => false,
    }
}

fn capture(site: u32, text: &str, raw: bool) -> String {
    if raw {
        format!("_tr_vp({site}u,{text})")
    } else {
        format!("_tr_v({site}u,{text})")
    }
}

/// Hook: a declaration with initialisers.
pub(crate) fn declared<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) || !steps::declares_at_run_time(rewriter, node) {
        return;
    }
    let parent = rewriter.parent(node);
    let in_head =
        parent.is_some_and(|parent| matches!(parent.kind(), "for_statement" | "init_statement"));
    let in_head = in_head && is_evaluated(rewriter, node);
    if !in_head && !takes_statement(rewriter, node) {
        return;
    }
    let automatic = node.child_by_field_name("type").is_some_and(|type_| {
        type_.kind() == "placeholder_type_specifier" || rewriter.text(type_) == "auto"
    });
    let mut cursor = node.walk();
    let declarators: Vec<Node<'a>> = node
        .children_by_field_name("declarator", &mut cursor)
        .collect();
    let mut probes = String::new();
    let mut last = None;
    for declarator in declarators {
        let initialised = declarator.kind() == "init_declarator";
        if !initialised && !is_library_type(rewriter, node) {
            continue;
        }
        let inner = if initialised || steps::constructs(declarator) {
            declarator.child_by_field_name("declarator")
        } else {
            Some(declarator)
        };
        let Some(inner) = inner else { continue };
        let value = declarator.child_by_field_name("value");
        if value.is_some_and(|value| value.kind() == "lambda_expression") {
            continue;
        }
        let names = match bound(inner) {
            Some(names) => names,
            None => declared_name(inner).into_iter().collect(),
        };
        if in_head && inner.kind() != "identifier" && inner.kind() != "pointer_declarator" {
            continue;
        }
        let raw = is_raw_memory(rewriter, value);
        for name in names {
            let site = var(rewriter, declarator, name);
            let text = rewriter.text(name).into_owned();
            let probe = capture(site, &text, raw);
            if !in_head {
                let _ = write!(probes, "{probe};");
                if last.is_none() {
                    steps::absorb(rewriter, node, site);
                }
                last = Some(site);
            } else if automatic {
                let _ = write!(probes, ",*_tr_x{site}=_tr_da({site}u,{text})");
            } else {
                let _ = write!(probes, ",*_tr_x{site}=_tr_d({site}u,{text})");
            }
        }
    }
    if in_head {
        // Before the `;` that belongs to the declaration.
        let extent = node.end_byte() - node.start_byte();
        rewriter.close_at(node.end_byte() - 1, extent, probes);
    } else if !probes.is_empty() {
        rewriter.close(node, probes);
        if let Some(site) = last {
            chain_next(rewriter, node, site);
        }
    }
}

/// Whether a declaration is of one of the library's classes, which are never left without a value.
fn is_library_type(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    const KNOWN: &[&str] = &[
        "string",
        "vector",
        "map",
        "set",
        "deque",
        "list",
        "unordered_map",
        "unordered_set",
        "stack",
        "queue",
        "priority_queue",
        "multimap",
        "multiset",
        "optional",
    ];
    node.child_by_field_name("type").is_some_and(|type_| {
        let text = rewriter.text(type_);
        let bare = text.strip_prefix("std::").unwrap_or(&text);
        let bare = bare.split('<').next().unwrap_or(bare).trim();
        KNOWN.contains(&bare)
    })
}

/// The variable that a target belongs to.
fn root_variable(target: Node<'_>) -> Node<'_> {
    let mut node = inside_parentheses(target);
    while let Some(inner) = node.child_by_field_name("argument") {
        node = inside_parentheses(inner);
    }
    node
}

/// How the value of a write is used.
enum Use<'a> {
    /// It is a whole statement.
    Statement(Node<'a>),
    /// It is dropped: an operand of a comma, or the third part of a `for`.
    Dropped,
    /// Something is done with it.
    Value,
}

fn usage(node: Node<'_>) -> Use<'_> {
    let mut inner = node;
    while let Some(outer) = inner.parent() {
        match outer.kind() {
            "expression_statement" => {
                return if is_result(outer) {
                    Use::Value
                } else if inner.id() == node.id() {
                    Use::Statement(outer)
                } else {
                    Use::Dropped
                };
            }
            "comma_expression" => {
                let is_left = outer
                    .child_by_field_name("left")
                    .is_some_and(|left| left.id() == inner.id());
                if is_left {
                    return Use::Dropped;
                }
            }
            "for_statement" => {
                let is = |field| {
                    outer
                        .child_by_field_name(field)
                        .is_some_and(|part| part.id() == inner.id())
                };
                return if is("update") || is("initializer") {
                    Use::Dropped
                } else {
                    Use::Value
                };
            }
            _ => return Use::Value,
        }
        inner = outer;
    }
    Use::Value
}

/// Whether this only looks like an operand, which no assignment is without parentheses: in
/// `EACH(i, n) *p += i`, the macro may be the head of a loop and `*p` what is assigned to.
fn is_misread(node: Node<'_>) -> bool {
    node.kind() == "assignment_expression"
        && node
            .parent()
            .is_some_and(|parent| parent.kind() == "binary_expression")
}

/// Hook: an assignment, `++` or `--`.
pub(crate) fn write<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) || !is_evaluated(rewriter, node) {
        return;
    }
    if is_misread(node) {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let update = node.kind() == "update_expression";
    let field = if update { "argument" } else { "left" };
    let Some(target) = node.child_by_field_name(field) else {
        return;
    };
    let target = inside_parentheses(target);
    let prefix = update
        && node
            .child_by_field_name("operator")
            .is_some_and(|operator| operator.start_byte() == node.start_byte());
    let plain = is_name(rewriter, target);
    let text = rewriter.text(target).into_owned();
    let raw = is_raw_memory(rewriter, node.child_by_field_name("right"));
    let list = node
        .child_by_field_name("right")
        .is_some_and(|right| right.kind() == "initializer_list");
    // `(mark, target = value)`: what the assignment gives is the target.
    let marked = |rewriter: &mut Rewriter<'a>, site: u32| {
        if update && !prefix {
            if !is_path(rewriter, target) || is_bit_field(rewriter, target) {
                return false;
            }
            rewriter.wrap(node, format!("(_tr_c({site}u,{text}),"), ")");
        } else {
            if is_bit_field(rewriter, target) || text.contains("this->") && plain {
                return false;
            }
            rewriter.wrap(node, format!("(_tr_n({site}u),"), ")");
        }
        true
    };
    match usage(node) {
        Use::Statement(statement) => {
            if !takes_statement(rewriter, statement) || !is_readable(rewriter, statement) {
                return;
            }
            if !plain && (is_bit_field(rewriter, target) || raw) {
                rewriter.drop_probe(node, "unsupported");
                return;
            }
            let site = var(rewriter, node, target);
            if plain || list && is_path(rewriter, target) {
                steps::absorb(rewriter, statement, site);
                rewriter.close(statement, format!("{};", capture(site, &text, raw)));
            } else if !marked(rewriter, site) {
                return;
            }
            chain_next(rewriter, statement, site);
        }
        Use::Dropped if plain => {
            let site = var(rewriter, node, target);
            // `(a += b, …)` begins like a fold expression.
            let (open, close) = if update { ("(", "") } else { ("((", ")") };
            rewriter.wrap(
                node,
                open,
                format!("{close},{})", capture(site, &text, raw)),
            );
        }
        Use::Dropped => {
            let site = var(rewriter, node, target);
            marked(rewriter, site);
        }
        Use::Value => match conflict(rewriter, node, target) {
            Conflict::None => {
                let site = var(rewriter, node, target);
                marked(rewriter, site);
            }
            Conflict::Statement(statement) if plain => {
                let site = var(rewriter, node, target);
                rewriter.close(statement, format!("{};", capture(site, &text, raw)));
            }
            Conflict::Statement(_) | Conflict::Expression => {
                rewriter.drop_probe(node, "unsequenced");
            }
        },
    }
}

/// Whether the order of a write and other uses of the variable in its full expression is open: a
/// probe in between could settle it in another way than the compiler would.
enum Conflict<'a> {
    None,
    /// The full expression is this statement.
    Statement(Node<'a>),
    Expression,
}

fn conflict<'a>(rewriter: &Rewriter<'a>, node: Node<'a>, target: Node<'a>) -> Conflict<'a> {
    let variable = root_variable(target);
    if variable.kind() != "identifier" {
        return Conflict::None;
    }
    let name = rewriter.text(variable);
    let mut inner = node;
    while let Some(outer) = inner.parent() {
        match outer.kind() {
            "expression_statement" | "declaration" | "return_statement" => break,
            kind if kind.ends_with("_statement") || kind.ends_with("_clause") => break,
            _ => {}
        }
        let sequenced = match outer.kind() {
            "comma_expression"
            | "conditional_expression"
            | "lambda_expression"
            | "for_range_loop" => true,
            "binary_expression" => outer
                .child_by_field_name("operator")
                .is_some_and(|operator| matches!(operator.kind(), "&&" | "||" | "<<" | ">>")),
            _ => false,
        };
        let mut cursor = outer.walk();
        if !sequenced
            && outer
                .named_children(&mut cursor)
                .any(|child| child.id() != inner.id() && mentions(rewriter, child, &name))
        {
            let mut statement = Some(outer);
            while let Some(at) = statement {
                if at.kind() == "expression_statement" && !is_result(at) {
                    return Conflict::Statement(at);
                }
                if at.kind().ends_with("_statement") || at.kind() == "declaration" {
                    break;
                }
                statement = at.parent();
            }
            return Conflict::Expression;
        }
        inner = outer;
    }
    Conflict::None
}

fn mentions(rewriter: &Rewriter<'_>, node: Node<'_>, name: &str) -> bool {
    if node.kind() == "identifier" {
        return rewriter.text(node) == name;
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| mentions(rewriter, child, name))
}
