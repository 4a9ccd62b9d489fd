//! The trace channel: segments, slots, and the budget. See `FORMAT.md` of the stream.
//!
//! Each record is one `pwrite`, so that nothing recorded waits in this process. It knows records
//! as bytes only.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;

use crate::entry::FileExt;

/// Bytes of a segment before its first record.
const SEGMENT_HEADER: u64 = 32;
/// Bytes of a slot before its record.
const SLOT_HEADER: usize = 17;
/// Visits of a place that are recorded even while recording is muted.
const KEPT: u32 = 2;

/// Recording bounds from the header.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    /// Events.
    pub(crate) events: u64,
    /// Record bytes.
    pub(crate) bytes: u64,
    /// Detail level: 0 calls, 1 lines, 2 state, 3 full.
    pub(crate) detail: u8,
    /// Elements of a container.
    pub(crate) elements: usize,
    /// Characters of a text.
    pub(crate) characters: usize,
    /// Bytes of a value.
    pub(crate) value: usize,
}

/// Why recording is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Muted {
    No,
    /// Until the call at this depth is left.
    Call(u32),
    /// For good.
    Spent,
}

#[derive(Debug, Default)]
struct Counted {
    visits: u64,
    last: Vec<u8>,
}

/// A writer of records.
#[derive(Debug)]
pub(crate) struct Channel {
    file: File,
    /// Bounds on recording.
    pub(crate) bounds: Bounds,
    nonce: [u8; 8],
    slots: (u64, u64, u64),
    segments: (u32, u64, u64),
    claimed: u64,
    at: u64,
    end: u64,
    events: u64,
    depth: u32,
    muted: Muted,
    kept: HashMap<u32, u32>,
    counted: BTreeMap<u32, Counted>,
    entered: HashMap<u32, u32>,
    sequence: u64,
    names: HashMap<String, u64>,
}

impl Channel {
    /// Begins the main stream. `None` if the descriptor is no channel.
    pub(crate) fn new(file: File) -> Option<Self> {
        let mut header = [0; 72];
        file.read_exact_at(&mut header, 0).ok()?;
        if &header[..4] != b"TRCS" {
            return None;
        }
        let word = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let half = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let mut nonce = [0; 8];
        nonce.copy_from_slice(&header[8..16]);
        let mut channel = Self {
            bounds: Bounds {
                events: u64::from(word(48)),
                bytes: u64::from(word(52)),
                detail: header[57],
                elements: half(58),
                characters: half(60),
                value: half(62),
            },
            nonce,
            slots: (
                u64::from(word(24)),
                u64::from(word(28)),
                u64::from(word(32)),
            ),
            segments: (word(36), u64::from(word(40)), u64::from(word(44))),
            claimed: 0,
            at: 0,
            end: 0,
            events: 0,
            depth: 0,
            muted: Muted::No,
            kept: HashMap::new(),
            counted: BTreeMap::new(),
            entered: HashMap::new(),
            sequence: 0,
            names: HashMap::new(),
            file,
        };
        let streams = channel.word(68)?;
        channel.put(68, &(streams + 1).to_le_bytes());
        channel.claim(streams).then_some(channel)
    }

    fn word(&self, at: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        Some(u32::from_le_bytes(bytes))
    }

    /// A failed write costs what it held; the run itself must not notice.
    fn put(&self, at: u64, bytes: &[u8]) {
        let _ = self.file.write_all_at(bytes, at);
    }

    fn claim(&mut self, stream: u32) -> bool {
        let Some(number) = self.word(64).filter(|number| *number < self.segments.0) else {
            return false;
        };
        self.put(64, &(number + 1).to_le_bytes());
        let start = self.segments.1 + u64::from(number) * self.segments.2;
        let mut header = [0; SEGMENT_HEADER as usize];
        header[4..8].copy_from_slice(&stream.to_le_bytes());
        header[16..24].copy_from_slice(&self.nonce);
        self.put(start, &header);
        self.put(start, b"SEG1");
        self.at = start + SEGMENT_HEADER;
        self.end = start + self.segments.2;
        self.claimed += self.segments.2;
        true
    }

    /// Writes a record that is no event. False if there is no room.
    fn raw(&mut self, record: &[u8]) -> bool {
        let size = record.len() as u64;
        // The byte behind the last record stays zero.
        if self.at + size >= self.end
            && (size >= self.segments.2 - SEGMENT_HEADER || !self.claim(0))
        {
            return false;
        }
        self.put(self.at, record);
        self.at += size;
        true
    }

    /// Records an event of a site.
    pub(crate) fn event(&mut self, site: u32, record: &[u8]) {
        if self.muted != Muted::No {
            let kept = self.kept.entry(site).or_default();
            let room = self.claimed <= self.bounds.bytes + 8 * self.segments.2;
            if *kept >= KEPT || self.muted == Muted::Spent && !room {
                return self.count(site, record);
            }
            *kept += 1;
            self.depth_record();
            if !self.raw(record) {
                self.count(site, record);
            }
            return;
        }
        if !self.raw(record) {
            self.spend(2);
            return self.count(site, record);
        }
        self.events += 1;
        if self.events >= self.bounds.events {
            self.spend(0);
        } else if self.claimed > self.bounds.bytes.max(self.segments.2) {
            self.spend(1);
        }
    }

    fn spend(&mut self, which: u8) {
        if self.muted != Muted::Spent {
            self.muted = Muted::Spent;
            self.raw(&[0x0f, which]);
        }
    }

    /// Counts a visit in its slot, with what it said if that fits.
    fn count(&mut self, site: u32, record: &[u8]) {
        self.sequence += 1;
        let counted = self.counted.entry(site).or_default();
        counted.visits += 1;
        counted.last.clear();
        counted.last.extend_from_slice(record);
        let (first, number, size) = self.slots;
        if u64::from(site) >= number {
            return;
        }
        let fits = SLOT_HEADER + record.len() <= size as usize;
        let last = if fits { record } else { &[] };
        let mut slot = Vec::with_capacity(size as usize);
        slot.extend(counted.visits.to_le_bytes());
        slot.extend(if fits { self.sequence } else { 0 }.to_le_bytes());
        slot.push(last.len() as u8);
        slot.extend(last);
        self.put(first + u64::from(site) * size, &slot);
    }

    fn depth_record(&mut self) {
        let mut record = vec![0x0d];
        varint(&mut record, u64::from(self.depth));
        self.raw(&record);
    }

    /// A call begins: its `IN` was recorded.
    pub(crate) fn enter(&mut self, site: u32) {
        self.depth += 1;
        let visits = self.entered.entry(site).or_default();
        *visits += 1;
        if self.muted == Muted::No && *visits > KEPT && self.events > self.bounds.events / 4 * 3 {
            self.muted = Muted::Call(self.depth);
        }
    }

    /// A call is over: its `OUT` was recorded.
    pub(crate) fn leave(&mut self) {
        let depth = self.depth;
        self.depth = depth.saturating_sub(1);
        if self.muted != Muted::Call(depth) {
            return;
        }
        self.muted = Muted::No;
        for (site, counted) in std::mem::take(&mut self.counted) {
            let mut record = vec![0x0c];
            varint(&mut record, u64::from(site));
            varint(&mut record, counted.visits);
            varint(&mut record, counted.last.len() as u64);
            record.extend(&counted.last);
            let (first, number, size) = self.slots;
            if self.raw(&record) && u64::from(site) < number {
                self.put(first + u64::from(site) * size, &[0; SLOT_HEADER]);
            }
        }
        self.depth_record();
    }

    /// Tells of visits that are known by their number alone.
    pub(crate) fn left_out(&mut self, site: u32, visits: u64) {
        let mut record = vec![0x0c];
        varint(&mut record, u64::from(site));
        varint(&mut record, visits);
        record.push(0);
        if self.muted == Muted::No {
            self.raw(&record);
        }
    }

    /// Records output.
    pub(crate) fn output(&mut self, stream: u8, text: &[u8], shown: usize) {
        let shown = &text[..text.len().min(shown)];
        let mut record = vec![0x0a, stream];
        varint(&mut record, text.len() as u64);
        varint(&mut record, shown.len() as u64);
        record.extend(shown);
        if self.muted != Muted::Spent {
            self.raw(&record);
            self.events += 1;
        }
    }

    /// The number of a name, defined on first use.
    pub(crate) fn intern(&mut self, name: &str) -> u64 {
        if let Some(&number) = self.names.get(name) {
            return number;
        }
        let number = self.names.len() as u64 + 1;
        let mut cut = name.len().min(1024);
        while !name.is_char_boundary(cut) {
            cut -= 1;
        }
        let mut record = vec![0x0e];
        varint(&mut record, number);
        varint(&mut record, cut as u64);
        record.extend(&name.as_bytes()[..cut]);
        self.raw(&record);
        self.names.insert(name.to_owned(), number);
        number
    }
}

/// Appends an unsigned LEB128 number.
pub(crate) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
