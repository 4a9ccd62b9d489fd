//! JSX whose functions are imported: `jsx(type, {…, children}, key)`, as React calls its automatic
//! runtime. That of development, which adds places, is not used.

use std::collections::BTreeSet;

use oxc_ast::ast::{
    JSXAttribute, JSXAttributeItem, JSXAttributeName, JSXAttributeValue, JSXChild, JSXElement,
    JSXExpression, JSXFragment,
};
use oxc_ast_visit::Visit;
use oxc_span::GetSpan;

use super::edits::Part;
use super::enums::quoted;
use super::erase::{Lowerer, range};
use super::jsx::{decoded, is_shown};
use super::text::mark;

/// Where functions are imported from, and which are needed so far.
#[derive(Debug, Clone)]
pub(crate) struct Automatic {
    source: String,
    needed: BTreeSet<Needed>,
}

/// What elements call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needed {
    One,
    Several,
    Fragment,
    /// The older function.
    Create,
}

impl Automatic {
    pub(crate) fn new(source: String) -> Self {
        Self {
            source,
            needed: BTreeSet::new(),
        }
    }

    /// From where, the name there, the name here.
    pub(crate) fn needs(&self) -> Vec<(String, &'static str, &'static str)> {
        let runtime = format!("{}/jsx-runtime", self.source);
        let named = |needed: &Needed| match needed {
            Needed::One => (runtime.clone(), "jsx", needed.local()),
            Needed::Several => (runtime.clone(), "jsxs", needed.local()),
            Needed::Fragment => (runtime.clone(), "Fragment", needed.local()),
            Needed::Create => (self.source.clone(), "createElement", needed.local()),
        };
        self.needed.iter().map(named).collect()
    }
}

impl Needed {
    /// Its name in the file.
    fn local(self) -> &'static str {
        match self {
            Self::One => "$ts_jsx",
            Self::Several => "$ts_jsxs",
            Self::Fragment => "$ts_fragment",
            Self::Create => "$ts_create",
        }
    }
}

fn is_key(it: &JSXAttribute<'_>) -> bool {
    matches!(&it.name, JSXAttributeName::Identifier(name) if name.name == "key")
}

impl<'a> Lowerer<'_> {
    /// An element, if functions are imported.
    pub(crate) fn automatic_element(&mut self, it: &JSXElement<'a>) -> bool {
        if self.jsx.automatic.is_none() {
            return false;
        }
        let opening = &it.opening_element;
        let (start, end) = (opening.span.start as usize, opening.span.end as usize);
        let mut key = None;
        let (mut spread, mut late) = (false, false);
        for attribute in &opening.attributes {
            match attribute {
                JSXAttributeItem::SpreadAttribute(_) => spread = true,
                JSXAttributeItem::Attribute(attribute) if is_key(attribute) => {
                    late |= spread;
                    key = attribute.value.as_ref().or(key);
                }
                JSXAttributeItem::Attribute(_) => {}
            }
        }
        // A key behind a spread: which one counts is decided when it runs, by the older function.
        let several = it.children.iter().filter(|child| is_shown(child)).count() > 1
            || it
                .children
                .iter()
                .any(|child| matches!(child, JSXChild::Spread(_)));
        let callee = self.callee(several, late);
        self.edits.replace(start..start + 1, format!("{callee}("));
        let mut from = self.jsx_name(opening);
        self.edits.close(from, ",{");
        let mut comma = "";
        for attribute in &opening.attributes {
            let place = range(attribute.span());
            from = place.end;
            if let JSXAttributeItem::Attribute(own) = attribute
                && is_key(own)
                && own.value.is_some()
                && !late
            {
                self.edits.replace(place, "");
                continue;
            }
            self.edits.open(place.start, comma);
            self.jsx_attribute(attribute);
            comma = ",";
        }
        if let Some(slash) = mark(self.source, from, end, '/') {
            self.blank(slash..slash + 1);
        }
        let mut tail = Vec::new();
        if let Some(value) = key.filter(|_| !late) {
            tail.push(Part::Text(",".to_owned()));
            tail.extend(self.key_parts(value));
        }
        tail.push(Part::Text(")".to_owned()));
        let is_shown = it.children.iter().any(is_shown);
        let children = match (is_shown, several) {
            (false, _) => "",
            (true, true) => "children:[",
            (true, false) => "children:",
        };
        let children = match (children, late) {
            ("", true) => "}".to_owned(),
            ("", false) => String::new(),
            // The older function takes them behind the attributes.
            (_, true) => "},".to_owned(),
            (children, false) => format!("{comma}{children}"),
        };
        let close = match (late, is_shown && several) {
            (true, _) => "",
            (false, true) => "]}",
            (false, false) => "}",
        };
        tail.insert(0, Part::Text(close.to_owned()));
        let Some(closing) = &it.closing_element else {
            tail.insert(0, Part::Text(children));
            self.edits.replace_by(end - 1..end, tail);
            return true;
        };
        self.edits.replace(end - 1..end, children);
        self.jsx_list(&it.children, false);
        self.edits.replace_by(range(closing.span), tail);
        true
    }

    /// A fragment, if functions are imported.
    pub(crate) fn automatic_fragment(&mut self, it: &JSXFragment<'a>) -> bool {
        if self.jsx.automatic.is_none() {
            return false;
        }
        let count = it.children.iter().filter(|child| is_shown(child)).count();
        let several = count > 1
            || it
                .children
                .iter()
                .any(|child| matches!(child, JSXChild::Spread(_)));
        let callee = self.callee(several, false);
        if let Some(automatic) = &mut self.jsx.automatic {
            automatic.needed.insert(Needed::Fragment);
        }
        let (open, close) = match (count, several) {
            (0, _) => ("", "})"),
            (_, true) => ("children:[", "]})"),
            (_, false) => ("children:", "})"),
        };
        let text = format!("{callee}($ts_fragment,{{{open}");
        self.edits.replace(range(it.opening_fragment.span), text);
        self.jsx_list(&it.children, false);
        self.edits.replace(range(it.closing_fragment.span), close);
        true
    }

    fn callee(&mut self, several: bool, late: bool) -> &'static str {
        let Some(automatic) = &mut self.jsx.automatic else {
            return "";
        };
        let needed = match (late, several) {
            (true, _) => Needed::Create,
            (false, true) => Needed::Several,
            (false, false) => Needed::One,
        };
        automatic.needed.insert(needed);
        needed.local()
    }

    /// A key, which stands among the attributes and is handed over behind them.
    fn key_parts(&mut self, value: &JSXAttributeValue<'a>) -> Vec<Part> {
        let place = match value {
            JSXAttributeValue::StringLiteral(it) => {
                let inner = it.span.start as usize + 1..it.span.end as usize - 1;
                return vec![Part::Text(quoted(&decoded(self.text(inner))))];
            }
            JSXAttributeValue::ExpressionContainer(it) => {
                self.visit_jsx_expression(&it.expression);
                match &it.expression {
                    JSXExpression::EmptyExpression(_) => return Vec::new(),
                    expression => range(expression.span()),
                }
            }
            JSXAttributeValue::Element(it) => {
                self.jsx_element(it);
                range(it.span)
            }
            JSXAttributeValue::Fragment(it) => {
                self.jsx_fragment(it);
                range(it.span)
            }
        };
        vec![
            Part::Text("(".to_owned()),
            Part::Source(place),
            Part::Text(")".to_owned()),
        ]
    }
}
