//! Shards of rows, as JSON Lines or Parquet, and the files of rejected rows.

pub(crate) mod card;
mod parquet;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::assemble::{CONFIGURATION, Chosen, Shard};
use crate::ledger::Ledger;
use crate::options::Form;
use crate::{BatchError, Options, files, row};

/// Compression of what is kept for long.
const LEVEL: i32 = 9;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Bool,
    Int,
    Float,
    Text,
    /// Lists, objects, or different things in different rows: as JSON.
    Json,
}

impl Type {
    pub(crate) fn of(name: &str, value: &Value) -> Self {
        match value {
            // Ours may be null in some rows; they are texts.
            Value::Null if row::OWN.contains(&name) => Self::Text,
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_i64() => Self::Int,
            Value::Number(_) => Self::Float,
            Value::String(_) => Self::Text,
            Value::Array(_) | Value::Object(_) => Self::Json,
        }
    }

    /// What holds both.
    pub(crate) fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, two) if one == two => one,
            (Self::Null, some) | (some, Self::Null) => some,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            _ => Self::Json,
        }
    }

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null | Self::Text => "text",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Json => "JSON",
        }
    }
}

/// The columns of all kept rows: ours in their order, then those that came in.
pub(crate) struct Fields {
    pub(crate) fields: Vec<(String, Type)>,
}

impl Fields {
    pub(crate) fn new(mut seen: BTreeMap<String, Type>) -> Self {
        seen.insert("split".into(), Type::Text);
        let own = row::OWN.iter().map(|name| {
            let known = seen.remove(*name).unwrap_or(Type::Text);
            ((*name).to_owned(), known)
        });
        let mut fields: Vec<(String, Type)> = own.collect();
        fields.extend(seen);
        Self { fields }
    }
}

/// Writes the rows of a split.
pub(crate) fn write(
    options: &Options,
    ledger: &Ledger,
    split: &str,
    rows: &[Chosen],
    fields: &Fields,
) -> Result<Vec<Shard>, BatchError> {
    let size = options.shard_rows.max(1) as usize;
    let total = rows.len().div_ceil(size);
    let mut shards = Vec::new();
    for (number, rows) in rows.chunks(size).enumerate() {
        let extension = match options.form {
            Form::Jsonl => "jsonl.zst",
            Form::Parquet => "parquet",
        };
        let name = format!("{CONFIGURATION}/{split}-{number:05}-of-{total:05}.{extension}");
        let path = options.out.join(&name);
        let read = rows.iter().map(|chosen| {
            let (_, mut columns) = ledger.row(chosen.place)?;
            columns.insert("split".into(), split.into());
            Ok(columns)
        });
        match options.form {
            Form::Jsonl => lines(&path, read, fields)?,
            Form::Parquet => parquet::write(&path, read, fields)?,
        }
        shards.push(shard(&options.out, name, split, rows.len())?);
    }
    Ok(shards)
}

fn shard(out: &Path, name: String, split: &str, rows: usize) -> Result<Shard, BatchError> {
    let path = out.join(&name);
    let digest = || -> io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(&path)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                length => hasher.update(&buffer[..length]),
            };
        }
        Ok(hasher.finalize().to_hex().to_string())
    };
    Ok(Shard {
        digest: digest().map_err(BatchError::read(&path))?,
        path: name,
        split: split.to_owned(),
        rows: rows as u64,
    })
}

/// A row as a line, with every column, in the order of the fields.
fn line(columns: &Map<String, Value>, fields: &Fields, out: &mut impl Write) -> io::Result<()> {
    for (index, (name, _)) in fields.fields.iter().enumerate() {
        out.write_all(if index == 0 { b"{" } else { b"," })?;
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        serde_json::to_writer(&mut *out, columns.get(name).unwrap_or(&Value::Null))?;
    }
    out.write_all(b"}\n")
}

fn lines(
    path: &Path,
    rows: impl Iterator<Item = Result<Map<String, Value>, BatchError>>,
    fields: &Fields,
) -> Result<(), BatchError> {
    let failed = || BatchError::write(path);
    let (partial, file) = files::begin(path).map_err(failed())?;
    let mut out = zstd::Encoder::new(BufWriter::new(file), LEVEL).map_err(failed())?;
    for columns in rows {
        line(&columns?, fields, &mut out).map_err(failed())?;
    }
    let end = || -> io::Result<()> {
        let file = out.finish()?.into_inner()?;
        files::finish(&partial, &file, path)
    };
    end().map_err(failed())
}

/// The files of rejected rows, in the order of the input.
pub(crate) struct Rejects {
    out: PathBuf,
    limit: usize,
    current: Option<Open>,
    shards: Vec<Shard>,
}

struct Open {
    name: String,
    partial: PathBuf,
    encoder: zstd::Encoder<'static, BufWriter<File>>,
    rows: usize,
}

impl Rejects {
    pub(crate) fn new(out: &Path, limit: usize) -> Self {
        Self {
            out: out.to_path_buf(),
            limit,
            current: None,
            shards: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, columns: &Map<String, Value>) -> Result<(), BatchError> {
        if self
            .current
            .as_ref()
            .is_some_and(|open| open.rows >= self.limit)
        {
            self.close()?;
        }
        let mut open = match self.current.take() {
            Some(open) => open,
            None => {
                let name = format!("_rejects/part-{:05}.jsonl.zst", self.shards.len());
                let path = self.out.join(&name);
                let begin = || -> io::Result<Open> {
                    let (partial, file) = files::begin(&path)?;
                    let encoder = zstd::Encoder::new(BufWriter::new(file), LEVEL)?;
                    Ok(Open {
                        name,
                        partial,
                        encoder,
                        rows: 0,
                    })
                };
                begin().map_err(BatchError::write(&path))?
            }
        };
        let mut write = || -> io::Result<()> {
            serde_json::to_writer(&mut open.encoder, columns)?;
            open.encoder.write_all(b"\n")
        };
        write().map_err(BatchError::write(self.out.join(&open.name)))?;
        open.rows += 1;
        self.current = Some(open);
        Ok(())
    }

    fn close(&mut self) -> Result<(), BatchError> {
        let Some(open) = self.current.take() else {
            return Ok(());
        };
        let path = self.out.join(&open.name);
        let end = || -> io::Result<()> {
            let file = open.encoder.finish()?.into_inner()?;
            files::finish(&open.partial, &file, &path)
        };
        end().map_err(BatchError::write(&path))?;
        let shard = shard(&self.out, open.name, "rejected", open.rows)?;
        self.shards.push(shard);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Vec<Shard>, BatchError> {
        self.close()?;
        Ok(self.shards)
    }
}
