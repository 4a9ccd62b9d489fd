//! Builds a benchmark from a corpus.
//!
//! A program becomes items if its runs are the same under other circumstances, and if the probes
//! written into it print, when that source is itself run, what the trace says: probes that print
//! something else are taken out and the rest is run again. Programs are taken in an order that the
//! seed gives, one repository after the other, until a language has enough. What became of each is
//! kept in the benchmark's folder, so that a build that was stopped, or is to be larger, goes on.

mod balance;
mod inputs;
mod ledger;
mod make;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tracer_engine::languages::LanguageSpec;
use tracer_engine::{Settings, languages};
use tracer_view::qa::Task;

use crate::EvalError;
use crate::corpus::{Candidate, Corpus};
use crate::items::{self, Item, Program};
use crate::subject;
pub(crate) use crate::subject::Reason;
use ledger::{Fate, Ledger};
use make::Made;

/// How long an untraced run may take, where nothing else is asked for.
pub const WALL: std::time::Duration = std::time::Duration::from_secs(10);

/// Programs tried for each that is wanted.
const TRIES: usize = 12;

/// What to build.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folders with a folder a repository, outputs of `tracer batch` or files of such rows,
    /// benchmarks.
    pub inputs: Vec<PathBuf>,
    /// Where the benchmark goes.
    pub out: PathBuf,
    /// Programs of each language.
    pub per_language: usize,
    /// Orders the programs, and chooses questions and inputs.
    pub seed: u64,
    /// Whether programs get inputs that the corpus has not seen, made from the seed.
    pub fresh: bool,
    /// Languages; all where empty.
    pub languages: Vec<String>,
    /// Languages worked on at once.
    pub jobs: usize,
    /// How programs are run.
    pub settings: Settings,
}

/// How many programs of a language went where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Looked at.
    pub tried: usize,
    /// Became items.
    pub kept: usize,
    /// Did not, by reason.
    pub rejected: BTreeMap<String, usize>,
    /// Items, by task.
    pub items: BTreeMap<Task, usize>,
    /// Items, by difficulty.
    pub buckets: BTreeMap<items::Bucket, usize>,
    /// Programs, by split.
    pub splits: BTreeMap<String, usize>,
}

/// What was built: `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Form of this file and the items.
    pub schema_version: &'static str,
    /// Program that built it.
    pub tracer: &'static str,
    /// Seed.
    pub seed: u64,
    /// Whether inputs are fresh.
    pub fresh: bool,
    /// BLAKE3 of `items.jsonl`.
    pub items_digest: String,
    /// BLAKE3 of each item's answer, by id.
    pub answers: BTreeMap<String, String>,
    /// Toolchains or images, by language.
    pub toolchains: BTreeMap<String, String>,
    /// Items left out because one answer would have been right too often, by task.
    pub balanced: BTreeMap<Task, usize>,
    /// By language.
    pub languages: BTreeMap<String, Counts>,
}

/// Is told how far the work is.
pub trait Observer: Sync {
    /// A language has so many of the programs wanted.
    fn progress(&self, language: &str, kept: usize, tried: usize);
}

/// Builds it.
pub fn build(options: &Options, observer: &dyn Observer) -> Result<Manifest, EvalError> {
    let corpus = Corpus::gather(&options.inputs)?;
    fs::create_dir_all(&options.out).map_err(|source| EvalError::Write {
        path: options.out.clone(),
        source,
    })?;
    let mut wanted: Vec<&'static LanguageSpec> = languages::all()
        .iter()
        .copied()
        .filter(|spec| {
            let named =
                |name: &String| languages::by_name(name).is_some_and(|named| named.id == spec.id);
            options.languages.is_empty() || options.languages.iter().any(named)
        })
        .collect();
    // What is compiled takes longest, and would be waited for at the end.
    wanted.sort_by_key(|spec| spec.toolchain.diagnostics.is_none());
    let waiting: Mutex<VecDeque<_>> = Mutex::new(wanted.into());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let next = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some(spec) = next else { return };
                    let result = language(spec, &corpus, options, observer);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((spec, result));
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut made = BTreeMap::new();
    for (spec, result) in done {
        made.insert(spec.id, result?);
    }
    write(options, made)
}

/// A language's programs, with what became of the others.
fn language(
    spec: &'static LanguageSpec,
    corpus: &Corpus,
    options: &Options,
    observer: &dyn Observer,
) -> Result<(Vec<Made>, Counts), EvalError> {
    let conditions = format!(
        "{} seed {} fresh {} {:?} {:?} {:?}",
        env!("CARGO_PKG_VERSION"),
        options.seed,
        options.fresh,
        options.settings.toolchain,
        options.settings.isolation,
        options.settings.limits,
    );
    let mut ledger = Ledger::open(&options.out.join(".work"), spec.id, &conditions)?;
    let mut counts = Counts::default();
    let mut made = Vec::new();
    // Repositories share files.
    let mut sources = BTreeSet::new();
    for candidate in corpus.in_order(spec.id, options.seed) {
        if counts.kept == options.per_language || counts.tried == options.per_language * TRIES {
            break;
        }
        let Some(key) = key(candidate) else { continue };
        if !sources.insert(key.1) {
            continue;
        }
        counts.tried += 1;
        let fate = match ledger.known(&key.0) {
            Some(fate) => fate.clone(),
            None => {
                let fate = match subject::again(|| make::items(candidate, options)) {
                    Ok(made) => Fate::Kept(Box::new(made)),
                    Err(reason) => Fate::Rejected(reason.to_owned()),
                };
                let path = format!("{}/{}", candidate.repository, candidate.path);
                // What the machine failed at is tried again by the next build.
                if !matches!(&fate, Fate::Rejected(reason) if reason == subject::MACHINE) {
                    ledger.add(&key.0, &path, fate.clone())?;
                }
                fate
            }
        };
        match fate {
            Fate::Kept(one) => {
                counts.kept += 1;
                *counts.splits.entry(one.program.split.clone()).or_insert(0) += 1;
                made.push(*one);
            }
            Fate::Rejected(reason) => *counts.rejected.entry(reason).or_insert(0) += 1,
        }
        observer.progress(spec.id, counts.kept, counts.tried);
    }
    Ok((made, counts))
}

/// Names a candidate with what it is run with, and its source.
fn key(candidate: &Candidate) -> Option<(String, [u8; 32])> {
    let text = candidate.text()?;
    let source = *blake3::hash(text.as_bytes()).as_bytes();
    let whole = format!(
        "{}\0{}\0{:?}\0{text}",
        candidate.repository, candidate.path, candidate.inputs
    );
    Some((
        blake3::hash(whole.as_bytes()).to_hex()[..24].to_owned(),
        source,
    ))
}

fn write(
    options: &Options,
    made: BTreeMap<&'static str, (Vec<Made>, Counts)>,
) -> Result<Manifest, EvalError> {
    let mut programs: Vec<Program> = Vec::new();
    let mut all: Vec<Item> = Vec::new();
    let mut by_language = BTreeMap::new();
    for (language, (made, counts)) in made {
        for one in made {
            programs.push(one.program);
            all.extend(one.items);
        }
        if counts.tried > 0 {
            by_language.insert(language.to_owned(), counts);
        }
    }
    let balanced = balance::balance(&mut all);
    let mut manifest = Manifest {
        schema_version: "2.0",
        tracer: env!("CARGO_PKG_VERSION"),
        seed: options.seed,
        fresh: options.fresh,
        items_digest: String::new(),
        answers: BTreeMap::new(),
        toolchains: BTreeMap::new(),
        balanced,
        languages: by_language,
    };
    for item in &all {
        let counts = manifest.languages.entry(item.language.clone()).or_default();
        *counts.items.entry(item.task).or_insert(0) += 1;
        *counts.buckets.entry(item.bucket).or_insert(0) += 1;
        let toolchains = &mut manifest.toolchains;
        toolchains.insert(item.language.clone(), item.toolchain.clone());
        let digest = blake3::hash(item.answer.as_bytes()).to_hex().to_string();
        manifest.answers.insert(item.id.clone(), digest);
    }
    items::write(&options.out.join("programs.jsonl"), &programs)?;
    let path = options.out.join("items.jsonl");
    items::write(&path, &all)?;
    manifest.items_digest = digest(&path)?;
    let path = options.out.join("manifest.json");
    let text = serde_json::to_vec_pretty(&manifest).expect("a manifest's keys are texts");
    fs::write(&path, text).map_err(|source| EvalError::Write { path, source })?;
    Ok(manifest)
}

fn digest(path: &Path) -> Result<String, EvalError> {
    let bytes = fs::read(path).map_err(|source| EvalError::Read {
        path: path.into(),
        source,
    })?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}
