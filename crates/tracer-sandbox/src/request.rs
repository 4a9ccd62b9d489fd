//! What to run: the program, what it sees, and what it may use.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use tracer_model::Limits;

use crate::cancel::Cancel;
use crate::error::SandboxError;
use crate::weaken::Without;

/// The descriptor under which the program finds [`Request::channel`]: above what programs number
/// by hand, below the usual soft limit of 1024.
pub const CHANNEL_FD: i32 = 1000;

/// What the monotonic clocks usually say when a program starts, in seconds.
pub const UPTIME: u32 = 1000;

/// How far the program is kept from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Isolation {
    /// Namespaces, a private root, seccomp, no capabilities.
    #[default]
    Native,
    /// The same walls around a program that is itself a wall: a virtual machine, which the caller
    /// starts in the program's place.
    Wasm,
    /// The limits only. Every wall is reported as inactive.
    None,
}

/// How much of the system the program may use, and what is done where a wall cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Whatever ordinary programs use. A wall that the machine refuses is reported.
    #[default]
    Compat,
    /// What language toolchains need, and no more: no sockets but local ones, no message queues,
    /// no watching of files, no filters of the program's own. Every wall must stand, that of a
    /// user of the program's own included, or the run is refused.
    Trusted,
}

/// What the program may do with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read.
    ReadOnly,
    /// Read and write; the writes go to a private layer and are listed in
    /// [`Finished::changes`](crate::Finished::changes).
    Overlay,
    /// Read and write the host's own files.
    Writable,
}

/// A folder of the host, visible inside at the same path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Absolute path, the same outside and inside.
    pub path: PathBuf,
    /// What may be done there.
    pub access: Access,
}

/// A copy of a folder of the host, in a place of its own.
///
/// It takes time and memory for what is in it, so it is for small folders. FIFOs, sockets and
/// devices are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Absolute path inside; nothing else may stand there.
    pub path: PathBuf,
    /// The folder of the host.
    pub from: PathBuf,
    /// Whether the program may write there. What it changed is listed in
    /// [`Finished::changes`](crate::Finished::changes), as changes of `from`.
    pub writable: bool,
}

/// A folder that exists only inside, read-only to the program. Unlike [`Inject`]ed files, these may
/// be others in each run of a [`Pool`](crate::Pool).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Absolute path inside; nothing else may stand there.
    pub path: PathBuf,
    /// Files by their paths below it.
    pub files: Vec<(PathBuf, Arc<[u8]>)>,
}

/// What an injected file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// A file of the host, seen read-only.
    Host(PathBuf),
}

/// A file that exists only inside. Always read-only to the program.
///
/// Below a [`Folder`] it can only stand in for a file that exists there, since making a new name
/// would change the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inject {
    /// Absolute path inside.
    pub path: PathBuf,
    /// Contents.
    pub body: Body,
    /// Whether it may be executed.
    pub executable: bool,
}

/// The program's standard input.
#[derive(Debug, Clone, Default)]
pub enum Stdin {
    /// At end of file from the start.
    #[default]
    Null,
    /// The runner's own descriptor 0.
    Inherit,
    /// These bytes, then end of file.
    Bytes(Vec<u8>),
}

/// One of the program's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stream {
    /// Collected in [`Finished`](crate::Finished), counted against the output limit.
    #[default]
    Capture,
    /// The runner's own descriptor, as it is.
    Inherit,
    /// Thrown away.
    Null,
}

/// A root made of an image's layers, instead of the host's own system.
///
/// Nothing of the host is visible then, save what [`Request::roots`], [`Request::files`] and
/// [`Request::folders`] name. The identity files in `/etc`, `/dev`, `/proc` and `/tmp` are the
/// sandbox's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Root {
    /// Folders of the host, lowest first: a file of a later one hides that of an earlier one. They
    /// are only read.
    pub layers: Vec<PathBuf>,
    /// Absolute folders inside the image that the program may write, whoever owns them there. The
    /// writes go to a private layer, count against the disk limit and end with the run.
    pub scratch: Vec<PathBuf>,
}

/// One run.
#[derive(Debug)]
pub struct Request {
    /// The executable: an absolute path as seen inside. `PATH` is not searched.
    pub program: PathBuf,
    /// All arguments, `argv[0]` included.
    pub argv: Vec<OsString>,
    /// The whole environment, in this order.
    pub env: Vec<(OsString, OsString)>,
    /// Working folder; must lie in something that is visible inside.
    pub cwd: PathBuf,
    /// The image to run in; `None` runs in the host's own system.
    pub image: Option<Root>,
    /// Further host paths that are visible read-only, such as a language's own prefix. Without an
    /// image `/usr`, `/opt` and the loader's and the toolchain's files in `/etc` always are; the
    /// harmless devices are in any case. Paths that do not exist are left out.
    pub roots: Vec<PathBuf>,
    /// Files that exist only inside.
    pub files: Vec<Inject>,
    /// Folders of the host.
    pub folders: Vec<Folder>,
    /// Copies of folders.
    pub copies: Vec<Copied>,
    /// Folders of files that exist only inside.
    pub placed: Vec<Placed>,
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output.
    pub stdout: Stream,
    /// Standard error.
    pub stderr: Stream,
    /// Given to the program as descriptor [`CHANNEL_FD`]; every other descriptor is closed.
    pub channel: Option<OwnedFd>,
    /// Ceilings.
    pub limits: Limits,
    /// Walls.
    pub isolation: Isolation,
    /// How strict the walls are.
    pub profile: Profile,
    /// The host name the program sees.
    pub hostname: String,
    /// Whether memory is laid out anew in each run, as the machine does by itself. Off, addresses
    /// are the same every time.
    pub random_addresses: bool,
    /// For an interpreter: the path, as it will name it, of the first file that it reads of the run
    /// itself. All that it does before is the same in every run, so a [`Pool`](crate::Pool) may let
    /// it begin there.
    pub begins_at: Option<PathBuf>,
    /// Processes that were there before the program, which give it another process number.
    pub earlier: u32,
    /// What the monotonic clocks say at the start, in seconds. Needs a time namespace; without one
    /// they are the machine's.
    pub uptime: u32,
    /// Ends the run from outside.
    pub cancel: Cancel,
    /// Walls left out, to test the others.
    #[cfg(feature = "weaken")]
    pub without: Without,
}

impl Request {
    /// A run of `program` in `cwd` with no arguments, an empty environment, no input, captured
    /// output, default limits and full isolation.
    pub fn new(program: impl Into<PathBuf>, cwd: impl Into<PathBuf>) -> Self {
        let program = program.into();
        Self {
            argv: vec![program.clone().into_os_string()],
            program,
            env: Vec::new(),
            cwd: cwd.into(),
            image: None,
            roots: Vec::new(),
            files: Vec::new(),
            folders: Vec::new(),
            copies: Vec::new(),
            placed: Vec::new(),
            stdin: Stdin::Null,
            stdout: Stream::Capture,
            stderr: Stream::Capture,
            channel: None,
            limits: Limits::default(),
            isolation: Isolation::Native,
            profile: Profile::Compat,
            hostname: "tracer".to_owned(),
            random_addresses: false,
            begins_at: None,
            earlier: 0,
            uptime: UPTIME,
            cancel: Cancel::default(),
            #[cfg(feature = "weaken")]
            without: Without::default(),
        }
    }

    /// The same run, for an interpreter that is not to come to its program.
    pub(crate) fn clone_for_trial(&self) -> Result<Self, SandboxError> {
        let mut same = Self::new(&self.program, &self.cwd);
        same.argv.clone_from(&self.argv);
        same.env.clone_from(&self.env);
        same.image.clone_from(&self.image);
        same.copies.clone_from(&self.copies);
        same.placed.clone_from(&self.placed);
        same.stdin = self.stdin.clone();
        (same.stdout, same.stderr) = (self.stdout, self.stderr);
        same.limits = self.limits.clone();
        same.isolation = self.isolation;
        same.channel = match &self.channel {
            Some(channel) => Some(
                channel
                    .try_clone()
                    .map_err(|error| SandboxError::runner("cloning the channel", error))?,
            ),
            None => None,
        };
        #[cfg(feature = "weaken")]
        {
            same.without = self.without;
        }
        Ok(same)
    }

    #[cfg(feature = "weaken")]
    pub(crate) fn without(&self) -> Without {
        self.without
    }

    #[cfg(not(feature = "weaken"))]
    #[expect(clippy::unused_self, reason = "the other form needs it")]
    pub(crate) fn without(&self) -> Without {
        Without::default()
    }
}
