//! The throwaway sandbox around every run: disposable mount, pid, network, ipc and uts
//! namespaces, a root whose writes go to a small tmpfs, and groups with low limits.
//!
//! The test's binary starts itself three times: `outer` makes the namespaces, `init` is their
//! first process and makes what there is to attack, `worker` is the runner under test.
#![allow(unsafe_code)] // an ioctl and three System V calls

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::IntoRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::wait::wait;

use crate::case::{Case, Mode};
use crate::faults::Faults;
use crate::module::machine;
use crate::program::{prepare, repository};
use crate::report::Report;
use crate::soak::Account;

/// The variable that tells a copy of the test's binary what it is.
const STAGE: &str = "TRACER_ATTACK_STAGE";
/// A word that only the outside knows.
pub(crate) const SECRET: &str = "the-secret-of-the-outside";
/// The ordinary user.
const NOBODY: u32 = 65534;
/// Where the case lies inside.
pub(crate) const PROGRAMS: &str = "/tmp/case";
/// Where the worker of the WebAssembly back end lies inside.
pub(crate) const MACHINE: &str = "/tmp/module-worker";
/// Where the seeds of the copy-out lie inside.
pub(crate) const SEEDS: &str = "/tmp/seeds";
/// What the attacks aim at.
pub(crate) const OUTSIDE: &str = "/tmp/outside";
/// Longest a case may take, its clean runs included.
const PATIENCE: Duration = Duration::from_secs(180);

/// Groups of one throwaway sandbox, removed when dropped.
struct Groups(Vec<(String, PathBuf)>);

impl Groups {
    fn make(name: &str) -> Self {
        let mut groups = Self(Vec::new());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        for line in mounts.lines() {
            let Some((head, tail)) = line.split_once(" - ") else {
                continue;
            };
            let point = head.split(' ').nth(4).unwrap_or_default();
            let (kind, options) = (tail.split(' ').next(), tail.split(' ').nth(2));
            let controller = match kind {
                Some("cgroup2") => "",
                Some("cgroup") => match options
                    .into_iter()
                    .flat_map(|options| options.split(','))
                    .find(|option| ["memory", "pids", "cpuacct"].contains(option))
                {
                    Some(controller) => controller,
                    None => continue,
                },
                _ => continue,
            };
            let path = own.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                let (names, path) = (fields.next()?, fields.next()?);
                names
                    .split(',')
                    .any(|name| name == controller)
                    .then_some(path)
            });
            let home = Path::new(point).join(path.unwrap_or("/").trim_start_matches('/'));
            let folder = home.join(name);
            if fs::create_dir(&folder).is_err() {
                continue;
            }
            for (file, value) in [
                ("memory.limit_in_bytes", "1073741824"),
                ("memory.max", "1073741824"),
                ("pids.max", "300"),
            ] {
                if folder.join(file).exists() {
                    let _ = fs::write(folder.join(file), value);
                }
            }
            groups.0.push((point.to_owned(), folder));
        }
        groups
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for (_, folder) in &self.0 {
            remove(folder);
        }
    }
}

/// Removes a group and those below it, once their processes are gone.
fn remove(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let start = Instant::now();
    while fs::remove_dir(folder).is_err() && start.elapsed() < Duration::from_secs(2) {
        std::thread::yield_now();
    }
}

/// A copy of this binary, to be another part.
pub(crate) fn again(stage: &str) -> io::Result<Command> {
    let mut command = Command::new("/proc/self/exe");
    command.env(STAGE, stage);
    command.arg0(std::env::current_exe()?);
    Ok(command)
}

/// A copy of this binary that will make a throwaway sandbox for `work`, with the groups that go
/// when it is done.
fn throwaway(work: &str) -> io::Result<(Command, Groups)> {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let groups = Groups::make(&format!("attack-{}-{number}", std::process::id()));
    let list: Vec<String> = groups
        .0
        .iter()
        .map(|(point, folder)| format!("{point}\t{}", folder.display()))
        .collect();
    let mut command = again("outer")?;
    command
        .env("TRACER_ATTACK_GROUPS", list.join("\n"))
        .env("TRACER_ATTACK_MODE", work)
        .env("TRACER_ATTACK_SECRET", SECRET)
        .env("TRACER_THROWAWAY", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    Ok((command, groups))
}

/// `total` runs of every kind in one throwaway sandbox, see [`crate::Account`].
pub fn soak(total: u64) -> Result<Vec<Account>, String> {
    alone(&format!("soak {total}"))
}

/// Fails every call of a set-up in turn, see [`crate::Faults`].
pub fn faults(every: bool, user: bool) -> Result<Faults, String> {
    let errors = if every { "all" } else { "one" };
    alone(&format!(
        "faults {errors}{}",
        if user { OF_USER } else { "" }
    ))
}

/// Feeds the seeds of the fuzz target to the copy-out; gives how many there were.
pub fn copy_out_seeds() -> Result<u32, String> {
    alone("seeds")
}

/// How work ends that an ordinary user is to do.
const OF_USER: &str = " as a user";

/// What a worker that is given `work` says at its end.
fn alone<T: serde::de::DeserializeOwned>(work: &str) -> Result<T, String> {
    let fail = |error: io::Error| error.to_string();
    let (mut command, groups) = throwaway(work).map_err(fail)?;
    let output = command.stderr(Stdio::inherit()).output().map_err(fail)?;
    drop(groups);
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok());
    said.ok_or_else(|| format!("it did not come to its end: {text}"))
}

/// Runs `case` in `mode` in a throwaway sandbox.
pub(crate) fn run(case: &Case, mode: Mode) -> Result<Report, String> {
    let program = prepare(case, mode)?;
    let fail = |error: io::Error| format!("starting the throwaway sandbox: {error}");
    let (mut command, groups) = throwaway(mode.name()).map_err(fail)?;
    command
        .env("TRACER_ATTACK_CASE", &case.source)
        .env("TRACER_ATTACK_PROGRAM", &program)
        .env(
            "TRACER_ATTACK_MACHINE",
            machine()
                .filter(|_| case.is_module(mode))
                .unwrap_or(Path::new("")),
        )
        .stderr(Stdio::piped());
    if case.drive.is_some() {
        // Many processes that are meant to be: the limit is to keep bombs in here.
        for (_, folder) in &groups.0 {
            if folder.join("pids.max").exists() {
                let _ = fs::write(folder.join("pids.max"), "1500");
            }
        }
    }
    let mut child = command.spawn().map_err(fail)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("no pipes".to_owned());
    };
    let collect = |mut from: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = from.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let (stdout, stderr) = (collect(Box::new(stdout)), collect(Box::new(stderr)));
    let late = !ends_within(&mut child, PATIENCE);
    if late {
        let _ = child.kill();
        let _ = child.wait();
    }
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    drop(groups);
    let said = stdout
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok());
    said.ok_or_else(|| format!("the worker gave no report (late: {late}): {stdout}{stderr}"))
}

fn ends_within(child: &mut Child, patience: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < patience {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// What this process is, if a copy of the test: never returns then.
pub fn stage() {
    let Some(stage) = std::env::var_os(STAGE) else {
        return;
    };
    // SAFETY: this process has one thread yet.
    unsafe { std::env::remove_var(STAGE) };
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    let result = match stage.to_str() {
        Some("outer") => outer(),
        Some("init") => init(),
        Some("worker") => crate::worker::main(),
        Some("victim") => crate::drive::victim(),
        Some("next") => crate::drive::next(),
        Some("stepped") => crate::drive::stepped(),
        _ => Err(io::Error::other("no such stage")),
    };
    let code = match result {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}: {error}", stage.display());
            1
        }
    };
    std::process::exit(code);
}

fn variable(name: &str) -> OsString {
    std::env::var_os(name).unwrap_or_default()
}

fn tmpfs(at: &Path, options: &str) -> io::Result<()> {
    fs::create_dir_all(at)?;
    Ok(mount(
        Some("tmpfs"),
        at,
        Some("tmpfs"),
        MsFlags::MS_NOSUID & MsFlags::empty(),
        Some(options),
    )?)
}

fn bind(from: &Path, to: &Path) -> io::Result<()> {
    Ok(mount(
        Some(from),
        to,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )?)
}

fn outer() -> io::Result<()> {
    let groups = variable("TRACER_ATTACK_GROUPS")
        .into_string()
        .unwrap_or_default();
    let groups: Vec<(&str, &str)> = groups
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    for (_, folder) in &groups {
        let tasks = Path::new(folder).join("tasks");
        let file = if tasks.exists() {
            tasks
        } else {
            Path::new(folder).join("cgroup.procs")
        };
        let _ = OpenOptions::new().write(true).open(file)?.write_all(b"0");
    }
    unshare(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS,
    )?;
    nix::unistd::sethostname("outside")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)?;
    // Opened before the mounts hide them.
    let own = File::open("/proc/self/exe")?;
    let case = PathBuf::from(variable("TRACER_ATTACK_CASE"));
    let files = if case.as_os_str().is_empty() {
        None
    } else {
        let program = File::open(variable("TRACER_ATTACK_PROGRAM"))?;
        let machine = PathBuf::from(variable("TRACER_ATTACK_MACHINE"));
        let machine = if machine.as_os_str().is_empty() {
            None
        } else {
            Some(File::open(machine)?)
        };
        Some((program, File::open(&case)?, machine))
    };
    let mut seeds = Vec::new();
    for seed in fs::read_dir(repository().join("fuzz/seeds/copy_out"))?.flatten() {
        seeds.push((seed.file_name(), File::open(seed.path())?));
    }
    let here = Path::new("/tmp");
    tmpfs(here, "size=128m,nr_inodes=20000,mode=755")?;
    for name in ["up", "work", "root"] {
        fs::create_dir(here.join(name))?;
    }
    let root = here.join("root");
    mount(
        Some("overlay"),
        &root,
        Some("overlay"),
        MsFlags::empty(),
        Some("lowerdir=/,upperdir=/tmp/up,workdir=/tmp/work"),
    )?;
    tmpfs(&root.join("tmp"), "size=128m,nr_inodes=20000,mode=1777")?;
    tmpfs(&root.join("dev"), "size=16m,mode=755")?;
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
        let to = root.join("dev").join(name);
        File::create(&to)?;
        bind(&Path::new("/dev").join(name), &to)?;
    }
    tmpfs(&root.join("dev/shm"), "size=64m,mode=1777")?;
    tmpfs(&root.join("sys"), "size=1m,mode=755")?;
    for (point, folder) in &groups {
        let to = root.join(point.trim_start_matches('/'));
        fs::create_dir_all(&to)?;
        bind(Path::new(folder), &to)?;
    }
    copy(own, &root.join("tmp/harness"), 0o755)?;
    fs::create_dir_all(root.join("tmp/case"))?;
    let folder = root.join(SEEDS.trim_start_matches('/'));
    fs::create_dir(&folder)?;
    for (name, seed) in seeds {
        copy(seed, &folder.join(name), 0o644)?;
    }
    if let Some((program, source, machine)) = files {
        if let Some(machine) = machine {
            copy(machine, &root.join(MACHINE.trim_start_matches('/')), 0o755)?;
        }
        copy(program, &root.join("tmp/case/program"), 0o755)?;
        let name = Path::new("source").with_extension(case.extension().unwrap_or_default());
        copy(source, &root.join("tmp/case").join(name), 0o644)?;
    }
    // What is written to the root shows here.
    fs::create_dir(root.join("upper"))?;
    bind(&here.join("up"), &root.join("upper"))?;
    std::env::set_current_dir(&root)?;
    nix::unistd::pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    std::env::set_current_dir("/")?;
    let mut init = Command::new("/tmp/harness");
    init.env(STAGE, "init");
    let status = init.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("init: {status}")))
    }
}

fn copy(mut from: File, to: &Path, mode: u32) -> io::Result<()> {
    let mut file = File::create(to)?;
    io::copy(&mut from, &mut file)?;
    file.set_permissions(Permissions::from_mode(mode))
}

/// The first process of the throwaway sandbox: makes what there is to attack, starts the worker,
/// and reaps whatever is left to it until the worker ends.
fn init() -> io::Result<()> {
    mount(
        Some("proc"),
        "/proc",
        Some("proc"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
        None::<&str>,
    )?;
    fs::create_dir_all("/mqueue")?;
    let _ = mount(
        Some("mqueue"),
        "/mqueue",
        Some("mqueue"),
        MsFlags::empty(),
        None::<&str>,
    );
    loopback()?;
    let outside = Path::new(OUTSIDE);
    fs::create_dir_all(outside)?;
    fs::set_permissions(outside, Permissions::from_mode(0o777))?;
    for (name, mode) in [("secret", 0o644), ("private", 0o600), ("target", 0o666)] {
        fs::write(outside.join(name), format!("{SECRET}\n"))?;
        fs::set_permissions(outside.join(name), Permissions::from_mode(mode))?;
    }
    for path in ["/etc/shadow", "/etc/owned-by-root"] {
        fs::write(path, format!("root:{SECRET}:19000::::::\n"))?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    for folder in ["/tmp/work", "/tmp/copied"] {
        fs::create_dir(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o777))?;
        fs::write(Path::new(folder).join("kept"), "kept\n")?;
    }
    if !variable("TRACER_ATTACK_MACHINE").is_empty() {
        // For modules, which cannot make one themselves.
        nix::unistd::mkfifo("/tmp/work/waits", nix::sys::stat::Mode::S_IRWXU)?;
    }
    listen()?;
    let mut worker = Command::new("/tmp/harness");
    worker.env(STAGE, "worker").current_dir("/tmp");
    let mode = variable("TRACER_ATTACK_MODE");
    let mode = mode.to_str().unwrap_or_default();
    if matches!(Mode::named(mode), Some(Mode::User | Mode::Bwrap)) || mode.ends_with(OF_USER) {
        worker.uid(NOBODY).gid(NOBODY);
    }
    let worker = worker.spawn()?;
    loop {
        let ended = wait()?;
        if ended.pid().map(nix::unistd::Pid::as_raw) == Some(worker.id() as i32) {
            return Ok(());
        }
    }
}

/// Services that an attack tries to reach.
fn listen() -> io::Result<()> {
    fn serve<S: Write + Send + 'static>(mut next: impl FnMut() -> io::Result<S> + Send + 'static) {
        std::thread::spawn(move || {
            while let Ok(mut caller) = next() {
                let _ = caller.write_all(SECRET.as_bytes());
            }
        });
    }
    let four = TcpListener::bind("127.0.0.1:7070")?;
    serve(move || four.accept().map(|(caller, _)| caller));
    if let Ok(six) = TcpListener::bind("[::1]:7070") {
        serve(move || six.accept().map(|(caller, _)| caller));
    }
    let named = UnixListener::bind(Path::new(OUTSIDE).join("socket"))?;
    fs::set_permissions(
        Path::new(OUTSIDE).join("socket"),
        Permissions::from_mode(0o777),
    )?;
    serve(move || named.accept().map(|(caller, _)| caller));
    let address = SocketAddr::from_abstract_name("tracer-victim")?;
    let hidden = UnixListener::bind_addr(&address)?;
    serve(move || hidden.accept().map(|(caller, _)| caller));
    // SAFETY: plain calls; the memory is given back with the namespace.
    unsafe {
        let id = libc::shmget(0x7261_6365, 4096, libc::IPC_CREAT | 0o666);
        let memory = libc::shmat(id, std::ptr::null(), 0);
        if memory as isize != -1 {
            memory.cast::<u8>().copy_from(SECRET.as_ptr(), SECRET.len());
        }
    }
    Ok(())
}

/// Brings the loopback device up.
fn loopback() -> io::Result<()> {
    // SAFETY: a plain socket and a zeroed, then filled request.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        let result = libc::ioctl(socket, libc::SIOCSIFFLAGS, &request);
        libc::close(socket);
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// A descriptor that a careless library left open, under a number that guests look at.
pub(crate) fn leak() -> io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(Path::new(OUTSIDE).join("target"))?
        .into_raw_fd();
    // SAFETY: plain integers; dup2 leaves close-on-exec off.
    if unsafe { libc::dup2(file, 77) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
