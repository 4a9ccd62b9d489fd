//! A small pipeline: traces the programs named on the command line, and prints a table.
//!
//! ```sh
//! cargo run -p tracer --example pipeline -- fixtures/python/programs/*.py
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tracer::{Limits, Tracer};

fn main() -> ExitCode {
    let limits = Limits {
        wall: Some(Duration::from_secs(10)),
        ..Limits::default()
    };
    let tracer = match Tracer::builder().limits(limits).build() {
        Ok(tracer) => tracer,
        Err(error) => {
            eprintln!("pipeline: {error}");
            return ExitCode::FAILURE;
        }
    };
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let waiting = Mutex::new(paths.into_iter());
    let refused = Mutex::new(0_u32);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().map(|mut paths| paths.next());
                    let Ok(Some(path)) = next else { break };
                    match tracer.run_file(&path) {
                        Ok(run) => {
                            let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
                            for event in run.trace.events {
                                *kinds.entry(format!("{:?}", event.kind)).or_default() += 1;
                            }
                            println!("{}: {:?} {kinds:?}", path.display(), run.trace.outcome.end);
                        }
                        Err(error) => {
                            eprintln!("{}: {error}", path.display());
                            if let Ok(mut refused) = refused.lock() {
                                *refused += 1;
                            }
                        }
                    }
                }
            });
        }
    });
    ExitCode::from(u8::from(refused.into_inner().is_ok_and(|count| count > 0)))
}
