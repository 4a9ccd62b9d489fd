//! Values and endings in few words, for people.
//!
//! Not a format: nothing reads these texts back.

use std::fmt::Write as _;

use tracer_model::{End, Limit, Outcome, Shape, Value};

/// Brackets of the containers whose type need not be named, by type name.
const BRACKETS: &[(&str, &str, &str)] = &[
    ("list", "[", "]"),
    ("tuple", "(", ")"),
    ("set", "{", "}"),
    ("frozenset", "frozenset({", "})"),
    ("dict", "{", "}"),
    ("Array", "[", "]"),
    ("Object", "{", "}"),
];

/// Characters of `, … 100 in all`.
const REST: usize = 14;

/// Arguments as they were passed: by place, by keyword (`indent=2`), or spread (`*xs`).
pub(crate) fn labelled(names: &[String], values: impl Iterator<Item = String>) -> String {
    let mut names = names.iter();
    let each = values.map(|value| match names.next() {
        Some(name) if name.ends_with(['*', '.']) => format!("{name}{value}"),
        Some(name) if !name.is_empty() => format!("{name}={value}"),
        _ => value,
    });
    each.collect::<Vec<_>>().join(", ")
}

/// A value in about `limit` characters, and at least its kind.
pub fn short(value: &Value, limit: usize) -> String {
    let mut referenced = Vec::new();
    references(value, &mut referenced);
    let mut writer = Writer {
        out: String::new(),
        left: limit,
        referenced,
    };
    writer.value(value);
    writer.out
}

/// Cuts a text to a number of characters, the last being `…` if any are lost.
pub fn cut(text: &str, limit: usize) -> String {
    if text.char_indices().nth(limit).is_none() {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// What a writing function writes, as a text.
pub(crate) fn collect(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn references(value: &Value, found: &mut Vec<u32>) {
    match &value.shape {
        Shape::Reference => found.extend(value.id),
        Shape::Sequence { items } | Shape::Set { items } => {
            for item in items {
                references(item, found);
            }
        }
        Shape::Map { entries } => {
            for (key, value) in entries {
                references(key, found);
                references(value, found);
            }
        }
        Shape::Record { fields } => {
            for (_, value) in fields {
                references(value, found);
            }
        }
        _ => {}
    }
}

struct Writer {
    out: String,
    left: usize,
    referenced: Vec<u32>,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.left = self.left.saturating_sub(text.chars().count());
        self.out.push_str(text);
    }

    fn value(&mut self, value: &Value) {
        if let Some(id) = value.id.filter(|id| self.referenced.contains(id))
            && value.shape != Shape::Reference
        {
            self.put(&format!("#{id} "));
        }
        match &value.shape {
            Shape::Null | Shape::Bool | Shape::Int | Shape::Float => {
                let text = if value.text.is_empty() {
                    "null"
                } else {
                    &value.text
                };
                let shown = cut(text, self.left.max(24));
                self.put(&shown);
            }
            Shape::String if value.length.is_none() => self.put(&quoted(&value.text, '\'')),
            Shape::String => self.quote(value, ""),
            Shape::Bytes => self.quote(value, "b"),
            Shape::Enum => self.put(&cut(&value.text, self.left.max(24))),
            Shape::Function => {
                self.put("function ");
                self.put(&cut(&value.text, self.left.max(24)));
            }
            Shape::Reference => match value.id {
                Some(id) => self.put(&format!("↑#{id}")),
                None => self.put("↑"),
            },
            Shape::Opaque => {
                let shown = if value.text.is_empty() {
                    &value.type_name
                } else {
                    &value.text
                };
                self.put(&format!("<{}>", cut(shown, self.left.max(24))));
            }
            Shape::Unbound => self.put("(unbound)"),
            Shape::Sequence { items } => {
                let (open, close) = brackets(&value.type_name, "[", "]");
                self.list(value, &open, close, items, Self::value);
            }
            Shape::Set { items } => {
                let (open, close) = brackets(&value.type_name, "{", "}");
                self.list(value, &open, close, items, Self::value);
            }
            Shape::Map { entries } => {
                let (open, close) = brackets(&value.type_name, "{", "}");
                self.list(value, &open, close, entries, |writer, (key, value)| {
                    writer.value(key);
                    writer.put(": ");
                    writer.value(value);
                });
            }
            Shape::Record { fields } => {
                if let [(name, target)] = &fields[..]
                    && name == "*"
                {
                    self.put("&");
                    self.value(target);
                    return;
                }
                let (open, close) = brackets(&value.type_name, "{", "}");
                self.list(value, &open, close, fields, |writer, (name, value)| {
                    writer.put(&format!("{name}: "));
                    writer.value(value);
                });
            }
        }
    }

    fn quote(&mut self, value: &Value, prefix: &str) {
        let limit = self.left.saturating_sub(2 + prefix.len()).max(8);
        let shown = cut(&value.text, limit);
        let whole = shown == value.text && value.cut.is_none();
        let mut text = format!("{prefix}{}", quoted(&shown, '"'));
        if !whole {
            if !shown.ends_with('…') {
                text.insert(text.len() - 1, '…');
            }
            if let Some(length) = value.length {
                write!(text, " ({length})").expect("writing to a string does not fail");
            }
        }
        self.put(&text);
    }

    fn list<T>(
        &mut self,
        value: &Value,
        open: &str,
        close: &str,
        items: &[T],
        mut each: impl FnMut(&mut Self, &T),
    ) {
        if self.left < 8 && !items.is_empty() {
            self.put(&format!("{open}…{close}"));
            return;
        }
        self.put(open);
        let mut shown = 0;
        let length = value.length.unwrap_or(items.len() as u64);
        for item in items {
            if shown > 0 && self.left < 6 {
                break;
            }
            if shown > 0 {
                self.put(", ");
            }
            shown += 1;
            // Room to say that there is more.
            let reserved = if length > shown {
                REST.min(self.left)
            } else {
                0
            };
            self.left -= reserved;
            each(self, item);
            self.left += reserved;
        }
        if length > shown {
            let more = if shown == 0 { "" } else { ", " };
            self.put(&format!("{more}… {length} in all"));
        }
        self.put(close);
    }
}

fn brackets(type_name: &str, open: &str, close: &'static str) -> (String, &'static str) {
    match BRACKETS.iter().find(|(name, _, _)| *name == type_name) {
        Some((_, open, close)) => ((*open).to_owned(), close),
        // `int[4]`: the length shows, and the element type with it.
        None if type_name.is_empty() || type_name.ends_with(']') => (open.to_owned(), close),
        None => (format!("{type_name}{open}"), close),
    }
}

fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            character if character == quote => out.extend(['\\', quote]),
            character if character.is_control() => {
                write!(out, "\\u{{{:x}}}", u32::from(character))
                    .expect("writing to a string does not fail");
            }
            character => out.push(character),
        }
    }
    out.push(quote);
    out
}

/// A text safe to show on a terminal: control characters but tab become visible.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => '\t',
            '\u{7f}' => '\u{2421}',
            character if (character as u32) < 0x20 => {
                char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}')
            }
            character if character.is_control() => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// How a run ended, as one line.
pub fn ending(outcome: &Outcome) -> String {
    match &outcome.end {
        End::Exited { code } => format!("exited with status {code}"),
        End::Signaled { name, .. } => match meaning(name) {
            Some(meaning) => format!("killed by {name} ({meaning})"),
            None => format!("killed by {name}"),
        },
        End::Limited { limit } => format!("stopped: {} limit reached", limit_words(*limit)),
        End::BuildFailed { code, .. } => format!("did not build (compiler status {code})"),
    }
}

fn meaning(signal: &str) -> Option<&'static str> {
    Some(match signal {
        "SIGSEGV" => "segmentation fault",
        "SIGABRT" => "aborted",
        "SIGFPE" => "arithmetic error",
        "SIGILL" => "illegal instruction",
        "SIGBUS" => "bus error",
        "SIGKILL" => "killed",
        "SIGTERM" => "terminated",
        "SIGINT" => "interrupted",
        "SIGPIPE" => "broken pipe",
        "SIGALRM" => "alarm clock",
        _ => return None,
    })
}

/// A limit in words.
pub fn limit_words(limit: Limit) -> &'static str {
    match limit {
        Limit::Cpu => "CPU time",
        Limit::Wall => "time",
        Limit::Memory => "memory",
        Limit::Processes => "process",
        Limit::FileSize => "file size",
        Limit::Disk => "disk",
        Limit::Output => "output",
    }
}

/// Whether a write only gives a definition its own name.
pub(crate) fn is_definition(name: &str, value: &Value) -> bool {
    let own = value.text.rsplit(['.', ':', '#']).next().unwrap_or("");
    match value.shape {
        Shape::Function => own == name,
        Shape::Opaque => own == name || (value.text.is_empty() && value.type_name == name),
        _ => false,
    }
}
