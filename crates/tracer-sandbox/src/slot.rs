//! A host user of its own for each concurrent run, when the runner may choose one.
//!
//! Per-user quotas of the kernel (inotify watches, pipe pages, keys) are then per run. The range
//! lies above those that distributions hand to people, services and containers. Inside a container
//! that knows fewer users it is the upper half of those there are, which other runners in that
//! container use as well.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, OnceLock};

const FIRST: u32 = 1_880_000_000;
const PER_RUNNER: u32 = 1024;
const RUNNERS: u32 = 200_000;

/// Fewer would be shared by most runs.
const FEWEST: u32 = 64;

static TAKEN: Mutex<Vec<bool>> = Mutex::new(Vec::new());

/// A number that no other run of this process holds.
#[derive(Debug)]
pub(crate) struct Slot(usize);

impl Slot {
    pub(crate) fn take() -> Self {
        let mut taken = TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let free = taken.iter().position(|taken| !taken).unwrap_or_else(|| {
            taken.push(false);
            taken.len() - 1
        });
        taken[free] = true;
        Self(free)
    }

    /// User and group number on the host.
    pub(crate) fn id(&self) -> u32 {
        let all = range().unwrap_or(FIRST..FIRST + RUNNERS * PER_RUNNER);
        let own = runner() * PER_RUNNER + self.0 as u32 % PER_RUNNER;
        all.start + own % (all.end - all.start)
    }
}

/// This runner's share of the range.
fn runner() -> u32 {
    share(namespace(), std::process::id())
}

/// The number of the process namespace that this runner is in: the runners of several containers
/// have the same process numbers, but never in the same namespace.
pub(crate) fn namespace() -> u64 {
    static NAMESPACE: OnceLock<u64> = OnceLock::new();
    *NAMESPACE.get_or_init(|| fs::metadata("/proc/self/ns/pid").map_or(0, |found| found.ino()))
}

/// Neighbouring process numbers of one namespace never meet; those of two hardly ever.
fn share(namespace: u64, process: u32) -> u32 {
    let mixed = namespace.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    ((mixed + u64::from(process)) % u64::from(RUNNERS)) as u32
}

impl Drop for Slot {
    fn drop(&mut self) {
        TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)[self.0] = false;
    }
}

/// The numbers that the runner may give to programs, if its own user namespace knows any.
pub(crate) fn range() -> Option<Range<u32>> {
    static RANGE: OnceLock<Option<Range<u32>>> = OnceLock::new();
    let known = RANGE.get_or_init(|| {
        let users = fs::read_to_string("/proc/self/uid_map").ok()?;
        let groups = fs::read_to_string("/proc/self/gid_map").ok()?;
        choose(&users, &groups)
    });
    known.clone()
}

/// Chooses from maps as `user_namespaces(7)` describes them: first number inside, outside, how many.
fn choose(users: &str, groups: &str) -> Option<Range<u32>> {
    let extents = |map: &str| -> Vec<Range<u64>> {
        let lines = map.lines().filter_map(|line| {
            let mut words = line.split_whitespace().map(str::parse::<u64>);
            let first = words.next()?.ok()?;
            let count = words.nth(1)?.ok()?;
            Some(first..first + count)
        });
        lines.collect()
    };
    let groups = extents(groups);
    let common = extents(users).into_iter().flat_map(|users| {
        let cut = |groups: &Range<u64>| users.start.max(groups.start)..users.end.min(groups.end);
        groups.iter().map(cut).collect::<Vec<_>>()
    });
    let (first, end) = (u64::from(FIRST), u64::from(FIRST + RUNNERS * PER_RUNNER));
    let best = common
        .map(|both| {
            if both.start <= first && end <= both.end {
                return first..end;
            }
            let half = both.end.saturating_sub(both.start).div_ceil(2);
            both.start + half..both.end
        })
        .max_by_key(|both| both.end.saturating_sub(both.start))?;
    let enough = best.end.saturating_sub(best.start) >= u64::from(FEWEST);
    let narrow = |number: u64| u32::try_from(number).ok();
    enough.then(|| Some(narrow(best.start)?..narrow(best.end)?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_of_different_containers_share_no_numbers() {
        let first = share(4_026_531_836, 2);
        assert_ne!(first, share(4_026_531_837, 2));
        assert_ne!(first, share(4_026_531_836, 3));
        assert_eq!(first, share(4_026_531_836, 2));
    }

    #[test]
    fn numbers_come_from_those_that_the_container_knows() {
        let machine = "         0          0 4294967295\n";
        assert_eq!(
            choose(machine, machine),
            Some(FIRST..FIRST + RUNNERS * PER_RUNNER)
        );
        let rootless = "0 1000 1\n1 100000 65536\n";
        assert_eq!(choose(rootless, rootless), Some(32769..65537));
        assert_eq!(choose("0 0 1\n", "0 0 1\n"), None);
        assert_eq!(choose("0 0 1000\n", "2000 0 1000\n"), None);
    }
}
