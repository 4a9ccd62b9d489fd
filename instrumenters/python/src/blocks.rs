//! Blocks: which statements report a step, where a block's head is, and what follows what.
//!
//! A step that is certain to follow another event is chained to it and needs no probe.

use std::borrow::Cow;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

/// Extent of what is inserted at the head of a block: before anything else there, in the order of
/// creation, which is outermost first.
const HEAD: usize = 3_000_000_000;
/// Extent of what is inserted in front of a simple statement.
pub(crate) const PREFIX: usize = 2_000_000_000;

/// What goes to the head of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Lifted before the statement that owns the block.
    Before,
    /// Names what is to be reported behind that statement.
    Behind,
    /// Stays.
    Head,
}

/// The statements of a block or module.
pub(crate) fn statements(block: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = block.walk();
    block
        .named_children(&mut cursor)
        .filter(|node| !node.is_extra() && !node.is_error() && !node.is_missing())
        .filter(|node| node.kind() != "comment" && node.kind() != "line_continuation")
        .collect()
}

/// A statement that is nothing but a plain string.
pub(crate) fn is_text(r: &Rewriter<'_>, statement: Node<'_>) -> bool {
    if statement.kind() != "expression_statement" || statement.named_child_count() != 1 {
        return false;
    }
    let Some(string) = statement.named_child(0) else {
        return false;
    };
    match string.kind() {
        "string" => is_plain(r, string),
        "concatenated_string" => {
            let mut cursor = string.walk();
            string
                .named_children(&mut cursor)
                .all(|part| is_plain(r, part))
        }
        _ => false,
    }
}

fn is_plain(r: &Rewriter<'_>, string: Node<'_>) -> bool {
    let text = r.source[string.start_byte()..string.end_byte()].iter();
    string.kind() != "string"
        || !text
            .take_while(|byte| !matches!(byte, b'"' | b'\''))
            .any(|byte| matches!(byte.to_ascii_lowercase(), b'f' | b'b' | b't'))
}

/// A statement that is nothing but a constant: the compiler leaves it out.
fn is_constant(statement: Node<'_>) -> bool {
    statement.kind() == "expression_statement"
        && statement.named_child_count() == 1
        && statement.named_child(0).is_some_and(|value| {
            matches!(
                value.kind(),
                "ellipsis" | "integer" | "float" | "none" | "true" | "false"
            )
        })
}

/// Whether evaluating the expression may run code of the program, so that events come before the
/// expression's own.
pub(crate) fn may_call(r: &mut Rewriter<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "call" | "await" | "yield" | "named_expression" => true,
        "lambda" => false,
        "comparison_operator"
        | "binary_operator"
        | "unary_operator"
        | "subscript"
        | "attribute"
        | "identifier"
            if overloads(r) =>
        {
            true
        }
        _ => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .any(|child| may_call(r, child))
        }
    }
}

/// Whether the file defines operators or properties of its own.
struct Overloads(bool);

fn overloads(r: &mut Rewriter<'_>) -> bool {
    const PLAIN: &[&str] = &[
        "init__",
        "repr__",
        "str__",
        "new__",
        "iter__",
        "next__",
        "enter__",
        "exit__",
        "call__",
        "hash__",
        "post_init__",
        "init_subclass__",
        "del__",
        "main__",
        "format__",
    ];
    r.memo(|r| {
        let text = String::from_utf8_lossy(r.source);
        let defines = text.match_indices("def __").any(|(at, found)| {
            !PLAIN
                .iter()
                .any(|name| text[at + found.len()..].starts_with(name))
        });
        Overloads(defines || text.contains("@property"))
    })
    .0
}

/// A `while` whose condition runs code tells its step each time, ahead of the condition.
pub(crate) fn steps_in_header(r: &mut Rewriter<'_>, statement: Node<'_>) -> bool {
    statement.kind() == "while_statement"
        && statement
            .child_by_field_name("condition")
            .is_some_and(|condition| may_call(r, condition))
}

/// Whether reaching the statement is an event.
pub(crate) fn steps(r: &Rewriter<'_>, statement: Node<'_>) -> bool {
    !matches!(
        statement.kind(),
        "global_statement"
            | "nonlocal_statement"
            | "future_import_statement"
            | "print_statement"
            | "exec_statement"
    ) && !is_text(r, statement)
        && !is_constant(statement)
        && !r.is_broken(statement)
}

/// The step's site, made on first use.
pub(crate) fn step_site<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> u32 {
    r.site_of(Kind::Step, statement, "step")
}

/// Sites of the steps that follow at once from the `index`th statement on.
pub(crate) fn follow<'a>(r: &mut Rewriter<'a>, block: &[Node<'a>], index: usize) -> Vec<u32> {
    let mut chain = Vec::new();
    if !r.wants(Detail::Lines) {
        return chain;
    }
    let mut block = Cow::Borrowed(block);
    let mut index = index;
    while let Some(&statement) = block.get(index) {
        if r.is_broken(statement) || r.is_opaque(statement) {
            break;
        }
        if !steps(r, statement) {
            index += 1;
            continue;
        }
        if r.known_site(statement, "step").is_some() || steps_in_header(r, statement) {
            break;
        }
        chain.push(step_site(r, statement));
        match statement.kind() {
            "pass_statement" => index += 1,
            "try_statement" => {
                let Some(body) = statement.child_by_field_name("body") else {
                    break;
                };
                block = Cow::Owned(statements(body));
                index = 0;
            }
            _ => break,
        }
    }
    chain
}

/// Sites of the steps that follow at once behind a statement.
pub(crate) fn follow_next<'a>(r: &mut Rewriter<'a>, statement: Node<'a>) -> Vec<u32> {
    let whole = whole(r, statement);
    let Some(parent) = r.parent(whole) else {
        return Vec::new();
    };
    if !matches!(parent.kind(), "block" | "module") {
        return Vec::new();
    }
    let block = r.children(parent);
    let Some(at) = block.place(whole) else {
        return Vec::new();
    };
    follow(r, &block.nodes, at + 1)
}

/// The decorated definition that a definition is part of, or the node itself.
pub(crate) fn whole<'a>(r: &Rewriter<'a>, statement: Node<'a>) -> Node<'a> {
    r.parent(statement)
        .filter(|parent| parent.kind() == "decorated_definition")
        .unwrap_or(statement)
}

/// Sites of the steps at the start of a block.
pub(crate) fn follow_block<'a>(r: &mut Rewriter<'a>, block: Node<'a>) -> Vec<u32> {
    let block = statements(block);
    follow(r, &block, 0)
}

/// Whether control never falls off the block's end.
pub(crate) fn terminates(block: Node<'_>) -> bool {
    statements(block).last().is_some_and(|last| {
        matches!(
            last.kind(),
            "return_statement" | "raise_statement" | "break_statement" | "continue_statement"
        )
    })
}

/// Inserts one expression at the head of a block, behind a docstring if there may be one. Where a
/// compound statement comes first it goes, marked once more, into that one's own first block; the
/// completion pass lifts it. False if there is no statement to hold it.
pub(crate) fn insert_head(
    r: &mut Rewriter<'_>,
    block: Node<'_>,
    place: Place,
    text: &str,
    docstring: bool,
) -> bool {
    let mut text = text.to_owned();
    if place == Place::Before {
        text = format!("_tr_p({text})");
    }
    let (mut block, mut docstring) = (block, docstring);
    loop {
        let mut behind = None;
        let mut first = None;
        for statement in statements(block) {
            let skip = statement.kind() == "future_import_statement"
                || (docstring && behind.is_none() && is_text(r, statement));
            if !skip {
                first = Some(statement);
                break;
            }
            behind = Some(statement.end_byte());
        }
        let Some(first) = first else {
            if let Some(end) = behind {
                // Closers stand in the order of their extents; sites only grow in number.
                r.close_at(end, HEAD + r.sites().len(), format!(";{text}"));
            }
            return behind.is_some();
        };
        if r.is_broken(first) {
            return false;
        }
        if !is_compound(first) {
            r.open_at(first.start_byte(), HEAD, format!("{text};"));
            return true;
        }
        let Some(inner) = first_block(first) else {
            return false;
        };
        text = format!("_tr_p({text})");
        (block, docstring) = (inner, has_docstring(first));
    }
}

/// Whether nothing can stand before the statement on its line.
pub(crate) fn is_compound(statement: Node<'_>) -> bool {
    matches!(
        statement.kind(),
        "if_statement"
            | "for_statement"
            | "while_statement"
            | "try_statement"
            | "with_statement"
            | "match_statement"
            | "function_definition"
            | "class_definition"
            | "decorated_definition"
    )
}

/// The first block of a compound statement, where its markers go.
pub(crate) fn first_block(statement: Node<'_>) -> Option<Node<'_>> {
    let definition = statement
        .child_by_field_name("definition")
        .unwrap_or(statement);
    if definition.kind() == "match_statement" {
        let body = definition.child_by_field_name("body")?;
        return body
            .child_by_field_name("alternative")?
            .child_by_field_name("consequence");
    }
    definition
        .child_by_field_name("consequence")
        .or_else(|| definition.child_by_field_name("body"))
}

/// Whether the block may start with a docstring.
pub(crate) fn has_docstring(statement: Node<'_>) -> bool {
    matches!(
        statement.kind(),
        "function_definition" | "class_definition" | "decorated_definition"
    )
}
