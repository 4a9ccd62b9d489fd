//! What a language calls its basic types and constants, for values whose type the stream leaves
//! to the reader.
//!
//! Only names: how a value is captured is the emitter's business.

/// Type names of the value kinds that carry none of their own, and the words for the constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeNames {
    /// `NoneType`, `null`, `void *`.
    pub null: &'static str,
    /// JavaScript's second null; elsewhere unused.
    pub undefined: &'static str,
    /// Truth values.
    pub boolean: &'static str,
    /// Integers that fit 64 bits.
    pub integer: &'static str,
    /// Integers of any size, sent as text.
    pub big_integer: &'static str,
    /// Unsigned integers.
    pub unsigned: &'static str,
    /// Binary floats of 64 bits.
    pub float: &'static str,
    /// Binary floats of 32 bits.
    pub float32: &'static str,
    /// One character.
    pub character: &'static str,
    /// Text.
    pub string: &'static str,
    /// Raw bytes.
    pub bytes: &'static str,
    /// Anything callable.
    pub function: &'static str,
    /// How the language writes its null, e.g. `None`.
    pub null_text: &'static str,
    /// How it writes true.
    pub true_text: &'static str,
    /// How it writes false.
    pub false_text: &'static str,
}

impl TypeNames {
    /// Names of no language in particular; a language's own table is best written as
    /// `TypeNames { null: …, ..TypeNames::NEUTRAL }`.
    pub const NEUTRAL: Self = Self {
        null: "null",
        undefined: "undefined",
        boolean: "bool",
        integer: "int",
        big_integer: "int",
        unsigned: "uint",
        float: "float",
        float32: "float32",
        character: "char",
        string: "string",
        bytes: "bytes",
        function: "function",
        null_text: "null",
        true_text: "true",
        false_text: "false",
    };
}

impl Default for TypeNames {
    fn default() -> Self {
        Self::NEUTRAL
    }
}
