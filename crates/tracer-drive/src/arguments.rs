//! The arguments of a definition's calls: a row of them for each run.

use tracer_instrument::drive::{Definition, DriveSpec, Parameter, Shape, Value};

use crate::evidence::{self, Evidence};
use crate::facts::Facts;
use crate::tokens::Token;
use crate::{RUNS, values};

/// How deep an argument may be made of others.
const DEPTH: usize = 2;

/// What arguments are made from.
pub(crate) struct Maker<'a> {
    pub(crate) drive: &'static DriveSpec,
    pub(crate) facts: &'a Facts,
    pub(crate) tokens: &'a [Token<'a>],
    pub(crate) source: &'a str,
}

/// A value and how it is written.
#[derive(Debug, Clone)]
struct Written {
    text: String,
    length: Option<usize>,
}

impl Maker<'_> {
    /// Rows of arguments, best first; an error says which parameter none can be made for.
    pub(crate) fn rows(&self, definition: &Definition) -> Result<Vec<Vec<String>>, String> {
        self.rows_to(definition, DEPTH)
    }

    fn rows_to(&self, definition: &Definition, depth: usize) -> Result<Vec<Vec<String>>, String> {
        let mut columns: Vec<(&Parameter, Vec<Written>, bool)> = Vec::new();
        let mut rest = false;
        for parameter in &definition.parameters {
            if parameter.rest {
                rest = true;
                if !parameter.name.is_empty()
                    && parameter.name != "*"
                    && !self.drive.typed
                    && !parameter.name.starts_with("**")
                {
                    // Arguments of no declared number: those of a list.
                    let column = self.column(definition, parameter, depth);
                    columns.push((parameter, column.into_iter().take(1).collect(), false));
                }
                continue;
            }
            let optional = parameter.default.is_some();
            if rest && parameter.label.is_none() {
                if optional {
                    continue;
                }
                let named = Parameter {
                    label: Some(parameter.name.clone()),
                    ..parameter.clone()
                };
                let column = self.column(definition, &named, depth);
                if column.is_empty() {
                    return Err(unmakeable(parameter));
                }
                return Err(format!("parameter {} has to be named", parameter.name));
            }
            let column = self.column(definition, parameter, depth);
            if column.is_empty() {
                if optional {
                    break;
                }
                return Err(unmakeable(parameter));
            }
            columns.push((parameter, column, optional));
        }
        let mut rows: Vec<Vec<String>> = Vec::new();
        for run in 0..RUNS {
            let mut row = Vec::new();
            let mut length = None;
            for (at, (parameter, column, optional)) in columns.iter().enumerate() {
                if *optional && run % 2 == 0 {
                    if parameter.label.is_some() {
                        continue;
                    }
                    break;
                }
                // Several parameters of one kind are not always given the same.
                let twin = columns[..at]
                    .iter()
                    .filter(|(_, known, _)| known[0].text == column[0].text)
                    .count();
                let written = &column[(run + twin) % column.len()];
                let mut text = written.text.clone();
                if let (Some(length), true) = (length, self.is_number(definition, parameter)) {
                    text = linked(&parameter.name, length).unwrap_or(text);
                }
                if written.length.is_some() {
                    length = written.length;
                }
                if let Some(label) = &parameter.label {
                    text = format!("{label}{}{text}", self.drive.names);
                }
                row.push(text);
            }
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn is_number(&self, definition: &Definition, parameter: &Parameter) -> bool {
        let annotation = self.annotation(definition, parameter);
        let shape = (self.drive.shape)(&annotation);
        matches!(shape, Shape::Integer) || (annotation.is_empty() && !self.drive.typed)
    }

    /// The declared type, with type parameters replaced.
    pub(crate) fn annotation(&self, definition: &Definition, parameter: &Parameter) -> String {
        let mut text = parameter.annotation.clone();
        if let Some(with) = self.drive.generic {
            let class = definition
                .class
                .map(|class| &self.facts.classes[class].generics);
            for generic in definition
                .generics
                .iter()
                .chain(class.into_iter().flatten())
            {
                text = replace_word(&text, generic, with);
            }
        }
        if text.is_empty() {
            self.documented(definition, &parameter.name)
        } else {
            text
        }
    }

    /// What a documenting comment before a definition says of a parameter's type.
    fn documented(&self, definition: &Definition, name: &str) -> String {
        if self.drive.typed {
            return String::new();
        }
        let (start, end) = definition.span;
        let before = &self.source[..start];
        let above = before.rfind("\n\n").map_or(0, |at| at + 1);
        let comment = before
            .rfind("/**")
            .filter(|at| !before[*at..].contains("\n}"))
            .unwrap_or(above);
        let inside = self.source.get(start..end).unwrap_or("");
        let text = [&before[comment..], inside].concat();
        let bare = name.trim_start_matches(['$', '*']);
        for line in text.lines().take(60) {
            let line = line.trim().trim_start_matches(['*', '#', '/', ' ']);
            if let Some(tag) = line.strip_prefix("@param") {
                let tag = tag.trim();
                if let Some((kind, rest)) =
                    tag.strip_prefix('{').and_then(|tag| tag.split_once('}'))
                {
                    let named = rest.trim().trim_start_matches('[');
                    if first_word(named) == bare {
                        return kind.trim_end_matches('=').to_owned();
                    }
                } else if let Some((kind, rest)) = tag.split_once(char::is_whitespace) {
                    let named = rest.trim().trim_start_matches('$');
                    if first_word(named) == bare {
                        return kind.to_owned();
                    }
                    if kind == bare && rest.trim().starts_with('[') {
                        let inner = rest.trim()[1..].split(']').next().unwrap_or("");
                        return inner.to_owned();
                    }
                }
            } else if let Some(tag) = line.strip_prefix(":type ")
                && let Some((named, kind)) = tag.split_once(':')
                && named.trim() == bare
            {
                return kind.trim().to_owned();
            }
        }
        String::new()
    }

    fn column(&self, definition: &Definition, parameter: &Parameter, depth: usize) -> Vec<Written> {
        let annotation = self.annotation(definition, parameter);
        let mut shape = (self.drive.shape)(&annotation);
        let (start, end) = definition.span;
        let from = self.tokens.partition_point(|token| token.at < start);
        let to = self.tokens.partition_point(|token| token.at < end);
        let body = body(&self.tokens[from..to], definition);
        let evidence = evidence::of(body, &parameter.name);
        if self.drive.typed {
            if annotation.is_empty() {
                return Vec::new();
            }
        } else {
            shape = self.untyped(&shape, parameter, &evidence);
        }
        if let Shape::Named(_) = shape {
            let made = self.instances(&annotation, &shape, depth);
            if !made.is_empty() {
                return made
                    .into_iter()
                    .map(|text| Written { text, length: None })
                    .collect();
            }
            if !self.drive.typed {
                shape = values::by_name(&parameter.name);
            }
        }
        let declared = if self.drive.typed {
            annotation.as_str()
        } else {
            ""
        };
        let mut values = values::of(&shape, &parameter.name);
        // What it is compared with comes behind the usual, before the edges.
        for value in evidence.values.iter().take(3).rev() {
            let fits = matches!(
                (&shape, value),
                (Shape::Integer, Value::Integer(_))
                    | (Shape::Text, Value::Text(_))
                    | (Shape::Float, Value::Float(_))
            );
            if fits {
                values.retain(|known| known != value);
                values.insert(values.len().min(1), value.clone());
            }
        }
        let mut column = Vec::new();
        for value in &values {
            if let Some(text) = (self.drive.write)(value, declared) {
                let length = match value {
                    Value::List(items) => Some(items.len()),
                    Value::Text(text) => Some(text.len()),
                    _ => None,
                };
                column.push(Written { text, length });
            }
        }
        column
    }

    /// What a parameter without a usable type is: by its use, its default, its name.
    fn untyped(&self, declared: &Shape, parameter: &Parameter, evidence: &Evidence) -> Shape {
        let named = values::by_name(&parameter.name);
        let listed = |shape: &Shape| matches!(shape, Shape::List(inner) if **inner == Shape::Any);
        if *declared != Shape::Any {
            return if listed(declared) {
                match &named {
                    Shape::List(_) => named,
                    _ => declared.clone(),
                }
            } else {
                declared.clone()
            };
        }
        if let Some(shape) = parameter
            .default
            .as_deref()
            .map(of_default)
            .filter(|shape| *shape != Shape::Any)
        {
            return shape;
        }
        if evidence.shape == Shape::Any && !evidence.fields.is_empty() {
            let holds = |class: &&tracer_instrument::drive::Class| {
                let text = self.source.get(class.span.0..class.span.1).unwrap_or("");
                evidence
                    .fields
                    .iter()
                    .all(|field| text.contains(field.as_str()))
                    && !class.is("local")
            };
            if let Some(class) = self.facts.classes.iter().find(holds) {
                return Shape::Named(class.name.clone());
            }
        }
        match (&evidence.shape, &named) {
            (Shape::Any, _) => named,
            // Only indexed or walked: the name tells a text from a list.
            (shape, Shape::Text | Shape::List(_) | Shape::Map(..)) if listed(shape) => named,
            (shape, _) => shape.clone(),
        }
    }

    /// Expressions that make an instance of a type of this file.
    fn instances(&self, annotation: &str, shape: &Shape, depth: usize) -> Vec<String> {
        let Some(depth) = depth.checked_sub(1) else {
            return Vec::new();
        };
        let Shape::Named(name) = shape else {
            return Vec::new();
        };
        let bare = name
            .split(['<', '['])
            .next()
            .unwrap_or(name)
            .trim_matches(['*', '&', ' ']);
        let mut made = Vec::new();
        let class = self
            .facts
            .classes
            .iter()
            .position(|class| class.name == bare && !class.is("local"));
        if let Some(index) = class {
            let class = &self.facts.classes[index];
            let constructors = self
                .facts
                .definitions
                .iter()
                .filter(|d| d.constructor && self.facts.of_class(d, index));
            let mut some = false;
            for constructor in constructors {
                some = true;
                for row in self
                    .rows_to(constructor, depth)
                    .unwrap_or_default()
                    .iter()
                    .take(2)
                {
                    made.extend((self.drive.construct)(class, Some(constructor), row));
                }
            }
            if !some {
                made.extend((self.drive.construct)(class, None, &[]));
            }
        }
        if made.is_empty() && self.drive.typed {
            // A pointer's star stands with the name in some languages.
            let result = |definition: &Definition| {
                let star = definition.marks.iter().any(|mark| mark.starts_with('*'));
                (self.drive.shape)(&format!(
                    "{}{}",
                    definition.result,
                    if star { " *" } else { "" }
                ))
            };
            let makers = self.facts.definitions.iter().filter(|definition| {
                definition.class.is_none()
                    && !definition.constructor
                    && result(definition) == *shape
            });
            for maker in makers {
                let Ok(rows) = self.rows_to(maker, depth) else {
                    continue;
                };
                for row in rows.iter().take(2) {
                    made.extend((self.drive.call)(maker, None, None, row));
                }
                if !made.is_empty() {
                    break;
                }
            }
        }
        let declared = if self.drive.typed { annotation } else { "" };
        made.iter()
            .filter_map(|text| (self.drive.write)(&Value::Source(text.clone()), declared))
            .collect()
    }
}

/// The tokens behind a definition's parameters.
fn body<'t, 'a>(tokens: &'t [Token<'a>], definition: &Definition) -> &'t [Token<'a>] {
    let count = definition.parameters.len();
    if count == 0 {
        return tokens;
    }
    // The list of parameters ends with the first bracket that closes it.
    let mut depth = 0_i32;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => {
                depth -= 1;
                if depth == 0 {
                    return &tokens[index + 1..];
                }
            }
            "=>" | "{" if depth == 0 => return &tokens[index + 1..],
            _ => {}
        }
    }
    tokens
}

fn unmakeable(parameter: &Parameter) -> String {
    let kind = if parameter.annotation.is_empty() {
        "its kind"
    } else {
        &parameter.annotation
    };
    format!(
        "no value can be made for parameter {} ({kind})",
        parameter.name
    )
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
        .unwrap_or("")
}

/// What a default says of its parameter.
fn of_default(text: &str) -> Shape {
    let text = text.trim();
    match text.chars().next() {
        Some('"' | '\'' | '`') => Shape::Text,
        Some('[') => Shape::List(Box::new(Shape::Any)),
        Some('0'..='9' | '-') if text.contains('.') && text.parse::<f64>().is_ok() => Shape::Float,
        Some('0'..='9' | '-') if text.parse::<i64>().is_ok() => Shape::Integer,
        _ if matches!(text, "true" | "false" | "True" | "False") => Shape::Boolean,
        _ => Shape::Any,
    }
}

/// What a number beside a list of this length must be, by its name.
fn linked(name: &str, length: usize) -> Option<String> {
    let low = name.to_lowercase();
    let low = low.trim_start_matches('$').replace('_', "");
    let sized = [
        "n",
        "size",
        "len",
        "length",
        "count",
        "arrsize",
        "arraysize",
        "num",
        "sz",
        "numssize",
        "nums",
        "nelements",
        "numelements",
        "arrlen",
        "total",
        "s",
    ];
    if sized.contains(&low.as_str())
        || low.ends_with("size")
        || low.ends_with("length")
        || low.ends_with("len")
    {
        return Some(length.to_string());
    }
    let last = [
        "high",
        "right",
        "end",
        "hi",
        "r",
        "h",
        "rightindex",
        "endindex",
        "to",
        "last",
        "upper",
        "max",
    ];
    if last.contains(&low.as_str()) {
        return Some((i64::try_from(length).unwrap_or(1) - 1).to_string());
    }
    let first = ["low", "left", "start", "lo", "l", "begin", "from", "lower"];
    first.contains(&low.as_str()).then(|| "0".to_owned())
}

/// Replaces a word by another.
pub(crate) fn replace_word(text: &str, word: &str, with: &str) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let before = rest[..at]
            .chars()
            .next_back()
            .or_else(|| done.chars().next_back());
        let after = rest[at + word.len()..].chars().next();
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        done.push_str(&rest[..at]);
        done.push_str(if part(before) || part(after) {
            word
        } else {
            with
        });
        rest = &rest[at + word.len()..];
    }
    done.push_str(rest);
    done
}
