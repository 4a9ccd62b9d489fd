//! `IN` and `OUT`: functions entered and left, and what `setjmp` does to the depth of calls.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind};

use crate::capture::{Into, Reach, capture, reach_of};
use crate::context::{self, FileFacts, is_evaluated};
use crate::definition::Definition;
use crate::steps;
use crate::types::Type;

/// Calls that may return a second time.
const SETJMP: &[&str] = &[
    "setjmp",
    "_setjmp",
    "sigsetjmp",
    "__sigsetjmp",
    "__builtin_setjmp",
];

/// Calls that make a thread or a process.
const MAKES_TASKS: &[&str] = &["fork", "pthread_create", "thrd_create"];

/// Whether `return` with a value occurs in a function, not counting nested ones.
fn returns_value(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| match child.kind() {
            "return_statement" => child.named_child_count() > 0,
            "function_definition" => false,
            _ => returns_value(child),
        })
}

/// Hook: names the type of a function's result, for its returns.
pub(crate) fn frame<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>) {
    let Some(function) = Definition::of(rewriter, body) else {
        return;
    };
    if !function.has_result_type() || !returns_value(body) {
        return;
    }
    let arguments: Vec<String> = function.parameters.into_iter().flatten().collect();
    let text = format!("_tr_Y(({})({}));", function.name, arguments.join(","));
    context::open_body(rewriter, body, &text);
}

/// Hook: a function's body.
pub(crate) fn function<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>) {
    let Some(function) = Definition::of(rewriter, body) else {
        return;
    };
    let name = function.name.clone();
    let node = match body.parent() {
        Some(parent) if parent.kind() == "function_definition" => parent,
        _ => body,
    };
    rewriter.enter_function(node, body, &name, ".", FunctionKind::Function);
    let names: Vec<String> = function.parameters.iter().flatten().cloned().collect();
    let site = rewriter.site(Kind::In, node);
    let mut text = String::new();
    if name == "main" && FileFacts::of(rewriter).watch_output {
        text.push_str("_tr_pw();");
    }
    let _ = write!(text, "_tr_in({site}u,{}u)&&(", names.len());
    let facts = FileFacts::of(rewriter);
    for name in &names {
        let type_ = facts.types.variable(name, body.start_byte() + 1);
        let at = body.start_byte();
        let captured = capture(rewriter, Into::Record, name, type_.as_ref(), Reach::All, at);
        text.push_str(&captured);
        text.push(',');
    }
    text.push_str("_tr_z(),0);");
    rewriter.set_names(site, names);
    context::open_body(rewriter, body, &text);
    if let Some(first) = context::first_statement(rewriter, body)
        && let Some(step) = steps::imply(rewriter, first)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
    if ends_in_return(body) {
        return;
    }
    let out = rewriter.site(Kind::Out, node);
    // What a `void main` ends with is its exit status, so the register has to be kept.
    let text = match name.as_str() {
        "main" => format!("_tr_keep(_tr_om({out}u));"),
        _ => format!("_tr_o({out}u);"),
    };
    rewriter.open_at(body.end_byte() - 1, 0, text);
}

fn ends_in_return(body: Node<'_>) -> bool {
    let mut cursor = body.walk();
    body.named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .last()
        .is_some_and(|last| last.kind() == "return_statement")
}

/// Hook: `return`.
pub(crate) fn leave<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(function) = Definition::around(rewriter, node) else {
        return;
    };
    if !context::takes_statement(rewriter, node) {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let site = rewriter.site(Kind::Out, node);
    steps::absorb(rewriter, node, site);
    let mut cursor = node.walk();
    let value = node
        .named_children(&mut cursor)
        .find(|child| child.kind() != "comment");
    let output = crate::output::may_print(rewriter, node);
    let output = if output { "_tr_p();" } else { "" };
    match value {
        None => rewriter.open(node, format!("_tr_o({site}u);")),
        Some(value) if function.void => {
            rewriter.wrap(value, "(", format!(",_tr_o({site}u))"));
        }
        Some(value) => {
            let facts = FileFacts::of(rewriter);
            let type_ = facts
                .types
                .variable(&function.name, value.start_byte())
                .and_then(|(type_, _)| match type_.resolved() {
                    Type::Function(result) => Some(((**result).clone(), true)),
                    _ => None,
                });
            let at = value.start_byte();
            let reach = reach_of(rewriter, Some(value));
            let captured = capture(rewriter, Into::Record, "_tr_x", type_.as_ref(), reach, at);
            let declared = if function.has_result_type() {
                "_tr_R"
            } else {
                "__auto_type"
            };
            rewriter.wrap(
                value,
                format!("({{{declared} _tr_x=("),
                format!(");{output}_tr_on({site}u)&&({captured},_tr_z(),0);_tr_x;}})"),
            );
        }
    }
}

/// Hook: a call. After `setjmp` returned again, the calls in between are gone. At full detail,
/// what a library function gave.
pub(crate) fn call<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(callee) = node.child_by_field_name("function") else {
        return;
    };
    if callee.kind() != "identifier" {
        return;
    }
    let name = rewriter.text(callee).into_owned();
    if SETJMP.contains(&&*name) {
        if is_evaluated(rewriter, node) {
            let after = ";_tr_dr(_tr_y);_tr_x;})";
            rewriter.wrap(node, "({unsigned _tr_y=_tr_dg();int _tr_x=", after);
        }
        return;
    }
    if MAKES_TASKS.contains(&&*name) {
        announce_task(rewriter, node);
        return;
    }
    if crate::library::call(rewriter, node, &name) {
        return;
    }
    let facts = FileFacts::of(rewriter);
    let known = facts.functions.contains(&name) || facts.may_be_macro(&name);
    if !rewriter.wants(Detail::Full) || known || !is_used(node) || !is_evaluated(rewriter, node) {
        return;
    }
    let site = rewriter.site(Kind::Var, node);
    let label = rewriter.label(node);
    rewriter.set_names(site, [label]);
    rewriter.site_mut(site).expression = true;
    let after = format!(");_tr_v({site}u,_tr_x);_tr_x;}})");
    rewriter.wrap(node, "({__auto_type _tr_x=(", after);
}

/// Says where a task is made, in front of the statement that makes it.
fn announce_task<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let mut statement = node;
    while !statement.kind().ends_with("_statement") && statement.kind() != "declaration" {
        match statement.parent() {
            Some(parent) => statement = parent,
            None => return,
        }
    }
    let stands_in_head = matches!(
        statement.kind(),
        "for_statement" | "while_statement" | "do_statement"
    );
    if !stands_in_head && context::takes_statement(rewriter, statement) {
        let site = rewriter.site(Kind::Task, node);
        rewriter.open(statement, format!("_tr_at({site}u);"));
    }
}

/// Whether something is done with a call's value, so that it has one.
fn is_used(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| {
        matches!(
            parent.kind(),
            "binary_expression"
                | "init_declarator"
                | "assignment_expression"
                | "unary_expression"
                | "subscript_expression"
                | "field_expression"
        )
    })
}
