//! One run: load, link, call, end as the subject would have.
//!
//! A trap ends the worker by the signal that the same fault raises in a native program, so that
//! outcomes read alike in both.
#![expect(
    unsafe_code,
    reason = "a process ends itself by a signal through C's functions"
)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use wasmtime::{Linker, Store, Trap};

use crate::wasi::{self, Exit, System};
use crate::{Job, Preopen, machine, region};

/// The worker's own failure: the program could not be started.
const FAILED: i32 = 127;

/// Room beside the module's calls on the thread that runs it: the host's functions.
const MARGIN: usize = 1 << 20;

/// Does the job and ends the process.
pub(crate) fn main(job: Option<Job>) -> ! {
    // SAFETY: no handler is installed; a broken pipe is an error of the write, as in the module's
    // own world, which has no signals.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let end = match job {
        None => fail("these are not the worker's arguments"),
        Some(Job::Compile { module, out }) => match machine::compile(&module, &out) {
            Ok(()) => End::Code(0),
            Err(error) => fail(&error.to_string()),
        },
        Some(job) => {
            // The first thread's stack is the sandbox's to bound, and too small.
            let thread = std::thread::Builder::new()
                .stack_size(machine::STACK + MARGIN)
                .spawn(move || run(job));
            match thread.map(std::thread::JoinHandle::join) {
                Ok(Ok(end)) => end,
                Ok(Err(_)) => fail("the worker failed"),
                Err(error) => fail(&format!("no thread to run the module on: {error}")),
            }
        }
    };
    match end {
        // SAFETY: nothing is buffered here, and handlers of the program around this code, which
        // never began, must not run.
        End::Code(code) => unsafe { libc::_exit(code) },
        End::Signal(signal) => die(signal),
    }
}

enum End {
    Code(i32),
    Signal(i32),
}

fn fail(said: &str) -> End {
    use std::io::Write as _;
    // Nobody to tell where even this fails.
    let _ = writeln!(std::io::stderr(), "tracer: {said}");
    End::Code(FAILED)
}

fn run(job: Job) -> End {
    let Job::Run {
        module,
        compiled,
        memory,
        preopens,
        argv,
    } = job
    else {
        return fail("this is no run");
    };
    match call(&module, compiled, memory, &preopens, argv) {
        Ok(()) => End::Code(0),
        Err(error) => match (error.downcast_ref::<Exit>(), error.downcast_ref::<Trap>()) {
            (Some(Exit::Code(code)), _) => End::Code(*code & 0xff),
            (Some(Exit::Signal(signal)), _) => End::Signal(*signal),
            (_, Some(trap)) => End::Signal(signal(*trap)),
            _ => fail(&format!("{error:#}")),
        },
    }
}

fn call(
    path: &Path,
    compiled: bool,
    memory: Option<u64>,
    preopens: &[Preopen],
    argv: Vec<OsString>,
) -> Result<(), wasmtime::Error> {
    let engine = machine::engine()?;
    let module = machine::load(&engine, path, compiled)?;
    let environment = std::env::vars_os().map(|(name, value)| {
        let mut line = name.into_vec();
        line.push(b'=');
        line.extend(value.into_vec());
        OsString::from_vec(line)
    });
    let system = System::new(argv, environment.collect(), preopens, memory)?;
    let mut store = Store::new(&engine, system);
    store.limiter(|system| &mut system.limits);
    let mut linker = Linker::new(&engine);
    wasi::link(&mut linker)?;
    region::link(&mut linker)?;
    // Interpreters made for browsers import more than they call.
    linker.define_unknown_imports_as_traps(&module)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    start.call(&mut store, ())
}

/// The signal that ends a native program in which this happens.
fn signal(trap: Trap) -> i32 {
    match trap {
        Trap::IntegerDivisionByZero | Trap::IntegerOverflow => libc::SIGFPE,
        // What C's `abort` and Rust's `abort` come out as.
        Trap::UnreachableCodeReached => libc::SIGABRT,
        Trap::BadSignature | Trap::IndirectCallToNull | Trap::BadConversionToInteger => {
            libc::SIGILL
        }
        _ => libc::SIGSEGV,
    }
}

/// Ends this process by a signal, whatever is done with it here. Nobody reads its core.
fn die(signal: i32) -> ! {
    // SAFETY: plain calls of C's functions on this process alone.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}
