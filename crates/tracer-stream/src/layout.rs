//! Where things lie in the shared region, for whoever creates it.
//!
//! The runner keeps its [`Layout`] and never reads sizes back from the region, which the subject
//! can write to.

use tracer_model::{Budget, Detail};

/// First four bytes of the region.
pub const MAGIC: [u8; 4] = *b"TRCS";
/// First four bytes of a segment in use.
pub const SEGMENT_MAGIC: [u8; 4] = *b"SEG1";
/// Format version written into the header.
pub const VERSION: (u16, u16) = (1, 2);
/// Bytes before the slot table.
pub const HEADER_SIZE: u32 = 4096;
/// Bytes of one slot.
pub const SLOT_SIZE: u32 = 64;
/// Bytes of one segment.
pub const SEGMENT_SIZE: u32 = 65_536;
/// Bytes of a segment before its first record.
pub const SEGMENT_HEADER_SIZE: usize = 32;
/// Offset of the counter of claimed segments.
pub const CLAIMED_OFFSET: usize = 64;
/// Offset of the counter of begun streams.
pub const STREAMS_OFFSET: usize = 68;
/// Variable that carries the descriptor number to the emitter.
pub const CHANNEL_VARIABLE: &str = "TRACER_CHANNEL";

/// Segments beyond what the byte budget fills: threads and processes begin their own.
const SPARE_SEGMENTS: u32 = 256;
/// The first segment's offset must fit 32 bits.
const MAX_SLOTS: u32 = (u32::MAX - 2 * HEADER_SIZE) / SLOT_SIZE;

/// Sizes and contents of one run's region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Random bytes that mark this run's segments.
    pub nonce: [u8; 16],
    /// Slots: the highest site id + 1.
    pub slots: u32,
    /// Segments.
    pub segments: u32,
    /// Recording bounds.
    pub budget: Budget,
    /// Detail asked for.
    pub detail: Detail,
}

impl Layout {
    /// A region for a program with this many sites (ids from 1).
    pub fn new(sites: u32, budget: &Budget, detail: Detail, nonce: [u8; 16]) -> Self {
        // Records do not straddle segments, so up to one value's bytes of each stay unused.
        let room = SEGMENT_SIZE / 2;
        Self {
            nonce,
            slots: sites.saturating_add(1).min(MAX_SLOTS),
            segments: budget.bytes.div_ceil(room) + SPARE_SEGMENTS,
            budget: budget.clone(),
            detail,
        }
    }

    /// Bytes of the region. Untouched pages cost nothing in a memfd.
    pub fn size(&self) -> u64 {
        u64::from(self.first_segment()) + u64::from(self.segments) * u64::from(SEGMENT_SIZE)
    }

    /// Offset of the first segment, a multiple of the page size.
    pub fn first_segment(&self) -> u32 {
        (HEADER_SIZE + self.slots * SLOT_SIZE).next_multiple_of(HEADER_SIZE)
    }

    /// The bytes to write at offset 0; the rest of the region stays zero.
    pub fn header(&self) -> [u8; 72] {
        let mut header = [0; 72];
        let mut put = |offset: usize, bytes: &[u8]| {
            header[offset..offset + bytes.len()].copy_from_slice(bytes);
        };
        put(0, &MAGIC);
        put(4, &VERSION.0.to_le_bytes());
        put(6, &VERSION.1.to_le_bytes());
        put(8, &self.nonce);
        put(24, &HEADER_SIZE.to_le_bytes());
        put(28, &self.slots.to_le_bytes());
        put(32, &SLOT_SIZE.to_le_bytes());
        put(36, &self.segments.to_le_bytes());
        put(40, &self.first_segment().to_le_bytes());
        put(44, &SEGMENT_SIZE.to_le_bytes());
        put(48, &self.budget.events.to_le_bytes());
        put(52, &self.budget.bytes.to_le_bytes());
        put(56, &[self.budget.depth]);
        put(
            57,
            &[match self.detail {
                Detail::Calls => 0,
                Detail::Lines => 1,
                Detail::State => 2,
                Detail::Full => 3,
            }],
        );
        put(58, &self.budget.elements.to_le_bytes());
        put(60, &self.budget.characters.to_le_bytes());
        put(62, &self.budget.value_bytes.to_le_bytes());
        header
    }

    /// How many bytes from the start a finished run has used, given at least its first 72 bytes.
    /// Reading no more than this keeps untouched pages of a memfd unallocated.
    pub fn used(&self, start: &[u8]) -> u64 {
        u64::from(self.first_segment()) + u64::from(self.claimed(start)) * u64::from(SEGMENT_SIZE)
    }

    pub(crate) fn claimed(&self, start: &[u8]) -> u32 {
        // A writer that finds none left has counted up all the same.
        number(start, CLAIMED_OFFSET)
            .unwrap_or(0)
            .min(self.segments)
    }
}

/// The 32-bit number at an offset; `None` past the end.
pub(crate) fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*field))
}
