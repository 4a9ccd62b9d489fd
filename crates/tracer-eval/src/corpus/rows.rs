//! Rows that `tracer batch` kept, and programs of another benchmark.
//!
//! A row is run again with what it was run with: nothing is believed of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use tracer_engine::languages;

use super::{Candidate, Corpus, LONGEST_SOURCE, Text, entries};
use crate::EvalError;
use crate::items::{self, Given, Program};

/// Columns that name the repository, and the path in it.
const REPOSITORIES: &[&str] = &["repository", "repo_name", "repository_name", "repo"];
const PATHS: &[&str] = &["path", "file_path", "filename", "file_name"];

/// Whether a name is that of a file of rows.
pub(super) fn is_file(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let ends = [".jsonl", ".jsonl.zst", ".parquet"];
    ends.iter().any(|end| name.ends_with(end)) && path.is_file()
}

/// Files of kept rows below an output folder of `tracer batch`.
pub(super) fn shards(out: &Path) -> Result<Vec<PathBuf>, EvalError> {
    let mut found = Vec::new();
    for path in entries(out)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // What it rejected, and its own notes.
        if name.starts_with(['_', '.']) {
            continue;
        }
        if is_file(&path) {
            found.push(path);
        } else if path.is_dir() {
            found.extend(entries(&path)?.into_iter().filter(|path| is_file(path)));
        }
    }
    Ok(found)
}

/// The programs of a benchmark.
pub(super) fn of_benchmark(path: &Path, into: &mut Corpus) -> Result<(), EvalError> {
    for program in items::read::<Program>(path)? {
        let Some(spec) = languages::by_name(&program.language) else {
            continue;
        };
        into.add(Candidate {
            spec,
            repository: program.repository,
            path: program.path,
            name: program.name,
            text: Text::Here(program.source),
            inputs: Some(program.inputs),
            driver: program.driver,
        });
    }
    Ok(())
}

/// The rows of one file.
pub(super) fn of_file(path: &Path, into: &mut Corpus) -> Result<(), EvalError> {
    let mut seen = 0;
    let mut add = |row: &Map<String, Value>| {
        seen += 1;
        if let Some(candidate) = candidate(row) {
            into.add(candidate);
        }
    };
    if path.extension().is_some_and(|end| end == "parquet") {
        parquet(path, &mut add)?;
    } else {
        lines(path, &mut add)?;
    }
    Ok(())
}

fn lines(path: &Path, add: &mut dyn FnMut(&Map<String, Value>)) -> Result<(), EvalError> {
    let read = |source| EvalError::Read {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(read)?;
    let unpacked: Box<dyn Read> = if path.extension().is_some_and(|end| end == "zst") {
        Box::new(zstd::Decoder::new(file).map_err(read)?)
    } else {
        Box::new(file)
    };
    for (index, line) in BufReader::new(unpacked).lines().enumerate() {
        let line = line.map_err(read)?;
        let row = serde_json::from_str(&line).map_err(|source| EvalError::Line {
            path: path.into(),
            line: index + 1,
            source,
        })?;
        add(&row);
    }
    Ok(())
}

fn parquet(path: &Path, add: &mut dyn FnMut(&Map<String, Value>)) -> Result<(), EvalError> {
    let read = |source| EvalError::Read {
        path: path.into(),
        source,
    };
    let odd = |error: &dyn std::fmt::Display| read(std::io::Error::other(error.to_string()));
    let file = File::open(path).map_err(read)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| odd(&error))?;
    let batches = builder.with_batch_size(64).build();
    for batch in batches.map_err(|error| odd(&error))? {
        let mut writer = arrow_json::ArrayWriter::new(Vec::new());
        let batch = batch.map_err(|error| odd(&error))?;
        writer.write(&batch).map_err(|error| odd(&error))?;
        writer.finish().map_err(|error| odd(&error))?;
        let rows: Vec<Map<String, Value>> =
            serde_json::from_slice(&writer.into_inner()).map_err(|error| odd(&error))?;
        rows.iter().for_each(&mut *add);
    }
    Ok(())
}

/// A row as a candidate; `None` for one whose program is not one text that can be asked about.
fn candidate(row: &Map<String, Value>) -> Option<Candidate> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let first = |names: &[&str]| names.iter().find_map(|name| text(name)).map(str::to_owned);
    let spec = languages::by_name(text("language")?)?;
    let name = text("program")?.to_owned();
    let files = column(row, "files")?;
    let files = files.as_object()?;
    let source = files.get(&name)?.as_str()?.to_owned();
    if files.len() != 1 || source.len() as u64 > LONGEST_SOURCE {
        return None;
    }
    let runs = column(row, "runs")?;
    let inputs = runs.as_array()?.iter().map(given).collect::<Option<_>>()?;
    let path = first(PATHS).unwrap_or_else(|| name.clone());
    // A corpus without repositories: its folders are the best there is.
    let repository = first(REPOSITORIES).or_else(|| Some(path.split_once('/')?.0.to_owned()));
    Some(Candidate {
        spec,
        repository: repository.unwrap_or_default(),
        path,
        name,
        text: Text::Here(source),
        inputs: Some(inputs),
        driver: text("driver").unwrap_or_default().to_owned(),
    })
}

/// A column with a list or an object, which a table holds as a text.
fn column(row: &Map<String, Value>, name: &str) -> Option<Value> {
    match row.get(name)? {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    }
}

/// What a run was given; `None` where that cannot be told in a `run.sh`.
fn given(run: &Value) -> Option<Given> {
    let none = |name: &str| {
        run.get(name).is_none_or(|value| match value {
            Value::Array(all) => all.is_empty(),
            Value::Object(all) => all.is_empty(),
            other => other.is_null(),
        })
    };
    let args = run.get("args")?.as_array()?.iter();
    let args = args
        .map(|arg| Some(arg.as_str()?.to_owned()))
        .collect::<Option<_>>()?;
    let stdin = run.get("stdin").and_then(Value::as_str).unwrap_or_default();
    (none("environment") && none("files")).then(|| Given {
        args,
        stdin: stdin.to_owned(),
        files: Vec::new(),
    })
}
