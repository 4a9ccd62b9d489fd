//! The attack suite: hostile programs, each run first in a throwaway sandbox where only the wall
//! that stops it is missing, and there it must succeed; then behind all walls, where it must not.
//!
//! The programs are in `fixtures/hostile`, each with a header that says what it tries. Nothing
//! here runs on the bare machine: every run is inside disposable namespaces of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "the sandbox is the thing tested here: what surrounds it is not started by it"
)]

mod case;
#[path = "../../../fuzz/bodies/copy_out.rs"]
#[allow(unsafe_code, clippy::pedantic, unreachable_pub, missing_docs)] // written for the fuzzer
mod copy_out_body;
mod drive;
mod faults;
mod module;
mod outer;
mod program;
mod report;
mod snapshot;
mod soak;
mod table;
mod worker;

pub use case::{Case, Mode, Shows, cases};
pub use faults::Faults;
pub use module::{NoModule, module, use_machine};
pub use outer::{copy_out_seeds, faults, soak, stage};
pub use program::{prepare, repository};
pub use report::{Report, judge};
pub use snapshot::Snapshot;
pub use soak::Account;
pub use table::{Cell, write_table};
pub use worker::attack;
