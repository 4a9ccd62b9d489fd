//! Classes: modifiers go, parameter properties and `accessor` become code.

use std::ops::Range;

use oxc_ast::ast::{
    BindingPattern, BindingPatternKind, Class, ClassElement, Expression, FormalParameter, Function,
    MethodDefinition, MethodDefinitionKind, MethodDefinitionType, PropertyDefinition,
    PropertyDefinitionType, PropertyKey, Statement,
};
use oxc_ast_visit::Visit;
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;

use super::erase::{Lowerer, range};
use super::text::{skip_trivia, word, words};

/// Words in front of a member or parameter that only the type checker reads.
const MODIFIERS: [&str; 7] = [
    "public",
    "private",
    "protected",
    "abstract",
    "override",
    "readonly",
    "declare",
];

impl<'a> Lowerer<'_> {
    /// A class. `export` is the whole export statement it stands in.
    pub(crate) fn class(&mut self, it: &Class<'a>, export: Option<Range<usize>>, default: bool) {
        let body = it.body.span.start as usize;
        self.decorate_class(it, export, default);
        let from = it.decorators.last().map_or(it.span.start, |last| last.span.end) as usize;
        if it.r#abstract
            && let Some(at) = word(self.source, from, body, "abstract")
        {
            self.blank(at..at + "abstract".len());
        }
        if let Some(types) = &it.type_parameters {
            self.blank(range(types.span));
        }
        let mut heritage = it.id.as_ref().map_or(from, |id| id.span.end as usize);
        if let Some(types) = &it.type_parameters {
            heritage = types.span.end as usize;
        }
        if let Some(parent) = &it.super_class {
            self.visit_expression(parent);
            heritage = parent.span().end as usize;
        }
        if let Some(types) = &it.super_type_arguments {
            self.blank(range(types.span));
            heritage = types.span.end as usize;
        }
        if let Some(last) = it.implements.last()
            && let Some(at) = word(self.source, heritage, body, "implements")
        {
            self.blank(at..last.span.end as usize);
        }
        for element in &it.body.body {
            if let ClassElement::MethodDefinition(method) = element
                && method.kind == MethodDefinitionKind::Constructor
            {
                self.parameter_properties(&method.value, it.super_class.is_some());
            }
            self.visit_class_element(element);
        }
        self.classes.pop();
    }

    /// Erases the modifiers of a stretch; where the first of them stood, if any did.
    pub(crate) fn blank_modifiers(&mut self, from: usize, to: usize) -> Option<usize> {
        let mut first = None;
        for (at, word) in words(self.source, from, to) {
            if MODIFIERS.contains(&word) {
                self.blank(at..at + word.len());
                first = first.or(Some(at));
            }
        }
        first
    }

    /// A member of a class.
    pub(crate) fn class_element(&mut self, it: &ClassElement<'a>) {
        match it {
            ClassElement::StaticBlock(it) => self.visit_static_block(it),
            ClassElement::MethodDefinition(it) => self.method(it),
            ClassElement::PropertyDefinition(it) => self.property(it),
            ClassElement::AccessorProperty(it) => {
                let end = it.value.as_ref().map_or(it.key.span().end, |value| value.span().end);
                let from = it.decorators.last().map_or(it.span.start, |last| last.span.end);
                self.blank_modifiers(from as usize, it.key.span().start as usize);
                let hidden = self.hidden_name();
                let key = self.key(&it.key, it.computed);
                let key_range = range(it.key.span());
                if let Some(at) = word(self.source, from as usize, key_range.start, "accessor") {
                    self.blank(at..at + "accessor".len());
                }
                let bracket = if it.computed {
                    skip_trivia(self.source, key_range.end) + 1
                } else {
                    key_range.end
                };
                let open = self.source[..key_range.start]
                    .rfind('[')
                    .filter(|_| it.computed)
                    .unwrap_or(key_range.start);
                self.edits.replace(open..bracket, format!("#{hidden}"));
                if let Some(types) = &it.type_annotation {
                    if it.value.is_none() {
                        self.blank(range(types.span));
                    } else {
                        self.blank(range(types.span));
                    }
                }
                if let Some(value) = &it.value {
                    self.visit_expression(value);
                }
                let end = it
                    .type_annotation
                    .as_ref()
                    .map_or(end, |types| end.max(types.span.end)) as usize;
                let word = if it.r#static { "static " } else { "" };
                let text = format!(
                    ";{word}get {key}(){{return this.#{hidden}}}{word}set {key}(v){{this.#{hidden}=v}}"
                );
                self.edits.close(end.max(bracket), text);
                self.drop_decorators(&it.decorators);
            }
            ClassElement::TSIndexSignature(it) => self.blank_statement(range(it.span)),
        }
    }

    /// A key as it is written.
    pub(crate) fn key(&self, key: &PropertyKey<'_>, computed: bool) -> String {
        let text = self.text(range(key.span()));
        if computed {
            format!("[{text}]")
        } else {
            text.to_owned()
        }
    }

    fn method(&mut self, it: &MethodDefinition<'a>) {
        let is_abstract = it.r#type == MethodDefinitionType::TSAbstractMethodDefinition;
        if is_abstract || it.value.body.is_none() {
            self.blank_statement(range(it.span));
            return;
        }
        let from = it.decorators.last().map_or(it.span.start, |last| last.span.end) as usize;
        let key = range(it.key.span());
        let first = self.blank_modifiers(from, key.start);
        let continues = it.computed || it.value.generator;
        if first == Some(it.span.start as usize) && continues {
            self.edits.close(it.span.start as usize, ";");
        }
        if it.optional {
            let end = it
                .value
                .type_parameters
                .as_ref()
                .map_or(it.value.params.span.start, |types| types.span.start);
            self.blank_mark(key.end, end as usize, '?');
        }
        if !self.decorate_method(it) {
            if it.computed {
                self.visit_property_key(&it.key);
            }
        }
        self.visit_function(&it.value, ScopeFlags::Function);
    }

    fn property(&mut self, it: &PropertyDefinition<'a>) {
        let is_abstract = it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition;
        if is_abstract || it.declare {
            self.blank_statement(range(it.span));
            return;
        }
        let from = it.decorators.last().map_or(it.span.start, |last| last.span.end) as usize;
        let key = range(it.key.span());
        let first = self.blank_modifiers(from, key.start);
        if first == Some(it.span.start as usize) && it.computed {
            self.edits.close(it.span.start as usize, ";");
        }
        let until = it
            .type_annotation
            .as_ref()
            .map(|types| types.span.start)
            .or_else(|| it.value.as_ref().map(|value| value.span().start))
            .unwrap_or(it.span.end) as usize;
        if it.optional {
            self.blank_mark(key.end, until, '?');
        }
        if it.definite {
            self.blank_mark(key.end, until, '!');
        }
        if let Some(types) = &it.type_annotation {
            let end = types.span.end as usize;
            let next = skip_trivia(self.source, end);
            let ended = self.source.as_bytes().get(next) == Some(&b';');
            if it.value.is_none() && !ended && it.decorators.is_empty() {
                self.blank_to_semicolon(range(types.span));
            } else {
                self.blank(range(types.span));
            }
        }
        if !self.decorate_property(it) && it.computed {
            self.visit_property_key(&it.key);
        }
        let late = std::mem::take(&mut self.late_closes);
        if let Some(value) = &it.value {
            self.visit_expression(value);
        }
        for (at, text) in late {
            self.edits.close(at, text);
        }
    }

    /// `constructor(private x)` assigns the parameter to a property: behind the call of `super`, or
    /// first of all.
    fn parameter_properties(&mut self, constructor: &Function<'a>, derived: bool) {
        let Some(body) = &constructor.body else {
            return;
        };
        let mut text = String::new();
        for parameter in &constructor.params.items {
            if is_property(parameter)
                && let Some(name) = bound_name(&parameter.pattern)
            {
                text += &format!("this.{name}={name};");
            }
        }
        if text.is_empty() {
            return;
        }
        let calls_super = |statement: &&Statement<'_>| {
            matches!(statement, Statement::ExpressionStatement(it)
                if matches!(&it.expression, Expression::CallExpression(call)
                    if matches!(call.callee, Expression::Super(_))))
        };
        let call = body.statements.iter().find(calls_super);
        if let Some(call) = call.filter(|_| derived) {
            self.edits.close(call.span().end as usize, format!(";{text}"));
            return;
        }
        let directive = body.directives.last().map(|last| last.span.end as usize);
        let at = directive.unwrap_or(body.span.start as usize + 1);
        self.edits.close(at, format!(";{text}"));
    }
}

/// Whether a parameter of a constructor declares a property.
pub(crate) fn is_property(it: &FormalParameter<'_>) -> bool {
    it.accessibility.is_some() || it.readonly || it.r#override
}

fn bound_name<'t>(pattern: &'t BindingPattern<'_>) -> Option<&'t str> {
    match &pattern.kind {
        BindingPatternKind::BindingIdentifier(name) => Some(name.name.as_str()),
        BindingPatternKind::AssignmentPattern(it) => bound_name(&it.left),
        _ => None,
    }
}
