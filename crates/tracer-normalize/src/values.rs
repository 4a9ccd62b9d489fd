//! Raw values become [`Value`]s: type names supplied, names looked up, identities numbered,
//! unordered containers sorted.

use std::fmt::Write as _;

use tracer_model::{Shape, TypeNames, Value};
use tracer_stream::{RawItems, RawText, RawValue};

use crate::heap::Heap;
use crate::names::Names;

/// What a conversion needs.
pub(crate) struct Converter<'a> {
    pub(crate) names: &'a Names,
    pub(crate) types: &'a TypeNames,
    pub(crate) heap: &'a mut Heap,
    pub(crate) next_identity: &'a mut u32,
}

impl Converter<'_> {
    pub(crate) fn value(&mut self, raw: &RawValue<'_>) -> Value {
        let types = self.types;
        match raw {
            RawValue::Null => Value::scalar(types.null, Shape::Null, types.null_text),
            RawValue::Undefined => Value::scalar(types.undefined, Shape::Null, types.undefined),
            RawValue::Bool(true) => Value::scalar(types.boolean, Shape::Bool, types.true_text),
            RawValue::Bool(false) => Value::scalar(types.boolean, Shape::Bool, types.false_text),
            RawValue::Int(value) => Value::scalar(types.integer, Shape::Int, value.to_string()),
            RawValue::Uint(value) => Value::scalar(types.unsigned, Shape::Int, value.to_string()),
            RawValue::BigInt(text) => {
                Value::scalar(types.big_integer, Shape::Int, String::from_utf8_lossy(text))
            }
            RawValue::Float(value) => {
                Value::scalar(types.float, Shape::Float, float_text(format!("{value:?}")))
            }
            RawValue::Float32(value) => Value::scalar(
                types.float32,
                Shape::Float,
                float_text(format!("{value:?}")),
            ),
            RawValue::Character(point) => {
                let text = char::from_u32(*point)
                    .map_or_else(|| format!("\\u{{{point:x}}}"), String::from);
                Value::scalar(types.character, Shape::String, text)
            }
            RawValue::String(text) => Value {
                length: Some(text.total),
                cut: text.digest.map(digest_text),
                ..Value::scalar(types.string, Shape::String, whole_characters(text))
            },
            RawValue::Bytes(text) => Value {
                length: Some(text.total),
                cut: text.digest.map(digest_text),
                ..Value::scalar(
                    types.bytes,
                    Shape::Bytes,
                    text.shown.escape_ascii().to_string(),
                )
            },
            RawValue::Function { name } => {
                Value::scalar(types.function, Shape::Function, self.names.text(*name))
            }
            RawValue::Unbound => Value::scalar("", Shape::Unbound, ""),
            RawValue::Typed { type_id, value } => {
                let type_name = self.names.text(*type_id).to_owned();
                Value {
                    type_name,
                    ..self.value(value)
                }
            }
            RawValue::Sequence(raw) => self.container(raw, |converter| Shape::Sequence {
                items: raw.items.iter().map(|item| converter.value(item)).collect(),
            }),
            RawValue::Set(raw) => self.container(raw, |converter| {
                let order = converter.order(&raw.items, true, |item| item);
                Shape::Set {
                    items: order
                        .into_iter()
                        .map(|at| converter.value(&raw.items[at]))
                        .collect(),
                }
            }),
            RawValue::Map(raw) => self.container(raw, |converter| {
                let order = converter.order(&raw.items, raw.unordered, |(key, _)| key);
                let mut entries = Vec::with_capacity(order.len());
                for at in order {
                    let (key, value) = &raw.items[at];
                    entries.push((converter.value(key), converter.value(value)));
                }
                Shape::Map { entries }
            }),
            RawValue::Record(raw) => self.container(raw, |converter| {
                let mut fields = Vec::with_capacity(raw.items.len());
                for (name, value) in &raw.items {
                    fields.push((
                        converter.names.text(*name).to_owned(),
                        converter.value(value),
                    ));
                }
                Shape::Record { fields }
            }),
            RawValue::Reference { heap } => Value {
                id: self.heap.known(*heap),
                ..Value::scalar("", Shape::Reference, "")
            },
            RawValue::Opaque {
                type_id,
                heap,
                text,
            } => Value {
                id: self
                    .heap
                    .number(*heap, self.names.text(*type_id), self.next_identity),
                ..Value::scalar(
                    self.names.text(*type_id),
                    Shape::Opaque,
                    String::from_utf8_lossy(text),
                )
            },
            RawValue::Enum {
                type_id,
                name,
                value: _,
            } => Value::scalar(
                self.names.text(*type_id),
                Shape::Enum,
                self.names.text(*name),
            ),
            RawValue::Pointer {
                type_id, heap: 0, ..
            } => Value::scalar(self.names.text(*type_id), Shape::Null, types.null_text),
            RawValue::Pointer {
                type_id,
                heap,
                target,
            } => {
                let id = self
                    .heap
                    .number(*heap, self.names.text(*type_id), self.next_identity);
                let shape = match target {
                    Some(target) => Shape::Record {
                        fields: vec![("*".to_owned(), self.value(target))],
                    },
                    None => Shape::Opaque,
                };
                Value {
                    id,
                    ..Value::scalar(self.names.text(*type_id), shape, "")
                }
            }
        }
    }

    fn container<T>(&mut self, raw: &RawItems<T>, shape: impl FnOnce(&mut Self) -> Shape) -> Value {
        // The container before its parts: numbers follow the order of reading.
        let id = self
            .heap
            .number(raw.heap, self.names.text(raw.type_id), self.next_identity);
        let shape = shape(self);
        Value {
            id,
            length: Some(raw.length),
            cut: raw.digest.map(digest_text),
            ..Value::scalar(self.names.text(raw.type_id), shape, "")
        }
    }

    /// The order to show items in. Sorting comes before numbering, so that neither depends on the
    /// other, and knows no addresses.
    fn order<T>(
        &self,
        items: &[T],
        unordered: bool,
        key: impl for<'i> Fn(&'i T) -> &'i RawValue<'i>,
    ) -> Vec<usize> {
        let mut order: Vec<usize> = (0..items.len()).collect();
        if unordered {
            order.sort_by_cached_key(|&at| {
                let mut text = String::new();
                let number = self.sort_text(key(&items[at]), &mut text);
                (number, text)
            });
        }
        order
    }

    /// Writes a text that tells values apart, and gives what numbers sort by.
    fn sort_text(&self, raw: &RawValue<'_>, out: &mut String) -> SortNumber {
        let mut number = SortNumber::None;
        match raw {
            RawValue::Int(value) => number = SortNumber::Int(i128::from(*value)),
            RawValue::Uint(value) => number = SortNumber::Int(i128::from(*value)),
            RawValue::Float(value) => put(out, format_args!("{value:?}")),
            RawValue::Float32(value) => put(out, format_args!("{value:?}")),
            RawValue::BigInt(text) => out.push_str(&String::from_utf8_lossy(text)),
            RawValue::String(text) => out.push_str(&String::from_utf8_lossy(text.shown)),
            RawValue::Bytes(text) => out.push_str(&text.shown.escape_ascii().to_string()),
            RawValue::Function { name } => out.push_str(self.names.text(*name)),
            RawValue::Character(point) => number = SortNumber::Int(i128::from(*point)),
            RawValue::Null => out.push('n'),
            RawValue::Undefined => out.push('u'),
            RawValue::Unbound => out.push('-'),
            RawValue::Bool(value) => out.push(if *value { 't' } else { 'f' }),
            RawValue::Typed { type_id, value } => {
                out.push_str(self.names.text(*type_id));
                number = self.sort_text(value, out);
            }
            RawValue::Sequence(raw) => self.sort_items(raw, out, Self::sort_text_of),
            RawValue::Set(raw) => {
                let order = self.order(&raw.items, true, |item| item);
                out.push('{');
                for at in order {
                    self.sort_text_of(&raw.items[at], out);
                    out.push(',');
                }
            }
            RawValue::Map(raw) => {
                for at in self.order(&raw.items, raw.unordered, |(key, _)| key) {
                    self.sort_text_of(&raw.items[at].0, out);
                    out.push(':');
                    self.sort_text_of(&raw.items[at].1, out);
                    out.push(',');
                }
            }
            RawValue::Record(raw) => self.sort_items(raw, out, |this, (name, value), out| {
                out.push_str(this.names.text(*name));
                this.sort_text_of(value, out);
            }),
            RawValue::Opaque { type_id, text, .. } => {
                out.push_str(self.names.text(*type_id));
                out.push_str(&String::from_utf8_lossy(text));
            }
            RawValue::Enum { type_id, name, .. } => {
                out.push_str(self.names.text(*type_id));
                out.push_str(self.names.text(*name));
            }
            RawValue::Pointer {
                type_id, target, ..
            } => {
                out.push_str(self.names.text(*type_id));
                if let Some(target) = target {
                    self.sort_text_of(target, out);
                }
            }
            RawValue::Reference { .. } => out.push('&'),
        }
        number
    }

    fn sort_text_of(&self, raw: &RawValue<'_>, out: &mut String) {
        if let SortNumber::Int(value) = self.sort_text(raw, out) {
            put(out, format_args!("{value}"));
        }
    }

    fn sort_items<T>(
        &self,
        raw: &RawItems<T>,
        out: &mut String,
        each: impl Fn(&Self, &T, &mut String),
    ) {
        out.push_str(self.names.text(raw.type_id));
        for item in &raw.items {
            each(self, item, out);
            out.push(',');
        }
    }
}

/// Numbers in order of size, before everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SortNumber {
    Int(i128),
    None,
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string does not fail");
}

fn float_text(text: String) -> String {
    if text == "NaN" {
        "nan".to_owned()
    } else {
        text
    }
}

fn digest_text(digest: u64) -> String {
    if digest == 0 {
        String::new()
    } else {
        format!("{digest:016x}")
    }
}

/// The text without a character that the cut went through.
fn whole_characters(text: &RawText<'_>) -> String {
    let shown = text.shown;
    match std::str::from_utf8(shown) {
        Ok(valid) => valid.to_owned(),
        Err(error) if text.digest.is_some() && error.error_len().is_none() => {
            String::from_utf8_lossy(&shown[..error.valid_up_to()]).into_owned()
        }
        Err(_) => String::from_utf8_lossy(shown).into_owned(),
    }
}
