//! `VAR`: variables declared and written.
//!
//! What was written is read back only where that runs no code of the program; elsewhere the value is
//! told on its way in.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::facts::{self, is_plain, is_readable};
use crate::statements;
use crate::syntax::{bound_names, children};

/// Methods of the standard library that change what they are called on.
const MUTATING: &[&str] = &[
    "append",
    "insert",
    "remove",
    "removeAll",
    "removeFirst",
    "removeLast",
    "removeSubrange",
    "removeValue",
    "updateValue",
    "merge",
    "sort",
    "reverse",
    "shuffle",
    "swapAt",
    "popLast",
    "popFirst",
    "formUnion",
    "formIntersection",
    "formSymmetricDifference",
    "subtract",
    "toggle",
    "negate",
    "reserveCapacity",
    "replaceSubrange",
    "partition",
];

/// Hook: `let` and `var` in a body.
pub(crate) fn declared<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State)
        || !is_plain(rewriter, node)
        || node.child_by_field_name("value").is_none()
        || !statements::takes_probe(rewriter, node)
    {
        return;
    }
    // Each name with a value of its own; `var a, b: Int` has none.
    let mut cursor = node.walk();
    let valued = node.children_by_field_name("value", &mut cursor).count();
    let mut cursor = node.walk();
    let patterns: Vec<Node<'_>> = node
        .children_by_field_name("name", &mut cursor)
        .filter(|name| name.kind() == "pattern")
        .collect();
    if valued < patterns.len() {
        return;
    }
    let mut names = bound_names(rewriter, node);
    if names.is_empty() {
        names = patterns
            .iter()
            .flat_map(|pattern| crate::syntax::item_names(rewriter, *pattern))
            .collect();
    }
    names.retain(|name| name != "_");
    tell(rewriter, node, names);
}

fn tell<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, names: Vec<String>) {
    if names.is_empty() {
        return;
    }
    let site = rewriter.site(Kind::Var, node);
    let text = match &names[..] {
        [name] => format!("; _tr_w({site}, {name})"),
        several => format!(
            "; _tr_w({site}, {}, each: {})",
            several.len(),
            several.join(", ")
        ),
    };
    rewriter.set_names(site, names);
    rewriter.close(node, text);
}

/// Hook: an assignment, or an operator that may be one.
pub(crate) fn write<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) || !statements::takes_probe(rewriter, node) {
        return;
    }
    if node.kind() == "infix_expression" {
        let target = node.child_by_field_name("lhs");
        let operator = node
            .child_by_field_name("op")
            .map(|op| rewriter.text(op).into_owned());
        let assigns = operator.is_some_and(|op| {
            op.ends_with('=') && !matches!(&*op, "==" | "!=" | "<=" | ">=" | "===" | "!==" | "~=")
        });
        if let Some(target) =
            target.filter(|target| assigns && target.kind() == "simple_identifier")
            && is_readable(rewriter, target)
        {
            let name = rewriter.text(target).into_owned();
            tell(rewriter, node, vec![name]);
        }
        return;
    }
    let Some(target) = node.child_by_field_name("target") else {
        return;
    };
    let plain = node
        .child_by_field_name("operator")
        .is_some_and(|operator| rewriter.text(operator) == "=");
    let name = rewriter.label(target);
    if name == "_" {
        return;
    }
    if is_readable(rewriter, target) {
        tell(rewriter, node, vec![name]);
        return;
    }
    if let Some(parts) = tuple_targets(target) {
        if parts.iter().all(|part| is_readable(rewriter, *part)) {
            let names = parts.iter().map(|part| rewriter.label(*part)).collect();
            tell(rewriter, node, names);
        }
        return;
    }
    let Some(value) = node.child_by_field_name("result").filter(|_| plain) else {
        return;
    };
    if matches!(value.kind(), "if_statement" | "switch_statement")
        || value.end_byte() != node.end_byte()
    {
        return;
    }
    let site = rewriter.site(Kind::Var, node);
    rewriter.set_names(site, [name]);
    rewriter.wrap(value, format!("_tr_v({site}, "), ")");
}

fn tuple_targets(target: Node<'_>) -> Option<Vec<Node<'_>>> {
    let tuple = target
        .named_child(0)
        .filter(|inner| inner.kind() == "tuple_expression")?;
    let mut cursor = tuple.walk();
    Some(tuple.children_by_field_name("value", &mut cursor).collect())
}

/// Hook: a call of a method that changes a variable in place.
pub(crate) fn call<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    if !rewriter.wants(Detail::State) || !statements::takes_probe(rewriter, node) {
        return;
    }
    let Some(callee) = node
        .named_child(0)
        .filter(|callee| callee.kind() == "navigation_expression")
    else {
        return;
    };
    let method = children(callee)
        .into_iter()
        .rfind(|part| part.kind() == "navigation_suffix");
    let method = method.map_or(String::new(), |suffix| {
        rewriter.text(suffix).trim_start_matches('.').to_owned()
    });
    let Some(target) = callee.child_by_field_name("target") else {
        return;
    };
    let optional = children(callee)
        .iter()
        .any(|part| matches!(part.kind(), "?" | "bang"));
    if MUTATING.contains(&&*method)
        && !optional
        && target.kind() != "call_expression"
        && facts::is_readable(rewriter, target)
    {
        let name = rewriter.label(target);
        tell(rewriter, node, vec![name]);
    }
}
