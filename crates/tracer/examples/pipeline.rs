//! A small pipeline: traces the programs named on the command line, and prints a table.
//!
//! ```sh
//! cargo run -p tracer --example pipeline -- fixtures/python/programs/*.py
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, thread};

use tracer::{Error, Limits, Tracer};

fn main() -> Result<(), Error> {
    let limits = Limits {
        wall: Some(Duration::from_secs(10)),
        ..Limits::default()
    };
    let tracer = Tracer::builder().limits(limits).build()?;
    let paths: Vec<_> = env::args_os().skip(1).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            match summary(&tracer, Path::new(path)) {
                Ok(line) => println!("{}: {line}", path.display()),
                Err(error) => eprintln!("{}: {error}", path.display()),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    Ok(())
}

fn summary(tracer: &Tracer, path: &Path) -> Result<String, Error> {
    let trace = tracer.run_file(path)?.trace;
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for event in &trace.events {
        *kinds.entry(format!("{:?}", event.kind)).or_default() += 1;
    }
    Ok(format!("{:?} {kinds:?}", trace.outcome.end))
}
