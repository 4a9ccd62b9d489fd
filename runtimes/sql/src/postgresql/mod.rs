//! Runs scripts in the dialect of PostgreSQL, and reports what happens.
//!
//! The program is `psql` itself, on a server of the run's own; the runner stands between the two
//! and passes every byte on. What happens is read off the protocol and the server's log. The plain
//! and the traced run differ only in whether somebody reads along.
//!
//! | file | what |
//! | --- | --- |
//! | `split` | a script into statements and backslash commands |
//! | `sites` | which places report, as the instrumenter wrote it |
//! | `cluster` | the server |
//! | `relay`, `wire`, `log` | what passes by, cut into messages and entries |
//! | `observer`, `script`, `routines`, `values` | what happened, as records |

mod cluster;
mod log;
mod observer;
mod relay;
mod routines;
mod script;
pub mod sites;
pub mod split;
mod values;
mod wire;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use self::cluster::{Reports, SOCKET, Server, USER};
use self::observer::Observer;
use self::relay::Relay;
use self::script::Script;
use crate::channel::Channel;
use crate::{complain, entry};

/// The argument that makes the runner one for PostgreSQL.
pub const POSTGRESQL: &str = "--postgresql";
/// Further on: make a cluster and keep it.
pub const MAKE: &str = "make";
/// Or: run a script.
pub const RUN: &str = "run";
/// Or: run it without reports of PL/pgSQL statements.
pub const PLANS: &str = "plans";

/// `make PROGRAMS ARCHIVE`, or `run PROGRAMS ARCHIVE SITES SCRIPT …`; `SITES` is `-` in a plain
/// run; for `plans` instead of `run` the statements of PL/pgSQL do not report. Gives the exit
/// status.
pub(crate) fn main(arguments: &[OsString]) -> i32 {
    let done = match arguments {
        [what, programs, archive] if what == MAKE => {
            cluster::make(Path::new(programs), Path::new(archive)).map(|()| 0)
        }
        [what, programs, archive, sites, script, rest @ ..] => run(
            if sites == "-" {
                Reports::None
            } else if what == PLANS {
                Reports::Plans
            } else {
                Reports::All
            },
            Path::new(programs),
            Path::new(archive),
            Path::new(sites),
            Path::new(script),
            rest,
        ),
        _ => Err(io::Error::other("wrong arguments")),
    };
    done.unwrap_or_else(|error| complain(&format!("tracer: PostgreSQL: {error}")))
}

fn run(
    reports: Reports,
    programs: &Path,
    archive: &Path,
    sites: &Path,
    script: &Path,
    arguments: &[OsString],
) -> io::Result<i32> {
    let channel = entry::channel().and_then(Channel::new);
    let mut observer = channel.map(|channel| Observer::new(channel, Script::read(sites)));
    let folder = folder()?;
    let mut server = Server::start(programs, archive, &folder, reports)?;
    server.wait()?;
    let listener = UnixListener::bind(folder.join(SOCKET))?;
    let mut psql = cluster::program(programs, "psql");
    psql.arg("--no-psqlrc").arg("--file").arg(script);
    let mut psql = psql
        .args(arguments)
        .env("PGHOST", &folder)
        .env("PGUSER", USER)
        .env("PGDATABASE", USER)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let log = server.log.try_clone()?;
    let socket = server.socket.clone();
    let passed = Relay::new(listener, log, &mut psql, observer.as_mut())
        .and_then(|mut relay| relay.run(&socket));
    if passed.is_err() {
        // Nothing would answer it any more.
        psql.kill()?;
    }
    let status = psql.wait()?;
    server.stop();
    passed?;
    // In the sandbox it goes with the run.
    let _ = fs::remove_dir_all(&folder);
    if let Some(observer) = &mut observer {
        observer.end(status.code());
    }
    Ok(status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
}

/// A folder of the run's own. Inside the sandbox its name is always the same.
fn folder() -> io::Result<PathBuf> {
    let make = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
    let usual = std::env::temp_dir().join("postgresql");
    match make(&usual) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let own = usual.with_extension(std::process::id().to_string());
            make(&own)?;
            Ok(own)
        }
        made => made.map(|()| usual),
    }
}
