//! What must be known of the whole file: which names are local variables where, and whether the
//! program would see the probes.

use std::collections::HashMap;
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};

/// Classes of whose operators the emitter makes use.
const CORE: [&str; 10] = [
    "Integer",
    "Numeric",
    "Comparable",
    "Array",
    "String",
    "Object",
    "Kernel",
    "BasicObject",
    "Module",
    "NilClass",
];

/// Texts of programs that watch themselves run, or run where the emitter cannot be reached.
const WATCHES: [&[u8]; 4] = [
    b"TracePoint",
    b"set_trace_func",
    b"Ractor.new",
    b"RubyVM::AbstractSyntaxTree",
];

struct Scope {
    start: usize,
    end: usize,
    hard: bool,
    names: HashMap<Vec<u8>, usize>,
}

/// Facts about a file.
pub(crate) struct Facts {
    scopes: Vec<Scope>,
    silent: bool,
    /// Whether a class of the program may want to know of its methods.
    pub(crate) hooks: bool,
    /// Whether a `BEGIN` block stands in it.
    pub(crate) begins: bool,
}

/// The facts of the file at hand.
pub(crate) fn facts(r: &mut Rewriter<'_>) -> Rc<Facts> {
    r.memo(|r| gather(r.source, r.root()))
}

/// Whether the file gets no probes at all.
pub(crate) fn is_silent(r: &mut Rewriter<'_>) -> bool {
    facts(r).silent
}

/// Whether an identifier at an offset is a local variable, rather than a call.
pub(crate) fn is_local(r: &mut Rewriter<'_>, name: Node<'_>) -> bool {
    let text = &r.source[name.start_byte()..name.end_byte()];
    let at = name.start_byte();
    for scope in facts(r).scopes.iter().rev() {
        if scope.start > at || scope.end < at {
            continue;
        }
        if scope.names.get(text).is_some_and(|&first| first < at) {
            return true;
        }
        if scope.hard {
            return false;
        }
    }
    false
}

fn gather(source: &[u8], root: Node<'_>) -> Facts {
    let mut facts = Facts {
        scopes: Vec::new(),
        silent: WATCHES
            .iter()
            .any(|word| source.windows(word.len()).any(|found| found == *word)),
        hooks: source.windows(12).any(|found| found == b"method_added"),
        begins: false,
    };
    walk(source, root, &mut facts);
    facts
        .scopes
        .sort_by_key(|scope| (scope.start, usize::MAX - scope.end));
    facts
}

fn walk(source: &[u8], root: Node<'_>, facts: &mut Facts) {
    // Scopes that are open, by index, with the depth they were opened at.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut stack = vec![(root, 0usize)];
    while let Some((node, depth)) = stack.pop() {
        while open.last().is_some_and(|&(_, at)| at >= depth) {
            open.pop();
        }
        let hard = matches!(
            node.kind(),
            "program" | "method" | "singleton_method" | "class" | "module" | "singleton_class"
        );
        if hard || matches!(node.kind(), "block" | "do_block" | "lambda") {
            open.push((facts.scopes.len(), depth));
            facts.scopes.push(Scope {
                start: node.start_byte(),
                end: node.end_byte(),
                hard,
                names: HashMap::new(),
            });
        }
        let mut bound = Vec::new();
        match node.kind() {
            "begin_block" => facts.begins = true,
            "method" => facts.silent |= redefines(source, node),
            "assignment" | "operator_assignment" => {
                if let Some(left) = node.child_by_field_name("left") {
                    targets(left, &mut bound);
                }
            }
            "for" => {
                if let Some(pattern) = node.child_by_field_name("pattern") {
                    targets(pattern, &mut bound);
                }
            }
            "exception_variable" => bound.extend(node.named_child(0)),
            "method_parameters" | "block_parameters" | "lambda_parameters" => {
                parameters(node, &mut bound);
            }
            "in_clause" | "match_pattern" | "test_pattern" => {
                if let Some(pattern) = node.child_by_field_name("pattern") {
                    bindings(pattern, &mut bound);
                }
            }
            _ => {}
        }
        if let Some(&(scope, _)) = open.last() {
            for name in bound {
                let text = source[name.start_byte()..name.end_byte()].to_vec();
                facts.scopes[scope]
                    .names
                    .entry(text)
                    .or_insert(name.start_byte());
            }
        }
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        stack.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
    }
}

/// Whether a method is an operator of a class that the emitter computes with.
fn redefines(source: &[u8], method: Node<'_>) -> bool {
    let Some(name) = method.child_by_field_name("name") else {
        return false;
    };
    if name.kind() != "operator" {
        return false;
    }
    let is_core = |name: Node<'_>| {
        let text = &source[name.start_byte()..name.end_byte()];
        CORE.iter().any(|core| core.as_bytes() == text)
    };
    let mut child = method;
    while let Some(parent) = child.parent() {
        match parent.kind() {
            "class" | "module" => {
                return parent.child_by_field_name("name").is_some_and(is_core);
            }
            // `refine Integer do`
            "call" => {
                let list = parent.child_by_field_name("arguments");
                if list
                    .and_then(|list| list.named_child(0))
                    .is_some_and(is_core)
                {
                    return true;
                }
            }
            _ => {}
        }
        child = parent;
    }
    false
}

/// Variables that an assignment's left side writes.
pub(crate) fn targets<'a>(left: Node<'a>, names: &mut Vec<Node<'a>>) {
    match left.kind() {
        "identifier" | "instance_variable" | "class_variable" | "global_variable" => {
            names.push(left);
        }
        "left_assignment_list" | "destructured_left_assignment" | "rest_assignment" => {
            let mut cursor = left.walk();
            for child in left.named_children(&mut cursor) {
                targets(child, names);
            }
        }
        _ => {}
    }
}

/// Names of a parameter list; anonymous ones have none.
pub(crate) fn parameters<'a>(list: Node<'a>, names: &mut Vec<Node<'a>>) {
    let mut cursor = list.walk();
    let locals: Vec<usize> = list
        .children_by_field_name("locals", &mut cursor)
        .map(|node| node.id())
        .collect();
    let mut cursor = list.walk();
    for child in list.named_children(&mut cursor) {
        if locals.contains(&child.id()) {
            continue;
        }
        match child.kind() {
            "identifier" => names.push(child),
            "destructured_parameter" => parameters(child, names),
            "optional_parameter"
            | "splat_parameter"
            | "keyword_parameter"
            | "hash_splat_parameter"
            | "block_parameter" => {
                names.extend(child.child_by_field_name("name"));
            }
            _ => {}
        }
    }
}

/// Variables that a pattern binds.
pub(crate) fn bindings<'a>(pattern: Node<'a>, names: &mut Vec<Node<'a>>) {
    match pattern.kind() {
        "identifier" => names.push(pattern),
        "keyword_pattern" => match pattern.child_by_field_name("value") {
            Some(value) => bindings(value, names),
            None => names.extend(
                pattern
                    .child_by_field_name("key")
                    .filter(|key| key.kind() == "hash_key_symbol"),
            ),
        },
        "array_pattern"
        | "hash_pattern"
        | "find_pattern"
        | "as_pattern"
        | "splat_parameter"
        | "hash_splat_parameter"
        | "parenthesized_pattern"
        | "alternative_pattern" => {
            let mut cursor = pattern.walk();
            for child in pattern.named_children(&mut cursor) {
                bindings(child, names);
            }
        }
        _ => {}
    }
}
