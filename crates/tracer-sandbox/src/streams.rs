//! The program's standard streams, and descriptors kept clear of the numbers it will use.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::error::SandboxError;
use crate::fault::io_point;
use crate::request::{CHANNEL_FD, Request, Stdin, Stream};

/// Keeps a descriptor clear of those the program is to have.
pub(crate) fn clear(fd: OwnedFd) -> Result<OwnedFd, SandboxError> {
    let number = fd.as_raw_fd();
    if number > 2 && number != CHANNEL_FD {
        return Ok(fd);
    }
    let from = if number > 2 { CHANNEL_FD + 1 } else { 3 };
    // SAFETY: plain integers; the new descriptor is ours.
    let new = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, from) };
    if new < 0 {
        return Err(SandboxError::runner(
            "duplicating a descriptor",
            io::Error::last_os_error(),
        ));
    }
    // SAFETY: as above.
    clear(unsafe { OwnedFd::from_raw_fd(new) })
}

pub(crate) fn pair(
    kind: &str,
    make: impl FnOnce(&mut [RawFd; 2]) -> i32,
) -> Result<[OwnedFd; 2], SandboxError> {
    let mut fds = [-1; 2];
    let failed = |error| SandboxError::runner(format!("making a {kind}"), error);
    io_point().map_err(failed)?;
    if make(&mut fds) != 0 {
        return Err(failed(io::Error::last_os_error()));
    }
    // SAFETY: the kernel has just made both for us.
    let [first, second] = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    Ok([clear(first)?, clear(second)?])
}

fn pipe() -> Result<[OwnedFd; 2], SandboxError> {
    // SAFETY: the array holds two.
    let ends = pair("pipe", |fds| unsafe {
        libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC)
    })?;
    // SAFETY: plain integers. Only the runner's end is non-blocking.
    unsafe { libc::fcntl(ends[0].as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    Ok(ends)
}

fn null(write: bool) -> Result<OwnedFd, SandboxError> {
    let file = io_point().and_then(|()| {
        fs::OpenOptions::new()
            .read(!write)
            .write(write)
            .open("/dev/null")
    });
    clear(
        file.map_err(|error| SandboxError::runner("opening /dev/null", error))?
            .into(),
    )
}

/// Input as a file in memory, opened for reading only.
fn input(bytes: &[u8]) -> Result<OwnedFd, SandboxError> {
    let fail = |error| SandboxError::runner("storing the input", error);
    io_point().map_err(fail)?;
    // SAFETY: a constant name.
    let fd = unsafe { libc::memfd_create(c"stdin".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(fail(io::Error::last_os_error()));
    }
    // SAFETY: the kernel has just made it for us.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(bytes)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| io_point())
        .map_err(fail)?;
    let read = File::open(format!("/proc/self/fd/{fd}")).map_err(fail)?;
    clear(read.into())
}

/// The channel as the program gets it.
pub(crate) fn channel(request: &Request) -> Result<Option<OwnedFd>, SandboxError> {
    let Some(channel) = &request.channel else {
        return Ok(None);
    };
    let own = channel
        .try_clone()
        .map_err(|error| SandboxError::runner("cloning the channel", error))?;
    clear(own).map(Some)
}

/// The program's standard streams, and the runner's ends of them.
pub(crate) struct Streams {
    pub(crate) child: [Option<OwnedFd>; 3],
    pub(crate) runner: [Option<File>; 2],
}

pub(crate) fn streams(request: &Request) -> Result<Streams, SandboxError> {
    let stdin = match &request.stdin {
        Stdin::Null => Some(null(false)?),
        Stdin::Inherit => None,
        Stdin::Bytes(bytes) => Some(input(bytes)?),
    };
    let mut runner = [None, None];
    let mut child = [stdin, None, None];
    for (index, stream) in [request.stdout, request.stderr].into_iter().enumerate() {
        child[index + 1] = match stream {
            Stream::Inherit => None,
            Stream::Null => Some(null(true)?),
            Stream::Capture => {
                let [read, write] = pipe()?;
                runner[index] = Some(File::from(read));
                Some(write)
            }
        };
    }
    Ok(Streams { child, runner })
}
