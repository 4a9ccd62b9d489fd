//! Calls: methods, blocks and class bodies entered, left and unwound.
//!
//! A body stands in `begin … ensure … end`, so that every way out is told, and its value passes
//! through a probe. Neither is a scope or a frame.

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::names::parameters;
use crate::statements::first_of;
use crate::syntax::{around, enclosing_function, gap, is_void, probe, token};

/// Words that a keyword parameter may be named, but that cannot be read as a variable.
const RESERVED: [&str; 40] = [
    "alias",
    "and",
    "begin",
    "break",
    "case",
    "class",
    "def",
    "do",
    "else",
    "elsif",
    "end",
    "ensure",
    "false",
    "for",
    "if",
    "in",
    "module",
    "next",
    "nil",
    "not",
    "or",
    "redo",
    "rescue",
    "retry",
    "return",
    "self",
    "super",
    "then",
    "true",
    "undef",
    "unless",
    "until",
    "when",
    "while",
    "yield",
    "__FILE__",
    "__LINE__",
    "__ENCODING__",
    "BEGIN",
    "END",
];

/// Methods whose block returns from itself.
const MAKES_LAMBDA: [&str; 3] = ["lambda", "define_method", "define_singleton_method"];

fn names_of<'a>(r: &Rewriter<'a>, list: Option<Node<'a>>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(list) = list {
        parameters(list, &mut found);
    }
    found
        .into_iter()
        // Reading a block parameter would make an object of it.
        .filter(|name| {
            r.parent(*name)
                .is_none_or(|parent| parent.kind() != "block_parameter")
        })
        .map(|name| r.text(name).into_owned())
        .filter(|name| !RESERVED.contains(&name.as_str()) && !name.starts_with('_'))
        .collect()
}

/// The probe that reports arguments.
fn entry(site: u32, names: &[String]) -> String {
    let arity = match names.len() {
        few @ 0..=3 => few.to_string(),
        _ => "n".into(),
    };
    let list: String = names.iter().map(|name| format!(",{name}")).collect();
    format!("{}({site}{list});", probe(&format!("i{arity}")))
}

/// The modules around a definition, as Ruby writes them.
fn nesting<'a>(r: &Rewriter<'a>, node: Node<'a>) -> String {
    let mut names = Vec::new();
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        if matches!(parent.kind(), "class" | "module")
            && let Some(name) = parent.child_by_field_name("name")
        {
            names.push(r.text(name).into_owned());
        }
        child = parent;
    }
    names.reverse();
    names.join("::")
}

/// Where a function's sites are.
struct Frame {
    entered: u32,
    left: u32,
    value: u32,
}

fn sites<'a>(r: &mut Rewriter<'a>, node: Node<'a>, names: &[String]) -> Frame {
    let entered = r.site(Kind::In, node);
    r.set_names(entered, names.iter().cloned());
    let left = r.site(Kind::Out, node);
    // What the emitter expects right behind it: where an error is told that came up in the frame.
    r.site(Kind::Err, node);
    let value = r.site(Kind::Out, node);
    r.remember(node, "left", left);
    Frame {
        entered,
        left,
        value,
    }
}

/// Surrounds a body between two offsets.
fn surround<'a>(
    r: &mut Rewriter<'a>,
    node: Node<'a>,
    (start, end): (usize, usize),
    frame: &Frame,
    names: &[String],
    (value, void): (&str, bool),
) {
    let (mut head, mut tail) = (entry(frame.entered, names), String::new());
    if void {
        head.push_str("begin;begin;");
        tail.push_str(";end;");
    } else {
        head.push_str(&format!("begin;{}({},(begin;", probe(value), frame.value));
        tail.push_str(";end));");
    }
    tail.push_str(&format!(";ensure;{}({});end;", probe("o"), frame.left));
    let extent = node.end_byte() - node.start_byte();
    if start == end {
        r.open_at(start, extent, format!(";{head}{tail}"));
    } else {
        r.open_at(start, extent, format!(";{head}"));
        r.close_at(end, extent, tail);
    }
}

/// `def`, in all its forms.
pub(crate) fn method<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(name) = node.child_by_field_name("name") else {
        return;
    };
    let list = node.child_by_field_name("parameters");
    let body = node.child_by_field_name("body");
    let plain = r.text(name).into_owned();
    let outer = nesting(r, node);
    let singleton = node.kind() == "singleton_method";
    let id = r.enter_function(node, node, &plain, "::", FunctionKind::Method);
    let qualified = match node.child_by_field_name("object") {
        Some(object) if object.kind() != "self" => format!("{}.{plain}", r.text(object)),
        _ if outer.is_empty() => plain.clone(),
        _ if singleton => format!("{outer}.{plain}"),
        _ => format!("{outer}#{plain}"),
    };
    r.set_qualified(id, qualified);
    let names = names_of(r, list);
    let frame = sites(r, node, &names);
    let void = body.is_some_and(is_void);
    let Some(end) = token(node, "end") else {
        if let Some(body) = body {
            let head = format!(
                "begin;{}{}({},(",
                entry(frame.entered, &names),
                probe("r"),
                frame.value
            );
            let tail = format!("));ensure;{}({});end", probe("o"), frame.left);
            around(r, body, &head, &tail);
        }
        return;
    };
    let first = first_of(r, body);
    r.site_mut(frame.entered).chain.after = first;
    let start = list.map_or(name.end_byte(), |list| list.end_byte());
    surround(
        r,
        node,
        (start, end.start_byte()),
        &frame,
        &names,
        ("r", void),
    );
}

/// The body of a class or module runs as a frame.
pub(crate) fn class<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(end) = token(node, "end") else {
        return;
    };
    let head = node
        .child_by_field_name("superclass")
        .or_else(|| node.child_by_field_name("name"))
        .or_else(|| node.child_by_field_name("value"));
    let Some(head) = head else { return };
    let outer = nesting(r, node);
    let own = node
        .child_by_field_name("name")
        .map(|name| r.text(name).into_owned());
    let name = match &own {
        Some(own) => format!("<{}:{own}>", node.kind()),
        None => "singleton class".into(),
    };
    let id = r.enter_function(node, node, &name, "::", FunctionKind::Class);
    r.set_qualified(
        id,
        match own {
            Some(own) if outer.is_empty() => own,
            Some(own) => format!("{outer}::{own}"),
            None => name,
        },
    );
    let body = node.child_by_field_name("body");
    let frame = sites(r, node, &[]);
    let first = first_of(r, body);
    r.site_mut(frame.entered).chain.after = first;
    let void = body.is_some_and(is_void);
    let start = crate::syntax::code_end(head);
    surround(r, node, (start, end.start_byte()), &frame, &[], ("d", void));
}

/// What Ruby calls a block in a backtrace, short and with its modules.
fn block_name<'a>(r: &Rewriter<'a>, node: Node<'a>) -> (String, String) {
    let mut levels = 1;
    let mut function = enclosing_function(r, node);
    while matches!(function.kind(), "block" | "do_block") {
        levels += 1;
        function = enclosing_function(r, function);
    }
    let (short, long) = match function.kind() {
        "program" if r.options.file == 0 => ("<main>".into(), "<main>".into()),
        "program" => ("<top (required)>".into(), "<top (required)>".into()),
        _ => {
            let known = r
                .recall(function, "left")
                .and_then(|site| r.sites().iter().find(|known| known.id == site))
                .and_then(|site| r.function_entry(site.function));
            match known {
                Some(entry) => (entry.name.clone(), entry.qualified.clone()),
                None => ("?".into(), "?".into()),
            }
        }
    };
    let prefix = if levels == 1 {
        "block in".to_owned()
    } else {
        format!("block ({levels} levels) in")
    };
    (format!("{prefix} {short}"), format!("{prefix} {long}"))
}

/// A block: of a call, or the body of a `->`.
pub(crate) fn block<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let close = if node.kind() == "block" { "}" } else { "end" };
    let open = if node.kind() == "block" { "{" } else { "do" };
    let (Some(end), Some(start)) = (token(node, close), token(node, open)) else {
        return;
    };
    let owner = r.parent(node);
    let own = node.child_by_field_name("parameters");
    let list = own.or_else(|| {
        owner
            .filter(|owner| owner.kind() == "lambda")
            .and_then(|owner| owner.child_by_field_name("parameters"))
    });
    let body = node.child_by_field_name("body");
    let (name, qualified) = block_name(r, node);
    let id = r.enter_function(node, node, &name, "::", FunctionKind::Lambda);
    r.set_qualified(id, qualified);
    let mut names = names_of(r, list);
    if list.is_none() {
        names = numbered(r, node);
    }
    let frame = sites(r, node, &names);
    r.enter_loop(node, frame.entered);
    let first = first_of(r, body);
    r.site_mut(frame.entered).chain.after = first;
    let void = body.is_some_and(is_void);
    let from = own.map_or(start.end_byte(), |own| own.end_byte());
    surround(
        r,
        node,
        (from, end.start_byte()),
        &frame,
        &names,
        ("r", void),
    );
}

/// Numbered parameters that the block itself uses.
fn numbered<'a>(r: &Rewriter<'a>, block: Node<'a>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut stack = vec![block];
    let mut cursor = block.walk();
    while let Some(node) = stack.pop() {
        if node.kind() == "identifier" {
            let text = r.text(node);
            let digits = text.as_bytes();
            if digits.len() == 2 && digits[0] == b'_' && (b'1'..=b'9').contains(&digits[1]) {
                found.push(text.into_owned());
            }
        }
        let children: Vec<Node<'a>> = node.named_children(&mut cursor).collect();
        stack.extend(
            children
                .into_iter()
                .filter(|child| !crate::syntax::is_function(child.kind())),
        );
    }
    found.sort();
    found.dedup();
    found
}

/// What a jump leaves: the nearest loop or function, as `next` and `break` see it.
fn jumps_out<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut child = node;
    while let Some(parent) = r.parent(child) {
        match parent.kind() {
            "while" | "until" | "while_modifier" | "until_modifier" | "for" => return None,
            "block" | "do_block" => return Some(parent),
            kind if crate::syntax::is_function(kind) => return None,
            _ => child = parent,
        }
    }
    None
}

/// The frame that a `return` leaves, if it is not the one it stands in.
fn returns_through<'a>(r: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let own = enclosing_function(r, node);
    let mut function = own;
    while matches!(function.kind(), "block" | "do_block") {
        let lambda = r.parent(function).is_some_and(|owner| {
            owner.kind() == "lambda"
                || owner
                    .child_by_field_name("method")
                    .is_some_and(|name| MAKES_LAMBDA.contains(&r.text(name).as_ref()))
        });
        if lambda {
            break;
        }
        function = enclosing_function(r, function);
    }
    (function != own).then_some(function)
}

/// `return`, `next` and `break` report their value where they leave a frame.
pub(crate) fn leave<'a>(r: &mut Rewriter<'a>, node: Node<'a>) {
    let mut before = String::new();
    if node.kind() == "return" {
        let function = enclosing_function(r, node);
        if function.kind() == "program" {
            return;
        }
        match returns_through(r, node) {
            Some(outer) if outer.kind() == "program" => return,
            Some(outer) => {
                let Some(left) = r.recall(outer, "left") else {
                    return;
                };
                before = format!("{}({left},", probe("q"));
            }
            None => {}
        }
    } else if jumps_out(r, node).is_none() {
        return;
    }
    if before.is_empty() {
        let site = r.site(Kind::Out, node);
        before = format!("{}({site},", probe("r"));
    }
    let mut cursor = node.walk();
    let list = node
        .named_children(&mut cursor)
        .find(|child| child.kind() == "argument_list");
    let Some(list) = list else {
        let keyword = node.start_byte() + node.kind().len();
        r.close_at(keyword, 0, format!(" {before}nil)"));
        return;
    };
    let several = list.named_child_count() > 1
        || list.named_child(0).is_some_and(|only| {
            matches!(
                only.kind(),
                "splat_argument" | "pair" | "hash_splat_argument"
            )
        });
    let bracketed = token(list, "(").is_some_and(|paren| paren.start_byte() == list.start_byte());
    let (open, close) = match (several, bracketed) {
        (true, false) => ("[", "])"),
        _ => ("(", "))"),
    };
    let gap = gap(r, list.start_byte());
    let extent = list.end_byte() - list.start_byte();
    r.open(list, format!("{gap}{before}{open}"));
    r.close_at(crate::syntax::code_end(list), extent, close);
}
