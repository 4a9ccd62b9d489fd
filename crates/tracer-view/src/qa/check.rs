//! The second way: the answer found again in the JSON Lines, by plain JSON.
//!
//! Shares nothing with the first but the question: rounds of loops are counted rather than read,
//! calls are followed with a stack, wrong events are found by comparing.

use std::collections::BTreeMap;

use serde_json::Value;
use tracer_model::Trace;

use super::{Question, Task};

/// A trace as it stands in a file.
pub(super) struct Lines {
    header: Value,
    events: Vec<Value>,
    footer: Value,
}

impl Lines {
    pub(super) fn of(trace: &Trace) -> Self {
        let text = crate::jsonl::render(trace);
        let mut lines: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let footer = lines.pop().unwrap_or_default();
        let events = lines.split_off(1.min(lines.len()));
        Self {
            header: lines.pop().unwrap_or_default(),
            events,
            footer,
        }
    }

    /// The answer, if the lines give one.
    pub(super) fn answer(&self, question: &Question) -> Option<String> {
        let about = &question.about;
        let at_site = || self.at(about.site);
        match question.task {
            Task::T2 => Some(format!("{}\nstatus {}", self.written(), self.status()?)),
            Task::T3 => {
                let start = about.number as usize;
                let next = self.events.get(start..start + about.line as usize)?;
                let words: Option<Vec<String>> = next.iter().map(words).collect();
                Some(Value::from(words?).to_string())
            }
            Task::T4 => {
                let of_name = |event: &&&Value| event["name"] == about.name.as_str();
                let writes: Vec<_> = at_site().filter(|e| of_name(&e)).collect();
                let write = writes.get(about.number as usize - 1);
                Some(write.map_or_else(|| "none".to_owned(), |write| typed(&write["value"])))
            }
            Task::T5 => {
                let arms: Vec<Value> = at_site()
                    .map(|event| event["arm"]["name"].clone())
                    .collect();
                Some(Value::from(arms).to_string())
            }
            Task::T6 => self.rounds(about.site),
            Task::T7 => self.called(about.number as usize),
            Task::T8 => self.failure(),
            Task::T10 => Some(typed(&at_site().next()?["result"])),
            Task::T11 => self.wrong(&question.question),
            Task::T1 | Task::T9 | Task::T12 => None,
        }
    }

    fn at(&self, site: u32) -> impl Iterator<Item = &Value> {
        self.events
            .iter()
            .filter(move |event| event["at"]["site"] == site)
    }

    fn written(&self) -> String {
        let texts = self
            .events
            .iter()
            .filter(|event| event["kind"] == "STDOUT" && event["stream"] == 1);
        texts.filter_map(|event| event["text"].as_str()).collect()
    }

    fn status(&self) -> Option<u64> {
        let end = &self.footer["outcome"]["end"];
        match end["how"].as_str()? {
            "exited" | "build_failed" => end["code"].as_u64(),
            "signaled" => Some(128 + end["signal"].as_u64()?),
            _ if ["cpu", "wall"].iter().any(|limit| end["limit"] == *limit) => Some(124),
            _ => Some(137),
        }
    }

    /// Counts rounds between entry and end, per depth.
    fn rounds(&self, site: u32) -> Option<String> {
        let mut open: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        let mut counts = Vec::new();
        for event in self.at(site) {
            let place = (
                event["at"]["task"].as_u64()?,
                event["at"]["depth"].as_u64()?,
            );
            match event["phase"].as_str()? {
                "entered" => {
                    open.insert(place, 0);
                }
                "iteration" => *open.entry(place).or_insert(0) += 1,
                _ => counts.push(open.remove(&place).unwrap_or(0)),
            }
        }
        Some(Value::from(counts).to_string())
    }

    /// Follows calls from one with a stack, until it is over.
    fn called(&self, start: usize) -> Option<String> {
        let mut open = 0_u64;
        let mut called = Vec::new();
        for event in self.events.get(start..)? {
            match event["kind"].as_str()? {
                "IN" => {
                    open += 1;
                    if open == 2 {
                        let site = event["at"]["site"].as_u64()? as usize;
                        let table = &self.header["table"];
                        let function = table["sites"][site - 1]["function"].as_u64().unwrap_or(0);
                        called.push(table["functions"][function as usize]["qualified"].clone());
                    }
                }
                "OUT" if event["suspended"] != true => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        break;
                    }
                }
                // Generators leave and come back without an entry.
                "OUT" => return None,
                _ => {}
            }
        }
        Some(Value::from(called).to_string())
    }

    fn failure(&self) -> Option<String> {
        let fatal = |event: &&Value| {
            event["kind"] == "ERR" && (event["phase"] == "uncaught" || event["phase"] == "signal")
        };
        let Some(event) = self.events.iter().rfind(fatal) else {
            return (self.status()? == 0).then(|| "none".to_owned());
        };
        let place = &event["frames"].as_array()?.first()?["line"];
        let name = event.get("type").or_else(|| event.get("type_name"))?;
        Some(format!("{};{place}", name.as_str()?))
    }

    /// The one text shown that is not in the trace.
    fn wrong(&self, question: &str) -> Option<String> {
        let shown: Vec<String> =
            serde_json::from_str(&question[question.find("? [")? + 2..]).ok()?;
        let own: Vec<String> = self
            .events
            .iter()
            .filter_map(words)
            .take(shown.len())
            .collect();
        let different: Vec<usize> = (0..shown.len())
            .filter(|&at| shown[at] != own[at])
            .collect();
        match different[..] {
            [at] => Some((at + 1).to_string()),
            _ => None,
        }
    }
}

fn typed(value: &Value) -> String {
    let text = |key: &str| value[key].as_str().unwrap_or("").to_owned();
    format!("{};{}", text("text"), text("type"))
}

/// An event in the words of the questions.
fn words(event: &Value) -> Option<String> {
    let what = match event["kind"].as_str()? {
        "STEP" => "step".to_owned(),
        "IN" => "enter".to_owned(),
        "OUT" if event["unwinding"] == true => "unwind".to_owned(),
        "OUT" => "leave".to_owned(),
        "VAR" => {
            let value = &event["value"];
            let text = value["text"].as_str().unwrap_or("");
            let scalar = ["null", "bool", "int", "float", "string"]
                .iter()
                .any(|kind| value["kind"] == *kind);
            if !scalar || value.get("cut").is_some() || text.contains('\n') {
                return None;
            }
            format!("{} = {text}", event["name"].as_str()?)
        }
        "BRANCH" => format!("branch {}", event["arm"]["name"].as_str()?),
        "LOOP" => match event["phase"].as_str()? {
            "entered" => "loop".to_owned(),
            "iteration" => format!("round {}", event["count"]),
            _ => format!("loop left after {}", event["count"]),
        },
        _ => return None,
    };
    Some(format!("{} {what}", event["at"]["line"]))
}

/// What differs between two runs: branches by their visits in order, output, status.
pub(super) fn changed(from: &Lines, to: &Lines) -> String {
    let mut changed = Vec::new();
    for site in from.header["table"]["sites"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let id = site["id"].as_u64().unwrap_or(0) as u32;
        let arms = |lines: &Lines| -> Vec<Value> {
            lines
                .at(id)
                .map(|event| event["arm"]["index"].clone())
                .collect()
        };
        if site["kind"] == "BRANCH" && arms(from) != arms(to) {
            let text = site["text"].as_str().unwrap_or("");
            changed.push(format!("{}:{text}", site["span"]["line"]));
        }
    }
    if from.written() != to.written() {
        changed.push("stdout".into());
    }
    if from.status() != to.status() {
        changed.push("status".into());
    }
    changed.sort();
    changed.dedup();
    Value::from(changed).to_string()
}
