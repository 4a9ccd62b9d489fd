//! Calls that mean something to a trace: `panic`, `recover`, `go`, and library functions that
//! change what they are given.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::context::{self, has_writer};
use crate::facts::Facts;
use crate::{steps, writes};

/// Library functions that change their first argument in place.
const WRITERS: &[&str] = &[
    "copy",
    "clear",
    "delete",
    "sort.Ints",
    "sort.Strings",
    "sort.Float64s",
    "sort.Slice",
    "sort.SliceStable",
    "sort.Sort",
    "sort.Stable",
    "slices.Sort",
    "slices.SortFunc",
    "slices.SortStableFunc",
    "slices.Reverse",
    "heap.Init",
    "heap.Push",
];

/// Hook: a call.
pub(crate) fn call<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(callee), Some(list)) = (
        node.child_by_field_name("function"),
        node.child_by_field_name("arguments"),
    ) else {
        return;
    };
    if !has_writer(rewriter, node) {
        return;
    }
    let name = rewriter.text(callee).into_owned();
    let arguments: Vec<Node<'a>> = rewriter.children(list).nodes.clone();
    let deferred = rewriter
        .parent(node)
        .is_some_and(|parent| matches!(parent.kind(), "defer_statement" | "go_statement"));
    match (&*name, &arguments[..]) {
        ("panic", [value]) if !matches!(value.kind(), "nil") && !deferred => {
            let site = rewriter.site(Kind::Err, node);
            rewriter.wrap(*value, format!("_tr.E(_trw,{site},"), ")");
        }
        ("recover", []) if !deferred => {
            let site = rewriter.site(Kind::Err, node);
            rewriter.wrap(node, format!("_trw.R({site},"), ")");
        }
        (_, [first, ..]) if WRITERS.contains(&&*name) => changed(rewriter, node, *first),
        _ => {}
    }
}

/// What a call changed in place, behind the statement that it is.
fn changed<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, first: Node<'a>) {
    let Some(statement) = rewriter
        .parent(node)
        .filter(|parent| parent.kind() == "expression_statement")
    else {
        return;
    };
    if !rewriter.wants(Detail::State) || context::place(rewriter, statement).is_none() {
        return;
    }
    let facts = Facts::of(rewriter);
    let pointed = first.kind() == "unary_expression";
    let target = if pointed {
        match first.child_by_field_name("operand") {
            Some(operand) => operand,
            None => return,
        }
    } else {
        first
    };
    if target.kind() == "identifier" && facts.is_variable(&rewriter.text(target)) {
        let text = writes::probe(rewriter, statement, target);
        rewriter.close(statement, format!(";{}", text.trim_end_matches(';')));
    }
}

/// Hook: `go`.
pub(crate) fn go_statement<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(place) = context::place(rewriter, node) else {
        return;
    };
    if !rewriter.wants(Detail::Calls) {
        return;
    }
    let site = rewriter.site(Kind::Task, node);
    rewriter.open(place, format!("_trw.Go({site});"));
    rewriter.close(node, ";_trw.Gone()");
    if rewriter.wants(Detail::Lines) {
        steps::absorb(rewriter, node, site);
    }
}
