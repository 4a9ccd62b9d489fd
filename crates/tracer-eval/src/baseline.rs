//! Answers without understanding, to read a score against.
//!
//! None looks at the item's answer, except that `random` learns what answers look like from the
//! other items of its task.

use std::collections::BTreeMap;

use tracer_view::qa::Task;

use crate::items::{Answer, Item};

/// How to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Each written probe once, as it stands in the source.
    CopyProbes,
    /// The same with the last literal that the source gives each name.
    LastValue,
    /// The commonest answer of the task and language among the other items.
    MajorityBranch,
    /// Another item's answer, by the seed.
    Random,
}

impl Baseline {
    /// All of them, with their names.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("copy-probes", Self::CopyProbes),
        ("last-value", Self::LastValue),
        ("majority-branch", Self::MajorityBranch),
        ("random", Self::Random),
    ];
}

/// Answers all items.
pub fn answer(items: &[Item], baseline: Baseline, seed: u64) -> Vec<Answer> {
    items
        .iter()
        .map(|item| Answer {
            id: item.id.clone(),
            answer: one(item, items, baseline, seed),
        })
        .collect()
}

fn one(item: &Item, items: &[Item], baseline: Baseline, seed: u64) -> String {
    let copies = matches!(baseline, Baseline::CopyProbes | Baseline::LastValue);
    if item.task == Task::T1 && baseline != Baseline::Random {
        return trace(item, baseline);
    }
    let others = items.iter().filter(|other| {
        other.id != item.id && other.task == item.task && other.language == item.language
    });
    match baseline {
        Baseline::Random => {
            let order = |other: &&Item| {
                let text = format!("{seed}{}{}", item.id, other.id);
                *blake3::hash(text.as_bytes()).as_bytes()
            };
            others
                .min_by_key(order)
                .map_or(String::new(), |other| other.answer.clone())
        }
        _ if copies && item.task == Task::T4 => {
            let name = &item.about.name;
            last_literal(&item.source, name).map_or("none".into(), |literal| {
                format!("{literal};{}", type_of(&literal))
            })
        }
        _ => {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for other in others {
                *counts.entry(&other.answer).or_insert(0) += 1;
            }
            let most = counts
                .into_iter()
                .max_by_key(|(text, count)| (*count, std::cmp::Reverse(*text)));
            most.map_or(String::new(), |(text, _)| text.to_owned())
        }
    }
}

/// One block a run, with each probe of the source once.
fn trace(item: &Item, baseline: Baseline) -> String {
    let mut lines = String::new();
    for line in item.source.lines() {
        let Some(at) = line.find("TRACE:") else {
            continue;
        };
        let end = line[at..]
            .find(['"', '`', '\\'])
            .map_or(line.len(), |end| at + end);
        let mut text = line[at..end].to_owned();
        let negative = baseline == Baseline::MajorityBranch && text.ends_with(" false");
        if negative {
            continue;
        }
        if baseline == Baseline::LastValue
            && let Some((head, state)) = text.rsplit_once(':')
            && let Some((name, _)) = state.split_once('=')
            && let Some(literal) = last_literal(&item.source, name)
        {
            text = format!("{head}:{name}={literal}");
        }
        lines.push_str(&text);
        lines.push('\n');
    }
    let runs = item.prompt.matches(" 2> trace").count().max(1);
    tracer_view::probes::answer(&vec![lines; runs])
}

/// The last literal that the source assigns to a name.
fn last_literal(source: &str, name: &str) -> Option<String> {
    let lines = source.lines().rev().filter(|line| !line.contains("TRACE:"));
    for line in lines {
        let Some((left, right)) = line.split_once('=') else {
            continue;
        };
        let left = left.trim_end().trim_end_matches(':').trim_end();
        let right = right.trim().trim_end_matches(';');
        let literal = right.parse::<f64>().is_ok()
            || (right.len() > 1 && right.starts_with(['"', '\'']) && right.ends_with(['"', '\'']));
        if left.ends_with(name) && literal {
            return Some(right.trim_matches(['"', '\'']).to_owned());
        }
    }
    None
}

fn type_of(literal: &str) -> &'static str {
    match literal.parse::<i64>() {
        Ok(_) => "int",
        Err(_) if literal.parse::<f64>().is_ok() => "float",
        Err(_) => "str",
    }
}
