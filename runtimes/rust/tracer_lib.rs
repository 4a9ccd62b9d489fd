//! The Rust emitter: writes what probes report into the shared trace channel.
//!
//! The byte format is tracer-stream's FORMAT.md. It is compiled once, apart from the program. Of the
//! unstable features it needs specialisation, so that a probe takes a value of any type whatever,
//! without a bound that could settle or break the program's own inference. It takes no lock, calls
//! nothing that allocates, and keeps recorded events nowhere but in the channel.
#![feature(specialization, allow_internal_unstable, thread_local)]
#![allow(incomplete_features, internal_features, static_mut_refs, clippy::all)]

#[path = "tracer_channel.rs"]
mod channel;
#[cfg_attr(target_family = "wasm", path = "tracer_module.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "tracer_system.rs")]
mod system;
#[path = "tracer_futures.rs"]
mod futures;
#[path = "tracer_columns.rs"]
mod columns;
#[path = "tracer_probes.rs"]
mod probes;
#[path = "tracer_std.rs"]
mod std_values;
#[path = "tracer_tasks.rs"]
mod tasks;
#[cfg(not(target_family = "wasm"))]
#[path = "tracer_wrapped.rs"]
mod wrapped;
#[path = "tracer_values.rs"]
mod values;
#[path = "tracer_writer.rs"]
mod writer;

pub use columns::restore;
pub use futures::{af, aw};
pub use probes::*;
pub use tasks::k;
pub use values::{Put, field, opaque, record, unit};

/// The describing of a type of the program's own: what stands between the braces is run with the
/// name given bound to a reference to the value.
#[macro_export]
#[allow_internal_unstable(specialization)]
macro_rules! d {
    ($value:ident [$($generics:tt)*] [$($type:tt)*] [$($bounds:tt)*] { $($body:tt)* }) => {
        impl $($generics)* $crate::Put for $($type)* $($bounds)* {
            fn put(&self) {
                let $value = self;
                $($body)*
            }
        }
    };
}
