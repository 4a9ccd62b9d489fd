//! `VAR` for what functions of the C library write through their arguments: `scanf`, `strcpy`, ….
//!
//! Only what is certain to have been written: of `scanf`'s targets as many as it says it assigned.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::capture::{Into, Reach, capture};
use crate::context::{FileFacts, inside_parentheses, is_evaluated};
use crate::types::Type;

/// When a function has written.
#[derive(Clone, Copy, PartialEq)]
enum Wrote {
    /// As many of the arguments as it returns.
    Counted,
    /// The argument, if it does not return null.
    UnlessNull,
    /// The argument.
    Always,
    /// The argument, and it returns nothing.
    AlwaysVoid,
}

/// Names, the first argument written to, and when.
const WRITERS: &[(&str, usize, Wrote)] = &[
    ("scanf", 1, Wrote::Counted),
    ("fscanf", 2, Wrote::Counted),
    ("sscanf", 2, Wrote::Counted),
    ("fgets", 0, Wrote::UnlessNull),
    ("strcpy", 0, Wrote::Always),
    ("strncpy", 0, Wrote::Always),
    ("strcat", 0, Wrote::Always),
    ("strncat", 0, Wrote::Always),
    ("sprintf", 0, Wrote::Always),
    ("snprintf", 0, Wrote::Always),
    ("memcpy", 0, Wrote::Always),
    ("memmove", 0, Wrote::Always),
    ("memset", 0, Wrote::Always),
    ("qsort", 0, Wrote::AlwaysVoid),
];

/// What an argument lets a function write to: `x` of `&x`, or an array or text by its name.
fn target<'a>(rewriter: &mut Rewriter<'a>, argument: Node<'a>) -> Option<(Node<'a>, (Type, bool))> {
    let facts = FileFacts::of(rewriter);
    let argument = inside_parentheses(argument);
    let is_address = argument.kind() == "pointer_expression"
        && argument
            .child_by_field_name("operator")
            .is_some_and(|operator| operator.kind() == "&");
    let named = if is_address {
        inside_parentheses(argument.child_by_field_name("argument")?)
    } else {
        argument
    };
    if !crate::branches::is_path(named) {
        return None;
    }
    let type_ = facts.types.of_expression(rewriter, named)?;
    let fits = match type_.0.resolved() {
        Type::Array(..) => true,
        Type::Pointer(inner) => {
            is_address || matches!(inner.resolved(), Type::Scalar("c", _) | Type::Record(_))
        }
        _ => is_address,
    };
    fits.then_some((named, type_))
}

/// Reports what a call writes, if it is one of these.
pub(crate) fn call<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, name: &str) -> bool {
    let Some(&(_, first, wrote)) = WRITERS.iter().find(|(known, ..)| *known == name) else {
        return false;
    };
    let facts = FileFacts::of(rewriter);
    let own = facts.functions.contains(name) || facts.may_be_macro(name);
    if own || !rewriter.wants(Detail::State) || !is_evaluated(rewriter, node) {
        return false;
    }
    let Some(list) = node.child_by_field_name("arguments") else {
        return false;
    };
    let mut cursor = list.walk();
    let arguments: Vec<Node<'a>> = list
        .named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .collect();
    let count = if wrote == Wrote::Counted {
        usize::MAX
    } else {
        1
    };
    let mut probes = String::new();
    for (number, argument) in arguments.into_iter().skip(first).take(count).enumerate() {
        let Some((named, type_)) = target(rewriter, argument) else {
            continue;
        };
        let site = rewriter.site(Kind::Var, node);
        let label = rewriter.label(named);
        rewriter.set_names(site, [label]);
        let text = rewriter.text(named).into_owned();
        let at = named.start_byte();
        let probe = capture(
            rewriter,
            Into::Var(site),
            &text,
            Some(&type_),
            Reach::Objects,
            at,
        );
        match wrote {
            Wrote::Counted => write!(probes, "_tr_x>{number}&&({probe},0);"),
            Wrote::UnlessNull => write!(probes, "_tr_x&&({probe},0);"),
            Wrote::Always => write!(probes, "{probe};"),
            Wrote::AlwaysVoid => write!(probes, ",{probe}"),
        }
        .expect("a string takes any text");
    }
    if probes.is_empty() {
        return false;
    }
    if wrote == Wrote::AlwaysVoid {
        rewriter.wrap(node, "(", format!("{probes})"));
    } else {
        rewriter.wrap(node, "({__auto_type _tr_x=", format!(";{probes}_tr_x;}})"));
    }
    true
}
