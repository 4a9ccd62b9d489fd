//! Failing on purpose: with the cargo feature `weaken` a test can make the n-th call of a set-up
//! fail, to show that a start that fails half-way is refused and leaves nothing.
//!
//! Without the feature the points are empty. The counters lie in memory that the forked child
//! shares, so that the runner learns how far the child came.

use std::io;

use crate::sys::Errno;

/// A call that may be made to fail, in the code that is written against plain `errno` values.
#[cfg(not(feature = "weaken"))]
#[expect(clippy::unnecessary_wraps, reason = "the other form fails")]
pub(crate) const fn point() -> Result<(), Errno> {
    Ok(())
}

#[cfg(not(feature = "weaken"))]
pub(crate) const fn in_child() {}

#[cfg(feature = "weaken")]
pub use armed::{Fault, Side, arm, disarm};
#[cfg(feature = "weaken")]
pub(crate) use armed::{in_child, point};

/// The same for the runner's own code.
pub(crate) fn io_point() -> io::Result<()> {
    point().map_err(|errno: Errno| io::Error::from_raw_os_error(errno))
}

#[cfg(feature = "weaken")]
mod armed {
    use std::ptr;
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};

    use crate::sys::SysResult;

    /// Which process is to meet the fault.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Side {
        /// The runner.
        Runner,
        /// The child that becomes the sandbox.
        Child,
    }

    /// A fault to come.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Fault {
        /// Where.
        pub side: Side,
        /// At which call, counted from 0.
        pub step: u32,
        /// The answer that call gets.
        pub errno: i32,
    }

    struct Page {
        counts: [AtomicU32; 2],
        side: AtomicU32,
        step: AtomicU32,
        errno: AtomicI32,
    }

    static PAGE: AtomicPtr<Page> = AtomicPtr::new(ptr::null_mut());
    /// Set in the child's own copy of this memory.
    static CHILD: AtomicBool = AtomicBool::new(false);

    /// Arms `fault` for what this process runs next; one at a time.
    pub fn arm(fault: Fault) {
        let mut page = PAGE.load(Ordering::SeqCst);
        if page.is_null() {
            // SAFETY: new memory of its own, shared with children; zero is a value of every field.
            page = unsafe {
                libc::mmap(
                    ptr::null_mut(),
                    size_of::<Page>(),
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            }
            .cast();
            assert!(page.cast() != libc::MAP_FAILED, "a page to count in");
        }
        // SAFETY: mapped above or by an earlier call, and never unmapped.
        let armed = unsafe { &*page };
        for count in &armed.counts {
            count.store(0, Ordering::SeqCst);
        }
        armed.side.store(fault.side as u32, Ordering::SeqCst);
        armed.step.store(fault.step, Ordering::SeqCst);
        armed.errno.store(fault.errno, Ordering::SeqCst);
        PAGE.store(page, Ordering::SeqCst);
    }

    /// Takes the fault back; gives how many calls each side came to, the runner first.
    pub fn disarm() -> [u32; 2] {
        let page = PAGE.load(Ordering::SeqCst);
        if page.is_null() {
            return [0; 2];
        }
        // SAFETY: as in `arm`.
        let armed = unsafe { &*page };
        armed.step.store(u32::MAX, Ordering::SeqCst);
        [0, 1].map(|side| armed.counts[side].load(Ordering::SeqCst))
    }

    pub(crate) fn in_child() {
        CHILD.store(true, Ordering::SeqCst);
    }

    pub(crate) fn point() -> SysResult<()> {
        let page = PAGE.load(Ordering::SeqCst);
        if page.is_null() {
            return Ok(());
        }
        // SAFETY: as in `arm`.
        let armed = unsafe { &*page };
        let side = u32::from(CHILD.load(Ordering::SeqCst));
        let count = armed.counts[side as usize].fetch_add(1, Ordering::SeqCst);
        if side == armed.side.load(Ordering::SeqCst) && count == armed.step.load(Ordering::SeqCst) {
            return Err(armed.errno.load(Ordering::SeqCst));
        }
        Ok(())
    }
}
