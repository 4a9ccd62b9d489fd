//! Where a node stands: what can be inserted there without changing the program.
//!
//! Answers questions about the syntax tree; inserts nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tracer_instrument::{Node, Rewriter};

use crate::definition::{Definition, enclosing_body};
use crate::types::Types;

/// What is known of the whole file.
pub(crate) struct FileFacts {
    /// Function-like macros the file defines, and other names that must not be taken for calls.
    macros: BTreeSet<String>,
    /// Functions the file defines.
    pub(crate) functions: BTreeSet<String>,
    /// Its types and variables.
    pub(crate) types: Types,
    /// Descriptions of types that probes refer to, by where.
    pub(crate) used: RefCell<Vec<(usize, String)>>,
    /// The branch and arm of each label of a switch, by node.
    pub(crate) cases: RefCell<BTreeMap<usize, (u32, usize)>>,
    /// Whether output can be watched: the program does not ask for a stream's position.
    pub(crate) watch_output: bool,
    /// Whether `main` returns nothing: what the program computes last is its exit status.
    void_main: bool,
}

/// Names that look like calls but do not evaluate their operands, or not as a call does.
const NOT_CALLS: &[&str] = &[
    "assert",
    "static_assert",
    "_Static_assert",
    "typeof",
    "__typeof__",
    "__typeof",
    "typeof_unqual",
    "va_arg",
    "va_start",
    "va_end",
    "va_copy",
    "offsetof",
    "alignof",
    "_Alignof",
    "__alignof__",
    "__builtin_va_arg",
    "__builtin_offsetof",
    "__builtin_constant_p",
    "__builtin_choose_expr",
    "__builtin_types_compatible_p",
    "__builtin_classify_type",
    "__builtin_object_size",
    "__attribute__",
    "defined",
    "asm",
    "__asm__",
    "__asm",
];

/// Functions of the C library that ask for a stream's position, which watching would change.
const POSITIONS: &[&[u8]] = &[b"ftell", b"fgetpos", b"fseek", b"rewind(stdout"];

impl FileFacts {
    pub(crate) fn of(rewriter: &mut Rewriter<'_>) -> std::rc::Rc<Self> {
        rewriter.memo(|rewriter| {
            let mut facts = Self {
                macros: BTreeSet::new(),
                functions: BTreeSet::new(),
                types: Types::of(rewriter),
                used: RefCell::default(),
                cases: RefCell::default(),
                watch_output: !(contains(rewriter.source, b"stdout")
                    && POSITIONS.iter().any(|name| contains(rewriter.source, name))),
                void_main: false,
            };
            facts.collect(rewriter, rewriter.root());
            facts
        })
    }

    fn collect(&mut self, rewriter: &Rewriter<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "preproc_function_def" | "preproc_def" => {
                    if let Some(name) = child.child_by_field_name("name") {
                        self.macros.insert(rewriter.text(name).into_owned());
                    }
                }
                "compound_statement" => {
                    if let Some(function) = Definition::of(rewriter, child) {
                        self.functions.insert(function.name);
                    }
                    self.collect(rewriter, child);
                }
                "function_definition" => {
                    if let Some(name) = child
                        .child_by_field_name("declarator")
                        .and_then(declared_name)
                    {
                        self.functions.insert(rewriter.text(name).into_owned());
                    }
                    if let Some(body) = child.child_by_field_name("body") {
                        self.void_main |= Definition::of(rewriter, body)
                            .is_some_and(|function| function.void && function.name == "main");
                        self.collect(rewriter, body);
                    }
                }
                kind if kind.ends_with("_statement")
                    || kind.starts_with("preproc_")
                    || kind == "else_clause"
                    || kind == "ERROR"
                    || kind == "linkage_specification"
                    || kind == "declaration_list" =>
                {
                    self.collect(rewriter, child);
                }
                _ => {}
            }
        }
    }

    /// A probe, which leaves alone what the program computed last where that is looked at.
    pub(crate) fn kept(&self, probe: String) -> String {
        if self.void_main {
            format!("_tr_keep({probe})")
        } else {
            probe
        }
    }

    /// Whether a call of this name may be a macro whose operands must not be touched.
    pub(crate) fn may_be_macro(&self, name: &str) -> bool {
        self.macros.contains(name)
            || NOT_CALLS.contains(&name)
            || name.to_ascii_lowercase().contains("assert")
            || is_shouting(name)
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// `NAME`: by convention a macro or constant.
pub(crate) fn is_shouting(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase())
        && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// The identifier that a declarator declares.
pub(crate) fn declared_name(declarator: Node<'_>) -> Option<Node<'_>> {
    let mut node = declarator;
    loop {
        match node.kind() {
            "identifier" | "field_identifier" | "type_identifier" => return Some(node),
            "parenthesized_declarator" | "attributed_declarator" => {
                let mut cursor = node.walk();
                node = node.named_children(&mut cursor).find(|child| {
                    child.kind().ends_with("declarator") || child.kind() == "identifier"
                })?;
            }
            _ => node = node.child_by_field_name("declarator")?,
        }
    }
}

/// Whether hooks run for this node, as the engine decides it.
pub(crate) fn is_readable(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    !rewriter.is_opaque(node)
        && !rewriter.is_broken(node)
        && !node
            .parent()
            .is_some_and(|parent| parent.is_error() && parent.parent().is_some())
}

/// The nearest neighbour before that is not a comment.
pub(crate) fn previous(node: Node<'_>) -> Option<Node<'_>> {
    let mut before = node.prev_named_sibling();
    while before.is_some_and(|node| node.kind() == "comment") {
        before = before.and_then(|node| node.prev_named_sibling());
    }
    before
}

/// The nearest neighbour behind that is not a comment.
pub(crate) fn following(node: Node<'_>) -> Option<Node<'_>> {
    let mut after = node.next_named_sibling();
    while after.is_some_and(|node| node.kind() == "comment") {
        after = after.and_then(|node| node.next_named_sibling());
    }
    after
}

/// Control statements whose body may be a single statement.
fn is_control(kind: &str) -> bool {
    matches!(
        kind,
        "if_statement"
            | "else_clause"
            | "while_statement"
            | "do_statement"
            | "for_statement"
            | "switch_statement"
    )
}

/// Whether the parser did not find the end of a statement: what follows may belong to it.
fn is_unfinished(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    if !node.has_error() {
        return false;
    }
    if node.kind().starts_with("preproc_") {
        return true;
    }
    if !rewriter.is_broken(node) {
        return false;
    }
    let mut last = node;
    while let Some(inner) = last
        .child_count()
        .checked_sub(1)
        .and_then(|at| last.child(at))
    {
        last = inner;
    }
    let end = rewriter.source[..node.end_byte()].last();
    last.is_missing() || !matches!(end, Some(b';' | b'}'))
}

/// Whether a statement may be put in front of this one: it stands in a block, or in a body that
/// gets braces, and what comes before it was understood (else it may be a macro's body).
pub(crate) fn takes_statement<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut inner = node;
    let mut parent = rewriter.parent(node);
    while let Some(outer) = parent {
        if previous(inner).is_some_and(|before| is_unfinished(rewriter, before)) {
            return false;
        }
        match outer.kind() {
            "labeled_statement" | "case_statement" | "attributed_statement" => {
                if outer.kind() == "attributed_statement" {
                    return false;
                }
                if inner.kind() == "declaration" && outer.kind() == "labeled_statement" {
                    return false;
                }
            }
            "compound_statement" => {
                // Declarations of a switch before its first label are never run.
                let in_switch = rewriter
                    .parent(outer)
                    .is_some_and(|parent| parent.kind() == "switch_statement");
                return !(in_switch
                    && inner.kind() != "case_statement"
                    && inner.kind() != "labeled_statement")
                    && enclosing_body(rewriter, outer).is_some();
            }
            "preproc_if" | "preproc_ifdef" | "preproc_else" | "preproc_elif"
            | "preproc_elifdef" => {
                if outer.has_error() {
                    return false;
                }
            }
            kind if is_control(kind) => {
                let is_body = kind == "else_clause"
                    || ["body", "consequence"].iter().any(|field| {
                        outer
                            .child_by_field_name(field)
                            .is_some_and(|body| body == inner)
                    });
                if !is_body {
                    return false;
                }
                let control = if kind == "else_clause" {
                    rewriter.parent(outer)
                } else {
                    Some(outer)
                };
                return control.is_some_and(|control| is_readable(rewriter, control))
                    && enclosing_body(rewriter, outer).is_some();
            }
            _ => return false,
        }
        inner = outer;
        parent = rewriter.parent(outer);
    }
    false
}

/// Puts `text` at the start of a body, which gets braces if it has none.
pub(crate) fn open_body<'a>(rewriter: &mut Rewriter<'a>, body: Node<'a>, text: &str) {
    if body.kind() == "compound_statement" {
        let extent = body.end_byte() - body.start_byte();
        let mut at = body.start_byte() + 1;
        // GNU C's declarations of labels come before anything else.
        let mut cursor = body.walk();
        for child in body.named_children(&mut cursor) {
            if !rewriter.source[child.start_byte()..].starts_with(b"__label__") {
                break;
            }
            at = child.end_byte();
        }
        rewriter.open_at(at, extent, text);
    } else {
        rewriter.enclose(body, "{", "}");
        rewriter.open(body, text);
    }
}

/// The statement that runs first in a body, if its step can be told by whatever opens the body.
pub(crate) fn first_statement<'a>(rewriter: &Rewriter<'a>, body: Node<'a>) -> Option<Node<'a>> {
    let first = if body.kind() == "compound_statement" {
        let mut cursor = body.walk();
        body.named_children(&mut cursor)
            .find(|child| child.kind() != "comment")?
    } else {
        body
    };
    crate::steps::has_step(rewriter, first).then_some(first)
}

/// Whether an expression is evaluated when the program runs, in a place where calls may stand.
pub(crate) fn is_evaluated<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let facts = FileFacts::of(rewriter);
    let mut inner = node;
    while let Some(outer) = rewriter.parent(inner) {
        match outer.kind() {
            "function_definition" => return true,
            "argument_list" => {
                let Some(call) = rewriter.parent(outer) else {
                    return false;
                };
                let callee = call.child_by_field_name("function");
                match callee {
                    Some(name) if name.kind() == "identifier" => {
                        if facts.may_be_macro(&rewriter.text(name)) {
                            return false;
                        }
                    }
                    Some(_) => {}
                    None => return false,
                }
            }
            "declaration" => {
                let mut cursor = outer.walk();
                let fixed = outer.children(&mut cursor).any(|child| {
                    child.kind() == "storage_class_specifier"
                        && !matches!(&*rewriter.text(child), "auto" | "register")
                        || child.kind() == "type_qualifier" && rewriter.text(child) == "constexpr"
                });
                if fixed {
                    return false;
                }
            }
            "array_declarator"
            | "abstract_array_declarator"
            | "subscript_designator"
            | "subscript_range_designator"
            | "parameter_declaration"
            | "type_descriptor" => {
                return false;
            }
            "ERROR" => return false,
            _ => {}
        }
        inner = outer;
    }
    false
}

/// Whether a statement is the last of a statement expression, whose value it is: nothing may be
/// put behind it.
pub(crate) fn is_result(statement: Node<'_>) -> bool {
    let expression = statement
        .parent()
        .filter(|block| block.kind() == "compound_statement")
        .and_then(|block| block.parent())
        .is_some_and(|parent| parent.kind() == "parenthesized_expression");
    expression && following(statement).is_none()
}

/// Strips parentheses.
pub(crate) fn inside_parentheses(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    while node.kind() == "parenthesized_expression" {
        match node.named_child(0) {
            Some(inner) if inner.kind() != "comment" => node = inner,
            _ => break,
        }
    }
    node
}

/// Whether a condition may be decided by the compiler, which then drops code that would not link.
pub(crate) fn may_be_constant(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "identifier" => is_shouting(&rewriter.text(node)),
        "call_expression"
        | "subscript_expression"
        | "field_expression"
        | "assignment_expression"
        | "update_expression"
        | "pointer_expression" => node.child_by_field_name("function").is_some_and(|callee| {
            let name = rewriter.text(callee);
            is_shouting(&name) || name == "__builtin_constant_p"
        }),
        "sizeof_expression" => true,
        _ => {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .all(|child| may_be_constant(rewriter, child))
        }
    }
}
