//! Tables in and out through Arrow's C stream interface: nothing is copied on the way.
#![expect(
    unsafe_code,
    reason = "a capsule holds a bare pointer, whose type only its name tells"
)]

use std::ffi::CStr;
use std::sync::Mutex;

use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::{TableError, no_table};

/// The name that Arrow gives capsules with a stream.
const NAME: &CStr = c"arrow_array_stream";

/// The pieces of a table of Python's, whoever made it.
pub(crate) fn read(table: &Bound<'_, PyAny>) -> PyResult<Vec<RecordBatch>> {
    let failed = |error: ArrowError| TableError::new_err(error.to_string());
    let asked = table.call_method0("__arrow_c_stream__");
    let asked = asked.map_err(|error| {
        let py = table.py();
        let missing = error.is_instance_of::<pyo3::exceptions::PyAttributeError>(py);
        if missing {
            no_table(&table.get_type().to_string())
        } else {
            error
        }
    })?;
    let capsule = asked.cast_into::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(NAME))?;
    // SAFETY: a capsule of this name holds such a stream, which is moved out and left empty.
    let stream = unsafe { ArrowArrayStreamReader::from_raw(pointer.as_ptr().cast()) };
    let stream = stream.map_err(failed)?;
    let schema = stream.schema();
    let batches: Result<Vec<RecordBatch>, ArrowError> = stream.collect();
    let mut batches = batches.map_err(failed)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

/// A table for whoever takes it; once.
#[pyclass(frozen, module = "tracer")]
pub(crate) struct Stream {
    batches: Mutex<Option<Vec<RecordBatch>>>,
    schema: SchemaRef,
}

impl Stream {
    pub(crate) fn new(batches: Vec<RecordBatch>, schema: SchemaRef) -> Self {
        Self {
            batches: Mutex::new(Some(batches)),
            schema,
        }
    }
}

#[pymethods]
impl Stream {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A wish that the interface allows to be ignored.
        drop(requested_schema);
        let batches = self.batches.lock().ok().and_then(|mut all| all.take());
        let batches = batches.ok_or_else(|| TableError::new_err("this table was taken before"))?;
        let batches = batches.into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, SchemaRef::clone(&self.schema));
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, NAME)
    }
}
