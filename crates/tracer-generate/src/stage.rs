//! What all strategies share: programs in, entries in a ledger, shards out. A run may be killed at any
//! moment and gone on with.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde_json::{Map, Value};
use tracer_ask::{AskError, Spent};
use tracer_engine::Settings;

use crate::ledger::{Entry, Ledger};
use crate::model::{Asking, Model};
use crate::programs::{self, Program};
use crate::{Accounting, GenerateError, output};

/// How often a run looks up from waiting.
const PULSE: Duration = Duration::from_millis(100);

/// How long the processes of a run that was killed may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Programs in a row that the machine may fail on before the run stops.
const FAILURES: usize = 8;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// A finished folder of `tracer batch`, shards as JSON Lines.
    pub programs: PathBuf,
    /// Output folder.
    pub out: PathBuf,
    /// How programs are run again.
    pub settings: Settings,
    /// The user's own templates; a file that is not there is taken from ours.
    pub templates: Option<PathBuf>,
    /// Programs worked on at once.
    pub jobs: usize,
    /// Who answers what can be asked; `None`: runs and traces alone.
    pub model: Option<Model>,
    /// Rows of a shard.
    pub shard_rows: usize,
}

/// What is made of programs.
pub(crate) trait Strategy: Sync {
    /// Its word on the command line, and in the names of files that are its own.
    fn name(&self) -> &'static str;
    /// The folder of rows, which is the configuration that the card tells of.
    fn configuration(&self) -> &'static str;
    /// The card's title, and what it says of how the rows were made and proved.
    fn card(&self) -> (&'static str, &'static str);
    /// What hangs on the settings: an output folder is gone on with only where it is the same.
    fn plan(&self) -> Map<String, Value>;
    /// Rows that one example gives.
    fn rows_of_an_example(&self) -> u64 {
        1
    }
    /// The model it asks.
    fn model(&self) -> Option<&Asking> {
        None
    }
    /// Makes rows of a program, or says why not. A reason that begins with `failed` is the machine's.
    /// `stop` says whether to leave off.
    fn judge(&self, program: &Program, stop: &dyn Fn() -> bool) -> Result<Entry, GenerateError>;
}

/// Who watches a run. All calls come from the thread that called [`run`].
pub trait Observer {
    /// Programs done so far. Called many times a second.
    fn progress(&self, _done: u64) {}
    /// Whether the run is to stop as soon as it can.
    fn stop(&self) -> bool {
        false
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// The counts; `None` where it was stopped before its end.
    pub accounting: Option<Accounting>,
    /// Programs done.
    pub done: u64,
    /// What asking a model took.
    pub spent: Option<Spent>,
}

/// Generates, or goes on with what an earlier run left; what is finished is not done again.
pub(crate) fn run(
    options: &Options,
    strategy: &dyn Strategy,
    observer: &dyn Observer,
) -> Result<Report, GenerateError> {
    let (shards, digest) = programs::shards(&options.programs)?;
    let out = &options.out;
    let name = strategy.name();
    std::fs::create_dir_all(out).map_err(GenerateError::write(out))?;
    let _claim = claim(&out.join("_lock"), out)?;
    begin(options, strategy, digest)?;
    if let Some(accounting) = output::finished(out, name)? {
        let done = accounting.programs.input;
        return Ok(Report {
            accounting: Some(accounting),
            done,
            spent: None,
        });
    }
    let folder = out.join("_ledger");
    std::fs::create_dir_all(&folder).map_err(GenerateError::write(&folder))?;
    let mut ledger = Ledger::open(&folder.join(format!("{name}.jsonl")))?;
    let rows = work(options, strategy, &shards, &mut ledger, observer)?;
    let done = ledger.len();
    let accounting = match rows {
        Some(rows) => Some(output::assemble(options, strategy, &mut ledger, rows)?),
        None => None,
    };
    Ok(Report {
        accounting,
        done,
        spent: strategy.model().map(Asking::spent),
    })
}

/// Claims the output folder for this process as long as what is given back lives.
fn claim(path: &Path, out: &Path) -> Result<Flock<File>, GenerateError> {
    let mut file = File::create(path).map_err(GenerateError::write(path))?;
    let started = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((back, Errno::EWOULDBLOCK)) if started.elapsed() < GRACE => {
                file = back;
                thread::sleep(Duration::from_millis(20));
            }
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(GenerateError::Busy { folder: out.into() });
            }
            Err((_, errno)) => return Err(GenerateError::write(path)(errno.into())),
        }
    }
}

/// Writes down what the folder is made with, or checks that it was the same.
fn begin(
    options: &Options,
    strategy: &dyn Strategy,
    programs: String,
) -> Result<(), GenerateError> {
    let mut plan = strategy.plan();
    for (key, value) in [
        ("tracer", Value::from(env!("CARGO_PKG_VERSION"))),
        ("strategy", strategy.name().into()),
        (
            "model",
            strategy.model().map_or("none", |model| &model.name).into(),
        ),
        (
            "params",
            strategy
                .model()
                .map_or(Value::Null, |model| model.params.clone().into()),
        ),
        ("programs", programs.into()),
        ("shard_rows", options.shard_rows.into()),
    ] {
        plan.insert(key.into(), value);
    }
    let path = options.out.join("_plan.json");
    let Ok(text) = std::fs::read(&path) else {
        return output::write_json(&path, &plan);
    };
    let old: Value =
        serde_json::from_slice(&text).map_err(|error| GenerateError::read(&path)(error.into()))?;
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), &plan);
    let keys = old.keys().chain(new.keys());
    match keys.into_iter().find(|key| old.get(*key) != new.get(*key)) {
        None => Ok(()),
        Some(what) => Err(GenerateError::OtherPlan {
            folder: options.out.clone(),
            what: what.clone(),
        }),
    }
}

/// Works on all programs that are not in the ledger yet; their number, or `None` if it was stopped.
fn work(
    options: &Options,
    strategy: &dyn Strategy,
    shards: &[PathBuf],
    ledger: &mut Ledger,
    observer: &dyn Observer,
) -> Result<Option<u64>, GenerateError> {
    let stop = AtomicBool::new(false);
    let programs = Mutex::new(programs::read(shards).fuse());
    let known: HashSet<u64> = ledger.numbers().collect();
    let rows = AtomicU64::new(0);
    let (sender, receiver) = sync_channel(options.jobs.max(1) * 2);
    let result = thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            let sender = sender.clone();
            let (programs, stop, rows, known) = (&programs, &stop, &rows, &known);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let next = programs.lock().expect("no thread panics with it").next();
                    let Some(program) = next else { return };
                    let answer = match program {
                        Ok(program) => {
                            rows.fetch_max(program.at + 1, Ordering::Relaxed);
                            if known.contains(&program.at) {
                                continue;
                            }
                            strategy.judge(&program, &|| stop.load(Ordering::Relaxed))
                        }
                        Err(error) => Err(error),
                    };
                    if sender.send(answer).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut failed: Vec<Entry> = Vec::new();
        let mut result = Ok(());
        loop {
            observer.progress(ledger.len());
            if observer.stop() {
                stop.store(true, Ordering::Relaxed);
            }
            let answer = match receiver.recv_timeout(PULSE) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Err(GenerateError::Ask(AskError::Stopped)) = answer {
                continue;
            }
            let written = answer.and_then(|entry| {
                if entry
                    .reason
                    .as_deref()
                    .is_some_and(|why| why.starts_with("failed"))
                {
                    failed.push(entry);
                    if failed.len() < FAILURES {
                        return Ok(());
                    }
                    return Err(GenerateError::Machine {
                        failures: failed.len(),
                        last: failed[FAILURES - 1].reason.clone().unwrap_or_default(),
                    });
                }
                // It is the program's fault if others can be run.
                for entry in failed.drain(..).chain([entry]) {
                    ledger.add(&entry)?;
                }
                Ok(())
            });
            if result.is_ok() && written.is_err() {
                result = written;
                stop.store(true, Ordering::Relaxed);
            }
        }
        if result.is_ok() && !stop.load(Ordering::Relaxed) {
            result = failed.iter().try_for_each(|entry| ledger.add(entry));
        }
        result
    });
    result?;
    Ok((!stop.into_inner()).then_some(rows.into_inner()))
}
