//! The settings of the virtual machine, and compiling ahead of time.
//!
//! There is no fuel and no epoch: whoever started this process ends it when its time is over, in
//! whatever it is doing, a call of the host included.
#![expect(
    unsafe_code,
    reason = "machine code from a file is trusted by whoever loads it"
)]

use std::path::{Path, PathBuf};

use wasmtime::{Config, Engine, Module};

use crate::{stack, unwind};

/// Bytes of the machine's stack for the module's calls. What a program keeps on a stack of its own
/// is in its memory; an interpreter that counts its depth must meet its own limit first.
pub(crate) const STACK: usize = 64 << 20;

/// Why a module cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A file cannot be read or written.
    #[error("cannot {what} {path}")]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The machine does not take it.
    #[error("{path} is no module this machine runs: {said}")]
    Module {
        /// Which.
        path: PathBuf,
        /// The machine's words.
        said: String,
    },
}

/// The machine, set up alike for compiling and running.
pub(crate) fn engine() -> Result<Engine, wasmtime::Error> {
    let mut config = Config::new();
    config.max_wasm_stack(STACK);
    // Traps become signals: nobody reads a trace of the module's frames.
    // Where it recursed, collecting it would take more time and memory than the program did.
    config.wasm_backtrace(false);
    config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    config.generate_address_map(false);
    Engine::new(&config)
}

/// Compiles a module into a file.
pub(crate) fn compile(module: &Path, out: &Path) -> Result<(), CompileError> {
    let bytes = read(module)?;
    let bytes = stack::with_room(&bytes).unwrap_or(bytes);
    let bytes = unwind::mended(&bytes).unwrap_or(bytes);
    let refused = |error: wasmtime::Error| refusal(module, &error);
    let code = engine()
        .and_then(|engine| engine.precompile_module(&bytes))
        .map_err(refused)?;
    std::fs::write(out, code).map_err(|source| CompileError::File {
        what: "write",
        path: out.to_owned(),
        source,
    })
}

/// A module from what [`compile`] wrote, or compiled now.
pub(crate) fn load(engine: &Engine, path: &Path, compiled: bool) -> Result<Module, CompileError> {
    if compiled {
        // SAFETY: the caller of the worker vouches that this program's compiler made the file; it
        // is made by `compile` alone and never comes from a program that is run.
        return unsafe { Module::deserialize_file(engine, path) }
            .map_err(|error| refusal(path, &error));
    }
    Module::from_binary(engine, &read(path)?).map_err(|error| refusal(path, &error))
}

fn read(path: &Path) -> Result<Vec<u8>, CompileError> {
    std::fs::read(path).map_err(|source| CompileError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })
}

fn refusal(path: &Path, error: &wasmtime::Error) -> CompileError {
    CompileError::Module {
        path: path.to_owned(),
        said: format!("{error:#}"),
    }
}
