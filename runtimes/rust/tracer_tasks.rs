//! Forked processes, tasks and output, as they are told.

use core::ffi::c_int;

use crate::channel::channel;
use crate::values::*;
use crate::writer::*;

pub fn is_ready() -> bool {
    channel().state == 1 && (!writer().seen.is_null() || begin_stream())
}

/// Tells that this thread has made a task, or that its own is over.
pub fn task_record(phase: u64, what: &'static str, task: u32) {
    let site = core::mem::take(&mut writer().task_site);
    record(phase, what, u64::from(task), site);
}

/// False if nothing is recorded now.
pub fn record(phase: u64, what: &'static str, task: u64, site: u32) -> bool {
    let writer = writer();
    if writer.mute != MUTE_NONE || writer.writing || writer.left == 0 || !room(SMALL) {
        return false;
    }
    writer.kept = KEEP;
    writer.start = writer.at;
    writer.bound = writer.segment_end;
    writer.to = unsafe { writer.start.add(1) };
    writer.limit = core::ptr::null_mut();
    writer.writing = true;
    writer.op = TASK;
    put_number(phase);
    let name = intern(what);
    put_number(name);
    put_number(task);
    put_number(u64::from(site));
    close_record();
    true
}

pub extern "C" fn before_fork() {
    if is_ready() {
        writer().next_stream = take_stream();
    }
}

pub extern "C" fn in_parent() {
    if channel().state == 1 && !writer().seen.is_null() {
        writer().children += 1;
        task_record(0, "process", writer().next_stream);
    }
}

/// The child's records go to new segments; those before the fork stay the parent's.
pub extern "C" fn in_child() {
    let writer = writer();
    if channel().state != 1 || writer.seen.is_null() {
        return;
    }
    writer.parent = writer.stream + 1;
    writer.parent_site = writer.task_site;
    writer.ordinal = writer.children + 1;
    writer.stream = writer.next_stream;
    begin_again(ORIGIN_PROCESS);
}

/// Where the next task is made.
pub fn k(site: u32) {
    writer().task_site = site;
}

const SHOWN: usize = 1024;

/// The program has printed this.
pub fn output(descriptor: c_int, from: *const u8, length: usize) {
    let writer = writer();
    if !(1..=2).contains(&descriptor)
        || writer.seen.is_null()
        || writer.mute != MUTE_NONE
        || writer.writing
        || writer.left == 0
        || !room(SHOWN + SMALL)
    {
        return;
    }
    let shown = length.min(SHOWN);
    unsafe {
        let mut to = open_small();
        *to = descriptor as u8;
        to = put_varint(put_varint(to.add(1), length as u64), shown as u64);
        core::ptr::copy_nonoverlapping(from, to, shown);
        close_small(STDOUT, to.add(shown));
    }
}
