//! Parquet shards: texts, numbers and truth values as such, all else as JSON texts.

use std::path::Path;
use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};

use super::{Fields, Type};
use crate::{BatchError, files};

/// Rows turned into a table at once.
const ROWS: usize = 64;
/// Bytes of a row group.
const GROUP: usize = 64 << 20;

pub(super) fn write(
    path: &Path,
    mut rows: impl Iterator<Item = Result<Map<String, Value>, BatchError>>,
    fields: &Fields,
) -> Result<(), BatchError> {
    let table = |message: String| BatchError::Table {
        path: path.to_path_buf(),
        message,
    };
    let (partial, file) = files::begin(path).map_err(BatchError::write(path))?;
    let schema = Arc::new(schema(fields));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("tracer ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(&file, Arc::clone(&schema), Some(properties))
        .map_err(|error| table(error.to_string()))?;
    loop {
        let mut batch = Vec::new();
        for columns in rows.by_ref().take(ROWS) {
            batch.push(flat(&columns?, fields));
        }
        if batch.is_empty() {
            break;
        }
        let mut decoder = ReaderBuilder::new(Arc::clone(&schema))
            .with_batch_size(ROWS)
            .build_decoder()
            .map_err(|error| table(error.to_string()))?;
        decoder
            .serialize(&batch)
            .map_err(|error| table(error.to_string()))?;
        if let Some(batch) = decoder.flush().map_err(|error| table(error.to_string()))? {
            writer
                .write(&batch)
                .map_err(|error| table(error.to_string()))?;
        }
        if writer.in_progress_size() > GROUP {
            writer.flush().map_err(|error| table(error.to_string()))?;
        }
    }
    writer.close().map_err(|error| table(error.to_string()))?;
    files::finish(&partial, &file, path).map_err(BatchError::write(path))
}

fn schema(fields: &Fields) -> Schema {
    let fields = fields.fields.iter().map(|(name, kind)| {
        let kind = match kind {
            Type::Bool => DataType::Boolean,
            Type::Int => DataType::Int64,
            Type::Float => DataType::Float64,
            Type::Null | Type::Text | Type::Json => DataType::Utf8,
        };
        Field::new(name, kind, true)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// The row with what is not of a plain type as JSON.
fn flat(columns: &Map<String, Value>, fields: &Fields) -> Map<String, Value> {
    let fields = fields.fields.iter().map(|(name, kind)| {
        let value = columns.get(name).cloned().unwrap_or(Value::Null);
        let value = match kind {
            Type::Json if !value.is_null() => Value::String(value.to_string()),
            _ => value,
        };
        (name.clone(), value)
    });
    fields.collect()
}
