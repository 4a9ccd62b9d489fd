//! Calls that change a container, that write, or that would show the emitter.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, Kind};

use crate::syntax::{expression_child, is_plain, wrap_probe};

/// Functions that change the array they are given first.
const CHANGING: [&str; 22] = [
    "array_push",
    "array_pop",
    "array_shift",
    "array_unshift",
    "array_splice",
    "array_walk",
    "array_multisort",
    "sort",
    "rsort",
    "usort",
    "uasort",
    "uksort",
    "asort",
    "arsort",
    "ksort",
    "krsort",
    "natsort",
    "natcasesort",
    "shuffle",
    "settype",
    "array_walk_recursive",
    "mb_parse_str",
];

/// Functions that write a variable, and which argument that is.
const FILLING: [(&str, usize); 6] = [
    ("preg_match", 2),
    ("preg_match_all", 2),
    ("str_replace", 3),
    ("similar_text", 2),
    ("parse_str", 1),
    ("exec", 1),
];

/// Functions in whose result the emitter would show.
const TELLING: [&str; 13] = [
    "get_defined_vars",
    "get_declared_classes",
    "get_defined_functions",
    "get_included_files",
    "get_required_files",
    "stream_get_wrappers",
    "get_defined_constants",
    "get_resources",
    "ini_get_all",
    "getlastmod",
    "getmyinode",
    "getmyuid",
    "getmygid",
];

/// Functions that print what they are given.
const PRINTING: [&str; 3] = ["var_dump", "print_r", "var_export"];

fn arguments(node: Node<'_>) -> Vec<Node<'_>> {
    let Some(list) = node.child_by_field_name("arguments") else {
        return Vec::new();
    };
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter(|child| !child.is_extra())
        .collect()
}

/// A positional argument's expression.
fn value_of(argument: Node<'_>) -> Option<Node<'_>> {
    (argument.kind() == "argument" && argument.child_by_field_name("name").is_none())
        .then(|| expression_child(argument))
        .flatten()
        .filter(|value| value.kind() != "variadic_unpacking")
}

/// A call by name.
pub(crate) fn call<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(callee) = node.child_by_field_name("function") else {
        return;
    };
    let name = r.text(callee).trim_start_matches('\\').to_ascii_lowercase();
    let list = arguments(node);
    if list.iter().any(|one| one.kind() == "variadic_placeholder") {
        return;
    }
    let first = list.first().copied().and_then(value_of);
    if matches!(name.as_str(), "exit" | "die") {
        if let Some(value) = first {
            wrap_probe(r, value, "ex(");
        }
    } else if TELLING.contains(&name.as_str()) {
        r.wrap(node, format!("\\trc0_tell('{name}',"), ")");
    } else if name == "pcntl_fork" {
        r.wrap(node, "\\trc0_fork(", ")");
    } else if PRINTING.contains(&name.as_str()) && list.len() == 1 {
        if let Some(value) = first {
            r.wrap(value, format!("\\trc0_pr('{name}',"), ")");
        }
    } else if matches!(name.as_str(), "printf" | "vprintf") {
        wrap_probe(r, node, "pf(");
    } else if matches!(name.as_str(), "fwrite" | "fputs") && list.len() == 2 {
        let stream = first.map(|first| r.text(first).into_owned());
        let number = match stream.as_deref().map(|name| name.trim_start_matches('\\')) {
            Some("STDOUT") => 1,
            Some("STDERR") => 2,
            _ => return,
        };
        if let Some(text) = value_of(list[1]) {
            wrap_probe(r, text, &format!("fw({number},"));
        }
    } else if r.wants(Detail::State) {
        if CHANGING.contains(&name.as_str()) {
            change(r, node, first);
        } else if let Some((_, place)) = FILLING.iter().find(|(known, _)| *known == name) {
            fill(r, node, list.get(*place).copied());
        }
    }
}

/// `sort($list)` and the like on a variable: the container before and after.
fn change<'a>(r: &mut Rewriter<'a>, node: Node<'a>, first: Option<Node<'a>>) {
    let Some(variable) = first.filter(|first| is_plain(r, *first)) else {
        return;
    };
    let name = r.text(variable).into_owned();
    let site = r.site(Kind::Transform, node);
    let text = r.label(node);
    r.set_names(site, [name.clone()]);
    r.site_mut(site).text = text;
    r.wrap(
        node,
        format!("\\trc0_ta({site},\\trc0_tb({site},{name}??null),"),
        format!(",{name}??null)"),
    );
}

/// `preg_match($pattern, $text, $found)`: what it wrote.
fn fill<'a>(r: &mut Rewriter<'a>, node: Node<'a>, argument: Option<Node<'a>>) {
    let Some(variable) = argument
        .and_then(value_of)
        .filter(|value| is_plain(r, *value))
    else {
        return;
    };
    let name = r.text(variable).into_owned();
    let site = r.site(Kind::Var, variable);
    r.set_names(site, [name.clone()]);
    r.wrap(
        node,
        format!("\\trc0_vd({site},"),
        format!(",{name}??null)"),
    );
}

/// At full detail, what a call or an operation gives, where its value alone is taken.
pub(crate) fn value<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if !r.wants(Detail::Full) {
        return;
    }
    let Some(parent) = r.parent(node) else { return };
    if let Some(operator) = node.child_by_field_name("operator")
        && matches!(
            operator.kind(),
            "&&" | "||"
                | "and"
                | "or"
                | "xor"
                | "??"
                | "instanceof"
                | "=="
                | "==="
                | "!="
                | "!=="
                | "<>"
                | "<"
                | ">"
                | "<="
                | ">="
        )
    {
        return;
    }
    let taken = match parent.kind() {
        "binary_expression" => parent
            .child_by_field_name("operator")
            .is_some_and(|operator| operator.kind() != "??"),
        "assignment_expression" => {
            parent.child_by_field_name("right") == Some(node)
                && parent
                    .child_by_field_name("left")
                    .is_some_and(|left| left.kind() != "list_literal")
                && node.kind() != "binary_expression"
        }
        "echo_statement" | "unary_op_expression" => true,
        _ => false,
    };
    let halts = node
        .child_by_field_name("function")
        .is_some_and(|name| matches!(r.text(name).as_ref(), "exit" | "die" | "__halt_compiler"));
    if !taken || halts {
        return;
    }
    let site = r.site(Kind::Var, node);
    let text = r.label(node);
    let entry = r.site_mut(site);
    entry.names = vec![text];
    entry.expression = true;
    wrap_probe(r, node, &format!("v({site},"));
}

/// Fibers: another stack of calls goes on.
pub(crate) fn method<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(name) = node.child_by_field_name("name") else {
        return;
    };
    let name = r.text(name).into_owned();
    let scope = node
        .child_by_field_name("scope")
        .map(|scope| r.text(scope).into_owned());
    let is_fiber = match scope {
        Some(scope) => scope.trim_start_matches('\\') == "Fiber" && name == "suspend",
        None => matches!(name.as_str(), "start" | "resume" | "throw"),
    };
    let uses_fibers = r.source.windows(5).any(|window| window == b"Fiber");
    if is_fiber && uses_fibers {
        r.wrap(node, "\\trc0_fb(\\trc0_fa(),", ")");
    }
}

/// `__COMPILER_HALT_OFFSET__`, which the insertions move.
pub(crate) fn name<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if r.text(node) == "__COMPILER_HALT_OFFSET__" {
        let path = r.options.file;
        r.wrap(node, format!("\\trc0_halt({path},"), ")");
    }
}

/// `include` and the like: the emitter is asked which text to take.
pub(crate) fn include<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(word), Some(path)) = (node.child(0), expression_child(node)) else {
        return;
    };
    let once = u8::from(word.kind().ends_with("_once"));
    let glued = path.start_byte() == word.end_byte();
    let space = if glued { " " } else { "" };
    r.wrap(path, format!("{space}\\trc0_inc({once},__DIR__,"), ")");
}
