//! Columns of the original in what a panic says of its place.
//!
//! A panic's place is a constant in the program: file, line and column. Probes shift columns, so
//! those of instrumented files are put right when `main` begins. Nothing else is looked at.

use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::system::change_constants;

/// As `core::panic::Location` lies in memory. Its layout is checked against a real one.
#[repr(C)]
struct Place {
    file: *const u8,
    length: usize,
    line: u32,
    column: u32,
}

/// The program's own memory, and the part of it that its relocated constants lie in.
#[derive(Default)]
pub struct Ranges {
    pub start: usize,
    pub end: usize,
    pub constants: usize,
    pub constants_end: usize,
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
    change_constants(&mut |ranges| {
        let mut at = ranges.constants.next_multiple_of(align_of::<Place>());
        while at + size_of::<Place>() <= ranges.constants_end {
            let place = unsafe { &mut *(at as *mut Place) };
            if let Some(column) = find(columns, place, ranges) {
                place.column = column;
                at += size_of::<Place>();
            } else {
                at += align_of::<Place>();
            }
        }
    });
}
