//! `OUT` with a value: returns.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::constants::may_be_constant;
use crate::steps;
use crate::syntax::{bare, enclosing_function, parts, takes_statement};

/// How a value that is given back can be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Through a call that gives it back.
    Value,
    /// Only beside it: what it becomes hangs on where it stands, and it runs nothing.
    Bare,
}

/// The shape of an expression whose target type is not known.
pub(crate) fn shape(value: Node<'_>) -> Shape {
    match bare(value).kind() {
        "null_literal" | "lambda_expression" | "method_reference" => Shape::Bare,
        _ => Shape::Value,
    }
}

/// Hook: `return`.
pub(crate) fn leave<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !takes_statement(r, node) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let Some(function) = enclosing_function(r, node) else {
        return;
    };
    let site = r.site(Kind::Out, node);
    steps::absorb(r, node, site);
    let Some(value) = parts(node).into_iter().next() else {
        r.open(node, format!("trc$.P.o({site});"));
        return;
    };
    let probe = if function.kind() == "lambda_expression" {
        match shape(value) {
            Shape::Value => Some(format!("trc$.V.r({site},")),
            Shape::Bare => None,
        }
    } else {
        typed(r, function, value).map(|call| format!("trc$.V.{call}({site},"))
    };
    match probe {
        Some(before) => {
            // `return(x)` has no space to lose.
            let glued = value.start_byte() == node.start_byte() + "return".len();
            let space = if glued { " " } else { "" };
            r.wrap(value, format!("{space}{before}"), ")");
        }
        None => r.open(node, format!("trc$.P.o({site});")),
    }
}

/// The probe for a value of the function's declared type, which converts as `return` does.
fn typed<'a>(r: &mut Rewriter<'a>, function: Node<'a>, value: Node<'a>) -> Option<String> {
    let declared = function.child_by_field_name("type")?;
    let text = r.text(declared).into_owned();
    let dimensions = function
        .child_by_field_name("dimensions")
        .map(|dimensions| r.text(dimensions).into_owned())
        .unwrap_or_default();
    if dimensions.is_empty() {
        let primitive = match &*text {
            "boolean" => "rZ",
            "byte" => "rB",
            "short" => "rS",
            "char" => "rC",
            "int" => "rI",
            "long" => "rJ",
            "float" => "rF",
            "double" => "rD",
            _ => "",
        };
        if !primitive.is_empty() {
            return Some(primitive.into());
        }
        // A `return` narrows a constant before it boxes it; a call does not.
        let narrows = matches!(&*text, "Byte" | "Short" | "Character");
        if narrows && may_be_constant(r, bare(value)) {
            return None;
        }
    }
    if text.contains('@') || text.contains("//") || text.contains("/*") {
        return (shape(value) == Shape::Value).then(|| "r".to_owned());
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(format!("<{}{dimensions}>rL", words.join(" ")))
}
