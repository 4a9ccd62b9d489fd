//! Everything the child needs, laid out before the fork: after it nothing may be allocated.

use std::ffi::CString;
use std::fs;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use libc::{c_char, sock_filter};
use tracer_model::Limits;

use crate::error::SandboxError;
use crate::landlock::Rules;
use crate::layout::{INSIDE_ID, Layout, c_string};
use crate::network::Network;
use crate::request::Request;
use crate::terminal::Session;
use crate::weaken::Without;

/// A resource limit to set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rlimit {
    pub(crate) resource: libc::__rlimit_resource_t,
    pub(crate) value: u64,
}

/// How the walls are built.
#[derive(Debug)]
pub(crate) struct Walls {
    /// Those of them that are left out.
    pub(crate) without: Without,
    pub(crate) layout: Layout,
    /// Where the runner's arguments lie in its memory.
    pub(crate) arguments: Option<(u64, u64)>,
    /// Where the tmpfs is first attached; shadowed for the child's set-up only.
    pub(crate) base: CString,
    pub(crate) size: CString,
    pub(crate) inodes: CString,
    pub(crate) hostname: Vec<u8>,
    /// Host user and group to become, when the runner has the privilege to choose.
    pub(crate) become_id: Option<u32>,
    /// Contents of `uid_map` and `gid_map`; `None` without a user namespace.
    pub(crate) maps: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether to make a cgroup namespace.
    pub(crate) cgroup_namespace: bool,
    pub(crate) uts: bool,
    pub(crate) network: Network,
    /// What the monotonic clocks of a time namespace begin with, in seconds; `None` without one.
    pub(crate) clock: Option<u32>,
    /// `None` where the kernel has no such wall.
    pub(crate) landlock: Option<Rules>,
    /// Fail rather than do without a wall.
    pub(crate) strict: bool,
    pub(crate) filter: &'static [sock_filter],
}

/// The whole of a child's work.
pub(crate) struct Plan {
    /// `None`: limits only.
    pub(crate) walls: Option<Walls>,
    /// Socket for reports to the runner and its go-ahead.
    pub(crate) status: RawFd,
    /// What becomes descriptors 0, 1 and 2; `None` keeps the runner's.
    pub(crate) stdio: [Option<RawFd>; 3],
    pub(crate) channel: Option<RawFd>,
    /// Descriptors that survive the first sweep, ascending.
    pub(crate) keep: Vec<u32>,
    pub(crate) program: CString,
    pub(crate) cwd: CString,
    pub(crate) arguments: Strings,
    pub(crate) environment: Strings,
    pub(crate) rlimits: Vec<Rlimit>,
    pub(crate) session: Session,
    /// For `personality`.
    pub(crate) personality: libc::c_ulong,
    /// Made ahead: the run comes later, by message.
    pub(crate) ahead: bool,
    /// Processes that come and go before the program.
    pub(crate) earlier: u32,
    /// Walls left out.
    pub(crate) without: Without,
    /// For the second child, which shares the first one's memory.
    pub(crate) stack: Vec<u8>,
}

/// The run itself: what a sandbox that is made ahead learns last. Everything it points to lives as
/// long as the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command {
    pub(crate) program: *const c_char,
    pub(crate) cwd: *const c_char,
    /// Ends in null.
    pub(crate) arguments: *const *const c_char,
    /// Ends in null.
    pub(crate) environment: *const *const c_char,
    pub(crate) rlimits: *const [Rlimit],
    /// What becomes descriptors 0, 1 and 2; `None` keeps the runner's.
    pub(crate) stdio: [Option<RawFd>; 3],
    pub(crate) channel: Option<RawFd>,
    /// Whether to wait for the runner's word before executing the program.
    pub(crate) hold: bool,
}

impl Plan {
    /// The run that the plan was made for.
    pub(crate) fn command(&self) -> Command {
        Command {
            program: self.program.as_ptr(),
            cwd: self.cwd.as_ptr(),
            arguments: self.arguments.as_ptr(),
            environment: self.environment.as_ptr(),
            rlimits: &raw const *self.rlimits,
            stdio: self.stdio,
            channel: self.channel,
            hold: false,
        }
    }
}

/// A null-terminated array of C strings, as `execve` wants it.
pub(crate) struct Strings {
    pointers: Vec<*const c_char>,
    owned: Vec<CString>,
}

// SAFETY: the pointers lead to the strings it owns, which nobody changes.
unsafe impl Send for Strings {}

impl Strings {
    fn new(owned: Vec<CString>) -> Self {
        let mut pointers: Vec<_> = owned.iter().map(|text| text.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Self { pointers, owned }
    }

    pub(crate) fn texts(&self) -> std::slice::Iter<'_, CString> {
        self.owned.iter()
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// Arguments and environment of `request`.
pub(crate) fn strings(request: &Request) -> Result<(Strings, Strings), SandboxError> {
    if request.argv.is_empty() {
        return Err(SandboxError::request(
            "the arguments are empty",
            "argv[0] is one",
        ));
    }
    let arguments = request
        .argv
        .iter()
        .map(|argument| c_string(argument.as_bytes()))
        .collect::<Result<_, _>>()?;
    let leaked = request.without().leaked_environment();
    let environment = request
        .env
        .iter()
        .chain(&leaked)
        .map(|(name, value)| {
            let mut text = name.clone().into_vec();
            if text.is_empty() || text.contains(&b'=') {
                return Err(SandboxError::request(
                    format!(
                        "{} is not a name for an environment variable",
                        name.display()
                    ),
                    "a name is not empty and has no `=`",
                ));
            }
            text.push(b'=');
            text.extend_from_slice(value.as_bytes());
            c_string(text)
        })
        .collect::<Result<_, _>>()?;
    Ok((Strings::new(arguments), Strings::new(environment)))
}

/// Limits the kernel keeps per process; what a cgroup or the runner keeps as well is a second
/// line here.
///
/// The address space is not limited: node and Java reserve far more than they touch.
///
/// `spare_processes` is how far above the limit `RLIMIT_NPROC` stands; `None` where it would count
/// the user's other processes as well.
pub(crate) fn rlimits(limits: &Limits, spare_processes: Option<u64>) -> Vec<Rlimit> {
    let mut all = vec![
        // One byte, not none: with none a core pattern that is a pipe still gets its dump.
        Rlimit {
            resource: libc::RLIMIT_CORE,
            value: 1,
        },
        Rlimit {
            resource: libc::RLIMIT_NICE,
            value: 0,
        },
        Rlimit {
            resource: libc::RLIMIT_RTPRIO,
            value: 0,
        },
        Rlimit {
            resource: libc::RLIMIT_MEMLOCK,
            value: 8 << 20,
        },
        Rlimit {
            resource: libc::RLIMIT_MSGQUEUE,
            value: 819_200,
        },
    ];
    let mut set = |resource, value: Option<u64>| {
        if let Some(value) = value {
            all.push(Rlimit { resource, value });
        }
    };
    set(libc::RLIMIT_FSIZE, limits.file_size);
    set(libc::RLIMIT_NOFILE, limits.open_files);
    set(libc::RLIMIT_STACK, limits.stack);
    // Whole seconds, one later than the runner's own check, which is exact.
    set(
        libc::RLIMIT_CPU,
        limits.cpu.map(|cpu| cpu.as_secs().saturating_add(2)),
    );
    if let Some(spare) = spare_processes {
        set(
            libc::RLIMIT_NPROC,
            limits.processes.map(|count| count.saturating_add(spare)),
        );
    }
    all
}

/// Where this process's arguments lie, as `/proc` shows them to everybody.
pub(crate) fn own_arguments() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 48 and 49 of proc_pid_stat(5); the name may hold anything, so count from its end.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(48 - 3);
    let (start, end) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (start != 0 && start < end).then_some((start, end))
}

/// One line mapping the host's `id` to the one inside.
pub(crate) fn id_map(id: u32) -> Vec<u8> {
    format!("{INSIDE_ID} {id} 1\n").into_bytes()
}
