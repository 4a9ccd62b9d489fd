//! From the ledger to the output: rows are compared with one another, shuffled and written.
//!
//! A pure function of the ledger's entries, whatever order they were written in. What is held in
//! memory of a row are numbers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::files::write_whole;
use crate::funnel::Funnel;
use crate::ledger::{Entry, Ledger, Place, Status};
use crate::output::{self, card};
use crate::similar::Seen;
use crate::{BatchError, Options, Reason, row};

/// A file of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Path below the output folder.
    pub path: String,
    /// `train`, `validation` or `rejected`.
    pub split: String,
    /// Rows in it.
    pub rows: u64,
    /// BLAKE3 of the file.
    pub digest: String,
}

/// Name of the folder of examples, and of the configuration that the card tells of.
pub(crate) const CONFIGURATION: &str = "code-trace";

/// Rows of a file of rejected rows.
const REJECTS: usize = 50_000;

/// Where rows stand in the ledger, by number.
#[derive(Default)]
pub(crate) struct Places {
    places: BTreeMap<u64, Place>,
}

impl Places {
    pub(crate) fn add(&mut self, row: u64, place: Place) {
        self.places.insert(row, place);
    }

    fn of(&self, row: u64) -> Option<Place> {
        self.places.get(&row).copied()
    }
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Rejected(Reason),
}

/// A row to be written.
pub(crate) struct Chosen {
    pub(crate) place: Place,
    order: u64,
}

/// Counts for the dataset card.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) licenses: BTreeMap<String, u64>,
    pub(crate) tokens: u64,
    pub(crate) train: u64,
    pub(crate) validation: u64,
}

/// What an earlier run finished.
pub(crate) fn finished(out: &Path) -> Result<Option<(Funnel, Vec<Shard>)>, BatchError> {
    let read = |path: &Path| std::fs::read(path).map_err(BatchError::read(path));
    let done = out.join("_done/all.json");
    if !done.exists() {
        return Ok(None);
    }
    let funnel = out.join("funnel.json");
    let bad = |path: &Path| {
        let path = path.to_path_buf();
        move |error: serde_json::Error| BatchError::Read {
            path,
            source: error.into(),
        }
    };
    let shards = serde_json::from_slice(&read(&done)?).map_err(bad(&done))?;
    let funnel = serde_json::from_slice(&read(&funnel)?).map_err(bad(&funnel))?;
    Ok(Some((funnel, shards)))
}

/// Writes everything, in files that are there whole or not at all.
pub(crate) fn assemble(
    options: &Options,
    ledger: &Ledger,
    places: &Places,
) -> Result<(Funnel, Vec<Shard>), BatchError> {
    let mut state = State::new(options, ledger);
    for (at, place) in &places.places {
        state.row(*at, *place, places)?;
    }
    let mut shards = state.rejects.finish()?;
    state.funnel.check(places.places.len() as u64)?;
    let fields = output::Fields::new(state.fields);
    for (split, mut rows) in [("train", state.train), ("validation", state.validation)] {
        rows.sort_by_key(|row| row.order);
        shards.extend(output::write(options, ledger, split, &rows, &fields)?);
    }
    let written: u64 = shards.iter().map(|shard| shard.rows).sum();
    state.funnel.check(written)?;
    let json = |value: &dyn erased::Json| value.pretty();
    write_whole(&options.out.join("funnel.json"), &json(&state.funnel))?;
    let table = card::funnel_table(&state.funnel);
    write_whole(&options.out.join("funnel.md"), table.as_bytes())?;
    let text = card::card(options, &state.funnel, &state.facts, &fields, &table);
    write_whole(&options.out.join("README.md"), text.as_bytes())?;
    for shard in &shards {
        let name = shard.path.replace('/', "--");
        let path = options.out.join(format!("_done/{name}.json"));
        write_whole(&path, &json(shard))?;
    }
    write_whole(&options.out.join("_done/all.json"), &json(&shards))?;
    Ok((state.funnel, shards))
}

mod erased {
    //! Anything that serde writes, as indented JSON.

    pub(super) trait Json {
        fn pretty(&self) -> Vec<u8>;
    }

    impl<T: serde::Serialize> Json for T {
        fn pretty(&self) -> Vec<u8> {
            let mut text = serde_json::to_vec_pretty(self).expect("counts and texts are JSON");
            text.push(b'\n');
            text
        }
    }
}

struct State<'a> {
    options: &'a Options,
    ledger: &'a Ledger,
    funnel: Funnel,
    facts: Facts,
    fates: Vec<Fate>,
    sources: Seen,
    traces: Seen,
    train: Vec<Chosen>,
    validation: Vec<Chosen>,
    rejects: output::Rejects,
    fields: BTreeMap<String, output::Type>,
}

impl<'a> State<'a> {
    fn new(options: &'a Options, ledger: &'a Ledger) -> Self {
        Self {
            options,
            ledger,
            funnel: Funnel::default(),
            facts: Facts::default(),
            fates: Vec::new(),
            sources: Seen::default(),
            traces: Seen::default(),
            train: Vec::new(),
            validation: Vec::new(),
            rejects: output::Rejects::new(&options.out, REJECTS),
            fields: BTreeMap::new(),
        }
    }

    fn row(&mut self, at: u64, place: Place, places: &Places) -> Result<(), BatchError> {
        if at != self.fates.len() as u64 {
            let missing = self.fates.len();
            return Err(BatchError::Sums(format!("row {missing} is missing")));
        }
        let (mut entry, mut columns) = self.ledger.row(place)?;
        if let Status::Copy { of } = entry.status
            && let Some(first) = places.of(of)
        {
            // Nobody looked at a copy: it is in the language of what it copies.
            entry.language = self.ledger.row(first)?.0.language;
            columns.insert("language".into(), entry.language.clone().into());
        }
        let (fate, detail) = self.fate(&entry, at);
        self.fates.push(fate);
        match fate {
            Fate::Kept => {
                self.keep(&entry, place, &columns);
                Ok(())
            }
            Fate::Rejected(reason) => {
                self.funnel.rejected(&entry.language, reason);
                if !matches!(entry.status, Status::Candidate { .. }) {
                    columns.insert("reason".into(), reason.name().into());
                    columns.extend(detail.map(|detail| ("detail".to_owned(), detail.into())));
                    return self.rejects.add(&columns);
                }
                self.rejects.add(&refused(columns, reason, detail))
            }
        }
    }

    /// The gates that compare rows, in order.
    fn fate(&mut self, entry: &Entry, at: u64) -> (Fate, Option<String>) {
        let (source, trace, benchmark) = match &entry.status {
            Status::Rejected { reason, .. } => return (Fate::Rejected(*reason), None),
            Status::Copy { of } => {
                let reason = match self.fates.get(*of as usize) {
                    Some(Fate::Rejected(reason)) => *reason,
                    _ => Reason::Duplicate,
                };
                let detail = format!("the same source as row {of}");
                return (Fate::Rejected(reason), Some(detail));
            }
            Status::Candidate {
                source,
                trace,
                benchmark,
                ..
            } => (source, trace, benchmark),
        };
        if let Some(other) = self.sources.like(source) {
            let detail = format!("like row {other}");
            return (Fate::Rejected(Reason::SimilarSource), Some(detail));
        }
        if let Some(other) = self.traces.like(trace) {
            let detail = format!("like row {other}");
            return (Fate::Rejected(Reason::SimilarTrace), Some(detail));
        }
        if let Some(words) = benchmark {
            return (Fate::Rejected(Reason::Benchmark), Some(words.clone()));
        }
        self.sources.add(source, at);
        self.traces.add(trace, at);
        (Fate::Kept, None)
    }

    fn keep(&mut self, entry: &Entry, place: Place, columns: &Map<String, Value>) {
        let pinned = matches!(entry.status, Status::Candidate { pinned: true, .. });
        self.funnel.kept(&entry.language, pinned);
        *self
            .facts
            .licenses
            .entry(entry.license.clone())
            .or_default() += 1;
        self.facts.tokens += columns.get("n_tokens").and_then(Value::as_u64).unwrap_or(0);
        for (name, value) in columns {
            let seen = output::Type::of(name, value);
            let known = self.fields.entry(name.clone()).or_insert(seen);
            *known = known.with(seen);
        }
        let chosen = Chosen {
            place,
            order: xxh3_64_with_seed(entry.id.as_bytes(), self.options.seed),
        };
        // A repository is whole in one split, whatever the seed.
        let unit = if entry.repository.is_empty() {
            &entry.id
        } else {
            &entry.repository
        };
        if xxh3_64(unit.as_bytes()) % 1000 < u64::from(self.options.validation) {
            self.facts.validation += 1;
            self.validation.push(chosen);
        } else {
            self.facts.train += 1;
            self.train.push(chosen);
        }
    }
}

/// The columns of a row that is rejected for what the judge only noted.
pub(crate) fn refused(
    mut columns: Map<String, Value>,
    reason: Reason,
    detail: Option<String>,
) -> Map<String, Value> {
    for name in row::OWN.iter().filter(|name| !row::REJECTED.contains(name)) {
        columns.remove(*name);
    }
    for name in ["reason", "detail"] {
        if let Some(came_in) = columns.remove(name) {
            columns.insert(format!("input_{name}"), came_in);
        }
    }
    columns.insert("reason".into(), reason.name().into());
    if let Some(detail) = detail {
        columns.insert("detail".into(), detail.into());
    }
    columns
}
