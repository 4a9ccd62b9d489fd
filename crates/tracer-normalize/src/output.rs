//! Puts the program's output where it was written.
//!
//! Records say when something was written, and perhaps what; the captured bytes are what really
//! came out. Every captured byte appears in the trace exactly once: at the write that accounts for
//! it, or in an event without a place. A write whose bytes never came out (lost in a buffer when
//! the program died) is taken out.

use std::borrow::Cow;
use std::ops::Range;

use tracer_model::{Event, Kind, Payload};

/// How far ahead a write's text is looked for. Unaccounted output (a child process, a library
/// that bypasses the language's streams) rarely comes in longer pieces.
const WINDOW: usize = 256 << 10;
/// Text kept of one event, bytes.
const EVENT_TEXT: usize = 64 << 10;

/// One `STDOUT` record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'r> {
    pub(crate) text: &'r [u8],
    pub(crate) length: u64,
}

/// An output event and the records it was made from.
#[derive(Debug, Clone)]
pub(crate) struct Output<'r> {
    /// Index of its event.
    pub(crate) event: usize,
    /// 1 or 2.
    pub(crate) stream: u8,
    pub(crate) pieces: Vec<Piece<'r>>,
}

impl Output<'_> {
    /// The text, as far as it is known without a gap, and whether that is all.
    fn known(&self) -> (Cow<'_, [u8]>, bool) {
        if let [piece] = self.pieces[..] {
            return (
                Cow::Borrowed(piece.text),
                piece.text.len() as u64 == piece.length,
            );
        }
        let mut text = Vec::new();
        for piece in &self.pieces {
            text.extend_from_slice(piece.text);
            if (piece.text.len() as u64) < piece.length {
                return (Cow::Owned(text), false);
            }
        }
        (Cow::Owned(text), true)
    }

    fn length(&self) -> u64 {
        self.pieces
            .iter()
            .fold(0, |sum, piece| sum.saturating_add(piece.length))
    }
}

/// What came out of one stream, and how much of it has found its write.
struct Captured<'c> {
    bytes: &'c [u8],
    /// Everything before is accounted for or in a gap.
    at: usize,
    /// Unaccounted ranges, each with the event it came before.
    gaps: Vec<(Range<usize>, usize)>,
}

impl Captured<'_> {
    /// Finds the bytes of a write, and takes them.
    fn claim(&mut self, output: &Output<'_>) -> Option<Range<usize>> {
        let (text, complete) = output.known();
        let length = usize::try_from(output.length()).unwrap_or(usize::MAX);
        let rest = &self.bytes[self.at..];
        // The run may have been stopped in the middle of a write.
        let here = &rest[..rest.len().min(text.len())];
        let (start, size) = if !rest.is_empty() && text.starts_with(here) {
            (
                self.at,
                if complete {
                    here.len()
                } else {
                    length.min(rest.len())
                },
            )
        } else if let Some(ahead) = find(&rest[..rest.len().min(WINDOW)], &text) {
            (
                self.at + ahead,
                if complete {
                    text.len()
                } else {
                    length.min(rest.len() - ahead)
                },
            )
        } else {
            return self.claim_gap(&text, complete);
        };
        if start > self.at {
            self.gaps.push((self.at..start, output.event));
        }
        self.at = start + size;
        (size > 0).then_some(start..start + size)
    }

    /// Another process's writes come before what is accounted for already.
    fn claim_gap(&mut self, text: &[u8], complete: bool) -> Option<Range<usize>> {
        if !complete || text.is_empty() {
            return None;
        }
        let (index, ahead) = self.gaps.iter().enumerate().find_map(|(index, (gap, _))| {
            let within = &self.bytes[gap.start..gap.end.min(gap.start + WINDOW)];
            Some((index, find(within, text)?))
        })?;
        let (gap, event) = self.gaps[index].clone();
        let start = gap.start + ahead;
        let end = start + text.len();
        let parts = [(gap.start..start, event), (end..gap.end, event)];
        let parts = parts.into_iter().filter(|(part, _)| !part.is_empty());
        self.gaps.splice(index..=index, parts);
        Some(start..end)
    }
}

/// Offset of the first occurrence; `None` for an empty needle.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let (&first, _) = needle.split_first()?;
    let last = bytes.len().checked_sub(needle.len())?;
    let mut from = 0;
    while from <= last {
        let ahead = bytes[from..=last].iter().position(|&byte| byte == first)?;
        if bytes[from + ahead..].starts_with(needle) {
            return Some(from + ahead);
        }
        from += ahead + 1;
    }
    None
}

/// Fills in the output events from what was captured, `[stdout, stderr]`. `limit` bounds the text
/// kept of each stream.
pub(crate) fn place(
    events: &mut Vec<Event>,
    outputs: &[Output<'_>],
    captured: [Option<&[u8]>; 2],
    limit: usize,
) {
    // Output without a place, each with the index of the event it goes in front of.
    let mut loose: Vec<(usize, Event)> = Vec::new();
    let mut lost = vec![false; events.len()];
    for (stream, captured) in [1u8, 2].into_iter().zip(captured) {
        let outputs = outputs.iter().filter(|output| output.stream == stream);
        let mut budget = limit;
        let Some(bytes) = captured else {
            for output in outputs {
                let (text, _) = output.known();
                set_text(
                    &mut events[output.event],
                    &text,
                    output.length(),
                    &mut budget,
                );
            }
            continue;
        };
        let mut captured = Captured {
            bytes,
            at: 0,
            gaps: Vec::new(),
        };
        for output in outputs {
            match captured.claim(output) {
                Some(range) => {
                    let length = range.len() as u64;
                    set_text(
                        &mut events[output.event],
                        &bytes[range],
                        length,
                        &mut budget,
                    );
                }
                None => lost[output.event] = true,
            }
        }
        if captured.at < bytes.len() {
            captured.gaps.push((captured.at..bytes.len(), events.len()));
        }
        for (gap, before) in captured.gaps {
            let length = gap.len() as u64;
            let mut event = without_place(stream);
            set_text(&mut event, &bytes[gap], length, &mut budget);
            loose.push((before, event));
        }
    }
    if loose.is_empty() && !lost.contains(&true) {
        return;
    }
    loose.sort_by_key(|(before, _)| *before);
    let mut loose = loose.into_iter().peekable();
    let mut placed = Vec::with_capacity(events.len() + loose.len());
    for (index, event) in events.drain(..).enumerate() {
        while let Some((_, event)) = loose.next_if(|(before, _)| *before == index) {
            placed.push(event);
        }
        if !lost[index] {
            placed.push(event);
        }
    }
    placed.extend(loose.map(|(_, event)| event));
    *events = placed;
}

fn without_place(stream: u8) -> Event {
    Event {
        kind: Kind::Stdout,
        site: 0,
        line: 0,
        task: 0,
        depth: 0,
        payload: Payload::Stdout {
            stream,
            text: String::new(),
            length: 0,
        },
    }
}

fn set_text(event: &mut Event, bytes: &[u8], whole: u64, budget: &mut usize) {
    let mut keep = bytes.len().min(EVENT_TEXT).min(*budget);
    // Not through a character.
    while keep < bytes.len() && keep > 0 && bytes[keep] & 0xc0 == 0x80 {
        keep -= 1;
    }
    *budget -= keep;
    if let Payload::Stdout { text, length, .. } = &mut event.payload {
        *text = String::from_utf8_lossy(&bytes[..keep]).into_owned();
        *length = whole;
    }
}
