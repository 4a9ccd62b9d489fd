//! Errors as Python's exceptions, all of one base class.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use tracer::batch::BatchError;
use tracer::{EngineError, Error};

create_exception!(
    tracer,
    TracerError,
    PyException,
    "An error of tracer's own, or a refusal. A program that fails is none."
);
create_exception!(
    tracer,
    SettingsError,
    TracerError,
    "What was asked for does not exist or does not fit together."
);
create_exception!(
    tracer,
    RefusedError,
    TracerError,
    "The source cannot be rewritten."
);
create_exception!(
    tracer,
    ToolchainError,
    TracerError,
    "Nothing here builds or runs the language."
);
create_exception!(
    tracer,
    SandboxError,
    TracerError,
    "The machine cannot run programs behind walls, or not now."
);
create_exception!(
    tracer,
    TableError,
    TracerError,
    "A table lacks a column, or cannot be read."
);

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("TracerError", py.get_type::<TracerError>())?;
    module.add("SettingsError", py.get_type::<SettingsError>())?;
    module.add("RefusedError", py.get_type::<RefusedError>())?;
    module.add("ToolchainError", py.get_type::<ToolchainError>())?;
    module.add("SandboxError", py.get_type::<SandboxError>())?;
    module.add("TableError", py.get_type::<TableError>())
}

/// A setting that does not exist.
pub(crate) fn setting(name: &str, value: &str, known: &str) -> PyErr {
    SettingsError::new_err(format!("{name} is {value:?}; it is one of {known}"))
}

/// The message with all its causes, and what can be done.
fn words(error: &dyn std::error::Error, hint: Option<String>) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    if let Some(hint) = hint {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}

fn engine(error: &EngineError, text: String) -> PyErr {
    match error {
        EngineError::Sandbox(_) | EngineError::System { .. } => SandboxError::new_err(text),
        EngineError::Refused { .. } => RefusedError::new_err(text),
        EngineError::NoToolchain { .. }
        | EngineError::StrangeToolchain { .. }
        | EngineError::NotInImage { .. }
        | EngineError::EmitterBuild { .. }
        | EngineError::NativeOnly { .. }
        | EngineError::NoWasm
        | EngineError::ModuleBuild { .. }
        | EngineError::Image(_) => ToolchainError::new_err(text),
        EngineError::UnknownLanguage { .. }
        | EngineError::NoSuchLanguage { .. }
        | EngineError::ImageNeedsWalls => SettingsError::new_err(text),
        EngineError::Read { .. } => TracerError::new_err(text),
    }
}

pub(crate) fn of_run(error: &Error) -> PyErr {
    let text = words(error, error.hint());
    match error {
        Error::Engine(source) => engine(source, text),
        Error::NoSuchLanguage { .. } | Error::NoLanguage => SettingsError::new_err(text),
        _ => TracerError::new_err(text),
    }
}

pub(crate) fn of_batch(error: &BatchError) -> PyErr {
    let text = words(error, error.hint());
    match error {
        BatchError::Machine(source) => engine(source, text),
        BatchError::Column { .. } | BatchError::Number { .. } | BatchError::Arrow(_) => {
            TableError::new_err(text)
        }
        BatchError::NoWalls => SettingsError::new_err(text),
        _ => TracerError::new_err(text),
    }
}

/// What Python hands in that is no table.
pub(crate) fn no_table(what: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{what} has no __arrow_c_stream__: a table of pyarrow, polars, pandas 3 or DuckDB has"
    ))
}
