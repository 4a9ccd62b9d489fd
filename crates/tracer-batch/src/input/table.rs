//! Parquet.

use std::fs::File;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use super::{Columns, Row};
use crate::BatchError;

/// Rows held in memory at once.
const ROWS: usize = 64;

/// The rows of a file.
pub(super) fn rows(
    path: &Path,
    columns: Columns,
) -> Result<impl Iterator<Item = Result<Row, BatchError>> + Send + use<>, BatchError> {
    let unreadable = |source| BatchError::Parquet {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(BatchError::read(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
    let names: Vec<&str> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let wanted = columns.texts();
    if !wanted.iter().any(|name| names.contains(name)) {
        return Err(BatchError::Column {
            path: path.into(),
            wanted: wanted.join(", "),
            there: names.join(", "),
        });
    }
    let mut batches = builder.with_batch_size(ROWS).build().map_err(unreadable)?;
    let path = path.to_path_buf();
    let mut waiting = Vec::new().into_iter();
    Ok(std::iter::from_fn(move || {
        loop {
            if let Some(row) = waiting.next() {
                return Some(Ok(columns.split(row)));
            }
            let batch = batches.next()?;
            let rows = batch.and_then(|batch| objects(&batch));
            match rows {
                Ok(rows) => waiting = rows.into_iter(),
                Err(error) => {
                    return Some(Err(BatchError::Parquet {
                        path: path.clone(),
                        source: error.into(),
                    }));
                }
            }
        }
    }))
}

/// The rows of a batch as JSON objects. Columns without a value are left out.
pub(crate) fn objects(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, ArrowError> {
    let mut writer = arrow_json::ArrayWriter::new(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let text = writer.into_inner();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&text).map_err(|error| ArrowError::JsonError(error.to_string()))
}
