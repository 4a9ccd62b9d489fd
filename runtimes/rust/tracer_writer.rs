//! A thread's writer: segments, muting, and records as a whole. Knows nothing of values.

use core::ptr::{addr_of_mut, copy_nonoverlapping, null_mut};
use core::sync::atomic::{AtomicU64, Ordering, compiler_fence};

use crate::channel::{SLOT_RECORD, Slot, channel, counter, memory};

pub const STEP: u8 = 1;
pub const VAR: u8 = 2;
pub const IN: u8 = 3;
pub const OUT: u8 = 4;
pub const BRANCH: u8 = 5;
pub const LOOP: u8 = 6;
pub const ERR: u8 = 7;
pub const STDOUT: u8 = 10;
pub const TASK: u8 = 11;
const ELIDE: u8 = 12;
const DEPTH: u8 = 13;
pub const INTERN: u8 = 14;
const LIMIT: u8 = 15;
pub const RESUME: u8 = 16;

/// In `OUT`: the function goes on later.
pub const SUSPENDED: u8 = 4;

pub const ORIGIN_THREAD: u32 = 1;
pub const ORIGIN_PROCESS: u32 = 2;

pub const MUTE_NONE: u8 = 0;
pub const MUTE_LOOP: u8 = 1;
pub const MUTE_CALL: u8 = 2;
const MUTE_ALL: u8 = 3;

/// What becomes of a record.
pub const DROP: u8 = 0;
pub const KEEP: u8 = 1;
pub const COUNT: u8 = 2;

/// Longest record without strings or containers, and what `INTERN` and `DEPTH` may put before.
pub const SMALL: usize = 128;
const SEGMENT_HEADER: usize = 32;
const LOOPS: usize = 48;
pub const NAMES: usize = 1024;
/// Bytes kept for results whose `OUT` is still to come.
pub const RESULTS: usize = 1 << 16;
/// Most bytes of one of them.
pub const RESULT: usize = 4096;

#[derive(Clone, Copy)]
pub struct Loop {
    pub site: u32,
    pub depth: u32,
    pub visits: u32,
    pub left: u32,
}

/// What a site said last while it was only counted: bits and what they are.
#[repr(C)]
pub struct Last {
    pub bits: u64,
    pub code: u32,
}

pub struct Writer {
    /// Next byte of the segment.
    pub at: *mut u8,
    /// Below it a small record fits and may be written; null sends probes the slow way.
    pub limit: *mut u8,
    /// Events that may still be recorded.
    pub left: u32,
    /// Below this, calls seen before are muted.
    pub scarce: u32,
    /// Calls on the stack.
    pub depth: u32,
    pub last: *mut Last,
    /// Visits of each site recorded within this mute, up to 2.
    pub seen: *mut u8,
    pub mute: u8,
    /// A record is being written: a probe that comes meanwhile is a signal handler's.
    pub writing: bool,
    pub kept: u8,
    pub op: u8,
    pub site: u32,
    /// The record being written, its next byte, its bound.
    pub start: *mut u8,
    pub to: *mut u8,
    pub bound: *mut u8,
    pub segment_end: *mut u8,
    pub mute_depth: u32,
    pub mute_site: u32,
    visited: *mut u32,
    visited_count: u32,
    pub loop_count: u32,
    pub stream: u32,
    pub children: u32,
    pub parent: u32,
    pub origin: u32,
    pub ordinal: u32,
    pub parent_site: u32,
    pub next_stream: u32,
    pub task_site: u32,
    /// The task that runs here, and the one that records said last; 0 is the thread's own.
    pub task: u64,
    pub told_task: u64,
    /// Tasks made by this thread.
    pub tasks: u64,
    /// Calls on the stack below the task that runs.
    pub base: u32,
    /// The next call that begins is what a future waits for.
    pub awaits: bool,
    /// Nesting of the value being written.
    pub level: u32,
    /// Results that wait for their function's end.
    pub results: *mut u8,
    pub results_used: usize,
    /// Where the innermost function reports a panic.
    pub panic_site: u32,
    pub interned: [u64; NAMES / 64],
    pub loops: [Loop; LOOPS],
}

#[thread_local]
static mut WRITER: Writer = Writer {
    at: null_mut(),
    limit: null_mut(),
    left: 0,
    scarce: 0,
    depth: 0,
    last: null_mut(),
    seen: null_mut(),
    mute: 0,
    writing: false,
    kept: 0,
    op: 0,
    site: 0,
    start: null_mut(),
    to: null_mut(),
    bound: null_mut(),
    segment_end: null_mut(),
    mute_depth: 0,
    mute_site: 0,
    visited: null_mut(),
    visited_count: 0,
    loop_count: 0,
    stream: 0,
    children: 0,
    parent: 0,
    origin: 0,
    ordinal: 0,
    parent_site: 0,
    next_stream: 0,
    task_site: 0,
    task: 0,
    told_task: 0,
    tasks: 0,
    base: 0,
    awaits: false,
    level: 0,
    results: null_mut(),
    results_used: 0,
    panic_site: 0,
    interned: [0; NAMES / 64],
    loops: [Loop { site: 0, depth: 0, visits: 0, left: 0 }; LOOPS],
};

#[inline(always)]
pub fn writer() -> &'static mut Writer {
    unsafe { &mut *addr_of_mut!(WRITER) }
}

#[inline(always)]
pub fn barrier() {
    compiler_fence(Ordering::SeqCst);
}

#[inline(always)]
pub fn slot(site: u32) -> &'static mut Slot {
    unsafe { &mut *channel().slots.add(site as usize) }
}

#[inline(always)]
pub unsafe fn put_varint(mut to: *mut u8, mut n: u64) -> *mut u8 {
    unsafe {
        while n >= 0x80 {
            *to = n as u8 | 0x80;
            to = to.add(1);
            n >>= 7;
        }
        *to = n as u8;
        to.add(1)
    }
}

#[inline(always)]
pub fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

// Segments

pub fn claim_segment() -> bool {
    let channel = channel();
    if channel.state != 1 {
        return false;
    }
    let count = channel.segment_count;
    let claimed = counter(64).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| {
        (number < count).then_some(number + 1)
    });
    let Ok(number) = claimed else { return false };
    let size = channel.segment_size as usize;
    let writer = writer();
    unsafe {
        let segment = channel.segments.add(number as usize * size);
        let words = segment.cast::<u32>();
        *words.add(1) = writer.stream;
        *words.add(2) = writer.parent;
        *words.add(3) = writer.origin;
        copy_nonoverlapping(channel.base.add(8), segment.add(16), 8);
        *words.add(6) = writer.parent_site;
        *words.add(7) = writer.ordinal;
        barrier();
        copy_nonoverlapping(b"SEG1".as_ptr(), segment, 4);
        writer.at = segment.add(SEGMENT_HEADER);
        writer.segment_end = segment.add(size);
    }
    true
}

/// The limit that holds when no record is being written.
#[inline(always)]
pub fn open_limit() -> *mut u8 {
    let writer = writer();
    if writer.mute != MUTE_NONE || writer.left == 0 {
        null_mut()
    } else {
        unsafe { writer.segment_end.sub(SMALL) }
    }
}

pub fn take_stream() -> u32 {
    counter(68).fetch_add(1, Ordering::Relaxed)
}

#[cold]
pub fn begin_stream() -> bool {
    let (channel, writer) = (channel(), writer());
    if writer.origin == 0 && writer.stream == 0 {
        writer.stream = take_stream();
        if writer.stream != 0 {
            // A thread that was not announced.
            writer.origin = ORIGIN_THREAD;
            writer.parent = 1;
            channel.threads = true;
        }
    }
    let slots = channel.slot_count as usize;
    let size = slots * (size_of::<Last>() + 5);
    let memory = memory(size + RESULTS);
    if memory.is_null() {
        return false;
    }
    unsafe {
        writer.last = memory.cast();
        writer.visited = writer.last.add(slots).cast();
        writer.seen = writer.visited.add(slots).cast();
        writer.results = memory.add(size);
    }
    writer.left = channel.events.max(1);
    // Every stream has its own budget, so that one thread's does not hang on another's pace.
    if writer.origin != 0 {
        writer.left = writer.left / 4 + 1;
    }
    writer.scarce = writer.left / 4;
    if !claim_segment() {
        writer.left = 0;
        writer.mute = MUTE_ALL;
        writer.at = null_mut();
        writer.segment_end = null_mut();
    }
    writer.limit = open_limit();
    true
}

/// In a forked child: records go to new segments and memory of its own.
pub fn begin_again(origin: u32) {
    let writer = writer();
    writer.limit = null_mut();
    writer.at = null_mut();
    writer.segment_end = null_mut();
    writer.origin = origin;
    writer.children = 0;
    writer.mute = MUTE_NONE;
    writer.visited_count = 0;
    writer.writing = false;
    writer.loop_count = 0;
    writer.seen = null_mut();
    if begin_stream() {
        write_depth();
    }
}

// Muting

#[inline(always)]
pub fn count_visit(site: u32) {
    let slot = slot(site);
    if channel().threads {
        unsafe { AtomicU64::from_ptr(&mut slot.visits) }.fetch_add(1, Ordering::Relaxed);
    } else {
        slot.visits += 1;
    }
}

/// Tells which task runs, if other records have not.
fn write_task() {
    let writer = writer();
    if writer.told_task == writer.task {
        return;
    }
    unsafe {
        *writer.at.add(1) = 1;
        *writer.at.add(2) = 0;
        let end = put_varint(writer.at.add(3), writer.task);
        *end = 0;
        barrier();
        *writer.at = TASK;
        writer.at = end.add(1);
    }
    writer.told_task = writer.task;
}

pub fn write_depth() {
    let writer = writer();
    unsafe {
        if writer.at.is_null() || writer.at.add(32) > writer.segment_end {
            return;
        }
        write_task();
        let depth = writer.depth.saturating_sub(writer.base);
        let end = put_varint(writer.at.add(1), u64::from(depth));
        barrier();
        *writer.at = DEPTH;
        writer.at = end;
    }
}

pub fn room(size: usize) -> bool {
    let writer = writer();
    let left = (writer.segment_end as usize).saturating_sub(writer.at as usize);
    (!writer.at.is_null() && size <= left) || claim_segment()
}

#[cold]
pub fn mute(why: u8, site: u32) {
    let writer = writer();
    writer.mute = why;
    writer.mute_depth = writer.depth;
    writer.mute_site = site;
    writer.limit = null_mut();
}

/// Tells what was left out, and records again.
#[cold]
pub fn unmute() {
    let writer = writer();
    for i in 0..writer.visited_count as usize {
        let site = unsafe { *writer.visited.add(i) };
        unsafe { *writer.seen.add(site as usize) = 0 };
        if slot(site).visits == 0 {
            continue;
        }
        crate::probes::remember(site);
        if writer.left == 0 || !room(SMALL) {
            continue;
        }
        let slot = slot(site);
        // Only the last visit's record may stand for it.
        let current = slot.sequence == slot.visits;
        let length = if current { slot.length as usize } else { 0 };
        unsafe {
            let mut to = put_varint(writer.at.add(1), u64::from(site));
            to = put_varint(to, slot.visits);
            to = put_varint(to, length as u64);
            copy_nonoverlapping(slot.record.as_ptr(), to, length);
            barrier();
            *writer.at = ELIDE;
            writer.at = to.add(length);
        }
        writer.left -= 1;
        (slot.visits, slot.sequence, slot.length) = (0, 0, 0);
    }
    writer.visited_count = 0;
    writer.mute = MUTE_NONE;
    if room(SMALL) {
        write_depth();
    }
    writer.limit = open_limit();
}

/// Where the fast way is closed: what to do with a visit of this site.
#[cold]
fn decide(site: u32) -> u8 {
    let (channel, writer) = (channel(), writer());
    if channel.state != 1 || site >= channel.slot_count {
        return DROP;
    }
    if writer.seen.is_null() && !begin_stream() {
        return DROP;
    }
    if writer.writing {
        // A signal handler's probe has interrupted another: it is only counted.
        count_visit(site);
        return DROP;
    }
    if writer.mute == MUTE_NONE && writer.left == 0 {
        if room(SMALL) {
            unsafe {
                *writer.at.add(1) = 0;
                barrier();
                *writer.at = LIMIT;
                writer.at = writer.at.add(2);
            }
        }
        mute(MUTE_ALL, site);
    }
    if writer.mute != MUTE_NONE {
        let seen = unsafe { &mut *writer.seen.add(site as usize) };
        if *seen >= 2 {
            count_visit(site);
            return COUNT;
        }
        if *seen == 0 {
            unsafe { *writer.visited.add(writer.visited_count as usize) = site };
            writer.visited_count += 1;
        }
        *seen += 1;
        if !room(SMALL) {
            count_visit(site);
            return COUNT;
        }
        write_depth();
        return KEEP;
    }
    if !room(SMALL) {
        mute(MUTE_ALL, site);
        count_visit(site);
        return COUNT;
    }
    KEEP
}

/// Whether a visit is only counted, which must be quick.
#[inline(always)]
pub fn is_counted(site: u32) -> bool {
    let writer = writer();
    writer.mute != MUTE_NONE && !writer.writing && unsafe { *writer.seen.add(site as usize) } >= 2
}

/// Whether a counted visit is one of the few that are captured all the same.
#[inline(always)]
pub fn passes_over(site: u32) -> bool {
    let visits = slot(site).visits;
    visits & (visits + 1) != 0
}

#[inline(always)]
pub fn may_write_at_once() -> bool {
    let writer = writer();
    writer.at < writer.limit
}

/// A decision for a record without a value worth keeping when it is only counted.
#[inline(always)]
pub fn admit(site: u32) -> u8 {
    if may_write_at_once() {
        return KEEP;
    }
    if is_counted(site) {
        count_visit(site);
        return COUNT;
    }
    decide(site)
}

/// Counts a visit of a site that says a scalar, and keeps that.
#[inline(always)]
pub fn count_scalar(site: u32, bits: u64, code: u32) {
    count_visit(site);
    let last = unsafe { &mut *writer().last.add(site as usize) };
    (last.bits, last.code) = (bits, code);
}

// Small records, written in one go

#[inline(always)]
pub fn open_small() -> *mut u8 {
    let writer = writer();
    writer.limit = null_mut();
    writer.writing = true;
    barrier();
    unsafe { writer.at.add(1) }
}

#[inline(always)]
pub fn close_small(op: u8, end: *mut u8) {
    let writer = writer();
    barrier();
    unsafe { *writer.at = op };
    writer.at = end;
    writer.left = writer.left.saturating_sub(1);
    barrier();
    writer.writing = false;
    writer.limit = open_limit();
}

/// The same for a site that may write at once: one load, one compare.
#[inline(always)]
pub fn open_fast() -> (*mut u8, *mut u8) {
    let writer = writer();
    let limit = writer.limit;
    writer.limit = null_mut();
    barrier();
    (limit, unsafe { writer.at.add(1) })
}

#[inline(always)]
pub fn close_fast(op: u8, end: *mut u8, limit: *mut u8) {
    let writer = writer();
    barrier();
    unsafe { *writer.at = op };
    writer.at = end;
    barrier();
    writer.left -= 1;
    writer.limit = if writer.left != 0 { limit } else { null_mut() };
}

// Records of several values: open_record, values, close_record

#[inline(never)]
pub fn open_record(site: u32, op: u8) -> bool {
    let writer = writer();
    if writer.writing {
        if site < channel().slot_count && channel().state == 1 {
            count_visit(site);
        }
        return false;
    }
    let mut what = admit(site);
    if what == COUNT {
        // Not worth capturing at every visit.
        let visits = slot(site).visits;
        if visits & visits.wrapping_sub(1) != 0 {
            what = DROP;
        }
    }
    if what == DROP {
        return false;
    }
    writer.site = site;
    writer.writing = true;
    writer.kept = what;
    writer.limit = null_mut();
    if what == KEEP {
        writer.start = writer.at;
        writer.bound = writer.segment_end;
    } else {
        let slot = slot(site);
        slot.length = 0;
        writer.start = slot.record.as_mut_ptr();
        writer.bound = unsafe { writer.start.add(SLOT_RECORD) };
    }
    writer.level = 0;
    writer.op = op;
    unsafe {
        writer.to = put_varint(writer.start.add(1), u64::from(site));
        // A kept record becomes visible with its first byte, which is written last.
        *writer.start = if what == KEEP { 0 } else { op };
    }
    true
}

#[inline(never)]
pub fn close_record() {
    let writer = writer();
    if !writer.to.is_null() {
        if writer.kept == KEEP {
            barrier();
            unsafe { *writer.start = writer.op };
            writer.at = writer.to;
            writer.left = writer.left.saturating_sub(1);
        } else {
            let slot = slot(writer.site);
            slot.sequence = slot.visits;
            barrier();
            slot.length = (writer.to as usize - writer.start as usize) as u8;
        }
    }
    barrier();
    writer.writing = false;
    writer.limit = open_limit();
}

/// Opens the record again that was written last, if it is this site's, without the last of its bytes.
pub fn reopen_record(site: u32) -> bool {
    let writer = writer();
    if writer.writing {
        return false;
    }
    writer.limit = null_mut();
    writer.writing = true;
    barrier();
    let last = !writer.to.is_null() && writer.site == site && {
        let slot = slot(site);
        if writer.kept == KEEP { writer.at == writer.to } else { slot.sequence == slot.visits }
    };
    if !last {
        writer.writing = false;
        writer.limit = open_limit();
        return false;
    }
    writer.to = unsafe { writer.to.sub(1) };
    if writer.kept == KEEP {
        unsafe { *writer.start = 0 };
        barrier();
        writer.at = writer.start;
        // One that was the last stays so.
        if writer.left != 0 {
            writer.left += 1;
        }
    } else {
        slot(site).length = 0;
    }
    true
}

pub fn finish() {
    let writer = writer();
    if channel().state != 1 || writer.mute == MUTE_NONE || writer.writing {
        return;
    }
    for i in 0..writer.visited_count as usize {
        let site = unsafe { *writer.visited.add(i) };
        if slot(site).visits != 0 {
            crate::probes::remember(site);
        }
    }
}
