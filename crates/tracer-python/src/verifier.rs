//! Tables of programs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use tracer::Cancel;
use tracer::batch::{Options, Verifier as Rows, View};

use crate::arrow::{Stream, read};
use crate::error::{of_batch, setting};
use crate::settings::Settings;
use crate::work::{Own, wait};

/// What concerns tables, under the names it has in Python.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Tables {
    language: Option<String>,
    text_column: Option<String>,
    language_column: Option<String>,
    number_column: Option<String>,
    view: String,
    token_budget: usize,
    source_limit: usize,
    patience: f64,
    benchmarks: Vec<PathBuf>,
}

/// Judges the rows of tables under fixed settings.
#[pyclass(frozen, module = "tracer")]
pub(crate) struct Verifier {
    number_column: Option<String>,
    options: Own<Options>,
    /// With what ends its runs; made anew when that was used.
    current: Own<Mutex<(Cancel, Arc<Rows>)>>,
}

#[pymethods]
impl Verifier {
    #[new]
    fn new(settings: &Bound<'_, PyAny>) -> PyResult<Self> {
        let tables: Tables = settings.extract()?;
        let settings: Settings = settings.extract()?;
        let mut options = settings.tracer()?.batch([], "");
        options.jobs = settings.jobs;
        options.language = tables.language;
        options.text_column = tables.text_column;
        options.language_column = tables.language_column;
        options.token_budget = tables.token_budget;
        options.source_limit = tables.source_limit;
        options.benchmarks = tables.benchmarks;
        options.patience = Duration::try_from_secs_f64(tables.patience).map_err(|_| {
            let said = tables.patience.to_string();
            setting("patience", &said, "seconds above zero")
        })?;
        options.view = match tables.view.as_str() {
            "lines" => View::Lines,
            "inline" => View::Inline,
            "probes" => View::Probes,
            "qa" => View::Qa,
            other => return Err(setting("view", other, "lines, inline, probes, qa")),
        };
        let current = rows(&options, tables.number_column.clone())?;
        Ok(Self {
            number_column: tables.number_column,
            options: Own::new(options),
            current: Own::new(Mutex::new(current)),
        })
    }

    /// Everything that can change what comes out, as JSON.
    fn plan(&self) -> PyResult<String> {
        let (_, rows) = self.current()?;
        let plan = rows.plan().map_err(|error| of_batch(&error))?;
        Ok(serde_json::Value::Object(plan).to_string())
    }

    /// Digests of what is judged of each row.
    fn keys(&self, table: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let (_, rows) = self.current()?;
        rows.keys(&read(table)?).map_err(|error| of_batch(&error))
    }

    /// The columns that an answer has, too: their places, and their names in the answer.
    fn carried(&self, table: &Bound<'_, PyAny>) -> PyResult<Vec<(usize, String)>> {
        let (_, rows) = self.current()?;
        let schema = read(table)?[0].schema();
        rows.carried(&schema).map_err(|error| of_batch(&error))
    }

    /// The column with the source.
    fn text(&self, table: &Bound<'_, PyAny>) -> PyResult<String> {
        let (_, rows) = self.current()?;
        let schema = read(table)?[0].schema();
        rows.text_column(&schema).map_err(|error| of_batch(&error))
    }

    fn verify(&self, py: Python<'_>, table: &Bound<'_, PyAny>) -> PyResult<Stream> {
        let (cancel, rows) = self.current()?;
        let batches = read(table)?;
        let answer = wait(py, &cancel, || rows.verify(&batches))?;
        let answer = answer.map_err(|error| of_batch(&error))?;
        let schema = answer[0].schema();
        Ok(Stream::new(answer, schema))
    }
}

impl Verifier {
    fn current(&self) -> PyResult<(Cancel, Arc<Rows>)> {
        let current = self.current.get()?;
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0.is_cancelled() {
            *current = rows(self.options.get()?, self.number_column.clone())?;
        }
        Ok((current.0.clone(), Arc::clone(&current.1)))
    }
}

fn rows(options: &Options, number_column: Option<String>) -> PyResult<(Cancel, Arc<Rows>)> {
    let cancel = Cancel::new();
    let mut options = options.clone();
    options.settings.cancel = cancel.clone();
    let rows = Rows::new(options).map_err(|error| of_batch(&error))?;
    Ok((cancel, Arc::new(rows.numbered_by(number_column))))
}
