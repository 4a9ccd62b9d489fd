//! From a region's bytes to streams of records and the slots.
//!
//! Trusts nothing but the caller's [`Layout`]. Records are decoded on demand, so that memory does
//! not grow with the length of the stream.

use std::collections::BTreeMap;

use crate::cursor::Cursor;
use crate::layout::{
    HEADER_SIZE, MAGIC, SEGMENT_HEADER_SIZE, SEGMENT_MAGIC, SEGMENT_SIZE, SLOT_SIZE, number,
};
use crate::record::{self, Record};
use crate::{Layout, Malformed};

/// A stream whose parent did not count it.
const NO_ORDINAL: u32 = u32::MAX;
/// The number of a segment that holds pieces of several streams.
const SHARED: u32 = u32::MAX;
/// Bytes of a piece before its first record.
const PIECE_HEADER_SIZE: usize = 24;

/// What began a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The program's first thread.
    Main,
    /// Another thread of a process.
    Thread,
    /// A process of its own.
    Process,
    /// A worker with its own heap.
    Worker,
}

/// What is wrong with a region. Nothing else of it is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Problem {
    /// The region is smaller than its layout, or its header was changed.
    #[error("the trace channel's header was overwritten or cut")]
    Header,
    /// A segment in use does not carry this run's marks.
    #[error("a segment of the trace channel was overwritten")]
    Segment,
    /// A record cannot be read; the rest of its segment is lost.
    #[error("the trace stream is broken: {0}")]
    Record(#[from] Malformed),
    /// A slot does not hold together.
    #[error("a counter of left-out visits was overwritten: {0}")]
    Slot(Malformed),
}

/// The records of one thread or process.
#[derive(Debug, Clone)]
pub struct Stream<'a> {
    /// Its number: 0 for whatever began first.
    pub number: u32,
    /// The stream that began it.
    pub parent: Option<u32>,
    /// What began it.
    pub origin: Origin,
    /// Where its parent stood; 0 if unknown.
    pub began_at_site: u32,
    /// Which of its parent's children it is; [`u32::MAX`] if unknown.
    pub ordinal: u32,
    segments: Vec<&'a [u8]>,
}

impl<'a> Stream<'a> {
    /// A stream whose records lie in one piece.
    pub(crate) fn whole(
        number: u32,
        parent: Option<u32>,
        origin: Origin,
        began_at_site: u32,
        ordinal: u32,
        records: &'a [u8],
    ) -> Self {
        Self {
            number,
            parent,
            origin,
            began_at_site,
            ordinal,
            segments: vec![records],
        }
    }

    /// Its records in order. After a broken record the next segment is tried.
    pub fn records(&self) -> Records<'a, '_> {
        Records {
            segments: self.segments.iter(),
            cursor: Cursor::new(&[]),
        }
    }
}

/// Iterator over a stream's records.
#[derive(Debug)]
pub struct Records<'a, 's> {
    segments: std::slice::Iter<'s, &'a [u8]>,
    cursor: Cursor<'a>,
}

impl<'a> Iterator for Records<'a, '_> {
    type Item = Result<Record<'a>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match record::read(&mut self.cursor) {
                Ok(Some(record)) => return Some(Ok(record)),
                Ok(None) => self.cursor = Cursor::new(self.segments.next()?),
                Err(malformed) => {
                    self.cursor = Cursor::new(&[]);
                    return Some(Err(Problem::Record(malformed)));
                }
            }
        }
    }
}

/// Visits of a site that no record tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot<'a> {
    /// The site.
    pub site: u32,
    /// Visits left out.
    pub count: u64,
    /// Sequence number of the last; 0 if not kept.
    pub sequence: u64,
    /// The last visit's record, if kept.
    pub last: Option<Record<'a>>,
}

/// A region, taken apart.
#[derive(Debug, Clone, Default)]
pub struct Decoded<'a> {
    /// Streams by number.
    pub streams: Vec<Stream<'a>>,
    /// Slots with visits, by site.
    pub slots: Vec<Slot<'a>>,
    /// What is wrong, sorted, each once. Broken records show while a stream is read.
    pub problems: Vec<Problem>,
}

impl Decoded<'_> {
    /// Whether any probe reported: names that were announced and records that cannot be read do not
    /// count.
    pub fn reported(&self) -> bool {
        let told = |record| !matches!(record, Ok(Record::Intern { .. }) | Err(_));
        !self.slots.is_empty() || self.streams.iter().any(|stream| stream.records().any(told))
    }
}

/// Takes a region apart. It may be cut short, as [`Layout::used`] allows.
pub fn decode<'a>(region: &'a [u8], layout: &Layout) -> Decoded<'a> {
    let mut problems = Vec::new();
    let intact = region.get(..4) == Some(&MAGIC) && region.get(8..24) == Some(&layout.nonce);
    if !intact || (region.len() as u64) < layout.used(region) {
        problems.push(Problem::Header);
    }
    let streams = streams(region, layout, &mut problems);
    let slots = slots(region, layout, &mut problems);
    problems.sort_unstable();
    problems.dedup();
    Decoded {
        streams,
        slots,
        problems,
    }
}

fn streams<'a>(region: &'a [u8], layout: &Layout, problems: &mut Vec<Problem>) -> Vec<Stream<'a>> {
    let mut streams: BTreeMap<u32, Stream<'a>> = BTreeMap::new();
    let segments = region.get(layout.first_segment() as usize..).unwrap_or(&[]);
    for segment in segments
        .chunks(SEGMENT_SIZE as usize)
        .take(layout.claimed(region) as usize)
    {
        let Some((header, records)) = segment.split_at_checked(SEGMENT_HEADER_SIZE) else {
            continue;
        };
        // Claimed, but its writer was stopped before it wrote the header.
        if header.iter().all(|&byte| byte == 0) && records.first().is_none_or(|&byte| byte == 0) {
            continue;
        }
        if header[..4] != SEGMENT_MAGIC || header[16..24] != layout.nonce[..8] {
            problems.push(Problem::Segment);
            continue;
        }
        let field = |offset| number(header, offset).unwrap_or(0);
        let number = field(4);
        let intact = if number == SHARED {
            pieces(records, &mut streams)
        } else {
            let fields = [number, field(8), field(12), field(24), field(28)];
            add(&mut streams, fields, records)
        };
        if !intact {
            problems.push(Problem::Segment);
        }
    }
    streams.into_values().collect()
}

/// Adds a part of a stream: its number, parent + 1, origin, the parent's site, and which child it
/// is. False if there is no such origin, or the parent is no older: what the part holds is kept then.
fn add<'a>(
    streams: &mut BTreeMap<u32, Stream<'a>>,
    [number, parent, origin, site, ordinal]: [u32; 5],
    records: &'a [u8],
) -> bool {
    let origin = match origin {
        0 => Origin::Main,
        1 => Origin::Thread,
        2 => Origin::Process,
        3 => Origin::Worker,
        _ => return false,
    };
    let stream = streams.entry(number).or_insert_with(|| Stream {
        number,
        // Anything else could make a loop.
        parent: parent.checked_sub(1).filter(|&parent| parent < number),
        origin,
        began_at_site: site,
        ordinal: ordinal.checked_sub(1).unwrap_or(NO_ORDINAL),
        segments: Vec::new(),
    });
    stream.segments.push(records);
    parent <= number
}

/// The pieces of a shared segment. False if one does not hold together; the rest is lost then.
fn pieces<'a>(mut rest: &'a [u8], streams: &mut BTreeMap<u32, Stream<'a>>) -> bool {
    while let Some(length) = number(rest, 0).filter(|&length| length != 0) {
        let Some((piece, behind)) = rest.split_at_checked(length as usize) else {
            return false;
        };
        let Some((header, records)) = piece.split_at_checked(PIECE_HEADER_SIZE) else {
            return false;
        };
        let field = |offset| number(header, offset).unwrap_or(0);
        let fields = [field(4), field(8), field(12), field(16), field(20)];
        if fields[0] == SHARED || !add(streams, fields, records) {
            return false;
        }
        rest = behind;
    }
    true
}

fn slots<'a>(region: &'a [u8], layout: &Layout, problems: &mut Vec<Problem>) -> Vec<Slot<'a>> {
    let table = region
        .get(HEADER_SIZE as usize..layout.first_segment() as usize)
        .unwrap_or(&[]);
    let table = table
        .chunks_exact(SLOT_SIZE as usize)
        .take(layout.slots as usize);
    let mut slots = Vec::new();
    for (site, bytes) in table.enumerate().skip(1) {
        let mut cursor = Cursor::new(bytes);
        let mut field = || cursor.array().map_or(0, u64::from_le_bytes);
        let (count, sequence) = (field(), field());
        if count == 0 {
            continue;
        }
        let length = usize::from(bytes[16]);
        let last = match bytes.get(17..17 + length) {
            Some(bytes) => record::read_whole(bytes),
            None => Err(Malformed::Truncated),
        };
        let site = site as u32;
        let last = last
            .and_then(|last| match last {
                Some(record) if record.site() != site => Err(Malformed::OutOfRange),
                fitting => Ok(fitting),
            })
            .unwrap_or_else(|malformed| {
                problems.push(Problem::Slot(malformed));
                None
            });
        slots.push(Slot {
            site,
            count,
            sequence,
            last,
        });
    }
    slots
}
