//! Sub-expressions and operands, at the highest detail.
//!
//! Each value is passed through a probe; nothing is evaluated twice or in another order.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

/// A call, operation, element or attribute: its value.
pub(crate) fn expression<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Full) || !is_read(r, node) {
        return;
    }
    // The grammar reads the star of `[*f()]` as part of the call.
    if r.source[node.start_byte()] == b'*' {
        return;
    }
    // A trace function that is set inside a probe's argument would see the probe.
    let text = r.text(node);
    if text.contains("settrace(") || text.contains("setprofile(") {
        return;
    }
    let site = r.site(Kind::Var, node);
    let label = r.label(node);
    r.site_mut(site).expression = true;
    r.set_names(site, [label]);
    r.wrap(node, format!("_tr_u{site}("), ")");
}

/// The operands of a condition: the parts of a comparison, or the whole of anything else simple.
pub(crate) fn operands<'a>(r: &mut Rewriter<'a>, condition: Node<'a>, site: u32) {
    if !r.wants(Detail::Full) {
        return;
    }
    let mut condition = condition;
    while matches!(
        condition.kind(),
        "parenthesized_expression" | "not_operator"
    ) {
        let Some(inner) = condition
            .named_child(0)
            .filter(|inner| inner.kind() != "comment")
        else {
            return;
        };
        condition = inner;
    }
    let parts: Vec<_> = match condition.kind() {
        "comparison_operator" => {
            let mut cursor = condition.walk();
            condition
                .named_children(&mut cursor)
                .filter(|part| part.kind() != "comment" && part.kind() != "line_continuation")
                .collect()
        }
        "identifier" | "attribute" | "subscript" | "call" => vec![condition],
        _ => return,
    };
    let mut names = Vec::new();
    // The compiler warns about some literals where it sees them.
    let literal = |part: &Node<'_>| {
        matches!(
            part.kind(),
            "integer"
                | "float"
                | "string"
                | "concatenated_string"
                | "none"
                | "true"
                | "false"
                | "tuple"
                | "ellipsis"
        )
    };
    let parts = parts.into_iter().filter(|part| !literal(part));
    for (index, part) in parts.enumerate() {
        names.push(r.label(part));
        r.wrap(part, format!("_tr_Q{site}_{index}("), ")");
    }
    r.set_names(site, names);
}

/// Whether the node's value is read, and may stand in parentheses where it is.
fn is_read<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        let field = |name: &str| {
            parent
                .child_by_field_name(name)
                .is_some_and(|found| found.id() == child.id())
        };
        match parent.kind() {
            // What is called is no value of interest, and what is written is none at all.
            "call" if child.id() == node.id() => return !field("function"),
            "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => {
                return !field("left");
            }
            "delete_statement"
            | "decorator"
            | "as_pattern_target"
            | "case_pattern"
            | "dotted_name"
            | "type"
            | "type_alias_statement"
            | "import_statement"
            | "import_from_statement"
            | "print_statement"
            | "exec_statement" => return false,
            // Inside a target's own brackets values are read.
            "subscript" if !field("value") => return true,
            "argument_list" | "parenthesized_expression" if child.id() != node.id() => return true,
            "attribute" | "subscript" | "tuple_pattern" | "list_pattern" | "pattern_list"
            | "list_splat_pattern" | "expression_list" | "tuple" | "list" => child = parent,
            _ => return true,
        }
    }
    true
}
