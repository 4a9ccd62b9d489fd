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
        _ if rewriter.wants(Detail::Full) && is_operand(rewriter, node) && !is_constant(&name) => {
            let site = rewriter.site(Kind::Var, node);
            let label = rewriter.label(node);
            rewriter.set_names(site, [label]);
            rewriter.site_mut(site).expression = true;
            rewriter.wrap(node, format!("_tr.X(_trw,{site},"), ")");
        }
        _ => {}
    }
}

/// Whether a call is certain to give one value, which something is done with.
fn is_operand<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> bool {
    let Some(parent) = rewriter.parent(node) else {
        return false;
    };
    match parent.kind() {
        "binary_expression" | "parenthesized_expression" => true,
        "unary_expression" => parent
            .child_by_field_name("operator")
            .is_some_and(|operator| matches!(operator.kind(), "!" | "-")),
        "index_expression" => parent
            .child_by_field_name("index")
            .is_some_and(|index| index == node),
        // Of several arguments each is one value.
        "argument_list" => parent.named_child_count() > 1,
        _ => false,
    }
}

/// Whether a call may be a constant or a type's conversion, which have no type to pass on or none
/// that could be told from a call's.
fn is_constant(name: &str) -> bool {
    let builtin = matches!(
        name,
        "len" | "cap" | "min" | "max" | "complex" | "real" | "imag" | "make" | "new" | "append"
    );
    let conversion = matches!(
        name,
        "int"
            | "int8"
            | "int16"
            | "int32"
            | "int64"
            | "uint"
            | "uint8"
            | "uint16"
            | "uint32"
            | "uint64"
            | "uintptr"
            | "float32"
            | "float64"
            | "complex64"
            | "complex128"
            | "byte"
            | "rune"
            | "string"
            | "bool"
            | "any"
            | "error"
    );
    builtin || conversion || name.starts_with("unsafe.") || name.starts_with(['[', '(', '*'])
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
