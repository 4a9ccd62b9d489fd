//! One process's view of the channel: where it is, its bounds, and its slots.

use core::ffi::{c_char, c_int, c_long, c_void};
use core::ptr::{addr_of_mut, null_mut};
use core::sync::atomic::AtomicU32;

unsafe extern "C" {
    pub static mut environ: *mut *mut c_char;
    fn mmap(at: *mut c_void, size: usize, access: c_int, how: c_int, fd: c_int, from: c_long)
    -> *mut c_void;
    fn pread(fd: c_int, to: *mut c_void, size: usize, from: c_long) -> isize;
    fn close(fd: c_int) -> c_int;
    fn pthread_atfork(
        before: extern "C" fn(),
        parent: extern "C" fn(),
        child: extern "C" fn(),
    ) -> c_int;
}

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

/// Memory of its own, zeroed; null if there is none.
pub fn memory(size: usize) -> *mut u8 {
    map(size, -1)
}

fn map(size: usize, descriptor: c_int) -> *mut u8 {
    const READ_WRITE: c_int = 3;
    let how = if descriptor < 0 { 0x22 } else { 1 };
    let at = unsafe { mmap(null_mut(), size, READ_WRITE, how, descriptor, 0) };
    if at as isize == -1 { null_mut() } else { at.cast() }
}

/// Takes `TRACER_CHANNEL=<number>` out of the environment.
fn take_variable() -> Option<c_int> {
    const NAME: &[u8] = b"TRACER_CHANNEL=";
    unsafe {
        let mut entry = environ;
        if entry.is_null() {
            return None;
        }
        while !(*entry).is_null() {
            let text = (*entry).cast::<u8>();
            if (0..NAME.len()).all(|i| *text.add(i) == NAME[i]) {
                let mut number = 0;
                let mut at = text.add(NAME.len());
                while (*at).is_ascii_digit() {
                    number = number * 10 + c_int::from(*at - b'0');
                    at = at.add(1);
                }
                while !(*entry).is_null() {
                    *entry = *entry.add(1);
                    entry = entry.add(1);
                }
                return Some(number);
            }
            entry = entry.add(1);
        }
    }
    None
}

/// A counter of the header that all processes share.
pub fn counter(offset: usize) -> &'static AtomicU32 {
    unsafe { AtomicU32::from_ptr(channel().base.add(offset).cast()) }
}

/// Runs before any code of the program, so that the program never sees the variable.
extern "C" fn begin() {
    let channel = channel();
    if channel.state != 0 {
        return;
    }
    channel.state = 2;
    let Some(descriptor) = take_variable() else { return };
    let mut header = [0u8; 72];
    let read = unsafe { pread(descriptor, header.as_mut_ptr().cast(), 72, 0) };
    if read != 72 || !header.starts_with(b"TRCS") {
        return;
    }
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let half = |at: usize| u32::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let (slots, segments, first, size) = (word(28), word(36), word(40), word(44));
    channel.base = map(first as usize + segments as usize * size as usize, descriptor);
    unsafe { close(descriptor) };
    if channel.base.is_null() {
        return;
    }
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
    unsafe {
        pthread_atfork(
            crate::tasks::before_fork,
            crate::tasks::in_parent,
            crate::tasks::in_child,
        );
    }
    channel.state = 1;
}

#[used]
#[unsafe(link_section = ".init_array.00101")]
static BEGIN: extern "C" fn() = begin;

/// What was only counted says its last value at a normal end too.
extern "C" fn finish() {
    crate::writer::finish();
}

#[used]
#[unsafe(link_section = ".fini_array.00101")]
static FINISH: extern "C" fn() = finish;
