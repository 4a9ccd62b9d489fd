//! What runs take over from earlier ones: sandboxes made ahead, and interpreters that have started.
//!
//! A handle for callers that run many programs. It changes how soon a run begins and nothing that can
//! be seen in it. Does not decide what may be taken over: `tracer-sandbox` does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracer_sandbox::{Beginning, Finished, Pool, Request, SandboxError};

/// Shapes of sandboxes kept at most: one for each toolchain and set of limits.
const SHAPES: usize = 12;

/// Sandboxes and interpreters kept ready. `Send` and `Sync`; put one into
/// [`Settings::warm`](crate::Settings::warm) of all runs that may share it. Dropping the last handle
/// ends what is kept.
///
/// Runs of the native back end gain by it whose program [stands
/// alone](crate::Program::standing_alone) in [copies](crate::Settings::copies) of at most 8 MiB and
/// 1,024 files. A program that runs where it stands on this machine needs a sandbox made for its
/// folder, and starts cold.
#[derive(Debug)]
pub struct Warm {
    pools: Mutex<Vec<Arc<Pool>>>,
    /// Sandboxes kept ready of each shape.
    ahead: usize,
    cold: AtomicU64,
    ready: AtomicU64,
    frozen: AtomicU64,
}

/// How runs began, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beginnings {
    /// Took over nothing.
    pub cold: u64,
    /// In a sandbox made ahead.
    pub ready: u64,
    /// That, with an interpreter that had started.
    pub frozen: u64,
}

impl Warm {
    /// For this many runs at once. Best made early: a small process is started that forks in this
    /// one's place, as large as this one is now, and sandboxes take the longer the larger it is.
    pub fn new(runs: usize) -> Self {
        // Where there is none the runs say why: a sandbox cannot be made then, either.
        let _ = tracer_sandbox::nursery();
        Self {
            pools: Mutex::default(),
            ahead: runs.max(1) + 1,
            cold: AtomicU64::new(0),
            ready: AtomicU64::new(0),
            frozen: AtomicU64::new(0),
        }
    }

    /// How runs have begun so far.
    pub fn beginnings(&self) -> Beginnings {
        Beginnings {
            cold: self.cold.load(Ordering::Relaxed),
            ready: self.ready.load(Ordering::Relaxed),
            frozen: self.frozen.load(Ordering::Relaxed),
        }
    }

    /// Why the last interpreter that could not be taken over was not, if any was not.
    pub fn refusal(&self) -> Option<String> {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.iter().find_map(|pool| pool.refusal())
    }

    pub(crate) fn run(&self, request: &Request) -> Result<Finished, SandboxError> {
        let finished = match self.pool(request)? {
            Some(pool) => pool.run(request),
            None => tracer_sandbox::run(request),
        }?;
        let counter = match finished.beginning {
            Beginning::Cold => &self.cold,
            Beginning::Ready => &self.ready,
            Beginning::Frozen => &self.frozen,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(finished)
    }

    /// The pool for a request, which is made if there is none; `None` where none can serve it.
    fn pool(&self, request: &Request) -> Result<Option<Arc<Pool>>, SandboxError> {
        // Folders of the host are part of the sandbox: one made for them fits no other program.
        if !request.folders.is_empty() || !Pool::serves(request) {
            return Ok(None);
        }
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = pools.iter().position(|pool| pool.fits(request)) {
            let pool = pools.remove(index);
            pools.push(Arc::clone(&pool)); // the one used last comes last
            return Ok(Some(pool));
        }
        let pool = Arc::new(Pool::new(request, self.ahead)?);
        let oldest = (pools.len() >= SHAPES).then(|| pools.remove(0));
        pools.push(Arc::clone(&pool));
        drop(pools);
        drop(oldest); // ends its sandboxes, unless a run is using it
        Ok(Some(pool))
    }
}
