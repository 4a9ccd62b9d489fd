//! `VAR`: what declarations, assignments, `++` and `--` wrote.
//!
//! A plain variable is read back after the statement. Anything else reports the value of the
//! assignment itself: reading `a[i]` or `p->next->next` again could mean another place by then.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::capture::{Into, Reach, capture, reach_of};
use crate::context::{
    FileFacts, declared_name, following, inside_parentheses, is_evaluated, is_readable, is_result,
    takes_statement,
};
use crate::steps;

fn var<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, target: Node<'a>) -> u32 {
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

/// Hook: a declaration with initialisers.
pub(crate) fn declared<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) || !steps::declares_at_run_time(rewriter, node) {
        return;
    }
    let in_for = node
        .parent()
        .is_some_and(|parent| parent.kind() == "for_statement");
    if !in_for && !takes_statement(rewriter, node) {
        return;
    }
    let mut cursor = node.walk();
    if in_for
        && node
            .children(&mut cursor)
            .any(|child| child.kind().starts_with("attribute"))
    {
        // A further declarator would get the attribute too, `cleanup` for instance.
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let declarators: Vec<Node<'a>> = node
        .named_children(&mut cursor)
        .filter(|child| child.kind() == "init_declarator")
        .collect();
    let mut probes = String::new();
    let mut last = None;
    for declarator in declarators {
        let Some(name) = declarator
            .child_by_field_name("declarator")
            .and_then(declared_name)
        else {
            continue;
        };
        let site = var(rewriter, declarator, name);
        let text = rewriter.text(name).into_owned();
        let facts = FileFacts::of(rewriter);
        let type_ = facts.types.variable(&text, declarator.end_byte() - 1);
        let reach = reach_of(rewriter, declarator.child_by_field_name("value"));
        let at = declarator.end_byte() - 1;
        let probe = capture(rewriter, Into::Var(site), &text, type_.as_ref(), reach, at);
        if in_for {
            let _ = write!(probes, ",*_tr_x{site}=({probe},(void*)0)");
        } else {
            let _ = write!(probes, "{probe};");
        }
        if last.is_none() && !in_for {
            steps::absorb(rewriter, node, site);
        }
        last = Some(site);
    }
    if in_for {
        // Before the `;` that belongs to the declaration.
        let extent = node.end_byte() - node.start_byte();
        rewriter.close_at(node.end_byte() - 1, extent, probes);
    } else {
        rewriter.close(node, probes);
        if let Some(site) = last {
            chain_next(rewriter, node, site);
        }
    }
}

/// Whether a target can be read again right after it was written: a variable, or a field of one.
fn is_plain(target: Node<'_>) -> bool {
    match target.kind() {
        "identifier" => true,
        "field_expression" => {
            target
                .child_by_field_name("operator")
                .is_some_and(|operator| operator.kind() == ".")
                && target.child_by_field_name("argument").is_some_and(is_plain)
        }
        "parenthesized_expression" => is_plain(inside_parentheses(target)),
        _ => false,
    }
}

/// The variable that a plain target belongs to.
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
    let step = if update && rewriter.text(node).contains("++") {
        "+1"
    } else {
        "-1"
    };
    let facts = FileFacts::of(rewriter);
    let type_ = facts.types.of_expression(rewriter, target);
    let reach = if update || rewriter.text(node).contains("+=") {
        Reach::Objects
    } else {
        reach_of(rewriter, node.child_by_field_name("right"))
    };
    let at = node.start_byte();
    // The value of the write itself, which `_tr_x` holds; of `i++` it holds the old one.
    let own = type_.clone().map(|(type_, _)| (type_, prefix || !update));
    let own_value = |rewriter: &mut Rewriter<'a>, site: u32| {
        let value = if update && !prefix {
            format!("(__typeof__(_tr_x))(_tr_x{step})")
        } else {
            "_tr_x".to_owned()
        };
        capture(rewriter, Into::Var(site), &value, own.as_ref(), reach, at)
    };
    let plain = is_plain(target);
    let text = rewriter.text(target).into_owned();
    match usage(node) {
        Use::Statement(statement) => {
            if !takes_statement(rewriter, statement) || !is_readable(rewriter, statement) {
                return;
            }
            let site = var(rewriter, node, target);
            if plain {
                steps::absorb(rewriter, statement, site);
                let probe = capture(rewriter, Into::Var(site), &text, type_.as_ref(), reach, at);
                rewriter.close(statement, format!("{probe};"));
            } else {
                let extent = node.end_byte() - node.start_byte();
                rewriter.open(node, "{__auto_type _tr_x=(");
                rewriter.close_at(node.end_byte(), extent, ")");
                let probe = own_value(rewriter, site);
                rewriter.close(statement, format!("{probe};}}"));
            }
            chain_next(rewriter, statement, site);
        }
        Use::Dropped if plain => {
            let site = var(rewriter, node, target);
            let probe = capture(rewriter, Into::Var(site), &text, type_.as_ref(), reach, at);
            rewriter.wrap(node, "(", format!(",{probe})"));
        }
        Use::Dropped => {
            let site = var(rewriter, node, target);
            let probe = own_value(rewriter, site);
            rewriter.wrap(node, "({__auto_type _tr_x=(", format!(");{probe};}})"));
        }
        Use::Value => match conflict(rewriter, node, target) {
            Conflict::None => {
                let site = var(rewriter, node, target);
                let probe = own_value(rewriter, site);
                rewriter.wrap(
                    node,
                    "({__auto_type _tr_x=(",
                    format!(");{probe};_tr_x;}})"),
                );
            }
            Conflict::Statement(statement) if plain => {
                let site = var(rewriter, node, target);
                let probe = capture(rewriter, Into::Var(site), &text, type_.as_ref(), reach, at);
                rewriter.close(statement, format!("{probe};"));
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
            kind if kind.ends_with("_statement") => break,
            _ => {}
        }
        let sequenced = match outer.kind() {
            "comma_expression" | "conditional_expression" => true,
            "binary_expression" => outer
                .child_by_field_name("operator")
                .is_some_and(|operator| matches!(operator.kind(), "&&" | "||")),
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
