//! `VAR`: what was written. An assignment's value has the type of its target, and goes through a
//! call of one overload a type.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::loops;
use crate::steps;
use crate::syntax::{parts, takes_statement};

/// Hook: local variables with a first value.
pub(crate) fn declared<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) || !takes_statement(r, node) {
        return;
    }
    let mut text = String::new();
    let mut last = 0;
    for part in parts(node) {
        let name = part
            .child_by_field_name("name")
            .filter(|name| name.kind() == "identifier");
        let value = part.child_by_field_name("value");
        let (Some(name), Some(_)) = (name, value) else {
            continue;
        };
        if part.kind() != "variable_declarator" {
            continue;
        }
        let name = r.text(name).into_owned();
        last = r.site(Kind::Var, part);
        text.push_str(&format!("trc$.V.v({last},{name});"));
        r.set_names(last, [name]);
        steps::absorb(r, node, last);
    }
    if last != 0 {
        r.close(node, text);
        let next = steps::follow(r, node);
        r.site_mut(last).chain.after = next;
    }
}

/// Where a write stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is a statement.
    Statement,
    /// Its value is used, or may be.
    Value,
    /// What is done with it names its source in messages, or it is told otherwise.
    Hidden,
}

fn place<'a>(r: &mut Rewriter<'a>, node: Node<'a>, target: &str) -> Place {
    let mut at = node;
    while let Some(parent) = r.parent(at) {
        return match parent.kind() {
            "parenthesized_expression" => {
                at = parent;
                continue;
            }
            "expression_statement" if at == node => match r.parent(parent) {
                Some(rule) if rule.kind() == "switch_rule" && !takes_statement(r, parent) => {
                    Place::Value
                }
                _ => Place::Statement,
            },
            "for_statement" if at == node => {
                let known = loops::targets(r, parent).iter().any(|name| name == target);
                if known {
                    Place::Hidden
                } else {
                    Place::Statement
                }
            }
            // The JVM says what was null there by the instruction that gave it.
            "field_access"
            | "method_invocation"
            | "array_access"
            | "throw_statement"
            | "synchronized_statement"
            | "enhanced_for_statement" => {
                let receiver = ["object", "array", "value"]
                    .iter()
                    .any(|field| parent.child_by_field_name(field) == Some(at));
                if receiver || parent.kind().ends_with("_statement") {
                    Place::Hidden
                } else {
                    Place::Value
                }
            }
            _ => Place::Value,
        };
    }
    Place::Hidden
}

/// Hook: an assignment.
pub(crate) fn assignment<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(target) = node.child_by_field_name("left") else {
        return;
    };
    if !r.wants(Detail::State) {
        return;
    }
    let name = r.label(target);
    let call = match place(r, node, &name) {
        Place::Statement => "v",
        Place::Value => "w",
        Place::Hidden => return,
    };
    let site = written(r, node, name);
    r.wrap(node, format!("trc$.V.{call}({site},"), ")");
    chain(r, node, site);
}

/// Hook: `++` and `--`.
pub(crate) fn update<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(target) = parts(node).into_iter().next() else {
        return;
    };
    if !r.wants(Detail::State) {
        return;
    }
    let name = r.label(target);
    let found = place(r, node, &name);
    if found == Place::Hidden {
        return;
    }
    let operator = node.child(0).filter(|first| !first.is_named());
    let call = match operator {
        Some(_) if found == Place::Statement => "v",
        Some(_) => "w",
        None if r.source[node.start_byte()..node.end_byte()].ends_with(b"++") => "up",
        None => "down",
    };
    let site = written(r, node, name);
    r.wrap(node, format!("trc$.V.{call}({site},"), ")");
    chain(r, node, site);
}

fn written<'a>(r: &mut Rewriter<'a>, node: Node<'a>, name: String) -> u32 {
    let site = r.site(Kind::Var, node);
    r.set_names(site, [name]);
    site
}

/// Lets the write tell of the steps around it, where it is all that its statement does.
fn chain<'a>(r: &mut Rewriter<'a>, node: Node<'a>, site: u32) {
    let Some(statement) = r
        .parent(node)
        .filter(|parent| parent.kind() == "expression_statement")
    else {
        return;
    };
    steps::absorb(r, statement, site);
    let next = steps::follow(r, statement);
    r.site_mut(site).chain.after = next;
}
