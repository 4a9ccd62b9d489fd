//! What a benchmark's files hold: items, answers, the manifest. No item is judged here.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracer_view::qa::{About, Task};

use crate::EvalError;

/// How hard an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// Up to 60 events, two calls deep, one loop.
    Easy,
    /// Up to 400 events, four calls deep.
    Medium,
    /// More.
    Hard,
}

impl Bucket {
    /// By events, depth of calls and loops entered.
    pub fn of(events: usize, depth: u32, loops: usize) -> Self {
        match (events, depth, loops) {
            (0..=60, 0..=2, 0..=1) => Self::Easy,
            (0..=400, 0..=4, _) => Self::Medium,
            _ => Self::Hard,
        }
    }
}

/// What a run is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Given {
    /// Arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Input; only texts are given.
    #[serde(default)]
    pub stdin: String,
    /// Files in the working folder, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<(String, String)>,
}

/// A program that items are made of: a line of `programs.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Language and digest of the source: its items' ids begin so.
    pub id: String,
    /// Language id.
    pub language: String,
    /// Repository.
    pub repository: String,
    /// Path in it.
    pub path: String,
    /// Name of the file that runs.
    pub name: String,
    /// `train`, `validation` or `test`.
    pub split: String,
    /// The source, with the driver where there is one.
    pub source: String,
    /// What of the source was added to call the rest; empty if nothing.
    pub driver: String,
    /// What each run was given.
    pub inputs: Vec<Given>,
}

/// What a predicted input has to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Exactly this on stdout.
    Output(String),
    /// A statement on this line runs.
    Line(u32),
}

/// One item: a line of `items.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Names it: language, digest of the source, task, number.
    pub id: String,
    /// Its task.
    pub task: Task,
    /// Language id.
    pub language: String,
    /// Repository it comes from: the first folder of its path.
    pub repository: String,
    /// Path in the repository.
    pub path: String,
    /// Name of the file that runs.
    pub name: String,
    /// `train`, `validation` or `test`, by repository.
    pub split: String,
    /// Difficulty.
    pub bucket: Bucket,
    /// Source as it is asked about.
    pub source: String,
    /// What is asked, with all that a model may see.
    pub prompt: String,
    /// The true answer.
    pub answer: String,
    /// What the question is about.
    pub about: About,
    /// What an input is to reach, where an input is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// Digest of the image, where it ran in one; else the toolchain's version.
    pub toolchain: String,
}

/// An answer: a line of an answers file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The item's.
    pub id: String,
    /// What the model said.
    pub answer: String,
}

/// Reads JSON Lines.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, EvalError> {
    let text = fs::read_to_string(path).map_err(|source| EvalError::Read {
        path: path.into(),
        source,
    })?;
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|source| EvalError::Line {
                path: path.into(),
                line: index + 1,
                source,
            })
        })
        .collect()
}

/// Writes JSON Lines.
pub fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), EvalError> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row).expect("rows have no keys but texts");
        text.push(b'\n');
    }
    fs::write(path, text).map_err(|source| EvalError::Write {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An item that asks nothing.
    pub(crate) fn item(task: Task, answer: &str) -> Item {
        Item {
            id: "x".into(),
            task,
            language: "python".into(),
            repository: "r".into(),
            path: "a.py".into(),
            name: "a.py".into(),
            split: "test".into(),
            bucket: Bucket::Easy,
            source: String::new(),
            prompt: String::new(),
            answer: answer.into(),
            about: About::default(),
            goal: None,
            toolchain: String::new(),
        }
    }
}
