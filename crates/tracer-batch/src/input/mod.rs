//! Rows from folders and files, one at a time and always in the same order.

mod folder;
mod jsonl;
pub(crate) mod table;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::record::Record;
use crate::{BatchError, Options};

/// Names of the column with the source, best first.
const TEXTS: &[&str] = &["content", "text", "code"];

/// Names of the column with the language, best first.
const LANGUAGES: &[&str] = &["language", "lang"];

/// A row without its number.
pub(crate) struct Row {
    text: Result<String, String>,
    columns: Map<String, Value>,
}

type Rows = Box<dyn Iterator<Item = Result<Row, BatchError>> + Send>;

/// All rows of all inputs.
pub(crate) struct Input {
    waiting: std::vec::IntoIter<PathBuf>,
    current: Option<Rows>,
    columns: Columns,
    next: u64,
    limit: u64,
}

/// Which columns mean what.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    text: Option<String>,
    language: Option<String>,
}

impl Input {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            waiting: options.inputs.clone().into_iter(),
            current: None,
            columns: Columns::of(options),
            next: 0,
            limit: options.limit.unwrap_or(u64::MAX),
        }
    }

    fn open(&self, path: &Path) -> Result<Rows, BatchError> {
        let name = path.to_string_lossy().to_ascii_lowercase();
        let metadata = std::fs::metadata(path).map_err(BatchError::read(path))?;
        if metadata.is_dir() {
            return Ok(Box::new(folder::rows(path)?));
        }
        let lines = [".jsonl", ".json", ".ndjson"];
        let packed = ["", ".gz", ".zst"];
        if name.ends_with(".parquet") {
            return Ok(Box::new(table::rows(path, self.columns.clone())?));
        }
        let is_lines = lines.iter().any(|form| {
            packed
                .iter()
                .any(|packed| name.ends_with(&format!("{form}{packed}")))
        });
        if is_lines {
            return Ok(Box::new(jsonl::rows(path, self.columns.clone())?));
        }
        Err(BatchError::Input { path: path.into() })
    }

    fn record(&mut self, row: Row) -> Record {
        let at = self.next;
        self.next += 1;
        self.columns.record(row, at, at)
    }
}

impl Iterator for Input {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.limit {
            return None;
        }
        loop {
            if let Some(rows) = &mut self.current {
                match rows.next() {
                    Some(Ok(row)) => return Some(Ok(self.record(row))),
                    Some(Err(error)) => return Some(Err(error)),
                    None => self.current = None,
                }
            }
            let path = self.waiting.next()?;
            match self.open(&path) {
                Ok(rows) => self.current = Some(rows),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Columns {
    pub(crate) fn of(options: &Options) -> Self {
        Self {
            text: options.text_column.clone(),
            language: options.language_column.clone(),
        }
    }

    /// The names that the source's column may have, best first.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let own = self.text.as_deref();
        own.map_or_else(|| TEXTS.to_vec(), |name| vec![name])
    }

    pub(crate) fn record(&self, row: Row, at: u64, number: u64) -> Record {
        let language = match &self.language {
            Some(name) => row.columns.get(name),
            None => LANGUAGES.iter().find_map(|name| row.columns.get(*name)),
        };
        let language = language
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty());
        Record {
            at,
            number,
            text: row.text,
            language: language.map(str::to_owned),
            columns: row.columns,
        }
    }

    /// Takes the source out of a row's columns.
    pub(crate) fn split(&self, mut columns: Map<String, Value>) -> Row {
        let name = match &self.text {
            Some(name) => columns.contains_key(name).then_some(name.as_str()),
            None => TEXTS
                .iter()
                .copied()
                .find(|name| columns.contains_key(*name)),
        };
        let text = match name.and_then(|name| columns.remove(name)) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(Value::String(_) | Value::Null) => Err("the text is empty".to_owned()),
            Some(other) => Err(format!("the text column holds {}", kind(&other))),
            None => Err(format!(
                "there is no column {}",
                self.text.clone().unwrap_or_else(|| TEXTS.join(", "))
            )),
        };
        Row { text, columns }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
