//! Calls into libraries: `JSON.generate(x)` and `Set.new(x)` where the file requires what brings the
//! constant.
//!
//! The call stays as it is: arguments and result pass through probes, with nothing of ours between
//! caller and callee. A constant that the file defines itself may mean something else, and its calls
//! are left alone, as are methods of values.

use std::collections::BTreeSet;

use tracer_instrument::{LibraryNames, Node, Rewriter};
use tracer_model::Detail;

use crate::syntax::{around, counted, probe};

/// What the language's own library brings; the file says how it was made.
const CONSTANTS: &str = include_str!("../constants.txt");

struct Names(LibraryNames);

/// A method of a constant.
pub(crate) fn call<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(receiver), Some(method)) = (
        node.child_by_field_name("receiver"),
        node.child_by_field_name("method"),
    ) else {
        return;
    };
    let Some(root) = root(receiver) else { return };
    let names = r.memo(|r| Names(names(r)));
    let Some((constant, import)) = r.library_function(&names.0, root, receiver) else {
        return;
    };
    let callee = format!("{constant}.{}", r.text(method));
    match argued(r, node) {
        Ok(parts) => report(r, node, &callee, &import, &parts),
        Err(why) => r.leave_call(why),
    }
}

/// The constant that a chain of constants begins with.
fn root(receiver: Node<'_>) -> Option<Node<'_>> {
    let mut node = receiver;
    while node.kind() == "scope_resolution" {
        node = match node.child_by_field_name("scope") {
            Some(scope) => scope,
            None => return node.child_by_field_name("name"),
        };
    }
    (node.kind() == "constant").then_some(node)
}

/// An argument's value, and how it is passed.
type Part<'a> = (Node<'a>, String);

fn argued<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Result<Vec<Part<'a>>, &'static str> {
    let parent = r.parent(node);
    let is_target = parent.is_some_and(|parent| {
        matches!(
            parent.kind(),
            "left_assignment_list" | "destructured_left_assignment" | "rest_assignment"
        ) || parent.child_by_field_name("left") == Some(node)
            && matches!(parent.kind(), "assignment" | "operator_assignment")
    });
    if is_target {
        return Err("it is assigned to");
    }
    let Some(list) = node.child_by_field_name("arguments") else {
        return Ok(Vec::new());
    };
    let text = r.text(list);
    if ["yield", "Fiber", "callcc"]
        .iter()
        .any(|word| text.contains(word))
    {
        return Err("its arguments may wait");
    }
    let mut parts = Vec::new();
    let mut cursor = list.walk();
    for argument in list.named_children(&mut cursor) {
        let unreadable = "its arguments cannot be read";
        let (value, label) = match argument.kind() {
            "comment" | "heredoc_body" | "block_argument" => continue,
            "splat_argument" => (argument.named_child(0), "*".to_owned()),
            "hash_splat_argument" => (argument.named_child(0), "**".to_owned()),
            "pair" => {
                let key = argument.child_by_field_name("key").ok_or(unreadable)?;
                (
                    argument.child_by_field_name("value"),
                    r.text(key).into_owned(),
                )
            }
            "forward_argument" => return Err(unreadable),
            _ => (Some(argument), String::new()),
        };
        let value = value.filter(|value| !value.is_missing() && !value.has_error());
        parts.push((value.ok_or(unreadable)?, label));
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
    let begin = match parts.split_last() {
        Some(((last, _), others)) => {
            for (value, _) in others {
                around(r, *value, &format!("{}({site},(", probe("ck")), "))");
            }
            around(r, *last, &format!("{}({site},(", probe("ca")), "))");
            "co"
        }
        None => "cb",
    };
    let begin = format!("{}?nil: {}({site})", counted(site), probe(begin));
    around(r, node, &format!("{}({begin},(", probe("cr")), "))");
}

/// What the constants of the file stand for.
fn names(r: &Rewriter<'_>) -> LibraryNames {
    let mut required = Vec::new();
    let mut used = BTreeSet::new();
    let mut defined = Vec::new();
    let mut stack = vec![r.root()];
    let mut cursor = r.root().walk();
    while let Some(node) = stack.pop() {
        match node.kind() {
            "call" => match node.child_by_field_name("receiver") {
                Some(receiver) => {
                    used.extend(root(receiver).map(|root| r.text(root).into_owned()));
                }
                None => required.extend(import(r, node)),
            },
            "class" | "module" => {
                let name = node.child_by_field_name("name").and_then(root);
                defined.extend(name.map(|name| r.text(name).into_owned()));
            }
            "assignment" | "operator_assignment" => {
                let left = node.child_by_field_name("left");
                let left = left.filter(|left| left.kind() == "constant");
                defined.extend(left.map(|left| r.text(left).into_owned()));
            }
            _ => {}
        }
        stack.extend(node.named_children(&mut cursor));
    }
    let mut found = LibraryNames::default();
    required.sort();
    for import in &required {
        for constant in used.iter().filter(|constant| brings(import, constant)) {
            found.import(constant, constant, import);
        }
    }
    found.others(defined);
    found
}

/// What `require "…"` names, if that is a library.
fn import(r: &Rewriter<'_>, call: Node<'_>) -> Option<String> {
    let method = call.child_by_field_name("method")?;
    if r.text(method) != "require" {
        return None;
    }
    let text = call.child_by_field_name("arguments")?.named_child(0)?;
    let name = (text.kind() == "string").then(|| r.text(text))?;
    let name = name.trim_matches(['"', '\'']).to_owned();
    r.is_library(&name).then_some(name)
}

/// Whether a library brings a constant: the language's own by what they were seen to bring, others by
/// the custom that a file is named for its constant.
fn brings(import: &str, constant: &str) -> bool {
    let name = import.trim_end_matches(".rb");
    let mut known = CONSTANTS.lines().filter(|line| !line.starts_with('#'));
    let known = known.find_map(|line| {
        let (file, constants) = line.split_once(' ')?;
        (file == name).then_some(constants)
    });
    if let Some(known) = known {
        return known.split(' ').any(|known| known == constant);
    }
    let first = name.split(['/', '-']).next().unwrap_or(name);
    let squashed: String = first.chars().filter(|each| *each != '_').collect();
    squashed.eq_ignore_ascii_case(constant)
}
