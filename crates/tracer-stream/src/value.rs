//! Values as the stream holds them: names by number, identities by address.
//!
//! Borrowed from the region where possible. Resolving names and identities is the normaliser's.

use crate::Malformed;
use crate::cursor::Cursor;

/// Deepest nesting read. Budgets ask for at most 255 levels; real ones for less than ten.
const MAX_DEPTH: u32 = 260;

/// Text or bytes, perhaps cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawText<'a> {
    /// Characters (or bytes) of the whole.
    pub total: u64,
    /// What is shown.
    pub shown: &'a [u8],
    /// Digest of the whole if it was cut; 0 where that was too dear.
    pub digest: Option<u64>,
}

/// A container of single values.
#[derive(Debug, Clone, PartialEq)]
pub struct RawItems<T> {
    /// Name id of the type.
    pub type_id: u32,
    /// Identity while it lives; 0 for none.
    pub heap: u64,
    /// Elements of the whole.
    pub length: u64,
    /// Digest of the whole if fewer are shown.
    pub digest: Option<u64>,
    /// Whether the order means nothing.
    pub unordered: bool,
    /// What is shown.
    pub items: Vec<T>,
}

/// A container of pairs.
pub type RawEntries<'a, K> = RawItems<(K, RawValue<'a>)>;

impl<T> RawItems<T> {
    /// A container that shows all it has.
    pub fn whole(type_id: u32, heap: u64, items: Vec<T>) -> Self {
        Self {
            type_id,
            heap,
            length: items.len() as u64,
            digest: None,
            unordered: false,
            items,
        }
    }
}

/// A captured value.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "FORMAT.md, section Values, describes each")]
pub enum RawValue<'a> {
    Null,
    Bool(bool),
    Int(i64),
    BigInt(&'a [u8]),
    Float(f64),
    String(RawText<'a>),
    Bytes(RawText<'a>),
    Function {
        name: u32,
    },
    Unbound,
    Undefined,
    Float32(f32),
    Uint(u64),
    Character(u32),
    Typed {
        type_id: u32,
        value: Box<RawValue<'a>>,
    },
    Sequence(RawItems<RawValue<'a>>),
    Map(RawEntries<'a, RawValue<'a>>),
    Set(RawItems<RawValue<'a>>),
    Record(RawEntries<'a, u32>),
    Reference {
        heap: u64,
    },
    Opaque {
        type_id: u32,
        heap: u64,
        text: &'a [u8],
    },
    Enum {
        type_id: u32,
        name: u32,
        value: Box<RawValue<'a>>,
    },
    Pointer {
        type_id: u32,
        heap: u64,
        target: Option<Box<RawValue<'a>>>,
    },
}

pub(crate) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<RawValue<'a>, Malformed> {
    read_at(cursor, 0)
}

/// A count of values and the values.
pub(crate) fn read_list<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<RawValue<'a>>, Malformed> {
    let count = cursor.count(1)?;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(read(cursor)?);
    }
    Ok(values)
}

fn read_at<'a>(cursor: &mut Cursor<'a>, depth: u32) -> Result<RawValue<'a>, Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed::Depth);
    }
    Ok(match cursor.byte()? {
        0x00 => RawValue::Null,
        0x01 => RawValue::Bool(false),
        0x02 => RawValue::Bool(true),
        0x03 => RawValue::Int(cursor.zigzag()?),
        0x04 => RawValue::BigInt(cursor.blob()?),
        0x05 => RawValue::Float(f64::from_le_bytes(cursor.array()?)),
        0x06 => RawValue::String(text(cursor)?),
        0x07 => RawValue::Bytes(text(cursor)?),
        0x08 => RawValue::Function {
            name: cursor.small()?,
        },
        0x09 => RawValue::Unbound,
        0x0A => RawValue::Undefined,
        0x0B => RawValue::Float32(f32::from_le_bytes(cursor.array()?)),
        0x0C => RawValue::Uint(cursor.varint()?),
        0x0D => RawValue::Character(cursor.small()?),
        0x10 => RawValue::Typed {
            type_id: cursor.small()?,
            value: boxed(cursor, depth)?,
        },
        0x11 => RawValue::Sequence(items(cursor, 1, |cursor| read_at(cursor, depth + 1))?),
        0x12 => RawValue::Map(items(cursor, 2, |cursor| {
            Ok((read_at(cursor, depth + 1)?, read_at(cursor, depth + 1)?))
        })?),
        0x13 => RawValue::Set(items(cursor, 1, |cursor| read_at(cursor, depth + 1))?),
        0x14 => RawValue::Record(items(cursor, 2, |cursor| {
            Ok((cursor.small()?, read_at(cursor, depth + 1)?))
        })?),
        0x15 => RawValue::Reference {
            heap: cursor.varint()?,
        },
        0x16 => RawValue::Opaque {
            type_id: cursor.small()?,
            heap: cursor.varint()?,
            text: cursor.blob()?,
        },
        0x17 => RawValue::Enum {
            type_id: cursor.small()?,
            name: cursor.small()?,
            value: boxed(cursor, depth)?,
        },
        0x18 => {
            let (type_id, heap) = (cursor.small()?, cursor.varint()?);
            let target = match cursor.byte()? & 1 {
                0 => None,
                _ => Some(boxed(cursor, depth)?),
            };
            RawValue::Pointer {
                type_id,
                heap,
                target,
            }
        }
        kind => return Err(Malformed::Kind(kind)),
    })
}

fn boxed<'a>(cursor: &mut Cursor<'a>, depth: u32) -> Result<Box<RawValue<'a>>, Malformed> {
    read_at(cursor, depth + 1).map(Box::new)
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Result<RawText<'a>, Malformed> {
    let total = cursor.varint()?;
    let size = cursor.varint()?;
    let shown = cursor.take(size >> 1)?;
    let digest = match size & 1 {
        0 => None,
        _ => Some(u64::from_le_bytes(cursor.array()?)),
    };
    Ok(RawText {
        total,
        shown,
        digest,
    })
}

fn items<'a, T>(
    cursor: &mut Cursor<'a>,
    least: usize,
    mut item: impl FnMut(&mut Cursor<'a>) -> Result<T, Malformed>,
) -> Result<RawItems<T>, Malformed> {
    let (type_id, heap, length) = (cursor.small()?, cursor.varint()?, cursor.varint()?);
    let flags = cursor.byte()?;
    let digest = match flags & 1 {
        0 => None,
        _ => Some(u64::from_le_bytes(cursor.array()?)),
    };
    let count = cursor.count(least)?;
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(item(cursor)?);
    }
    Ok(RawItems {
        type_id,
        heap,
        length,
        digest,
        unordered: flags & 2 != 0,
        items,
    })
}
