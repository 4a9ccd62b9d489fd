//! What an assignment's left side writes.

use tracer_instrument::{Node, Rewriter};

/// Adds the plain names that a target binds, in order, each once.
pub(crate) fn names(r: &Rewriter<'_>, target: Node<'_>, found: &mut Vec<String>) {
    match target.kind() {
        "identifier" => {
            let name = r.text(target).into_owned();
            if !found.contains(&name) {
                found.push(name);
            }
        }
        "attribute" | "subscript" | "call" => {}
        _ => {
            let mut cursor = target.walk();
            for child in target.named_children(&mut cursor) {
                names(r, child, found);
            }
        }
    }
}

/// Whether the target is one attribute or element.
pub(crate) fn is_place(target: Node<'_>) -> bool {
    matches!(target.kind(), "attribute" | "subscript")
}

/// The parts of a target list without stars, or of a plain tuple or list.
pub(crate) fn parts(target: Node<'_>) -> Option<Vec<Node<'_>>> {
    if !matches!(
        target.kind(),
        "pattern_list" | "tuple_pattern" | "list_pattern"
    ) {
        return None;
    }
    let mut cursor = target.walk();
    let parts: Vec<_> = target
        .named_children(&mut cursor)
        .filter(|part| part.kind() != "comment")
        .collect();
    let plain = |part: &Node<'_>| part.kind() == "identifier" || is_place(*part);
    parts.iter().all(plain).then_some(parts)
}
