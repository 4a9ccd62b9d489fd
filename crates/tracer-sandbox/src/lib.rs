//! Runs one program behind walls, within limits, and says how it ended.
//!
//! The crate starts every process the project starts. It does not know languages, traces or
//! events: it takes a program with its arguments, environment and folders, and gives back the
//! outcome, the captured output, the usage, the files that changed and which protections held.
//!
//! The back end is [`Isolation::Native`]: Linux namespaces, a private root, seccomp and cgroups.
//! [`Isolation::None`] keeps the limits and drops the walls, and says so. [`Isolation::Wasm`] is the
//! first around a virtual machine, which the caller starts.
#![allow(unsafe_code)] // kernel interfaces without a safe wrapper, in a child that may not allocate

mod bpf;
mod cancel;
mod cgroup;
mod changes;
mod child;
mod clock;
mod copy_in;
mod copy_out;
mod erofs;
mod error;
mod fault;
mod finished;
mod frozen;
mod hierarchy;
mod idmap;
mod init;
mod job;
mod landlock;
mod launch;
mod layout;
mod message;
mod meter;
mod network;
mod nursery;
mod output;
mod plan;
mod pool;
mod probe;
mod protections;
mod request;
mod seccomp;
mod slot;
mod start;
mod streams;
mod supervise;
mod sys;
mod system;
mod terminal;
mod trial;
mod verdict;
mod watch;
mod weaken;

pub use cancel::Cancel;
#[cfg(feature = "weaken")]
pub use changes::list_changes;
pub use copy_out::{CopyLimits, CopyReport, copy_out};
pub use erofs::mount_erofs;
pub use error::SandboxError;
#[cfg(feature = "weaken")]
pub use fault::{Fault, Side, arm, disarm};
pub use finished::{Beginning, Change, ChangeKind, Chunk, FileType, Finished, Source};
#[cfg(feature = "weaken")]
pub use launch::forget;
pub use launch::run;
pub use nursery::nursery;
pub use pool::Pool;
pub use probe::probe;
pub use request::{
    Access, Body, CHANNEL_FD, Copied, Folder, Inject, Isolation, Placed, Profile, Request, Root,
    Stdin, Stream, UPTIME,
};
pub use watch::{Ended, Side as Watched, watch};
#[cfg(feature = "weaken")]
pub use weaken::{Wall, Without};
