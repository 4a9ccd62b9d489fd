//! Threads, output and panics: what is seen at functions of the C library, which the program is linked
//! to come here for.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::channel::channel;
use crate::tasks::{is_ready, output, task_record};
use crate::values::*;
use crate::writer::*;

type Routine = extern "C" fn(*mut c_void) -> *mut c_void;

struct Start {
    used: AtomicBool,
    routine: Option<Routine>,
    argument: *mut c_void,
    stream: u32,
    parent: u32,
    ordinal: u32,
    site: u32,
}

const STARTS: usize = 128;
static mut STARTING: [Start; STARTS] = [const {
    Start {
        used: AtomicBool::new(false),
        routine: None,
        argument: core::ptr::null_mut(),
        stream: 0,
        parent: 0,
        ordinal: 0,
        site: 0,
    }
}; STARTS];

unsafe extern "C" {
    fn __real_pthread_create(
        thread: *mut c_void,
        attributes: *const c_void,
        routine: Routine,
        argument: *mut c_void,
    ) -> c_int;
    fn __real_write(descriptor: c_int, from: *const u8, count: usize) -> isize;
    fn __real__Unwind_RaiseException(exception: *mut Exception) -> c_int;
}

extern "C" fn run_thread(argument: *mut c_void) -> *mut c_void {
    let start = unsafe { &*argument.cast::<Start>() };
    let writer = writer();
    writer.origin = ORIGIN_THREAD;
    writer.stream = start.stream;
    writer.parent = start.parent;
    writer.ordinal = start.ordinal;
    writer.parent_site = start.site;
    let (routine, argument) = (start.routine, start.argument);
    start.used.store(false, Ordering::Release);
    begin_stream();
    let result = routine.map_or(core::ptr::null_mut(), |routine| routine(argument));
    task_record(2, "thread", 0);
    result
}

/// The streams of threads are numbered in the order in which they are made, whatever the scheduler
/// does.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_pthread_create(
    thread: *mut c_void,
    attributes: *const c_void,
    routine: Routine,
    argument: *mut c_void,
) -> c_int {
    let ready = is_ready();
    channel().threads = true;
    let starting = unsafe { &mut *core::ptr::addr_of_mut!(STARTING) };
    let free = starting.iter_mut().find(|start| !start.used.swap(true, Ordering::Acquire));
    let Some(start) = free.filter(|_| ready) else {
        return unsafe { __real_pthread_create(thread, attributes, routine, argument) };
    };
    let writer = writer();
    writer.children += 1;
    start.stream = take_stream();
    start.routine = Some(routine);
    start.argument = argument;
    start.parent = writer.stream + 1;
    start.ordinal = writer.children;
    start.site = writer.task_site;
    task_record(0, "thread", start.stream);
    let at: *mut Start = start;
    let result = unsafe { __real_pthread_create(thread, attributes, run_thread, at.cast()) };
    if result != 0 {
        start.used.store(false, Ordering::Release);
    }
    result
}

/// What the program prints goes through here once its lines are full.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_write(descriptor: c_int, from: *const u8, count: usize) -> isize {
    let written = unsafe { __real_write(descriptor, from, count) };
    if written > 0 {
        output(descriptor, from, written as usize);
    }
    written
}

/// What a panic unwinds with: the ABI's part, then the standard library's.
#[repr(C)]
struct Exception {
    class: u64,
    cleanup: usize,
    private: [usize; 2],
    canary: *const u8,
    cause: Box<dyn core::any::Any + Send>,
}

const RUST: [u64; 2] = [u64::from_ne_bytes(*b"MOZ\0RUST"), u64::from_be_bytes(*b"MOZ\0RUST")];

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __wrap__Unwind_RaiseException(exception: *mut Exception) -> c_int {
    let site = writer().panic_site;
    if channel().state == 1 && site != 0 && open_record(site, ERR) {
        put_byte(0);
        put_byte(STRING);
        put_byte(5);
        put_byte(5 << 1);
        put_bytes(b"panic");
        let known = RUST.contains(unsafe { &(*exception).class });
        let cause = unsafe { &(*exception).cause };
        if let Some(text) = cause.downcast_ref::<&'static str>().filter(|_| known) {
            put_text(text);
        } else if let Some(text) = cause.downcast_ref::<String>().filter(|_| known) {
            put_text(text);
        } else {
            put_byte(NULL);
        }
        put_byte(0);
        put_byte(0);
        close_record();
    }
    unsafe { __real__Unwind_RaiseException(exception) }
}
