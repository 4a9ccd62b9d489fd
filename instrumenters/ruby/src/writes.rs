//! Writes: assignments of all kinds, and calls that change a container.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::names::{is_local, targets};
use crate::statements::follow;
use crate::syntax::{around, bare, code_end, counted, is_list, is_void, last, probe, statements};

/// Methods that change an array, hash, set or string in place.
const CHANGING: [&str; 44] = [
    "push",
    "append",
    "pop",
    "shift",
    "unshift",
    "prepend",
    "insert",
    "concat",
    "delete",
    "delete_at",
    "delete_if",
    "clear",
    "fill",
    "replace",
    "store",
    "update",
    "add",
    "add?",
    "sort!",
    "sort_by!",
    "map!",
    "collect!",
    "select!",
    "filter!",
    "reject!",
    "keep_if",
    "uniq!",
    "compact!",
    "flatten!",
    "reverse!",
    "rotate!",
    "shuffle!",
    "slice!",
    "merge!",
    "merge",
    "subtract",
    "upcase!",
    "downcase!",
    "capitalize!",
    "swapcase!",
    "gsub!",
    "sub!",
    "chomp!",
    "strip!",
];

fn is_statement<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    r.parent(node).is_some_and(|parent| is_list(parent.kind()))
}

fn site_for<'a>(r: &mut Rewriter<'a>, node: Node<'a>, names: Vec<String>) -> u32 {
    let site = r.site(Kind::Var, node);
    r.set_names(site, names);
    if is_statement(r, node) {
        follow(r, node, site);
    }
    site
}

/// `x = …`, to any target, and several at once.
pub(crate) fn assignment<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(left), Some(right)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("right"),
    ) else {
        return;
    };
    if matches!(
        left.kind(),
        "left_assignment_list" | "destructured_left_assignment"
    ) {
        several(r, node, left);
        return;
    }
    if is_void(right) {
        return;
    }
    let names = vec![r.label(left)];
    let site = site_for(r, node, names);
    if is_behind(r, node, left) {
        behind(r, node, left, site);
        return;
    }
    let before = format!("{}({site},", probe("v"));
    if matches!(right.kind(), "right_assignment_list" | "splat_argument") {
        around(r, right, &format!("{before}["), "])");
    } else {
        around(r, right, &format!("{before}("), "))");
    }
}

/// `a, b = …`: what the variables hold afterwards. Attributes and elements are not read back.
fn several<'a>(r: &mut Rewriter<'a>, node: Node<'a>, left: Node<'a>) {
    let mut found = Vec::new();
    targets(left, &mut found);
    let names: Vec<String> = found
        .iter()
        .map(|name| r.text(*name).into_owned())
        .filter(|name| name != "_")
        .collect();
    if names.is_empty() {
        return;
    }
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    let site = site_for(r, node, names);
    let before = format!("{}({site},(", probe("m"));
    around(r, node, &before, &format!("){list})"));
}

/// `x += …`; `||=` and `&&=` only where they assign.
pub(crate) fn compound<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(left), Some(operator), Some(right)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("operator"),
        node.child_by_field_name("right"),
    ) else {
        return;
    };
    let names = vec![r.label(left)];
    if matches!(operator.kind(), "||=" | "&&=") {
        if is_void(right) {
            return;
        }
        let site = r.site(Kind::Var, node);
        r.set_names(site, names);
        around(r, right, &format!("{}({site},(", probe("v")), "))");
        return;
    }
    let site = site_for(r, node, names);
    if is_behind(r, node, left) {
        behind(r, node, left, site);
        return;
    }
    around(r, node, &format!("{}({site},(", probe("v")), "))");
}

/// Whether a write can be told by reading the variable in the next statement: nothing else wants the
/// assignment's value.
fn is_behind<'a>(r: &Rewriter<'a>, node: Node<'a>, left: Node<'a>) -> bool {
    matches!(left.kind(), "identifier" | "instance_variable")
        && is_statement(r, node)
        && r.parent(node).is_some_and(|list| {
            matches!(list.kind(), "do" | "program") || statements(list).last() != Some(&node)
        })
}

fn behind<'a>(r: &mut Rewriter<'a>, node: Node<'a>, left: Node<'a>, site: u32) {
    let name = r.text(left).into_owned();
    let text = format!(
        ";{}?({}={name}): {}({site},{name})",
        counted(site),
        last(site),
        probe("v"),
    );
    let extent = node.end_byte() - node.start_byte();
    r.close_at(code_end(node), extent, text);
}

/// `list << x` on a variable: the container before and after.
pub(crate) fn append<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if let Some(left) = node.child_by_field_name("left") {
        transform(r, node, left);
    }
}

/// `list.push(x)` and the like on a variable.
pub(crate) fn change<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(receiver), Some(method)) = (
        node.child_by_field_name("receiver"),
        node.child_by_field_name("method"),
    ) else {
        return;
    };
    let is_target = r.parent(node).is_some_and(|parent| {
        parent.child_by_field_name("left") == Some(node)
            && matches!(parent.kind(), "assignment" | "operator_assignment")
    });
    if CHANGING.contains(&r.text(method).as_ref()) && !is_target && !in_targets(r, node) {
        transform(r, node, receiver);
    }
}

fn in_targets<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    r.parent(node).is_some_and(|parent| {
        matches!(
            parent.kind(),
            "left_assignment_list" | "destructured_left_assignment" | "rest_assignment"
        )
    })
}

fn transform<'a>(r: &mut Rewriter<'a>, node: Node<'a>, container: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let container = bare(container);
    let readable = match container.kind() {
        "instance_variable" | "global_variable" => true,
        "identifier" => is_local(r, container),
        _ => false,
    };
    if !readable {
        return;
    }
    let name = r.text(container).into_owned();
    if name == "$stdout" || name == "$stderr" {
        return;
    }
    let site = r.site(Kind::Transform, node);
    let text = r.label(node);
    r.set_names(site, [name.clone()]);
    r.site_mut(site).text = text;
    let before = format!("{}({site},{}({site},{name}),(", probe("u"), probe("t"));
    around(r, node, &before, &format!("),{name})"));
}
