//! Classes: modifiers go, parameter properties and `accessor` become code.

use oxc_ast::ast::{
    AccessorProperty, BindingPattern, BindingPatternKind, Class, ClassElement, Decorator,
    Expression, FormalParameter, Function, MethodDefinition, MethodDefinitionKind,
    MethodDefinitionType, PropertyDefinition, PropertyDefinitionType, PropertyKey, Statement,
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
    /// A class. `export` is where an export of it begins.
    pub(crate) fn class(&mut self, it: &Class<'a>, export: Option<usize>, default: bool) {
        let body = it.body.span.start as usize;
        self.decorate_class(it, export, default);
        let from = decorated_end(&it.decorators, it.span.start);
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
        let outer = std::mem::take(&mut self.late_fields);
        if self.initial_values_wait(it) {
            self.late_fields = Some(String::new());
        }
        let mut constructor = None;
        for element in &it.body.body {
            if let ClassElement::MethodDefinition(method) = element
                && method.kind == MethodDefinitionKind::Constructor
                && method.value.body.is_some()
            {
                constructor = Some(&method.value);
            }
            self.visit_class_element(element);
        }
        let late = std::mem::replace(&mut self.late_fields, outer).unwrap_or_default();
        if let Some(constructor) = constructor {
            self.parameter_properties(constructor, it.super_class.is_some(), &late);
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
            ClassElement::AccessorProperty(it) => self.accessor(it),
            ClassElement::TSIndexSignature(it) => self.blank_statement(range(it.span)),
        }
    }

    /// `accessor x = 1`: a private field with a getter and a setter.
    fn accessor(&mut self, it: &AccessorProperty<'a>) {
        let from = decorated_end(&it.decorators, it.span.start);
        let key = range(it.key.span());
        self.blank_modifiers(from, key.start);
        self.drop_decorators(&it.decorators);
        if let Some(at) = word(self.source, from, key.start, "accessor") {
            self.blank(at..at + "accessor".len());
        }
        if it.definite {
            self.blank_mark(key.end, it.span.end as usize, '!');
        }
        let name = self.key(&it.key, it.computed);
        let hidden = self.hidden_name();
        let mut whole = key.clone();
        if it.computed {
            whole.start = self.source[..key.start].rfind('[').unwrap_or(key.start);
            whole.end = skip_trivia(self.source, key.end) + 1;
        }
        self.edits.replace(whole.clone(), format!("#{hidden}"));
        let mut end = whole.end;
        if let Some(types) = &it.type_annotation {
            self.blank(range(types.span));
            end = types.span.end as usize;
        }
        if let Some(value) = &it.value {
            self.visit_expression(value);
            end = value.span().end as usize;
        }
        let word = if it.r#static { "static " } else { "" };
        let text = format!(
            ";{word}get {name}(){{return this.#{hidden}}}{word}set {name}(v){{this.#{hidden}=v}}"
        );
        self.edits.close(end, text);
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
        let from = decorated_end(&it.decorators, it.span.start);
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
        if !self.decorate_method(it) && it.computed {
            self.visit_property_key(&it.key);
        }
        self.visit_function(&it.value, ScopeFlags::Function);
    }

    fn property(&mut self, it: &PropertyDefinition<'a>) {
        let is_abstract = it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition;
        if is_abstract || it.declare {
            self.blank_statement(range(it.span));
            return;
        }
        let from = decorated_end(&it.decorators, it.span.start);
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
        self.wait_for_parameters(it);
        self.assign_field(it);
        let late = std::mem::take(&mut self.late_closes);
        if let Some(value) = &it.value {
            self.visit_expression(value);
        }
        for (at, text) in late {
            self.edits.close(at, text);
        }
    }

    /// By the older rules a field is assigned, and one without a value is not there.
    fn assign_field(&mut self, it: &PropertyDefinition<'a>) {
        let waits = self.late_fields.is_some() && !it.r#static;
        if self.settings.defines != Some(false)
            || !it.decorators.is_empty()
            || it.computed
            || matches!(it.key, PropertyKey::PrivateIdentifier(_))
        {
            return;
        }
        let key = range(it.key.span());
        let Some(value) = &it.value else {
            // The modifiers are gone; a word that is left would be a field.
            self.edits.replace(key.clone(), "");
            let from = it.span.start as usize;
            if let Some(at) = word(self.source, from, key.start, "static") {
                self.blank(at..at + "static".len());
            }
            return;
        };
        if waits {
            return;
        }
        let name = match &it.key {
            PropertyKey::StaticIdentifier(name) => super::enums::quoted(name.name.as_str()),
            _ => self.text(key.clone()).to_owned(),
        };
        let hidden = self.hidden_name();
        self.edits.replace(key, format!("#{hidden}"));
        let value = range(value.span());
        self.edits.open(value.start, format!("(this[{name}]=("));
        self.late_closes.push((value.end, "))".to_owned()));
    }

    /// Whether initial values of fields must wait for parameter properties. By the rules of the
    /// language's later versions they do not, but then its compiler refuses a program that would
    /// see the difference: one in which they matter follows the older rules, unless the project
    /// says which.
    fn initial_values_wait(&self, it: &Class<'_>) -> bool {
        let declares = it.body.body.iter().any(|element| {
            matches!(element, ClassElement::MethodDefinition(method)
                if method.kind == MethodDefinitionKind::Constructor
                    && method.value.params.items.iter().any(is_property))
        });
        match self.settings.defines {
            Some(defines) => declares && !defines,
            None => declares && values_use_properties(it, self.source),
        }
    }

    /// Moves an initial value into a method that the constructor calls, where it needs the
    /// parameter properties.
    fn wait_for_parameters(&mut self, it: &PropertyDefinition<'a>) {
        let (Some(late), Some(value)) = (&mut self.late_fields, &it.value) else {
            return;
        };
        if it.r#static || it.computed || !it.decorators.is_empty() {
            return;
        }
        let (key, value) = (range(it.key.span()), range(value.span()));
        let name = &self.source[key.clone()];
        self.counter += 1;
        let hidden = format!("#$ts_{}", self.counter);
        let (place, declared) = match &it.key {
            PropertyKey::PrivateIdentifier(_) => (format!("this.{name}"), format!("{name};")),
            PropertyKey::StaticIdentifier(_) => (format!("this.{name}"), String::new()),
            _ => (format!("this[{name}]"), String::new()),
        };
        late.push_str(&format!("{place}=this.{hidden}();"));
        let text = name.trim_matches(['"', '\'']).trim_start_matches('#');
        let text = super::enums::quoted(text);
        // A function takes its name from a property as it would from the field.
        let head = format!("{declared}{hidden}(){{return({{{text}:(");
        self.edits.replace(key.start..value.start, head);
        self.late_closes
            .push((value.end, format!(")}})[{text}]}}")));
    }

    /// `constructor(private x)` assigns the parameter to a property: behind the call of `super`, or
    /// first of all.
    fn parameter_properties(&mut self, constructor: &Function<'a>, derived: bool, late: &str) {
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
        text += late;
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
            self.edits
                .close(call.span().end as usize, format!(";{text}"));
            return;
        }
        let directive = body.directives.last().map(|last| last.span.end as usize);
        let at = directive.unwrap_or(body.span.start as usize + 1);
        self.edits.close(at, format!(";{text}"));
    }
}

/// Where a list of decorators ends, or what would follow it begins.
pub(crate) fn decorated_end(decorators: &[Decorator<'_>], start: u32) -> usize {
    decorators.last().map_or(start, |last| last.span.end) as usize
}

/// Whether an initial value of a field reads what a parameter property may have set.
fn values_use_properties(it: &Class<'_>, source: &str) -> bool {
    it.body.body.iter().any(|element| {
        let ClassElement::PropertyDefinition(field) = element else {
            return false;
        };
        field.value.as_ref().is_some_and(|value| {
            !field.r#static && !value.is_function() && source[range(value.span())].contains("this.")
        })
    })
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
