//! Rows of a table, as many as are given at a time: for programs that read and write rows
//! themselves.
//!
//! Takes each row through the gates that look at one row alone. What compares rows (duplicates, the
//! shuffle, the split) is left to whoever has them all, and so is going on after a death.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use serde_json::{Map, Value};
use tracer_sandbox::Isolation;

use crate::account::Account;
use crate::assemble::refused;
use crate::benchmark::Benchmarks;
use crate::input::Columns;
use crate::input::table::objects;
use crate::judge::{Judge, Judged, rejected};
use crate::ledger::{Entry, Status};
use crate::reader::Message;
use crate::record::Record;
use crate::row::OWN;
use crate::run::{FAILURES, PULSE, is_full};
use crate::tokens::Tokens;
use crate::workers::Workers;
use crate::{BatchError, Options, Reason, plan};

/// Columns of every row that are not of [`OWN`], before them.
const VERDICT: [&str; 3] = ["status", "reason", "detail"];

/// Rows of a piece of the answer: its texts are to stay below what an array of texts holds.
const PIECE: usize = 64;

/// Judges rows under fixed options. `Send` and `Sync`.
pub struct Verifier {
    judge: Arc<Judge>,
    number: Option<String>,
    /// Rows in a row that the machine failed on.
    failures: AtomicUsize,
}

impl Verifier {
    /// Of the options, inputs, output and what concerns several rows are not looked at.
    pub fn new(options: Options) -> Result<Self, BatchError> {
        if options.settings.isolation == Isolation::None {
            return Err(BatchError::NoWalls);
        }
        Ok(Self {
            judge: Arc::new(Judge {
                benchmarks: Benchmarks::read(&options.benchmarks)?,
                tokens: Tokens::new(),
                account: Account::default(),
                options,
            }),
            number: None,
            failures: AtomicUsize::new(0),
        })
    }

    /// With a column that holds the number of each row: ids are those of a batch over rows in that
    /// order. Without one, rows that are the same have the same id.
    #[must_use]
    pub fn numbered_by(mut self, column: Option<String>) -> Self {
        self.number = column;
        self
    }

    /// Everything that can change what comes out, by name: for whoever keeps answers.
    pub fn plan(&self) -> Result<Map<String, Value>, BatchError> {
        let mut plan = plan::plan(&self.judge.options)?;
        for of_corpora in [
            "inputs",
            "limit",
            "form",
            "seed",
            "shard_rows",
            "validation",
        ] {
            plan.remove(of_corpora);
        }
        plan.insert("number_column".into(), self.number.clone().into());
        Ok(plan)
    }

    /// Judges all rows, on several threads. For each row of `tables`, in their order, there is one row
    /// in the answer: `status` (`ok`, `rejected`, `failed`), `reason` and `detail`, the columns of
    /// `tracer batch`, and those that came in. An error is the machine's, or means that the table
    /// has no column with a source.
    pub fn verify(&self, tables: &[RecordBatch]) -> Result<Vec<RecordBatch>, BatchError> {
        let records = self.records(tables)?;
        let mut judged = &self.judge_all(records)?[..];
        let mut answer = Vec::new();
        for rows in tables {
            let names = self.carried(&rows.schema())?;
            let carried: Vec<(Field, ArrayRef)> = names
                .into_iter()
                .map(|(index, name)| {
                    let field = rows.schema().field(index).clone().with_name(name);
                    (field, Arc::clone(rows.column(index)))
                })
                .collect();
            let (own, rest) = judged.split_at(rows.num_rows());
            judged = rest;
            for (index, piece) in own.chunks(PIECE).enumerate() {
                answer.push(table(piece, &carried, index * PIECE)?);
            }
            if own.is_empty() {
                answer.push(table(own, &carried, 0)?);
            }
        }
        Ok(answer)
    }

    /// Digests of what is judged of each row: rows with the same one get the same answer, whatever
    /// their other columns hold.
    pub fn keys(&self, tables: &[RecordBatch]) -> Result<Vec<String>, BatchError> {
        let records = self.records(tables)?;
        let digest = |record: &Record| {
            let path = record.path().map(|path| path.to_string_lossy());
            let parts = [
                record.text.as_deref().unwrap_or_else(|why| why),
                if record.text.is_ok() { "" } else { "no text" },
                record.language.as_deref().unwrap_or_default(),
                path.as_deref().unwrap_or_default(),
                record.repository(),
            ];
            let mut hasher = blake3::Hasher::new();
            for part in parts {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            hasher.update(&record.number.to_le_bytes());
            hasher.finalize().to_hex()[..32].to_owned()
        };
        Ok(records.iter().map(digest).collect())
    }

    /// The columns of a table that an answer has, too, by their places there, with their names in the
    /// answer: all but the source's.
    pub fn carried(&self, schema: &Schema) -> Result<Vec<(usize, String)>, BatchError> {
        let text = self.text_column(schema)?;
        let mut carried: Vec<(usize, String)> = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if *field.name() == text {
                continue;
            }
            let mut name = field.name().clone();
            while Self::columns().any(|own| own == name)
                || carried.iter().any(|(_, other)| *other == name)
            {
                name = format!("input_{name}");
            }
            carried.push((index, name));
        }
        Ok(carried)
    }

    /// Columns of every answer that are ours, in order.
    pub fn columns() -> impl Iterator<Item = &'static str> {
        let own = OWN.iter().filter(|name| **name != "split");
        VERDICT.iter().chain(own).copied()
    }

    /// Those of them that hold whole numbers; the others hold texts.
    pub const NUMBERS: [&str; 2] = ["n_tokens", "exit_code"];

    /// The column of a table that has the source.
    pub fn text_column(&self, schema: &Schema) -> Result<String, BatchError> {
        let columns = Columns::of(&self.judge.options);
        let names = columns.texts();
        let found = names.iter().find(|name| schema.index_of(name).is_ok());
        let found = found.map(|name| (*name).to_owned());
        found.ok_or_else(|| BatchError::Column {
            path: "the table".into(),
            wanted: names.join(", "),
            there: schema
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    fn records(&self, tables: &[RecordBatch]) -> Result<Vec<Record>, BatchError> {
        let columns = Columns::of(&self.judge.options);
        let mut records = Vec::new();
        for rows in tables {
            self.text_column(&rows.schema())?;
            for row in objects(rows)? {
                let number = self.number(&row)?;
                let at = records.len() as u64;
                records.push(columns.record(columns.split(row), at, number));
            }
        }
        Ok(records)
    }

    fn number(&self, row: &Map<String, Value>) -> Result<u64, BatchError> {
        let Some(column) = &self.number else {
            return Ok(0);
        };
        let value = row.get(column).unwrap_or(&Value::Null);
        value.as_u64().ok_or_else(|| BatchError::Number {
            column: column.clone(),
            what: value.to_string(),
        })
    }

    fn judge_all(&self, records: Vec<Record>) -> Result<Vec<Judged>, BatchError> {
        let options = &self.judge.options;
        let mut judged: Vec<Option<Judged>> = Vec::new();
        judged.resize_with(records.len(), || None);
        let mut left = records.len();
        if left == 0 {
            return Ok(Vec::new());
        }
        let threads = options.jobs.min(left);
        let (jobs, taken) = sync_channel(left);
        for record in records {
            let room = jobs.send(record);
            debug_assert!(room.is_ok(), "the receiver is below");
        }
        drop(jobs);
        let (sender, answers) = sync_channel(left);
        let taken = Arc::new(Mutex::new(taken));
        let mut workers = Workers::new(&self.judge, taken, sender, None, threads);
        while left > 0 {
            let done = match answers.recv_timeout(PULSE) {
                Ok(Message::Done { worker, judged }) if workers.free(worker) => Some(judged),
                Ok(_) | Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(BatchError::Sums("all workers ended".into()));
                }
            };
            let mut place = |one: Judged| {
                left -= 1;
                let at = one.entry.at as usize;
                judged[at] = Some(one);
            };
            match done {
                Some(Ok(one)) => {
                    self.failures.store(0, Ordering::Relaxed);
                    place(*one);
                }
                Some(Err(failed)) => {
                    let (one, error) = *failed;
                    let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                    let cancelled = options.settings.cancel.is_cancelled();
                    if cancelled || failures >= FAILURES || is_full(&error) {
                        return Err(error);
                    }
                    place(one);
                }
                None => {}
            }
            for record in workers.replace_stuck() {
                let detail = format!("more than {} s", options.patience.as_secs());
                place(rejected(&record, Entry::of(&record), Reason::Stuck, detail));
            }
        }
        let all: Option<Vec<Judged>> = judged.into_iter().collect();
        all.ok_or_else(|| BatchError::Sums("a row has no answer".into()))
    }
}

/// A piece of the answer: the rows from `first` on.
fn table(
    judged: &[Judged],
    carried: &[(Field, ArrayRef)],
    first: usize,
) -> Result<RecordBatch, BatchError> {
    let rows: Vec<Map<String, Value>> = judged.iter().map(columns).collect();
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for name in Verifier::columns() {
        let values = rows.iter().map(|row| row.get(name));
        if Verifier::NUMBERS.contains(&name) {
            fields.push(Field::new(name, DataType::Int64, true));
            let numbers: Int64Array = values.map(|value| value?.as_i64()).collect();
            arrays.push(Arc::new(numbers));
        } else {
            fields.push(Field::new(name, DataType::Utf8, true));
            let texts: StringArray = values.map(|value| plain(value?)).collect();
            arrays.push(Arc::new(texts));
        }
    }
    for (field, column) in carried {
        fields.push(field.clone());
        arrays.push(column.slice(first, rows.len()));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// A text as it is, anything else as JSON.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Our columns of a row, with its verdict.
fn columns(judged: &Judged) -> Map<String, Value> {
    let (reason, detail) = match &judged.entry.status {
        Status::Rejected { reason, detail } => (Some(*reason), detail.clone()),
        Status::Candidate {
            benchmark: Some(words),
            ..
        } => (Some(Reason::Benchmark), words.clone()),
        Status::Candidate { .. } | Status::Copy { .. } => (None, String::new()),
    };
    let mut columns = judged.columns.clone();
    let status = match reason {
        None => {
            columns.remove("reason");
            columns.remove("detail");
            "ok"
        }
        Some(reason) => {
            columns = refused(columns, reason, Some(detail));
            match reason {
                Reason::Failed | Reason::Stuck => "failed",
                _ => "rejected",
            }
        }
    };
    columns.insert("status".into(), status.into());
    columns
}
