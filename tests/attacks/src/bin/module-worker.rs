//! The WebAssembly back end's worker, with walls that tests leave out.
//!
//! Started as the worker it does not come as far as this. Else it says, for the harness, which does
//! not hold the virtual machine, the words to start it with: of `compile MODULE OUT`, or of
//! `run MODULE COMPILED MEMORY WITHOUT [GUEST HOST]...`.
#![expect(clippy::print_stdout, reason = "what it says is its result")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use tracer_wasm::{Job, Preopen, RUNNER, WITHOUT};

fn main() -> ExitCode {
    let Some(words) = words() else {
        return ExitCode::FAILURE;
    };
    for word in words {
        print!("{}\0", word.display());
    }
    // Asking is what makes the linker keep what runs before.
    ExitCode::from(u8::from(!tracer_wasm::is_linked()))
}

fn words() -> Option<Vec<OsString>> {
    let mut given = std::env::args().skip(1);
    let mut words: Vec<OsString> = vec![RUNNER.into()];
    let mut path = || given.next().map(PathBuf::from);
    let job = match path()?.to_str()? {
        "compile" => Job::Compile {
            module: path()?,
            out: path()?,
        },
        "run" => {
            let module = path()?;
            let compiled = given.next()? == "true";
            let memory = given.next()?.parse().ok();
            let without = given.next()?;
            if !without.is_empty() {
                words.extend([WITHOUT.into(), without.into()]);
            }
            let mut preopens = Vec::new();
            while let Some(guest) = given.next() {
                preopens.push(Preopen {
                    guest: guest.into(),
                    host: given.next()?.into(),
                });
            }
            Job::Run {
                module,
                compiled,
                memory,
                preopens,
                argv: vec!["program".into()],
            }
        }
        _ => return None,
    };
    words.extend(job.to_arguments());
    Some(words)
}
