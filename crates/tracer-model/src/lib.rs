//! The words every other crate speaks: sites, values, events, outcomes and traces.
//!
//! Plain data with `serde` derives and no behaviour beyond small accessors. It does no I/O, and
//! knows no language, no byte format and no operating system.
//!
//! Invariant: nothing in here iterates a hash map; order is output.

pub mod coverage;
pub mod event;
pub mod outcome;
pub mod phrase;
pub mod site;
pub mod trace;
pub mod type_names;
pub mod value;

pub use coverage::{Coverage, Dropped, TraceFault};
pub use event::{Arm, ErrPhase, Event, Frame, LoopPhase, Payload, Raised, TaskPhase};
pub use outcome::{End, Limit, Limits, Outcome, Protection, Usage};
pub use phrase::{Hole, Phrase, Printable};
pub use site::{Chain, Detail, Function, FunctionKind, Kind, Site, SiteTable, SourceFile, Span};
pub use trace::{Budget, Environment, SCHEMA_VERSION, Trace};
pub use type_names::TypeNames;
pub use value::{Shape, Value};
