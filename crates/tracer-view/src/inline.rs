//! The source with what happened behind each line, as comments.
//!
//! A line tells what it wrote and decided over the whole run: the first values and the last one.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tracer_model::{LoopPhase, Payload, Trace, Value};

use crate::text::{cut, ending, is_definition, short, visible};

/// What to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// What begins a comment.
    pub comment: &'static str,
    /// Values shown of one name before the last one.
    pub values: usize,
}

/// Comments that do not begin with `//`, by language.
const COMMENTS: &[(&str, &str)] = &[
    ("python", "#"),
    ("ruby", "#"),
    ("bash", "#"),
    ("php", "#"),
    ("sql", "--"),
];

impl Options {
    /// Fitting the trace's language.
    pub fn new(trace: &Trace) -> Self {
        let language = &trace.environment.language;
        let known = COMMENTS.iter().find(|(name, _)| name == language);
        Self {
            width: 100,
            comment: known.map_or("//", |(_, comment)| comment),
            values: 4,
        }
    }
}

/// What one line did, in order of first appearance.
#[derive(Default)]
struct Line {
    visits: u64,
    told: Vec<Told>,
}

struct Told {
    name: String,
    first: Vec<String>,
    last: Option<String>,
    count: u64,
}

impl Line {
    fn tell(&mut self, name: &str, value: String, count: u64, keep: usize) {
        let known = self.told.iter().position(|told| told.name == name);
        let index = known.unwrap_or(self.told.len());
        if known.is_none() {
            let name = name.to_owned();
            self.told.push(Told {
                name,
                first: Vec::new(),
                last: None,
                count: 0,
            });
        }
        let told = &mut self.told[index];
        told.count = told.count.saturating_add(count);
        if told.first.len() < keep && count == 1 {
            told.first.push(value);
        } else {
            told.last = Some(value);
        }
    }
}

/// The view as a text.
pub fn render(trace: &Trace, options: &Options) -> String {
    crate::text::collect(|out| write(trace, options, out))
}

/// Writes the view.
pub fn write(trace: &Trace, options: &Options, out: &mut impl Write) -> io::Result<()> {
    let mut lines: BTreeMap<(u32, u32), Line> = BTreeMap::new();
    for event in &trace.events {
        let Some(site) = trace.table.site(event.site) else {
            continue;
        };
        let line = lines.entry((site.file, event.line)).or_default();
        match &event.payload {
            Payload::Step => line.visits += 1,
            Payload::Elide { count, last, .. } => match last {
                Some(last) => tell(line, last, *count, options.values),
                None if site.kind == tracer_model::Kind::Step => line.visits += count,
                None => {}
            },
            payload => tell(line, payload, 1, options.values),
        }
    }
    for (file, source) in (0..).zip(&trace.table.files) {
        if trace.table.files.len() > 1 {
            writeln!(out, "{} {}", options.comment, source.path)?;
        }
        let widest = source
            .text
            .lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0);
        let column = widest.min(options.width * 11 / 20);
        for (number, text) in (1..).zip(source.text.lines()) {
            let comment = lines.get(&(file, number)).map_or_else(String::new, comment);
            if comment.is_empty() {
                writeln!(out, "{}", visible(text))?;
                continue;
            }
            let used = text.chars().count().max(column) + options.comment.len() + 3;
            let comment = cut(
                &visible(&comment),
                options.width.saturating_sub(used).max(30),
            );
            writeln!(
                out,
                "{:column$}  {} {comment}",
                visible(text),
                options.comment
            )?;
        }
    }
    writeln!(out, "{} {}", options.comment, ending(&trace.outcome))
}

fn tell(line: &mut Line, payload: &Payload, count: u64, keep: usize) {
    let value = |value: &Value| short(value, 40);
    match payload {
        Payload::Var { name, value: shown } if is_definition(name, shown) => {}
        Payload::Var { name, value: shown } => line.tell(name, value(shown), count, keep),
        Payload::In { args } => {
            for (name, shown) in args {
                line.tell(name, value(shown), count, keep);
            }
        }
        Payload::Out {
            value: Some(shown),
            suspended,
            ..
        } => {
            let verb = if *suspended { "yields" } else { "returns" };
            line.tell(verb, value(shown), count, keep);
        }
        Payload::Branch { arm, .. } => {
            line.tell(&format!("→ {}", arm.name), String::new(), count, 0);
        }
        Payload::Loop {
            phase: LoopPhase::Iteration,
            targets,
            ..
        } => {
            for (name, shown) in targets {
                line.tell(name, value(shown), count, keep);
            }
            if targets.is_empty() {
                line.tell("rounds", String::new(), count, 0);
            }
        }
        Payload::Err { type_name, .. } => line.tell("!", type_name.clone(), count, keep),
        Payload::Transform { name, after, .. } => line.tell(name, value(after), count, keep),
        _ => {}
    }
}

fn comment(line: &Line) -> String {
    if line.told.is_empty() && line.visits > 1 {
        return format!("×{}", line.visits);
    }
    let told = line.told.iter().map(|told| {
        let mut values = told.first.join(", ");
        if let Some(last) = told.last.as_ref().filter(|last| !last.is_empty()) {
            let more = told.count > told.first.len() as u64 + 1;
            values.push_str(if more { ", … " } else { ", " });
            values.push_str(last);
        }
        match (values.is_empty(), told.count) {
            (true, 1) => told.name.clone(),
            (true, count) => format!("{} ×{count}", told.name),
            _ if matches!(told.name.as_str(), "returns" | "yields" | "!") => {
                format!("{} {values}", told.name)
            }
            _ => format!("{} = {values}", told.name),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}
