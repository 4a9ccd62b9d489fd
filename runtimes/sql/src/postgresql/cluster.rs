//! A database cluster of the run's own: made once, kept as one file, laid out and served.
//!
//! The server listens on a socket in its own folder alone. What it logs goes to a pipe.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The user that the cluster belongs to, and the database: what scripts are used to.
pub(crate) const USER: &str = "postgres";
/// The socket's name.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";
/// First bytes of a kept cluster.
const MAGIC: &[u8] = b"cluster1";

/// Settings of every server, traced or not: nothing in the background.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("max_logical_replication_workers", "0"),
    ("dynamic_shared_memory_type", "mmap"),
    ("shared_buffers", "16MB"),
    ("max_connections", "20"),
    ("log_destination", "stderr"),
    ("log_min_messages", "log"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("log_line_prefix", "%p "),
    ("log_checkpoints", "off"),
];

/// What a server with `auto_explain` is told.
const PLANS: &[(&str, &str)] = &[
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_timing", "off"),
    ("auto_explain.log_triggers", "on"),
    ("auto_explain.log_nested_statements", "on"),
];

/// What a server with `plpgsql_check` is told: it reports statements as they run.
const STATEMENTS: &[(&str, &str)] = &[
    ("plpgsql_check.enable_tracer", "on"),
    ("plpgsql_check.tracer", "on"),
    ("plpgsql_check.tracer_errlevel", "log"),
    ("plpgsql_check.tracer_verbosity", "verbose"),
];

/// A program of PostgreSQL's.
#[expect(
    clippy::disallowed_methods,
    reason = "the runner is what the sandbox runs: its programs are inside already"
)]
pub(crate) fn program(programs: &Path, name: &str) -> Command {
    let mut command = Command::new(programs.join(name));
    command.env_remove("TRACER_CHANNEL");
    command
}

/// Makes a cluster and keeps it in `archive`.
pub(crate) fn make(programs: &Path, archive: &Path) -> io::Result<()> {
    let folder = archive.with_extension("folder");
    let made = program(programs, "initdb")
        .arg("--pgdata")
        .arg(&folder)
        .args(["--username", USER, "--auth=trust", "--locale=C.UTF-8"])
        .args(["--encoding=UTF8", "--no-sync", "--wal-segsize=1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !made.success() {
        return Err(io::Error::other("initdb failed"));
    }
    let mut out = io::BufWriter::new(File::create(archive)?);
    out.write_all(MAGIC)?;
    pack(&folder, Path::new(""), &mut out)?;
    out.flush()?;
    fs::remove_dir_all(&folder)
}

fn pack(root: &Path, below: &Path, out: &mut impl Write) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(root.join(below))?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        let name = path.as_os_str().as_encoded_bytes();
        let folder = entry.file_type()?.is_dir();
        let size = if folder { 0 } else { entry.metadata()?.len() };
        out.write_all(&[u8::from(folder)])?;
        out.write_all(&(name.len() as u32).to_le_bytes())?;
        out.write_all(&size.to_le_bytes())?;
        out.write_all(name)?;
        if folder {
            pack(root, &path, out)?;
        } else {
            io::copy(&mut File::open(entry.path())?, out)?;
        }
    }
    Ok(())
}

fn lay_out(archive: &Path, root: &Path) -> io::Result<()> {
    let make = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
    let mut kept = io::BufReader::with_capacity(1 << 20, File::open(archive)?);
    let mut magic = [0; MAGIC.len()];
    kept.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(io::Error::other("this is no kept cluster"));
    }
    make(root)?;
    let mut head = [0; 13];
    while let Ok(()) = kept.read_exact(&mut head) {
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let mut size = [0; 8];
        size.copy_from_slice(&head[5..]);
        let mut name = vec![0; length as usize];
        kept.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(io::Error::other)?;
        let path = root.join(name);
        if head[0] == 1 {
            make(&path)?;
        } else {
            let mut options = File::options();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            io::copy(&mut (&mut kept).take(u64::from_le_bytes(size)), &mut file)?;
        }
    }
    Ok(())
}

/// What a server reports in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reports {
    /// Nothing.
    None,
    /// Plans.
    Plans,
    /// Plans, and statements of PL/pgSQL.
    All,
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    /// What it logs.
    pub(crate) log: File,
    /// Where its socket lies.
    pub(crate) socket: PathBuf,
}

impl Server {
    /// Lays a kept cluster out in `folder` and starts its server, which may not be ready yet.
    /// Nothing that reports is loaded into the server of a plain run.
    pub(crate) fn start(
        programs: &Path,
        archive: &Path,
        folder: &Path,
        reports: Reports,
    ) -> io::Result<Self> {
        let data = folder.join("data");
        lay_out(archive, &data)?;
        let sockets = folder.join("server");
        fs::DirBuilder::new().mode(0o700).create(&sockets)?;
        let libraries = programs.parent().unwrap_or(programs).join("lib");
        let has = |name: &str| libraries.join(name).exists();
        let mut settings: Vec<(&str, OsString)> = SETTINGS
            .iter()
            .map(|(name, value)| (*name, value.into()))
            .collect();
        settings.push(("unix_socket_directories", sockets.clone().into()));
        let mut loaded = Vec::new();
        if reports == Reports::All && has("plpgsql_check.so") {
            loaded.extend(["plpgsql", "plpgsql_check"]);
            settings.extend(STATEMENTS.iter().map(|(name, value)| (*name, value.into())));
        }
        if reports != Reports::None && has("auto_explain.so") {
            loaded.push("auto_explain");
            settings.extend(PLANS.iter().map(|(name, value)| (*name, value.into())));
        }
        settings.push(("session_preload_libraries", loaded.join(",").into()));
        let (log, written) = io::pipe()?;
        let mut command = program(programs, "postgres");
        command.arg("-D").arg(&data);
        for (name, value) in settings {
            let mut setting = OsString::from(name);
            setting.push("=");
            setting.push(value);
            command.arg("-c").arg(setting);
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(written)
            .spawn()?;
        Ok(Self {
            process,
            log: File::from(OwnedFd::from(log)),
            socket: sockets.join(SOCKET),
        })
    }

    /// Waits until it takes connections.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        let mut said = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let got = self.log.read(&mut piece)?;
            said.extend(&piece[..got]);
            let text = String::from_utf8_lossy(&said);
            if text.contains("ready to accept connections") {
                return Ok(());
            }
            if got == 0 {
                return Err(io::Error::other(format!(
                    "the server did not start: {text}"
                )));
            }
        }
    }

    /// Ends it and its processes at once: nothing of it is used again.
    pub(crate) fn stop(mut self) {
        // Both fail only where it has ended by itself.
        let _ = kill(Pid::from_raw(self.process.id() as i32), Signal::SIGQUIT);
        let _ = self.process.wait();
    }
}
