//! How the runner gets started: any program that holds this crate is the runner, too.
//!
//! Started with [`RUNNER`](crate::RUNNER) as its first argument it never reaches its own `main`. So the `tracer`
//! command, a test or any other embedder needs no second file to be found and placed. Where this
//! crate sits in a shared library, the program that loaded it is not the runner; the separate
//! `tracer-sql` is looked for then.
#![expect(
    unsafe_code,
    reason = "code that runs before `main` is placed by the linker and reads C's arguments"
)]

use std::ffi::{CStr, OsString, c_char, c_int};
use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
pub(crate) use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

type Constructor = extern "C" fn(c_int, *const *const c_char);

#[used]
#[unsafe(link_section = ".init_array")]
static START: Constructor = start;

/// The loader hands C's arguments to functions in this section (glibc).
extern "C" fn start(count: c_int, arguments: *const *const c_char) {
    if count < 2 || arguments.is_null() {
        return;
    }
    let argument = |index: usize| {
        // SAFETY: there are `count` arguments, each terminated.
        unsafe { CStr::from_ptr(*arguments.add(index)) }
    };
    if argument(1).to_bytes() != crate::RUNNER.as_bytes() {
        return;
    }
    let arguments = (2..count as usize)
        .map(|index| OsString::from_vec(argument(index).to_bytes().to_vec()))
        .collect();
    std::process::exit(crate::main(arguments));
}

/// Whether this program is the runner, too. Asking is what makes the linker keep it.
pub fn is_linked() -> bool {
    *std::hint::black_box(&START) as usize != 0
}

/// The trace channel that the environment names, taken over and kept from child processes.
pub(crate) fn channel() -> Option<File> {
    let number: i32 = std::env::var("TRACER_CHANNEL").ok()?.parse().ok()?;
    // SAFETY: the runner of this program passed the descriptor for this use alone.
    let channel = File::from(unsafe { OwnedFd::from_raw_fd(number) });
    fcntl(&channel, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    Some(channel)
}

/// The one name of a file; the name itself where there is no such file.
pub(crate) fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
