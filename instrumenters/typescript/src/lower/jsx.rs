//! JSX: calls of the factory, where the elements stand.
//!
//! The factory is `React.createElement`, or what `@jsx` and `@jsxFrag` comments name.

use oxc_ast::ast::{
    JSXAttributeItem, JSXAttributeName, JSXAttributeValue, JSXChild, JSXElement, JSXElementName,
    JSXExpression, JSXFragment, JSXMemberExpressionObject, Program,
};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use super::enums::quoted;
use super::erase::{Lowerer, range};
use super::text::mark;

/// How a file's JSX becomes calls.
#[derive(Debug, Clone)]
pub(crate) struct Jsx {
    factory: String,
    fragment: String,
    used: bool,
}

impl Jsx {
    pub(crate) fn of(source: &str, program: &Program<'_>) -> Self {
        let pragma = |name: &str| {
            program.comments.iter().find_map(|comment| {
                let text = &source[range(comment.content_span())];
                let (_, rest) = text.split_once(name)?;
                let word = rest.split_whitespace().next()?;
                rest.starts_with(char::is_whitespace)
                    .then(|| word.to_owned())
            })
        };
        Self {
            factory: pragma("@jsx").unwrap_or_else(|| "React.createElement".to_owned()),
            fragment: pragma("@jsxFrag").unwrap_or_else(|| "React.Fragment".to_owned()),
            used: program.source_type.is_jsx(),
        }
    }

    /// Whether elements call something of this name.
    pub(crate) fn uses(&self, name: &str) -> bool {
        let base = |path: &str| path.split('.').next() == Some(name);
        self.used && (base(&self.factory) || base(&self.fragment))
    }
}

impl<'a> Lowerer<'_> {
    /// `<a b={c}>…</a>`.
    pub(crate) fn jsx_element(&mut self, it: &JSXElement<'a>) {
        let opening = &it.opening_element;
        let start = opening.span.start as usize;
        let end = opening.span.end as usize;
        self.edits
            .replace(start..start + 1, format!("{}(", self.jsx.factory));
        let name = range(opening.name.span());
        match &opening.name {
            JSXElementName::Identifier(_) | JSXElementName::NamespacedName(_) => {
                let text = quoted(self.text(name.clone()));
                self.edits.replace(name.clone(), text);
            }
            JSXElementName::IdentifierReference(it) => self.visit_identifier_reference(it),
            JSXElementName::MemberExpression(it) => {
                let mut object = &it.object;
                while let JSXMemberExpressionObject::MemberExpression(inner) = object {
                    object = &inner.object;
                }
                if let JSXMemberExpressionObject::IdentifierReference(it) = object {
                    self.visit_identifier_reference(it);
                }
            }
            JSXElementName::ThisExpression(_) => {}
        }
        let mut from = name.end;
        if let Some(types) = &opening.type_arguments {
            self.blank(range(types.span));
            from = types.span.end as usize;
        }
        if opening.attributes.is_empty() {
            self.edits.close(from, ",null");
        }
        for (index, attribute) in opening.attributes.iter().enumerate() {
            let at = attribute.span().start as usize;
            self.edits.open(at, if index == 0 { ",{" } else { "," });
            self.jsx_attribute(attribute);
            from = attribute.span().end as usize;
        }
        if !opening.attributes.is_empty() {
            self.edits.close(from, "}");
        }
        let closes = if it.closing_element.is_some() {
            ""
        } else {
            ")"
        };
        if let Some(slash) = mark(self.source, from, end, '/') {
            self.blank(slash..slash + 1);
        }
        self.edits.replace(end - 1..end, closes);
        self.jsx_children(&it.children);
        if let Some(closing) = &it.closing_element {
            self.edits.replace(range(closing.span), ")");
        }
    }

    /// `<>…</>`.
    pub(crate) fn jsx_fragment(&mut self, it: &JSXFragment<'a>) {
        let text = format!("{}({},null", self.jsx.factory, self.jsx.fragment);
        self.edits.replace(range(it.opening_fragment.span), text);
        self.jsx_children(&it.children);
        self.edits.replace(range(it.closing_fragment.span), ")");
    }

    fn jsx_attribute(&mut self, it: &JSXAttributeItem<'a>) {
        match it {
            JSXAttributeItem::SpreadAttribute(it) => {
                let span = range(it.span);
                self.blank(span.start..span.start + 1);
                self.visit_expression(&it.argument);
                self.blank(span.end - 1..span.end);
            }
            JSXAttributeItem::Attribute(it) => {
                let name = range(it.name.span());
                let text = self.text(name.clone());
                if matches!(it.name, JSXAttributeName::NamespacedName(_)) || text.contains('-') {
                    let text = quoted(text);
                    self.edits.replace(name.clone(), text);
                }
                let Some(value) = &it.value else {
                    self.edits.close(name.end, ":true");
                    return;
                };
                let equals = mark(self.source, name.end, value.span().start as usize, '=');
                if let Some(equals) = equals {
                    self.edits.replace(equals..equals + 1, ":");
                }
                match value {
                    JSXAttributeValue::StringLiteral(it) => {
                        let inner = it.span.start as usize + 1..it.span.end as usize - 1;
                        let text = quoted(&decoded(self.text(inner)));
                        self.edits.replace(range(it.span), text);
                    }
                    JSXAttributeValue::ExpressionContainer(it) => {
                        self.jsx_container(it.span, &it.expression, "(");
                    }
                    JSXAttributeValue::Element(it) => self.jsx_element(it),
                    JSXAttributeValue::Fragment(it) => self.jsx_fragment(it),
                }
            }
        }
    }

    fn jsx_container(&mut self, span: Span, expression: &JSXExpression<'a>, open: &str) {
        let span = range(span);
        self.edits.replace(span.start..span.start + 1, open);
        self.visit_jsx_expression(expression);
        self.edits.replace(span.end - 1..span.end, ")");
    }

    fn jsx_children(&mut self, children: &[JSXChild<'a>]) {
        for child in children {
            match child {
                JSXChild::Text(it) => {
                    let text = shown(self.text(range(it.span)));
                    let text = text.map_or_else(String::new, |text| format!(",{}", quoted(&text)));
                    self.edits.replace(range(it.span), text);
                }
                JSXChild::Element(it) => {
                    self.edits.open(it.span.start as usize, ",");
                    self.jsx_element(it);
                }
                JSXChild::Fragment(it) => {
                    self.edits.open(it.span.start as usize, ",");
                    self.jsx_fragment(it);
                }
                JSXChild::ExpressionContainer(it) => match &it.expression {
                    JSXExpression::EmptyExpression(_) => self.blank(range(it.span)),
                    expression => self.jsx_container(it.span, expression, ",("),
                },
                JSXChild::Spread(it) => {
                    let span = range(it.span);
                    self.edits.replace(span.start..span.start + 1, ",");
                    self.visit_expression(&it.expression);
                    self.blank(span.end - 1..span.end);
                }
            }
        }
    }
}

/// What is left of text between elements: lines without the white space around them, in one.
fn shown(text: &str) -> Option<String> {
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .collect();
    let last = lines.len() - 1;
    let mut shown: Vec<String> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let blank = |letter: char| matches!(letter, ' ' | '\t');
        let mut line = *line;
        if index > 0 {
            line = line.trim_start_matches(blank);
        }
        if index < last {
            line = line.trim_end_matches(blank);
        }
        if !line.is_empty() {
            shown.push(decoded(line));
        }
    }
    (!shown.is_empty()).then(|| shown.join(" "))
}

/// Text with its character references resolved, those that are common.
fn decoded(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        done.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|end| *end < 12);
        let letter = end.and_then(|end| {
            let name = &rest[1..end];
            match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                "nbsp" => Some('\u{a0}'),
                "copy" => Some('©'),
                "times" => Some('×'),
                "mdash" => Some('—'),
                "ndash" => Some('–'),
                "hellip" => Some('…'),
                _ => {
                    let number = name.strip_prefix('#')?;
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)
                }
            }
        });
        match (letter, end) {
            (Some(letter), Some(end)) => {
                done.push(letter);
                rest = &rest[end + 1..];
            }
            _ => {
                done.push('&');
                rest = &rest[1..];
            }
        }
    }
    done.push_str(rest);
    done
}
