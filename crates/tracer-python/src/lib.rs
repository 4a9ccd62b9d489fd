//! What the Python package `tracer` is made of: runs and tables, without Python's lock.
//!
//! The classes here are private to the package; `python/tracer` has the ones people see.

mod arrow;
mod error;
mod runner;
mod settings;
mod verifier;
mod work;

use pyo3::prelude::*;

#[pymodule]
fn _tracer(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    let columns: Vec<&str> = tracer::batch::Verifier::columns().collect();
    module.add("COLUMNS", columns)?;
    module.add("NUMBERS", tracer::batch::Verifier::NUMBERS)?;
    error::add(module)?;
    module.add_class::<arrow::Stream>()?;
    module.add_class::<runner::Runner>()?;
    module.add_class::<runner::Ran>()?;
    module.add_class::<verifier::Verifier>()
}
