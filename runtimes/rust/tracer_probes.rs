//! The probes: what instrumented code calls. Short names, since every one is written out many times.

use core::cell::Cell;

use crate::channel::channel;
use crate::values::*;
use crate::writer::*;

// Scalars of at most 64 bits: their bits can be kept and told later.
const L_ARM: u32 = 1;
pub const L_SIGNED: u32 = 2;
pub const L_UNSIGNED: u32 = 3;
pub const L_BOOL: u32 = 4;
pub const L_CHAR: u32 = 5;
pub const L_DOUBLE: u32 = 6;
pub const L_FLOAT: u32 = 7;
/// A result that was serialised.
const L_BYTES: u32 = 8;

pub fn put_bits(what: u32, name: usize, bits: u64) {
    if name != N_NONE {
        put_typed(name);
    }
    match what {
        L_SIGNED => put_int(bits as i64),
        L_UNSIGNED => put_uint(bits),
        L_BOOL => put_byte(if bits != 0 { TRUE } else { FALSE }),
        L_CHAR => {
            put_byte(CHARACTER);
            put_number(bits);
        }
        L_FLOAT => {
            put_byte(FLOAT32);
            put_bytes(&(bits as u32).to_le_bytes());
        }
        _ => {
            put_byte(FLOAT);
            put_bytes(&bits.to_le_bytes());
        }
    }
}

fn code(what: u32, name: usize) -> u32 {
    what | (name.wrapping_add(1) as u32) << 4
}

/// Writes what a site said last into its slot.
pub fn remember(site: u32) {
    let last = unsafe { &mut *writer().last.add(site as usize) };
    if last.code == 0 {
        return;
    }
    let (what, name) = (last.code & 15, (last.code >> 4) as usize);
    let (writer, slot) = (writer(), slot(site));
    slot.length = 0;
    writer.kept = COUNT;
    writer.start = slot.record.as_mut_ptr();
    unsafe {
        writer.bound = writer.start.add(crate::channel::SLOT_RECORD);
        *writer.start = if what == L_ARM { BRANCH } else { VAR };
        writer.to = put_varint(writer.start.add(1), u64::from(site));
    }
    if what == L_ARM {
        put_number(last.bits);
        put_byte(0);
    } else {
        put_byte(1);
        put_bits(what, name.wrapping_sub(1), last.bits);
    }
    if !writer.to.is_null() {
        slot.sequence = slot.visits;
        barrier();
        slot.length = (writer.to as usize - writer.start as usize) as u8;
    }
    last.code = 0;
}

#[inline(never)]
fn var_slowly(site: u32, what: u32, name: usize, bits: u64) {
    if is_counted(site) {
        count_scalar(site, bits, code(what, name));
        // A crash loses nothing that was recorded; of what is only counted, little.
        let visits = slot(site).visits;
        if visits & (visits - 1) == 0 {
            remember(site);
        }
    } else if open_record(site, VAR) {
        put_byte(1);
        put_bits(what, name, bits);
        close_record();
    }
}

#[inline(always)]
unsafe fn fast_bits(mut to: *mut u8, what: u32, name: usize, bits: u64) -> *mut u8 {
    unsafe {
        if name != N_NONE {
            *to = TYPED;
            *to.add(1) = name as u8 + 1;
            to = to.add(2);
        }
        let kind = match what {
            L_SIGNED => INT,
            L_UNSIGNED => UINT,
            L_BOOL if bits != 0 => TRUE,
            L_BOOL => FALSE,
            L_CHAR => CHARACTER,
            L_FLOAT => FLOAT32,
            _ => FLOAT,
        };
        *to = kind;
        to = to.add(1);
        match what {
            L_SIGNED => put_varint(to, zigzag(bits as i64)),
            L_UNSIGNED | L_CHAR => put_varint(to, bits),
            L_BOOL => to,
            L_FLOAT => {
                to.cast::<u32>().write_unaligned(bits as u32);
                to.add(4)
            }
            _ => {
                to.cast::<u64>().write_unaligned(bits);
                to.add(8)
            }
        }
    }
}

fn knows(name: usize) -> bool {
    name == N_NONE || writer().interned[0] >> name & 1 != 0
}

#[inline(always)]
pub fn var_bits(site: u32, what: u32, name: usize, bits: u64) {
    if may_write_at_once() {
        if knows(name) {
            let (limit, to) = open_fast();
            unsafe {
                let to = put_varint(to, u64::from(site));
                *to = 1;
                close_fast(VAR, fast_bits(to.add(1), what, name, bits), limit);
            }
            return;
        }
    } else if is_counted(site) && passes_over(site) {
        count_scalar(site, bits, code(what, name));
        return;
    }
    var_slowly(site, what, name, bits);
}

/// A statement is about to run.
#[inline(never)]
pub fn s(site: u32) {
    if may_write_at_once() {
        let (limit, to) = open_fast();
        close_fast(STEP, unsafe { put_varint(to, u64::from(site)) }, limit);
    } else if admit(site) == KEEP {
        let end = unsafe { put_varint(open_small(), u64::from(site)) };
        close_small(STEP, end);
    }
}

/// A variable has a new value.
#[inline]
pub fn v<T: ?Sized>(site: u32, value: &T) {
    value.var(site);
}

/// Several variables have new values, which follow by [`a`]; then [`z`].
pub fn m(site: u32, count: u32) -> bool {
    let open = open_record(site, VAR);
    if open {
        put_number(u64::from(count));
    }
    open
}

/// One value of the record being written.
#[inline]
pub fn a<T: ?Sized>(value: &T) {
    value.put();
}

/// The end of the values of a record.
pub fn z() {
    close_record();
}

/// A place that was just written. No check is compiled in here, as there was none there: what has no
/// size may be written through a null pointer.
#[inline]
pub fn at<'a, T: ?Sized>(place: *const T) -> &'a T {
    // SAFETY: it was written, so it can be read; of what has no size, nothing is.
    unsafe { &*place }
}

// Functions

/// A function's frame, from its first statement to its end, whichever way it ends.
pub struct Frame {
    out: u32,
    panicking: bool,
    /// Whether `IN` was told, and may be told anew with values.
    open: bool,
    outer_panic_site: Cell<u32>,
    code: Cell<u32>,
    bits: Cell<u64>,
}

// SAFETY: a future that holds one is polled by one thread at a time.
unsafe impl Sync for Frame {}

/// A function is entered: its sites of `IN` and `OUT`. The record is complete: the probe of the
/// arguments may have been dropped.
#[inline(never)]
pub fn f(site: u32, out: u32) -> Frame {
    let (channel, writer) = (channel(), writer());
    let mut frame = Frame {
        out,
        panicking: std::thread::panicking(),
        open: false,
        outer_panic_site: Cell::new(writer.panic_site),
        code: Cell::new(0),
        bits: Cell::new(writer.results_used as u64),
    };
    writer.panic_site = out + 1;
    writer.awaits = false;
    if channel.state != 1 {
        return frame;
    }
    if is_counted(site) && passes_over(site) {
        count_visit(site);
        writer.depth += 1;
        return frame;
    }
    let entered = unsafe { &mut *channel.entered.add(site as usize) };
    if !writer.limit.is_null() && writer.left < writer.scarce && *entered >= 2 {
        mute(MUTE_CALL, site);
        writer.mute_depth = writer.depth + 1;
    }
    *entered = (*entered + 1).min(2);
    frame.open = open_record(site, IN);
    writer.depth += 1;
    if frame.open {
        put_number(0);
        close_record();
    }
    frame
}

impl Frame {
    /// Arguments follow by [`a`], then [`z`], if this says so.
    #[inline]
    pub fn i(&self, site: u32, count: u32) -> bool {
        self.open && arguments(site, count)
    }

    /// Leaves the call for now: what waits in it is not there yet.
    pub fn suspend(&self, site: u32) {
        let writer = writer();
        writer.panic_site = self.outer_panic_site.get();
        if channel().state != 1 {
            return;
        }
        if writer.mute == MUTE_LOOP && writer.depth <= writer.mute_depth {
            unmute();
        }
        if open_record(site, OUT) {
            put_byte(SUSPENDED);
            close_record();
        }
        writer.depth -= 1;
        if writer.mute == MUTE_CALL && writer.depth < writer.mute_depth {
            unmute();
        }
    }

    /// Goes on with the call.
    pub fn resume(&self, site: u32) {
        let writer = writer();
        self.outer_panic_site.set(writer.panic_site);
        writer.panic_site = self.out + 1;
        if channel().state != 1 {
            return;
        }
        if open_record(site, RESUME) {
            put_byte(0);
            close_record();
        }
        writer.depth += 1;
    }

    #[inline(always)]
    pub fn keep_bits(&self, what: u32, name: usize, bits: u64) {
        self.code.set(code(what, name));
        self.bits.set(bits);
    }

    /// Begins to write a result where it waits for the function's end.
    pub fn open_result(&self) -> bool {
        let writer = writer();
        if channel().state != 1 || writer.writing || writer.seen.is_null() {
            return false;
        }
        if is_counted(self.out) && passes_over(self.out) {
            return false;
        }
        let used = writer.results_used;
        writer.writing = true;
        writer.kept = COUNT;
        writer.limit = core::ptr::null_mut();
        writer.level = 0;
        unsafe {
            writer.start = writer.results.add(used);
            writer.to = writer.start;
            writer.bound = writer.results.add((used + RESULT).min(RESULTS));
        }
        true
    }

    pub fn close_result(&self) {
        let writer = writer();
        if !writer.to.is_null() {
            let length = writer.to as usize - writer.start as usize;
            self.code.set(L_BYTES | (length as u32) << 4);
            self.bits.set(writer.results_used as u64);
            writer.results_used += length;
        }
        barrier();
        writer.writing = false;
        writer.limit = open_limit();
    }
}

#[inline(never)]
fn arguments(site: u32, count: u32) -> bool {
    let open = reopen_record(site);
    if open {
        put_number(u64::from(count));
    }
    open
}

/// A function's result, on its way to the caller.
#[inline]
pub fn r<T>(value: T, frame: &Frame) -> T {
    value.keep(frame);
    value
}

#[inline(never)]
fn drop_loops() {
    let writer = writer();
    while writer.loop_count != 0
        && writer.loops[writer.loop_count as usize - 1].depth >= writer.depth
    {
        writer.loop_count -= 1;
    }
}

impl Drop for Frame {
    #[inline(never)]
    fn drop(&mut self) {
        let writer = writer();
        writer.panic_site = self.outer_panic_site.get();
        if channel().state != 1 {
            return;
        }
        drop_loops();
        if writer.mute == MUTE_LOOP && writer.depth <= writer.mute_depth {
            unmute();
        }
        let site = self.out;
        let (what, bits) = (self.code.get() & 15, self.bits.get());
        if is_counted(site) && passes_over(site) {
            count_visit(site);
        } else if open_record(site, OUT) {
            let unwinding = !self.panicking && std::thread::panicking();
            put_byte(u8::from(what != 0 && !unwinding) | u8::from(unwinding) * 2);
            if what == L_BYTES && !unwinding {
                let length = self.code.get() as usize >> 4;
                let from = unsafe { writer.results.add(bits as usize) };
                put_bytes(unsafe { core::slice::from_raw_parts(from, length) });
            } else if what != 0 && !unwinding {
                put_bits(what, (self.code.get() as usize >> 4).wrapping_sub(1), bits);
            }
            close_record();
        }
        if what == L_BYTES {
            writer.results_used = bits as usize;
        }
        writer.depth -= 1;
        if writer.mute == MUTE_CALL && writer.depth < writer.mute_depth {
            unmute();
        }
    }
}

// Branches

/// A branch was decided; operands follow.
pub fn bn(site: u32, arm: u32, count: u32) -> bool {
    if is_counted(site) && passes_over(site) {
        count_scalar(site, u64::from(arm), L_ARM);
        return false;
    }
    let open = open_record(site, BRANCH);
    if open {
        put_number(u64::from(arm));
        put_number(u64::from(count));
    }
    open
}

/// A branch was decided.
#[inline(never)]
pub fn b(site: u32, arm: u32) {
    if may_write_at_once() {
        let (limit, to) = open_fast();
        unsafe {
            let to = put_varint(put_varint(to, u64::from(site)), u64::from(arm));
            *to = 0;
            close_fast(BRANCH, to.add(1), limit);
        }
    } else if is_counted(site) {
        count_scalar(site, u64::from(arm), L_ARM);
    } else if bn(site, arm, 0) {
        close_record();
    }
}

/// A truth value passes through.
pub fn t(site: u32, truth: bool) -> bool {
    b(site, u32::from(truth));
    truth
}

/// What `?` looks at passes through.
#[inline]
pub fn q<T>(site: u32, value: T) -> T {
    value.failed(site);
    value
}

/// Whether `?` goes on.
pub fn decided(site: u32, goes_on: bool) {
    b(site, u32::from(goes_on));
}

// Loops

fn loop_at(site: u32) -> Option<&'static mut Loop> {
    let writer = writer();
    for i in (0..writer.loop_count as usize).rev() {
        let depth = writer.loops[i].depth;
        if depth < writer.depth {
            return None;
        }
        if depth == writer.depth && writer.loops[i].site == site {
            writer.loop_count = i as u32 + 1;
            return Some(&mut writer.loops[i]);
        }
    }
    None
}

fn loop_record(site: u32, phase: u8, count: u32) -> bool {
    if count == 0 && may_write_at_once() {
        let (limit, to) = open_fast();
        unsafe {
            let to = put_varint(to, u64::from(site));
            *to = phase;
            *to.add(1) = 0;
            close_fast(LOOP, to.add(2), limit);
        }
        return false;
    }
    if is_counted(site) && (count == 0 || passes_over(site)) {
        count_visit(site);
        return false;
    }
    let open = open_record(site, LOOP);
    if open {
        put_byte(phase);
        put_number(u64::from(count));
        if count == 0 {
            close_record();
        }
    }
    open && count != 0
}

/// A loop is entered.
#[inline(never)]
pub fn le(site: u32) {
    if channel().state != 1 {
        return;
    }
    loop_record(site, 0, 0);
    let writer = writer();
    // No loop can mute what is muted already.
    if writer.mute != MUTE_NONE {
        return;
    }
    let (depth, left) = (writer.depth, writer.left);
    let fresh = Loop { site, depth, visits: 0, left };
    if let Some(known) = loop_at(site) {
        *known = fresh;
    } else if let Some(place) = writer.loops.get_mut(writer.loop_count as usize) {
        *place = fresh;
        writer.loop_count += 1;
    }
}

/// An iteration begins; what it binds follows.
#[inline(never)]
pub fn ln(site: u32, count: u32) -> bool {
    let writer = writer();
    let current = if writer.mute == MUTE_NONE { loop_at(site) } else { None };
    if let Some(current) = current {
        current.visits += 1;
        let (spent, share) = (current.left.wrapping_sub(writer.left), current.left / 4);
        if current.visits > 2 && spent > share.max(64) {
            mute(MUTE_LOOP, site);
        }
    }
    loop_record(site, 1, count)
}

/// An iteration begins.
pub fn li(site: u32) {
    if is_counted(site) {
        count_visit(site);
    } else {
        ln(site, 0);
    }
}

/// A loop is left.
#[inline(never)]
pub fn lx(site: u32) {
    let writer = writer();
    let mut told = true;
    if writer.mute != MUTE_NONE {
        told = writer.mute == MUTE_LOOP
            && writer.mute_site == site
            && writer.depth == writer.mute_depth;
        if told {
            unmute();
        }
    }
    if told && loop_at(site).is_some() {
        writer.loop_count -= 1;
    }
    loop_record(site, 2, 0);
}
