//! Edits that turn one text into another without moving its lines, and the rendering of both the
//! plain and the instrumented result.
//!
//! Positions are those of the original. Where an edit and an instrumentation meet at one place,
//! the instrumentation comes first, so that it keeps nesting as it did.

use std::ops::Range;

/// A piece of replacement text.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// New text; it holds no newline.
    Text(String),
    /// A stretch of the original, edited as usual.
    Source(Range<usize>),
}

#[derive(Debug, Clone)]
enum What {
    /// Spaces of the same width.
    Blank,
    /// Other text.
    Parts(Vec<Part>),
}

/// Whether an insertion belongs to what ends at its place or to what begins there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Closes,
    Opens,
    Replaces,
}

#[derive(Debug, Clone)]
struct Edit {
    range: Range<usize>,
    phase: Phase,
    what: What,
}

/// The edits of one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    list: Vec<Edit>,
}

impl Edits {
    fn push(&mut self, range: Range<usize>, phase: Phase, what: What) {
        self.list.push(Edit { range, phase, what });
    }

    /// Replaces a stretch by spaces of the same width; newlines stay.
    pub(crate) fn blank(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.push(range, Phase::Replaces, What::Blank);
        }
    }

    /// Replaces a stretch by text. The lines it spans stay.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.replace_by(range, vec![Part::Text(text.into())]);
    }

    /// Replaces a stretch by text and other stretches. The lines it spans stay.
    pub(crate) fn replace_by(&mut self, range: Range<usize>, parts: Vec<Part>) {
        let phase = if range.is_empty() {
            Phase::Opens
        } else {
            Phase::Replaces
        };
        self.push(range, phase, What::Parts(parts));
    }

    /// Inserts text that belongs to what begins at a place.
    pub(crate) fn open(&mut self, at: usize, text: impl Into<String>) {
        self.push(
            at..at,
            Phase::Opens,
            What::Parts(vec![Part::Text(text.into())]),
        );
    }

    /// Inserts text that belongs to what ends at a place.
    pub(crate) fn close(&mut self, at: usize, text: impl Into<String>) {
        self.close_by(at, vec![Part::Text(text.into())]);
    }

    /// Inserts text and stretches that belong to what ends at a place.
    pub(crate) fn close_by(&mut self, at: usize, parts: Vec<Part>) {
        self.push(at..at, Phase::Closes, What::Parts(parts));
    }

    /// In the order they apply: the sort is stable, so that inner edits made first stay inside.
    pub(crate) fn settle(&mut self) {
        self.list
            .sort_by_key(|edit| (edit.range.start, edit.phase, usize::MAX - edit.range.end));
    }
}

/// Text that instrumentation inserts.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    /// Where, in the original.
    pub(crate) at: usize,
    /// What.
    pub(crate) text: String,
}

/// A rendered file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: Vec<u8>,
    /// The instrumentation in it: offset in the text without it, and length, in turn.
    pub insertions: Vec<u32>,
    /// Stretches taken from the original: offset in the text without instrumentation, offset in
    /// the original, in turn.
    pub(crate) runs: Vec<(usize, usize)>,
}

/// Applies settled edits and probes (sorted by place) to a text.
pub(crate) fn render(source: &str, edits: &Edits, probes: &[Probe]) -> Rendered {
    let mut renderer = Renderer {
        source,
        edits: &edits.list,
        probes,
        done: Rendered::default(),
        plain: 0,
    };
    renderer.stretch(0..source.len(), true, true);
    renderer.done
}

struct Renderer<'a> {
    source: &'a str,
    edits: &'a [Edit],
    probes: &'a [Probe],
    done: Rendered,
    plain: usize,
}

impl Renderer<'_> {
    /// Renders a stretch. Probes at its very start and end are left out unless asked for.
    fn stretch(&mut self, range: Range<usize>, first: bool, last: bool) {
        let mut at = range.start;
        let mut next = self
            .edits
            .partition_point(|edit| edit.range.start < range.start);
        let mut probe = self
            .probes
            .partition_point(|probe| probe.at < range.start || (!first && probe.at == range.start));
        loop {
            // The edit that this stretch is a part of begins here as well, or spans it.
            while self
                .edits
                .get(next)
                .is_some_and(|edit| edit.range.end > range.end && edit.range.start < range.end)
            {
                next += 1;
            }
            let edit = self.edits.get(next).filter(|edit| {
                edit.range.start < range.end
                    || (edit.range.is_empty() && edit.range.start == range.end)
            });
            let inside = |probe: &&Probe| probe.at < range.end || (last && probe.at == range.end);
            let waiting = self.probes.get(probe).filter(inside);
            match (edit, waiting) {
                (edit, Some(found)) if edit.is_none_or(|edit| found.at <= edit.range.start) => {
                    self.keep(at..found.at);
                    at = found.at;
                    self.insert(&found.text);
                    probe += 1;
                }
                (Some(edit), _) => {
                    self.keep(at..edit.range.start);
                    self.apply(edit);
                    at = edit.range.end;
                    next += 1;
                    // What stands inside a replaced stretch went with it.
                    while !edit.range.is_empty()
                        && self
                            .edits
                            .get(next)
                            .is_some_and(|inner| inner.range.start < edit.range.end)
                    {
                        next += 1;
                    }
                    while !edit.range.is_empty()
                        && self
                            .probes
                            .get(probe)
                            .is_some_and(|inner| inner.at < edit.range.end)
                    {
                        probe += 1;
                    }
                }
                (None, _) => break,
            }
        }
        self.keep(at..range.end);
    }

    fn keep(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.done.runs.push((self.plain, range.start));
        self.write(&self.source[range]);
    }

    fn write(&mut self, text: &str) {
        self.done.text.extend_from_slice(text.as_bytes());
        self.plain += text.len();
    }

    fn insert(&mut self, text: &str) {
        let at = self.plain as u32;
        self.done.insertions.extend([at, text.len() as u32]);
        self.done.text.extend_from_slice(text.as_bytes());
    }

    fn apply(&mut self, edit: &Edit) {
        match &edit.what {
            What::Blank => self.blank(edit.range.clone()),
            What::Parts(parts) => {
                let mut lines = line_ends(&self.source[edit.range.clone()]).count();
                for part in parts {
                    match part {
                        Part::Text(text) => self.write(text),
                        Part::Source(range) => {
                            let text = &self.source[range.clone()];
                            lines = lines.saturating_sub(line_ends(text).count());
                            let first = edit.range.is_empty() || range.start > edit.range.start;
                            let last = edit.range.is_empty() || range.end < edit.range.end;
                            self.stretch(range.clone(), first, last);
                        }
                    }
                }
                if lines > 0 {
                    self.write(&"\n".repeat(lines));
                }
            }
        }
    }

    fn blank(&mut self, range: Range<usize>) {
        self.done.runs.push((self.plain, range.start));
        let mut probe = self.probes.partition_point(|probe| probe.at <= range.start);
        for (offset, letter) in self.source[range.clone()].char_indices() {
            while let Some(found) = self.probes.get(probe)
                && found.at <= range.start + offset
            {
                self.insert(&found.text);
                probe += 1;
            }
            match letter {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => {
                    self.write(letter.encode_utf8(&mut [0; 4]));
                }
                _ => self.write(&"  "[..letter.len_utf16()]),
            }
        }
    }
}

fn line_ends(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('\n').map(|(at, _)| at)
}

/// Where lines and columns of the rendered text are not those of the original: line and column
/// there, line and column here, in turn, from 1, in UTF-16 units. In front of the first entry of a
/// line they agree.
pub(crate) fn moves(source: &str, plain: &str, runs: &[(usize, usize)]) -> Vec<u32> {
    let (mut from, mut to) = (Places::new(plain), Places::new(source));
    let mut moves = Vec::new();
    let mut line = 0;
    let mut shift = (0, 0);
    for &(there, here) in runs {
        let (there, here) = (from.place(there), to.place(here));
        if there.0 != line {
            line = there.0;
            shift = (0, 0);
        }
        let wanted = (
            i64::from(here.0) - i64::from(there.0),
            i64::from(here.1) - i64::from(there.1),
        );
        if wanted != shift {
            moves.extend([there.0, there.1, here.0, here.1]);
            shift = wanted;
        }
    }
    moves
}

/// Lines and columns of offsets; those asked for in order cost little, however long a line is.
struct Places<'t> {
    text: &'t str,
    starts: Vec<usize>,
    last: (usize, u32),
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(line_ends(text).map(|at| at + 1));
        Self {
            text,
            starts: starts.collect(),
            last: (0, 0),
        }
    }

    fn place(&mut self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let (from, before) = match self.last {
            (at, column) if start <= at && at <= offset => (at, column),
            _ => (start, 0),
        };
        let column = before + self.text[from..offset].encode_utf16().count() as u32;
        self.last = (offset, column);
        (line as u32, column + 1)
    }
}
