//! Decontamination: no example shares 13 words in a row with a benchmark.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::BatchError;

/// Words in a row that count as copied.
const GRAM: usize = 13;

/// The 13-grams of benchmark files.
#[derive(Default)]
pub(crate) struct Benchmarks {
    grams: HashSet<u64>,
}

impl Benchmarks {
    /// Reads files: of JSON and JSON Lines every text in every row, of others the whole.
    pub(crate) fn read(paths: &[impl AsRef<Path>]) -> Result<Self, BatchError> {
        let mut all = Self::default();
        for path in paths {
            let path = path.as_ref();
            let bytes = std::fs::read(path).map_err(BatchError::read(path))?;
            let text = String::from_utf8_lossy(&bytes);
            let before = all.grams.len();
            if !all.json(&text) {
                all.add(&text);
            }
            if all.grams.len() == before {
                return Err(BatchError::EmptyBenchmark { path: path.into() });
            }
        }
        Ok(all)
    }

    fn json(&mut self, text: &str) -> bool {
        let rows: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text)
            .into_iter()
            .collect();
        let Ok(rows) = rows else { return false };
        for row in &rows {
            self.value(row);
        }
        true
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(items) => {
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(fields) => {
                for field in fields.values() {
                    self.value(field);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        self.grams
            .extend(grams(text).into_iter().map(|(gram, _)| gram));
    }

    /// The first words that a text shares with a benchmark.
    pub(crate) fn shared(&self, text: &str) -> Option<String> {
        if self.grams.is_empty() {
            return None;
        }
        let found = grams(text)
            .into_iter()
            .find(|(gram, _)| self.grams.contains(gram));
        found.map(|(_, words)| words)
    }
}

/// Every 13 words in a row, in lower case and without signs, and their hash.
fn grams(text: &str) -> Vec<(u64, String)> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let windows = words.windows(GRAM).map(|window| window.join(" "));
    windows
        .map(|words| (xxh3_64(words.as_bytes()), words))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "one two three four five six seven eight nine ten eleven twelve thirteen";

    #[test]
    fn thirteen_words_are_enough_and_twelve_are_not() {
        let mut benchmarks = Benchmarks::default();
        benchmarks.value(&serde_json::json!({"prompt": [WORDS]}));
        let copied = WORDS.to_uppercase().replace(' ', ", ");
        assert!(benchmarks.shared(&format!("zero {copied}")).is_some());
        let (short, _) = WORDS.rsplit_once(' ').expect("several words");
        assert!(benchmarks.shared(short).is_none());
    }

    #[test]
    fn a_file_with_nothing_to_compare_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("empty.jsonl");
        std::fs::write(&path, "{\"prompt\": \"too short\"}\n").expect("a file");
        assert!(matches!(
            Benchmarks::read(&[&path]),
            Err(BatchError::EmptyBenchmark { .. })
        ));
    }
}
