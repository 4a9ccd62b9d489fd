//! One program at a time.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tracer::{Cancel, Run, Tracer};

use crate::error::{of_run, setting};
use crate::settings::Settings;
use crate::work::{Own, wait};

/// Runs programs under fixed settings.
#[pyclass(frozen, module = "tracer")]
pub(crate) struct Runner {
    tracer: Own<Tracer>,
}

#[pymethods]
impl Runner {
    #[new]
    fn new(settings: &Bound<'_, PyAny>) -> PyResult<Self> {
        let settings: Settings = settings.extract()?;
        Ok(Self {
            tracer: Own::new(settings.tracer()?),
        })
    }

    fn run(
        &self,
        py: Python<'_>,
        source: &[u8],
        language: Option<String>,
        file_name: Option<String>,
        stdin: Vec<u8>,
        args: Vec<String>,
    ) -> PyResult<Ran> {
        let cancel = Cancel::new();
        let mut tracer = self
            .tracer
            .get()?
            .clone()
            .with_cancel(&cancel)
            .with_stdin(stdin)
            .with_args(args);
        if let Some(name) = language {
            tracer = tracer.with_language(name).map_err(|error| of_run(&error))?;
        }
        if let Some(name) = file_name {
            tracer = tracer.with_file_name(name);
        }
        let run = wait(py, &cancel, || tracer.run(source))?;
        let run = run.map_err(|error| of_run(&error))?;
        Ok(Ran { run })
    }
}

/// A run that is over.
#[pyclass(frozen, module = "tracer")]
pub(crate) struct Ran {
    run: Run,
}

#[pymethods]
impl Ran {
    #[getter]
    fn stdout<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.run.stdout)
    }

    #[getter]
    fn stderr<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.run.stderr)
    }

    /// Wall-clock and processor seconds, and the most bytes of memory; 0 where that is not known.
    #[getter]
    fn usage(&self) -> (f64, f64, u64) {
        let usage = &self.run.usage;
        (
            usage.wall.as_secs_f64(),
            usage.cpu.as_secs_f64(),
            usage.peak_memory,
        )
    }

    /// The trace as one of the views.
    fn view(&self, name: &str) -> PyResult<String> {
        let trace = &self.run.trace;
        Ok(match name {
            "jsonl" => tracer_view::jsonl::render(trace),
            "lines" => tracer_view::lines::render(trace, &tracer_view::lines::Options::default()),
            "inline" => {
                tracer_view::inline::render(trace, &tracer_view::inline::Options::new(trace))
            }
            "html" => tracer_view::html::render(trace),
            other => return Err(setting("the view", other, "jsonl, lines, inline, html")),
        })
    }
}
