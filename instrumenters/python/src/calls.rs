//! Calls into libraries: `json.dumps(x, indent=2)` where `json` is imported.
//!
//! The call stays as it is, with nothing of ours between caller and callee: each argument and the
//! result pass through a probe. What is called by a name that is bound in any other way, too, is left
//! alone, as are methods of values.

use tracer_instrument::{LibraryNames, Node, Rewriter};
use tracer_model::Detail;

use crate::targets;

/// Functions that look at the frame, the references or the trace function of whoever calls them.
const WATCHFUL: &[&str] = &[
    "settrace",
    "setprofile",
    "settrace_all_threads",
    "setprofile_all_threads",
    "set_trace",
    "call_tracing",
    "getrefcount",
    "register_callback",
    "set_events",
];

struct Names(LibraryNames);

/// A call.
pub(crate) fn call<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(function), Some(arguments)) = (
        node.child_by_field_name("function"),
        node.child_by_field_name("arguments"),
    ) else {
        return;
    };
    let Some(root) = root(function) else { return };
    let names = r.memo(|r| Names(names(r)));
    let Some((callee, import)) = r.library_function(&names.0, root, function) else {
        return;
    };
    match argued(r, node, &callee, arguments) {
        Ok(parts) => report(r, node, &callee, &import, &parts),
        Err(why) => r.leave_call(why),
    }
}

/// The name that a chain of attributes begins with.
fn root(function: Node<'_>) -> Option<Node<'_>> {
    let mut node = function;
    while node.kind() == "attribute" {
        node = node.child_by_field_name("object")?;
    }
    (node.kind() == "identifier").then_some(node)
}

/// An argument's value, and how it is passed.
type Part<'a> = (Node<'a>, String);

fn argued<'a>(
    r: &Rewriter<'a>,
    node: Node<'a>,
    callee: &str,
    arguments: Node<'a>,
) -> Result<Vec<Part<'a>>, &'static str> {
    let last = callee.rsplit('.').next().unwrap_or(callee);
    let text = r.text(arguments);
    if WATCHFUL.contains(&last) || WATCHFUL.iter().any(|name| text.contains(name)) {
        return Err("it looks at the frames that call it");
    }
    let is_decorator = |parent: Node<'_>| parent.kind() == "decorator";
    if r.parent(node).is_some_and(is_decorator) {
        return Err("it is a decorator");
    }
    // The grammar reads the star of `[*f()]` as part of the call.
    if r.source[node.start_byte()] == b'*' || arguments.kind() != "argument_list" {
        return Err("its argument is a bare generator");
    }
    if ["yield", "await", "async"]
        .iter()
        .any(|word| text.contains(word))
    {
        return Err("its arguments may wait");
    }
    let mut parts = Vec::new();
    let mut keyword = false;
    let mut cursor = arguments.walk();
    for argument in arguments.named_children(&mut cursor) {
        let (value, label) = match argument.kind() {
            "comment" => continue,
            "keyword_argument" => {
                keyword = true;
                let name = argument.child_by_field_name("name");
                let name = name.map_or_else(String::new, |name| r.text(name).into_owned());
                (argument.child_by_field_name("value"), name)
            }
            // Evaluated before the keywords that stand in front of it.
            "list_splat" if keyword => return Err("its arguments are evaluated out of order"),
            "list_splat" => (argument.named_child(0), "*".to_owned()),
            "dictionary_splat" => (argument.named_child(0), "**".to_owned()),
            _ => (Some(argument), String::new()),
        };
        let value = value.filter(|value| !value.is_extra());
        parts.push((value.ok_or("its arguments cannot be read")?, label));
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
    match parts.split_last() {
        Some(((last, _), others)) => {
            for (index, (value, _)) in others.iter().enumerate() {
                r.wrap(*value, format!("_tr_K{site}_{index}("), ")");
            }
            let before = others.len();
            r.wrap(*last, format!("_tr_A{site}_{before}("), ")");
        }
        None => {
            let place = node.end_byte() - 1;
            r.open_at(place, 0, format!("*_tr_B{site}()"));
        }
    }
    r.wrap(node, format!("_tr_C{site}("), ")");
}

/// What the names of the file stand for.
fn names(r: &Rewriter<'_>) -> LibraryNames {
    let mut found = LibraryNames::default();
    let mut others = Vec::new();
    gather(r, r.root(), &mut found, &mut others);
    found.others(others);
    found
}

fn gather(r: &Rewriter<'_>, top: Node<'_>, found: &mut LibraryNames, others: &mut Vec<String>) {
    let mut stack = vec![top];
    while let Some(node) = stack.pop() {
        let field = |name: &str| node.child_by_field_name(name);
        match node.kind() {
            "import_statement" | "import_from_statement" => import(r, node, found, others),
            "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => {
                if let Some(left) = field("left") {
                    targets::names(r, left, others);
                }
            }
            "named_expression" | "function_definition" | "class_definition" => {
                others.extend(field("name").map(|name| r.text(name).into_owned()));
            }
            "parameters" | "lambda_parameters" => {
                let mut names = Vec::new();
                crate::functions::parameters(r, node, &mut names);
                others.append(&mut names);
            }
            "as_pattern_target" | "delete_statement" => {
                let mut cursor = node.walk();
                for child in node.named_children(&mut cursor) {
                    targets::names(r, child, others);
                }
            }
            "case_pattern" | "splat_pattern" => others.push(r.text(node).into_owned()),
            "as_pattern" => {
                let last = node.named_child((node.named_child_count() as u32).saturating_sub(1));
                others.extend(last.map(|name| r.text(name).into_owned()));
            }
            _ => {}
        }
        let mut cursor = node.walk();
        let from = stack.len();
        stack.extend(node.named_children(&mut cursor));
        // In the order of the file.
        stack[from..].reverse();
    }
}

fn import(r: &Rewriter<'_>, node: Node<'_>, found: &mut LibraryNames, others: &mut Vec<String>) {
    let module = node.child_by_field_name("module_name");
    let from = module.map(|module| r.text(module).into_owned());
    if from.as_deref().is_some_and(|from| from.starts_with('.')) && node.named_child_count() < 2 {
        return;
    }
    let mut cursor = node.walk();
    if node
        .named_children(&mut cursor)
        .any(|child| child.kind() == "wildcard_import")
    {
        // It may bind any name anew.
        found.all_other();
        return;
    }
    let mut cursor = node.walk();
    for name in node.children_by_field_name("name", &mut cursor) {
        let (whole, alias) = match name.kind() {
            "aliased_import" => (
                name.child_by_field_name("name"),
                name.child_by_field_name("alias"),
            ),
            _ => (Some(name), None),
        };
        let Some(whole) = whole else { continue };
        let whole = r.text(whole).into_owned();
        let alias = alias.map(|alias| r.text(alias).into_owned());
        let first = whole.split('.').next().unwrap_or(&whole).to_owned();
        let library = from.as_deref().unwrap_or(&whole);
        if library.starts_with('.') || !r.is_library(library) {
            others.push(alias.unwrap_or(first));
            continue;
        }
        match (&from, alias) {
            (Some(from), alias) => {
                let name = alias.unwrap_or_else(|| whole.clone());
                found.import(&name, &format!("{from}.{whole}"), from);
            }
            (None, Some(alias)) => found.import(&alias, &whole, &whole),
            (None, None) => found.import(&first, &first, &whole),
        }
    }
}
