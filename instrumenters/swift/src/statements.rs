//! `STEP`: a statement is about to run; and `STDOUT` behind what may have written.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::bodies::{self, Body};
use crate::facts::Facts;
use crate::syntax::{self, child, children, statements_of};

const ROLE: &str = "step";

/// The extent of what goes in front of everything else at its offset.
pub(crate) const OUTERMOST: usize = 1 << 30;

/// Functions of the library that write.
const WRITERS: &[&str] = &[
    "print",
    "debugPrint",
    "dump",
    "fputs",
    "puts",
    "printf",
    "vprintf",
    "fwrite",
    "putchar",
    "putc",
    "fputc",
    "write",
    "NSLog",
    "fflush",
];

/// Whether the file's top level is code.
pub(crate) fn is_script(rewriter: &mut Rewriter<'_>) -> bool {
    Facts::of(rewriter).script
}

/// Hook: a child of a block or of the file.
pub(crate) fn statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !takes_probe(rewriter, node) {
        return;
    }
    if rewriter.wants(Detail::Lines) && has_step(node) && rewriter.known_site(node, ROLE).is_none()
    {
        let site = rewriter.site_of(Kind::Step, node, ROLE);
        open_before(rewriter, node, format!("_tr_s({site}); "));
    }
    if rewriter.wants(Detail::Calls) && writes(rewriter, node) {
        rewriter.close_at(node.end_byte(), 0, "; _tr_p()");
    }
}

/// Lets another event, which comes right before this statement, tell of its step.
pub(crate) fn imply<'a>(rewriter: &mut Rewriter<'a>, statement: Node<'a>) -> Option<u32> {
    let tells = rewriter.wants(Detail::Lines) && has_step(statement);
    tells.then(|| rewriter.site_of(Kind::Step, statement, ROLE))
}

fn has_step(node: Node<'_>) -> bool {
    !syntax::only_declares(node)
        && !node.is_extra()
        && !node.is_error()
        && (node.kind() != "property_declaration" || node.child_by_field_name("value").is_some())
}

/// Inserts in front of a statement and of the label it may have.
pub(crate) fn open_before<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, text: String) {
    let label = node
        .prev_named_sibling()
        .filter(|label| label.kind() == "statement_label");
    let start = label.map_or(node.start_byte(), |label| label.start_byte());
    rewriter.open_at(start, node.end_byte() - start, text);
}

/// Whether another statement can stand beside this one.
pub(crate) fn takes_probe(rewriter: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    let Some(block) = rewriter.parent(node) else {
        return false;
    };
    match block.kind() {
        "source_file" => is_script(rewriter),
        "statements" => {
            if is_value_branch(rewriter, block) {
                return false;
            }
            let Some(owner) = rewriter.parent(block) else {
                return false;
            };
            if bodies::is_function(owner) || owner.kind() == "function_body" {
                let function = match owner.kind() {
                    "function_body" => rewriter.parent(owner),
                    _ => Some(owner),
                };
                let body = function.and_then(|function| Body::of(rewriter, function));
                if let Some(body) = body {
                    let only = body.only();
                    let choice = body.is_choice() && only.is_some_and(choice_is_value);
                    if body.value(rewriter).is_some() || choice {
                        return false;
                    }
                }
            }
            !in_builder(rewriter, block)
        }
        _ => false,
    }
}

/// Whether a block is an arm of an `if` or `switch` that is used as a value.
fn is_value_branch(rewriter: &Rewriter<'_>, block: Node<'_>) -> bool {
    let Some(mut owner) = rewriter.parent(block) else {
        return false;
    };
    if owner.kind() == "switch_entry" {
        let Some(switch) = rewriter.parent(owner) else {
            return false;
        };
        owner = switch;
    } else if owner.kind() != "if_statement" {
        return false;
    }
    is_value_choice(rewriter, owner)
}

/// Whether an `if` or `switch` is used as a value.
pub(crate) fn is_value_choice(rewriter: &Rewriter<'_>, choice: Node<'_>) -> bool {
    let mut top = choice;
    loop {
        let Some(parent) = rewriter.parent(top) else {
            return false;
        };
        match parent.kind() {
            "if_statement" => top = parent,
            "source_file" => return false,
            "statements" => {
                // An arm may hold another choice.
                if choice_is_value(top) && is_value_branch(rewriter, parent) {
                    return true;
                }
                let owner = rewriter.parent(parent);
                let function = owner.and_then(|owner| match owner.kind() {
                    "function_body" => rewriter.parent(owner),
                    _ => Some(owner),
                });
                let body = function
                    .filter(|function| bodies::is_function(*function))
                    .and_then(|function| Body::of(rewriter, function));
                return body.is_some_and(|body| {
                    body.is_choice() && body.only() == Some(top) && choice_is_value(top)
                });
            }
            _ => return true,
        }
    }
}

/// Whether the first arm of an `if` or `switch` is one expression: then all are, if it is a value.
pub(crate) fn choice_is_value(node: Node<'_>) -> bool {
    let arm = match node.kind() {
        "if_statement" => {
            if child(node, "else").is_none() {
                return false;
            }
            child(node, "statements")
        }
        "switch_statement" => {
            child(node, "switch_entry").and_then(|entry| child(entry, "statements"))
        }
        _ => None,
    };
    let Some(statements) = arm.map(statements_of) else {
        return false;
    };
    let [only] = statements[..] else { return false };
    match only.kind() {
        "if_statement" | "switch_statement" => choice_is_value(only),
        "control_transfer_statement"
        | "assignment"
        | "property_declaration"
        | "for_statement"
        | "while_statement"
        | "repeat_while_statement"
        | "do_statement"
        | "guard_statement" => false,
        _ => true,
    }
}

/// Whether a function's body is taken by a result builder.
pub(crate) fn is_built(rewriter: &mut Rewriter<'_>, function: Node<'_>) -> bool {
    if !Facts::of(rewriter).builders {
        return false;
    }
    let mut at = Some(function);
    for _ in 0..3 {
        let Some(node) = at else { return false };
        let modifiers = child(node, "modifiers");
        if modifiers.is_some_and(|inner| rewriter.text(inner).contains("Builder")) {
            return true;
        }
        at = match node.kind() {
            "computed_getter" | "computed_property" => rewriter.parent(node),
            _ => None,
        };
    }
    false
}

fn in_builder(rewriter: &mut Rewriter<'_>, block: Node<'_>) -> bool {
    if !Facts::of(rewriter).builders {
        return false;
    }
    let body = Body::around(rewriter, block).map(|body| body.whole.id());
    let mut at = rewriter.parent(block);
    while let Some(node) = at {
        if Some(node.id()) == body {
            return is_built(rewriter, node);
        }
        at = rewriter.parent(node);
    }
    false
}

/// Whether a statement calls something that may write.
fn writes(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    if matches!(
        node.kind(),
        "if_statement"
            | "for_statement"
            | "while_statement"
            | "repeat_while_statement"
            | "switch_statement"
            | "guard_statement"
            | "do_statement"
            | "control_transfer_statement"
    ) || syntax::only_declares(node)
        || syntax::is_keyword_statement(rewriter, node)
    {
        return false;
    }
    calls_writer(rewriter, node)
}

fn calls_writer(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    let named = node.kind() == "call_expression"
        && node.named_child(0).is_some_and(|callee| {
            let text = rewriter.text(callee);
            WRITERS.contains(&&*text) || text.starts_with("FileHandle.standard")
        });
    named
        || children(node)
            .into_iter()
            .any(|inner| calls_writer(rewriter, inner))
}
