//! The JSON form of a trace, apart from the internal types: these structs are the promise.
//!
//! Change them only with the schema version: an added optional field or kind is a new minor
//! version, everything else a new major one. `schema/` holds the generated JSON Schema.

pub mod event;
pub mod run;
#[cfg(test)]
mod schema;
pub mod table;
pub mod value;

pub use event::{Event, Place};
pub use run::{Footer, Header};
pub use value::{Value, ValueKind};

/// Two plain enums with the same variants, one to one.
macro_rules! mirror {
    ($(#[$meta:meta])* $name:ident = $model:path { $($(#[$variant_meta:meta])* $variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the model's enum of this name describes each variant")]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl From<$model> for $name {
            fn from(model: $model) -> Self {
                match model { $(<$model>::$variant => Self::$variant,)* }
            }
        }

        impl From<$name> for $model {
            fn from(wire: $name) -> Self {
                match wire { $($name::$variant => Self::$variant,)* }
            }
        }
    };
}
pub(crate) use mirror;

/// Converts each element.
pub(crate) fn all<'a, A: 'a, B: From<&'a A>>(from: &'a [A]) -> Vec<B> {
    from.iter().map(B::from).collect()
}

/// Converts each element back.
pub(crate) fn back<A, B: From<A>>(from: Vec<A>) -> Vec<B> {
    from.into_iter().map(B::from).collect()
}
