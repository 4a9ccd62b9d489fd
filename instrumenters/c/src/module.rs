//! What turns clang's commands for a native program into those for a WebAssembly module. C++ makes its
//! modules by it, too.

use std::ffi::OsString;

use tracer_instrument::{Plan, PlanRequest};

/// What makes clang's product a module. Its stack stands first, so that running out of it is an
/// access below all memory, and is as large as a program's usually is.
const TARGET: [&str; 14] = [
    "--target=wasm32-wasi",
    "--sysroot=/usr",
    "-mthread-model",
    "single",
    "-D_WASI_EMULATED_SIGNAL",
    "-D_WASI_EMULATED_PROCESS_CLOCKS",
    "-D_WASI_EMULATED_MMAN",
    "-D_WASI_EMULATED_GETPID",
    "-Wl,--stack-first,-z,stack-size=8388608",
    "-lwasi-emulated-signal",
    "-lwasi-emulated-process-clocks",
    "-lwasi-emulated-mman",
    "-lwasi-emulated-getpid",
    "-lm",
];

/// The same commands for a module: without the words in `native`, and with `more` in each; in those that
/// link a traced program, with `wraps`.
pub fn of(
    mut plan: Plan,
    request: &PlanRequest<'_>,
    native: &[&str],
    more: &[OsString],
    wraps: &[&str],
) -> Plan {
    let module = request.build.join("program.wasm");
    let program = std::mem::replace(&mut plan.program, module.clone()).into_os_string();
    for step in &mut plan.build {
        step.retain(|word| !native.iter().any(|native| word == native));
        for word in step.iter_mut().filter(|word| **word == program) {
            *word = module.clone().into();
        }
        let links = !step.iter().any(|word| word == "-c");
        let flags = TARGET
            .iter()
            .filter(|flag| links || !(flag.starts_with("-l") || flag.starts_with("-Wl")));
        step.extend(flags.map(OsString::from));
        step.extend(more.iter().cloned());
        if links && request.traced {
            step.extend(wraps.iter().map(OsString::from));
        }
    }
    // The machine knows the channel.
    plan.silent = true;
    plan
}
