//! Questions about the syntax tree that several hooks ask, and how text is put around a node.

use tracer_instrument::{Node, Rewriter};

/// What every probe is called on.
pub(crate) const EMITTER: &str = "::RubyVM::T";

/// A probe's name, ready to be called.
pub(crate) fn probe(name: &str) -> String {
    format!("{EMITTER}.{name}")
}

/// Takes a visit off a site's number: whether it is counted with that. Its probe is called where not.
pub(crate) fn counted(site: u32) -> String {
    format!("(::RubyVM::N[{site}]-=1)>0")
}

/// Where a site's last value goes while its visits are only counted.
pub(crate) fn last(site: u32) -> String {
    format!("::RubyVM::L[{site}]")
}

/// Nodes whose named children are statements.
pub(crate) fn is_list(kind: &str) -> bool {
    matches!(
        kind,
        "program"
            | "body_statement"
            | "block_body"
            | "then"
            | "else"
            | "do"
            | "ensure"
            | "begin"
            | "begin_block"
            | "end_block"
            | "parenthesized_statements"
    )
}

/// Children of a list that are no statements.
pub(crate) fn is_clause(kind: &str) -> bool {
    matches!(
        kind,
        "comment"
            | "heredoc_body"
            | "rescue"
            | "else"
            | "ensure"
            | "begin_block"
            | "uninterpreted"
            | "empty_statement"
    )
}

/// Nodes whose code runs as a frame of its own.
pub(crate) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "program"
            | "method"
            | "singleton_method"
            | "class"
            | "module"
            | "singleton_class"
            | "block"
            | "do_block"
    )
}

/// The function, block, class or file whose frame runs a node.
pub(crate) fn enclosing_function<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Node<'a> {
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        if is_function(parent.kind()) {
            return parent;
        }
        child = parent;
    }
    r.root()
}

/// Whether the statement that a node belongs to could not be read.
pub(crate) fn in_broken<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut child = node;
    loop {
        if child.is_error() || child.is_missing() {
            return true;
        }
        let Some(parent) = r.parent(child) else {
            return false;
        };
        if is_list(parent.kind()) {
            return child.has_error() && r.is_broken(child);
        }
        child = parent;
    }
}

/// The child token of this kind.
pub(crate) fn token<'a>(node: Node<'a>, kind: &str) -> Option<Node<'a>> {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .find(|child| !child.is_named() && child.kind() == kind)
}

/// Statements of a list, without comments and clauses.
pub(crate) fn statements(list: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter(|child| !is_clause(child.kind()))
        .collect()
}

/// Where a node's own code ends: the text of a heredoc comes behind it.
pub(crate) fn code_end(node: Node<'_>) -> usize {
    let count = node.child_count();
    for index in (0..count).rev() {
        let Some(child) = node.child(index) else {
            break;
        };
        match child.kind() {
            "heredoc_body" | "comment" => {}
            _ if index + 1 == count && child.end_byte() == node.end_byte() => {
                return code_end(child);
            }
            _ => return code_end(child),
        }
    }
    node.end_byte()
}

/// A space where text would run into what stands before it.
pub(crate) fn gap(r: &Rewriter<'_>, offset: usize) -> &'static str {
    match offset.checked_sub(1).and_then(|at| r.source.get(at)) {
        None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'(' | b';') => "",
        _ => " ",
    }
}

/// Puts text before a node and behind its code.
pub(crate) fn around(r: &mut Rewriter<'_>, node: Node<'_>, before: &str, after: &str) {
    let gap = gap(r, node.start_byte());
    r.open(node, format!("{gap}{before}"));
    let extent = node.end_byte() - node.start_byte();
    r.close_at(code_end(node), extent, after);
}

/// A node without the parentheses around it.
pub(crate) fn bare(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    while node.kind() == "parenthesized_statements" && node.named_child_count() == 1 {
        let Some(inner) = node.named_child(0) else {
            break;
        };
        node = inner;
    }
    node
}

/// Whether an expression gives no value where one is wanted, which the parser refuses: each way
/// through it jumps.
pub(crate) fn is_void(node: Node<'_>) -> bool {
    let branch = |field: &str| node.child_by_field_name(field).is_some_and(is_void);
    match node.kind() {
        "return" | "next" | "break" | "redo" | "retry" | "match_pattern" => true,
        "if" | "elsif" | "unless" | "conditional" => branch("consequence") && branch("alternative"),
        "binary" => branch("left"),
        "case" | "case_match" => {
            let mut cursor = node.walk();
            let mut arms = node
                .named_children(&mut cursor)
                .filter(|child| matches!(child.kind(), "when" | "in_clause" | "else"))
                .peekable();
            arms.peek().is_some()
                && arms.all(|arm| {
                    let body = arm.child_by_field_name("body");
                    body.map_or(arm.kind() == "else" && is_void_list(arm), is_void)
                })
        }
        "begin" | "body_statement" => {
            let mut cursor = node.walk();
            let handlers = node
                .named_children(&mut cursor)
                .filter(|child| child.kind() == "rescue")
                .all(|child| child.child_by_field_name("body").is_some_and(is_void));
            handlers && is_void_list(node)
        }
        kind if is_list(kind) => is_void_list(node),
        _ => false,
    }
}

fn is_void_list(list: Node<'_>) -> bool {
    statements(list).last().is_some_and(|last| is_void(*last))
}
