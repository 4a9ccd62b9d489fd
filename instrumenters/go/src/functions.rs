//! `IN` and `OUT`: functions entered and left, and the import that all probes need.
//!
//! The way out is reported by a deferred call that stands first, so that it sees what the function
//! gives in the end, and panics passing through. Results without names get some for it.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::context::{self, FRAME};
use crate::facts::{Facts, declared_names};
use crate::steps;

/// Directives of functions in which no call may be added.
const UNTOUCHABLE: &[&str] = &[
    "//go:nosplit",
    "//go:systemstack",
    "//go:nowritebarrier",
    "//go:uintptrkeepalive",
];

/// Most results that are told.
const RESULTS: usize = 4;

/// Hook: the package clause. What it inserts belongs to no probe.
pub(crate) fn package<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(name) = node.named_child(0) else {
        return;
    };
    let root = rewriter.root();
    let imports = rewriter
        .children(root)
        .nodes
        .iter()
        .copied()
        .rfind(|child| child.kind() == "import_declaration");
    // The import must be used, even where all probes are dropped.
    let (import, used) = (";import _tr \"index\"", ";var _=_tr.G");
    match imports {
        Some(last) => {
            rewriter.enclose(name, "", import);
            rewriter.enclose(last, "", used);
        }
        None => rewriter.enclose(name, "", &format!("{import}{used}")),
    }
}

fn is_untouchable(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    let mut before = node.prev_sibling();
    while let Some(comment) = before.filter(|before| before.kind() == "comment") {
        let text = rewriter.text(comment);
        if UNTOUCHABLE
            .iter()
            .any(|directive| text.starts_with(directive))
        {
            return true;
        }
        before = comment.prev_sibling();
    }
    false
}

/// The name of a method's receiver's type as Go prints it: `(*T)` or `T`.
fn receiver_type(rewriter: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    let declaration = node.child_by_field_name("receiver")?.named_child(0)?;
    let mut type_ = declaration.child_by_field_name("type")?;
    let pointer = type_.kind() == "pointer_type";
    if pointer {
        type_ = type_.named_child(0)?;
    }
    if type_.kind() == "generic_type" {
        type_ = type_.child_by_field_name("type")?;
    }
    let name = rewriter.text(type_).into_owned();
    Some(if pointer { format!("(*{name})") } else { name })
}

/// How Go calls a function literal: by the function it stands in, numbered.
fn literal_name<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> String {
    let mut outer = rewriter.parent(node);
    while let Some(around) = outer {
        if context::is_function(around.kind()) && around.child_by_field_name("body").is_some() {
            break;
        }
        outer = rewriter.parent(around);
    }
    let holder = outer.unwrap_or(rewriter.root());
    let number = rewriter.recall(holder, "literals").unwrap_or(0) + 1;
    rewriter.remember(holder, "literals", number);
    let Some(around) = outer else {
        return format!("{}.init.func{number}", Facts::of(rewriter).package);
    };
    let enclosing = rewriter
        .recall(around, "function")
        .and_then(|id| rewriter.function_entry(id))
        .map(|function| function.qualified.clone())
        .unwrap_or_default();
    if around.kind() == "func_literal" {
        format!("{enclosing}.{number}")
    } else {
        format!("{enclosing}.func{number}")
    }
}

fn register<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>, body: Node<'a>) {
    let package = Facts::of(rewriter).package.clone();
    let name = node
        .child_by_field_name("name")
        .map(|name| rewriter.text(name).into_owned());
    let (name, qualified, kind) = match (node.kind(), name) {
        ("method_declaration", Some(name)) => {
            let receiver = receiver_type(rewriter, node).unwrap_or_default();
            let qualified = format!("{package}.{receiver}.{name}");
            (
                format!("{receiver}.{name}"),
                qualified,
                FunctionKind::Method,
            )
        }
        (_, Some(name)) => {
            let qualified = format!("{package}.{name}");
            (name, qualified, FunctionKind::Function)
        }
        (_, None) => {
            let qualified = literal_name(rewriter, node);
            let name = qualified
                .strip_prefix(&format!("{package}."))
                .unwrap_or(&qualified)
                .to_owned();
            (name, qualified, FunctionKind::Lambda)
        }
    };
    let id = rewriter.enter_function(node, body, &name, ".", kind);
    rewriter.set_qualified(id, qualified);
    rewriter.remember(node, "function", id);
}

/// Names of the results, which get some where they have none: the insertions, in order.
fn results<'a>(
    rewriter: &Rewriter<'a>,
    node: Node<'a>,
) -> (Vec<String>, Vec<(usize, usize, String)>) {
    let Some(result) = node.child_by_field_name("result") else {
        return (Vec::new(), Vec::new());
    };
    let (start, end) = (result.start_byte(), result.end_byte());
    if result.kind() != "parameter_list" {
        let edits = vec![(start, 1, "(_tr0 ".to_owned()), (end, 0, ")".to_owned())];
        return (vec!["_tr0".into()], edits);
    }
    let (mut names, mut edits) = (Vec::new(), Vec::new());
    let mut cursor = result.walk();
    for declaration in result.named_children(&mut cursor) {
        if declaration.kind() != "parameter_declaration" {
            continue;
        }
        let mut inner = declaration.walk();
        let own: Vec<Node<'a>> = declaration
            .children_by_field_name("name", &mut inner)
            .collect();
        if own.is_empty() {
            let name = format!("_tr{}", names.len());
            edits.push((declaration.start_byte(), 1, format!("{name} ")));
            names.push(name);
        }
        for node in own {
            let text = rewriter.text(node).into_owned();
            if text == "_" {
                let suffix = format!("tr{}", names.len());
                names.push(format!("_{suffix}"));
                edits.push((node.end_byte(), 0, suffix));
            } else {
                names.push(text);
            }
        }
    }
    (names, edits)
}

/// Hook: a function with a body.
pub(crate) fn function<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    register(rewriter, node, body);
    if is_untouchable(rewriter, node) {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    rewriter.remember(node, FRAME, 1);
    let mut names = Vec::new();
    for field in ["receiver", "parameters"] {
        if let Some(list) = node.child_by_field_name(field) {
            let declared = declared_names(list);
            names.extend(
                declared
                    .iter()
                    .map(|name| rewriter.text(*name).into_owned()),
            );
        }
    }
    names.retain(|name| name != "_");
    let site = rewriter.site(Kind::In, node);
    let out = rewriter.site(Kind::Out, node);
    let mut text = format!("_trf,_trk:=_trw.I({site},{});if _trk{{", names.len());
    for name in &names {
        let _ = write!(text, "_tr.A(_trw,{name});");
    }
    text.push_str("_trw.Z()};");
    rewriter.set_names(site, names);
    let (results, edits) = results(rewriter, node);
    for (at, open, edit) in edits {
        if open == 1 {
            rewriter.open_at(at, usize::MAX >> 33, edit);
        } else {
            rewriter.close_at(at, 0, edit);
        }
    }
    match results.len() {
        count @ 1..=RESULTS => {
            let _ = write!(text, "defer _tr.L{count}(_trw,{out},_trf");
            for name in &results {
                let _ = write!(text, ",&{name}");
            }
            text.push_str(");");
        }
        _ => {
            let _ = write!(text, "defer _tr.L(_trw,{out},_trf);");
        }
    }
    // What every other probe of the function needs belongs to none of them.
    let writer = "_trw:=_tr.G();_=_trw;";
    match context::list(body) {
        Some(list) => {
            rewriter.enclose(list, writer, "");
            rewriter.open(list, text);
        }
        None => context::open_block(rewriter, body, &format!("{writer}{text}")),
    }
    if let Some(first) = context::first_statement(rewriter, body)
        && let Some(step) = steps::imply(rewriter, first)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
}
