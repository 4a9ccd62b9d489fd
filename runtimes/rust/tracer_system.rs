//! What the emitter asks of the system: memory, the channel, when the program begins and ends.

use core::ffi::{c_char, c_int, c_long, c_void};
use core::ptr::null_mut;

use crate::channel::{begin, finish};
use crate::columns::Ranges;

unsafe extern "C" {
    static mut environ: *mut *mut c_char;
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

/// Maps the channel, and gives its header; null if there is none.
pub fn find(header: &mut [u8; 72]) -> *mut u8 {
    let Some(descriptor) = take_variable() else { return null_mut() };
    let read = unsafe { pread(descriptor, header.as_mut_ptr().cast(), 72, 0) };
    if read != 72 || !header.starts_with(b"TRCS") {
        return null_mut();
    }
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let base = map(word(40) as usize + word(36) as usize * word(44) as usize, descriptor);
    unsafe { close(descriptor) };
    base
}

pub fn watch_forks() {
    unsafe {
        pthread_atfork(
            crate::tasks::before_fork,
            crate::tasks::in_parent,
            crate::tasks::in_child,
        );
    }
}

/// A segment's header in a 64-bit ELF file.
#[repr(C)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    physical: u64,
    in_file: u64,
    in_memory: u64,
    alignment: u64,
}

#[repr(C)]
struct Image {
    base: usize,
    name: *const u8,
    segments: *const Segment,
    count: u16,
}

const LOADED: u32 = 1;
const READ_ONLY_LATER: u32 = 0x6474_e552;
const PAGE: usize = 4096;

unsafe extern "C" {
    fn mprotect(at: *mut c_void, size: usize, access: c_int) -> c_int;
    fn dl_iterate_phdr(
        visit: extern "C" fn(*const Image, usize, *mut Ranges) -> c_int,
        data: *mut Ranges,
    ) -> c_int;
}

extern "C" fn visit(image: *const Image, _: usize, ranges: *mut Ranges) -> c_int {
    let (image, ranges) = unsafe { (&*image, &mut *ranges) };
    ranges.start = usize::MAX;
    for i in 0..image.count as usize {
        let segment = unsafe { &*image.segments.add(i) };
        let at = image.base + segment.address as usize;
        let end = at + segment.in_memory as usize;
        if segment.kind == LOADED {
            ranges.start = ranges.start.min(at);
            ranges.end = ranges.end.max(end);
        } else if segment.kind == READ_ONLY_LATER {
            ranges.constants = at;
            ranges.constants_end = end;
        }
    }
    // The program itself comes first.
    1
}

/// Makes constants writable for a change.
pub fn change_constants(change: &mut dyn FnMut(&Ranges)) {
    let mut ranges = Ranges::default();
    unsafe { dl_iterate_phdr(visit, &mut ranges) };
    let page = ranges.constants & !(PAGE - 1);
    let size = (ranges.constants_end & !(PAGE - 1)).saturating_sub(page);
    if size == 0 || unsafe { mprotect(page as *mut c_void, size, 3) } != 0 {
        return;
    }
    ranges.constants_end = page + size;
    change(&ranges);
    unsafe { mprotect(page as *mut c_void, size, 1) };
}

#[used]
#[unsafe(link_section = ".init_array.00101")]
static BEGIN: extern "C" fn() = begin;

#[used]
#[unsafe(link_section = ".fini_array.00101")]
static FINISH: extern "C" fn() = finish;
