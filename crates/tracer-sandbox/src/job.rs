//! What a sandbox that was made ahead is told when its run comes: the program with its arguments,
//! environment and limits, as one file in memory, and the descriptors it gets.
//!
//! The runner packs, the child unpacks without allocating from the heap: it is a fork of a process
//! that may have had many threads.

use std::fs::File;
use std::io::Write;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use libc::c_char;

use crate::error::SandboxError;
use crate::layout::c_string;
use crate::message::{self, MOST, Plain};
use crate::plan::{Command, Rlimit, strings};
use crate::request::Request;
use crate::sys::{self, Errno, SysResult};

/// In front of the file's bytes, in the message.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Head {
    /// Of the file, in bytes.
    length: u64,
    rlimits: u32,
    arguments: u32,
    environment: u32,
    /// Which of stdin, stdout, stderr and the channel come as descriptors, a bit each.
    present: u32,
    /// Whether the program's process waits for another word before it executes it.
    hold: u32,
    spare: u32,
}

// SAFETY: integers without padding.
unsafe impl Plain for Head {}

/// What a run is given beside its words.
pub(crate) struct Given {
    /// Standard streams; `None` for the runner's own.
    pub(crate) stdio: [Option<RawFd>; 3],
    pub(crate) channel: Option<RawFd>,
    /// Whether the program's process waits before it executes the program.
    pub(crate) hold: bool,
}

/// Sends the run of `request` to the sandbox behind `socket`.
pub(crate) fn send(
    socket: RawFd,
    request: &Request,
    rlimits: &[Rlimit],
    given: &Given,
) -> Result<(), SandboxError> {
    let hold = given.hold;
    let fail = |error| SandboxError::runner("handing a run to a sandbox", error);
    let (arguments, environment) = strings(request)?;
    let mut bytes = Vec::new();
    for limit in rlimits {
        bytes.extend_from_slice(&u64::from(limit.resource).to_ne_bytes());
        bytes.extend_from_slice(&limit.value.to_ne_bytes());
    }
    let program = c_string(request.program.as_os_str().as_bytes())?;
    let cwd = c_string(request.cwd.as_os_str().as_bytes())?;
    for text in [&program, &cwd]
        .into_iter()
        .chain(arguments.texts())
        .chain(environment.texts())
    {
        bytes.extend_from_slice(text.as_bytes_with_nul());
    }
    let given: Vec<Option<RawFd>> = given.stdio.into_iter().chain([given.channel]).collect();
    let head = Head {
        length: bytes.len() as u64,
        rlimits: rlimits.len() as u32,
        arguments: arguments.texts().len() as u32,
        environment: environment.texts().len() as u32,
        present: (0..)
            .zip(&given)
            .map(|(bit, fd)| u32::from(fd.is_some()) << bit)
            .sum(),
        hold: u32::from(hold),
        spare: 0,
    };
    // SAFETY: a constant name.
    let fd = unsafe { libc::memfd_create(c"job".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(fail(std::io::Error::last_os_error()));
    }
    // SAFETY: the kernel has just made it for us.
    let mut file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.write_all(&bytes).map_err(fail)?;
    let mut descriptors = vec![file.as_raw_fd()];
    descriptors.extend(given.into_iter().flatten());
    // A sandbox that has died meanwhile shows in the watch.
    match message::send(socket, head.as_bytes(), &descriptors) {
        Err(libc::EPIPE | libc::ECONNRESET) | Ok(()) => Ok(()),
        Err(errno) => Err(fail(std::io::Error::from_raw_os_error(errno))),
    }
}

/// In the child: waits for a run. Ends the process if the runner goes away instead.
pub(crate) fn receive(socket: RawFd) -> SysResult<Command> {
    let mut bytes = [0u8; size_of::<Head>()];
    let mut descriptors = [-1; MOST];
    let (length, count) = loop {
        match message::receive(socket, &mut bytes, &mut descriptors, 0) {
            Err(libc::EINTR) => {}
            other => break other?,
        }
    };
    let Some(head) = Head::read(&bytes[..length]) else {
        sys::exit(125); // the runner is gone
    };
    let mut rest = descriptors[..count].iter().copied();
    let file = rest.next().ok_or(libc::EBADMSG)?;
    let mut taken = |bit: u32| {
        if head.present >> bit & 1 == 1 {
            rest.next()
        } else {
            None
        }
    };
    let stdio = [taken(0), taken(1), taken(2)];
    let channel = taken(3);
    // SAFETY: the runner's own file, as long as it says; its strings end in NUL.
    unsafe {
        let bytes = map(head.length as usize, Some(file))?;
        sys::close(file);
        let words = head.arguments as usize + head.environment as usize + 2;
        let limits = head.rlimits as usize;
        let room = limits * size_of::<Rlimit>() + words * size_of::<*const c_char>();
        let arena = map(room, None)?;
        let rlimits = arena.cast::<Rlimit>();
        for index in 0..limits {
            rlimits.add(index).write(Rlimit {
                resource: bytes.cast::<u64>().add(2 * index).read() as libc::__rlimit_resource_t,
                value: bytes.cast::<u64>().add(2 * index + 1).read(),
            });
        }
        let mut next = bytes.cast::<u8>().add(limits * 16);
        let mut string = || {
            let start = next.cast::<c_char>().cast_const();
            next = next.add(libc::strlen(start) + 1);
            start
        };
        let (program, cwd) = (string(), string());
        let arguments = rlimits.add(limits).cast::<*const c_char>();
        let environment = arguments.add(head.arguments as usize + 1);
        // Both lists end in null, as new memory does.
        for index in 0..head.arguments as usize {
            arguments.add(index).write(string());
        }
        for index in 0..head.environment as usize {
            environment.add(index).write(string());
        }
        Ok(Command {
            program,
            cwd,
            arguments,
            environment,
            rlimits: ptr::slice_from_raw_parts(rlimits, limits),
            stdio,
            channel,
            hold: head.hold != 0,
        })
    }
}

/// New memory, or that of a file.
///
/// # Safety
/// As for `mmap`: a file must stay as long as it is.
unsafe fn map(length: usize, file: Option<RawFd>) -> Result<*mut libc::c_void, Errno> {
    let kind = match file {
        Some(_) => libc::MAP_PRIVATE,
        None => libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    };
    // SAFETY: no address is asked for, so nothing that is mapped is touched.
    let address = unsafe {
        libc::mmap(
            ptr::null_mut(),
            length.max(1),
            libc::PROT_READ | libc::PROT_WRITE,
            kind,
            file.unwrap_or(-1),
            0,
        )
    };
    if address == libc::MAP_FAILED {
        Err(sys::errno())
    } else {
        Ok(address)
    }
}
