//! What a finished or failed start means: the outcome, the walls that were refused, or the error.

use std::io;
use std::path::PathBuf;

use tracer_model::{End, Limit, Outcome};

use crate::child::{Report, Step};
use crate::error::SandboxError;
use crate::layout::{Layout, Op, Origin};
use crate::meter::Meter;
use crate::protections::{Protections, namespace_hint, os};
use crate::request::{Profile, Request};
use crate::supervise::Record;

/// Why a start failed: for good, or only because overlays are refused.
pub(crate) enum Failure {
    Error(SandboxError),
    /// The kernel's answer says whether it will always be so.
    Overlay(i32),
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::Error(error)
    }
}

/// The verdict: what the runner did, then what counters say, then how the program ended.
pub(crate) fn judge(
    request: &Request,
    record: &Record,
    meter: &mut Meter<'_>,
) -> Result<Outcome, SandboxError> {
    let limits = &request.limits;
    let used = meter.cpu(record.cpu);
    let limited = |limit| End::Limited { limit };
    let end = if let Some(limit) = record.killed_for {
        limited(limit)
    } else if meter.killed_for_memory() {
        limited(Limit::Memory)
    } else if let Some(status) = record.status {
        if libc::WIFSIGNALED(status) {
            let signal = libc::WTERMSIG(status);
            let over = limits.cpu.is_some_and(|limit| used >= limit);
            match signal {
                libc::SIGXFSZ if limits.file_size.is_some() => limited(Limit::FileSize),
                libc::SIGXCPU | libc::SIGKILL if over => limited(Limit::Cpu),
                _ => End::Signaled {
                    signal,
                    name: signal_name(signal),
                },
            }
        } else {
            End::Exited {
                code: libc::WEXITSTATUS(status) as u8,
            }
        }
    } else {
        return Err(SandboxError::runner(
            "hearing of the program's end: its init process was killed",
            io::Error::from_raw_os_error(libc::ESRCH),
        ));
    };
    Ok(Outcome {
        end,
        limits_hit: meter.met(),
    })
}

/// A signal's name, as in signal(7).
fn signal_name(signal: i32) -> String {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    match NAMES.get((signal - 1) as usize) {
        Some(name) => format!("SIG{name}"),
        None => format!("SIGRTMIN+{}", signal - libc::SIGRTMIN()),
    }
}

/// The wall whose step a report is about, if a run can do without it.
fn optional(report: &Report, layout: Option<&Layout>) -> Option<&'static str> {
    match (report.step, layout) {
        (Step::Op, Some(layout)) => match &layout.ops[report.index as usize] {
            Op::Proc { .. } => Some("private /proc"),
            Op::Terminals { .. } => Some("private /dev/pts"),
            _ => None,
        },
        (Step::Loopback, _) => Some("loopback device"),
        (Step::Clock, _) => Some("time namespace"),
        (Step::CgroupNamespace, _) => Some("cgroup namespace"),
        _ => None,
    }
}

pub(crate) fn degraded(protections: &mut Protections, record: &Record, layout: Option<&Layout>) {
    for report in &record.degraded {
        if let Some(name) = optional(report, layout) {
            protections.set(name, Some(os(report.errno).to_string()));
        }
    }
    if let Some(layout) = layout
        && layout.layers.iter().any(|layer| layer.copied)
    {
        protections.set(
            "overlay",
            Some("the kernel refused an overlay: folders were copied instead".to_owned()),
        );
    }
}

/// Says in words where the child failed.
pub(crate) fn explain(report: &Report, layout: Option<&Layout>, request: &Request) -> Failure {
    let index = report.index as usize;
    let path = |path: &std::ffi::CStr| {
        let text = path.to_string_lossy();
        let inside = text.strip_prefix("root").or(text.strip_prefix("skel"));
        let inside = inside.filter(|inside| !inside.is_empty()).unwrap_or("/");
        PathBuf::from(inside.to_owned())
    };
    let refused = |what: String, hint: &str| {
        Failure::Error(SandboxError::Refused {
            what,
            hint: hint.to_owned(),
            source: os(report.errno),
        })
    };
    if request.profile == Profile::Trusted
        && let Some(wall) = optional(report, layout)
    {
        let reason = os(report.errno).to_string();
        return Failure::Error(SandboxError::untrusted(wall, &reason));
    }
    match report.step {
        Step::Exec => Failure::Error(SandboxError::Exec {
            program: request.program.clone(),
            source: os(report.errno),
        }),
        Step::WorkingFolder => Failure::Error(SandboxError::request(
            format!(
                "the working folder {} cannot be entered inside: {}",
                request.cwd.display(),
                os(report.errno)
            ),
            "give it, or a folder above it, to the program",
        )),
        Step::Op => match layout.map(|layout| &layout.ops[index]) {
            Some(Op::Overlay { image: false, .. }) => Failure::Overlay(report.errno),
            Some(Op::Overlay { path: at, .. }) => refused(
                format!("stacking the layers of the image at {}", path(at).display()),
                "the kernel needs overlays in user namespaces (5.11); use the host's toolchain",
            ),
            Some(op) => refused(format!("making {}", path(op.path()).display()), ""),
            None => refused("building the root".to_owned(), ""),
        },
        Step::Tree => {
            let what = layout.map(|layout| match &layout.trees[index].origin {
                Origin::Host(path) => path.to_string_lossy().into_owned(),
                other => format!("{other:?}"),
            });
            let hint = if report.errno == libc::ENOSYS {
                "Linux 5.12 or newer is needed"
            } else {
                ""
            };
            refused(
                format!("mounting {} read-only", what.unwrap_or_default()),
                hint,
            )
        }
        Step::UserMap | Step::UserNamespace => refused(
            "mapping the user in a user namespace".to_owned(),
            &namespace_hint("user namespace", report.errno),
        ),
        Step::Landlock => refused(
            "putting the Landlock rules in force".to_owned(),
            "the kernel has Landlock, and refused a rule: please report it",
        ),
        Step::Seccomp => refused(
            "installing the system call filter".to_owned(),
            "the kernel needs CONFIG_SECCOMP_FILTER",
        ),
        Step::Fork => Failure::Error(SandboxError::runner(
            "forking the program",
            os(report.errno),
        )),
        step => refused(format!("set-up step {step:?}"), ""),
    }
}
