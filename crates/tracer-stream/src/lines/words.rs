//! Values of the text form: shell words, with a mark in front that says what they are.
//!
//! Understands what `printf %q` and `set -x` write, not the shell's language.

use crate::Malformed;

/// Elements of one line at most; budgets ask for far fewer.
const MAX_ELEMENTS: usize = 4096;
/// Levels of containers. Shells have one.
const MAX_DEPTH: usize = 4;

/// A value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// `=word`, or `~length=word` where the word is only its beginning.
    Text { text: Vec<u8>, total: Option<u64> },
    /// `#number`.
    Int(i64),
    /// `!`.
    Unbound,
    /// `?name`: a value that could not be had without changing something; the name says of what.
    Opaque(Vec<u8>),
    /// `+count`: further values that are not shown.
    More(Vec<u8>),
    /// `(length item… )`.
    Sequence { length: u64, items: Vec<Value> },
    /// `{length key value… }`.
    Map {
        length: u64,
        entries: Vec<(Value, Value)>,
    },
}

/// Reads all values of a line.
pub(super) fn values(text: &[u8], into: &mut Vec<Value>) -> Result<(), Malformed> {
    let mut reader = Words {
        text,
        at: 0,
        count: 0,
    };
    while let Some(value) = reader.value(0)? {
        into.push(value);
    }
    if reader.at < text.len() {
        return Err(Malformed::Kind(text[reader.at]));
    }
    Ok(())
}

/// Splits the words of a command.
pub(super) fn split(text: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut reader = Words {
        text,
        at: 0,
        count: 0,
    };
    let mut words = Vec::new();
    loop {
        reader.spaces();
        if reader.at >= text.len() {
            return Ok(words);
        }
        reader.one_more()?;
        words.push(reader.word()?);
    }
}

/// Whether a word can be the name of a command rather than a keyword or an assignment.
pub(super) fn is_name(word: &[u8]) -> bool {
    let plain = word
        .iter()
        .all(|&byte| byte.is_ascii_alphanumeric() || b"_-./:+%,@".contains(&byte));
    plain && !word.is_empty() && !matches!(word, b"for" | b"case" | b"select" | b"((" | b"[[")
}

/// A decimal number without a sign.
pub(super) fn number(text: &[u8]) -> Result<u64, Malformed> {
    let text = std::str::from_utf8(text).map_err(|_| Malformed::OutOfRange)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::OutOfRange);
    }
    text.parse().map_err(|_| Malformed::Overlong)
}

struct Words<'t> {
    text: &'t [u8],
    at: usize,
    count: usize,
}

impl Words<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn one_more(&mut self) -> Result<(), Malformed> {
        self.count += 1;
        if self.count > MAX_ELEMENTS {
            return Err(Malformed::OutOfRange);
        }
        Ok(())
    }

    /// The next value; `None` at the end of the line or of a container.
    fn value(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        self.spaces();
        let Some(mark) = self.peek().filter(|mark| !b")}".contains(mark)) else {
            return Ok(None);
        };
        self.one_more()?;
        if depth > MAX_DEPTH {
            return Err(Malformed::Depth);
        }
        self.at += 1;
        let value = match mark {
            b'=' => Value::Text {
                text: self.word()?,
                total: None,
            },
            b'~' => {
                let total = self.digits()?;
                self.expect(b'=')?;
                Value::Text {
                    text: self.word()?,
                    total: Some(total),
                }
            }
            b'#' => {
                let negative = self.peek() == Some(b'-');
                self.at += usize::from(negative);
                let number = i64::try_from(self.digits()?).map_err(|_| Malformed::OutOfRange)?;
                Value::Int(if negative { -number } else { number })
            }
            b'!' => Value::Unbound,
            b'?' => Value::Opaque(self.word()?),
            b'+' => {
                let count = self.digits()?;
                Value::More(count.to_string().into_bytes())
            }
            b'(' => {
                let length = self.digits()?;
                let mut items = Vec::new();
                while let Some(item) = self.value(depth + 1)? {
                    items.push(item);
                }
                self.expect(b')')?;
                Value::Sequence { length, items }
            }
            b'{' => {
                let length = self.digits()?;
                let mut entries = Vec::new();
                while let Some(key) = self.value(depth + 1)? {
                    let value = self.value(depth + 1)?.ok_or(Malformed::Truncated)?;
                    entries.push((key, value));
                }
                self.expect(b'}')?;
                Value::Map { length, entries }
            }
            other => return Err(Malformed::Kind(other)),
        };
        Ok(Some(value))
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed::Truncated);
        }
        self.at += 1;
        Ok(())
    }

    fn digits(&mut self) -> Result<u64, Malformed> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        number(&self.text[start..self.at])
    }

    /// A word up to the next space outside quotes, without its quotes.
    fn word(&mut self) -> Result<Vec<u8>, Malformed> {
        let mut word = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' => break,
                b'\\' => {
                    let next = self.text.get(self.at + 1).ok_or(Malformed::Truncated)?;
                    word.push(*next);
                    self.at += 2;
                }
                b'\'' => {
                    self.at += 1;
                    let length = self.text[self.at..]
                        .iter()
                        .position(|&byte| byte == b'\'')
                        .ok_or(Malformed::Truncated)?;
                    word.extend_from_slice(&self.text[self.at..self.at + length]);
                    self.at += length + 1;
                }
                b'$' if self.text.get(self.at + 1) == Some(&b'\'') => {
                    self.at += 2;
                    self.escaped(&mut word)?;
                }
                other => {
                    word.push(other);
                    self.at += 1;
                }
            }
        }
        Ok(word)
    }

    /// The inside of `$'…'`.
    fn escaped(&mut self, word: &mut Vec<u8>) -> Result<(), Malformed> {
        loop {
            let byte = self.peek().ok_or(Malformed::Truncated)?;
            self.at += 1;
            match byte {
                b'\'' => return Ok(()),
                b'\\' => self.escape(word)?,
                other => word.push(other),
            }
        }
    }

    fn escape(&mut self, word: &mut Vec<u8>) -> Result<(), Malformed> {
        let byte = self.peek().ok_or(Malformed::Truncated)?;
        self.at += 1;
        let plain = match byte {
            b'a' => 7,
            b'b' => 8,
            b'e' | b'E' => 27,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                self.at -= 1;
                return self.code(word, 8, 3);
            }
            b'x' => return self.code(word, 16, 2),
            b'u' => return self.code(word, 16, 4),
            b'U' => return self.code(word, 16, 8),
            other => other,
        };
        word.push(plain);
        Ok(())
    }

    fn code(&mut self, word: &mut Vec<u8>, radix: u32, most: usize) -> Result<(), Malformed> {
        let mut code = 0u32;
        let mut digits = 0;
        while digits < most
            && let Some(digit) = self
                .peek()
                .and_then(|byte| char::from(byte).to_digit(radix))
        {
            code = code.wrapping_mul(radix).wrapping_add(digit);
            self.at += 1;
            digits += 1;
        }
        if digits == 0 {
            return Err(Malformed::Truncated);
        }
        if most <= 3 {
            word.push(code as u8);
        } else {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            word.extend(character.encode_utf8(&mut [0; 4]).bytes());
        }
        Ok(())
    }
}
