//! `IN` and `OUT`: functions and lambdas entered and left.
//!
//! The first local of a body is a guard, whose destructor tells `OUT` however the body is left. A
//! return tells it the value: beforehand where that is a name or a literal, since a local must be
//! returned by its bare name to be moved; otherwise through a comma, which copies nothing.

use std::fmt::Write;
use std::rc::Rc;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{FunctionKind, Kind};

use crate::context::{self, inside_parentheses};
use crate::facts::FileFacts;
use crate::operands::is_name;
use crate::steps;

/// How a body runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// As usual: with a guard.
    #[default]
    Plain,
    /// It may run while compiling, where a guard may not be.
    Constant,
    /// It waits: a guard would tell when the coroutine is destroyed, not when it ends.
    Waits,
}

/// A body that is traced.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) name: String,
    /// Those that have a name.
    pub(crate) parameters: Vec<String>,
    /// The type it says that it returns, if that is a basic one.
    basic: Option<String>,
    /// Whether it returns `&&`, which must not become a value.
    passes_on: bool,
    pub(crate) sort: Sort,
    /// Whether its result's type is deduced.
    deduced: bool,
}

/// The body of a function or lambda that a node lies in, or is.
pub(crate) fn enclosing_body<'a>(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Node<'a>> {
    let mut at = Some(node);
    while let Some(inner) = at {
        let parent = rewriter.parent(inner)?;
        if inner.kind() == "compound_statement" && owner(rewriter, inner).is_some() {
            return Some(inner);
        }
        // A handler of a function's own try block runs when its locals are gone.
        if inner.kind() == "catch_clause"
            && rewriter
                .parent(parent)
                .is_some_and(|outer| outer.kind() == "function_definition")
        {
            return None;
        }
        at = Some(parent);
    }
    None
}

/// The definition or lambda whose body this is.
fn owner<'a>(rewriter: &Rewriter<'a>, body: Node<'a>) -> Option<Node<'a>> {
    let parent = rewriter.parent(body)?;
    match parent.kind() {
        "function_definition" | "lambda_expression" => Some(parent),
        "try_statement" | "constructor_try_statement" => rewriter
            .parent(parent)
            .filter(|outer| outer.kind() == "function_definition")
            .filter(|_| parent.child_by_field_name("body") == Some(body)),
        _ => None,
    }
}

impl Frame {
    /// The frame of the body that a node lies in, or is; `None` where there is none or it must not
    /// be touched.
    pub(crate) fn around<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) -> Option<Rc<Self>> {
        let body = enclosing_body(rewriter, node)?;
        let facts = FileFacts::of(rewriter);
        if let Some(known) = facts.frames.borrow().get(&body.id()) {
            return known.clone();
        }
        let made = Self::of(rewriter, body).map(Rc::new);
        facts.frames.borrow_mut().insert(body.id(), made.clone());
        made
    }

    fn of(rewriter: &Rewriter<'_>, body: Node<'_>) -> Option<Self> {
        let parent = body.parent()?;
        let owner = if parent.kind().ends_with("try_statement") {
            parent.parent()?
        } else {
            parent
        };
        let constant = when(rewriter, owner, body);
        if rewriter.is_broken(owner) || constant == When::Compiling {
            return None;
        }
        let sort = if has_await(body) {
            Sort::Waits
        } else if constant == When::Either {
            Sort::Constant
        } else {
            Sort::Plain
        };
        // Without a guard, only returns that were read tell that the call is left.
        if sort != Sort::Plain && body.has_error() {
            return None;
        }
        if owner.kind() == "lambda_expression" {
            let declarator = owner.child_by_field_name("declarator");
            let parameters = declarator
                .and_then(|declarator| declarator.child_by_field_name("parameters"))
                .map(|list| listed(rewriter, list))
                .unwrap_or_default();
            let declared = declarator.map(|node| rewriter.text(node).into_owned());
            return Some(Self {
                name: "<lambda>".into(),
                parameters,
                basic: None,
                passes_on: declared
                    .and_then(|text| Some(text.rsplit_once("->")?.1.contains("&&")))
                    .unwrap_or(false),
                sort,
                deduced: true,
            });
        }
        let declarator = owner.child_by_field_name("declarator")?;
        let function = function_declarator(owner);
        let name = match function {
            Some(function) => function.child_by_field_name("declarator")?,
            // `operator bool()` is not a function's declarator to the parser.
            None if declarator.kind() == "operator_cast" => declarator,
            None => return None,
        };
        let list = function.and_then(|function| function.child_by_field_name("parameters"));
        let parameters = list.map(|list| listed(rewriter, list)).unwrap_or_default();
        let head = &rewriter.source[owner.start_byte()..name.start_byte()];
        let result = owner.child_by_field_name("type");
        let basic = result
            .filter(|node| matches!(node.kind(), "primitive_type" | "sized_type_specifier"))
            .filter(|_| declarator.kind() == "function_declarator")
            .map(|node| rewriter.text(node).into_owned())
            .filter(|text| text != "void" && text != "auto");
        let label = rewriter.label(name);
        Some(Self {
            name: label
                .split_once('(')
                .filter(|_| declarator.kind() == "operator_cast")
                .map_or(label.clone(), |(head, _)| head.trim().to_owned()),
            parameters,
            basic,
            passes_on: head.ends_with(b"&&")
                || head.windows(2).any(|window| window == b"&&")
                || function.is_some_and(|function| {
                    let text = rewriter.text(function).into_owned();
                    text.rsplit_once("->")
                        .is_some_and(|(_, result)| result.contains("&&"))
                }),
            sort,
            deduced: result.is_some_and(|node| rewriter.text(node) == "auto"),
        })
    }
}

/// When a function may run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Running,
    /// `constexpr`.
    Either,
    /// `consteval`, or inside what only the compiler evaluates.
    Compiling,
}

fn when(rewriter: &Rewriter<'_>, owner: Node<'_>, body: Node<'_>) -> When {
    let declarator = owner.child_by_field_name("declarator");
    let head_end = declarator.map_or(body.start_byte(), |node| node.start_byte());
    let head = String::from_utf8_lossy(&rewriter.source[owner.start_byte()..head_end]);
    let says = |text: &str, word: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|part| part == word)
    };
    if says(&head, "consteval") {
        return When::Compiling;
    }
    if says(&head, "constexpr") {
        return When::Either;
    }
    if owner.kind() != "lambda_expression" {
        return When::Running;
    }
    let head = String::from_utf8_lossy(&rewriter.source[owner.start_byte()..body.start_byte()]);
    if says(&head, "consteval") {
        return When::Compiling;
    }
    let mut found = if says(&head, "constexpr") {
        When::Either
    } else {
        When::Running
    };
    // A lambda that a constant is made from, or that stands in a type.
    let mut at = owner.parent();
    while let Some(outer) = at {
        match outer.kind() {
            "declaration" | "field_declaration" => {
                let mut cursor = outer.walk();
                let constant = outer
                    .children(&mut cursor)
                    .any(|child| matches!(&*rewriter.text(child), "constexpr" | "constinit"));
                if constant {
                    found = When::Either;
                }
            }
            "static_assert_declaration" | "template_argument_list" | "decltype" => {
                return When::Compiling;
            }
            "compound_statement" => break,
            _ => {}
        }
        at = outer.parent();
    }
    found
}

/// Whether a body waits: `co_await`, `co_yield`, `co_return`, not counting lambdas in it.
fn has_await(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .any(|child| match child.kind() {
            "co_await_expression" | "co_yield_statement" | "co_return_statement" => true,
            "lambda_expression" => false,
            _ => has_await(child),
        })
}

fn has(node: Node<'_>, kind: &str) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|child| {
        child.kind() == kind || child.kind() != "lambda_expression" && has(child, kind)
    })
}

fn listed(rewriter: &Rewriter<'_>, list: Node<'_>) -> Vec<String> {
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter(|child| {
            matches!(
                child.kind(),
                "parameter_declaration" | "optional_parameter_declaration"
            )
        })
        .filter_map(|child| context::declared_name(child.child_by_field_name("declarator")?))
        .map(|name| rewriter.text(name).into_owned())
        .collect()
}

/// The function declarator of a definition: `f(int a)` in `int *f(int a)`.
pub(crate) fn function_declarator(definition: Node<'_>) -> Option<Node<'_>> {
    let mut node = definition.child_by_field_name("declarator")?;
    // The innermost: `int (*f(int a))(int b)` is a function of `a`.
    let mut found = None;
    loop {
        if node.kind() == "function_declarator" {
            found = Some(node);
        }
        let inner = node.child_by_field_name("declarator").or_else(|| {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .find(|child| child.kind().ends_with("declarator"))
        });
        match inner {
            Some(inner) => node = inner,
            None => return found,
        }
    }
}

/// Hook: a function's or lambda's body.
pub(crate) fn function<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    // A function's own try block has its body inside.
    let body = match node.kind() {
        "compound_statement" => node,
        _ => match node.child_by_field_name("body") {
            Some(body) => body,
            None => return,
        },
    };
    let Some(owner) = owner(rewriter, body) else {
        return;
    };
    let Some(frame) = Frame::around(rewriter, body) else {
        let name = function_declarator(owner)
            .and_then(|function| function.child_by_field_name("declarator"))
            .map_or("<lambda>".into(), |name| rewriter.label(name));
        rewriter.enter_function(owner, body, &name, "::", FunctionKind::Function);
        let why = if owner.has_error() {
            "syntax_error"
        } else {
            "constant"
        };
        rewriter.drop_probe(owner, why);
        return;
    };
    let kind = if frame.sort == Sort::Waits && has(body, "co_yield_statement") {
        FunctionKind::Generator
    } else if frame.sort == Sort::Waits {
        FunctionKind::Async
    } else if owner.kind() == "lambda_expression" {
        FunctionKind::Lambda
    } else {
        FunctionKind::Function
    };
    rewriter.enter_function(owner, body, &frame.name, "::", kind);
    let site = rewriter.site(Kind::In, owner);
    let mut text = String::new();
    if frame.name == "main" && FileFacts::of(rewriter).watch_output {
        text.push_str("_tr_pw();");
    }
    let out = rewriter.site(Kind::Out, owner);
    if frame.sort != Sort::Waits {
        let names = if frame.sort == Sort::Constant {
            "_tr_CONSTANT;"
        } else {
            ""
        };
        let _ = write!(text, "{names}_tr_frame _tr_G({out}u);");
    }
    let names = &frame.parameters;
    let _ = write!(text, "_tr_in({site}u,{}u)&&(", names.len());
    for name in names {
        let _ = write!(text, "_tr_a(0u,{name}),");
    }
    text.push_str("_tr_z(),0);");
    rewriter.set_names(site, names.iter().cloned());
    context::open_body(rewriter, body, &text);
    if let Some(first) = context::first_statement(rewriter, body)
        && let Some(step) = steps::imply(rewriter, first)
    {
        rewriter.site_mut(site).chain.after.push(step);
    }
    if !ends_in_return(body) {
        // The end of main returns 0.
        let text = match frame.name.as_str() {
            _ if frame.sort == Sort::Waits => format!("_tr_o({out}u);"),
            "main" => format!("_tr_q(_tr_G,{out}u,0);"),
            _ => format!("_tr_G.at({out}u);"),
        };
        rewriter.open_at(body.end_byte() - 1, 0, text);
    }
}

fn ends_in_return(body: Node<'_>) -> bool {
    let mut cursor = body.walk();
    body.named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .last()
        .is_some_and(|last| {
            matches!(
                last.kind(),
                "return_statement" | "throw_statement" | "co_return_statement"
            )
        })
}

/// Whether an expression is a literal, which is no longer the same in other expressions: `0` may be
/// a pointer.
fn is_literal(node: Node<'_>) -> bool {
    match node.kind() {
        "number_literal"
        | "char_literal"
        | "true"
        | "false"
        | "null"
        | "string_literal"
        | "raw_string_literal"
        | "concatenated_string" => true,
        "unary_expression" => node.child_by_field_name("argument").is_some_and(is_literal),
        _ => false,
    }
}

/// Hook: `return`.
pub(crate) fn leave<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
    let Some(frame) = Frame::around(rewriter, node) else {
        return;
    };
    if frame.sort == Sort::Waits {
        return;
    }
    if !context::takes_statement(rewriter, node) {
        rewriter.drop_probe(node, "unsupported");
        return;
    }
    let site = rewriter.site(Kind::Out, node);
    let mut cursor = node.walk();
    let value = node
        .named_children(&mut cursor)
        .find(|child| child.kind() != "comment");
    let Some(value) = value else {
        rewriter.open(node, format!("_tr_G.at({site}u);"));
        return;
    };
    let plain = inside_parentheses(value);
    if is_literal(plain) || is_name(rewriter, plain) {
        let text = rewriter.text(plain).into_owned();
        if !text.contains(['\n', '\\']) || is_literal(plain) && !text.contains('\n') {
            let known = frame
                .basic
                .as_ref()
                .filter(|_| is_literal(plain))
                .map(|name| format!("<{name}>"))
                .unwrap_or_default();
            rewriter.open(node, format!("_tr_q{known}(_tr_G,{site}u,{text});"));
            return;
        }
    }
    // The name of a function may stand for several.
    let lists = matches!(
        plain.kind(),
        "initializer_list" | "identifier" | "qualified_identifier"
    ) || plain.kind() == "pointer_expression" && rewriter.text(plain).starts_with('&');
    // Without a guard nothing tells of a value that only the language's own comma passes on.
    let unseen = frame.sort == Sort::Constant && frame.basic.is_none() && !frame.deduced;
    if lists
        || unseen
        || frame.passes_on
        || crate::operands::is_bit_field(rewriter, plain)
        || is_literal(plain)
    {
        rewriter.open(node, format!("_tr_fm(&_tr_G,{site}u);"));
        return;
    }
    let (before, after) = if value.kind() == "comma_expression" {
        ("(", "))")
    } else {
        ("", ")")
    };
    rewriter.wrap(value, format!("(_tr_r(_tr_G,{site}u),{before}"), after);
}
