//! Lambdas that are one expression: told where it is certain that they give a value.

use tracer_instrument::{Node, Rewriter};
use tracer_model::Kind;

use crate::context::{bare, has_word};
use crate::facts::Facts;
use crate::functions::{entry_call, register};

/// Library methods whose lambda gives a value.
const WANT_VALUE: &[&str] = &[
    "Select",
    "SelectMany",
    "Where",
    "Any",
    "All",
    "Count",
    "First",
    "FirstOrDefault",
    "Last",
    "LastOrDefault",
    "Single",
    "SingleOrDefault",
    "OrderBy",
    "OrderByDescending",
    "ThenBy",
    "ThenByDescending",
    "GroupBy",
    "ToDictionary",
    "ToLookup",
    "Sum",
    "Min",
    "Max",
    "Average",
    "Aggregate",
    "TakeWhile",
    "SkipWhile",
    "Zip",
    "Find",
    "FindAll",
    "FindIndex",
    "Exists",
    "RemoveAll",
    "ConvertAll",
    "TrueForAll",
    "Join",
    "DistinctBy",
    "MinBy",
    "MaxBy",
    "FindLast",
];

/// Whether an expression's type comes from where it stands.
pub(crate) fn has_no_type_of_its_own(r: &Rewriter<'_>, value: Node<'_>) -> bool {
    let value = bare(value);
    match value.kind() {
        "null_literal"
        | "default_expression"
        | "lambda_expression"
        | "anonymous_method_expression"
        | "throw_expression"
        | "implicit_object_creation_expression"
        | "ref_expression"
        | "stackalloc_expression"
        | "implicit_stackalloc_expression"
        | "switch_expression"
        | "collection_expression"
        | "initializer_expression"
        | "integer_literal" => true,
        "conditional_expression" => ["consequence", "alternative"]
            .iter()
            .filter_map(|field| value.child_by_field_name(field))
            .any(|part| has_no_type_of_its_own(r, part)),
        "tuple_expression" => {
            let mut cursor = value.walk();
            value
                .named_children(&mut cursor)
                .filter_map(last_part)
                .any(|part| has_no_type_of_its_own(r, part))
        }
        "identifier" | "member_access_expression" => r.text(value) == "default",
        _ => false,
    }
}

fn last_part(argument: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = argument.walk();
    argument.named_children(&mut cursor).last()
}

/// Whether an expression may stand as a statement, so that a lambda of it may give nothing.
fn may_be_statement(value: Node<'_>) -> bool {
    matches!(
        value.kind(),
        "invocation_expression"
            | "assignment_expression"
            | "postfix_unary_expression"
            | "await_expression"
            | "object_creation_expression"
            | "conditional_access_expression"
            | "implicit_object_creation_expression"
            | "throw_expression"
    ) || (value.kind() == "prefix_unary_expression"
        && matches!(crate::context::operator_of(value), "++" | "--" | "await"))
}

/// Whether the method that a lambda is given to wants a value of it.
fn value_is_wanted(r: &Rewriter<'_>, lambda: Node<'_>) -> bool {
    let call = lambda
        .parent()
        .filter(|parent| parent.kind() == "argument")
        .and_then(|argument| argument.parent())
        .and_then(|list| list.parent())
        .filter(|call| call.kind() == "invocation_expression");
    call.and_then(|call| call.child_by_field_name("function"))
        .and_then(|callee| callee.child_by_field_name("name"))
        .is_some_and(|name| {
            let text = r.text(name);
            let plain = text.split('<').next().unwrap_or_default();
            WANT_VALUE.contains(&plain)
        })
}

/// Whether a call is of a method that the file declares with a result.
fn calls_for_value<'a>(r: &mut Rewriter<'a>, value: Node<'a>) -> bool {
    let facts = Facts::of(r);
    let Some(callee) = value.child_by_field_name("function") else {
        return false;
    };
    callee.kind() == "identifier" && facts.methods.get(&*r.text(callee)) == Some(&Some(false))
}

/// A lambda whose body is one expression.
pub(crate) fn expression_bodied<'a>(r: &mut Rewriter<'a>, node: Node<'a>, body: Node<'a>) {
    let facts = Facts::of(r);
    let tellable = !facts.expression_trees
        && !has_word(r, node, "async")
        && !r.is_broken(body)
        && !has_no_type_of_its_own(r, body)
        && !has_pattern(body)
        && (!may_be_statement(body) || value_is_wanted(r, node) || calls_for_value(r, body));
    let (site, names) = register(r, node, body);
    if !tellable {
        r.drop_probe(node, "unsupported");
        return;
    }
    let out = r.site(Kind::Out, body);
    let label = r.label(body);
    r.set_names(out, [label]);
    let entry = entry_call(site, &names);
    r.wrap(body, format!("_tr.L({out},{entry},"), ")");
}

fn has_pattern(node: Node<'_>) -> bool {
    matches!(node.kind(), "ref_expression" | "stackalloc_expression")
}
