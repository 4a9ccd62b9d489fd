//! The trace channel inside the module's own memory.
//!
//! An emitter in a compiled language writes records as it would into a mapped file: the pages of
//! its memory that it names *are* the channel, so that what it wrote is there however the run ends.
#![expect(
    unsafe_code,
    reason = "pages of the module's memory are exchanged for those of the channel"
)]

use std::fs::File;
use std::os::fd::AsRawFd;

use wasmtime::{Caller, Linker};

use crate::wasi::{CHANNEL, System, memory};

/// The import module.
const NAME: &str = "tracer";

/// Offers `size() -> bytes`, 0 where there is no channel, and `map(address, length) -> errno`.
pub(crate) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    linker.func_wrap(NAME, "size", |caller: Caller<'_, System>| {
        size(caller.data()).map_or(0, |bytes| bytes as u32)
    })?;
    linker.func_wrap(
        NAME,
        "map",
        |mut caller: Caller<'_, System>, at: u32, length: u32| {
            map(&mut caller, at as usize, length as usize).map_or_else(|code| code, |()| 0)
        },
    )?;
    Ok(())
}

/// Bytes of the channel; it neither grows nor shrinks.
fn size(system: &System) -> Result<u64, i32> {
    let channel = system.files.host(CHANNEL).ok_or(libc::EBADF)?;
    let file = channel.try_clone_to_owned().map(File::from);
    let data = file.and_then(|file| file.metadata());
    data.map(|data| data.len())
        .map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))
}

/// Lays the channel over whole pages of the module's memory.
fn map(caller: &mut Caller<'_, System>, at: usize, length: usize) -> Result<(), i32> {
    let size = size(caller.data())?;
    let (bytes, system) = memory(caller).map_err(|_| libc::EFAULT)?;
    let channel = system.files.host(CHANNEL).ok_or(libc::EBADF)?;
    let place = at
        .checked_add(length)
        .and_then(|end| bytes.get_mut(at..end))
        .ok_or(libc::EFAULT)?;
    // SAFETY: sysconf only reads.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let fits = length > 0 && length as u64 <= size.next_multiple_of(page as u64);
    if !fits || !(place.as_ptr() as usize).is_multiple_of(page) {
        return Err(libc::EINVAL);
    }
    // SAFETY: the pages lie in the module's memory, which stays where it is and is given back whole
    // when the store goes; both old and new pages may be read and written and hold plain bytes.
    let mapped = unsafe {
        libc::mmap(
            place.as_mut_ptr().cast(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_FIXED,
            channel.as_raw_fd(),
            0,
        )
    };
    if mapped == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EIO));
    }
    Ok(())
}
