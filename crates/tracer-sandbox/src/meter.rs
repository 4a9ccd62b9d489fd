//! What a run is using: from its cgroups, or by looking at its processes where there are none.
//!
//! Looking adds up the anonymous and shared memory of each process. Pages that several have count
//! once for each, and only where that passes the limit are they divided, which is slow. It misses
//! what comes and goes between two looks.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracer_model::{Limit, Limits};

use crate::cgroup::Lease;

/// Refused forks after which a program is taken for a fork bomb and not for one that met a limit.
const BOMB: u64 = 200;
/// Least time between two walks through the writable folders.
const WALK: Duration = Duration::from_millis(200);
/// Entries of the writable folders that are counted at the start.
const MOST_ENTRIES: usize = 100_000;
/// Looks in a row at which every process slot was taken, where refusals are not counted.
const FULL_LOOKS: u32 = 20;

/// Where the run's processes are listed.
#[derive(Debug)]
pub(crate) enum Listing {
    /// The sandbox's own `/proc`.
    Private(OwnedFd),
    /// The host's, below this process.
    Below(libc::pid_t),
    /// Nowhere: its `/proc` was refused.
    Unknown,
}

/// One look at all processes.
#[derive(Debug, Default, Clone, Copy)]
struct Look {
    threads: u64,
    memory: u64,
    cpu: Duration,
}

/// Reads usage and says which limit has been met.
#[derive(Debug)]
pub(crate) struct Meter<'run> {
    limits: &'run Limits,
    lease: &'run Lease,
    pub(crate) listing: Listing,
    pub(crate) tmpfs: Option<OwnedFd>,
    /// Folders with their sizes at the start, save those that have too much in them to tell.
    writable: Vec<(PathBuf, u64)>,
    next_walk: Instant,
    full_looks: u32,
    peak: u64,
    cpu_seen: Duration,
    met: Vec<Limit>,
}

impl<'run> Meter<'run> {
    pub(crate) fn new(limits: &'run Limits, lease: &'run Lease, writable: Vec<PathBuf>) -> Self {
        let writable = if limits.disk.is_some() {
            writable
                .into_iter()
                .filter_map(|path| folder_size(&path, MOST_ENTRIES).map(|size| (path, size)))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            limits,
            lease,
            listing: Listing::Unknown,
            tmpfs: None,
            writable,
            next_walk: Instant::now() + WALK,
            full_looks: 0,
            peak: 0,
            cpu_seen: Duration::ZERO,
            met: Vec::new(),
        }
    }

    /// Takes what the child sent with the news that its walls stand.
    pub(crate) fn adopt(&mut self, descriptors: Vec<OwnedFd>) {
        let mut descriptors = descriptors.into_iter();
        self.tmpfs = descriptors.next();
        self.listing = descriptors
            .next()
            .map_or(Listing::Unknown, Listing::Private);
    }

    /// How long until the next look is due.
    pub(crate) fn interval(&self) -> Duration {
        const USUAL: Duration = Duration::from_millis(20);
        let Some(limit) = self.limits.cpu else {
            return USUAL;
        };
        let Some(used) = self.lease.cpu() else {
            return USUAL;
        };
        let left = limit.saturating_sub(Duration::from_nanos(used));
        // A program on every processor uses it up the sooner.
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as u32;
        (left / processors).clamp(Duration::from_millis(1), USUAL)
    }

    /// Looks, and gives the limit that ends the run, if one does.
    pub(crate) fn look(&mut self) -> Option<Limit> {
        if self.lease.memory_kills() > 0 {
            return Some(Limit::Memory);
        }
        if self
            .lease
            .forks_refused()
            .is_some_and(|refused| refused >= BOMB)
        {
            return Some(Limit::Processes);
        }
        if self.tmpfs_is_full() {
            self.note(Limit::Disk);
        }
        let blind = self.lease.memory_refusal().is_some()
            || self.lease.pids_refusal().is_some()
            || self.lease.cpu_refusal().is_some();
        let seen = if blind {
            self.processes()
        } else {
            Look::default()
        };
        self.peak = self.peak.max(seen.memory);
        let cpu = self.lease.cpu().map_or(seen.cpu, Duration::from_nanos);
        self.cpu_seen = self.cpu_seen.max(cpu);
        if self.limits.cpu.is_some_and(|limit| cpu >= limit) {
            return Some(Limit::Cpu);
        }
        if self.lease.memory_refusal().is_some()
            && let Some(limit) = self.limits.memory
            && seen.memory > limit
            && self.shares().is_none_or(|shares| shares > limit)
        {
            return Some(Limit::Memory);
        }
        if self.lease.pids_refusal().is_some()
            && let Some(limit) = self.limits.processes
        {
            // The init process counts as one.
            if seen.threads > limit.saturating_mul(2) {
                return Some(Limit::Processes);
            }
            self.full_looks = if seen.threads > limit {
                self.full_looks + 1
            } else {
                0
            };
            if self.full_looks > 0 {
                self.note(Limit::Processes);
            }
            if self.full_looks >= FULL_LOOKS {
                return Some(Limit::Processes);
            }
        }
        if Instant::now() >= self.next_walk && self.walk_is_over() {
            return Some(Limit::Disk);
        }
        None
    }

    /// A last look after everything has ended: limits met without ending the run.
    pub(crate) fn met(&mut self) -> Vec<Limit> {
        if self
            .lease
            .forks_refused()
            .is_some_and(|refused| refused > 0)
        {
            self.note(Limit::Processes);
        }
        if self.tmpfs_is_full() || self.writable_is_over() {
            self.note(Limit::Disk);
        }
        self.met.sort_unstable();
        std::mem::take(&mut self.met)
    }

    pub(crate) fn peak(&self) -> u64 {
        self.lease.memory_peak().unwrap_or(self.peak)
    }

    pub(crate) fn killed_for_memory(&self) -> bool {
        self.lease.memory_kills() > 0
    }

    /// CPU time; `reaped` is what waiting told, which leaves out what died with the namespace.
    pub(crate) fn cpu(&self, reaped: Duration) -> Duration {
        self.lease
            .cpu()
            .map_or_else(|| self.cpu_seen.max(reaped), Duration::from_nanos)
    }

    fn note(&mut self, limit: Limit) {
        if !self.met.contains(&limit) {
            self.met.push(limit);
        }
    }

    /// Whether blocks or files of the private tmpfs have run out.
    fn tmpfs_is_full(&mut self) -> bool {
        if self.limits.disk.is_none() {
            return false;
        }
        let Some(tmpfs) = &self.tmpfs else {
            return false;
        };
        // SAFETY: plain data, filled by the call.
        let free = unsafe {
            let mut stat: libc::statfs64 = std::mem::zeroed();
            if libc::fstatfs64(tmpfs.as_raw_fd(), &mut stat) != 0 {
                return false;
            }
            (stat.f_bfree, stat.f_ffree)
        };
        free.0 == 0 || free.1 == 0
    }

    /// Walks the writable folders, so seldom that it takes a twentieth of the runner's time.
    fn walk_is_over(&mut self) -> bool {
        let start = Instant::now();
        let over = self.writable_is_over();
        let end = Instant::now();
        self.next_walk = end + WALK.max((end - start) * 20);
        over
    }

    fn writable_is_over(&self) -> bool {
        let Some(limit) = self.limits.disk else {
            return false;
        };
        let mut grown = 0;
        for (path, was) in &self.writable {
            // What could be measured and cannot any more has been filled on purpose.
            let Some(size) = folder_size(path, 2 * MOST_ENTRIES) else {
                return true;
            };
            grown += size.saturating_sub(*was);
        }
        grown > limit
    }

    fn processes(&self) -> Look {
        let (folder, pids) = self.listed();
        add_up(&folder, pids.into_iter())
    }

    /// Memory with pages that several processes have divided among them; `None` if one cannot be
    /// asked.
    fn shares(&self) -> Option<u64> {
        let (folder, pids) = self.listed();
        let mut total = 0;
        for pid in pids {
            // It may have ended since; init has nothing of its own, and does not let itself be read.
            let path = folder.join(pid.to_string()).join("smaps_rollup");
            match fs::read_to_string(path) {
                Ok(rollup) if rollup.is_empty() => {} // a zombie
                Ok(rollup) => total += kilobytes(&rollup, &["Pss_Anon:", "Pss_Shmem:"])?,
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied && pid != 1 => {
                    return None;
                }
                Err(_) => {}
            }
        }
        Some(total)
    }

    /// The folder that lists the run's processes, and their numbers there.
    fn listed(&self) -> (PathBuf, Vec<libc::pid_t>) {
        match &self.listing {
            Listing::Unknown => (PathBuf::new(), Vec::new()),
            Listing::Private(proc) => {
                let folder = PathBuf::from(format!("/proc/self/fd/{}", proc.as_raw_fd()));
                let pids = fs::read_dir(&folder)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .filter_map(|entry| {
                        entry
                            .file_name()
                            .to_str()
                            .and_then(|name| name.parse().ok())
                    })
                    .collect();
                (folder, pids)
            }
            Listing::Below(root) => {
                let mut pids = vec![*root];
                let mut next = 0;
                while next < pids.len() {
                    pids.extend(children(pids[next]));
                    next += 1;
                }
                (PathBuf::from("/proc"), pids)
            }
        }
    }
}

/// The children of every thread of `pid`.
pub(crate) fn children(pid: libc::pid_t) -> Vec<libc::pid_t> {
    let mut all = Vec::new();
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    for task in tasks {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(
            list.split_ascii_whitespace()
                .filter_map(|pid| pid.parse::<i32>().ok()),
        );
    }
    all
}

fn add_up(proc: &Path, pids: impl Iterator<Item = libc::pid_t>) -> Look {
    // SAFETY: sysconf has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1) as u64;
    let mut look = Look::default();
    for pid in pids {
        let folder = proc.join(pid.to_string());
        let Ok(stat) = fs::read_to_string(folder.join("stat")) else {
            continue;
        };
        // The name may hold anything, a closing bracket too: fields count from the last one.
        let Some((_, fields)) = stat.rsplit_once(')') else {
            continue;
        };
        let field = |number: usize| {
            // Field 3 of proc_pid_stat(5) is the first after the name.
            fields
                .split_ascii_whitespace()
                .nth(number - 3)?
                .parse::<u64>()
                .ok()
        };
        look.threads += field(20).unwrap_or(0);
        let used: u64 = (14..=17).filter_map(field).sum();
        look.cpu += Duration::from_micros(used * 1_000_000 / ticks);
        if let Ok(status) = fs::read_to_string(folder.join("status")) {
            look.memory += kilobytes(&status, &["RssAnon:", "RssShmem:"]).unwrap_or(0);
        }
    }
    look
}

/// The sum of these lines of a file in `/proc`, in bytes; `None` if one is not there.
fn kilobytes(text: &str, names: &[&str]) -> Option<u64> {
    names.iter().try_fold(0, |sum, name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let number: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(sum + number * 1024)
    })
}

/// Bytes on disk below `path`; `None` where that takes more than `most` entries.
fn folder_size(path: &Path, most: usize) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut folders = vec![path.to_owned()];
    let (mut size, mut seen) = (0u64, 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > most {
                return None;
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            size += metadata.blocks() * 512;
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_too_much_in_it_has_no_size() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("below")).expect("a folder");
        for name in ["a", "b", "below/c"] {
            fs::write(folder.path().join(name), [1; 5000]).expect("a file");
        }
        assert!(folder_size(folder.path(), 4).is_some_and(|size| size >= 15_000));
        assert_eq!(folder_size(folder.path(), 3), None);
    }
}
