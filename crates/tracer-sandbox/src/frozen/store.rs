//! The snapshots of a pool: one for each way in which interpreters are started, made when a way comes
//! up again.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Frozen, ROOM};
use crate::request::{Request, Stdin, Stream};

/// Snapshots kept at most, and the bytes they may take up together.
const MOST: usize = 32;
const MOST_BYTES: usize = 512 << 20;

/// Ways remembered that have no snapshot.
const MOST_SEEN: usize = 1024;

/// All that an interpreter can see of a run before it asks for its program, save files.
#[derive(Debug, PartialEq, Eq)]
struct Way {
    program: PathBuf,
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: PathBuf,
    begins_at: PathBuf,
    stdin: u8,
    streams: [Stream; 2],
    channel: bool,
    stack: Option<u64>,
    open_files: Option<u64>,
}

impl Way {
    fn of(request: &Request) -> Option<Self> {
        let begins_at = request.begins_at.clone()?;
        let words = request.argv.iter().map(|word| word.len() + 9);
        let variables = request.env.iter();
        let variables = variables.map(|(name, value)| name.len() + value.len() + 10);
        let room = words.chain(variables).sum::<usize>() + request.program.as_os_str().len() + 1024;
        // Another process number would have to be written where the first one is kept.
        let fits = room < ROOM && !request.random_addresses && request.earlier == 0;
        fits.then(|| Self {
            program: request.program.clone(),
            argv: request.argv.clone(),
            env: request.env.clone(),
            cwd: request.cwd.clone(),
            begins_at,
            stdin: match request.stdin {
                Stdin::Null => 0,
                Stdin::Inherit => 1,
                Stdin::Bytes(_) => 2,
            },
            streams: [request.stdout, request.stderr],
            channel: request.channel.is_some(),
            stack: request.limits.stack,
            open_files: request.limits.open_files,
        })
    }
}

#[derive(Debug)]
enum State {
    /// Came up once.
    Seen,
    /// Somebody makes it.
    Making,
    Made(Arc<Frozen>),
    /// There is none, and why.
    Refused,
}

/// Snapshots by the way of starting; the one used last comes last.
#[derive(Debug, Default)]
pub(crate) struct Store {
    all: Mutex<Vec<(Way, State)>>,
    /// Why the last one that could not be made, or not be used, was none.
    refusal: Mutex<Option<String>>,
}

/// What a store has for a run.
pub(crate) enum Offer {
    /// Nothing.
    None,
    /// Nothing, but it is worth making.
    Make,
    Use(Arc<Frozen>),
}

impl Store {
    fn all(&self) -> MutexGuard<'_, Vec<(Way, State)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is for `request`. Who is told to make one answers with [`Store::put`].
    pub(crate) fn offer(&self, request: &Request) -> Offer {
        let Some(way) = Way::of(request) else {
            return Offer::None;
        };
        let mut all = self.all();
        let Some(index) = all.iter().position(|(known, _)| *known == way) else {
            if all.len() >= MOST_SEEN {
                all.retain(|(_, state)| matches!(state, State::Made(_) | State::Making));
            }
            all.push((way, State::Seen));
            return Offer::None;
        };
        match &all[index].1 {
            State::Made(frozen) if frozen.fits(request) => {
                let frozen = Arc::clone(frozen);
                let used = all.remove(index);
                all.push(used);
                Offer::Use(frozen)
            }
            State::Seen | State::Made(_) => {
                all[index].1 = State::Making;
                Offer::Make
            }
            State::Making | State::Refused => Offer::None,
        }
    }

    /// Keeps what was made for `request`, or why it could not be.
    pub(crate) fn put(&self, request: &Request, made: Result<Frozen, String>) {
        let Some(way) = Way::of(request) else { return };
        let state = match made {
            Ok(frozen) => State::Made(Arc::new(frozen)),
            Err(reason) => {
                self.refuse(reason);
                State::Refused
            }
        };
        let mut all = self.all();
        all.retain(|(known, _)| *known != way);
        all.push((way, state));
        loop {
            let sizes = all.iter().filter_map(|(_, state)| match state {
                State::Made(frozen) => Some(frozen.size()),
                _ => None,
            });
            let (count, bytes) = sizes.fold((0, 0), |(count, all), size| (count + 1, all + size));
            if count <= MOST && bytes <= MOST_BYTES || count <= 1 {
                return;
            }
            if let Some(index) = all
                .iter()
                .position(|(_, state)| matches!(state, State::Made(_)))
            {
                all.remove(index);
            }
        }
    }

    /// Notes why a run had to do without.
    pub(crate) fn refuse(&self, reason: String) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Why the last run that had to do without did.
    pub(crate) fn refusal(&self) -> Option<String> {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.clone()
    }
}
