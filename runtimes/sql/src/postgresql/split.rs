//! Cuts a script into what `psql` would send or do, one after the other.
//!
//! Reads text alone: quotes, dollar quotes, comments, parentheses, and the lines that `COPY` reads.

use std::ops::Range;

use crate::split::is_space;

/// Backslash commands that end the statement in front of them.
const ENDING: [&[u8]; 9] = [
    b"g",
    b"gx",
    b"gset",
    b"gexec",
    b"gdesc",
    b"watch",
    b"crosstabview",
    b"bind",
    b"parse",
];

/// One thing that `psql` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// A backslash command, without the end of its line; or a statement, from its first word to
    /// its last, without the `;`.
    pub span: Range<usize>,
    /// Whether it is a backslash command.
    pub command: bool,
}

/// Cuts a script.
pub fn split(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut statement = Statement::default();
    // A byte order mark is no word.
    let mut at = if text.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    while let Some(token) = next(text, at, text.len()) {
        let word = &text[token.clone()];
        if word == b"\\" {
            let end = line_end(text, token.start);
            let name: &[u8] = &text[token.end..end];
            let length = name
                .iter()
                .take_while(|byte| byte.is_ascii_alphabetic())
                .count();
            if name.first() == Some(&b';') {
                // A `;` that is sent along.
                at = token.end + 1;
                continue;
            }
            if ENDING.contains(&&name[..length])
                && let Some(span) = statement.take()
            {
                pieces.push(Piece {
                    span,
                    command: false,
                });
            }
            let span = token.start..trimmed(text, token.start..end);
            pieces.push(Piece {
                span,
                command: true,
            });
            at = end;
            continue;
        }
        at = token.end;
        if word == b";" && statement.is_whole() {
            if let Some(span) = statement.take() {
                if reads_lines(text, &span) {
                    at = behind_lines(text, line_end(text, at));
                }
                pieces.push(Piece {
                    span,
                    command: false,
                });
            }
            continue;
        }
        statement.add(text, token);
    }
    if let Some(span) = statement.take() {
        pieces.push(Piece {
            span,
            command: false,
        });
    }
    pieces
}

/// A statement so far.
#[derive(Debug, Default)]
struct Statement {
    span: Option<Range<usize>>,
    words: usize,
    parentheses: usize,
    /// A routine whose body may be written as `BEGIN ATOMIC … END`.
    routine: bool,
    blocks: usize,
}

impl Statement {
    fn is_whole(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn take(&mut self) -> Option<Range<usize>> {
        std::mem::take(self).span
    }

    fn add(&mut self, text: &[u8], token: Range<usize>) {
        let word = &text[token.clone()];
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match word {
            b"(" => self.parentheses += 1,
            b")" => self.parentheses = self.parentheses.saturating_sub(1),
            _ if self.parentheses > 0 => {}
            _ if self.words < 4 && (is("function") || is("procedure")) => self.routine = true,
            _ if self.routine && is("begin") => self.blocks += 1,
            _ if self.blocks > 0 && is("case") => self.blocks += 1,
            _ if is("end") => self.blocks = self.blocks.saturating_sub(1),
            _ => {}
        }
        self.words += 1;
        let start = self.span.as_ref().map_or(token.start, |span| span.start);
        self.span = Some(start..token.end);
    }
}

/// Whether the lines behind a statement are its data.
fn reads_lines(text: &[u8], span: &Range<usize>) -> bool {
    let mut words = tokens(text, span.clone());
    let is = |token: Option<Range<usize>>, name: &str| {
        token.is_some_and(|token| text[token].eq_ignore_ascii_case(name.as_bytes()))
    };
    if !is(words.next(), "copy") {
        return false;
    }
    let words: Vec<_> = words.collect();
    words
        .windows(2)
        .any(|pair| is(Some(pair[0].clone()), "from") && is(Some(pair[1].clone()), "stdin"))
}

/// The place behind the line `\.`.
fn behind_lines(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        let start = at + 1;
        if start >= text.len() {
            return text.len();
        }
        let end = line_end(text, start);
        if text[start..end].trim_ascii_end() == b"\\." {
            return end;
        }
        at = end;
    }
    at
}

fn line_end(text: &[u8], at: usize) -> usize {
    text[at..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(text.len(), |length| at + length)
}

fn trimmed(text: &[u8], span: Range<usize>) -> usize {
    span.start + text[span].trim_ascii_end().len()
}

/// The tokens of a text: words, numbers, quoted things, `:=`, `::` and single signs, without white
/// space and comments. A quote that is not closed reaches to the end.
pub fn tokens(text: &[u8], span: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = span.start;
    std::iter::from_fn(move || {
        let token = next(text, at, span.end)?;
        at = token.end;
        Some(token)
    })
}

fn next(text: &[u8], at: usize, end: usize) -> Option<Range<usize>> {
    let text = &text[..end];
    let start = skip(text, at);
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    let length = match rest {
        [b'\'' | b'"', ..] => quoted(rest, false),
        [b'e' | b'E', b'\'', ..] => 1 + quoted(&rest[1..], true),
        [b'b' | b'B' | b'x' | b'X' | b'n' | b'N', b'\'', ..] => 1 + quoted(&rest[1..], false),
        [b'u' | b'U', b'&', b'\'' | b'"', ..] => 2 + quoted(&rest[2..], false),
        [b'$', ..] => dollar(rest),
        [b':', b'=' | b':', ..] => 2,
        [first, ..] if is_word(*first) => rest
            .iter()
            .take_while(|byte| is_word(**byte) || **byte == b'$')
            .count(),
        _ => 1,
    };
    Some(start..start + length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Bytes of a quoted thing, quotes included.
fn quoted(rest: &[u8], escapes: bool) -> usize {
    let quote = rest[0];
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        at += 1;
        if escapes && byte == b'\\' {
            at += 1;
        } else if byte == quote {
            if rest.get(at) != Some(&quote) {
                return at;
            }
            at += 1;
        }
    }
    rest.len()
}

/// The tag of a dollar quote at the beginning of a text, signs included: `$$`, `$body$`.
pub fn tag(rest: &[u8]) -> Option<&[u8]> {
    let behind = rest.strip_prefix(b"$")?;
    let length = behind.iter().take_while(|byte| is_word(**byte)).count();
    let starts_well = !behind.first().is_some_and(u8::is_ascii_digit);
    (starts_well && behind.get(length) == Some(&b'$')).then(|| &rest[..length + 2])
}

fn dollar(rest: &[u8]) -> usize {
    let Some(tag) = tag(rest) else {
        // `$1`
        return 1 + rest[1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
    };
    rest[tag.len()..]
        .windows(tag.len())
        .position(|part| part == tag)
        .map_or(rest.len(), |length| length + 2 * tag.len())
}

/// The first offset from `at` on that is neither white nor in a comment.
fn skip(text: &[u8], mut at: usize) -> usize {
    loop {
        match text.get(at..) {
            Some([byte, ..]) if is_space(*byte) => at += 1,
            Some([b'-', b'-', ..]) => at = line_end(text, at),
            Some(rest @ [b'/', b'*', ..]) => at += comment(rest),
            _ => return at,
        }
    }
}

/// Bytes of a comment, which may hold others.
fn comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        split(text.as_bytes())
            .into_iter()
            .map(|piece| &text[piece.span])
            .collect()
    }

    #[test]
    fn statements_end_where_psql_sends_them() {
        assert_eq!(
            cut("SELECT ';' ; -- ; \n/* ; /* ; */ */ DO $a$ ; $$ ; $a$;\nSELECT E'\\';' , $1"),
            ["SELECT ';'", "DO $a$ ; $$ ; $a$", "SELECT E'\\';' , $1"]
        );
        assert_eq!(
            cut("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3"),
            [
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
                "SELECT 3"
            ]
        );
        assert_eq!(
            cut(
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; SELECT 1;"
            ),
            [
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END",
                "SELECT 1"
            ]
        );
    }

    #[test]
    fn backslash_commands_and_data_are_no_statements() {
        assert_eq!(
            cut("\\set x ';'\nSELECT 1 AS a \\gset\nCOPY t FROM stdin;\n1;\n\\.\nSELECT 2;"),
            [
                "\\set x ';'",
                "SELECT 1 AS a",
                "\\gset",
                "COPY t FROM stdin",
                "SELECT 2"
            ]
        );
    }
}
