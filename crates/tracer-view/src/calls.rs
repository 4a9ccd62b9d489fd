//! What programs asked of libraries: per function, what it was called with, what it gave back, and
//! what it raised. Examples that say the same are told once.
//!
//! It takes any number of traces, so that a corpus can be asked at once. Calls whose end no trace
//! knows (the program ended first, an error was swallowed) are counted, but no example.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use tracer_model::{Kind, Payload, Raised, Site, Trace, Value};

use crate::text::short;

/// Examples kept of a function that returned, and of one that raised.
const KEPT: usize = 6;
/// Characters of a value.
const WIDTH: usize = 200;

/// A function of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Language id.
    pub language: String,
    /// Its name in full.
    pub function: String,
    /// The package that brings it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Of that package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How often it was called, visits left out of the traces included.
    pub calls: u64,
    /// Different ones, those that returned first.
    pub examples: Vec<Example>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Example {
    /// In the order of the source.
    pub arguments: Vec<Argument>,
    /// What it gave back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Shown>,
    /// The error it was left by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raised: Option<Shown>,
}

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Argument {
    /// Its keyword, or what spreads it (`*`, `...`); `None` by place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its value.
    #[serde(flatten)]
    pub value: Shown,
}

/// A value, or an error's message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Shown {
    /// Type name as the language prints it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its text, bounded.
    pub text: String,
}

impl From<&Value> for Shown {
    fn from(value: &Value) -> Self {
        Self {
            type_name: value.type_name.clone(),
            text: short(value, WIDTH),
        }
    }
}

impl From<&Raised> for Shown {
    fn from(raised: &Raised) -> Self {
        let message = raised.message.as_ref();
        Self {
            type_name: raised.type_name.clone(),
            text: message.map_or_else(String::new, |message| message.text.clone()),
        }
    }
}

/// Language, name, package, version: what makes two calls ones of the same function.
type Key = (String, String, Option<String>, Option<String>);

/// The functions that these traces tell calls of, sorted by language and name.
pub fn functions<'t>(traces: impl IntoIterator<Item = &'t Trace>) -> Vec<Function> {
    let mut found: BTreeMap<Key, (u64, Vec<Example>)> = BTreeMap::new();
    for trace in traces {
        gather(trace, &mut found);
    }
    let known = found.into_iter();
    let known = known.filter(|(_, (_, examples))| !examples.is_empty());
    known
        .map(
            |((language, function, package, version), (calls, mut examples))| {
                examples.sort_by_key(|example| example.result.is_none());
                Function {
                    language,
                    function,
                    package,
                    version,
                    calls,
                    examples,
                }
            },
        )
        .collect()
}

fn gather(trace: &Trace, found: &mut BTreeMap<Key, (u64, Vec<Example>)>) {
    // A visit that was left out says no more than its site.
    let mut of_site: BTreeMap<u32, Key> = BTreeMap::new();
    for event in &trace.events {
        match &event.payload {
            Payload::Call {
                callee,
                package,
                version,
                args,
                result,
                raised,
            } => {
                let language = trace.environment.language.clone();
                let key = (language, callee.clone(), package.clone(), version.clone());
                of_site.insert(event.site, key.clone());
                let (calls, examples) = found.entry(key).or_default();
                *calls += 1;
                if result.is_none() && raised.is_none() {
                    continue;
                }
                let example = Example {
                    arguments: arguments(trace.table.site(event.site), args),
                    result: result.as_ref().map(Shown::from),
                    raised: raised.as_ref().map(Shown::from),
                };
                let alike = |other: &&Example| other.result.is_some() == result.is_some();
                if examples.iter().filter(alike).count() < KEPT && !examples.contains(&example) {
                    examples.push(example);
                }
            }
            Payload::Elide { count, .. } => {
                let site = trace.table.site(event.site);
                let key = site.filter(|site| site.kind == Kind::Call);
                let key = key.and_then(|site| of_site.get(&site.id));
                if let Some((calls, _)) = key.and_then(|key| found.get_mut(key)) {
                    *calls = calls.saturating_add(*count);
                }
            }
            _ => {}
        }
    }
}

fn arguments(site: Option<&Site>, values: &[Value]) -> Vec<Argument> {
    let mut names = site.map_or(&[][..], |site| &site.names).iter();
    let each = values.iter().map(|value| Argument {
        name: names.next().filter(|name| !name.is_empty()).cloned(),
        value: value.into(),
    });
    each.collect()
}

/// Writes what a trace tells, one JSON object a function and line.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    for function in functions([trace]) {
        serde_json::to_writer(&mut *out, &function)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
