//! Cuts a script into what the `sqlite3` shell would run one after the other: dot-commands, and
//! chunks of lines that end where a statement is complete. The rules are the shell's own; where a
//! chunk holds several statements, each is listed.
//!
//! Reads text alone: it knows quotes, comments and triggers, and nothing else of the grammar.

use std::ops::Range;

/// A script without carriage returns, which the shell takes off each line.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// What is run.
    pub bytes: Vec<u8>,
    /// Offsets in `bytes` in front of which a byte of the file is missing.
    left_out: Vec<usize>,
}

impl Text {
    /// The text of a file.
    pub fn new(file: &[u8]) -> Self {
        let mut text = Self::default();
        let mut rest = file;
        if let Some(behind) = rest.strip_prefix(b"\xef\xbb\xbf") {
            text.left_out = vec![0; 3];
            rest = behind;
        }
        for (index, &byte) in rest.iter().enumerate() {
            if byte == b'\r' && rest.get(index + 1) == Some(&b'\n') {
                text.left_out.push(text.bytes.len());
            } else {
                text.bytes.push(byte);
            }
        }
        text
    }

    /// The offset in the file of an offset in `bytes`.
    pub fn in_file(&self, at: usize) -> usize {
        at + self.left_out.partition_point(|&missing| missing <= at)
    }
}

/// One thing the shell does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A dot-command: its line.
    Dot {
        /// The line, without its end.
        span: Range<usize>,
        /// From 1.
        line: u32,
    },
    /// Lines that are handed to the engine together.
    Sql {
        /// From the first byte that is not white.
        span: Range<usize>,
        /// Line the chunk starts on, from 1; what error messages name.
        line: u32,
        /// The last line is a terminator of another system (`go`, `/`), which stands for `;`.
        terminated: bool,
        /// The statements, from their first word to their `;`.
        statements: Vec<Range<usize>>,
    },
}

/// What is pending at the end of a line.
#[derive(Debug, Clone, Copy, Default)]
struct Pending {
    /// The quote, `]` or `*` that is waited for; 0 outside of all.
    inside: u8,
    /// Something other than white space and comments was seen.
    dark: bool,
    /// The last of it was `;`.
    semicolon: bool,
}

impl Pending {
    fn is_white(self) -> bool {
        self.inside == 0 && !self.dark
    }

    fn line(&mut self, line: &[u8]) {
        let mut at = 0;
        while at < line.len() {
            let byte = line[at];
            let next = line.get(at + 1).copied();
            at += 1;
            if self.inside != 0 {
                if byte != self.inside {
                    continue;
                }
                match (byte, next) {
                    (b'*', Some(b'/')) => {
                        at += 1;
                        self.inside = 0;
                    }
                    (b'*', _) => {}
                    (b'\'' | b'"' | b'`', Some(next)) if next == byte => at += 1,
                    _ => self.inside = 0,
                }
                continue;
            }
            match byte {
                _ if is_space(byte) => continue,
                b'-' if next == Some(b'-') => return,
                b';' => {
                    self.semicolon = true;
                    continue;
                }
                b'/' if next == Some(b'*') => {
                    at += 1;
                    self.inside = b'*';
                    continue;
                }
                b'[' => self.inside = b']',
                b'\'' | b'"' | b'`' => self.inside = byte,
                _ => {}
            }
            self.dark = true;
            self.semicolon = false;
        }
    }
}

/// White space as the engine sees it.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Whether a line is the terminator of another system.
fn is_terminator(line: &[u8]) -> bool {
    let word = line.trim_ascii();
    word == b"/" || word.eq_ignore_ascii_case(b"go")
}

/// Cuts a script.
pub fn split(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut pending = Pending::default();
    let mut chunk: Option<(usize, u32)> = None;
    let mut at = 0;
    let mut number = 0;
    while at < text.len() {
        let end = text[at..]
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(text.len(), |length| at + length);
        let line = &text[at..end];
        let start = at;
        at = end + 1;
        number += 1;
        if pending.inside == 0 && is_terminator(line) {
            let before = chunk.map(|(from, first)| (from..start, first));
            let whole = before.as_ref().is_none_or(|(span, _)| {
                let (_, ends) = statements(text, span.clone());
                ends != Ends::InTrigger
            });
            if whole {
                if let Some((span, line)) = before {
                    let statements = statements(text, span.clone()).0;
                    pieces.push(Piece::Sql {
                        span,
                        line,
                        terminated: true,
                        statements,
                    });
                }
                chunk = None;
                pending = Pending::default();
                continue;
            }
        }
        pending.line(line);
        match chunk {
            None if pending.is_white() => {
                pending = Pending::default();
                continue;
            }
            None if matches!(line.first(), Some(b'.' | b'#')) => {
                if line[0] == b'.' {
                    pieces.push(Piece::Dot {
                        span: start..end,
                        line: number,
                    });
                }
                pending = Pending::default();
                continue;
            }
            None => {
                let white = line.iter().take_while(|&&byte| is_space(byte)).count();
                chunk = Some((start + white, number));
            }
            Some(_) => {}
        }
        let Some((from, first)) = chunk else { continue };
        if pending.inside == 0 && pending.semicolon {
            let (statements, ends) = statements(text, from..end);
            if ends == Ends::Complete {
                pieces.push(Piece::Sql {
                    span: from..end,
                    line: first,
                    terminated: false,
                    statements,
                });
                chunk = None;
                pending = Pending::default();
            }
        }
    }
    if let Some((from, line)) = chunk {
        let span = from..text.len();
        let statements = statements(text, span.clone()).0;
        pieces.push(Piece::Sql {
            span,
            line,
            terminated: false,
            statements,
        });
    }
    pieces
}

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Behind the `;` of a statement.
    Complete,
    /// Within a statement.
    Open,
    /// Within a trigger, whose own `;` do not end it.
    InTrigger,
}

/// Where the scan of a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Explain,
    Create,
    Plain,
    Trigger,
    /// In a trigger, behind a `;`.
    Semicolon,
    /// In a trigger, behind `; END`.
    End,
}

/// The statements of a text, and how it ends.
fn statements(text: &[u8], span: Range<usize>) -> (Vec<Range<usize>>, Ends) {
    let mut found = Vec::new();
    let mut state = State::Start;
    let mut start = span.start;
    let mut last = span.start;
    for token in tokens(text, span) {
        if state == State::Start {
            start = token.start;
        }
        let word = &text[token.clone()];
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let ended = word == b";";
        state = match state {
            State::Start if ended => State::Start,
            State::Explain | State::Create | State::Plain | State::End if ended => {
                found.push(start..token.end);
                State::Start
            }
            State::Trigger | State::Semicolon if ended => State::Semicolon,
            State::Start if is("explain") => State::Explain,
            State::Start | State::Explain if is("create") => State::Create,
            // `EXPLAIN QUERY PLAN CREATE …`
            State::Explain if is("query") || is("plan") => State::Explain,
            State::Create if is("temp") || is("temporary") => State::Create,
            State::Create if is("trigger") => State::Trigger,
            State::Start | State::Explain | State::Create | State::Plain => State::Plain,
            State::Semicolon if is("end") => State::End,
            State::Trigger | State::Semicolon | State::End => State::Trigger,
        };
        last = token.end;
    }
    let ends = match state {
        State::Start => Ends::Complete,
        State::Trigger | State::Semicolon => Ends::InTrigger,
        _ => Ends::Open,
    };
    if state != State::Start {
        found.push(start..last);
    }
    (found, ends)
}

/// The tokens of a text: words, numbers, quoted things and single signs, without white space and
/// comments. A quote that is not closed reaches to the end.
pub fn tokens(text: &[u8], span: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = span.start;
    std::iter::from_fn(move || {
        let text = &text[..span.end];
        at = skip_white(text, at);
        let first = *text.get(at)?;
        let start = at;
        let rest = &text[at + 1..];
        let length = match first {
            b'\'' | b'"' | b'`' => quoted(rest, first),
            b'[' => rest
                .iter()
                .position(|&byte| byte == b']')
                .map_or(rest.len(), |end| end + 1),
            _ if is_word(first) => rest.iter().take_while(|&&byte| is_word(byte)).count(),
            _ => 0,
        };
        at += 1 + length;
        Some(start..at)
    })
}

/// Bytes behind an opening quote up to and with the one that closes it.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while let Some(ahead) = rest[at..].iter().position(|&byte| byte == quote) {
        at += ahead + 1;
        if rest.get(at) != Some(&quote) {
            return at;
        }
        at += 1;
    }
    rest.len()
}

/// The first offset from `at` on that is neither white nor in a comment.
pub fn skip_white(text: &[u8], mut at: usize) -> usize {
    loop {
        match text.get(at..) {
            Some([byte, ..]) if is_space(*byte) => at += 1,
            Some([b'-', b'-', rest @ ..]) => {
                at += 2 + rest
                    .iter()
                    .position(|&byte| byte == b'\n')
                    .unwrap_or(rest.len());
            }
            Some([b'/', b'*', rest @ ..]) => {
                at += 2 + rest
                    .windows(2)
                    .position(|pair| pair == b"*/")
                    .map_or(rest.len(), |end| end + 2);
            }
            _ => return at,
        }
    }
}
