//! The run: rows in, workers, the ledger, and the finished output.
//!
//! One thread reads, some judge, and this one writes: so the ledger has one writer, and a row is
//! there whole or not at all.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use tracer_sandbox::Isolation;

use crate::account::{Account, Spent};
use crate::assemble::{self, Shard};
use crate::benchmark::Benchmarks;
use crate::flight::{Flight, Left};
use crate::funnel::Funnel;
use crate::judge::{Judge, Judged, rejected};
use crate::ledger::{Entry, Ledger, Status};
use crate::reader::{self, Answer, Message};
use crate::tokens::Tokens;
use crate::workers::Workers;
use crate::{BatchError, Options, Reason, plan};

/// How often a run looks up from waiting.
pub(crate) const PULSE: Duration = Duration::from_millis(100);

/// How often the ledger is made safe against the machine's own end.
const SYNC: Duration = Duration::from_secs(5);

/// Rows in a row that the machine may fail on before the run stops.
pub(crate) const FAILURES: usize = 8;

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Rows done, by this process and earlier ones.
    pub done: u64,
    /// Of those, done by this process.
    pub now: u64,
    /// All rows; unknown until they were counted.
    pub total: Option<u64>,
    /// Rows that passed all gates so far. Duplicates are found at the end.
    pub candidates: u64,
    /// Since this process began.
    pub elapsed: Duration,
}

/// Who watches a run. All calls come from the thread that called [`run`].
pub trait Observer {
    /// Called many times a second.
    fn progress(&self, _progress: &Progress) {}
    /// Something a person should know.
    fn note(&self, _text: &str) {}
    /// Whether the run is to stop as soon as it can.
    fn stop(&self) -> bool {
        false
    }
    /// Whether rows are to be counted ahead, for the time left: it reads the input twice.
    fn wants_total(&self) -> bool {
        false
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// The counts; `None` where the run was stopped before its end.
    pub funnel: Option<Funnel>,
    /// Where it stands.
    pub progress: Progress,
    /// What was written.
    pub shards: Vec<Shard>,
    /// Where this process's time went.
    pub spent: Spent,
    /// Whether it stopped because threads are stuck in rows that were given up: another process can
    /// go on without them.
    pub worn: bool,
}

/// Works on a corpus until it is done, or until the observer stops it. A run that was stopped or
/// killed goes on where it was when it is started again with the same options.
pub fn run(options: &Options, observer: &dyn Observer) -> Result<Report, BatchError> {
    let started = Instant::now();
    if options.settings.isolation == Isolation::None {
        return Err(BatchError::NoWalls);
    }
    plan::begin(options)?;
    let _claim = plan::claim(&options.out)?;
    if let Some((funnel, shards)) = assemble::finished(&options.out)? {
        observer.note("everything was done by an earlier run");
        let rows = funnel.total.input;
        return Ok(Report {
            progress: Progress {
                done: rows,
                total: Some(rows),
                candidates: funnel.total.kept,
                ..Progress::default()
            },
            funnel: Some(funnel),
            shards,
            spent: Spent::default(),
            worn: false,
        });
    }
    let judge = Arc::new(Judge {
        benchmarks: Benchmarks::read(&options.benchmarks)?,
        tokens: Tokens::new(),
        account: Account::default(),
        options: options.clone(),
    });
    let mut work = Work::open(options, started)?;
    let (flight, left) = Flight::open(&options.out)?;
    let flight = Arc::new(flight);
    let ended = work.go(&judge, observer, &flight, left)?;
    work.ledger.sync()?;
    let mut report = Report {
        funnel: None,
        progress: work.progress,
        shards: Vec::new(),
        spent: judge.account.spent(),
        worn: ended == Ended::Worn,
    };
    if ended == Ended::Done {
        flight.land();
        let (funnel, shards) = assemble::assemble(options, &work.ledger, &work.places)?;
        report.funnel = Some(funnel);
        report.shards = shards;
    }
    Ok(report)
}

/// How the work on rows ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// No row is left.
    Done,
    /// The observer stopped it.
    Stopped,
    /// As many threads are stuck as may work.
    Worn,
}

/// What the writing thread holds.
struct Work {
    ledger: Ledger,
    places: assemble::Places,
    /// Digests of rows that are done, by number.
    done: HashMap<u64, u64>,
    progress: Progress,
    started: Instant,
    synced: Instant,
    /// Rows that the machine failed on, until it is known whether it is the rows' fault.
    failed: Vec<Judged>,
}

impl Work {
    fn open(options: &Options, started: Instant) -> Result<Self, BatchError> {
        let mut places = assemble::Places::default();
        let mut done = HashMap::new();
        let mut progress = Progress::default();
        let ledger = Ledger::open(&options.out.join("_ledger"), |entry, place| {
            // A row is done once: what stands twice is the work of a process that lost its place.
            if done.insert(entry.at, entry.key).is_none() {
                places.add(entry.at, place);
                progress.done += 1;
                let candidate = matches!(entry.status, Status::Candidate { .. });
                progress.candidates += u64::from(candidate);
            }
        })?;
        Ok(Self {
            ledger,
            places,
            done,
            progress,
            started,
            synced: started,
            failed: Vec::new(),
        })
    }

    /// Works until the input ends, or something stops it.
    fn go(
        &mut self,
        judge: &Arc<Judge>,
        observer: &dyn Observer,
        flight: &Arc<Flight>,
        left: Left,
    ) -> Result<Ended, BatchError> {
        let options = &judge.options;
        let stop = Arc::new(AtomicBool::new(false));
        let total = Arc::new(AtomicU64::new(u64::MAX));
        if observer.wants_total() {
            reader::count(options, Arc::clone(&total), Arc::clone(&stop));
        }
        let done = std::mem::take(&mut self.done);
        let suspects = left.suspects.into_iter();
        let mut suspects: BTreeSet<u64> = suspects.filter(|row| !done.contains_key(row)).collect();
        let (jobs, results) = reader::read(options, done, left.fatal, Arc::clone(&stop));
        // Who dies of one of them is to have nothing else in hand.
        let first = if suspects.is_empty() { options.jobs } else { 1 };
        let mut workers =
            Workers::new(judge, jobs, results.sender, Some(Arc::clone(flight)), first);
        let mut rows = None;
        let ended = loop {
            self.progress.elapsed = self.started.elapsed();
            self.progress.total = match total.load(Ordering::Relaxed) {
                u64::MAX => None,
                rows => Some(rows),
            };
            observer.progress(&self.progress);
            if observer.stop() {
                break Ended::Stopped;
            }
            if rows == Some(self.progress.done + self.failed.len() as u64) {
                break Ended::Done;
            }
            if workers.lost >= options.jobs.max(2) {
                break Ended::Worn;
            }
            match results.receiver.recv_timeout(PULSE) {
                Ok(Message::Done { worker, judged }) => {
                    if workers.free(worker) {
                        let judged = self.take(judged)?;
                        if suspects.remove(&judged) && suspects.is_empty() {
                            workers.grow(options.jobs);
                        }
                    }
                }
                Ok(Message::Settled(judged)) => self.write(&judged)?,
                Ok(Message::End(all)) => rows = Some(all),
                Ok(Message::Stopped(error)) => {
                    stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Workers hold senders; only a bug ends them all.
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(BatchError::Sums("all workers ended".into()));
                }
            }
            for record in workers.replace_stuck() {
                let seconds = options.patience.as_secs();
                let detail = format!("more than {seconds} s");
                observer.note(&format!("row {}: {detail}; going on without it", record.at));
                let entry = Entry::of(&record);
                self.write(&rejected(&record, entry, Reason::Stuck, detail))?;
                if suspects.remove(&record.at) && suspects.is_empty() {
                    workers.grow(options.jobs);
                }
            }
            if self.synced.elapsed() > SYNC {
                self.ledger.sync()?;
                self.synced = Instant::now();
            }
        };
        stop.store(true, Ordering::Relaxed);
        if ended == Ended::Done {
            self.settle()?;
        }
        Ok(ended)
    }

    /// Takes a worker's answer. What the machine failed on is held back: if it fails on row after
    /// row, the rows are not to blame. Gives its number.
    fn take(&mut self, judged: Answer) -> Result<u64, BatchError> {
        match judged {
            Ok(judged) => {
                self.settle()?;
                self.write(&judged)?;
                Ok(judged.entry.at)
            }
            Err(failed) => {
                let (judged, error) = *failed;
                let at = judged.entry.at;
                self.failed.push(judged);
                if self.failed.len() >= FAILURES || is_full(&error) {
                    return Err(error);
                }
                Ok(at)
            }
        }
    }

    fn settle(&mut self) -> Result<(), BatchError> {
        for judged in std::mem::take(&mut self.failed) {
            self.write(&judged)?;
        }
        Ok(())
    }

    fn write(&mut self, judged: &Judged) -> Result<(), BatchError> {
        let place = self.ledger.append(&judged.entry, &judged.columns)?;
        self.places.add(judged.entry.at, place);
        self.progress.done += 1;
        self.progress.now += 1;
        let candidate = matches!(judged.entry.status, Status::Candidate { .. });
        self.progress.candidates += u64::from(candidate);
        Ok(())
    }
}

/// Whether there is no room left on a disk.
pub(crate) fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let source = error.downcast_ref::<std::io::Error>();
        if source.is_some_and(|source| source.kind() == std::io::ErrorKind::StorageFull) {
            return true;
        }
        cause = error.source();
    }
    false
}
