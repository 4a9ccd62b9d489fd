//! Values of the engine as the stream writes them, within the bounds.
//!
//! Copies what it is given; it never asks the engine for anything.

use crate::channel::{Channel, varint};
use crate::engine::Datum;

/// Bytes of one value that a digest is made of; of longer ones there is none.
const DIGESTED: usize = 64 << 10;

/// FNV-1a 64, or 0 where something was too long for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u64, bool);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325, false)
    }
}

impl Digest {
    /// Takes bytes in.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.1 |= bytes.len() > DIGESTED;
        if self.1 {
            return;
        }
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The number so far.
    pub(crate) fn get(self) -> u64 {
        if self.1 { 0 } else { self.0 }
    }
}

/// Appends a value; texts are cut to so many characters.
pub(crate) fn datum(out: &mut Vec<u8>, value: Datum<'_>, characters: usize) {
    match value {
        Datum::Null => out.push(0x00),
        Datum::Integer(number) => {
            out.push(0x03);
            varint(out, ((number << 1) ^ (number >> 63)) as u64);
        }
        Datum::Real(number) => {
            out.push(0x05);
            out.extend(number.to_le_bytes());
        }
        Datum::Text(text) => string(out, &String::from_utf8_lossy(text), characters),
        Datum::Blob(bytes) => {
            out.push(0x07);
            piece(out, bytes, bytes.len() as u64, bytes.len().min(characters));
        }
    }
}

/// Appends a text.
pub(crate) fn string(out: &mut Vec<u8>, text: &str, characters: usize) {
    out.push(0x06);
    let total = text.chars().count() as u64;
    let shown = text
        .char_indices()
        .nth(characters)
        .map_or(text.len(), |(at, _)| at);
    piece(out, text.as_bytes(), total, shown);
}

fn piece(out: &mut Vec<u8>, bytes: &[u8], total: u64, shown: usize) {
    let cut = shown < bytes.len();
    varint(out, total);
    varint(out, shown as u64 * 2 + u64::from(cut));
    out.extend(&bytes[..shown]);
    if cut {
        let mut digest = Digest::default();
        digest.add(bytes);
        out.extend(digest.get().to_le_bytes());
    }
}

/// Appends the head of a container: what follows are `shown` elements. `digest` where it is cut.
pub(crate) fn container(
    out: &mut Vec<u8>,
    kind: u8,
    type_id: u64,
    length: u64,
    digest: Option<u64>,
    shown: u64,
) {
    out.push(kind);
    varint(out, type_id);
    out.push(0);
    varint(out, length);
    out.push(u8::from(digest.is_some()));
    if let Some(digest) = digest {
        out.extend(digest.to_le_bytes());
    }
    varint(out, shown);
}

/// A sequence.
pub(crate) const SEQUENCE: u8 = 0x11;
/// Keys and values.
pub(crate) const MAP: u8 = 0x12;
/// Names and values.
pub(crate) const RECORD: u8 = 0x14;

/// A row as a record of its columns.
pub(crate) fn row(
    channel: &mut Channel,
    type_name: &str,
    names: &[String],
    values: &[Datum<'_>],
) -> Vec<u8> {
    let bounds = channel.bounds;
    let type_id = channel.intern(type_name);
    let shown = values.len().min(bounds.elements);
    let cut = shown < values.len();
    let mut digest = Digest::default();
    if cut {
        for value in values {
            digest_of(&mut digest, *value);
        }
    }
    let mut out = Vec::new();
    container(
        &mut out,
        RECORD,
        type_id,
        values.len() as u64,
        cut.then(|| digest.get()),
        shown as u64,
    );
    for (index, value) in values.iter().take(shown).enumerate() {
        let name = names.get(index).map_or("", String::as_str);
        varint(&mut out, channel.intern(name));
        datum(&mut out, *value, bounds.characters);
    }
    out
}

/// Takes a whole value in.
pub(crate) fn digest_of(digest: &mut Digest, value: Datum<'_>) {
    match value {
        Datum::Null => digest.add(&[0]),
        Datum::Integer(number) => digest.add(&number.to_le_bytes()),
        Datum::Real(number) => digest.add(&number.to_le_bytes()),
        Datum::Text(bytes) | Datum::Blob(bytes) => digest.add(bytes),
    }
    digest.add(&[0xff]);
}
