//! Sandboxes made ahead of the runs they are for.
//!
//! Making namespaces and mounts takes most of a start. A pool does it beforehand, on a thread of its
//! own, and a run then only has to fill its folders and execute its program. Each sandbox is used
//! once and destroyed: there is nothing to reset, and a run in a pool is a run like any other.

use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::copy_in;
use crate::error::SandboxError;
use crate::finished::Finished;
use crate::job;
use crate::launch::{finish, run};
use crate::request::{Isolation, Request, Stdin, Stream};
use crate::start::{ROOM, Started, rlimits, start};
use crate::streams::{clear, streams};
use crate::supervise::ended;
use crate::terminal::Session;
use crate::verdict::Failure;

/// Sandboxes of one shape, kept ready. `Send` and `Sync`; dropping it ends those not yet used.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    maker: Option<JoinHandle<()>>,
    served: AtomicU64,
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
        })
    }

    /// Runs `request` in a sandbox that is ready; in a new one where none is, or where it asks for
    /// another shape. The result is the same either way.
    pub fn run(&self, request: &Request) -> Result<Finished, SandboxError> {
        if !self.fits(request) {
            return run(request);
        }
        let Some(started) = self.take() else {
            return run(request);
        };
        match in_prepared(started, request) {
            Ok(finished) => {
                self.served.fetch_add(1, Ordering::Relaxed);
                Ok(finished)
            }
            Err(Failure::Error(error)) => Err(error),
            Err(Failure::Overlay(_)) => run(request),
        }
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

    fn fits(&self, request: &Request) -> bool {
        let template = &self.shared.template;
        let same_copies = template.copies.len() == request.copies.len()
            && template
                .copies
                .iter()
                .zip(&request.copies)
                .all(|(ours, theirs)| ours.path == theirs.path && ours.writable == theirs.writable);
        let small = || {
            let (mut bytes, mut entries) = (0, 0);
            for copy in &request.copies {
                let (more, names) = copy_in::room(&copy.from);
                bytes += more;
                entries += names;
            }
            bytes <= ROOM.0 && entries <= ROOM.1
        };
        request.isolation == Isolation::Native
            && template.image == request.image
            && template.roots == request.roots
            && template.files == request.files
            && template.folders == request.folders
            && template.profile == request.profile
            && template.hostname == request.hostname
            && template.random_addresses == request.random_addresses
            && template.limits.memory == request.limits.memory
            && template.limits.processes == request.limits.processes
            && template.limits.disk == request.limits.disk
            && Session::of(request) == Session::New
            && same_copies
            && small()
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
    blank.hostname.clone_from(&template.hostname);
    blank.limits.clone_from(&template.limits);
    blank.isolation = template.isolation;
    blank.profile = template.profile;
    blank.random_addresses = template.random_addresses;
    blank.stdin = Stdin::Inherit;
    blank.stdout = Stream::Inherit;
    blank.stderr = Stream::Inherit;
    blank
}

fn in_prepared(mut started: Started, request: &Request) -> Result<Finished, Failure> {
    if request.argv.is_empty() {
        return Err(SandboxError::request("the arguments are empty", "argv[0] is one").into());
    }
    let streams = streams(request)?;
    started.output = streams.runner;
    let channel = match &request.channel {
        Some(fd) => {
            Some(clear(fd.try_clone().map_err(|error| {
                SandboxError::runner("cloning the channel", error)
            })?)?)
        }
        None => None,
    };
    let child = streams.child;
    finish(started, request, |guest, lease| {
        let stdio = [0, 1, 2].map(|index| child[index].as_ref().map(AsRawFd::as_raw_fd));
        let channel = channel.as_ref().map(AsRawFd::as_raw_fd);
        job::send(
            guest.status.as_raw_fd(),
            request,
            &rlimits(request, lease),
            stdio,
            channel,
        )
    })
}
