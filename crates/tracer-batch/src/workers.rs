//! The threads that judge rows.
//!
//! A panic costs its row and nothing else. A worker that is stuck is left to itself and replaced;
//! what it says later is not heard.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::Reason;
use crate::flight::Flight;
use crate::judge::{Judge, rejected};
use crate::ledger::Entry;
use crate::reader::{Answer, Jobs, Message};
use crate::record::Record;

/// What a worker is at.
#[derive(Default)]
struct Slot {
    current: Mutex<Option<(Instant, Arc<Record>)>>,
}

/// The workers that are listened to.
pub(crate) struct Workers {
    judge: Arc<Judge>,
    jobs: Jobs,
    answers: SyncSender<Message>,
    flight: Option<Arc<Flight>>,
    slots: BTreeMap<u64, Arc<Slot>>,
    next: u64,
    /// Threads that were left to themselves.
    pub(crate) lost: usize,
}

impl Workers {
    /// Begins with so many.
    pub(crate) fn new(
        judge: &Arc<Judge>,
        jobs: Jobs,
        answers: SyncSender<Message>,
        flight: Option<Arc<Flight>>,
        number: usize,
    ) -> Self {
        let mut workers = Self {
            judge: Arc::clone(judge),
            jobs,
            answers,
            flight,
            slots: BTreeMap::new(),
            next: 0,
            lost: 0,
        };
        workers.grow(number);
        workers
    }

    /// Sees to it that there are so many.
    pub(crate) fn grow(&mut self, number: usize) {
        while self.slots.len() < number {
            self.hire();
        }
    }

    fn hire(&mut self) {
        let worker = self.next;
        self.next += 1;
        let slot = Arc::new(Slot::default());
        self.slots.insert(worker, Arc::clone(&slot));
        let judge = Arc::clone(&self.judge);
        let jobs = Arc::clone(&self.jobs);
        let answers = self.answers.clone();
        let flight = self.flight.clone();
        let started = thread::Builder::new()
            .name(format!("worker-{worker}"))
            .stack_size(self.judge.options.stack)
            .spawn(move || {
                let at = |record: Option<&Arc<Record>>| {
                    note(flight.as_deref(), worker, record.map(|record| record.at));
                    let now = record.map(|record| (Instant::now(), Arc::clone(record)));
                    *slot.current.lock().unwrap_or_else(PoisonError::into_inner) = now;
                };
                work(worker, &judge, &jobs, &answers, &at);
            });
        // Without a thread its slot stays idle, and the others do the work.
        drop(started);
    }

    /// Whether an answer of this worker counts.
    pub(crate) fn free(&self, worker: u64) -> bool {
        self.slots.contains_key(&worker)
    }

    /// Replaces workers that have been at one row for too long; gives those rows.
    pub(crate) fn replace_stuck(&mut self) -> Vec<Arc<Record>> {
        let patience = self.judge.options.patience;
        let stuck: Vec<(u64, Arc<Record>)> = self
            .slots
            .iter()
            .filter_map(|(worker, slot)| {
                let current = slot.current.lock().unwrap_or_else(PoisonError::into_inner);
                let (since, record) = current.as_ref()?;
                (since.elapsed() > patience).then(|| (*worker, Arc::clone(record)))
            })
            .collect();
        let mut rows = Vec::new();
        for (worker, record) in stuck {
            self.slots.remove(&worker);
            note(self.flight.as_deref(), worker, None);
            self.lost += 1;
            self.hire();
            rows.push(record);
        }
        rows
    }
}

fn note(flight: Option<&Flight>, worker: u64, row: Option<u64>) {
    if let Some(flight) = flight {
        flight.note(worker, row);
    }
}

/// `at` is told which row it is at.
fn work(
    worker: u64,
    judge: &Judge,
    jobs: &Jobs,
    answers: &SyncSender<Message>,
    at: &dyn Fn(Option<&Arc<Record>>),
) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(record) = job else { return };
        let record = Arc::new(record);
        at(Some(&record));
        let judged = attempt(judge, &record);
        at(None);
        let message = Message::Done { worker, judged };
        if answers.send(message).is_err() {
            return;
        }
    }
}

/// Judges a row, once more where the machine failed.
fn attempt(judge: &Judge, record: &Record) -> Answer {
    let failed = |detail: String| rejected(record, Entry::of(record), Reason::Failed, detail);
    let once = || catch_unwind(AssertUnwindSafe(|| judge.judge(record)));
    let again = || match once() {
        Ok(Err(_)) => once(),
        other => other,
    };
    match again() {
        Ok(Ok(judged)) => Ok(Box::new(judged)),
        Ok(Err(error)) => {
            let detail = tracer_engine::check::describe(&error);
            Err(Box::new((failed(detail), error)))
        }
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            Ok(Box::new(failed(
                said.unwrap_or_else(|| "a panic".to_owned()),
            )))
        }
    }
}
