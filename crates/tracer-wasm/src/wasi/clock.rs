//! Clocks: they begin at the same moment in each run and go on by being asked and by waiting.
//!
//! What a program reads from them is then a matter of what it does alone.

use std::time::Duration;

use wasmtime::{Caller, Linker};

use super::abi::{Errno, code, memory, put64};
use super::{MODULE, System};

/// Seconds since 1970 at which the calendar stands when a program begins: 2025-08-16.
const BEGIN: Duration = Duration::from_secs(1_755_302_400);

/// What passes from one look at a clock to the next, so that waiting by looking ends.
const TICK: Duration = Duration::from_micros(10);

/// What all clocks say is the least they can tell apart.
const RESOLUTION: u64 = 1_000;

/// Time since the program began.
#[derive(Debug, Default)]
pub(super) struct Clock {
    passed: Duration,
}

impl Clock {
    /// What a clock shows: 0 is the calendar; 1 counts from the start, as do those of processor time.
    pub(super) fn look(&mut self, which: u32) -> Result<Duration, Errno> {
        self.passed += TICK;
        match which {
            0 => Ok(BEGIN + self.passed),
            1..=3 => Ok(self.passed),
            _ => Err(Errno::INVAL),
        }
    }

    /// The program waited.
    pub(super) fn pass(&mut self, duration: Duration) {
        self.passed = self.passed.saturating_add(duration);
    }
}

/// The interface's form of a duration.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn link(linker: &mut Linker<System>) -> Result<(), wasmtime::Error> {
    linker.func_wrap(
        MODULE,
        "clock_res_get",
        |mut caller: Caller<'_, System>, _which: u32, at: u32| {
            code(memory(&mut caller).and_then(|(memory, _)| put64(memory, at, RESOLUTION)))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut caller: Caller<'_, System>, which: u32, _precision: u64, at: u32| {
            code(memory(&mut caller).and_then(|(memory, system)| {
                let now = system.clock.look(which)?;
                put64(memory, at, nanoseconds(now))
            }))
        },
    )?;
    Ok(())
}
