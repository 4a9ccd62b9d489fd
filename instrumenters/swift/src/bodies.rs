//! Functions, closures and accessors, told by one shape: where the body opens and closes, what it
//! gives back, and whether it is one expression.

use tracer_instrument::{Node, Rewriter};
use tracer_model::FunctionKind;

use crate::syntax::{self, child, children, statements_of};

/// What a body gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// Nothing.
    Nothing,
    /// A value.
    Value,
    /// A closure without a type: only the compiler knows.
    Unknown,
}

/// A body that runs as a frame of its own.
pub(crate) struct Body<'a> {
    /// The whole declaration or closure.
    pub(crate) whole: Node<'a>,
    /// Its `statements`, if it has any.
    pub(crate) statements: Option<Node<'a>>,
    /// Offset behind `{`, or behind a closure's `in`.
    pub(crate) start: usize,
    /// Offset of `}`.
    pub(crate) end: usize,
    /// What it gives back.
    pub(crate) gives: Gives,
    /// Whether an error can leave it.
    pub(crate) throws: bool,
    /// Whether it can be suspended.
    pub(crate) is_async: bool,
    /// What kind of function.
    pub(crate) kind: FunctionKind,
    /// Its name.
    pub(crate) name: String,
}

/// Whether a node is one of those.
pub(crate) fn is_function(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "function_declaration"
            | "init_declaration"
            | "deinit_declaration"
            | "computed_property"
            | "computed_getter"
            | "computed_setter"
            | "willset_clause"
            | "didset_clause"
            | "lambda_literal"
            | "subscript_declaration"
    )
}

impl<'a> Body<'a> {
    /// The body of a captured node. `None` where it has none, or where it is not one.
    pub(crate) fn of(rewriter: &Rewriter<'_>, node: Node<'a>) -> Option<Self> {
        let holder = match node.kind() {
            "function_declaration" | "init_declaration" | "deinit_declaration" => {
                node.child_by_field_name("body")?
            }
            "subscript_declaration" => return None,
            "computed_property" if !is_implicit_getter(node) => return None,
            "lambda_literal" if syntax::is_defer_block(rewriter, node) => return None,
            _ => node,
        };
        let parts = children(holder);
        let open = parts.iter().find(|part| part.kind() == "{")?;
        let close = parts.iter().rev().find(|part| part.kind() == "}")?;
        let statements = parts
            .iter()
            .find(|part| part.kind() == "statements")
            .copied();
        let start = parts
            .iter()
            .find(|part| part.kind() == "in")
            .map_or(open.end_byte(), Node::end_byte);
        let (gives, signature) = match node.kind() {
            "function_declaration" => {
                let head = signature(rewriter, node, holder.start_byte());
                (declared_result(rewriter, node), head)
            }
            "init_declaration" => (
                Gives::Nothing,
                signature(rewriter, node, holder.start_byte()),
            ),
            "computed_property" => (Gives::Value, String::new()),
            "computed_getter" => {
                let specifier = child(node, "getter_specifier");
                let text = specifier.map_or(String::new(), |node| rewriter.text(node).into_owned());
                (Gives::Value, text)
            }
            "lambda_literal" => lambda_result(rewriter, node),
            _ => (Gives::Nothing, String::new()),
        };
        let is_async = has_word(&signature, "async");
        let lambda = node.kind() == "lambda_literal";
        let throws = has_word(&signature, "throws")
            || has_word(&signature, "rethrows")
            || (lambda && statements.is_some_and(|inner| may_throw(inner)));
        Some(Self {
            whole: node,
            statements,
            start,
            end: close.start_byte(),
            gives,
            throws,
            is_async,
            kind: match node.kind() {
                _ if is_async => FunctionKind::Async,
                "lambda_literal" => FunctionKind::Lambda,
                "function_declaration" if !is_member(rewriter, node) => FunctionKind::Function,
                _ => FunctionKind::Method,
            },
            name: name(rewriter, node),
        })
    }

    /// The body around a node.
    pub(crate) fn around(rewriter: &Rewriter<'a>, node: Node<'a>) -> Option<Self> {
        let mut at = rewriter.parent(node);
        while let Some(node) = at {
            if is_function(node) {
                if let Some(body) = Self::of(rewriter, node) {
                    return Some(body);
                }
                if !syntax::is_defer_block(rewriter, node) {
                    return None;
                }
            }
            at = rewriter.parent(node);
        }
        None
    }

    /// Its only statement.
    pub(crate) fn only(&self) -> Option<Node<'a>> {
        let statements = statements_of(self.statements?);
        (statements.len() == 1).then(|| statements[0])
    }

    /// The expression that is the whole body, where the body has the expression's value.
    pub(crate) fn value(&self, rewriter: &Rewriter<'_>) -> Option<Node<'a>> {
        let only = self.only()?;
        let valued = match self.gives {
            Gives::Nothing => false,
            Gives::Value | Gives::Unknown => syntax::is_expression(rewriter, only),
        };
        (valued && !syntax::never_returns(rewriter, only)).then_some(only)
    }

    /// Whether the whole body is an `if` or `switch` that may be its value.
    pub(crate) fn is_choice(&self) -> bool {
        self.gives != Gives::Nothing
            && self
                .only()
                .is_some_and(|only| matches!(only.kind(), "if_statement" | "switch_statement"))
    }

    /// Whether a `defer` of its own runs when it is left.
    pub(crate) fn defers(&self, rewriter: &Rewriter<'_>) -> bool {
        self.statements.is_some_and(|inner| defers(rewriter, inner))
    }
}

fn defers(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|inner| {
        syntax::is_defer(rewriter, inner) || (!is_function(inner) && defers(rewriter, inner))
    })
}

/// Whether an error can leave a closure: a `try` or `throw` of its own, which may of course be
/// caught within.
fn may_throw(node: Node<'_>) -> bool {
    children(node).into_iter().any(|inner| {
        inner.kind() == "throw_keyword"
            || (inner.kind() == "try_operator" && inner.end_byte() - inner.start_byte() == 3)
            || (!is_function(inner) && may_throw(inner))
    })
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|part| part == word)
}

fn is_implicit_getter(node: Node<'_>) -> bool {
    children(node).iter().all(|part| {
        !matches!(
            part.kind(),
            "computed_getter" | "computed_setter" | "computed_modify"
        )
    })
}

fn is_member(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    rewriter
        .parent(node)
        .is_some_and(|parent| parent.kind().ends_with("class_body"))
}

/// The text between a declaration's parameters and its body.
fn signature(rewriter: &Rewriter<'_>, node: Node<'_>, end: usize) -> String {
    let last = children(node)
        .into_iter()
        .filter(|part| part.kind() == ")" && part.end_byte() <= end)
        .map(|part| part.end_byte())
        .next_back();
    let start = last.unwrap_or(node.start_byte()).min(end);
    String::from_utf8_lossy(&rewriter.source[start..end]).into_owned()
}

fn declared_result(rewriter: &Rewriter<'_>, node: Node<'_>) -> Gives {
    let arrow = children(node).into_iter().find(|part| part.kind() == "->");
    let Some(type_) = arrow.and_then(|arrow| arrow.next_named_sibling()) else {
        return Gives::Nothing;
    };
    match &*rewriter.text(type_) {
        "Void" | "()" | "Never" | "Swift.Void" => Gives::Nothing,
        _ => Gives::Value,
    }
}

fn lambda_result(rewriter: &Rewriter<'_>, node: Node<'_>) -> (Gives, String) {
    let Some(type_) = node.child_by_field_name("type") else {
        return (Gives::Unknown, String::new());
    };
    let text = rewriter.text(type_).into_owned();
    let gives = match text.rsplit_once("->") {
        Some((_, result)) if matches!(result.trim(), "Void" | "()") => Gives::Nothing,
        Some(_) => Gives::Value,
        None => Gives::Unknown,
    };
    let head = text
        .rfind(')')
        .map_or(String::new(), |at| text[at..].to_owned());
    (gives, if gives == Gives::Unknown { head } else { text })
}

fn name(rewriter: &Rewriter<'_>, node: Node<'_>) -> String {
    let property = |suffix: &str| {
        let mut at = rewriter.parent(node);
        while let Some(outer) = at {
            if outer.kind() == "property_declaration" {
                let pattern = outer.child_by_field_name("name");
                let name = pattern.map_or("_".into(), |name| rewriter.text(name));
                return format!("{name}.{suffix}");
            }
            if outer.kind() == "subscript_declaration" {
                return format!("subscript.{suffix}");
            }
            at = rewriter.parent(outer);
        }
        suffix.to_owned()
    };
    match node.kind() {
        "init_declaration" => "init".into(),
        "deinit_declaration" => "deinit".into(),
        "computed_property" | "computed_getter" => property("get"),
        "computed_setter" => property("set"),
        "willset_clause" => property("willSet"),
        "didset_clause" => property("didSet"),
        "lambda_literal" => "<closure>".into(),
        _ => node
            .child_by_field_name("name")
            .map_or("<func>".into(), |name| rewriter.text(name).into_owned()),
    }
}

/// Names of the parameters that can be reported: not closures, which may not escape into a probe.
pub(crate) fn parameters(rewriter: &Rewriter<'_>, node: Node<'_>) -> Vec<String> {
    match node.kind() {
        "function_declaration" | "init_declaration" | "subscript_declaration" => children(node)
            .into_iter()
            .filter(|part| part.kind() == "parameter")
            .filter_map(|part| parameter(rewriter, part))
            .collect(),
        "computed_property" | "computed_getter" => subscript_parameters(rewriter, node),
        "computed_setter" => {
            let mut names = subscript_parameters(rewriter, node);
            let named = child(node, "simple_identifier");
            names.push(named.map_or("newValue".into(), |name| rewriter.text(name).into_owned()));
            names
        }
        "lambda_literal" => lambda_parameters(rewriter, node),
        _ => Vec::new(),
    }
}

fn subscript_parameters(rewriter: &Rewriter<'_>, node: Node<'_>) -> Vec<String> {
    let mut at = rewriter.parent(node);
    for _ in 0..2 {
        match at {
            Some(outer) if outer.kind() == "subscript_declaration" => {
                return parameters(rewriter, outer);
            }
            Some(outer) => at = rewriter.parent(outer),
            None => break,
        }
    }
    Vec::new()
}

fn parameter(rewriter: &Rewriter<'_>, node: Node<'_>) -> Option<String> {
    let text = rewriter.text(node);
    let type_ = text.split_once(':').map_or("", |(_, type_)| type_);
    if type_.contains("->")
        || type_.contains('@')
        || type_.contains("borrowing")
        || type_.contains("consuming")
        || type_.contains('~')
    {
        return None;
    }
    let name = node.child_by_field_name("name")?;
    let name = rewriter.text(name).into_owned();
    (name != "_").then_some(name)
}

fn lambda_parameters(rewriter: &Rewriter<'_>, node: Node<'_>) -> Vec<String> {
    if let Some(type_) = node.child_by_field_name("type") {
        let Some(list) = child(type_, "lambda_function_type_parameters") else {
            return Vec::new();
        };
        return children(list)
            .into_iter()
            .filter(|part| part.kind() == "lambda_parameter")
            .filter_map(|part| parameter(rewriter, part))
            .collect();
    }
    let mut numbers = std::collections::BTreeSet::new();
    if let Some(statements) = child(node, "statements") {
        anonymous(rewriter, statements, &mut numbers);
    }
    numbers
        .into_iter()
        .map(|number| format!("${number}"))
        .collect()
}

/// The numbers of `$0`, `$1`, … used in a closure, nested closures left out.
fn anonymous(
    rewriter: &Rewriter<'_>,
    node: Node<'_>,
    numbers: &mut std::collections::BTreeSet<u32>,
) {
    for inner in children(node) {
        if inner.kind() == "simple_identifier" {
            let text = rewriter.text(inner);
            if let Some(number) = text
                .strip_prefix('$')
                .and_then(|digits| digits.parse().ok())
            {
                numbers.insert(number);
            }
        } else if inner.kind() != "lambda_literal" {
            anonymous(rewriter, inner, numbers);
        }
    }
}
