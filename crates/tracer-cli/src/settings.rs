//! Turns arguments into the engine's settings.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use tracer_engine::{ProgramOptions, Settings};
use tracer_model::Limits;
use tracer_sandbox::{Isolation, Profile};

use crate::args::{IsolationArg, LimitArgs, ProfileArg, ProgramArgs, SandboxArgs};

pub(crate) fn program(args: &ProgramArgs) -> ProgramOptions {
    ProgramOptions {
        detail: args.detail.into(),
        language: args.language.clone(),
        main_only: args.main_only,
        folder: None,
    }
}

pub(crate) fn settings(limits: &LimitArgs, sandbox: &SandboxArgs) -> anyhow::Result<Settings> {
    let mut settings = Settings::new()?;
    apply(limits, &mut settings.limits);
    settings.isolation = match sandbox.isolation {
        IsolationArg::Native => Isolation::Native,
        IsolationArg::Wasm => Isolation::Wasm,
        IsolationArg::None => Isolation::None,
    };
    settings.profile = match sandbox.profile {
        ProfileArg::Compat => Profile::Compat,
        ProfileArg::Trusted => Profile::Trusted,
    };
    settings.toolchain = sandbox.toolchain.into();
    settings.env = sandbox
        .env
        .iter()
        .filter_map(|text| variable(text))
        .collect();
    for path in &sandbox.read {
        settings.roots.push(std::path::absolute(path)?);
    }
    settings.compiler_flags.clone_from(&sandbox.compiler_flag);
    Ok(settings)
}

fn apply(args: &LimitArgs, limits: &mut Limits) {
    limits.wall = args.timeout.or(limits.wall);
    limits.cpu = args.cpu.or_else(|| args.timeout.max(limits.cpu));
    limits.memory = args.memory.or(limits.memory);
    limits.processes = args.processes.or(limits.processes);
    limits.output = args.output.or(limits.output);
    limits.disk = args.disk.or(limits.disk);
    limits.file_size = limits.file_size.max(args.disk);
}

/// `NAME=VALUE`, or `NAME` for the value it has here; `None` if it has none.
fn variable(text: &OsStr) -> Option<(OsString, OsString)> {
    let bytes = text.as_bytes();
    match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) => Some((
            OsStr::from_bytes(&bytes[..at]).to_owned(),
            OsStr::from_bytes(&bytes[at + 1..]).to_owned(),
        )),
        None => Some((text.to_owned(), std::env::var_os(text)?)),
    }
}
