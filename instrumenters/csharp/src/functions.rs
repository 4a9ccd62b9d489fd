//! `IN` and `OUT`: functions entered and left.
//!
//! A body behind `=>` becomes a block: the arrow is put into a comment. Where something runs between
//! a `return` and the end of the call (`finally`, `using`), or an error may pass that no code of the
//! program handles, the body stands in a `try` with a `finally` of its own, which changes no stack
//! trace.

use std::fmt::Write;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind};

use crate::chains;
use crate::context::{
    body_of, child_of_kind, enclosing_function, has_word, is_special_type, own_code,
    takes_statement, type_text,
};
use crate::lambdas;

/// What is kept about a function node: its `IN` site, whether a local holds its depth, and whether
/// its returns wait for the `finally` of its body.
pub(crate) const ENTRY: &str = "entry";
pub(crate) const DEPTH: &str = "depth";
pub(crate) const WAITS: &str = "waits";

/// Hook: a type, which qualifies what is inside. Namespaces do not: they are long, and the same in
/// every name.
pub(crate) fn type_declaration<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(name) = node.child_by_field_name("name") else {
        return;
    };
    let name = r.text(name).into_owned();
    if let Some(body) = node.child_by_field_name("body") {
        r.enter_class(body, &name);
    }
}

fn name_of(r: &Rewriter<'_>, node: Node<'_>) -> String {
    let own = node
        .child_by_field_name("name")
        .map(|name| r.text(name).into_owned());
    match node.kind() {
        "constructor_declaration" if has_word(r, node, "static") => ".cctor".into(),
        "constructor_declaration" => ".ctor".into(),
        "destructor_declaration" => "Finalize".into(),
        "operator_declaration" => {
            let operator = node.child_by_field_name("operator");
            format!("operator {}", operator.map_or("", |node| node.kind()))
        }
        "conversion_operator_declaration" => {
            let to = node.child_by_field_name("type");
            format!(
                "operator {}",
                to.map_or_else(String::new, |to| r.text(to).into_owned())
            )
        }
        "property_declaration" => format!("get_{}", own.unwrap_or_default()),
        "indexer_declaration" => "get_Item".into(),
        "accessor_declaration" => {
            let owner = node.parent().and_then(|list| list.parent());
            let owner_name = owner
                .and_then(|owner| owner.child_by_field_name("name"))
                .map_or_else(|| "Item".into(), |name| r.text(name).into_owned());
            format!("{}_{owner_name}", own.unwrap_or_default())
        }
        "lambda_expression" | "anonymous_method_expression" => "<lambda>".into(),
        _ => own.unwrap_or_else(|| "?".into()),
    }
}

/// The declared type of what a function gives, as it is written; `None` where it is not.
pub(crate) fn result_type(r: &Rewriter<'_>, function: Node<'_>) -> Option<String> {
    let written = match function.kind() {
        "method_declaration" => function.child_by_field_name("returns"),
        "local_function_statement"
        | "operator_declaration"
        | "conversion_operator_declaration"
        | "property_declaration"
        | "indexer_declaration" => function.child_by_field_name("type"),
        "accessor_declaration" => {
            let name = function.child_by_field_name("name")?;
            if r.text(name) != "get" {
                return Some("void".into());
            }
            function.parent()?.parent()?.child_by_field_name("type")
        }
        "constructor_declaration" | "destructor_declaration" => return Some("void".into()),
        // Only top-level statements that give an exit status have a `return` with a value.
        "compilation_unit" => return Some("int".into()),
        _ => None,
    }?;
    type_text(r, written)
}

/// A type as an argument of a generic method, or nothing where it is to be inferred: Mono's compiler
/// does not read a tuple within the arguments of such an argument.
fn type_argument(of: &str) -> String {
    match of.split_once('<') {
        Some((_, inner)) if inner.contains('(') => String::new(),
        _ => format!("<{of}>"),
    }
}

/// What a `return` of a function gives: `Some("void")` for nothing.
fn returned_type(r: &Rewriter<'_>, function: Node<'_>) -> Option<String> {
    let written = result_type(r, function)?;
    if !has_word(r, function, "async") {
        return Some(written);
    }
    let bare = written
        .rsplit_once('<')
        .map_or(&*written, |_| written.split('<').next().unwrap_or_default());
    if !matches!(bare.rsplit('.').next(), Some("Task" | "ValueTask")) {
        return (written == "void").then_some(written);
    }
    match written.split_once('<') {
        None => Some("void".into()),
        Some((_, inner)) => Some(inner.strip_suffix('>')?.trim().to_owned()),
    }
}

fn is_iterator(body: Node<'_>) -> bool {
    own_code(body, &mut |node| node.kind() == "yield_statement")
}

/// Whether something runs between a `return` of this body and the end of the call.
fn returns_early(r: &Rewriter<'_>, body: Node<'_>) -> bool {
    own_code(body, &mut |node| {
        let delays = match node.kind() {
            "try_statement" => child_of_kind(node, "finally_clause").is_some(),
            "using_statement" | "foreach_statement" | "lock_statement" => true,
            "local_declaration_statement" => {
                return crate::context::has_word(r, node, "using");
            }
            _ => false,
        };
        delays && own_code(node, &mut |inner| inner.kind() == "return_statement")
    })
}

/// The parameters that can be told: names that values can be read of.
fn parameters(r: &Rewriter<'_>, node: Node<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut list = node.child_by_field_name("parameters");
    let mut value = None;
    if node.kind() == "accessor_declaration" {
        let owner = node.parent().and_then(|list| list.parent());
        list = owner.and_then(|owner| owner.child_by_field_name("parameters"));
        let is_getter = node
            .child_by_field_name("name")
            .is_some_and(|name| r.text(name) == "get");
        let special = owner
            .and_then(|owner| owner.child_by_field_name("type"))
            .is_some_and(|of| is_special_type(&r.text(of)));
        value = (!is_getter && !special).then(|| "value".to_owned());
    }
    let Some(list) = list else {
        names.extend(value);
        return names;
    };
    if list.kind() == "implicit_parameter" {
        names.push(r.text(list).into_owned());
        return names;
    }
    let mut cursor = list.walk();
    for child in list.named_children(&mut cursor) {
        if child.kind() != "parameter" {
            continue;
        }
        let Some(name) = child.child_by_field_name("name") else {
            continue;
        };
        let special = child
            .child_by_field_name("type")
            .is_some_and(|of| is_special_type(&r.text(of)));
        if has_word(r, child, "out") || special || child.has_error() {
            continue;
        }
        let name_text = r.text(name).into_owned();
        let dynamic = child
            .child_by_field_name("type")
            .is_some_and(|of| r.text(of) == "dynamic");
        if name_text != "_" {
            names.push(if dynamic {
                format!("(object){name_text}")
            } else {
                name_text
            });
        }
    }
    // An array of parameters that is not a `parameter` node.
    if let Some(name) = list.child_by_field_name("name") {
        names.push(r.text(name).into_owned());
    }
    names.extend(value);
    names
}

/// The call that tells a function is entered.
pub(crate) fn entry_call(site: u32, names: &[String]) -> String {
    let list = names.join(",");
    match names.len() {
        0 => format!("_tr.I({site})"),
        1..=4 => format!("_tr.I({site},{list})"),
        _ => format!("_tr.J({site},new object[]{{{list}}})"),
    }
}

/// Registers a function and its `IN` site.
pub(crate) fn register<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    body: Node<'a>,
) -> (u32, Vec<String>) {
    let name = name_of(r, node);
    let kind = match node.kind() {
        "lambda_expression" | "anonymous_method_expression" if !has_word(r, node, "async") => {
            FunctionKind::Lambda
        }
        _ if is_iterator(body) => FunctionKind::Generator,
        _ if has_word(r, node, "async") => FunctionKind::Async,
        "local_function_statement" => FunctionKind::Function,
        _ => FunctionKind::Method,
    };
    r.enter_function(node, body, &name, ".", kind);
    let names = parameters(r, node);
    let site = r.site(Kind::In, node);
    let shown: Vec<String> = names
        .iter()
        .map(|name| name.trim_start_matches("(object)").to_owned())
        .collect();
    r.set_names(site, shown);
    r.remember(node, ENTRY, site);
    (site, names)
}

/// The local that holds a function's depth, if it has one.
pub(crate) fn depth_name(r: &Rewriter<'_>, function: Node<'_>) -> Option<String> {
    r.recall(function, DEPTH).map(|site| format!("_tr_d{site}"))
}

/// Hook: a function that has a body.
pub(crate) fn function<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = body_of(node) else {
        return;
    };
    if matches!(node.kind(), "lambda_expression") && body.kind() != "block" {
        lambdas::expression_bodied(r, node, body);
        return;
    }
    if r.is_broken(body) && body.kind() != "block" {
        return;
    }
    let asynchronous = has_word(r, node, "async");
    let iterator = is_iterator(body);
    let waits = !iterator && (asynchronous || returns_early(r, body));
    let needs_depth = waits
        || iterator
        || own_code(body, &mut |node| {
            matches!(node.kind(), "catch_clause" | "await_expression")
        });
    let (site, names) = register(r, node, body);
    let mut head = String::new();
    let told = passes_on(r, node).is_some_and(|argument| {
        r.wrap(
            argument,
            format!("_tr.D({},", entry_call(site, &names)),
            ")",
        );
        true
    });
    if needs_depth {
        r.remember(node, DEPTH, site);
        let _ = write!(head, "int _tr_d{site}=");
    }
    match (told, needs_depth) {
        (false, _) => head.push_str(&entry_call(site, &names)),
        (true, true) => head.push_str("_tr.J()"),
        (true, false) => {}
    }
    if !head.is_empty() {
        head.push(';');
    }
    let mut tail = String::new();
    let is_main = is_entry_point(r, node) && !asynchronous && !iterator && body.kind() == "block";
    if waits || is_main {
        head.push_str("try{");
        tail.push('}');
    }
    if is_main {
        let error = r.site(Kind::Err, node);
        let _ = write!(
            tail,
            "catch(global::System.Exception _tr_e{error})when(_tr.U({error},_tr_e{error})){{throw;}}"
        );
    }
    if waits {
        r.remember(node, WAITS, site);
        let _ = write!(tail, "finally{{_tr.F(_tr_d{site});}}");
    }
    let returned = returned_type(r, node);
    if body.kind() == "arrow_expression_clause" {
        arrow_body(r, node, body, returned.as_deref(), (&head, &tail));
        return;
    }
    if r.wants(Detail::Lines) && !told {
        r.site_mut(site).chain.after = chains::first_of(r, body);
    }
    let is_lambda = matches!(
        node.kind(),
        "lambda_expression" | "anonymous_method_expression"
    );
    let gives_nothing = if is_lambda {
        !own_code(body, &mut |node| {
            node.kind() == "return_statement" && node.named_child_count() > 0
        }) && !ends_in_throw(body)
    } else {
        returned.as_deref() == Some("void") || iterator
    };
    let mut end = String::new();
    if gives_nothing && !ends_abruptly(body) {
        let out = r.site(Kind::Out, node);
        let _ = write!(end, "{}({out});", if waits { "_tr.H" } else { "_tr.O" });
    }
    end.push_str(&tail);
    let extent = body.end_byte() - body.start_byte();
    let (start, last) = (body.start_byte() + 1, body.end_byte() - 1);
    r.open_at(start, extent, head);
    if start == last {
        r.open_at(start, 0, end);
    } else {
        r.close_at(last, extent - 1, end);
    }
}

/// The first thing that runs in a constructor which passes arguments on to another one, if its value
/// can pass through a probe.
fn passes_on<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let initializer = child_of_kind(node, "constructor_initializer")?;
    let list = child_of_kind(initializer, "argument_list").filter(|list| !list.has_error())?;
    let mut cursor = list.walk();
    for argument in list.named_children(&mut cursor) {
        if argument.kind() != "argument" {
            continue;
        }
        let mut parts = argument.walk();
        let value = argument
            .named_children(&mut parts)
            .filter(|child| !child.is_extra())
            .last()?;
        let by_reference = ["ref", "out", "in"]
            .iter()
            .any(|word| has_word(r, argument, word));
        if !by_reference && !lambdas::has_no_type_of_its_own(r, value) {
            return Some(value);
        }
        // What makes nothing run may stand in front of it.
        let plain = matches!(
            value.kind(),
            "null_literal" | "integer_literal" | "default_expression" | "lambda_expression"
        );
        if !plain {
            return None;
        }
    }
    None
}

/// Whether the last statement of a body leaves it: nothing behind that is reached.
pub(crate) fn ends_abruptly(body: Node<'_>) -> bool {
    if leaves(body) {
        return true;
    }
    let mut cursor = body.walk();
    body.named_children(&mut cursor)
        .filter(|child| !child.is_extra() && child.kind() != "local_function_statement")
        .last()
        .is_some_and(leaves)
}

fn leaves(statement: Node<'_>) -> bool {
    matches!(statement.kind(), "return_statement" | "throw_statement")
}

fn ends_in_throw(body: Node<'_>) -> bool {
    let mut cursor = body.walk();
    body.named_children(&mut cursor)
        .filter(|child| !child.is_extra())
        .last()
        .is_some_and(|last| last.kind() == "throw_statement")
}

fn is_entry_point(r: &Rewriter<'_>, node: Node<'_>) -> bool {
    node.kind() == "method_declaration"
        && has_word(r, node, "static")
        && node
            .child_by_field_name("name")
            .is_some_and(|name| r.text(name) == "Main")
}

/// `=> expression` that gives a value stays an expression: to Mono's compiler it has no line.
fn arrow_expression<'a>(
    r: &mut Rewriter<'a>,
    value: Node<'a>,
    out: u32,
    returned: Option<&str>,
    head: &str,
) -> bool {
    let entry = head.trim_end_matches(';');
    if value.kind() == "throw_expression" {
        let Some(error) = value.named_child(0).filter(|error| !error.is_extra()) else {
            return false;
        };
        r.wrap(error, format!(" _tr.D({entry},"), ")");
        return true;
    }
    let Some(of) = returned.filter(|of| !is_special_type(of) && !matches!(*of, "void" | "dynamic"))
    else {
        return false;
    };
    let argument = type_argument(of);
    if value.kind() == "ref_expression"
        || argument.is_empty() && lambdas::has_no_type_of_its_own(r, value)
    {
        return false;
    }
    r.wrap(value, format!("_tr.L{argument}({out},{entry},"), ")");
    true
}

/// `=> expression`: becomes a block, unless it can stay one.
fn arrow_body<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    body: Node<'a>,
    returned: Option<&str>,
    (head, tail): (&str, &str),
) {
    let Some(value) = body.named_child(0).filter(|value| !value.is_extra()) else {
        return;
    };
    let arrow = body.start_byte();
    // A property's accessors are its own; only the block of `get` may stand for `=>`.
    let (before, after) = if matches!(node.kind(), "property_declaration" | "indexer_declaration") {
        ("{get{", "}}")
    } else {
        ("{", "}")
    };
    let out = r.site(Kind::Out, value);
    let label = r.label(value);
    r.set_names(out, [label]);
    let waits = r.recall(node, WAITS).is_some();
    if r.recall(node, DEPTH).is_none() && arrow_expression(r, value, out, returned, head) {
        return;
    }
    let extent = body.end_byte() - arrow;
    let (text, close) = match returned {
        _ if value.kind() == "throw_expression" => (String::new(), String::new()),
        Some("void") => (
            String::new(),
            format!(";{}({out})", if waits { "_tr.H" } else { "_tr.O" }),
        ),
        Some(of)
            if !is_special_type(of)
                && of != "dynamic"
                && value.kind() != "ref_expression"
                && (!type_argument(of).is_empty()
                    || !lambdas::has_no_type_of_its_own(r, value)) =>
        {
            let call = if waits { "_tr.H" } else { "_tr.O" };
            let argument = type_argument(of);
            (format!("return {call}{argument}({out},"), ")".to_owned())
        }
        _ => (format!("_tr.O({out});return "), String::new()),
    };
    // `=>` is two bytes.
    r.open_at(arrow, extent, format!("{before}{head}/*"));
    r.open_at(arrow + 2, 0, format!("*/{text}"));
    r.close(value, close);
    let end = r.source[body.end_byte()..]
        .iter()
        .position(|&byte| byte == b';')
        .map_or(body.end_byte(), |at| body.end_byte() + at + 1);
    r.close_at(end, extent + 1, format!("{tail}{after}"));
}

/// Whether a `return` reports itself at once, with nothing before it.
pub(crate) fn tells_return<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    enclosing_function(r, node).is_some_and(|function| {
        r.recall(function, ENTRY).is_some() && r.recall(function, WAITS).is_none()
    })
}

/// Hook: `return`.
pub(crate) fn leave<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(function) = enclosing_function(r, node) else {
        return;
    };
    if r.recall(function, ENTRY).is_none() {
        return;
    }
    let mut cursor = node.walk();
    let value = node
        .named_children(&mut cursor)
        .find(|child| !child.is_extra());
    let waits = r.recall(function, WAITS).is_some();
    let call = if waits { "_tr.H" } else { "_tr.O" };
    if value.is_none() && !takes_statement(r, node) {
        r.drop_probe(node, "unsupported");
        return;
    }
    let site = r.site(Kind::Out, node);
    if !waits && chains::parts_are_quiet(r, node) {
        chains::absorb(r, node, site);
    }
    let Some(value) = value else {
        r.open(node, format!("{call}({site});"));
        return;
    };
    let label = r.label(value);
    r.set_names(site, [label]);
    let of = returned_type(r, function);
    let of = match of {
        Some(of) if is_special_type(&of) || of == "dynamic" => None,
        None if lambdas::has_no_type_of_its_own(r, value) => None,
        Some(of) if of == "int" && !waits => Some("i".to_owned()),
        Some(of) if type_argument(&of).is_empty() && lambdas::has_no_type_of_its_own(r, value) => {
            None
        }
        Some(of) => Some(type_argument(&of)),
        None => Some(String::new()),
    };
    match of.filter(|_| value.kind() != "ref_expression") {
        Some(of) => {
            let glued = value.start_byte() == node.start_byte() + "return".len();
            let space = if glued { " " } else { "" };
            r.wrap(value, format!("{space}{call}{of}({site},"), ")");
        }
        None if takes_statement(r, node) => r.open(node, format!("{call}({site});")),
        None => r.drop_probe(node, "unsupported"),
    }
}
