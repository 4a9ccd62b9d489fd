//! Runs SQL scripts on `SQLite` as the `sqlite3` shell does, and reports what happens.
//!
//! The emitter of SQL. The language has no place for probes: an expression may be evaluated any
//! number of times, or never, so no text is inserted into a statement. What happens is what the
//! engine itself tells through its hooks. A plain run and a traced one are the same code.
//!
//! | file | what |
//! | --- | --- |
//! | `entry` | how the runner is started, and what it needs of the system |
//! | `module` | the same in a WebAssembly module |
//! | `split` | a script into statements and dot-commands |
//! | `sites` | which places report, as the instrumenter wrote it |
//! | `engine` | SQLite |
//! | `shell`, `dot`, `schema`, `import` | running a script; dot-commands |
//! | `modes`, `columns` | output |
//! | `tracer`, `changes`, `plan`, `codes` | what happened, as records |
//! | `channel`, `values` | records as bytes |
//! | `postgresql` | the same for the dialect of PostgreSQL, on its own server |

mod changes;
mod channel;
mod codes;
mod columns;
pub mod dot;
mod engine;
#[cfg_attr(target_os = "wasi", path = "module.rs")]
mod entry;
mod import;
mod modes;
mod plan;
#[cfg(not(target_os = "wasi"))]
pub mod postgresql;
mod schema;
mod shell;
pub mod sites;
pub mod split;
mod tracer;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[cfg(not(target_os = "wasi"))]
pub use entry::is_linked;

use crate::channel::Channel;
use crate::shell::{Flow, Places, Shell};
use crate::sites::FileSites;
use crate::tracer::Tracer;

/// The first argument that makes this program the runner.
pub const RUNNER: &str = "--tracer-sql-runner";

/// The argument before the folder that the runner is to begin in: a module begins in the root.
pub const FOLDER: &str = "--folder";

/// Runs with these arguments (`--version`, or `[--folder FOLDER] [--sites FILE] SCRIPT
/// [DATABASE]`) and gives the exit status.
pub fn main(mut arguments: Vec<OsString>) -> i32 {
    if arguments.first().is_some_and(|first| first == "--version") {
        return say(&format!("{}\n", engine::version()));
    }
    #[cfg(not(target_os = "wasi"))]
    if arguments
        .first()
        .is_some_and(|first| first == postgresql::POSTGRESQL)
    {
        return postgresql::main(&arguments[1..]);
    }
    if arguments.len() >= 2 && arguments[0] == FOLDER {
        if let Err(error) = std::env::set_current_dir(&arguments[1]) {
            let folder = arguments[1].to_string_lossy();
            return complain(&format!("cannot go to {folder}: {error}"));
        }
        arguments.drain(..2);
    }
    let mut sites = None;
    if arguments.len() >= 2 && arguments[0] == "--sites" {
        sites = Some(PathBuf::from(arguments.remove(1)));
        arguments.remove(0);
    }
    let Some(script) = arguments.first().map(PathBuf::from) else {
        return complain("usage: tracer-sql [--sites FILE] SCRIPT [DATABASE]");
    };
    let text = match std::fs::read(&script) {
        Ok(text) => text,
        Err(error) => return complain(&format!("cannot read {}: {error}", script.display())),
    };
    let name = arguments.get(1).map_or_else(
        || ":memory:".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let connection = match engine::Connection::open(&engine::c_text(name.as_bytes())) {
        Ok(connection) => connection,
        Err(failure) => {
            let message = failure.message;
            return complain(&format!(
                "Error: unable to open database \"{name}\": {message}"
            ));
        }
    };
    let places = sites.as_deref().and_then(read_sites).unwrap_or_default();
    let tracer = entry::channel().and_then(Channel::new).map(Tracer::new);
    let mut shell = Shell::new(connection, &name, tracer, places);
    let path = entry::canonical(&script);
    match shell.run(&path, &text) {
        Flow::Done | Flow::Quit => 0,
        Flow::Failed => 1,
        Flow::Exit(status) => status,
    }
}

/// What the instrumenter says of each file: lines of path and sites in turn.
fn read_sites(file: &Path) -> Option<BTreeMap<PathBuf, Rc<Places>>> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut lines = text.lines();
    let mut places = BTreeMap::new();
    while let (Some(path), Some(sites)) = (lines.next(), lines.next()) {
        let path = entry::canonical(Path::new(path));
        // A file for another engine, which this one cannot run anyway, has other sites.
        if let Some(sites) = FileSites::decode(sites) {
            places.insert(path, Rc::new(Places::new(sites)));
        }
    }
    Some(places)
}

fn say(text: &str) -> i32 {
    let mut stdout = std::io::stdout();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    i32::from(written.is_err())
}

fn complain(message: &str) -> i32 {
    // Nobody is left to hear of an error of stderr.
    let _ = writeln!(std::io::stderr(), "{message}");
    1
}
