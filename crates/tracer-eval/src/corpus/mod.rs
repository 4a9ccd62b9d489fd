//! Programs to make items of: from folders of repositories, rows of `tracer batch`, or another
//! benchmark. Nothing is judged or run here.

mod folder;
mod rows;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use tracer_engine::languages::LanguageSpec;

use crate::EvalError;
use crate::items::Given;

/// Longest source that is looked at, bytes.
const LONGEST_SOURCE: u64 = 12_000;

/// A source that may become items.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) spec: &'static LanguageSpec,
    pub(crate) repository: String,
    /// Where it lies in its repository.
    pub(crate) path: String,
    /// Name of the file that runs.
    pub(crate) name: String,
    pub(crate) text: Text,
    /// What it was run with before; found from the source where that is not known.
    pub(crate) inputs: Option<Vec<Given>>,
    /// What of the text was added to call the rest; empty if nothing.
    pub(crate) driver: String,
}

/// A source, or where it is.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    File(PathBuf),
    Here(String),
}

impl Candidate {
    /// The source; `None` if it cannot be read as a text.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.text {
            Text::File(path) => fs::read_to_string(path).ok(),
            Text::Here(text) => Some(text.clone()),
        }
    }
}

/// Candidates by language and repository.
#[derive(Default)]
pub(crate) struct Corpus {
    found: BTreeMap<&'static str, BTreeMap<String, Vec<Candidate>>>,
}

impl Corpus {
    /// Finds them in each of these: a folder with a folder a repository, the output of `tracer
    /// batch` or files of such rows, or a benchmark.
    pub(crate) fn gather(inputs: &[PathBuf]) -> Result<Self, EvalError> {
        let mut corpus = Self::default();
        for input in inputs {
            if rows::is_file(input) {
                rows::of_file(input, &mut corpus)?;
            } else if input.join("programs.jsonl").is_file() {
                rows::of_benchmark(&input.join("programs.jsonl"), &mut corpus)?;
            } else if input.join("funnel.json").is_file() {
                for shard in rows::shards(input)? {
                    rows::of_file(&shard, &mut corpus)?;
                }
            } else {
                folder::gather(input, &mut corpus)?;
            }
        }
        Ok(corpus)
    }

    fn add(&mut self, candidate: Candidate) {
        let of_language = self.found.entry(candidate.spec.id).or_default();
        let of_repository = of_language.entry(candidate.repository.clone());
        of_repository.or_default().push(candidate);
    }

    /// A language's: one of each repository after the other, each repository's in an order that the
    /// seed gives.
    pub(crate) fn in_order(&self, language: &str, seed: u64) -> impl Iterator<Item = &Candidate> {
        let mut queues: VecDeque<VecDeque<&Candidate>> = self
            .found
            .get(language)
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|all| {
                let mut all: Vec<&Candidate> = all.iter().collect();
                all.sort_by_cached_key(|candidate| {
                    let key = format!("{seed}/{}", candidate.path);
                    *blake3::hash(key.as_bytes()).as_bytes()
                });
                all.into()
            })
            .collect();
        std::iter::from_fn(move || {
            while let Some(mut queue) = queues.pop_front() {
                if let Some(candidate) = queue.pop_front() {
                    queues.push_back(queue);
                    return Some(candidate);
                }
            }
            None
        })
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, EvalError> {
    let unreadable = |source| EvalError::Read {
        path: folder.into(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}
