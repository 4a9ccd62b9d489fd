//! The thread that reads rows, and what threads tell the one that writes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::input::Input;
use crate::judge::{Judged, rejected};
use crate::ledger::{Entry, Status};
use crate::record::Record;
use crate::{BatchError, Options, Reason};

/// Answers that may wait to be written.
const ANSWERS: usize = 64;

/// A row's judgement; with an error where the machine failed on it.
pub(crate) type Answer = Result<Box<Judged>, Box<(Judged, BatchError)>>;

/// What the writing thread hears.
pub(crate) enum Message {
    /// A worker is done with its row.
    Done { worker: u64, judged: Answer },
    /// Nobody looks at this row: it has the source of an earlier one, or a process died of it.
    Settled(Box<Judged>),
    /// There are no more rows; so many there were.
    End(u64),
    /// The input cannot be read any further.
    Stopped(BatchError),
}

/// Rows for workers, whoever takes them first.
pub(crate) type Jobs = Arc<Mutex<Receiver<Record>>>;

/// The two ends of the answers.
pub(crate) struct Results {
    pub(crate) sender: SyncSender<Message>,
    pub(crate) receiver: Receiver<Message>,
}

/// Begins to read. Few rows are held at a time. `done` has the digests of rows that an earlier
/// process did, by number; `fatal` those that one died of, and how.
pub(crate) fn read(
    options: &Options,
    done: HashMap<u64, u64>,
    fatal: BTreeMap<u64, String>,
    stop: Arc<AtomicBool>,
) -> (Jobs, Results) {
    let (jobs, taken) = sync_channel(options.jobs * 2);
    let (sender, receiver) = sync_channel(ANSWERS);
    let answers = sender.clone();
    let input = Input::new(options);
    thread::spawn(move || {
        let end = match feed(input, &done, &fatal, &stop, &jobs, &answers) {
            Ok(Some(rows)) => Message::End(rows),
            Ok(None) => return,
            Err(error) => Message::Stopped(error),
        };
        // Nobody listens any more where the run was stopped.
        let _ = answers.send(end);
    });
    (Arc::new(Mutex::new(taken)), Results { sender, receiver })
}

/// Hands all rows on; gives their number, or `None` where the run was stopped.
fn feed(
    input: Input,
    done: &HashMap<u64, u64>,
    fatal: &BTreeMap<u64, String>,
    stop: &AtomicBool,
    jobs: &SyncSender<Record>,
    answers: &SyncSender<Message>,
) -> Result<Option<u64>, BatchError> {
    let mut seen = HashMap::new();
    let mut rows = 0;
    for record in input {
        let record = record?;
        rows = record.at + 1;
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let first = digest(&record).map(|digest| *seen.entry(digest).or_insert(record.at));
        match done.get(&record.at) {
            Some(key) if *key == record.key() => continue,
            Some(_) => return Err(BatchError::InputChanged { at: record.at }),
            None => {}
        }
        let sent = match first {
            Some(first) if first != record.at => {
                let entry = Entry::of(&record);
                let mut judged = rejected(&record, entry, Reason::Duplicate, String::new());
                judged.entry.status = Status::Copy { of: first };
                answers.send(Message::Settled(Box::new(judged))).is_ok()
            }
            _ => match fatal.get(&record.at) {
                Some(how) => {
                    let entry = Entry::of(&record);
                    let detail = format!("tracer died of it: {how}");
                    let judged = rejected(&record, entry, Reason::Failed, detail);
                    answers.send(Message::Settled(Box::new(judged))).is_ok()
                }
                None => jobs.send(record).is_ok(),
            },
        };
        if !sent {
            return Ok(None);
        }
    }
    if rows < done.keys().max().map_or(0, |last| last + 1) {
        return Err(BatchError::InputChanged { at: rows });
    }
    Ok(Some(rows))
}

/// A digest of a source as it is compared: line ends and blanks behind lines do not count; what the
/// row says of its language and its file's name does.
fn digest(record: &Record) -> Option<u128> {
    let text = record.text.as_ref().ok()?;
    let mut hasher = blake3::Hasher::new();
    for line in text.lines() {
        hasher.update(line.trim_end().as_bytes());
        hasher.update(b"\n");
    }
    let extension = record.path().and_then(|path| path.extension());
    hasher.update(extension.unwrap_or_default().as_encoded_bytes());
    hasher.update(&[0xff]);
    hasher.update(record.language.as_deref().unwrap_or_default().as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Some(u128::from_le_bytes(half))
}

/// Counts the rows on a thread of its own.
pub(crate) fn count(options: &Options, total: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    let input = Input::new(options);
    thread::spawn(move || {
        let mut rows = 0;
        for record in input {
            // The thread that works on them says what is wrong.
            if record.is_err() || stop.load(Ordering::Relaxed) {
                return;
            }
            rows += 1;
        }
        total.store(rows, Ordering::Relaxed);
    });
}
