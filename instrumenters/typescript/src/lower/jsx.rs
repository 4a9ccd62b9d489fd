//! JSX: calls of the factory, where the elements stand.
//!
//! The factory is `React.createElement`, or what `@jsx` and `@jsxFrag` comments or the project name.
//! Where the project or a comment (`@jsxRuntime`, `@jsxImportSource`) says so, the functions are
//! imported instead (`automatic.rs`).

use oxc_ast::ast::{
    JSXAttributeItem, JSXAttributeName, JSXAttributeValue, JSXChild, JSXElement, JSXElementName,
    JSXExpression, JSXFragment, JSXMemberExpressionObject, JSXOpeningElement, Program,
};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use super::automatic::Automatic;
use super::enums::quoted;
use super::erase::{Lowerer, range};
use super::text::mark;
use crate::settings::Settings;

/// How a file's JSX becomes calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jsx {
    factory: String,
    fragment: String,
    used: bool,
    /// What is imported, if anything is.
    pub(crate) automatic: Option<Automatic>,
}

impl Jsx {
    pub(crate) fn of(source: &str, program: &Program<'_>, settings: &Settings) -> Self {
        let pragma = |name: &str| {
            program.comments.iter().find_map(|comment| {
                let text = &source[range(comment.content_span())];
                let (_, rest) = text.split_once(name)?;
                let word = rest.split_whitespace().next()?;
                rest.starts_with(char::is_whitespace)
                    .then(|| word.to_owned())
            })
        };
        let from = pragma("@jsxImportSource");
        let imports = match pragma("@jsxRuntime").as_deref() {
            Some("automatic") => true,
            Some("classic") => false,
            _ => from.is_some() || settings.jsx_imports && pragma("@jsx").is_none(),
        };
        let from = from.or_else(|| settings.jsx_source.clone());
        let (factory, fragment) = settings.jsx_factories.clone();
        let or = |name: Option<String>, other: &str| name.unwrap_or_else(|| other.to_owned());
        let used = program.source_type.is_jsx();
        Self {
            factory: or(pragma("@jsx").or(factory), "React.createElement"),
            fragment: or(pragma("@jsxFrag").or(fragment), "React.Fragment"),
            used,
            automatic: (used && imports).then(|| Automatic::new(or(from, "react"))),
        }
    }

    /// Whether a file without other imports is a module by what its JSX imports.
    pub(crate) fn imports(&self) -> bool {
        self.automatic.is_some()
    }

    /// What has to be imported: from where, its name there, its name here.
    pub(crate) fn needs(&self) -> Vec<(String, &'static str, &'static str)> {
        self.automatic
            .as_ref()
            .map_or_else(Vec::new, Automatic::needs)
    }

    /// Whether elements call something of this name.
    pub(crate) fn uses(&self, name: &str) -> bool {
        let base = |path: &str| path.split('.').next() == Some(name);
        self.used && self.automatic.is_none() && (base(&self.factory) || base(&self.fragment))
    }
}

impl<'a> Lowerer<'_> {
    /// `<a b={c}>…</a>`.
    pub(crate) fn jsx_element(&mut self, it: &JSXElement<'a>) {
        let opening = &it.opening_element;
        let start = opening.span.start as usize;
        let end = opening.span.end as usize;
        if self.automatic_element(it) {
            return;
        }
        self.edits
            .replace(start..start + 1, format!("{}(", self.jsx.factory));
        let from = self.jsx_name(opening);
        if opening.attributes.is_empty() {
            self.edits.close(from, ",null");
        }
        let from = self.jsx_attributes(&opening.attributes, from, ",");
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

    /// The name of an element; where it or what stands for its types ends.
    pub(crate) fn jsx_name(&mut self, opening: &JSXOpeningElement<'a>) -> usize {
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
        match &opening.type_arguments {
            Some(types) => {
                self.blank(range(types.span));
                types.span.end as usize
            }
            None => name.end,
        }
    }

    /// Attributes, as members of an object that the first of them opens; where the last ends, or
    /// `from`.
    fn jsx_attributes(
        &mut self,
        attributes: &[JSXAttributeItem<'a>],
        from: usize,
        comma: &str,
    ) -> usize {
        let mut end = from;
        for (index, attribute) in attributes.iter().enumerate() {
            let at = attribute.span().start as usize;
            let open = format!("{comma}{{");
            self.edits.open(at, if index == 0 { &open } else { "," });
            self.jsx_attribute(attribute);
            end = attribute.span().end as usize;
        }
        end
    }

    /// `<>…</>`.
    pub(crate) fn jsx_fragment(&mut self, it: &JSXFragment<'a>) {
        if self.automatic_fragment(it) {
            return;
        }
        let text = format!("{}({},null", self.jsx.factory, self.jsx.fragment);
        self.edits.replace(range(it.opening_fragment.span), text);
        self.jsx_children(&it.children);
        self.edits.replace(range(it.closing_fragment.span), ")");
    }

    pub(crate) fn jsx_attribute(&mut self, it: &JSXAttributeItem<'a>) {
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
        self.jsx_list(children, true);
    }

    /// Children with commas between them, and one in front of the first if wanted.
    pub(crate) fn jsx_list(&mut self, children: &[JSXChild<'a>], mut continues: bool) {
        for child in children {
            let comma = if continues { "," } else { "" };
            continues |= is_shown(child);
            match child {
                JSXChild::Text(it) => {
                    let text = shown(self.text(range(it.span)));
                    let text =
                        text.map_or_else(String::new, |text| format!("{comma}{}", quoted(&text)));
                    self.edits.replace(range(it.span), text);
                }
                JSXChild::Element(it) => {
                    self.edits.open(it.span.start as usize, comma);
                    self.jsx_element(it);
                }
                JSXChild::Fragment(it) => {
                    self.edits.open(it.span.start as usize, comma);
                    self.jsx_fragment(it);
                }
                JSXChild::ExpressionContainer(it) => match &it.expression {
                    JSXExpression::EmptyExpression(_) => self.blank(range(it.span)),
                    expression => {
                        self.jsx_container(it.span, expression, &format!("{comma}("));
                    }
                },
                JSXChild::Spread(it) => {
                    let span = range(it.span);
                    self.edits.replace(span.start..span.start + 1, comma);
                    self.visit_expression(&it.expression);
                    self.blank(span.end - 1..span.end);
                }
            }
        }
    }
}

/// Whether anything is left of a child.
pub(crate) fn is_shown(child: &JSXChild<'_>) -> bool {
    match child {
        JSXChild::Text(it) => shown(it.raw.map_or(it.value.as_str(), |raw| raw.as_str())).is_some(),
        JSXChild::ExpressionContainer(it) => {
            !matches!(it.expression, JSXExpression::EmptyExpression(_))
        }
        _ => true,
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
pub(crate) fn decoded(text: &str) -> String {
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
