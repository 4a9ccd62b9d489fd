//! The same of the machine around a WebAssembly module. It lays the channel over pages of the module's
//! memory, and tells of what is written. There are no threads, processes or unwinding.

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

use crate::channel::{begin, finish};
use crate::columns::Ranges;

#[link(wasm_import_module = "tracer")]
unsafe extern "C" {
    #[link_name = "size"]
    fn channel_size() -> u32;
    #[link_name = "map"]
    fn lay_channel(at: *mut u8, size: usize) -> c_int;
}

unsafe extern "C" {
    fn __real___main_void() -> c_int;
    fn __real_exit(code: c_int) -> !;
}

/// Fresh pages of the module, zeroed; null if there are none left.
pub fn memory(size: usize) -> *mut u8 {
    const PAGE: usize = 65536;
    match core::arch::wasm32::memory_grow(0, size.div_ceil(PAGE)) {
        usize::MAX => null_mut(),
        before => (before * PAGE) as *mut u8,
    }
}

/// Has the channel laid over memory, and gives its header; null if there is none.
pub fn find(header: &mut [u8; 72]) -> *mut u8 {
    let size = unsafe { channel_size() } as usize;
    if size < header.len() {
        return null_mut();
    }
    let base = memory(size);
    if base.is_null() || unsafe { lay_channel(base, size) } != 0 {
        return null_mut();
    }
    unsafe { core::ptr::copy_nonoverlapping(base, header.as_mut_ptr(), header.len()) };
    if header.starts_with(b"TRCS") { base } else { null_mut() }
}

pub fn watch_forks() {}

unsafe extern "C" {
    static __global_base: c_void;
    static __data_end: c_void;
}

/// All constants lie in what the module begins with, and can be written.
pub fn change_constants(change: &mut dyn FnMut(&Ranges)) {
    let (start, end) = (&raw const __global_base as usize, &raw const __data_end as usize);
    change(&Ranges { start, end, constants: start, constants_end: end });
}

/// The program's `main`, as the start code calls it.
#[unsafe(no_mangle)]
extern "C" fn __wrap___main_void() -> c_int {
    begin();
    let code = unsafe { __real___main_void() };
    finish();
    code
}

#[unsafe(no_mangle)]
extern "C" fn __wrap_exit(code: c_int) -> ! {
    finish();
    unsafe { __real_exit(code) }
}

/// The machine calls this for each piece that was written to a descriptor.
#[unsafe(no_mangle)]
extern "C" fn tracer_output(descriptor: c_int, from: *const u8, length: usize) {
    crate::tasks::output(descriptor, from, length);
}
