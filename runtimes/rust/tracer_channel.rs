//! One process's view of the channel: where it is, its bounds, and its slots.

use core::ptr::{addr_of_mut, null_mut};
use core::sync::atomic::AtomicU32;

use crate::system::{find, watch_forks};
pub use crate::system::memory;

pub const SLOT_RECORD: usize = 47;

#[repr(C)]
pub struct Slot {
    pub visits: u64,
    pub sequence: u64,
    pub length: u8,
    pub record: [u8; SLOT_RECORD],
}

pub struct Channel {
    pub base: *mut u8,
    pub slots: *mut Slot,
    pub segments: *mut u8,
    /// Visits of each function's `IN` site, up to 3.
    pub entered: *mut u8,
    pub slot_count: u32,
    pub segment_count: u32,
    pub segment_size: u32,
    pub events: u32,
    pub depth: u32,
    pub elements: u32,
    pub characters: u32,
    pub value_bytes: u32,
    /// 0 not looked for, 1 ready, 2 there is none.
    pub state: u8,
    /// Whether there may be several threads.
    pub threads: bool,
}

static mut CHANNEL: Channel = Channel {
    base: null_mut(),
    slots: null_mut(),
    segments: null_mut(),
    entered: null_mut(),
    slot_count: 0,
    segment_count: 0,
    segment_size: 0,
    events: 0,
    depth: 0,
    elements: 0,
    characters: 0,
    value_bytes: 0,
    state: 0,
    threads: false,
};

#[inline(always)]
pub fn channel() -> &'static mut Channel {
    unsafe { &mut *addr_of_mut!(CHANNEL) }
}

/// A counter of the header that all processes share.
pub fn counter(offset: usize) -> &'static AtomicU32 {
    unsafe { AtomicU32::from_ptr(channel().base.add(offset).cast()) }
}

/// Runs before any code of the program, so that the program never sees the variable.
pub extern "C" fn begin() {
    let channel = channel();
    if channel.state != 0 {
        return;
    }
    channel.state = 2;
    let mut header = [0u8; 72];
    channel.base = find(&mut header);
    if channel.base.is_null() {
        return;
    }
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let half = |at: usize| u32::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let (slots, segments, first, size) = (word(28), word(36), word(40), word(44));
    channel.slot_count = slots;
    channel.segment_count = segments;
    channel.segment_size = size;
    channel.slots = unsafe { channel.base.add(word(24) as usize) }.cast();
    channel.segments = unsafe { channel.base.add(first as usize) };
    channel.events = word(48);
    channel.depth = u32::from(header[56]);
    channel.elements = half(58);
    channel.characters = half(60);
    channel.value_bytes = half(62);
    channel.entered = memory(slots as usize);
    if channel.entered.is_null() {
        return;
    }
    watch_forks();
    channel.state = 1;
}

/// What was only counted says its last value at a normal end too.
pub extern "C" fn finish() {
    crate::writer::finish();
}
