//! Futures: calls that wait and go on.
//!
//! One that another awaits goes on in the same task; one that is polled by anything else, such as
//! an executor, is a task of its own, so that futures that take turns are told apart.

use core::cell::Cell;
use core::future::{Future, IntoFuture};
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::channel::channel;
use crate::probes::{Frame, f};
use crate::tasks::record;
use crate::writer::writer;

const WHAT: &str = "future";

/// The frame of a function that may wait.
pub struct AsyncFrame {
    frame: ManuallyDrop<Frame>,
    /// Its task; 0 where it runs in that of the future that awaits it.
    task: u64,
    /// What runs when it does not.
    outer_task: Cell<u64>,
    outer_base: Cell<u32>,
    waits: Cell<bool>,
}

// SAFETY: a future that holds one is polled by one thread at a time.
unsafe impl Sync for AsyncFrame {}
impl UnwindSafe for AsyncFrame {}
impl RefUnwindSafe for AsyncFrame {}

impl Deref for AsyncFrame {
    type Target = Frame;
    fn deref(&self) -> &Frame {
        &self.frame
    }
}

fn switch(task: u64) {
    let writer = writer();
    writer.task = task;
    // Where nothing is recorded, the next record says it.
    if channel().state == 1 && writer.told_task != task && record(1, WHAT, task, 0) {
        writer.told_task = task;
    }
}

/// An `async` function is entered: as `f`.
#[inline(never)]
pub fn af(site: u32, out: u32) -> AsyncFrame {
    let writer = writer();
    let (outer_task, outer_base) = (writer.task, writer.base);
    let mut task = 0;
    if channel().state == 1 && !writer.seen.is_null() && !writer.awaits {
        writer.tasks += 1;
        task = u64::from(writer.stream) << 32 | writer.tasks;
        record(0, WHAT, task, site);
        writer.base = writer.depth;
        switch(task);
    }
    AsyncFrame {
        frame: ManuallyDrop::new(f(site, out)),
        task,
        outer_task: Cell::new(outer_task),
        outer_base: Cell::new(outer_base),
        waits: Cell::new(false),
    }
}

impl AsyncFrame {
    fn pause(&self, site: u32) {
        self.waits.set(true);
        self.frame.suspend(site);
        self.leave();
    }

    fn go_on(&self, site: u32) {
        self.waits.set(false);
        if self.task != 0 {
            let writer = writer();
            self.outer_task.set(writer.task);
            self.outer_base.set(writer.base);
            writer.base = writer.depth;
            switch(self.task);
        }
        self.frame.resume(site);
    }

    fn leave(&self) {
        if self.task != 0 {
            writer().base = self.outer_base.get();
            switch(self.outer_task.get());
        }
    }
}

impl Drop for AsyncFrame {
    fn drop(&mut self) {
        if !self.waits.get() {
            // SAFETY: nothing uses it behind this.
            unsafe { ManuallyDrop::drop(&mut self.frame) };
        }
        if self.task == 0 || channel().state != 1 {
            return;
        }
        let writer = writer();
        // The end of the task that runs goes back to the thread's own.
        if record(2, WHAT, self.task, 0) && writer.told_task == self.task {
            writer.told_task = 0;
        }
        if !self.waits.get() {
            self.leave();
        }
    }
}

/// A future that is awaited.
pub struct Await<'f, F> {
    future: F,
    frame: &'f AsyncFrame,
    site: u32,
    waits: bool,
}

impl<F: Future> Future for Await<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future inside is never moved.
        let this = unsafe { self.get_unchecked_mut() };
        if this.waits {
            this.waits = false;
            this.frame.go_on(this.site);
        }
        writer().awaits = true;
        let result = unsafe { Pin::new_unchecked(&mut this.future) }.poll(context);
        writer().awaits = false;
        if result.is_pending() {
            this.waits = true;
            this.frame.pause(this.site);
        }
        result
    }
}

/// What is awaited passes through.
pub fn aw<F: IntoFuture>(site: u32, frame: &AsyncFrame, future: F) -> Await<'_, F::IntoFuture> {
    Await { future: future.into_future(), frame, site, waits: false }
}
