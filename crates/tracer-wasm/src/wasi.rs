//! The system as a module sees it: WASI preview 1, for command modules on Linux.
//!
//! Written for this one use, since what subjects may notice must be ours to say: clocks begin at
//! the same moment in each run, random bytes are the same, folders list their entries in order,
//! descriptor [`CHANNEL`] is the trace channel. Paths resolve beneath their folder, by the kernel
//! (`openat2`); the folders themselves are the sandbox's, with its bounds on space and time.
//! There is no network: the socket functions refuse.

mod abi;
mod arguments;
mod clock;
mod descriptors;
mod directory;
mod files;
mod paths;
mod poll;
mod walk;

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};

use wasmtime::{Caller, Linker, StoreLimits, StoreLimitsBuilder};

pub(crate) use self::abi::{Exit, memory};
use self::clock::Clock;
pub(crate) use self::descriptors::CHANNEL;
use self::descriptors::Descriptors;
use crate::Preopen;
use crate::weaken::{Wall, stands};

/// The import module's name.
const MODULE: &str = "wasi_snapshot_preview1";

/// Most entries of a table: an interpreter has some ten thousand functions.
const TABLE: usize = 1 << 20;

/// Bytes of linear memory above the sandbox's limit.
const MARGIN: u64 = 64 << 20;

/// The most that 32-bit memory can be.
const WHOLE: u64 = 1 << 32;

/// What one module has of the system.
pub(crate) struct System {
    arguments: Vec<OsString>,
    environment: Vec<OsString>,
    clock: Clock,
    random: blake3::OutputReader,
    pub(crate) files: Descriptors,
    pub(crate) limits: StoreLimits,
}

impl System {
    /// A system with the process's own standard streams and channel.
    pub(crate) fn new(
        arguments: Vec<OsString>,
        environment: Vec<OsString>,
        preopens: &[Preopen],
        memory: Option<u64>,
    ) -> Result<Self, wasmtime::Error> {
        // The sandbox's own limit comes first where it counts memory: then the verdict is its.
        let memory = memory.map_or(WHOLE, |bytes| bytes.saturating_add(MARGIN).min(WHOLE)) as usize;
        Ok(Self {
            arguments,
            environment,
            clock: Clock::default(),
            random: blake3::Hasher::new()
                .update(b"tracer: the same bytes in every run")
                .finalize_xof(),
            files: Descriptors::new(preopens)?,
            limits: if stands(Wall::Limits) {
                StoreLimitsBuilder::new()
                    .memory_size(memory)
                    .table_elements(TABLE)
                    .instances(1)
                    .memories(1)
                    .tables(16)
                    .build()
            } else {
                StoreLimits::default()
            },
        })
    }
}

impl Descriptors {
    /// The host's descriptor behind one of the module's.
    pub(crate) fn host(&self, number: u32) -> Option<BorrowedFd<'_>> {
        self.get(number).ok().map(|open| open.file.as_fd())
    }
}

/// Offers all functions of the interface.
pub(crate) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    arguments::link(linker)?;
    clock::link(linker)?;
    files::link(linker)?;
    directory::link(linker)?;
    paths::link(linker)?;
    poll::link(linker)?;
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |_: Caller<'_, System>, code: i32| -> Result<(), wasmtime::Error> {
            Err(Exit::Code(code).into())
        },
    )?;
    linker.func_wrap(
        MODULE,
        "proc_raise",
        |_: Caller<'_, System>, signal: i32| -> Result<i32, wasmtime::Error> {
            Err(Exit::Signal(signal & 0x7f).into())
        },
    )?;
    linker.func_wrap(MODULE, "sched_yield", |_: Caller<'_, System>| 0i32)?;
    Ok(())
}
