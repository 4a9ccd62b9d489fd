//! Calls into libraries: `fs.readFileSync(p)` where `fs` is imported or required.
//!
//! The call stays as it is, with nothing of ours between caller and callee: each argument and the
//! result pass through a probe. Links of optional chains, what V8 may print and names that are bound
//! in any other way, too, are left alone, as are methods of values and the language's globals.

use tracer_instrument::{LibraryNames, Node, Rewriter};
use tracer_model::Detail;

use crate::syntax::{bare, bound_names, is_printed, probe};

struct Names(LibraryNames);

/// A call or `new`.
pub(crate) fn call<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let function = node
        .child_by_field_name("function")
        .or_else(|| node.child_by_field_name("constructor"));
    let Some(function) = function else { return };
    let Some(root) = root(function) else { return };
    let names = r.memo(|r| Names(names(r)));
    let Some((callee, import)) = r.library_function(&names.0, root, function) else {
        return;
    };
    match argued(r, node) {
        Ok(parts) => report(r, node, &callee, &import, &parts),
        Err(why) => r.leave_call(why),
    }
}

/// The name that a chain of members begins with.
fn root(function: Node<'_>) -> Option<Node<'_>> {
    let mut node = function;
    while node.kind() == "member_expression" {
        node = node.child_by_field_name("object")?;
    }
    (node.kind() == "identifier").then_some(node)
}

/// An argument's value, and how it is passed.
type Part<'a> = (Node<'a>, String);

fn argued<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Result<Vec<Part<'a>>, &'static str> {
    let arguments = node
        .child_by_field_name("arguments")
        .filter(|arguments| arguments.kind() == "arguments")
        .ok_or("it has no list of arguments")?;
    let head = &r.source[node.start_byte()..arguments.start_byte()];
    if head
        .windows(2)
        .any(|two| two == b"?." || two == b"/*" || two == b"//")
    {
        return Err("it is a link of an optional chain");
    }
    if is_printed(r, node) {
        return Err("an error message may print it");
    }
    let parent = r.parent(node);
    if parent.is_some_and(|parent| parent.kind() == "decorator") {
        return Err("it is a decorator");
    }
    let text = r.text(arguments);
    if ["yield", "await"].iter().any(|word| text.contains(word)) {
        return Err("its arguments may wait");
    }
    let mut parts = Vec::new();
    let mut cursor = arguments.walk();
    for argument in arguments.named_children(&mut cursor) {
        match argument.kind() {
            "comment" => {}
            // What is spread may be printed.
            "spread_element" => return Err("it spreads its arguments"),
            _ => parts.push((argument, String::new())),
        }
    }
    tracer_instrument::argued(parts)
}

fn report<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    callee: &str,
    import: &str,
    parts: &[Part<'a>],
) {
    let labels = parts.iter().map(|(_, label)| label.clone()).collect();
    let site = r.library_call(node, callee, import, labels);
    let returned = probe(r, "cr");
    match parts.split_last() {
        Some(((last, _), others)) => {
            let passed = probe(r, "ck");
            for (index, (value, _)) in others.iter().enumerate() {
                r.wrap(*value, format!("{passed}({site},{index},"), ")");
            }
            let before = others.len();
            let called = probe(r, "ca");
            r.wrap(*last, format!("{called}({site},{before},"), ")");
            r.wrap(node, format!("{returned}({site},"), ")");
        }
        None => {
            let called = probe(r, "cb");
            r.wrap(node, format!("{returned}({site},({called}({site}),"), "))");
        }
    }
}

/// What the names of the file stand for.
fn names(r: &Rewriter<'_>) -> LibraryNames {
    let mut found = LibraryNames::default();
    let mut others = Vec::new();
    let mut stack = vec![r.root()];
    while let Some(node) = stack.pop() {
        let field = |name: &str| node.child_by_field_name(name);
        let mut bound = Vec::new();
        match node.kind() {
            "import_statement" => import(r, node, &mut found, &mut others),
            "variable_declarator" => {
                if let (Some(name), required) = (field("name"), required(r, node)) {
                    match required {
                        Some((qualified, module)) => {
                            require(r, name, &qualified, &module, &mut found, &mut others);
                        }
                        None => bound_names(name, &mut bound),
                    }
                }
            }
            "assignment_expression" | "augmented_assignment_expression" | "for_in_statement" => {
                if let Some(left) = field("left") {
                    crate::writes::assigned_names(bare(left), &mut bound);
                }
            }
            "function_declaration"
            | "generator_function_declaration"
            | "function_expression"
            | "generator_function"
            | "class_declaration"
            | "abstract_class_declaration"
            | "class"
            | "enum_declaration"
            | "internal_module" => bound.extend(field("name")),
            "formal_parameters" => bound_names(node, &mut bound),
            "arrow_function" | "catch_clause" => {
                if let Some(parameter) = field("parameter") {
                    bound_names(parameter, &mut bound);
                }
            }
            _ => {}
        }
        others.extend(bound.into_iter().map(|name| r.text(name).into_owned()));
        let mut cursor = node.walk();
        let from = stack.len();
        stack.extend(node.named_children(&mut cursor));
        // In the order of the file.
        stack[from..].reverse();
    }
    found.others(others);
    found
}

/// The module that a declarator's value requires, or something in it: `require("a").b`.
fn required(r: &Rewriter<'_>, declarator: Node<'_>) -> Option<(String, String)> {
    let mut value = bare(declarator.child_by_field_name("value")?);
    let end = value.end_byte();
    while value.kind() == "member_expression" {
        value = bare(value.child_by_field_name("object")?);
    }
    let function = value.child_by_field_name("function")?;
    if value.kind() != "call_expression" || r.text(function) != "require" {
        return None;
    }
    let module = value.child_by_field_name("arguments")?.named_child(0)?;
    let module = unquoted(r, module)?;
    let member = String::from_utf8_lossy(&r.source[value.end_byte()..end]);
    let member: String = member.split_whitespace().collect();
    let is_path = |c: char| c.is_alphanumeric() || "._$".contains(c);
    (member.chars().all(is_path)).then(|| (format!("{}{member}", plain(&module)), module))
}

fn unquoted(r: &Rewriter<'_>, string: Node<'_>) -> Option<String> {
    let text = r.text(string);
    let inner = text.get(1..text.len().saturating_sub(1))?;
    (string.kind() == "string" && !inner.contains('\\')).then(|| inner.to_owned())
}

/// A module's name as its functions are known by: `fs`, not `node:fs`.
fn plain(module: &str) -> &str {
    module.strip_prefix("node:").unwrap_or(module)
}

/// Whether a module may be a library. Files of the project are named by their place.
fn is_library(r: &Rewriter<'_>, module: &str) -> bool {
    !module.starts_with(['.', '/', '#']) && r.is_library(module)
}

/// `const fs = require(…)`, `const { readFileSync: read } = require(…)`.
fn require(
    r: &Rewriter<'_>,
    name: Node<'_>,
    qualified: &str,
    module: &str,
    found: &mut LibraryNames,
    others: &mut Vec<String>,
) {
    let mut bound = Vec::new();
    bound_names(name, &mut bound);
    if !is_library(r, module) {
        others.extend(bound.iter().map(|name| r.text(*name).into_owned()));
        return;
    }
    if name.kind() == "identifier" {
        return found.import(&r.text(name), qualified, module);
    }
    for each in bound {
        let text = r.text(each);
        let key = r
            .parent(each)
            .filter(|parent| parent.kind() == "pair_pattern");
        let key = key.and_then(|pair| pair.child_by_field_name("key"));
        let direct = key.map_or(each, |key| key);
        let known = matches!(
            direct.kind(),
            "property_identifier" | "shorthand_property_identifier_pattern"
        );
        // `{ a: { b } }` and `{ a = 1 }` are left alone.
        let pattern = r.parent(key.and_then(|key| r.parent(key)).unwrap_or(each));
        if known && pattern == Some(name) {
            found.import(&text, &format!("{qualified}.{}", r.text(direct)), module);
        } else {
            others.push(text.into_owned());
        }
    }
}

/// `import fs, { readFileSync as read } from "fs"`, `import * as fs from "fs"`.
fn import(r: &Rewriter<'_>, node: Node<'_>, found: &mut LibraryNames, others: &mut Vec<String>) {
    let module = node.child_by_field_name("source");
    let module = module.and_then(|module| unquoted(r, module));
    let mut stack: Vec<Node<'_>> = {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).collect()
    };
    while let Some(part) = stack.pop() {
        let (name, member) = match part.kind() {
            "identifier" => (part, String::new()),
            "namespace_import" => match part.named_child(0) {
                Some(name) => (name, String::new()),
                None => continue,
            },
            "import_specifier" => {
                let Some(name) = part.child_by_field_name("name") else {
                    continue;
                };
                let member = r.text(name);
                let member = match member.as_ref() {
                    "default" => String::new(),
                    member => format!(".{member}"),
                };
                (part.child_by_field_name("alias").unwrap_or(name), member)
            }
            "import_clause" | "named_imports" => {
                let mut cursor = part.walk();
                stack.extend(part.named_children(&mut cursor));
                continue;
            }
            _ => continue,
        };
        match module.as_deref().filter(|module| is_library(r, module)) {
            Some(module) => {
                found.import(&r.text(name), &format!("{}{member}", plain(module)), module);
            }
            None => others.push(r.text(name).into_owned()),
        }
    }
}
