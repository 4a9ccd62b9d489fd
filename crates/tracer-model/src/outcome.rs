//! How the subject ended, what bounded it, and what protected the machine from it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Ceilings on one run. `None` means unbounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// CPU time over all processes of the run.
    pub cpu: Option<Duration>,
    /// Wall-clock time.
    pub wall: Option<Duration>,
    /// Resident memory of the whole run, bytes.
    pub memory: Option<u64>,
    /// Processes and threads alive at once.
    pub processes: Option<u64>,
    /// Largest single file the subject may write, bytes.
    pub file_size: Option<u64>,
    /// All files the subject may leave in its private folders, bytes.
    pub disk: Option<u64>,
    /// Open descriptors per process.
    pub open_files: Option<u64>,
    /// Bytes on stdout and stderr together.
    pub output: Option<u64>,
    /// Main-thread stack, bytes.
    pub stack: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Some(Duration::from_secs(30)),
            wall: Some(Duration::from_secs(60)),
            memory: Some(2 << 30),
            processes: Some(256),
            file_size: Some(256 << 20),
            disk: Some(512 << 20),
            open_files: Some(1024),
            output: Some(64 << 20),
            stack: Some(8 << 20),
        }
    }
}

/// The limit that ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// CPU seconds.
    Cpu,
    /// Wall seconds.
    Wall,
    /// Memory, by an out-of-memory kill or a failed allocation under an address-space limit.
    Memory,
    /// Processes and threads.
    Processes,
    /// One file's size.
    FileSize,
    /// Total disk.
    Disk,
    /// Bytes on stdout and stderr.
    Output,
}

/// How the main process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum End {
    /// It called exit, or returned from main.
    Exited {
        /// Exit status, 0 to 255.
        code: u8,
    },
    /// A signal ended it (its own, another process's, or the kernel's).
    Signaled {
        /// Signal number.
        signal: i32,
        /// Signal name, e.g. `SIGSEGV`.
        name: String,
    },
    /// The runner stopped it because a limit was reached.
    Limited {
        /// Which limit.
        limit: Limit,
    },
    /// The compiler refused it; nothing ran.
    BuildFailed {
        /// The compiler's exit status.
        code: u8,
        /// What the compiler said, bounded.
        diagnostics: String,
    },
}

/// One wall between the subject and the machine, and whether it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Mechanism, e.g. `pid namespace`, `seccomp`, `memory cgroup`.
    pub name: String,
    /// Whether it is in force for this run.
    pub active: bool,
    /// Why not, when it is not.
    pub reason: Option<String>,
}

/// What the run consumed. Never part of a normalised trace, since it differs from run to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Wall time.
    pub wall: Duration,
    /// CPU time, user and system.
    pub cpu: Duration,
    /// Peak memory in bytes, 0 if unknown.
    pub peak_memory: u64,
}

/// How the subject ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Exit, signal, limit or build failure.
    pub end: End,
    /// A limit that was hit without ending the run (a refused fork, a full disk).
    pub limits_hit: Vec<Limit>,
}

impl Outcome {
    /// The exit status `tracer run` gives: the program's own; `128 + n` for signal n; 124 for a
    /// time-out; 137 for other limits, as the kill they end in.
    pub fn exit_status(&self) -> u8 {
        match &self.end {
            End::Exited { code } | End::BuildFailed { code, .. } => *code,
            End::Signaled { signal, .. } => 128u8.wrapping_add(*signal as u8),
            End::Limited {
                limit: Limit::Cpu | Limit::Wall,
            } => 124,
            End::Limited { .. } => 137,
        }
    }
}
