//! What a file defines, and whether anything in it runs.
//!
//! It knows no language: it sorts the captures of the language's query by what encloses what.

use streaming_iterator::StreamingIterator;
use tracer_instrument::LanguageSpec;
use tracer_instrument::drive::{Class, Definition, DriveSpec, Parameter};
use tree_sitter::{Query, QueryCursor, Tree};

/// What a file defines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Functions and methods that code outside of them can name, in the order of the file.
    pub definitions: Vec<Definition>,
    /// Types.
    pub classes: Vec<Class>,
    /// Whether loading or starting the file runs something.
    pub runs: bool,
    /// The package or module it says it is of.
    pub package: String,
}

type Span = (usize, usize);

struct Found {
    name: &'static str,
    span: Span,
}

impl Facts {
    /// Reads a tree. `None` if the query does not fit the grammar.
    pub fn of(
        spec: &'static LanguageSpec,
        grammar: usize,
        drive: &'static DriveSpec,
        tree: &Tree,
        source: &str,
    ) -> Option<Self> {
        let query = compiled(spec, grammar, drive)?;
        let mut reader = Reader::new(source);
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(query, tree.root_node(), source.as_bytes());
        let names = query.capture_names();
        while let Some(found) = matches.next() {
            let captures = found.captures().iter().map(|capture| Found {
                name: names[capture.index as usize],
                span: (capture.node.start_byte(), capture.node.end_byte()),
            });
            reader.take(&captures.collect::<Vec<_>>());
        }
        Some(reader.finish())
    }

    /// Whether a definition belongs to a class, which may stand in several parts of one name.
    pub(crate) fn of_class(&self, definition: &Definition, class: usize) -> bool {
        definition
            .class
            .is_some_and(|own| self.classes[own].name == self.classes[class].name)
    }
}

/// The query of a language's definitions, made once.
fn compiled(
    spec: &'static LanguageSpec,
    grammar: usize,
    drive: &DriveSpec,
) -> Option<&'static Query> {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};
    type Queries = BTreeMap<(&'static str, usize), Option<&'static Query>>;
    static COMPILED: Mutex<Queries> = Mutex::new(BTreeMap::new());
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry((spec.id, grammar)).or_insert_with(|| {
        let query = Query::new(&spec.language(grammar), drive.query).ok()?;
        Some(Box::leak(Box::new(query)))
    })
}

struct Reader<'a> {
    source: &'a str,
    functions: Vec<Definition>,
    classes: Vec<Class>,
    parameters: Vec<(Span, Parameter)>,
    generics: Vec<(Span, String)>,
    marks: Vec<(Span, String)>,
    receivers: Vec<Span>,
    calls: Vec<Span>,
    runs: bool,
    package: String,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            functions: Vec::new(),
            classes: Vec::new(),
            parameters: Vec::new(),
            generics: Vec::new(),
            marks: Vec::new(),
            receivers: Vec::new(),
            calls: Vec::new(),
            runs: false,
            package: String::new(),
        }
    }

    fn take(&mut self, captures: &[Found]) {
        let find = |name: &str| {
            captures
                .iter()
                .find(|found| found.name == name)
                .map(|f| f.span)
        };
        let source = self.source;
        let read = |span: Span| source.get(span.0..span.1).unwrap_or("").trim().to_owned();
        let text = |name: &str| find(name).map(read);
        if let Some(span) = find("function") {
            let constructor = find("constructor").is_some();
            let known = self.functions.iter_mut().find(|known| known.span == span);
            if let Some(known) = known {
                known.constructor |= constructor;
                for (known, text) in [
                    (&mut known.name, text("name")),
                    (&mut known.result, text("result")),
                ] {
                    if known.is_empty() {
                        *known = text.unwrap_or_default();
                    }
                }
                return;
            }
            let definition = Definition {
                name: text("name").unwrap_or_default(),
                result: text("result").unwrap_or_default(),
                constructor,
                span,
                ..Definition::default()
            };
            self.functions.push(definition);
        } else if let Some(span) = find("class") {
            if self.classes.iter().all(|known| known.span != span) {
                let name = text("name").unwrap_or_default();
                self.classes.push(Class {
                    name,
                    span,
                    ..Class::default()
                });
            }
        } else if let Some(span) = find("parameter") {
            let rest = find("rest").is_some();
            let parameter = Parameter {
                name: text("name").unwrap_or_default(),
                annotation: text("annotation").unwrap_or_default(),
                default: text("default"),
                rest,
                label: text("label"),
            };
            // The most telling of several matches of one parameter.
            match self.parameters.iter_mut().find(|(known, _)| *known == span) {
                Some((_, known)) => {
                    let better = parameter.annotation.len() > known.annotation.len();
                    if better {
                        known.annotation = parameter.annotation;
                    }
                    known.default = known.default.take().or(parameter.default);
                    known.label = known.label.take().or(parameter.label);
                    known.rest |= rest;
                    if known.name.is_empty() {
                        known.name = parameter.name;
                    }
                }
                None => self.parameters.push((span, parameter)),
            }
        } else if let Some(span) = find("receiver") {
            self.receivers.push(span);
        } else if let Some(span) = find("generic") {
            // Where a definition stands beside its type parameters, the match names it too.
            self.generics.push((find("of").unwrap_or(span), read(span)));
        } else if let Some(span) = find("mark") {
            self.marks.push((span, read(span)));
        } else if find("runs").is_some() || find("entry").is_some() {
            self.runs = true;
        } else if let Some(span) = find("calls") {
            self.calls.push(span);
        } else if let Some(package) = text("package") {
            self.package = package;
        }
    }

    fn finish(mut self) -> Facts {
        self.functions
            .sort_by_key(|function| (function.span.0, usize::MAX - function.span.1));
        self.classes.sort_by_key(|class| class.span.0);
        self.parameters.sort_by_key(|(span, _)| *span);
        self.parameters
            .retain(|(span, _)| !self.receivers.contains(span));
        let spans: Vec<Span> = self
            .functions
            .iter()
            .map(|function| function.span)
            .collect();
        let function_of = |span: Span| innermost(&spans, span);
        let classes: Vec<Span> = self.classes.iter().map(|class| class.span).collect();
        let class_of = |span: Span| innermost(&classes, span);
        for (span, parameter) in &self.parameters {
            if let Some(owner) = function_of(*span) {
                let parameters = &mut self.functions[owner].parameters;
                let again = parameters.iter().any(|known| known.name == parameter.name);
                if !again || parameter.name.is_empty() {
                    parameters.push(parameter.clone());
                }
            }
        }
        for (span, generic) in &self.generics {
            let same = |spans: &[Span]| spans.iter().position(|known| known == span);
            let owner = same(&spans).or_else(|| function_of(*span));
            let class = same(&classes).or_else(|| class_of(*span));
            match (owner.filter(|_| same(&classes).is_none()), class) {
                (Some(owner), _) => self.functions[owner].generics.push(generic.clone()),
                (None, Some(owner)) => self.classes[owner].generics.push(generic.clone()),
                (None, None) => {}
            }
        }
        for (span, mark) in &self.marks {
            match (function_of(*span), class_of(*span)) {
                (Some(owner), class) => {
                    let inner = class.is_some_and(|class| within(classes[class], spans[owner]));
                    if !inner {
                        self.functions[owner].marks.push(mark.clone());
                    }
                }
                (None, Some(owner)) => self.classes[owner].marks.push(mark.clone()),
                (None, None) => {}
            }
        }
        // What stands within a function cannot be named from outside.
        let local = |span: Span| spans.iter().any(|outer| within(span, *outer));
        for class in &mut self.classes {
            if local(class.span) {
                class.marks.push("local".to_owned());
            } else if classes.iter().any(|outer| within(class.span, *outer)) {
                class.marks.push("nested".to_owned());
            }
        }
        let mut definitions: Vec<Definition> = Vec::new();
        for mut function in std::mem::take(&mut self.functions) {
            if local(function.span) || function.name.is_empty() && !function.constructor {
                continue;
            }
            function.class = class_of(function.span);
            if !self.package.is_empty() {
                function.marks.push(format!("package {}", self.package));
            }
            definitions.push(function);
        }
        let mut words = definitions
            .iter()
            .map(|definition| definition.name.as_str())
            .chain(self.classes.iter().map(|class| class.name.as_str()));
        let source = self.source;
        // What stands within a function does not run by itself.
        let outside = |at: usize| !spans.iter().any(|span| span.0 <= at && at < span.1);
        let called = |name: &str| {
            let calls = &self.calls;
            calls
                .iter()
                .any(|span| calls_in(source, *span, name, &outside))
        };
        let runs = self.runs || words.any(|name| !name.is_empty() && called(name));
        Facts {
            definitions,
            classes: self.classes,
            runs,
            package: self.package,
        }
    }
}

/// Whether one place lies in another, and is not that one.
fn within(inner: Span, outer: Span) -> bool {
    outer.0 <= inner.0 && inner.1 <= outer.1 && inner != outer
}

/// The smallest of the places that hold another one.
fn innermost(spans: &[Span], span: Span) -> Option<usize> {
    let all = spans.iter().enumerate();
    let holders = all.filter(|(_, outer)| within(span, **outer));
    holders
        .min_by_key(|(_, outer)| outer.1 - outer.0)
        .map(|(index, _)| index)
}

/// Whether a part of the source calls this name.
fn calls_in(source: &str, span: Span, name: &str, counts: &dyn Fn(usize) -> bool) -> bool {
    let text = source.get(span.0..span.1).unwrap_or("");
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].trim_start();
        let whole = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        whole && after.starts_with('(') && counts(span.0 + at)
    })
}
