//! Text as bash prints it: where probes stand in it, and what is left without them.
//!
//! It reads just enough of the shell's words to find their end.

use crate::proof::Form;

/// What ends a probe that stands for itself, as bash prints it.
const ENDS: &str = "&& ((1))";

/// Offsets of the probes' calls.
pub(crate) fn calls(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices("_tr_").map(|(at, _)| at).filter(|&at| {
        let bytes = text.as_bytes();
        let apart =
            at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || b"_{$".contains(&bytes[at - 1]));
        let name = bytes[at + 4..]
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase())
            .count();
        // `_tr_d=1` is no call.
        apart && name > 0 && !matches!(bytes.get(at + 4 + name), Some(b'=' | b'('))
    })
}

/// How a call begins: its name and the two numbers behind it, as far as they are.
pub(crate) fn head(text: &str) -> &str {
    let ident = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    let mut end = bytes.iter().take_while(|byte| ident(byte)).count();
    for _ in 0..2 {
        let digits = bytes[end..].strip_prefix(b" ").unwrap_or_default();
        let length = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let whole = digits.get(length).is_none_or(|byte| {
            b" &;)
|"
            .contains(byte)
        });
        if length == 0 || !whole {
            break;
        }
        end += 1 + length;
    }
    &text[..end]
}

/// A printed text without its probes.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    text: String,
    /// How far the printed text has been taken over.
    read: usize,
    /// Where a probe of which group was taken out.
    out: Vec<(usize, u32)>,
}

impl Rest {
    /// Takes out the probe whose call is at an offset; false if it does not stand as it should.
    pub(crate) fn take_out(&mut self, printed: &str, at: usize, form: Form, group: u32) -> bool {
        if at < self.read {
            return false;
        }
        let mut start = at;
        if printed[..start].ends_with("_tr_d=1 ") {
            start -= "_tr_d=1 ".len();
        }
        let mut end = words_end(printed, at);
        if form != Form::Operand && form != Form::Behind {
            match printed[end..].strip_prefix(ENDS) {
                Some(_) => end += ENDS.len(),
                // In braces of its own it may end there.
                None => return false,
            }
        }
        if let Some((from, upto)) = silenced(printed, start, end) {
            (start, end) = (from, upto);
        }
        if start < self.read {
            return false;
        }
        self.text.push_str(&printed[self.read..start]);
        self.read = start;
        let fits = match form {
            Form::Operand => self.operand(printed, end),
            Form::Behind => self.behind(end),
            _ => self.command(printed, end, form),
        };
        if fits {
            self.out.push((self.text.len(), group));
        }
        fits
    }

    fn operand(&mut self, printed: &str, end: usize) -> bool {
        let behind = printed[end..].trim_start_matches(' ');
        let fits = behind.starts_with("&& ") || behind.starts_with("|| ");
        if fits {
            self.read = printed.len() - behind.len() + 3;
        }
        fits
    }

    fn behind(&mut self, end: usize) -> bool {
        let Some(kept) = self.text.strip_suffix(" && ").map(str::len) else {
            return false;
        };
        self.text.truncate(kept);
        self.text.push(' ');
        self.read = end;
        true
    }

    fn command(&mut self, printed: &str, end: usize, form: Form) -> bool {
        if !begins(&self.text) {
            return false;
        }
        let added = match form {
            Form::Else => Some("else"),
            Form::Default => Some("*)"),
            Form::Open => Some("{"),
            _ => None,
        };
        if added.is_some_and(|word| !self.cut(word)) {
            return false;
        }
        let rest = &printed[end..];
        let mut behind = rest.trim_start_matches([' ', '\n']);
        if behind.starts_with(';') && !behind.starts_with(";;") && !behind.starts_with(";&") {
            behind = behind[1..].trim_start_matches([' ', '\n']);
        } else if behind.starts_with(')') {
            self.trim();
        } else if behind.len() == rest.len() || !rest[..rest.len() - behind.len()].contains('\n') {
            // Something else stands on the line.
            if !behind.starts_with('}') {
                return false;
            }
        }
        match form {
            Form::Default => match behind.strip_prefix(";;") {
                Some(rest) => behind = rest,
                None => return false,
            },
            Form::Close => match behind.strip_prefix('}') {
                Some(rest) => {
                    self.trim();
                    behind = rest;
                }
                None => return false,
            },
            _ => {}
        }
        self.read = printed.len() - behind.len();
        true
    }

    /// Takes a word off the end.
    fn cut(&mut self, word: &str) -> bool {
        let kept = self.text.trim_end().strip_suffix(word).map(str::len);
        if let Some(kept) = kept {
            self.text.truncate(kept);
        }
        kept.is_some()
    }

    /// Takes separators off the end.
    fn trim(&mut self) {
        let kept = self.text.trim_end_matches([' ', '\n', ';']).len();
        self.text.truncate(kept);
    }

    /// Holds the text without probes against the original; an error names the group of the probe
    /// before the difference, if there is one.
    pub(crate) fn against(mut self, printed: &str, original: &str) -> Result<(), Option<u32>> {
        self.text.push_str(&printed[self.read..]);
        let mut own = Marks(self.text.bytes().enumerate().peekable());
        let mut other = Marks(original.bytes().enumerate().peekable());
        loop {
            let (mine, theirs) = (own.next(), other.next());
            match (mine, theirs) {
                (None, None) => return Ok(()),
                (Some((_, mine)), Some((_, theirs))) if mine == theirs => {}
                _ => {
                    let at = mine.map_or(self.text.len(), |(at, _)| at);
                    let before = self.out.iter().rev().find(|(place, _)| *place <= at);
                    return Err(before.or(self.out.first()).map(|(_, group)| *group));
                }
            }
        }
    }
}

/// What counts when texts are compared: no blanks, and one `;` for any run of separators.
struct Marks<I: Iterator<Item = (usize, u8)>>(std::iter::Peekable<I>);

impl<I: Iterator<Item = (usize, u8)>> Iterator for Marks<I> {
    type Item = (usize, u8);

    fn next(&mut self) -> Option<(usize, u8)> {
        while let Some((at, byte)) = self.0.next() {
            match byte {
                b' ' | b'\t' => {}
                b'\n' | b';' => {
                    while self
                        .0
                        .next_if(|(_, next)| b" \t\n;".contains(next))
                        .is_some()
                    {}
                    return Some((at, b';'));
                }
                other => return Some((at, other)),
            }
        }
        None
    }
}

/// Whether a command may begin behind this text.
fn begins(text: &str) -> bool {
    let line = text.trim_end_matches(' ');
    if line.ends_with('&') {
        return !line.ends_with("&&");
    }
    line.is_empty()
        || line.ends_with(['\n', ';', '(', '{'])
        || ["while", "until", "if", "elif", "then", "do", "else"]
            .iter()
            .any(|word| line.ends_with(word))
}

/// The extent of `{ …; } 2> /dev/null` around a probe.
fn silenced(printed: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let before = printed[..start].trim_end().strip_suffix('{')?;
    let behind = printed[end..].trim_start();
    let behind = behind.strip_prefix(';').unwrap_or(behind).trim_start();
    let behind = behind.strip_prefix("} 2> /dev/null")?;
    Some((before.len(), printed.len() - behind.len()))
}

/// Where the words that begin at an offset end, and the blanks behind them.
fn words_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b';' | b'\n' | b')' | b'&' | b'|' | b'<' | b'>' => break,
            b'(' => closed(bytes, at, b')'),
            _ => piece(bytes, at),
        };
    }
    at.min(bytes.len())
}

/// The end of what begins at an offset: a quoted part, an expansion, or one byte.
fn piece(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'\\' => at + 2,
        b'\'' => {
            let length = bytes[at + 1..].iter().position(|&byte| byte == b'\'');
            length.map_or(bytes.len(), |length| at + length + 2)
        }
        b'"' => {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end = match bytes[end] {
                    b'\\' => end + 2,
                    b'$' => piece(bytes, end),
                    _ => end + 1,
                };
            }
            end + 1
        }
        b'$' => match bytes.get(at + 1) {
            Some(b'{') => closed(bytes, at + 1, b'}'),
            Some(b'(') => closed(bytes, at + 1, b')'),
            _ => at + 1,
        },
        _ => at + 1,
    }
}

/// The end of a bracket that opens at an offset.
fn closed(bytes: &[u8], at: usize, close: u8) -> usize {
    let open = bytes[at];
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != close {
        end = if bytes[end] == open {
            closed(bytes, end, close)
        } else {
            piece(bytes, end)
        };
    }
    end + 1
}
