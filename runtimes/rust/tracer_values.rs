//! Values: how data becomes bytes of the record being written. Containers are in `tracer_std.rs`.
//!
//! Nothing here runs the program's code: no `Debug`, no `Display`, no `Deref` of a type of its own.

use core::ptr::{copy, copy_nonoverlapping, null, null_mut};
use core::sync::atomic::{AtomicU64, Ordering};

use crate::channel::channel;
use crate::writer::{
    COUNT, INTERN, KEEP, NAMES, SMALL, VAR, barrier, claim_segment, close_record, open_record,
    put_varint, room, writer, zigzag,
};

pub const NULL: u8 = 0;
pub const FALSE: u8 = 1;
pub const TRUE: u8 = 2;
pub const INT: u8 = 3;
pub const BIG: u8 = 4;
pub const FLOAT: u8 = 5;
pub const STRING: u8 = 6;
pub const FLOAT32: u8 = 0x0b;
pub const UINT: u8 = 0x0c;
pub const CHARACTER: u8 = 0x0d;
pub const TYPED: u8 = 0x10;
pub const SEQUENCE: u8 = 0x11;
pub const MAP: u8 = 0x12;
pub const SET: u8 = 0x13;
const RECORD: u8 = 0x14;
const OPAQUE: u8 = 0x16;
const ENUM: u8 = 0x17;
pub const POINTER: u8 = 0x18;

/// What a probe can do with a value. Every type has it; those of which more is known specialise it.
pub trait Put {
    /// Writes it into the record being written.
    fn put(&self);
    /// Reports it as the new value of a variable.
    fn var(&self, site: u32);
    /// Keeps it as a function's result.
    fn keep(&self, frame: &crate::Frame);
    /// Whether it says that something failed: the error of a `Result`.
    fn failed(&self, site: u32);
}

impl<T: ?Sized> Put for T {
    default fn put(&self) {
        opaque(core::any::type_name::<T>());
    }

    default fn var(&self, site: u32) {
        if open_record(site, VAR) {
            put_byte(1);
            self.put();
            close_record();
        }
    }

    default fn keep(&self, frame: &crate::Frame) {
        if frame.open_result() {
            self.put();
            frame.close_result();
        }
    }

    default fn failed(&self, _: u32) {}
}

// Bytes

/// Room for n more bytes. A kept record moves to a new segment; a counted one is given up.
#[inline(never)]
fn need(n: usize) -> bool {
    let writer = writer();
    if writer.to.is_null() {
        return false;
    }
    if n <= writer.bound as usize - writer.to as usize {
        return true;
    }
    if writer.kept == KEEP {
        let old = writer.start;
        let length = writer.to as usize - old as usize;
        if length + n < channel().segment_size as usize / 2 && claim_segment() {
            writer.start = writer.at;
            unsafe {
                copy_nonoverlapping(old, writer.start, length);
                writer.to = writer.start.add(length);
            }
            writer.bound = writer.segment_end;
            return true;
        }
    }
    writer.to = null_mut();
    false
}

#[inline(never)]
pub fn put_byte(byte: u8) {
    if need(1) {
        let writer = writer();
        unsafe {
            *writer.to = byte;
            writer.to = writer.to.add(1);
        }
    }
}

#[inline(never)]
pub fn put_number(n: u64) {
    if need(10) {
        let writer = writer();
        writer.to = unsafe { put_varint(writer.to, n) };
    }
}

#[inline(never)]
pub fn put_bytes(bytes: &[u8]) {
    if need(bytes.len()) {
        let writer = writer();
        unsafe {
            copy_nonoverlapping(bytes.as_ptr(), writer.to, bytes.len());
            writer.to = writer.to.add(bytes.len());
        }
    }
}

// Interned names: a table of the process, keyed by address, since all are constants.

static KNOWN: [AtomicU64; NAMES] = [const { AtomicU64::new(0) }; NAMES];

/// The basic types' names have fixed places before the table's rest.
pub const BASIC: [&str; 12] = [
    "i8", "i16", "i64", "isize", "u8", "u16", "u32", "u64", "String", "i128", "u128", "()",
];
pub const N_NONE: usize = usize::MAX;

fn name_number(name: &'static str) -> usize {
    let key = name.as_ptr() as usize as u64 ^ ((name.len() as u64) << 48);
    let span = NAMES - BASIC.len();
    let start = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize;
    for tries in 0..span {
        let at = (start + tries) % span + BASIC.len();
        match KNOWN[at].compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return at,
            Err(found) if found == key => return at,
            Err(_) => {}
        }
    }
    NAMES
}

/// The path before the last name of each part of a type's name says little to a reader.
fn shorten(name: &str, to: &mut [u8; 120]) -> usize {
    let (mut length, mut word) = (0, 0);
    let mut colon = false;
    for &byte in name.as_bytes() {
        if byte == b':' {
            if colon {
                length = word;
            }
            colon = !colon;
            continue;
        }
        colon = false;
        if length == to.len() {
            break;
        }
        to[length] = byte;
        length += 1;
        if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80) {
            word = length;
        }
    }
    while core::str::from_utf8(&to[..length]).is_err() {
        length -= 1;
    }
    length
}

/// Tells the stream a name, unless it knows it. 0 if there are too many names.
#[inline(never)]
pub fn intern_at(at: usize, name: &str) -> u64 {
    if at >= NAMES {
        return 0;
    }
    let writer = writer();
    let number = at as u64 + 1;
    if writer.interned[at / 64] >> (at % 64) & 1 != 0 {
        return number;
    }
    let mut short = [0u8; 120];
    let length = shorten(name, &mut short);
    let text = &short[..length];
    let mut head = [0u8; 20];
    let head_length = unsafe {
        let end = put_varint(put_varint(head.as_mut_ptr(), number), text.len() as u64);
        end as usize - head.as_ptr() as usize
    };
    let head = &head[..head_length];
    let size = 1 + head.len() + text.len();
    unsafe {
        if writer.kept == KEEP {
            // It stands before the record that uses it.
            if !need(size) {
                return 0;
            }
            let written = writer.to as usize - writer.start as usize;
            copy(writer.start, writer.start.add(size), written);
            copy_nonoverlapping(head.as_ptr(), writer.start.add(1), head.len());
            copy_nonoverlapping(text.as_ptr(), writer.start.add(1 + head.len()), text.len());
            *writer.start.add(size) = 0;
            barrier();
            *writer.start = INTERN;
            writer.start = writer.start.add(size);
            writer.to = writer.to.add(size);
            writer.at = writer.start;
        } else {
            if !room(size + SMALL) {
                return 0;
            }
            copy_nonoverlapping(head.as_ptr(), writer.at.add(1), head.len());
            copy_nonoverlapping(text.as_ptr(), writer.at.add(1 + head.len()), text.len());
            barrier();
            *writer.at = INTERN;
            writer.at = writer.at.add(size);
        }
    }
    writer.interned[at / 64] |= 1 << (at % 64);
    number
}

pub fn intern(name: &'static str) -> u64 {
    intern_at(name_number(name), name)
}

pub fn put_typed(at: usize) {
    let number = intern_at(at, BASIC[at]);
    put_byte(TYPED);
    put_number(number);
}

/// A value of which only its type is known.
pub fn opaque(type_name: &'static str) {
    let number = intern(type_name);
    put_byte(OPAQUE);
    put_number(number);
    put_byte(0);
    put_byte(0);
}

/// A value that has nothing but a name: a variant without fields.
pub fn unit(type_name: &'static str, name: &'static str) {
    let (of, member) = (intern(type_name), intern(name));
    put_byte(ENUM);
    put_number(of);
    put_number(member);
    put_byte(NULL);
}

/// Whether parts of a value are still shown at this depth.
pub fn shows_parts() -> bool {
    writer().level < channel().depth
}

/// Begins a record of so many fields. Each is given by [`field`]; then the level is left.
fn begin_record(type_name: &'static str, count: usize) -> usize {
    let number = intern(type_name);
    let limit = if shows_parts() { channel().elements as usize } else { 0 };
    let shown = count.min(limit);
    put_byte(RECORD);
    put_number(number);
    put_byte(0);
    put_number(count as u64);
    put_cut(shown < count, 0);
    put_number(shown as u64);
    shown
}

pub fn put_cut(cut: bool, more: u8) {
    put_byte(u8::from(cut) | more);
    if cut {
        put_bytes(&[0; 8]);
    }
}

/// A struct, or a variant with fields: names and values.
pub fn record(type_name: &'static str, fields: &[(&'static str, &dyn Shown)]) {
    let shown = begin_record(type_name, fields.len());
    let writer = writer();
    writer.level += 1;
    let began = writer.to as usize;
    for (name, value) in &fields[..shown] {
        let number = intern(name);
        put_number(number);
        if too_long(began) {
            opaque("…");
        } else {
            value.show();
        }
    }
    writer.level -= 1;
}

/// Values that a record was begun for, whatever their types.
pub trait Shown {
    fn show(&self);
}

pub struct Field<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Shown for Field<'_, T> {
    fn show(&self) {
        self.0.put();
    }
}

/// A field for [`record`].
pub fn field<T: ?Sized>(value: &T) -> Field<'_, T> {
    Field(value)
}

/// Whether a value has taken as many bytes as one may.
pub fn too_long(began: usize) -> bool {
    let writer = writer();
    let to = writer.to as usize;
    writer.to.is_null() || (to > began && to - began > channel().value_bytes as usize)
}

/// Text, up to the limits.
pub fn put_text(text: &str) {
    let (characters, bytes) = (channel().characters as usize, channel().value_bytes as usize);
    let mut shown = text.len();
    if shown > characters {
        let end = text.char_indices().nth(characters);
        shown = end.map_or(text.len(), |(at, _)| at);
    }
    if shown > bytes {
        shown = bytes;
        while !text.is_char_boundary(shown) {
            shown -= 1;
        }
    }
    let cut = shown < text.len();
    let total = if text.len() <= characters { count(text) } else { text.chars().count() };
    put_byte(STRING);
    put_number(total as u64);
    put_number((shown as u64) << 1 | u64::from(cut));
    put_bytes(&text.as_bytes()[..shown]);
    if cut {
        let mut digest = 0xcbf2_9ce4_8422_2325u64;
        if text.len() <= 1 << 16 {
            for &byte in text.as_bytes() {
                digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        } else {
            digest = 0;
        }
        put_bytes(&digest.to_le_bytes());
    }
}

fn count(text: &str) -> usize {
    text.as_bytes().iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// A whole number that needs more than 64 bits.
pub fn put_wide(negative: bool, mut n: u128) {
    let mut text = [0u8; 40];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    if negative {
        at -= 1;
        text[at] = b'-';
    }
    put_byte(BIG);
    put_number((text.len() - at) as u64);
    put_bytes(&text[at..]);
}

pub fn put_int(n: i64) {
    put_byte(INT);
    put_number(zigzag(n));
}

pub fn put_uint(n: u64) {
    put_byte(UINT);
    put_number(n);
}

/// Whether values are only counted now, so that little is to be spent on them.
pub fn is_only_counted() -> bool {
    writer().kept == COUNT
}

/// An address that names an object while it lives.
pub fn identity<T: ?Sized>(at: *const T) -> u64 {
    let at = at.cast::<u8>();
    if at == null() { 0 } else { at as usize as u64 }
}
