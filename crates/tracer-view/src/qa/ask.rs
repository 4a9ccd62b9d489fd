//! Asks: from the trace's own types.

use std::collections::{BTreeMap, BTreeSet};

use tracer_model::{ErrPhase, Event, Kind, LoopPhase, Payload, Shape, Site, Trace, Value};

use super::{About, Question, Task};

/// Most questions of one task.
const OF_A_TASK: usize = 8;

/// Longest list asked for.
const LONGEST: usize = 200;

/// The words of events, for who has not seen any.
const WORDS: &str = "Events are written as: `LINE step` (a statement begins), `LINE enter`, `LINE \
                     leave` and `LINE unwind` (of a function), `LINE NAME = VALUE` (was written; a \
                     text is not quoted), `LINE branch ARM`, and `LINE loop`, `LINE round N`, `LINE \
                     loop left after N`.";

/// An event in few words, as prefixes and answers show it.
pub(super) fn in_words(event: &Event) -> Option<String> {
    let line = event.line;
    Some(match &event.payload {
        Payload::Step => format!("{line} step"),
        Payload::In { .. } => format!("{line} enter"),
        Payload::Out { unwinding, .. } => {
            format!("{line} {}", if *unwinding { "unwind" } else { "leave" })
        }
        Payload::Var { name, value } => format!("{line} {name} = {}", scalar(value)?),
        Payload::Branch { arm, .. } => format!("{line} branch {}", arm.name),
        Payload::Loop { phase, count, .. } => match phase {
            LoopPhase::Entered => format!("{line} loop"),
            LoopPhase::Iteration => format!("{line} round {count}"),
            LoopPhase::Left => format!("{line} loop left after {count}"),
        },
        _ => return None,
    })
}

/// A value that can be compared as a text.
pub(super) fn scalar(value: &Value) -> Option<&str> {
    let plain = matches!(
        value.shape,
        Shape::Null | Shape::Bool | Shape::Int | Shape::Float | Shape::String
    );
    (plain && value.cut.is_none() && !value.text.contains('\n')).then_some(&value.text)
}

struct Asker<'t> {
    trace: &'t Trace,
    whole: BTreeMap<u32, Vec<&'t Event>>,
}

pub(super) fn all(trace: &Trace) -> Vec<Question> {
    let mut whole: BTreeMap<u32, Vec<&Event>> = BTreeMap::new();
    let mut elided = BTreeSet::new();
    for event in &trace.events {
        whole.entry(event.site).or_default().push(event);
        if event.kind == Kind::Elide {
            elided.insert(event.site);
        }
    }
    let main = |site: u32| trace.table.site(site).is_some_and(|site| site.file == 0);
    whole.retain(|site, _| !elided.contains(site) && main(*site));
    let asker = Asker { trace, whole };
    let mut found = asker.output();
    for asked in [
        asker.next(),
        asker.values(),
        asker.branches(),
        asker.loops(),
        asker.calls(),
        asker.failure(),
        asker.libraries(),
        asker.corrupted(),
    ] {
        found.extend(spread(asked));
    }
    found
}

/// Some of a list, evenly.
fn spread(all: Vec<Question>) -> Vec<Question> {
    let count = all.len();
    let kept = count.min(OF_A_TASK);
    let chosen: BTreeSet<usize> = (0..kept).map(|index| index * count / kept).collect();
    let all = all.into_iter().enumerate();
    all.filter(|(index, _)| chosen.contains(index))
        .map(|(_, question)| question)
        .collect()
}

/// A list of texts as JSON.
pub(super) fn json(list: &[String]) -> String {
    serde_json::Value::from(list.to_vec()).to_string()
}

fn question(task: Task, question: String, answer: String, about: About) -> Question {
    Question {
        task,
        question,
        answer,
        about,
    }
}

impl Asker<'_> {
    fn sites(&self, kind: Kind) -> impl Iterator<Item = (&Site, &Vec<&Event>)> {
        self.whole.iter().filter_map(move |(id, events)| {
            let site = self.trace.table.site(*id)?;
            (site.kind == kind).then_some((site, events))
        })
    }

    fn about(site: &Site, name: &str, number: u64) -> About {
        About {
            site: site.id,
            line: site.span.line,
            name: name.to_owned(),
            number,
            float: false,
        }
    }

    fn output(&self) -> Vec<Question> {
        let Some(text) = stdout(self.trace) else {
            return Vec::new();
        };
        let status = self.trace.outcome.exit_status();
        let words = "What does the program write on stdout, and what is its exit status? The \
                     output, then a line `status N`.";
        let answer = format!("{text}\nstatus {status}");
        vec![question(Task::T2, words.into(), answer, About::default())]
    }

    /// After a prefix that ends where something is decided.
    fn next(&self) -> Vec<Question> {
        let events = &self.trace.events;
        let mut found = Vec::new();
        for length in [1_usize, 5, 20] {
            for part in [1, 2] {
                let at = events.len() * part / 3;
                let Some(next) = events.get(at..at + length) else {
                    continue;
                };
                let words: Option<Vec<String>> = next.iter().map(in_words).collect();
                let start = at.saturating_sub(12);
                let before: Vec<String> = events[start..at].iter().filter_map(in_words).collect();
                let Some(words) = words.filter(|_| before.len() >= 4) else {
                    continue;
                };
                found.push(question(
                    Task::T3,
                    format!(
                        "{WORDS} After {at} events, the last of them {}, what are the next \
                         {length}? A JSON list of such texts.",
                        json(&before)
                    ),
                    json(&words),
                    About {
                        line: length as u32,
                        number: at as u64,
                        ..About::default()
                    },
                ));
            }
        }
        found
    }

    fn values(&self) -> Vec<Question> {
        let mut found = Vec::new();
        for (site, events) in self.sites(Kind::Var).filter(|(site, _)| !site.expression) {
            let mut visits: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
            for event in events {
                if let Payload::Var { name, value } = &event.payload {
                    visits.entry(name).or_default().push(value);
                }
            }
            for (name, values) in visits {
                let number = values.len().div_ceil(2).max(values.len().min(3));
                let Some(text) = scalar(values[number - 1]) else {
                    continue;
                };
                let value = values[number - 1];
                if value.shape == Shape::Null {
                    continue;
                }
                // Some ask for a write that never was.
                let never = sum(name).wrapping_add(u64::from(site.id)).is_multiple_of(6);
                let (number, answer) = if never {
                    (values.len() + 1, "none".to_owned())
                } else {
                    (number, format!("{text};{}", value.type_name))
                };
                let line = site.span.line;
                found.push(question(
                    Task::T4,
                    format!(
                        "Line {line} writes `{name}`. What is its value after the write number \
                         {number}, and of what type, as the language names it? As `value;type`, a \
                         text without quotes, or `none` if there are fewer writes."
                    ),
                    answer,
                    About {
                        float: !never && value.shape == Shape::Float,
                        ..Self::about(site, name, number as u64)
                    },
                ));
            }
        }
        found
    }

    fn branches(&self) -> Vec<Question> {
        let mut found = Vec::new();
        for (site, events) in self.sites(Kind::Branch) {
            let arms = events.iter().filter_map(|event| match &event.payload {
                Payload::Branch { arm, .. } => Some(arm.name.clone()),
                _ => None,
            });
            let arms: Vec<String> = arms.collect();
            if !arms.is_empty() && arms.len() <= LONGEST {
                let (line, text) = (site.span.line, &site.text);
                found.push(question(
                    Task::T5,
                    format!(
                        "How does the branch `{text}` in line {line} come out, each time, in \
                         order? A JSON list of {:?}.",
                        site.arms
                    ),
                    json(&arms),
                    Self::about(site, "", 0),
                ));
            }
        }
        found
    }

    fn loops(&self) -> Vec<Question> {
        let mut found = Vec::new();
        for (site, events) in self.sites(Kind::Loop) {
            let counts = events.iter().filter_map(|event| match &event.payload {
                Payload::Loop {
                    phase: LoopPhase::Left,
                    count,
                    ..
                } => Some(*count),
                _ => None,
            });
            let counts: Vec<u64> = counts.collect();
            if !counts.is_empty() && counts.len() <= LONGEST {
                let line = site.span.line;
                found.push(question(
                    Task::T6,
                    format!(
                        "How many rounds does the loop in line {line} make, each time it is over? \
                         A JSON list of numbers."
                    ),
                    serde_json::Value::from(counts).to_string(),
                    Self::about(site, "", 0),
                ));
            }
        }
        found
    }

    /// Functions of the program that a call of a function calls itself, in order: its first call.
    fn calls(&self) -> Vec<Question> {
        let events = &self.trace.events;
        if events
            .iter()
            .any(|event| event.kind == Kind::Elide || event.task != 0)
        {
            return Vec::new();
        }
        let mut asked = BTreeSet::new();
        let mut found = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let Some(site) = self.trace.table.site(event.site) else {
                continue;
            };
            if event.kind != Kind::In || site.file != 0 || !asked.insert(site.function) {
                continue;
            }
            let inside = events[at + 1..]
                .iter()
                .take_while(|later| later.depth >= event.depth && !ends(event, later));
            let called: Vec<String> = inside
                .filter(|later| later.kind == Kind::In && later.depth == event.depth + 1)
                .filter_map(|later| self.function(later.site))
                .collect();
            let Some(name) = self.function(event.site) else {
                continue;
            };
            if !called.is_empty() && called.len() <= LONGEST {
                found.push(question(
                    Task::T7,
                    format!(
                        "Which of the program's functions does the first call of `{name}` (line \
                         {}) call itself, in order? A JSON list of names.",
                        event.line
                    ),
                    json(&called),
                    Self::about(site, &name, at as u64),
                ));
            }
        }
        found
    }

    fn function(&self, site: u32) -> Option<String> {
        let site = self.trace.table.site(site)?;
        let function = self.trace.table.functions.get(site.function as usize)?;
        Some(function.qualified.clone())
    }

    fn failure(&self) -> Vec<Question> {
        let last = self
            .trace
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.payload {
                Payload::Err {
                    phase: ErrPhase::Uncaught | ErrPhase::Signal,
                    type_name,
                    frames,
                    ..
                } => Some((type_name, frames.first())),
                _ => None,
            });
        let answer = match last {
            Some((type_name, Some(frame))) => format!("{type_name};{}", frame.line),
            None if self.trace.outcome.exit_status() == 0 => "none".to_owned(),
            // Where it failed is not known, or it says that it failed without an error.
            _ => return Vec::new(),
        };
        let words = "Does the program end by an error nobody catches? As `type;line`, or `none`.";
        vec![question(Task::T8, words.into(), answer, About::default())]
    }

    fn libraries(&self) -> Vec<Question> {
        let mut found = Vec::new();
        for (site, events) in self.sites(Kind::Call) {
            let Some(Payload::Call {
                callee,
                result: Some(value),
                ..
            }) = events.first().map(|event| &event.payload)
            else {
                continue;
            };
            let Some(text) = scalar(value) else { continue };
            found.push(question(
                Task::T10,
                format!(
                    "What does the first call of `{callee}` in line {} give? As `value;type`, a \
                     text without quotes, the type as the language names it.",
                    site.span.line
                ),
                format!("{text};{}", value.type_name),
                About {
                    float: value.shape == Shape::Float,
                    ..Self::about(site, callee, 1)
                },
            ));
        }
        found
    }

    /// A stretch of the trace with one branch turned or one number changed.
    fn corrupted(&self) -> Vec<Question> {
        let events = &self.trace.events;
        let words: Vec<String> = events.iter().take(40).filter_map(in_words).collect();
        if words.len() < 10
            || events
                .iter()
                .take(40)
                .filter(|e| in_words(e).is_none())
                .count()
                > 8
        {
            return Vec::new();
        }
        // Anywhere but at the start: no place is likelier than another.
        let wrong: Vec<(usize, String)> = (1..words.len())
            .filter_map(|at| Some((at, corrupt(&words[at])?)))
            .collect();
        let pick = words.iter().fold(0, |all: u64, text| {
            all.wrapping_mul(31).wrapping_add(sum(text))
        });
        let Some((at, text)) =
            (!wrong.is_empty()).then(|| wrong[(pick % wrong.len() as u64) as usize].clone())
        else {
            return Vec::new();
        };
        let mut shown = words;
        shown[at] = text;
        vec![question(
            Task::T11,
            format!(
                "{WORDS} The run begins with these events, of which one was made wrong. Which is it, \
                 counting from 1? {}",
                json(&shown)
            ),
            (at + 1).to_string(),
            About::default(),
        )]
    }
}

/// A number that is the same on every machine, to choose by.
fn sum(text: &str) -> u64 {
    text.bytes().fold(7, |all: u64, byte| {
        all.wrapping_mul(131).wrapping_add(u64::from(byte)) >> 1
    })
}

/// Another outcome, or a number one higher.
fn corrupt(words: &str) -> Option<String> {
    if let Some(head) = words.strip_suffix("branch true") {
        return Some(format!("{head}branch false"));
    }
    if let Some(head) = words.strip_suffix("branch false") {
        return Some(format!("{head}branch true"));
    }
    let left = "loop left after ";
    if let Some((head, count)) = words.split_once(left) {
        let count: u64 = count.parse().ok()?;
        return Some(format!("{head}{left}{}", count.checked_add(1)?));
    }
    let (head, value) = words.rsplit_once(" = ")?;
    let number: i64 = value.parse().ok()?;
    Some(format!("{head} = {}", number.checked_add(1)?))
}

/// Whether a later event ends a call.
fn ends(call: &Event, later: &Event) -> bool {
    later.depth == call.depth
        && matches!(
            later.payload,
            Payload::Out {
                suspended: false,
                ..
            } | Payload::In { .. }
        )
}

/// All that was written on stdout, if it is all recorded.
pub(super) fn stdout(trace: &Trace) -> Option<String> {
    let mut out = String::new();
    for event in &trace.events {
        match &event.payload {
            Payload::Stdout {
                stream: 1,
                text,
                length,
            } => {
                if text.len() as u64 != *length {
                    return None;
                }
                out.push_str(text);
            }
            // Output may be among what was left out.
            Payload::Elide {
                last: Some(last), ..
            } if matches!(**last, Payload::Stdout { .. }) => {
                return None;
            }
            _ => {}
        }
    }
    Some(out)
}

pub(super) fn changed(from: &Trace, to: &Trace) -> Option<String> {
    let outcomes = |trace: &Trace| {
        let mut found: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for event in &trace.events {
            if let Payload::Branch { arm, .. } = &event.payload {
                found.entry(event.site).or_default().push(arm.index);
            }
        }
        found
    };
    let (before, after) = (outcomes(from), outcomes(to));
    let mut changed = BTreeSet::new();
    for site in &from.table.sites {
        if site.kind == Kind::Branch && before.get(&site.id) != after.get(&site.id) {
            changed.insert(format!("{}:{}", site.span.line, site.text));
        }
    }
    if stdout(from)? != stdout(to)? {
        changed.insert("stdout".into());
    }
    if from.outcome.exit_status() != to.outcome.exit_status() {
        changed.insert("status".into());
    }
    Some(json(&changed.into_iter().collect::<Vec<_>>()))
}
