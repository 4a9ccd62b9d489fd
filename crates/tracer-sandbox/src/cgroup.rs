//! Control groups: v1, v2 and both at once, found out per controller by writing.
//!
//! Groups are kept between runs and reused, since making one costs more than a start. A run
//! counts from the counters' values at its beginning. v1 has no way to fork into a group, and
//! moving another process takes a lock that waits for every CPU (15 ms measured); so the forking
//! thread moves itself in, which is exempt from that lock, forks, and moves back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use tracer_model::Limits;

use crate::fault::io_point;
use crate::hierarchy::{Homes, homes};
use crate::slot::namespace;
use crate::sys::{Cloned, Errno, SysResult};

/// A v1 group and the way into it and back.
#[derive(Debug)]
pub(crate) struct Entry {
    into: File,
    home: File,
}

/// A fork within groups, and why they were not joined: 0 where they were.
pub(crate) struct Joined {
    pub(crate) cloned: SysResult<Cloned>,
    /// Of the v1 groups.
    pub(crate) v1: Errno,
    /// Of the v2 group.
    pub(crate) v2: Errno,
}

/// Runs `fork` with this thread in the v1 groups; the v2 group is for `clone3`. Without the groups
/// where they do not take the process.
pub(crate) fn fork_within(
    entries: &[Entry],
    unified: Option<RawFd>,
    mut fork: impl FnMut(Option<RawFd>) -> SysResult<Cloned>,
) -> Joined {
    let leave = || {
        for entry in entries {
            let _ = entry.leave();
        }
    };
    let (mut v1, mut v2) = (0, 0);
    let mut result = Ok(());
    for entry in entries {
        result = result.and(write_zero(&entry.into));
    }
    if let Err(error) = result {
        leave();
        v1 = error.raw_os_error().unwrap_or(libc::EIO);
    }
    let mut cloned = fork(unified);
    if let (Err(errno), true) = (&cloned, unified.is_some()) {
        let refused = *errno;
        cloned = fork(None);
        if cloned.is_ok() {
            v2 = refused;
        }
    }
    leave();
    Joined { cloned, v1, v2 }
}

impl Entry {
    pub(crate) fn new(into: File, home: File) -> Self {
        Self { into, home }
    }

    /// Moves the thread back. Short of memory the kernel may refuse it for a moment, and a group
    /// with a thread of the runner in it could never be removed.
    fn leave(&self) -> io::Result<()> {
        let mut result = write_zero(&self.home);
        for _ in 0..8 {
            if result.is_err() {
                result = write_zero(&self.home);
            }
        }
        result
    }
}

/// A counter file, read from the start each time.
#[derive(Debug)]
struct Counter {
    file: File,
    /// The line's key, or empty if the file is one number.
    key: &'static str,
    /// Nanoseconds or bytes per unit.
    scale: u64,
    base: u64,
}

impl Counter {
    fn open(path: &Path, key: &'static str, scale: u64) -> io::Result<Self> {
        io_point()?;
        Ok(Self {
            file: File::open(path)?,
            key,
            scale,
            base: 0,
        })
    }

    fn raw(&self) -> Option<u64> {
        let mut buffer = [0; 1024];
        let length = self.file.read_at(&mut buffer, 0).ok()?;
        let text = std::str::from_utf8(&buffer[..length]).ok()?;
        let value = if self.key.is_empty() {
            text.trim()
        } else {
            text.lines()
                .find_map(|line| line.strip_prefix(self.key)?.strip_prefix(' '))?
        };
        value
            .parse::<u64>()
            .ok()
            .map(|value| value.saturating_mul(self.scale))
    }

    fn rebase(&mut self) {
        self.base = self.raw().unwrap_or(0);
    }

    fn since(&self) -> Option<u64> {
        self.raw().map(|value| value.saturating_sub(self.base))
    }
}

/// The groups of one run at a time.
#[derive(Debug)]
struct Set {
    folders: Vec<PathBuf>,
    entries: Vec<Entry>,
    unified: Option<File>,
    memory: Result<Memory, String>,
    pids: Result<Pids, String>,
    /// Its v1 file is one number, without a key.
    cpu: Result<Counter, String>,
    /// Not to be used again.
    spoilt: bool,
}

#[derive(Debug)]
struct Memory {
    folder: PathBuf,
    v2: bool,
    kills: Counter,
    peak: Option<File>,
    limit: Written,
}

/// The limit a group has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Limit(Option<u64>),
}

#[derive(Debug)]
struct Pids {
    folder: PathBuf,
    v2: bool,
    refused: Option<Counter>,
    limit: Written,
}

fn put(path: &Path, value: &str) -> io::Result<()> {
    io_point()?;
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(value.as_bytes())
}

fn reason(what: &str, folder: &Path, error: &io::Error) -> String {
    format!("{what} in {}: {error}", folder.display())
}

impl Set {
    fn make(homes: &Homes) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "tracer-{}-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed),
            namespace()
        );
        let mut set = Self {
            folders: Vec::new(),
            entries: Vec::new(),
            unified: None,
            memory: Err("no memory controller is mounted".to_owned()),
            pids: Err("no pids controller is mounted".to_owned()),
            cpu: Err("neither cpu.stat nor cpuacct is there".to_owned()),
            spoilt: false,
        };
        let unified = set.make_unified(homes, &name);
        if let Some(home) = &homes.memory {
            set.memory = set
                .make_v1(home, &name, "memory")
                .and_then(|folder| memory(&folder, false));
        } else if let Ok(folder) = &unified {
            set.memory = memory(folder, true);
        }
        if let Some(home) = &homes.pids {
            set.pids = set
                .make_v1(home, &name, "pids")
                .map(|folder| pids(&folder, false));
        } else if let Ok(folder) = &unified {
            set.pids = Ok(pids(folder, true));
        }
        if let Ok(folder) = &unified {
            set.cpu = Counter::open(&folder.join("cpu.stat"), "usage_usec", 1000)
                .map_err(|error| reason("reading cpu.stat", folder, &error));
        } else if let Some(home) = &homes.cpuacct {
            set.cpu = set.make_v1(home, &name, "cpuacct").and_then(|folder| {
                Counter::open(&folder.join("cpuacct.usage"), "", 1)
                    .map_err(|error| reason("reading cpuacct.usage", &folder, &error))
            });
        } else if let Err(why) = unified {
            set.cpu = Err(why);
        }
        set
    }

    fn make_v1(&mut self, home: &Path, name: &str, what: &str) -> Result<PathBuf, String> {
        let folder = home.join(name);
        let into = make_folder(&folder)
            .and_then(|()| OpenOptions::new().write(true).open(folder.join("tasks")))
            .and_then(|into| {
                let home = OpenOptions::new().write(true).open(home.join("tasks"))?;
                // Found out by writing: in and back.
                write_zero(&into)?;
                let entry = Entry::new(into, home);
                entry.leave()?;
                Ok(entry)
            });
        match into {
            Ok(entry) => {
                self.entries.push(entry);
                self.folders.push(folder.clone());
                Ok(folder)
            }
            Err(error) => {
                let _ = fs::remove_dir(&folder);
                Err(reason(&format!("making a {what} group"), home, &error))
            }
        }
    }

    /// A v2 group as near to the runner's own as one with the controllers can be made: a group
    /// with processes of its own cannot hand controllers down.
    fn make_unified(&mut self, homes: &Homes, name: &str) -> Result<PathBuf, String> {
        let own = homes.unified.as_ref().ok_or("no v2 tree is mounted")?;
        let wanted = homes.memory.is_none();
        let mut first = String::new();
        for home in own
            .ancestors()
            .take_while(|path| path.starts_with(&homes.unified_root))
        {
            let folder = home.join(name);
            if wanted {
                let _ = put(&home.join("cgroup.subtree_control"), "+memory");
                let _ = put(&home.join("cgroup.subtree_control"), "+pids");
            }
            let made = make_folder(&folder).and_then(|()| {
                let usable = !wanted
                    || (folder.join("memory.max").exists() && folder.join("pids.max").exists());
                if usable {
                    File::open(&folder)
                } else {
                    Err(io::Error::other("the controllers are not handed down"))
                }
            });
            match made {
                Ok(file) => {
                    self.unified = Some(file);
                    self.folders.push(folder.clone());
                    return Ok(folder);
                }
                Err(error) => {
                    let _ = fs::remove_dir(&folder);
                    if first.is_empty() {
                        first = reason("making a v2 group", home, &error);
                    }
                }
            }
        }
        Err(first)
    }

    /// Does without the groups of one version.
    fn give_up(&mut self, v2: bool, reason: &str) {
        self.spoilt = true;
        if v2 {
            self.unified = None;
        } else {
            self.entries.clear();
        }
        if self.memory.as_ref().is_ok_and(|memory| memory.v2 == v2) {
            self.memory = Err(reason.to_owned());
        }
        if self.pids.as_ref().is_ok_and(|pids| pids.v2 == v2) {
            self.pids = Err(reason.to_owned());
        }
        if self.cpu.as_ref().is_ok_and(|cpu| cpu.key.is_empty() != v2) {
            self.cpu = Err(reason.to_owned());
        }
    }

    fn remove(&self) {
        for folder in &self.folders {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    io_point()?;
    fs::create_dir(path)
}

fn write_zero(mut file: &File) -> io::Result<()> {
    io_point()?;
    file.write_all(b"0") // 0 is the writing thread
}

fn memory(folder: &Path, v2: bool) -> Result<Memory, String> {
    let events = if v2 {
        "memory.events"
    } else {
        "memory.oom_control"
    };
    let kills = Counter::open(&folder.join(events), "oom_kill", 1)
        .map_err(|error| reason(&format!("reading {events}"), folder, &error))?;
    let peak = if v2 {
        "memory.peak"
    } else {
        "memory.max_usage_in_bytes"
    };
    // Writing resets it; before Linux 6.12 the v2 file is read-only and stays unknown.
    let peak = OpenOptions::new()
        .read(true)
        .write(true)
        .open(folder.join(peak))
        .ok();
    Ok(Memory {
        folder: folder.to_owned(),
        v2,
        kills,
        peak,
        limit: Written::Nothing,
    })
}

impl Memory {
    fn set(&mut self, limit: Option<u64>) -> io::Result<()> {
        if self.limit == Written::Limit(limit) {
            return Ok(());
        }
        let file = |name: &str| self.folder.join(name);
        if self.v2 {
            let text = limit.map_or("max".to_owned(), |limit| limit.to_string());
            put(&file("memory.max"), &text)?;
            let _ = put(&file("memory.swap.max"), "0");
            let _ = put(&file("memory.oom.group"), "1");
        } else {
            // The limit with swap may never be below the one without.
            let _ = put(&file("memory.memsw.limit_in_bytes"), "-1");
            let text = limit.map_or("-1".to_owned(), |limit| limit.to_string());
            put(&file("memory.limit_in_bytes"), &text)?;
            if put(&file("memory.memsw.limit_in_bytes"), &text).is_err() {
                let _ = put(&file("memory.swappiness"), "0");
            }
        }
        self.limit = Written::Limit(limit);
        Ok(())
    }
}

fn pids(folder: &Path, v2: bool) -> Pids {
    let refused = Counter::open(&folder.join("pids.events"), "max", 1).ok();
    Pids {
        folder: folder.to_owned(),
        v2,
        refused,
        limit: Written::Nothing,
    }
}

impl Pids {
    fn set(&mut self, limit: Option<u64>) -> io::Result<()> {
        const MOST: u64 = 4 << 20; // the kernel's own ceiling on pids
        if self.limit == Written::Limit(limit) {
            return Ok(());
        }
        // The init process counts as one.
        let text = match limit {
            Some(limit) if limit < MOST => (limit + 1).to_string(),
            _ => "max".to_owned(),
        };
        put(&self.folder.join("pids.max"), &text)?;
        self.limit = Written::Limit(limit);
        Ok(())
    }
}

static POOL: Mutex<Vec<Set>> = Mutex::new(Vec::new());

extern "C" fn empty_pool() {
    if let Ok(mut pool) = POOL.try_lock() {
        for set in pool.drain(..) {
            set.remove();
        }
    }
}

/// Removes the groups that are in no run's use.
#[cfg(feature = "weaken")]
pub(crate) fn forget() {
    empty_pool();
}

/// The runner that made a group, from its name: a process that this one would see.
fn maker(name: &str) -> Option<&str> {
    let (pid, rest) = name.strip_prefix("tracer-")?.split_once('-')?;
    let (_, space) = rest.split_once('-')?;
    (space == namespace().to_string()).then_some(pid)
}

/// Groups left by runners that were killed go when the next one of their process namespace starts.
fn remove_stale(home: Option<&Path>) {
    for entry in home
        .and_then(|home| fs::read_dir(home).ok())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let pid = name.to_str().and_then(maker);
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir(entry.path()); // fails while a process is in it
        }
    }
}

fn detected() -> &'static Homes {
    static HOMES: OnceLock<Homes> = OnceLock::new();
    HOMES.get_or_init(|| {
        let homes = homes();
        for home in [&homes.memory, &homes.pids, &homes.cpuacct, &homes.unified] {
            remove_stale(home.as_deref());
        }
        // SAFETY: the function has the signature atexit(3) asks for.
        unsafe { libc::atexit(empty_pool) };
        homes
    })
}

/// Groups in use by one run; they return to the pool when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    set: Option<Set>,
}

impl Lease {
    /// Takes groups and sets their limits. What cannot be had is told by the `_refusal` methods.
    pub(crate) fn take(limits: &Limits) -> Self {
        let pooled = POOL.lock().ok().and_then(|mut pool| pool.pop());
        let mut set = pooled.unwrap_or_else(|| Set::make(detected()));
        if let Ok(memory) = &mut set.memory {
            if let Err(error) = memory.set(limits.memory) {
                set.memory = Err(reason("setting the limit", &memory.folder, &error));
            } else {
                memory.kills.rebase();
                if let Some(peak) = &mut memory.peak {
                    let _ = peak.write_at(b"0", 0);
                }
            }
        }
        if let Ok(pids) = &mut set.pids {
            if let Err(error) = pids.set(limits.processes) {
                set.pids = Err(reason("setting the limit", &pids.folder, &error));
            } else if let Some(refused) = &mut pids.refused {
                refused.rebase();
            }
        }
        if let Ok(cpu) = &mut set.cpu {
            cpu.rebase();
        }
        Self { set: Some(set) }
    }

    fn set(&self) -> &Set {
        self.set
            .as_ref()
            .expect("a lease has its groups until it is dropped")
    }

    /// Forks with [`fork_within`]. Groups that turn out not to take processes are given up, and the
    /// refusal methods say so.
    pub(crate) fn around(
        &mut self,
        fork: impl FnMut(Option<RawFd>) -> SysResult<Cloned>,
    ) -> SysResult<Cloned> {
        let set = self.set();
        let unified = set.unified.as_ref().map(AsRawFd::as_raw_fd);
        let joined = fork_within(&set.entries, unified, fork);
        self.joined(joined.v1, joined.v2);
        joined.cloned
    }

    /// How many v1 groups there are to join, and whether there is a v2 group.
    pub(crate) fn entries(&self) -> (usize, bool) {
        (self.set().entries.len(), self.set().unified.is_some())
    }

    /// For a process that forks in the runner's place: the v2 group, and the way into each v1 group
    /// and back.
    pub(crate) fn descriptors(&self) -> Vec<RawFd> {
        let set = self.set();
        let v1 = set.entries.iter();
        let v1 = v1.flat_map(|entry| [entry.into.as_raw_fd(), entry.home.as_raw_fd()]);
        let v2 = set.unified.iter().map(AsRawFd::as_raw_fd);
        v2.chain(v1).collect()
    }

    /// Gives up groups that did not take the process; 0 for those that did.
    pub(crate) fn joined(&mut self, v1: i32, v2: i32) {
        let Some(set) = self.set.as_mut() else { return };
        if v1 != 0 {
            let error = io::Error::from_raw_os_error(v1);
            set.give_up(false, &format!("joining the group: {error}"));
        }
        if v2 != 0 {
            let error = io::Error::from_raw_os_error(v2);
            set.give_up(true, &format!("joining the v2 group: {error}"));
        }
    }

    pub(crate) fn memory_refusal(&self) -> Option<&str> {
        self.set().memory.as_ref().err().map(String::as_str)
    }

    pub(crate) fn pids_refusal(&self) -> Option<&str> {
        self.set().pids.as_ref().err().map(String::as_str)
    }

    pub(crate) fn cpu_refusal(&self) -> Option<&str> {
        self.set().cpu.as_ref().err().map(String::as_str)
    }

    /// Processes killed for want of memory.
    pub(crate) fn memory_kills(&self) -> u64 {
        self.set()
            .memory
            .as_ref()
            .ok()
            .and_then(|memory| memory.kills.since())
            .unwrap_or(0)
    }

    /// Most memory used at once, in bytes.
    pub(crate) fn memory_peak(&self) -> Option<u64> {
        let file = self.set().memory.as_ref().ok()?.peak.as_ref()?;
        let mut buffer = [0; 32];
        let length = file.read_at(&mut buffer, 0).ok()?;
        std::str::from_utf8(&buffer[..length])
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Forks refused for want of process slots.
    pub(crate) fn forks_refused(&self) -> Option<u64> {
        self.set().pids.as_ref().ok()?.refused.as_ref()?.since()
    }

    /// CPU time in nanoseconds.
    pub(crate) fn cpu(&self) -> Option<u64> {
        self.set().cpu.as_ref().ok()?.since()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(set) = self.set.take() else { return };
        match POOL.lock() {
            Ok(mut pool) if !set.spoilt => pool.push(set),
            _ => set.remove(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_runners_that_cannot_be_seen_are_left() {
        let own = namespace();
        assert_eq!(maker(&format!("tracer-7-0-{own}")), Some("7"));
        assert_eq!(maker(&format!("tracer-7-0-{}", own + 1)), None);
        assert_eq!(maker("tracer.slice"), None);
    }
}
