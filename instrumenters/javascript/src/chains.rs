//! Which statement is certain to begin right after an event, so that it needs no probe of its own.
//!
//! Only where nothing can come between: not behind a condition, whose left-out visits would not
//! tell the arms apart.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Detail;
use tracer_model::Kind;

use crate::statements::{exports_code, in_prologue};
use crate::syntax::{declares_types, is_declaration, is_list};

/// Whether a statement has a site for its beginning.
pub(crate) fn is_stepped(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    if !r.wants(Detail::Lines) || r.is_broken(node) || r.is_opaque(node) {
        return false;
    }
    let Some(parent) = node.parent() else {
        return false;
    };
    match node.kind() {
        "export_statement" => exports_code(node),
        "expression_statement"
        | "variable_declaration"
        | "lexical_declaration"
        | "using_declaration"
        | "if_statement"
        | "switch_statement"
        | "for_statement"
        | "for_in_statement"
        | "while_statement"
        | "do_statement"
        | "try_statement"
        | "with_statement"
        | "break_statement"
        | "continue_statement"
        | "return_statement"
        | "throw_statement"
        | "labeled_statement"
        | "class_declaration"
        | "abstract_class_declaration"
        | "enum_declaration"
        | "debugger_statement" => {
            !in_prologue(node)
                && !declares_types(node)
                && (!is_declaration(node.kind()) || is_list(parent.kind()))
                && parent.child_by_field_name("value") != Some(node)
        }
        _ => false,
    }
}

fn is_passed_over(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "comment"
            | "hash_bang_line"
            | "function_declaration"
            | "generator_function_declaration"
            | "empty_statement"
            | "import_statement"
            | "interface_declaration"
            | "type_alias_declaration"
            | "ambient_declaration"
            | "function_signature"
    ) || (in_prologue(node) && !r.is_broken(node))
}

fn sites<'a>(r: &mut Rewriter<'a>, statement: Option<Node<'a>>) -> Vec<u32> {
    match statement {
        Some(statement) if is_stepped(r, statement) => {
            vec![r.site_of(Kind::Step, statement, "step")]
        }
        _ => Vec::new(),
    }
}

/// The first statement of a body.
pub(crate) fn first_of<'a>(r: &mut Rewriter<'a>, body: Node<'a>) -> Vec<u32> {
    if body.kind() != "statement_block" {
        let is_statement = is_stepped(r, body);
        return sites(r, Some(body).filter(|_| is_statement));
    }
    let mut cursor = body.walk();
    let first = body
        .named_children(&mut cursor)
        .find(|child| !is_passed_over(r, *child));
    sites(r, first)
}

/// The statement behind one of a list.
pub(crate) fn next_of<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Vec<u32> {
    if !statement
        .parent()
        .is_some_and(|parent| is_list(parent.kind()))
    {
        return Vec::new();
    }
    let mut next = statement.next_named_sibling();
    while let Some(sibling) = next.filter(|sibling| is_passed_over(r, *sibling)) {
        next = sibling.next_named_sibling();
    }
    sites(r, next)
}

/// Chains what follows a statement to the site of a write that is the last thing it does.
pub(crate) fn follow_write<'a>(r: &mut Rewriter<'a>, write: Node<'a>, site: u32) {
    let Some(mut statement) = write.parent() else {
        return;
    };
    match statement.kind() {
        "expression_statement" => {}
        "lexical_declaration" | "variable_declaration" => {
            let mut cursor = statement.walk();
            let declarators = statement
                .named_children(&mut cursor)
                .filter(|child| child.kind() == "variable_declarator")
                .count();
            if declarators != 1 {
                return;
            }
            if let Some(export) = statement
                .parent()
                .filter(|parent| parent.kind() == "export_statement")
            {
                statement = export;
            }
        }
        _ => return,
    }
    let next = next_of(r, statement);
    r.site_mut(site).chain.after = next;
}
