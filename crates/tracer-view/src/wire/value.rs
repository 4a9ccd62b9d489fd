//! Values in JSON.

use serde::{Deserialize, Serialize};
use tracer_model as model;
use tracer_model::Shape;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the model's `Shape` describes each")]
pub enum ValueKind {
    Null,
    Bool,
    Int,
    Float,
    String,
    Bytes,
    Sequence,
    Map,
    Set,
    Record,
    Enum,
    Function,
    Reference,
    Opaque,
    Unbound,
}

/// A value. Only the part that fits its kind is present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Value {
    /// Type name as the language prints it.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub type_name: String,
    /// What it is.
    pub kind: ValueKind,
    /// Canonical text of a scalar.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Length of the whole: elements, characters or bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Present where something is left out: digest of the whole, or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Identity of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// Elements of a sequence or set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Value>>,
    /// Entries of a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<(Value, Value)>>,
    /// Fields of a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<(String, Value)>>,
}

impl From<&model::Value> for Value {
    fn from(value: &model::Value) -> Self {
        let (mut items, mut entries, mut fields) = (None, None, None);
        let kind = match &value.shape {
            Shape::Null => ValueKind::Null,
            Shape::Bool => ValueKind::Bool,
            Shape::Int => ValueKind::Int,
            Shape::Float => ValueKind::Float,
            Shape::String => ValueKind::String,
            Shape::Bytes => ValueKind::Bytes,
            Shape::Sequence { items: shown } => {
                items = Some(super::all(shown));
                ValueKind::Sequence
            }
            Shape::Set { items: shown } => {
                items = Some(super::all(shown));
                ValueKind::Set
            }
            Shape::Map { entries: shown } => {
                let pairs = shown.iter().map(|(key, value)| (key.into(), value.into()));
                entries = Some(pairs.collect());
                ValueKind::Map
            }
            Shape::Record { fields: shown } => {
                fields = Some(named(shown));
                ValueKind::Record
            }
            Shape::Enum => ValueKind::Enum,
            Shape::Function => ValueKind::Function,
            Shape::Reference => ValueKind::Reference,
            Shape::Opaque => ValueKind::Opaque,
            Shape::Unbound => ValueKind::Unbound,
        };
        Self {
            type_name: value.type_name.clone(),
            kind,
            text: value.text.clone(),
            length: value.length,
            cut: value.cut.clone(),
            id: value.id,
            items,
            entries,
            fields,
        }
    }
}

impl From<Value> for model::Value {
    fn from(wire: Value) -> Self {
        let items = || super::back(wire.items.unwrap_or_default());
        let shape = match wire.kind {
            ValueKind::Null => Shape::Null,
            ValueKind::Bool => Shape::Bool,
            ValueKind::Int => Shape::Int,
            ValueKind::Float => Shape::Float,
            ValueKind::String => Shape::String,
            ValueKind::Bytes => Shape::Bytes,
            ValueKind::Sequence => Shape::Sequence { items: items() },
            ValueKind::Set => Shape::Set { items: items() },
            ValueKind::Map => {
                let entries = wire.entries.unwrap_or_default();
                let pairs = entries
                    .into_iter()
                    .map(|(key, value)| (key.into(), value.into()));
                Shape::Map {
                    entries: pairs.collect(),
                }
            }
            ValueKind::Record => Shape::Record {
                fields: unnamed(wire.fields.unwrap_or_default()),
            },
            ValueKind::Enum => Shape::Enum,
            ValueKind::Function => Shape::Function,
            ValueKind::Reference => Shape::Reference,
            ValueKind::Opaque => Shape::Opaque,
            ValueKind::Unbound => Shape::Unbound,
        };
        Self {
            type_name: wire.type_name,
            shape,
            text: wire.text,
            length: wire.length,
            cut: wire.cut,
            id: wire.id,
        }
    }
}

pub(crate) fn named(values: &[(String, model::Value)]) -> Vec<(String, Value)> {
    values
        .iter()
        .map(|(name, value)| (name.clone(), value.into()))
        .collect()
}

pub(crate) fn unnamed(values: Vec<(String, Value)>) -> Vec<(String, model::Value)> {
    values
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect()
}
