//! The raw trace stream: its layout, its decoder, and an encoder for tests. `FORMAT.md` beside
//! this crate's manifest is the specification.
//!
//! Does no I/O: the engine owns the memory, this crate only reads bytes. Invariant: the bytes are
//! hostile. Nothing here panics, loops or allocates more than a small multiple of the input on any
//! input, and what came before a broken record is kept.

mod cursor;
pub mod decode;
pub mod encode;
pub mod layout;
pub mod lines;
pub mod record;
pub mod value;

pub use decode::{Decoded, Origin, Problem, Records, Slot, Stream, decode};
pub use layout::Layout;
pub use lines::{LineSites, Transcript};
pub use record::{RawFrame, Record};
pub use value::{RawEntries, RawItems, RawText, RawValue};

/// Why a record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Malformed {
    /// The bytes end inside it.
    #[error("the bytes end inside a record")]
    Truncated,
    /// A varint of more than 64 bits.
    #[error("a number has more than 64 bits")]
    Overlong,
    /// A number where a smaller one belongs.
    #[error("a number is out of range")]
    OutOfRange,
    /// An op byte that this version does not know.
    #[error("unknown record kind {0:#04x}")]
    Op(u8),
    /// A kind byte that this version does not know.
    #[error("unknown value kind {0:#04x}")]
    Kind(u8),
    /// More levels than any budget asks for.
    #[error("a value is nested too deep")]
    Depth,
}
