//! Sandboxes made ahead of the runs they are for.
//!
//! Making namespaces and mounts takes most of a start. A pool does it beforehand, on a thread of its
//! own, and a run then only has to fill its folders and execute its program. Each sandbox is used
//! once and destroyed: there is nothing to reset, and a run in a pool is a run like any other.

use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::copy_in;
use crate::error::SandboxError;
use crate::finished::{Beginning, Finished};
use crate::frozen::{self, Frozen, Offer, ROOM_NAME, Store};
use crate::job::{self, Given};
use crate::launch::{fill_copies, finish, name_copies, run};
use crate::meter::Meter;
use crate::request::{Isolation, Request, Stdin, Stream};
use crate::start::{ROOM, Started, rlimits, start};
use crate::streams::{channel, streams};
use crate::supervise::ended;
use crate::terminal::Session;
use crate::verdict::Failure;

/// Sandboxes of one shape, kept ready. `Send` and `Sync`; dropping it ends those not yet used.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    maker: Option<JoinHandle<()>>,
    served: AtomicU64,
    thawed: AtomicU64,
    frozen: Store,
}

#[derive(Debug)]
struct Shared {
    template: Request,
    most: usize,
    state: Mutex<State>,
    /// Tells the maker that one was taken, and those who wait that one was made.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Started>,
    /// Making one failed: no more are tried, and runs start on their own and say why.
    failed: bool,
    closed: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("State")
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'state>(&self, state: MutexGuard<'state, State>) -> MutexGuard<'state, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The maker's life. It outlives what it makes, since a sandbox dies with the thread that made
    /// it.
    fn make(&self) {
        let mut state = self.state();
        loop {
            if state.closed {
                state.ready.clear();
                return;
            }
            if state.failed || state.ready.len() >= self.most {
                state = self.wait(state);
                continue;
            }
            drop(state);
            let made = start(&self.template, false, true);
            state = self.state();
            match made {
                Ok(started) => state.ready.push_back(started),
                Err(_) => state.failed = true,
            }
            self.changed.notify_all();
        }
    }
}

impl Pool {
    /// Keeps up to `most` sandboxes ready for runs that differ from `template` only in program,
    /// arguments, environment, working folder, streams, channel, limits on time, output and files,
    /// and in what is in the folders copied.
    pub fn new(template: &Request, most: usize) -> Result<Self, SandboxError> {
        let shared = Arc::new(Shared {
            template: blank(template),
            most: most.max(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let making = Arc::clone(&shared);
        let maker = thread::Builder::new()
            .name("sandboxes".to_owned())
            .spawn(move || making.make())
            .map_err(|error| SandboxError::runner("starting a thread", error))?;
        Ok(Self {
            shared,
            maker: Some(maker),
            served: AtomicU64::new(0),
            thawed: AtomicU64::new(0),
            frozen: Store::default(),
        })
    }

    /// Runs `request` in a sandbox that is ready; in a new one where none is, or where it asks for
    /// another shape. The result is the same either way.
    pub fn run(&self, request: &Request) -> Result<Finished, SandboxError> {
        if !(Self::serves(request) && self.fits(request) && Self::has_room(request)) {
            return run(request);
        }
        let Some(started) = self.take() else {
            return run(request);
        };
        let frozen = match self.frozen.offer(request) {
            Offer::Use(frozen) => Some(frozen),
            Offer::None => None,
            Offer::Make => {
                let made = self.freeze(request);
                self.frozen.put(request, made);
                match self.frozen.offer(request) {
                    Offer::Use(frozen) => Some(frozen),
                    _ => None,
                }
            }
        };
        let mut failed = None;
        let frozen = frozen.as_deref();
        match in_prepared(started, request, frozen, &mut failed) {
            Ok(mut finished) => {
                self.served.fetch_add(1, Ordering::Relaxed);
                finished.beginning = Beginning::Ready;
                if frozen.is_some() {
                    self.thawed.fetch_add(1, Ordering::Relaxed);
                    finished.beginning = Beginning::Frozen;
                }
                Ok(finished)
            }
            Err(_) if failed.is_some() => {
                // Nothing of the program has run.
                let reason = failed.unwrap_or_default();
                self.frozen.put(request, Err(reason));
                run(request)
            }
            Err(Failure::Error(error)) => Err(error),
            Err(Failure::Overlay(_)) => run(request),
        }
    }

    /// Makes a snapshot of the interpreter that `request` runs; says why there is none.
    fn freeze(&self, request: &Request) -> Result<Frozen, String> {
        let Some(at) = &request.begins_at else {
            return Err("it is not known where it begins".to_owned());
        };
        let started = match self.take() {
            Some(started) => started,
            None => start(&self.shared.template, false, true).map_err(|failure| match failure {
                Failure::Error(error) => error.to_string(),
                Failure::Overlay(errno) => {
                    let error = std::io::Error::from_raw_os_error(errno);
                    format!("its folders cannot be layered: {error}")
                }
            })?,
        };
        let mut first = request
            .clone_for_trial()
            .map_err(|error| error.to_string())?;
        first
            .env
            .push((ROOM_NAME.into(), "-".repeat(frozen::ROOM).into()));
        freeze_in(started, &first, at)
    }

    /// Tries whether a run may begin with a program that has started; says why not, for
    /// `tracer doctor`.
    pub fn try_started() -> Result<(), String> {
        // Any program will do that opens a file it is given.
        let file = "/dev/null";
        let mut request = Request::new("/bin/cat", "/");
        request.argv = vec!["cat".into(), file.into()];
        request.begins_at = Some(file.into());
        let pool = Self::new(&request, 1).map_err(|error| error.to_string())?;
        // The first sight of a way of starting is not worth a snapshot.
        for _ in 0..3 {
            pool.wait_ready();
            let finished = pool.run(&request).map_err(|error| error.to_string())?;
            if finished.beginning == Beginning::Frozen {
                return Ok(());
            }
        }
        let unknown = || "no sandbox could be made ahead".to_owned();
        Err(pool.refusal().unwrap_or_else(unknown))
    }

    /// Runs whose interpreter had started before.
    pub fn thawed(&self) -> u64 {
        self.thawed.load(Ordering::Relaxed)
    }

    /// Why the last run that could have begun with a started interpreter did not, if any did not.
    pub fn refusal(&self) -> Option<String> {
        self.frozen.refusal()
    }

    /// Runs that found a sandbox ready.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Waits until a sandbox is ready. Gives whether one is: none comes where the machine refuses.
    pub fn wait_ready(&self) -> bool {
        let mut state = self.shared.state();
        while state.ready.is_empty() && !state.failed {
            state = self.shared.wait(state);
        }
        !state.ready.is_empty()
    }

    fn take(&self) -> Option<Started> {
        let mut state = self.shared.state();
        loop {
            let started = state.ready.pop_front();
            self.shared.changed.notify_all();
            match started {
                // One that something has killed meanwhile.
                Some(dead) if ended(&dead.guest) => drop(dead),
                other => return other,
            }
        }
    }

    /// Whether any pool could serve `request`, as far as its shape goes.
    pub fn serves(request: &Request) -> bool {
        request.isolation == Isolation::Native && Session::of(request) == Session::New
    }

    /// Whether what `request` brings has room in a sandbox that was made before it was known.
    fn has_room(request: &Request) -> bool {
        let copies = request.copies.iter();
        let copies = copies.map(|copied| copy_in::room(&copied.from));
        let placed = request.placed.iter();
        let placed = placed.map(|placed| copy_in::room_for(&placed.files));
        let all = copies.chain(placed);
        let (bytes, entries) = all.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        bytes <= ROOM.0 && entries <= ROOM.1
    }

    /// Whether a sandbox of this pool's has the shape of one that `request` would be given.
    pub fn fits(&self, request: &Request) -> bool {
        let ours = &self.shared.template;
        let Request {
            image,
            roots,
            files,
            folders,
            copies,
            placed,
            limits,
            isolation,
            profile,
            hostname,
            random_addresses,
            earlier,
            uptime,
            // A run's own, told when it comes.
            program: _,
            argv: _,
            env: _,
            cwd: _,
            stdin: _,
            stdout: _,
            stderr: _,
            channel: _,
            begins_at: _,
            cancel: _,
            #[cfg(feature = "weaken")]
            without,
        } = request;
        #[cfg(feature = "weaken")]
        if ours.without != *without {
            return false;
        }
        let same_folders =
            ours.copies.len() == copies.len()
                && ours.placed.len() == placed.len()
                && ours.copies.iter().zip(copies).all(|(ours, theirs)| {
                    ours.path == theirs.path && ours.writable == theirs.writable
                })
                && ours
                    .placed
                    .iter()
                    .zip(placed)
                    .all(|(ours, theirs)| ours.path == theirs.path);
        ours.isolation == *isolation
            && ours.image == *image
            && ours.roots == *roots
            && ours.files == *files
            && ours.folders == *folders
            && ours.profile == *profile
            && ours.hostname == *hostname
            && ours.random_addresses == *random_addresses
            && ours.earlier == *earlier
            && ours.uptime == *uptime
            && ours.limits.memory == limits.memory
            && ours.limits.processes == limits.processes
            && ours.limits.disk == limits.disk
            && same_folders
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.changed.notify_all();
        if let Some(maker) = self.maker.take() {
            let _ = maker.join();
        }
    }
}

/// The shape of `template`, without what is a run's own.
fn blank(template: &Request) -> Request {
    let mut blank = Request::new("/", "/");
    blank.image.clone_from(&template.image);
    blank.roots.clone_from(&template.roots);
    blank.files.clone_from(&template.files);
    blank.folders.clone_from(&template.folders);
    blank.copies.clone_from(&template.copies);
    blank.placed.clone_from(&template.placed);
    blank.hostname.clone_from(&template.hostname);
    blank.limits.clone_from(&template.limits);
    blank.isolation = template.isolation;
    blank.profile = template.profile;
    blank.random_addresses = template.random_addresses;
    (blank.earlier, blank.uptime) = (template.earlier, template.uptime);
    blank.stdin = Stdin::Inherit;
    blank.stdout = Stream::Inherit;
    blank.stderr = Stream::Inherit;
    blank
}

/// Runs `request` in `started`, from a snapshot if there is one; says so if that cannot be used.
fn in_prepared(
    mut started: Started,
    request: &Request,
    frozen: Option<&Frozen>,
    failed: &mut Option<String>,
) -> Result<Finished, Failure> {
    let streams = streams(request)?;
    started.output = streams.runner;
    let channel = channel(request)?;
    let child = streams.child;
    finish(started, request, |guest, lease| {
        let given = Given {
            stdio: [0, 1, 2].map(|index| child[index].as_ref().map(AsRawFd::as_raw_fd)),
            channel: channel.as_ref().map(AsRawFd::as_raw_fd),
            hold: frozen.is_some(),
        };
        let socket = guest.status.as_raw_fd();
        job::send(socket, request, &rlimits(request, lease), &given)?;
        let Some(frozen) = frozen else { return Ok(()) };
        frozen::thaw(guest, frozen).map_err(|error| {
            *failed = Some(error.to_string());
            SandboxError::runner("thawing an interpreter", error)
        })
    })
}

/// Starts the interpreter of `request` in `started`, and ends it once it is copied.
fn freeze_in(mut started: Started, request: &Request, at: &Path) -> Result<Frozen, String> {
    let text = |error: SandboxError| error.to_string();
    let streams = streams(request).map_err(text)?;
    let channel = channel(request).map_err(text)?;
    let Started {
        plan, guest, lease, ..
    } = &mut started;
    name_copies(plan, request);
    let limits = request.limits.clone();
    let mut meter = Meter::new(&limits, lease, Vec::new());
    if let Some(walls) = &plan.walls {
        fill_copies(guest, &mut meter, walls, request).map_err(text)?;
    }
    let given = Given {
        stdio: [0, 1, 2].map(|index| streams.child[index].as_ref().map(AsRawFd::as_raw_fd)),
        channel: channel.as_ref().map(AsRawFd::as_raw_fd),
        hold: true,
    };
    let socket = guest.status.as_raw_fd();
    job::send(socket, request, &rlimits(request, lease), &given).map_err(text)?;
    frozen::freeze(guest, request, at).map_err(|error| error.to_string())
}
