//! Columns of the original in what a panic says of its place.
//!
//! A panic's place is a constant in the program: file, line and column. Probes shift columns, so
//! those of instrumented files are put right when `main` begins. Nothing else is looked at.

use core::ffi::{c_int, c_void};
use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};

/// As `core::panic::Location` lies in memory. Its layout is checked against a real one.
#[repr(C)]
struct Place {
    file: *const u8,
    length: usize,
    line: u32,
    column: u32,
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

/// The program's own memory, and the part of it that its relocated constants lie in.
#[derive(Default)]
struct Ranges {
    start: usize,
    end: usize,
    constants: usize,
    constants_end: usize,
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

#[track_caller]
fn layout_is_known() -> bool {
    let here = Location::caller();
    let place = unsafe { &*core::ptr::from_ref(here).cast::<Place>() };
    size_of::<Location<'static>>() == size_of::<Place>()
        && place.file == here.file().as_ptr()
        && place.length == here.file().len()
        && place.line == here.line()
        && place.column == here.column()
}

/// Files, each with its lines that have probes: line, then for each probe the column in the
/// original that it stands in front of, and how far the line is shifted behind it.
pub type Columns = [(&'static str, &'static [(u32, &'static [(u32, u32)])])];

/// The column in the original.
fn original(probes: &[(u32, u32)], column: u32) -> u32 {
    let mut found = column;
    let mut shift = 0;
    for &(at, behind) in probes {
        if column < at + shift {
            break;
        }
        // Within what was inserted, it is the place in front of which that stands.
        found = if column < at + behind { at } else { column - behind };
        shift = behind;
    }
    found
}

fn find(columns: &Columns, place: &Place, ranges: &Ranges) -> Option<u32> {
    let at = place.file as usize;
    if at < ranges.start || at >= ranges.end || place.length > ranges.end - at {
        return None;
    }
    let (_, lines) = columns.iter().find(|(name, _)| {
        name.len() == place.length
            && unsafe { core::slice::from_raw_parts(place.file, place.length) } == name.as_bytes()
    })?;
    let line = lines.binary_search_by_key(&place.line, |(line, _)| *line).ok()?;
    Some(original(lines[line].1, place.column))
}

/// Puts the columns right.
pub fn restore(columns: &Columns) {
    static DONE: AtomicBool = AtomicBool::new(false);
    // A `main` may call itself.
    if DONE.swap(true, Ordering::Relaxed) || !layout_is_known() {
        return;
    }
    let mut ranges = Ranges::default();
    unsafe { dl_iterate_phdr(visit, &mut ranges) };
    let page = ranges.constants & !(PAGE - 1);
    let size = (ranges.constants_end & !(PAGE - 1)).saturating_sub(page);
    if size == 0 || unsafe { mprotect(page as *mut c_void, size, 3) } != 0 {
        return;
    }
    let mut at = ranges.constants.next_multiple_of(align_of::<Place>());
    while at + size_of::<Place>() <= page + size {
        let place = unsafe { &mut *(at as *mut Place) };
        if let Some(column) = find(columns, place, &ranges) {
            place.column = column;
            at += size_of::<Place>();
        } else {
            at += align_of::<Place>();
        }
    }
    unsafe { mprotect(page as *mut c_void, size, 1) };
}
