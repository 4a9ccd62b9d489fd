//! What became of each source, a file a language: a build that was stopped goes on from there.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::make::Made;
use crate::EvalError;

/// What became of a source.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    Kept(Box<Made>),
    Rejected(String),
}

#[derive(Serialize, Deserialize)]
struct Line {
    source: String,
    /// For people.
    #[serde(default)]
    path: String,
    fate: Fate,
}

/// The fates of a language's sources.
pub(super) struct Ledger {
    path: PathBuf,
    file: File,
    known: HashMap<String, Fate>,
}

impl Ledger {
    /// Opens it, or begins it anew if it was written under other conditions.
    pub(super) fn open(folder: &Path, language: &str, conditions: &str) -> Result<Self, EvalError> {
        let path = folder.join(format!("{language}.jsonl"));
        let write = |source| EvalError::Write {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(folder).map_err(write)?;
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut known = HashMap::new();
        let mut good = 0;
        if let Some(rest) = text
            .strip_prefix(conditions)
            .and_then(|rest| rest.strip_prefix('\n'))
        {
            good = text.len() - rest.len();
            // The last line may have been cut off.
            for line in rest
                .split_inclusive('\n')
                .take_while(|line| line.ends_with('\n'))
            {
                let Ok(line_read) = serde_json::from_str::<Line>(line) else {
                    break;
                };
                good += line.len();
                known.insert(line_read.source, line_read.fate);
            }
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(write)?;
        file.set_len(good as u64).map_err(write)?;
        let mut ledger = Self { path, file, known };
        if good == 0 {
            ledger.append(&format!("{conditions}\n"))?;
        }
        Ok(ledger)
    }

    pub(super) fn known(&self, source: &str) -> Option<&Fate> {
        self.known.get(source)
    }

    pub(super) fn add(&mut self, source: &str, path: &str, fate: Fate) -> Result<(), EvalError> {
        let line = Line {
            source: source.to_owned(),
            path: path.to_owned(),
            fate,
        };
        let text = serde_json::to_string(&line).expect("its keys are texts");
        self.append(&format!("{text}\n"))?;
        self.known.insert(line.source, line.fate);
        Ok(())
    }

    fn append(&mut self, text: &str) -> Result<(), EvalError> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| EvalError::Write {
            path: self.path.clone(),
            source,
        })
    }
}
