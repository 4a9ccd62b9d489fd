//! A captured value, described the same way for every language.
//!
//! Emitters capture within limits and without running the subject's code; this module only
//! describes the result.

use serde::{Deserialize, Serialize};

/// What a value is, independent of language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// `None`, `null`, `undefined`, a null pointer; the text is the language's word.
    Null,
    /// True or false, in the language's word.
    Bool,
    /// An integer of any size; the text is exact decimal.
    Int,
    /// A binary float; the text is the shortest that reads back equal, or `nan`, `inf`, `-0.0`.
    Float,
    /// Text.
    String,
    /// Raw bytes; the text is escaped.
    Bytes,
    /// An ordered container.
    Sequence {
        /// The elements shown, in order.
        items: Vec<Value>,
    },
    /// Keys and values. Unordered maps are sorted by key text.
    Map {
        /// The entries shown.
        entries: Vec<(Value, Value)>,
    },
    /// An unordered container, sorted by text.
    Set {
        /// The elements shown.
        items: Vec<Value>,
    },
    /// Named fields: an object, struct or union. What a pointer points at is its one field `*`.
    Record {
        /// The fields shown, in declaration or insertion order.
        fields: Vec<(String, Value)>,
    },
    /// A member of an enumeration; the text is its name.
    Enum,
    /// Something callable; the text is its qualified name.
    Function,
    /// An object shown before in the same value; `Value::id` says which.
    Reference,
    /// Anything else: only its type (and text, where harmless) is known.
    Opaque,
    /// A name that has no value: deleted, unbound or uninitialised.
    Unbound,
}

/// A value at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Type name as the language prints it, e.g. `int`, `Array`, `unsigned char`.
    pub type_name: String,
    /// What it is, with its parts.
    pub shape: Shape,
    /// Canonical text of a scalar; empty for containers.
    pub text: String,
    /// Length of the whole: elements, characters (strings) or bytes. `None` for scalars.
    pub length: Option<u64>,
    /// A digest of the whole where `text` or the parts are cut, as 16 hex digits; empty when the
    /// emitter could not afford one.
    pub cut: Option<String>,
    /// Identity of a heap object, numbered by first appearance in the trace.
    pub id: Option<u32>,
}

impl Value {
    /// A value without parts, length or identity.
    pub fn scalar(type_name: impl Into<String>, shape: Shape, text: impl Into<String>) -> Self {
        Self {
            type_name: type_name.into(),
            shape,
            text: text.into(),
            length: None,
            cut: None,
            id: None,
        }
    }
}
