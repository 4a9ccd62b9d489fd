//! Decorators: evaluated where they stand, in a computed key, and applied by a helper
//! (`runtimes/typescript/decorators.cjs`) once the class is there.
//!
//! Those of private members and of class expressions are left out.

use oxc_ast::ast::ClassElement;
use oxc_ast::ast::{
    Class, ClassType, Decorator, FormalParameters, Function, MethodDefinition,
    MethodDefinitionKind, PropertyDefinition, PropertyKey,
};
use oxc_ast_visit::Visit;
use oxc_span::GetSpan;

use super::edits::Part;
use super::enums::quoted;
use super::erase::{Lowerer, range};
use super::text::{mark, word, words};
use crate::settings::Settings;

/// What the members of the class around the current node need.
#[derive(Debug, Clone)]
pub(crate) struct Decorated {
    /// The variable that collects them; `None` where they are left out.
    collector: Option<String>,
    /// Whether decorators of the class itself may ask what its constructor takes.
    asks: bool,
    /// Decorated fields so far.
    fields: usize,
}

/// Whether a file's decorators are those of before the standard: what its text shows of the
/// arguments they get, unless the project says it.
pub(crate) fn are_legacy(source: &str, settings: &Settings) -> bool {
    if settings.found {
        return settings.legacy_decorators;
    }
    if source.contains("@experimentalDecorators: true") || source.contains("PropertyDescriptor") {
        return true;
    }
    let standard = [
        "DecoratorContext",
        "context.",
        "addInitializer",
        "@experimentalDecorators: false",
    ];
    !standard.iter().any(|shown| source.contains(shown))
}

pub(crate) fn is_decorated(it: &Class<'_>) -> bool {
    let parameters = |function: &Function<'_>| {
        let mut items = function.params.items.iter();
        items.any(|item| !item.decorators.is_empty())
    };
    !it.decorators.is_empty()
        || it.body.body.iter().any(|element| match element {
            ClassElement::MethodDefinition(method) => {
                !method.decorators.is_empty() || parameters(&method.value)
            }
            ClassElement::PropertyDefinition(property) => !property.decorators.is_empty(),
            _ => false,
        })
}

impl<'a> Lowerer<'_> {
    /// Erases decorators.
    pub(crate) fn drop_decorators(&mut self, decorators: &[Decorator<'a>]) {
        for decorator in decorators {
            self.blank(range(decorator.span));
        }
    }

    /// Turns a list of decorators into what stands between them: `head`, commas, `tail`.
    fn list(&mut self, decorators: &[Decorator<'a>], head: &str, tail: &str) {
        let mut before = head;
        for decorator in decorators {
            let start = decorator.span.start as usize;
            self.edits.replace(start..start + 1, before);
            self.visit_expression(&decorator.expression);
            before = ",";
        }
        if let Some(last) = decorators.last() {
            self.edits.close(last.span.end as usize, tail);
        }
    }

    /// Makes a decorated class collect what its members say. To be followed by [`Self::decorated`].
    pub(crate) fn decorate_class(&mut self, it: &Class<'a>, export: Option<usize>, default: bool) {
        let mut decorated = Decorated {
            collector: None,
            asks: !it.decorators.is_empty(),
            fields: 0,
        };
        if !is_decorated(it) || it.r#type == ClassType::ClassExpression {
            self.drop_decorators(&it.decorators);
            self.classes.push(decorated);
            return;
        }
        let collector = self.hidden_name();
        let legacy = u8::from(self.legacy);
        let thunk = if self.legacy { "()=>" } else { "" };
        let own = it.span.start as usize;
        let start = export.map_or(own, |export| export.min(own));
        let body = range(it.body.span);
        let head = format!("const {collector}=$ts_class({legacy},{thunk}[");
        let mut begin =
            format!("static{{{collector}.apply(this)}}#{collector}={collector}.init(this);");
        if it.decorators.is_empty() {
            self.edits.open(start, format!("{head}]);"));
            let text = format!(";static{{{collector}.end(this)}}");
            self.edits.close(body.end - 1, text);
        } else {
            self.list(&it.decorators, &head, "]);");
            let name = it.id.as_ref().map_or("$ts_default", |id| id.name.as_str());
            begin = format!("static{{{name}=this;}}{begin}");
            let until = it
                .id
                .as_ref()
                .map_or(body.start, |id| id.span.start as usize);
            let exported = if export.is_some() && !default {
                "export "
            } else {
                ""
            };
            let opening = format!("{exported}let {name};{name}={collector}.end({{{name}:class");
            let first = it.decorators[0].span.start as usize;
            let last = it.decorators[it.decorators.len() - 1].span.end as usize;
            for (at, found) in [
                words(self.source, start, first),
                words(self.source, last, until),
            ]
            .concat()
            {
                match found {
                    "export" | "default" => self.blank(at..at + found.len()),
                    "class" => self.edits.replace(at..at + found.len(), opening.clone()),
                    _ => {}
                }
                if found == "class" {
                    break;
                }
            }
            if let Some(id) = &it.id {
                self.blank(range(id.span));
            }
            let mut tail = format!("}}.{name});");
            if default {
                tail += &format!("export{{{name} as default}};");
            }
            self.edits
                .replace(body.end - 1..body.end, format!("}}{tail}"));
        }
        self.edits.close(body.start + 1, begin);
        decorated.collector = Some(collector);
        self.classes.push(decorated);
    }

    fn collector(&self) -> Option<String> {
        self.classes.last()?.collector.clone()
    }

    /// The decorators of parameters, to be evaluated elsewhere.
    fn parameter_parts(&mut self, parameters: &FormalParameters<'a>, comma: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        for (index, parameter) in parameters.items.iter().enumerate() {
            for decorator in &parameter.decorators {
                let separator = if parts.is_empty() && !comma { "" } else { "," };
                parts.push(Part::Text(format!("{separator}$ts_parameter({index},")));
                parts.push(Part::Source(range(decorator.expression.span())));
                parts.push(Part::Text(")".to_owned()));
            }
        }
        parts
    }

    /// Lowers the decorators of a method and its parameters, and its key. Whether it did.
    pub(crate) fn decorate_method(&mut self, it: &MethodDefinition<'a>) -> bool {
        let parameters = it
            .value
            .params
            .items
            .iter()
            .any(|item| !item.decorators.is_empty());
        let Some(collector) = self.collector() else {
            self.drop_decorators(&it.decorators);
            return false;
        };
        if it.kind == MethodDefinitionKind::Constructor {
            let asked = self.classes.last().is_some_and(|class| class.asks);
            if parameters || asked && self.settings.metadata && self.legacy {
                let mut parts = vec![Part::Text(format!(";static{{{collector}.parameters(()=>["))];
                parts.append(&mut self.parameter_parts(&it.value.params, false));
                let told = self.told_constructor(&it.value);
                let told = told
                    .strip_prefix(',')
                    .filter(|_| !parameters)
                    .unwrap_or(&told);
                parts.push(Part::Text(told.to_owned()));
                parts.push(Part::Text("])}".to_owned()));
                self.edits.close_by(it.span.start as usize, parts);
            }
            self.drop_decorators(&it.decorators);
            return false;
        }
        if (it.decorators.is_empty() && !parameters)
            || matches!(it.key, PropertyKey::PrivateIdentifier(_))
        {
            self.drop_decorators(&it.decorators);
            return false;
        }
        let kind = match it.kind {
            MethodDefinitionKind::Get => "getter",
            MethodDefinitionKind::Set => "setter",
            _ => "method",
        };
        let mut parts = self.parameter_parts(&it.value.params, !it.decorators.is_empty());
        parts.push(Part::Text(self.told_method(it)));
        self.decorated_key(
            &it.decorators,
            (&it.key, it.computed),
            (kind, it.r#static, &collector),
            parts,
        );
        true
    }

    /// Puts decorators into a computed key.
    fn decorated_key(
        &mut self,
        decorators: &[Decorator<'a>],
        (key, computed): (&PropertyKey<'a>, bool),
        (kind, is_static, collector): (&str, bool, &str),
        mut parts: Vec<Part>,
    ) {
        let place = range(key.span());
        let thunk = if self.legacy { "()=>" } else { "" };
        let call = format!("[{collector}.member(\"{kind}\",{is_static},{thunk}[");
        let text = self.text(place.clone());
        let name = match key {
            PropertyKey::StaticIdentifier(name) => quoted(name.name.as_str()),
            _ => text.to_owned(),
        };
        if let Some(last) = decorators.last() {
            let end = last.span.end as usize;
            let mut prefix = String::from(";");
            let mut until = place.start;
            if computed {
                until = mark(self.source, end, place.start, '[').unwrap_or(place.start);
            }
            for (at, found) in words(self.source, end, until) {
                if matches!(found, "static" | "async" | "get" | "set") {
                    prefix += found;
                    prefix.push(' ');
                    self.blank(at..at + found.len());
                }
            }
            if let Some(star) = mark(self.source, end, until, '*') {
                prefix.push('*');
                self.blank(star..star + 1);
            }
            self.list(decorators, &format!("{prefix}{call}"), "");
        } else {
            parts.insert(0, Part::Text(call));
        }
        if computed {
            let open = mark(
                self.source,
                decorators.last().map_or(0, |last| last.span.end as usize),
                place.start,
                '[',
            );
            if let Some(open) = open {
                parts.push(Part::Text("],".to_owned()));
                self.edits.replace_by(open..open + 1, parts);
            }
            self.visit_property_key(key);
            self.edits.close(place.end, ")");
        } else {
            parts.push(Part::Text(format!("],{name})]")));
            self.edits.replace_by(place, parts);
        }
    }

    /// Lowers the decorators of a field, and its key. Whether it did.
    pub(crate) fn decorate_property(&mut self, it: &PropertyDefinition<'a>) -> bool {
        let collector = self.collector();
        let Some(collector) = collector.filter(|_| {
            !it.decorators.is_empty() && !matches!(it.key, PropertyKey::PrivateIdentifier(_))
        }) else {
            self.drop_decorators(&it.decorators);
            return false;
        };
        let place = range(it.key.span());
        if self.legacy && !it.computed {
            // Assigned, not defined: the decorator may have put an accessor on the prototype.
            let name = match &it.key {
                PropertyKey::StaticIdentifier(name) => quoted(name.name.as_str()),
                _ => self.text(place.clone()).to_owned(),
            };
            let head = format!(
                ";static{{{collector}.member(\"field\",{},()=>[",
                it.r#static
            );
            let told = self.told_field(it);
            self.list(&it.decorators, &head, &format!("{told}],{name})}}"));
            let from = it
                .decorators
                .last()
                .map_or(0, |last| last.span.end as usize);
            if let Some(at) = word(self.source, from, place.start, "static") {
                self.blank(at..at + "static".len());
            }
            let Some(value) = &it.value else {
                self.blank(place);
                return true;
            };
            let hidden = self.hidden_name();
            let word = if it.r#static { "static " } else { "" };
            self.edits.replace(place, format!("{word}#{hidden}"));
            let value = range(value.span());
            self.edits.open(value.start, format!("(this[{name}]=("));
            self.late_closes.push((value.end, "))".to_owned()));
            return true;
        }
        let told = self.told_field(it);
        self.decorated_key(
            &it.decorators,
            (&it.key, it.computed),
            ("field", it.r#static, &collector),
            vec![Part::Text(told)],
        );
        if self.legacy {
            return true;
        }
        let Some(class) = self.classes.last_mut() else {
            return true;
        };
        let field = class.fields;
        class.fields += 1;
        let call = format!("{collector}.value({field},this");
        match &it.value {
            Some(value) => {
                let value = range(value.span());
                self.edits.open(value.start, format!("{call},("));
                self.late_closes.push((value.end, "))".to_owned()));
            }
            None => {
                let end = it
                    .type_annotation
                    .as_ref()
                    .map_or(place.end, |types| types.span.end as usize);
                self.late_closes.push((end, format!("={call});")));
            }
        }
        true
    }
}
