//! Writes: assignments, `++`, `unset`, `static`.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::chains::{follow_write, next_of};
use crate::syntax::{
    close_statement, file, guarded, is_echoed, is_listed, is_plain, targets, texts, wrap_probe,
};

fn site_for<'a>(r: &mut Rewriter<'a>, node: Node<'a>, names: Vec<String>) -> u32 {
    let site = r.site(Kind::Var, node);
    r.set_names(site, names);
    site
}

/// The statement that is nothing but this expression, where something can stand behind it.
fn own_statement<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    r.parent(node).filter(|statement| {
        statement.kind() == "expression_statement"
            && is_listed(r, *statement)
            && !is_echoed(r, *statement)
    })
}

/// Whether the expression stands alone in the header of a `for`, where more may follow a comma.
fn in_header<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    let mut child = node;
    let mut parent = r.parent(node);
    while let Some(list) = parent.filter(|parent| parent.kind() == "sequence_expression") {
        child = list;
        parent = r.parent(list);
    }
    let Some(outer) = parent else { return false };
    outer.kind() == "for_statement"
        && (outer.child_by_field_name("update") == Some(child)
            || outer.child_by_field_name("initialize") == Some(child))
}

/// Reports a plain variable behind the expression that writes it. False where it cannot stand.
fn report_behind<'a>(r: &mut Rewriter<'a>, node: Node<'a>, target: Node<'a>) -> bool {
    // Behind a statement that is counted comes what was registered for ticks.
    let late = node.kind() != "reference_assignment_expression" && file(r).ticks;
    if !is_plain(r, target) || late {
        return false;
    }
    let name = r.text(target).into_owned();
    if let Some(statement) = own_statement(r, node) {
        let site = site_for(r, node, vec![name.clone()]);
        follow_write(r, node, site);
        let text = guarded(site, &format!("v({site},{name})"));
        close_statement(r, statement, &text);
        return true;
    }
    if in_header(r, node) {
        let site = site_for(r, node, vec![name.clone()]);
        r.close(
            node,
            format!(",(--\\Trc0::$f[{site}]<0&&\\trc0_v({site},{name}))"),
        );
        return true;
    }
    false
}

/// `$x = …`, also to elements, properties and lists.
pub(crate) fn assignment<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let Some(left) = node.child_by_field_name("left") else {
        return;
    };
    if matches!(left.kind(), "list_literal" | "array_creation_expression") {
        several(r, node, left);
        return;
    }
    if report_behind(r, node, left) {
        return;
    }
    let names = vec![r.label(left)];
    let site = site_for(r, node, names);
    follow_write(r, node, site);
    wrap_probe(r, node, &format!("v({site},"));
}

fn several<'a>(r: &mut Rewriter<'a>, node: Node<'a>, left: Node<'a>) {
    let mut found = Vec::new();
    targets(r, left, &mut found);
    if found.is_empty() {
        return;
    }
    let names = texts(r, &found);
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    let site = site_for(r, node, names);
    if let Some(statement) = own_statement(r, node).filter(|_| !file(r).ticks) {
        follow_write(r, node, site);
        close_statement(r, statement, &guarded(site, &format!("vn({site}{list})")));
        return;
    }
    r.wrap(node, format!("\\trc0_vd({site},"), format!("{list})"));
}

/// `$x = &$y`: the value both have from then on.
pub(crate) fn reference<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(left), Some(right)) = (
        node.child_by_field_name("left"),
        node.child_by_field_name("right"),
    ) else {
        return;
    };
    if report_behind(r, node, left) {
        return;
    }
    // An element or a property: it is not read, but what it is bound to, which runs nothing.
    let Some(statement) = own_statement(r, node) else {
        return;
    };
    let Some(list) = place(r, right) else { return };
    let names = vec![r.label(left)];
    let site = site_for(r, node, names);
    close_statement(r, statement, &guarded(site, &format!("vr({site},{list})")));
}

/// A variable and the keys behind it, if they are all plain: `$a['b'][$c]` as
/// `$a??null,'b',$c??null`.
pub(crate) fn place(r: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    if is_plain(r, node) {
        return Some(format!("{}??null", r.text(node)));
    }
    if node.kind() != "subscript_expression" || node.named_child_count() != 2 {
        return None;
    }
    let (base, key) = (node.named_child(0)?, node.named_child(1)?);
    let key = match key.kind() {
        "string" | "integer" => r.text(key).into_owned(),
        _ if is_plain(r, key) => format!("{}??null", r.text(key)),
        _ => return None,
    };
    Some(format!("{},{key}", place(r, base)?))
}

/// `$x += …`; `??=` only where it assigns.
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
    if operator.kind() == "??=" {
        let site = site_for(r, node, names);
        wrap_probe(r, right, &format!("v({site},"));
        return;
    }
    if report_behind(r, node, left) {
        return;
    }
    let site = site_for(r, node, names);
    follow_write(r, node, site);
    wrap_probe(r, node, &format!("v({site},"));
}

/// `$x++` and the like.
pub(crate) fn update<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) {
        return;
    }
    let (Some(argument), Some(operator)) = (
        node.child_by_field_name("argument"),
        node.child_by_field_name("operator"),
    ) else {
        return;
    };
    if report_behind(r, node, argument) {
        return;
    }
    let names = vec![r.label(argument)];
    let site = site_for(r, node, names);
    follow_write(r, node, site);
    let prefix = operator.start_byte() < argument.start_byte();
    let name = match (prefix, operator.kind()) {
        (true, _) => "v",
        (false, "++") => "pi",
        (false, _) => "pd",
    };
    wrap_probe(r, node, &format!("{name}({site},"));
}

/// `unset($x, $y[1])`.
pub(crate) fn unset<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) || !is_listed(r, node) {
        return;
    }
    let mut cursor = node.walk();
    let names: Vec<String> = node
        .named_children(&mut cursor)
        .filter(|child| !child.is_extra())
        .map(|child| r.label(child))
        .collect();
    let count = names.len();
    let site = site_for(r, node, names);
    let next = next_of(r, node);
    r.site_mut(site).chain.after = next;
    close_statement(r, node, &guarded(site, &format!("d({site},{count})")));
}

/// `static $x = …`: the value it has in this call.
pub(crate) fn fixed<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::State) || !is_listed(r, node) {
        return;
    }
    let mut cursor = node.walk();
    let found: Vec<Node<'a>> = node
        .named_children(&mut cursor)
        .filter_map(|child| child.child_by_field_name("name"))
        .filter(|name| is_plain(r, *name))
        .collect();
    if found.is_empty() {
        return;
    }
    let names = texts(r, &found);
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    let site = site_for(r, node, names);
    let next = next_of(r, node);
    r.site_mut(site).chain.after = next;
    close_statement(r, node, &guarded(site, &format!("vn({site}{list})")));
}
