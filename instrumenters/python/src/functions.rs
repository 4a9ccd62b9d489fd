//! Functions, lambdas, classes and the module: entered and left.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind};

use crate::blocks::{PREFIX, Place, follow, follow_next, insert_head, statements, whole};

/// The file's top-level code. The main file's runs without a call.
pub(crate) fn module<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    if r.options.file == 0 {
        let site = r.site(Kind::Err, node);
        insert_head(r, node, Place::Head, &format!("_tr_m{site}()"), true);
        return;
    }
    let site = ends(r, node);
    if insert_head(r, node, Place::Head, &format!("_tr_i{site}()"), true) {
        let block = statements(node);
        r.site_mut(site).chain.after = follow(r, &block, 0);
    }
}

/// Sites of a frame's beginning and, next in number, of its end by falling off or by an exception.
fn ends<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> u32 {
    let site = r.site(Kind::In, node);
    r.site(Kind::Out, node);
    site
}

/// `def` and `async def`.
pub(crate) fn function<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(name), Some(body)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    bind(r, node, name, body);
    let kind = if has_yield(body) {
        FunctionKind::Generator
    } else if node.child(0).is_some_and(|first| first.kind() == "async") {
        FunctionKind::Async
    } else if in_class(r, node) {
        FunctionKind::Method
    } else {
        FunctionKind::Function
    };
    let mut names = Vec::new();
    if let Some(list) = node.child_by_field_name("parameters") {
        parameters(r, list, &mut names);
    }
    let name = r.text(name).into_owned();
    r.enter_function(node, body, &name, ".", kind);
    let site = ends(r, node);
    r.set_names(site, names.clone());
    if insert_head(
        r,
        body,
        Place::Head,
        &format!("_tr_i{site}({})", names.join(",")),
        true,
    ) {
        let block = statements(body);
        r.site_mut(site).chain.after = follow(r, &block, 0);
    }
}

/// The write of the defined name, behind the definition.
fn bind<'a>(r: &mut Rewriter<'a>, node: Node<'a>, name: Node<'a>, body: Node<'a>) {
    let whole = whole(r, node);
    let decorated = whole.id() != node.id();
    let block = r.parent(whole).map_or("", |parent| parent.kind());
    if !r.wants(Detail::State) || decorated || !matches!(block, "block" | "module") {
        return;
    }
    let site = r.site(Kind::Var, name);
    let label = r.label(name);
    r.set_names(site, [label]);
    if insert_head(r, body, Place::Behind, &format!("_tr_q{site}"), true) {
        r.site_mut(site).chain.after = follow_next(r, node);
    }
}

fn in_class<'a>(r: &Rewriter<'a>, node: Node<'a>) -> bool {
    r.parent(whole(r, node))
        .and_then(|block| r.parent(block))
        .is_some_and(|owner| owner.kind() == "class_definition")
}

/// Names of the parameters, in order.
pub(crate) fn parameters(r: &Rewriter<'_>, list: Node<'_>, names: &mut Vec<String>) {
    let mut cursor = list.walk();
    for parameter in list.named_children(&mut cursor) {
        let name = match parameter.kind() {
            "identifier" => Some(parameter),
            "typed_parameter" | "list_splat_pattern" | "dictionary_splat_pattern" => {
                parameter.named_child(0)
            }
            "default_parameter" | "typed_default_parameter" => {
                parameter.child_by_field_name("name")
            }
            _ => None,
        };
        let name = name.and_then(|name| match name.kind() {
            "list_splat_pattern" | "dictionary_splat_pattern" => name.named_child(0),
            _ => Some(name),
        });
        if let Some(name) = name.filter(|name| name.kind() == "identifier") {
            names.push(r.text(name).into_owned());
        }
    }
}

/// Whether the body itself yields.
fn has_yield(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| match child.kind() {
            "yield" => true,
            "function_definition" | "class_definition" | "lambda" => false,
            _ => has_yield(child),
        })
}

/// `class`: its body runs as a frame.
pub(crate) fn class<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let (Some(name), Some(body)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("body"),
    ) else {
        return;
    };
    bind(r, node, name, body);
    let name = r.text(name).into_owned();
    r.enter_function(node, body, &name, ".", FunctionKind::Class);
    let site = ends(r, node);
    if insert_head(r, body, Place::Head, &format!("_tr_i{site}()"), true) {
        let block = statements(body);
        r.site_mut(site).chain.after = follow(r, &block, 0);
    }
}

/// `lambda`.
pub(crate) fn lambda<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let mut names = Vec::new();
    if let Some(list) = node.child_by_field_name("parameters") {
        parameters(r, list, &mut names);
    }
    r.enter_function(node, body, "<lambda>", ".", FunctionKind::Lambda);
    let entered = r.site(Kind::In, node);
    r.set_names(entered, names.clone());
    let left = r.site(Kind::Out, node);
    r.wrap(
        body,
        format!("_tr_r{left}(_tr_i{entered}({}) or (", names.join(",")),
        "))",
    );
}

/// `return`. Where code may still run before the call is over, its end is told then.
pub(crate) fn return_statement<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let site = r.site(Kind::Out, node);
    let defers = defers(r, node);
    let letter = if defers { 'D' } else { 'r' };
    let value = node
        .named_child(0)
        .filter(|value| value.kind() != "comment");
    match value {
        Some(value) => r.wrap(value, format!("_tr_{letter}{site}(("), "))"),
        // An asynchronous generator may not return a value, not even `None`.
        None => {
            r.open_at(
                node.start_byte(),
                PREFIX - 1,
                format!("_tr_{letter}{site}(None);"),
            );
        }
    }
}

/// Whether the function of a `return` has one that a `finally` or `with` comes behind. All its
/// returns are then told late, since the later one counts.
fn defers<'a>(r: &mut Rewriter<'a>, node: Node<'a>) -> bool {
    let mut function = node;
    while let Some(parent) = r.parent(function) {
        function = parent;
        if function.kind() == "function_definition" {
            break;
        }
    }
    if let Some(known) = r.recall(function, "defers") {
        return known == 1;
    }
    let found = function
        .child_by_field_name("body")
        .is_some_and(|body| returns_late(body, false));
    r.remember(function, "defers", u32::from(found));
    found
}

fn returns_late(node: Node<'_>, inside: bool) -> bool {
    let inside = inside
        || node.kind() == "with_statement"
        || node.kind() == "try_statement" && {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .any(|child| child.kind() == "finally_clause")
        };
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| match child.kind() {
            "return_statement" => inside,
            "function_definition" | "class_definition" | "lambda" => false,
            _ => returns_late(child, inside),
        })
}
