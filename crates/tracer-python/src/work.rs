//! Work that Python waits for: without its lock, ended by Ctrl-C, and never in a fork.

use std::mem::ManuallyDrop;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use tracer::Cancel;

use crate::error::TracerError;

/// How often signals are looked for.
const PULSE: Duration = Duration::from_millis(50);

/// Stack of the thread that works: sources nest as deep as strangers like. What is not used is not
/// there.
const STACK: usize = 256 << 20;

/// Does `work` on a thread of its own. What a handler of Python's raises meanwhile ends it by
/// `cancel`, and is raised when it has ended.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    py.detach(|| {
        thread::scope(|scope| {
            let (done, ended) = sync_channel::<()>(1);
            let worker = thread::Builder::new()
                .name("tracer".to_owned())
                .stack_size(STACK)
                .spawn_scoped(scope, move || {
                    let _told_when_dropped = done;
                    work()
                })
                .map_err(|error| TracerError::new_err(format!("cannot start a thread: {error}")))?;
            let mut raised = None;
            while ended.recv_timeout(PULSE) == Err(RecvTimeoutError::Timeout) {
                if raised.is_none()
                    && let Err(error) = signals()
                {
                    cancel.cancel();
                    raised = Some(error);
                }
            }
            let done = worker.join();
            if let Some(error) = raised {
                return Err(error);
            }
            done.map_err(|_| TracerError::new_err("tracer panicked; its message is on stderr"))
        })
    })
}

/// Calls Python's handlers of the signals that came.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is of one lifetime, not of any"
)]
fn signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}

/// Something that belongs to the process that made it. Sandboxes kept ready are known to their maker
/// alone: a fork that used or ended them would do so to its parent's.
pub(crate) struct Own<T> {
    value: ManuallyDrop<T>,
    process: u32,
}

impl<T> Own<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            process: std::process::id(),
        }
    }

    pub(crate) fn get(&self) -> PyResult<&T> {
        if self.process == std::process::id() {
            return Ok(&*self.value);
        }
        Err(TracerError::new_err(
            "this belongs to the process that this one was forked from: make another one here",
        ))
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            drop_in_place(&mut self.value);
        }
    }
}

#[expect(unsafe_code, reason = "dropping by hand is what tells a fork apart")]
fn drop_in_place<T>(value: &mut ManuallyDrop<T>) {
    // SAFETY: called by `Drop` alone, once; nothing uses the value afterwards.
    unsafe { ManuallyDrop::drop(value) };
}
