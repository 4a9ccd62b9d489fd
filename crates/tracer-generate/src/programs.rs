//! Rows of `tracer batch`, as they are read here: programs that were proved, with their runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::GenerateError;

/// Columns that are taken over as they came in.
pub(crate) const CARRIED: &[&str] = &[
    "blob_id",
    "corpus",
    "repo_name",
    "path",
    "license_type",
    "detected_licenses",
];

/// A program.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Program {
    /// Its number among all rows, from 0.
    #[serde(skip)]
    pub(crate) at: u64,
    pub(crate) id: String,
    pub(crate) language: String,
    pub(crate) source: String,
    /// Name of the file that is run.
    #[serde(rename = "program")]
    pub(crate) entry: String,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) driver: Option<String>,
    pub(crate) runs: Vec<Run>,
    pub(crate) split: String,
    pub(crate) source_sha256: String,
    #[serde(flatten)]
    pub(crate) others: Map<String, Value>,
}

/// One run of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Run {
    pub(crate) args: Vec<String>,
    pub(crate) stdin: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) files: BTreeMap<String, String>,
    /// As JSON Lines.
    pub(crate) trace: String,
}

impl Program {
    /// Where the driver begins in the file that is run, bytes: 0 where that is nothing else.
    pub(crate) fn driver_begins(&self) -> Option<u32> {
        self.driver.as_ref()?;
        let text = self.files.get(&self.entry)?;
        Some(if text.starts_with(&self.source) {
            self.source.len() as u32
        } else {
            0
        })
    }

    /// What templates are filled in with: the program, and how a run of it was started.
    pub(crate) fn values(&self, run: &Run) -> Value {
        let language = tracer_languages::by_name(&self.language);
        let file =
            |name: &str, text: &str, kind: &str| json!({"name": name, "text": text, "kind": kind});
        let main = self.text();
        let beside = self.files.iter().filter(|(name, _)| **name != self.entry);
        let line = |begins: u32| main[..begins as usize].matches('\n').count() + 1;
        let begins = self.driver_begins();
        json!({
            "language": language.map_or(self.language.as_str(), |spec| spec.name),
            "program": file(&self.entry, main, &self.language),
            "beside": beside
                .map(|(name, text)| file(name, text, &self.language))
                .collect::<Vec<_>>(),
            "args": run.args,
            "stdin": run.stdin,
            "environment": run.environment,
            "files": run.files.iter().map(|(name, text)| file(name, text, "text")).collect::<Vec<_>>(),
            "driver": self.driver.is_some(),
            "driver_line": begins.filter(|begins| *begins > 0).map(line),
        })
    }

    /// The text of the file that is run.
    pub(crate) fn text(&self) -> &str {
        self.files.get(&self.entry).map_or("", String::as_str)
    }

    /// Names and texts of its files, the one that is run first.
    pub(crate) fn in_order(&self) -> Vec<(String, Vec<u8>)> {
        let main = |name: &str| name == self.entry;
        let mut files: Vec<(String, Vec<u8>)> = self
            .files
            .iter()
            .map(|(name, text)| (name.clone(), text.clone().into_bytes()))
            .collect();
        files.sort_by_key(|(name, _)| !main(name));
        files
    }
}

/// A line of the list of shards.
#[derive(Deserialize)]
struct Shard {
    path: String,
    split: String,
    digest: String,
}

/// The shards of a finished folder, in order, and a digest of them.
pub(crate) fn shards(folder: &Path) -> Result<(Vec<PathBuf>, String), GenerateError> {
    let done = folder.join("_done/all.json");
    let none = || GenerateError::Programs {
        folder: folder.into(),
    };
    let text = std::fs::read(&done).map_err(|_| none())?;
    let shards: Vec<Shard> = serde_json::from_slice(&text).map_err(|_| none())?;
    let mut hasher = blake3::Hasher::new();
    let mut paths = Vec::new();
    for shard in shards.iter().filter(|shard| shard.split != "rejected") {
        if !shard.path.ends_with(".jsonl.zst") {
            return Err(none());
        }
        hasher.update(shard.digest.as_bytes());
        paths.push(folder.join(&shard.path));
    }
    Ok((paths, hasher.finalize().to_hex()[..32].to_owned()))
}

/// Reads the rows of shards one by one.
pub(crate) fn read(shards: &[PathBuf]) -> impl Iterator<Item = Result<Program, GenerateError>> {
    let lines = shards.iter().flat_map(|path| {
        let opened = File::open(path).and_then(zstd::Decoder::new);
        let lines: Box<dyn Iterator<Item = std::io::Result<String>> + Send> = match opened {
            Ok(decoder) => Box::new(BufReader::new(decoder).lines()),
            Err(error) => Box::new(std::iter::once(Err(error))),
        };
        lines.map(|line| {
            let read = GenerateError::read(path);
            let line = line.map_err(&read)?;
            serde_json::from_str::<Program>(&line).map_err(|error| read(error.into()))
        })
    });
    lines
        .zip(0..)
        .map(|(program, at)| Ok(Program { at, ..program? }))
}
