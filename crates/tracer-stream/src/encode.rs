//! Writes regions the way an emitter does, for tests of whatever reads them.
//!
//! No emitter uses it: each language has its own. It enforces no budget.

use crate::Layout;
use crate::layout::{CLAIMED_OFFSET, SEGMENT_HEADER_SIZE, SEGMENT_MAGIC, SEGMENT_SIZE, SLOT_SIZE};
use crate::record::Record;
use crate::value::{RawItems, RawText, RawValue};

/// A region being written.
#[derive(Debug, Clone)]
pub struct Encoder {
    layout: Layout,
    region: Vec<u8>,
    claimed: u32,
    open: Vec<Open>,
}

/// A stream's place in its current segment.
#[derive(Debug, Clone, Copy)]
struct Open {
    number: u32,
    at: usize,
    end: usize,
}

impl Encoder {
    /// A region without streams.
    pub fn new(layout: &Layout) -> Self {
        let mut region = vec![0; layout.first_segment() as usize];
        region[..72].copy_from_slice(&layout.header());
        Self {
            layout: layout.clone(),
            region,
            claimed: 0,
            open: Vec::new(),
        }
    }

    /// Begins a stream: number, parent, origin (see `FORMAT.md`), site the parent stood at, and
    /// which child it is.
    pub fn begin(&mut self, number: u32, parent: Option<u32>, origin: u32, site: u32, child: u32) {
        let at = self.claim(number);
        let start = at - SEGMENT_HEADER_SIZE;
        let parent = parent.map_or(0, |parent| parent + 1);
        for (offset, field) in [(8, parent), (12, origin), (24, site), (28, child)] {
            self.put(start + offset, &field.to_le_bytes());
        }
        self.open.push(Open {
            number,
            at,
            end: start + SEGMENT_SIZE as usize,
        });
    }

    /// Appends a record to a stream that was begun. Records beyond the last segment are lost, as
    /// an emitter would lose them.
    ///
    /// # Panics
    /// If the stream was not begun.
    pub fn record(&mut self, stream: u32, record: &Record<'_>) {
        let mut bytes = Vec::new();
        put_record(&mut bytes, record);
        let index = self.open.iter().position(|open| open.number == stream);
        let index = index.expect("the stream was begun");
        if self.open[index].at + bytes.len() > self.open[index].end {
            if self.claimed >= self.layout.segments {
                return;
            }
            let at = self.claim(stream);
            let end = at - SEGMENT_HEADER_SIZE + SEGMENT_SIZE as usize;
            self.open[index] = Open {
                number: stream,
                at,
                end,
            };
        }
        let at = self.open[index].at;
        if at + bytes.len() <= self.open[index].end {
            self.put(at, &bytes);
            self.open[index].at += bytes.len();
        }
    }

    /// Fills a slot. The record is left out if it does not fit, as the format asks.
    pub fn slot(&mut self, site: u32, count: u64, sequence: u64, last: Option<&Record<'_>>) {
        let start = (crate::layout::HEADER_SIZE + site * SLOT_SIZE) as usize;
        self.put(start, &count.to_le_bytes());
        self.put(start + 8, &sequence.to_le_bytes());
        let mut bytes = Vec::new();
        if let Some(record) = last {
            put_record(&mut bytes, record);
        }
        if bytes.len() <= 47 {
            self.put(start + 16, &[bytes.len() as u8]);
            self.put(start + 17, &bytes);
        }
    }

    /// The region so far.
    pub fn finish(self) -> Vec<u8> {
        self.region
    }

    fn claim(&mut self, stream: u32) -> usize {
        let start = self.region.len();
        self.region.resize(start + SEGMENT_SIZE as usize, 0);
        self.claimed += 1;
        self.put(CLAIMED_OFFSET, &self.claimed.to_le_bytes());
        self.put(start, &SEGMENT_MAGIC);
        self.put(start + 4, &stream.to_le_bytes());
        let nonce = self.layout.nonce;
        self.put(start + 16, &nonce[..8]);
        start + SEGMENT_HEADER_SIZE
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.region[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn blob(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends one record's bytes.
pub fn put_record(out: &mut Vec<u8>, record: &Record<'_>) {
    let head = |out: &mut Vec<u8>, op: u8, site: u32| {
        out.push(op);
        varint(out, u64::from(site));
    };
    match record {
        Record::Step { site } => head(out, 0x01, *site),
        Record::Var { site, values } => {
            head(out, 0x02, *site);
            list(out, values);
        }
        Record::In { site, args } => {
            head(out, 0x03, *site);
            list(out, args);
        }
        Record::Out {
            site,
            value,
            unwinding,
            suspended,
        } => {
            head(out, 0x04, *site);
            out.push(
                u8::from(value.is_some()) | u8::from(*unwinding) << 1 | u8::from(*suspended) << 2,
            );
            optional(out, value.as_ref());
        }
        Record::Branch {
            site,
            arm,
            operands,
        } => {
            head(out, 0x05, *site);
            varint(out, u64::from(*arm));
            list(out, operands);
        }
        Record::Loop {
            site,
            phase,
            targets,
        } => {
            head(out, 0x06, *site);
            out.push(*phase);
            list(out, targets);
        }
        Record::Err {
            site,
            phase,
            type_name,
            message,
            line,
            frames,
        } => {
            head(out, 0x07, *site);
            out.push(*phase);
            put_value(out, &RawValue::String(*type_name));
            put_value(out, message);
            varint(out, u64::from(*line));
            varint(out, frames.len() as u64);
            for frame in frames {
                varint(out, u64::from(frame.function));
                varint(out, u64::from(frame.line));
            }
        }
        Record::Transform {
            site,
            before,
            after,
        } => {
            head(out, 0x08, *site);
            put_value(out, before);
            put_value(out, after);
        }
        Record::Call {
            site,
            callee,
            package,
            version,
            args,
            result,
        } => {
            head(out, 0x09, *site);
            out.push(u8::from(result.is_some()));
            for id in [callee, package, version] {
                varint(out, u64::from(*id));
            }
            list(out, args);
            optional(out, result.as_ref());
        }
        Record::Stdout {
            stream,
            length,
            text,
        } => {
            out.extend([0x0A, *stream]);
            varint(out, *length);
            blob(out, text);
        }
        Record::Task {
            phase,
            what,
            task,
            site,
        } => {
            out.extend([0x0B, *phase]);
            varint(out, u64::from(*what));
            varint(out, *task);
            varint(out, u64::from(*site));
        }
        Record::Elide { site, count, last } => {
            head(out, 0x0C, *site);
            varint(out, *count);
            blob(out, last);
        }
        Record::Depth { depth } => {
            out.push(0x0D);
            varint(out, *depth);
        }
        Record::Intern { id, name } => {
            head(out, 0x0E, *id);
            blob(out, name);
        }
        Record::Limit { which } => out.extend([0x0F, *which]),
        Record::Resume {
            site,
            value,
            thrown,
        } => {
            head(out, 0x10, *site);
            out.push(u8::from(value.is_some()) | u8::from(*thrown) << 1);
            optional(out, value.as_ref());
        }
        Record::Returned { site, value } => {
            head(out, 0x11, *site);
            out.push(u8::from(value.is_some()));
            optional(out, value.as_ref());
        }
    }
}

fn list(out: &mut Vec<u8>, values: &[RawValue<'_>]) {
    varint(out, values.len() as u64);
    for value in values {
        put_value(out, value);
    }
}

fn optional(out: &mut Vec<u8>, value: Option<&RawValue<'_>>) {
    if let Some(value) = value {
        put_value(out, value);
    }
}

/// Appends one value's bytes.
pub fn put_value(out: &mut Vec<u8>, value: &RawValue<'_>) {
    match value {
        RawValue::Null => out.push(0x00),
        RawValue::Bool(value) => out.push(0x01 + u8::from(*value)),
        RawValue::Int(value) => {
            out.push(0x03);
            varint(out, ((value << 1) ^ (value >> 63)) as u64);
        }
        RawValue::BigInt(text) => {
            out.push(0x04);
            blob(out, text);
        }
        RawValue::Float(value) => {
            out.push(0x05);
            out.extend(value.to_le_bytes());
        }
        RawValue::String(text) => put_text(out, 0x06, text),
        RawValue::Bytes(text) => put_text(out, 0x07, text),
        RawValue::Function { name } => {
            out.push(0x08);
            varint(out, u64::from(*name));
        }
        RawValue::Unbound => out.push(0x09),
        RawValue::Undefined => out.push(0x0A),
        RawValue::Float32(value) => {
            out.push(0x0B);
            out.extend(value.to_le_bytes());
        }
        RawValue::Uint(value) => {
            out.push(0x0C);
            varint(out, *value);
        }
        RawValue::Character(value) => {
            out.push(0x0D);
            varint(out, u64::from(*value));
        }
        RawValue::Typed { type_id, value } => {
            out.push(0x10);
            varint(out, u64::from(*type_id));
            put_value(out, value);
        }
        RawValue::Sequence(items) => put_items(out, 0x11, items, put_value),
        RawValue::Map(items) => put_items(out, 0x12, items, |out, (key, value)| {
            put_value(out, key);
            put_value(out, value);
        }),
        RawValue::Set(items) => put_items(out, 0x13, items, put_value),
        RawValue::Record(items) => put_items(out, 0x14, items, |out, (name, value)| {
            varint(out, u64::from(*name));
            put_value(out, value);
        }),
        RawValue::Reference { heap } => {
            out.push(0x15);
            varint(out, *heap);
        }
        RawValue::Opaque {
            type_id,
            heap,
            text,
        } => {
            out.push(0x16);
            varint(out, u64::from(*type_id));
            varint(out, *heap);
            blob(out, text);
        }
        RawValue::Enum {
            type_id,
            name,
            value,
        } => {
            out.push(0x17);
            varint(out, u64::from(*type_id));
            varint(out, u64::from(*name));
            put_value(out, value);
        }
        RawValue::Pointer {
            type_id,
            heap,
            target,
        } => {
            out.push(0x18);
            varint(out, u64::from(*type_id));
            varint(out, *heap);
            out.push(u8::from(target.is_some()));
            optional(out, target.as_deref());
        }
    }
}

fn put_text(out: &mut Vec<u8>, kind: u8, text: &RawText<'_>) {
    out.push(kind);
    varint(out, text.total);
    varint(
        out,
        text.shown.len() as u64 * 2 + u64::from(text.digest.is_some()),
    );
    out.extend_from_slice(text.shown);
    if let Some(digest) = text.digest {
        out.extend(digest.to_le_bytes());
    }
}

fn put_items<T>(
    out: &mut Vec<u8>,
    kind: u8,
    items: &RawItems<T>,
    mut put: impl FnMut(&mut Vec<u8>, &T),
) {
    out.push(kind);
    varint(out, u64::from(items.type_id));
    varint(out, items.heap);
    varint(out, items.length);
    out.push(u8::from(items.digest.is_some()) | u8::from(items.unordered) << 1);
    if let Some(digest) = items.digest {
        out.extend(digest.to_le_bytes());
    }
    varint(out, items.items.len() as u64);
    for item in &items.items {
        put(out, item);
    }
}
