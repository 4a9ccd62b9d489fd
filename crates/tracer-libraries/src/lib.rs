//! What programs import, and where that comes from.
//!
//! ```text
//! source ─▶ imports ─▶ classify ─▶ standard library | local file | third party ─▶ layers
//! ```
//!
//! Finding and classifying imports is pure: it reads a file's text, and asks the caller about files
//! beside it. What a language's imports look like is data in the language's own folder
//! ([`tracer_instrument::Imports`]); nothing here knows one language from another.

pub mod catalogue;
pub mod classify;
pub mod error;
pub mod hints;
pub mod imports;
pub mod packages;
pub mod page;
pub mod verify;

pub use catalogue::{Catalogue, Entry};
pub use classify::{Around, Needs, Origin, Resolved, classify};
pub use error::LibrariesError;
pub use hints::{Hint, Manifest};
pub use imports::{Import, Kind, imports};
