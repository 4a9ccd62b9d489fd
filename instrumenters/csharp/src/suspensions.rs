//! Iterators and `async`: calls that wait and go on. Threads are announced where they are made.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::chains;
use crate::context::{enclosing_function, is_special_type, is_whole_statement, takes_statement};
use crate::functions::{ENTRY, depth_name, result_type};

/// Hook: `yield return` and `yield break`.
pub(crate) fn yield_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(function) = enclosing_function(r, node) else {
        return;
    };
    let (Some(entry), Some(depth)) = (r.recall(function, ENTRY), depth_name(r, function)) else {
        return;
    };
    if !takes_statement(r, node) {
        return;
    }
    let mut cursor = node.walk();
    let value = node
        .named_children(&mut cursor)
        .find(|child| !child.is_extra());
    let Some(value) = value else {
        let site = r.site(Kind::Out, node);
        r.open(node, format!("_tr.O({site});"));
        return;
    };
    let out = r.site(Kind::Out, node);
    let label = r.label(value);
    r.set_names(out, [label]);
    let of = element_type(r, function);
    match of {
        Some(of) if !is_special_type(&of) && of != "dynamic" => {
            r.wrap(value, format!("_tr.Y<{of}>({out},"), ")");
        }
        _ => r.open(node, format!("_tr.Z({out});")),
    }
    let resume = r.site(Kind::Task, node);
    r.site_mut(resume).chain.after = chains::next_of(r, node);
    r.close(node, format!("{depth}=_tr.G({resume},{entry});"));
}

/// What an iterator gives one by one.
fn element_type(r: &Rewriter<'_>, function: Node<'_>) -> Option<String> {
    let written = result_type(r, function)?;
    match written.split_once('<') {
        Some((head, inner)) => {
            let head = head.rsplit('.').next().unwrap_or_default().trim();
            head.starts_with('I')
                .then(|| inner.strip_suffix('>').map(|inner| inner.trim().to_owned()))?
        }
        None => Some("object".into()),
    }
}

/// Hook: `await`.
pub(crate) fn await_expression<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(function) = enclosing_function(r, node) else {
        return;
    };
    let (Some(entry), Some(depth)) = (r.recall(function, ENTRY), depth_name(r, function)) else {
        return;
    };
    let mut cursor = node.walk();
    let Some(value) = node
        .named_children(&mut cursor)
        .find(|child| !child.is_extra())
    else {
        return;
    };
    let out = r.site(Kind::Out, node);
    let resume = r.site(Kind::Task, node);
    if let Some(statement) = is_whole_statement(r, node) {
        if !takes_statement(r, statement) {
            return;
        }
        r.site_mut(resume).chain.after = chains::next_of(r, statement);
        r.close(statement, format!("_tr.W({resume},{entry},ref {depth});"));
    } else {
        r.wrap(node, "_tr.W(", format!(",{resume},{entry},ref {depth})"));
    }
    // What is a variable may be a structure, of which `await` changes no copy.
    let call = match crate::context::bare(value).kind() {
        "identifier" | "member_access_expression" | "element_access_expression" => "_tr.AC",
        _ => "_tr.A",
    };
    r.wrap(value, format!(" {call}({out},"), format!(",ref {depth})"));
}

/// Hook: `new Thread(…)`.
pub(crate) fn creation<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(of) = node.child_by_field_name("type") else {
        return;
    };
    if !matches!(&*r.text(of), "Thread" | "System.Threading.Thread") {
        return;
    }
    let site = r.site(Kind::Task, node);
    r.wrap(node, format!("_tr.K({site},"), ")");
}
