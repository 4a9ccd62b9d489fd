//! Statements: where each begins, and what surrounds a file's top-level code.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::chains::is_stepped;
use crate::functions::{depth_name, scan};
use crate::syntax::{
    Frame, close_statement, code_end, declares_types, expression_child, has_token, is_declaration,
    is_function, is_list, probe,
};

/// Top-level code: opens the frame of a file that another one loads, and says when the main file's
/// is over.
pub(crate) fn program<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let mut cursor = node.walk();
    let statements: Vec<Node<'a>> = node
        .named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .collect();
    // Imports and re-exports run nothing here, and V8 prints their lines when linking fails.
    let runs = |child: &&Node<'a>| match child.kind() {
        "hash_bang_line"
        | "import_statement"
        | "interface_declaration"
        | "type_alias_declaration"
        | "ambient_declaration"
        | "function_signature" => false,
        "export_statement" => exports_code(**child),
        _ => true,
    };
    let Some(first) = statements.iter().find(runs).copied() else {
        return;
    };
    let Some(last) = statements.iter().rev().find(runs).copied() else {
        return;
    };
    let needs = scan(node);
    let awaits = needs.suspends;
    let frame = if awaits { Frame::Task } else { needs.frame };
    let start = prologue_end(node).unwrap_or_else(|| first.start_byte());
    let extent = node.end_byte() + 1;
    let is_main = r.options.file == 0;
    r.site_of(Kind::Err, node, "uncaught");
    let mut text = String::new();
    if is_main {
        r.remember(
            node,
            "frame",
            if awaits {
                Frame::Task as u32
            } else {
                Frame::None as u32
            },
        );
        if awaits {
            text = format!(";const {}={}(\"module\");", depth_name(r), probe(r, "g0"));
        }
    } else {
        r.remember(node, "frame", frame as u32);
        let site = r.site(Kind::In, node);
        let out = r.site(Kind::Out, node);
        r.remember(node, "out", out);
        text = match frame {
            Frame::None => format!(";{}({site});", probe(r, "i0")),
            Frame::Depth => format!(";const {}={}({site});", depth_name(r), probe(r, "i0")),
            Frame::Task => {
                format!(
                    ";const {}={}({site},\"module\");",
                    depth_name(r),
                    probe(r, "g")
                )
            }
        };
    }
    if !text.is_empty() {
        r.open_at(start, extent, text);
    }
    let end = if is_main {
        format!(";{}();", probe(r, "z"))
    } else {
        let out = r.recall(node, "out").unwrap_or(0);
        match frame {
            Frame::Task => format!(";{}({out},{});", probe(r, "O"), depth_name(r)),
            Frame::None | Frame::Depth => format!(";{}({out});", probe(r, "o")),
        }
    };
    if !is_jump(last) {
        r.close_at(code_end(last), extent, end);
    }
}

fn is_jump(node: Node<'_>) -> bool {
    matches!(node.kind(), "return_statement" | "throw_statement")
}

/// Where a body's directives end, if it has any.
pub fn prologue_end(body: Node<'_>) -> Option<usize> {
    let mut cursor = body.walk();
    let mut end = None;
    for child in body.named_children(&mut cursor) {
        match child.kind() {
            "comment" | "hash_bang_line" => {}
            "expression_statement" if is_directive(child) => end = Some(code_end(child)),
            _ => break,
        }
    }
    end
}

fn is_directive(statement: Node<'_>) -> bool {
    statement
        .named_child(0)
        .is_some_and(|child| child.kind() == "string")
}

pub(crate) fn in_prologue(node: Node<'_>) -> bool {
    if node.kind() != "expression_statement" || !is_directive(node) {
        return false;
    }
    node.parent().is_some_and(|parent| {
        matches!(parent.kind(), "program" | "statement_block")
            && prologue_end(parent).is_some_and(|end| code_end(node) <= end)
    })
}

/// A statement is about to run.
pub(crate) fn step<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(parent) = r.parent(node) else { return };
    let kind = node.kind();
    if is_list(parent.kind()) {
        if is_stepped(r, node) && r.known_site(node, "step").is_none() {
            let site = r.site_of(Kind::Step, node, "step");
            let text = format!("{}({site});", probe(r, "s"));
            r.open(node, text);
        }
        return;
    }
    let is_loop_body = matches!(
        parent.kind(),
        "for_statement" | "for_in_statement" | "while_statement" | "do_statement"
    ) && parent.child_by_field_name("body") == Some(node);
    let is_lone = match parent.kind() {
        "if_statement" => parent.child_by_field_name("consequence") == Some(node),
        "else_clause" => true,
        "with_statement" => parent.child_by_field_name("body") == Some(node),
        _ => is_loop_body,
    };
    if !is_lone || is_declaration(kind) || kind == "statement_block" {
        return;
    }
    let brace = !is_loop_body;
    let mut text = String::from(if brace { "{" } else { "" });
    if is_stepped(r, node) && r.known_site(node, "step").is_none() {
        let site = r.site_of(Kind::Step, node, "step");
        text.push_str(&format!("{}({site});", probe(r, "s")));
    }
    if brace {
        r.open(node, text);
        close_statement(r, node, "}".into());
    } else if !text.is_empty() {
        r.open(node, text);
    }
}

pub(crate) fn exports_code(node: Node<'_>) -> bool {
    let declared = node.child_by_field_name("declaration");
    let value = node.child_by_field_name("value");
    value.is_some()
        || has_token(node, "=")
        || declared
            .filter(|child| !declares_types(*child))
            .is_some_and(|child| {
                matches!(
                    child.kind(),
                    "lexical_declaration"
                        | "variable_declaration"
                        | "class_declaration"
                        | "abstract_class_declaration"
                        | "enum_declaration"
                        | "internal_module"
                )
            })
}

/// Puts what the emitter must know of the sites behind everything else, as the last insertion: the
/// emitter reads it and V8 never sees it.
pub fn finish<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let first_function = r.options.first_function;
    let functions: Vec<&str> = r
        .functions()
        .iter()
        .map(|function| function.qualified.as_str())
        .collect();
    let mut sites = Vec::with_capacity(r.sites().len() * 2);
    let end = r.known_site(node, "uncaught").unwrap_or(0);
    let broken = node.has_error();
    let (firsts, entries) = moved_positions(node);
    let mut loops = Vec::new();
    let mut throws = Vec::new();
    for site in r.sites() {
        sites.push(site.function.saturating_sub(first_function));
        sites.push(site.span.line);
        if let Some((start, end)) = site.inner {
            loops.extend([start, end]);
        }
        if site.kind == Kind::Err {
            throws.extend([site.id, site.span.line, site.span.column]);
        }
    }
    let facts = serde_json::json!({
        "first": r.options.first_site,
        "functions": functions,
        "sites": sites,
        "loops": loops,
        "throws": throws,
        "firsts": firsts,
        "entries": entries,
        "broken": broken,
        "end": end,
    });
    let text = format!("/*{}*/", facts.to_string().replace("*/", "*\\/"));
    r.close_at(r.source.len().max(node.end_byte()), usize::MAX >> 33, text);
}

/// Where a probe moves the place of an error, as line and column with it and without it. V8 places
/// an unknown variable that a statement reads first at the statement, since nothing came before;
/// and a stack overflow on entry at the first code of the body that has a position.
fn moved_positions(root: Node<'_>) -> (Vec<usize>, Vec<usize>) {
    let mut firsts = Vec::new();
    let mut entries = Vec::new();
    let mut cursor = root.walk();
    let mut stack = vec![root];
    while let Some(node) = stack.pop() {
        if node.child_count() == 0 {
            continue;
        }
        let start = match node.kind() {
            "return_statement" | "throw_statement" | "expression_statement" => {
                expression_child(node)
            }
            "if_statement" => node.child_by_field_name("condition"),
            "switch_statement" | "variable_declarator" => node.child_by_field_name("value"),
            _ => None,
        };
        // A declaration is where its value is.
        let whole = match (node.kind(), start) {
            ("variable_declarator", Some(value)) => value,
            _ => node,
        };
        if let Some(name) = start.and_then(first_evaluated) {
            let (at, statement) = (name.start_position(), whole.start_position());
            if at != statement {
                firsts.extend([
                    at.row + 1,
                    at.column + 1,
                    statement.row + 1,
                    statement.column + 1,
                ]);
            }
        }
        if node.kind() == "arrow_function"
            && let Some(name) = node.child_by_field_name("body").and_then(first_evaluated)
            && let Some(user) = name.parent()
            && let Some(place) = match user.kind() {
                // It has no statement: the first instruction with a place is the next one.
                "member_expression" => user.child_by_field_name("property"),
                "new_expression" => Some(user),
                _ => None,
            }
        {
            let (at, place) = (name.start_position(), place.start_position());
            firsts.extend([at.row + 1, at.column + 1, place.row + 1, place.column + 1]);
        }
        if is_function(node.kind())
            && let Some(body) = node.child_by_field_name("body")
            && let Some(first) = first_position(body)
        {
            let (at, start) = (body.start_position(), first.start_position());
            let inside = usize::from(body.kind() == "statement_block");
            entries.extend([
                at.row + 1,
                at.column + 1 + inside,
                start.row + 1,
                start.column + 1,
            ]);
        }
        stack.extend(node.children(&mut cursor));
    }
    (firsts, entries)
}

/// What V8 takes a function's code to begin with.
fn first_position(body: Node<'_>) -> Option<Node<'_>> {
    if body.kind() != "statement_block" {
        return Some(position_of(body, body));
    }
    let mut cursor = body.walk();
    let statement = body.named_children(&mut cursor).find(|child| {
        let runs_nothing = matches!(
            child.kind(),
            "comment"
                | "function_declaration"
                | "generator_function_declaration"
                | "empty_statement"
        );
        !runs_nothing && (child.kind() != "expression_statement" || !is_directive(*child))
    })?;
    match statement.kind() {
        "try_statement" => statement
            .child_by_field_name("body")
            .and_then(first_position),
        "statement_block" => first_position(statement),
        "return_statement" | "expression_statement" => Some(
            expression_child(statement).map_or(statement, |value| position_of(value, statement)),
        ),
        "lexical_declaration" | "variable_declaration" => {
            let mut cursor = statement.walk();
            let value = statement
                .named_children(&mut cursor)
                .find_map(|child| child.child_by_field_name("value"))?;
            Some(position_of(value, value))
        }
        _ => Some(statement),
    }
}

/// The place of an expression's first instruction: `this` needs none, so that what is done with it
/// comes first; else that of the whole.
fn position_of<'t>(value: Node<'t>, whole: Node<'t>) -> Node<'t> {
    let leaf = leftmost(value);
    if leaf.kind() != "this" {
        return whole;
    }
    let Some(parent) = leaf.parent() else {
        return whole;
    };
    match parent.parent() {
        Some(outer)
            if outer.kind() == "assignment_expression"
                && outer.child_by_field_name("left") == Some(parent) =>
        {
            outer
                .child_by_field_name("right")
                .map_or(whole, |right| position_of(right, right))
        }
        _ => parent.child_by_field_name("property").unwrap_or(whole),
    }
}

fn leftmost(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    while let Some(child) = node.named_child(0) {
        if child.start_byte() != node.start_byte() {
            break;
        }
        node = child;
    }
    node
}

/// The variable an expression reads before anything else.
fn first_evaluated(node: Node<'_>) -> Option<Node<'_>> {
    let mut node = node;
    loop {
        let next = match node.kind() {
            "identifier" => return Some(node),
            "parenthesized_expression"
            | "sequence_expression"
            | "await_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression" => expression_child(node),
            "binary_expression" | "augmented_assignment_expression" => {
                node.child_by_field_name("left")
            }
            "assignment_expression" => match node.child_by_field_name("left") {
                Some(left) if left.kind() == "identifier" => node.child_by_field_name("right"),
                left => left,
            },
            "ternary_expression" => node.child_by_field_name("condition"),
            "unary_expression" | "update_expression" => node.child_by_field_name("argument"),
            "member_expression" | "subscript_expression" => node.child_by_field_name("object"),
            "call_expression" => node.child_by_field_name("function"),
            "new_expression" => node.child_by_field_name("constructor"),
            "template_string" | "template_substitution" | "spread_element" => {
                expression_child(node).filter(|child| child.kind() != "string_fragment")
            }
            // Its other elements come after it was made.
            "array" => expression_child(node).filter(|child| child.kind() == "spread_element"),
            _ => None,
        };
        node = next?;
    }
}
