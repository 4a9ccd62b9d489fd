//! The worker as a program of its own, for programs that do not hold it themselves.
//!
//! It does nothing unless it is started as the worker; then it does not come as far as this.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Asking is what makes the linker keep what runs before.
    ExitCode::from(u8::from(tracer_wasm::is_linked()) + 1)
}
