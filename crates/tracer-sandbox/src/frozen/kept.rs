//! What the kernel keeps for an interpreter beside its memory and signals: counters it has opened and
//! timers it has made. Whatever else it has started cannot be made anew, and is refused.

use std::fs;
use std::io;

use libc::pid_t;

use super::doubt;
use super::machine::Call;
use super::thaw::Writer;
use crate::request::CHANNEL_FD;

/// A counter (eventfd).
#[derive(Debug)]
struct Counter {
    number: u64,
    count: u64,
    flags: u64,
}

/// A timer that sends a signal and is not running.
#[derive(Debug)]
struct Timer {
    clock: u64,
    signal: u64,
    value: u64,
}

/// In the order in which they are made.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    counters: Vec<Counter>,
    timers: Vec<Timer>,
}

/// The word behind a name in lines like `name: word`.
fn field<'text>(text: &'text str, name: &str) -> Option<&'text str> {
    let mut lines = text.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

impl Kept {
    /// Reads off what a stopped process has.
    pub(crate) fn of(main: pid_t) -> io::Result<Self> {
        let tasks = fs::read_dir(format!("/proc/{main}/task"))?.count();
        if tasks != 1 {
            return Err(doubt("it has several threads"));
        }
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children"))?;
        if !children.is_empty() {
            return Err(doubt("it has started a process"));
        }
        let status = fs::read_to_string(format!("/proc/{main}/status"))?;
        if field(&status, "x86_Thread_features").is_some_and(|on| on.contains("shstk")) {
            return Err(doubt("it has a shadow stack"));
        }
        let timers = fs::read_to_string(format!("/proc/{main}/timers"))?;
        Ok(Self {
            counters: counters(main)?,
            timers: read_timers(&timers).ok_or_else(|| doubt("it has timers of a rare kind"))?,
        })
    }

    /// How many timers there are: they are numbered from 0.
    pub(crate) fn timers(&self) -> u64 {
        self.timers.len() as u64
    }

    /// Calls that make them in a process that has its standard streams alone.
    pub(crate) fn calls(&self, writer: &mut Writer) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut lowest = 3;
        for counter in &self.counters {
            let made = [counter.count, counter.flags];
            calls.push(Call::new(libc::SYS_eventfd2, &made, lowest));
            if counter.number == lowest {
                lowest += 1;
            } else {
                let cloexec = counter.flags & libc::O_CLOEXEC as u64;
                let moved = [lowest, counter.number, cloexec];
                calls.push(Call::new(libc::SYS_dup3, &moved, counter.number));
                calls.push(Call::new(libc::SYS_close, &[lowest], 0));
            }
        }
        for timer in &self.timers {
            let mut event = [0u64; 8];
            event[0] = timer.value;
            event[1] = timer.signal; // and SIGEV_SIGNAL, which is 0
            let event = writer.put_words(&event);
            // The list's memory cannot be written: the number goes where nothing is read later.
            let arguments = [timer.clock, event, writer.scratch];
            calls.push(Call::new(libc::SYS_timer_create, &arguments, 0));
        }
        calls
    }
}

fn counters(main: pid_t) -> io::Result<Vec<Counter>> {
    let mut counters = Vec::new();
    for entry in fs::read_dir(format!("/proc/{main}/fd"))? {
        let name = entry?.file_name();
        let number: u64 = name.to_string_lossy().parse().unwrap_or(u64::MAX);
        if number <= 2 || number == CHANNEL_FD as u64 {
            continue;
        }
        let target = fs::read_link(format!("/proc/{main}/fd/{number}"))?;
        let info = fs::read_to_string(format!("/proc/{main}/fdinfo/{number}"))?;
        let plain = target.as_os_str() == "anon_inode:[eventfd]";
        let plain = plain && field(&info, "eventfd-semaphore").is_none_or(|word| word == "0");
        let flags = field(&info, "flags").and_then(|word| u64::from_str_radix(word, 8).ok());
        let count = field(&info, "eventfd-count");
        let count = count.and_then(|word| u64::from_str_radix(word, 16).ok());
        match (plain, flags, count) {
            (true, Some(flags), Some(count)) => counters.push(Counter {
                number,
                count,
                flags: flags & (libc::O_CLOEXEC | libc::O_NONBLOCK) as u64,
            }),
            _ => return Err(doubt(format!("it has {} open", target.display()))),
        }
    }
    counters.sort_by_key(|counter| counter.number);
    Ok(counters)
}

/// Reads `/proc/<pid>/timers`; `None` for what cannot be made anew.
fn read_timers(text: &str) -> Option<Vec<Timer>> {
    const MOST: usize = 16;
    let lines: Vec<&str> = text.lines().collect();
    let mut timers = Vec::new();
    for (index, lines) in lines.chunks(4).enumerate() {
        let rest = lines.join("\n");
        let (signal, value) = field(&rest, "signal")?.split_once('/')?;
        let plain = field(&rest, "notify")?.starts_with("signal/pid");
        if field(&rest, "ID")?.parse() != Ok(index) || !plain || index == MOST {
            return None;
        }
        timers.push(Timer {
            clock: field(&rest, "ClockID")?.parse().ok()?,
            signal: signal.parse().ok()?,
            value: u64::from_str_radix(value.trim_start_matches("0x"), 16).ok()?,
        });
    }
    Some(timers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_are_read() {
        let text = "ID: 0\nsignal: 26/00007f8070bb1200\nnotify: signal/pid.12\nClockID: 1\n";
        let timers = read_timers(text).expect("a timer");
        assert_eq!(timers[0].signal, 26);
        assert_eq!(timers[0].value, 0x7f80_70bb_1200);
        assert_eq!(timers[0].clock, 1);
        assert!(read_timers(&text.replace("ID: 0", "ID: 3")).is_none());
        assert!(read_timers(&text.replace("signal/pid", "thread/tid")).is_none());
        assert!(read_timers("").expect("none").is_empty());
    }
}
