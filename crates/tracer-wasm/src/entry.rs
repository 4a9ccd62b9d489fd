//! How the worker gets started: any program that holds this crate is the worker, too.
//!
//! Started with [`RUNNER`] as its first argument it never reaches its own `main`, so that no second
//! file has to be found and placed.
#![expect(
    unsafe_code,
    reason = "code that runs before `main` is placed by the linker and reads C's arguments"
)]

use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;

use crate::{Job, RUNNER};

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
    if argument(1).to_bytes() != RUNNER.as_bytes() {
        return;
    }
    #[cfg_attr(
        not(feature = "weaken"),
        expect(unused_mut, reason = "the feature takes some")
    )]
    let mut words: Vec<OsString> = (2..count as usize)
        .map(|index| OsString::from_vec(argument(index).to_bytes().to_vec()))
        .collect();
    #[cfg(feature = "weaken")]
    crate::weaken::take(&mut words);
    crate::worker::main(Job::from_arguments(words));
}

/// Whether this program is the worker, too. Asking is what makes the linker keep it.
pub fn is_linked() -> bool {
    *std::hint::black_box(&START) as usize != 0
}
