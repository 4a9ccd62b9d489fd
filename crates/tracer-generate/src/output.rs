//! Shards, the card, the counts: written when all programs are done, in files that are there whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use crate::ledger::{Entry, Ledger};
use crate::stage::{Options, Strategy};
use crate::{Accounting, Counts, GenerateError};

/// Compression of what is kept for long.
const LEVEL: i32 = 9;

/// What an earlier run finished.
pub(crate) fn finished(out: &Path, name: &str) -> Result<Option<Accounting>, GenerateError> {
    if !done(out, name).exists() {
        return Ok(None);
    }
    let path = out.join("accounting.json");
    let text = std::fs::read(&path).map_err(GenerateError::read(&path))?;
    let accounting = serde_json::from_slice(&text);
    accounting
        .map(Some)
        .map_err(|error| GenerateError::read(&path)(error.into()))
}

/// What says that all is there.
fn done(out: &Path, name: &str) -> PathBuf {
    out.join(format!("_done/{name}.json"))
}

/// Writes a value as indented JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), GenerateError> {
    let mut text = serde_json::to_vec_pretty(value).expect("counts and texts are JSON");
    text.push(b'\n');
    write_whole(path, &text)
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), GenerateError> {
    let write = || -> io::Result<()> {
        let (partial, mut file) = begin(path)?;
        file.write_all(bytes)?;
        finish(&partial, &file, path)
    };
    write().map_err(GenerateError::write(path))
}

fn begin(path: &Path) -> io::Result<(PathBuf, File)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = path.with_file_name(name);
    Ok((partial.clone(), File::create(partial)?))
}

fn finish(partial: &Path, file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    std::fs::rename(partial, path)
}

/// Rows of one split, in shards.
struct Shards<'o> {
    out: &'o Path,
    name: &'static str,
    size: usize,
    encoder: Option<(PathBuf, zstd::Encoder<'static, File>)>,
    rows: usize,
    written: Vec<PathBuf>,
}

impl<'o> Shards<'o> {
    fn new(out: &'o Path, name: &'static str, size: usize) -> Self {
        Self {
            out,
            name,
            size: size.max(1),
            encoder: None,
            rows: 0,
            written: Vec::new(),
        }
    }

    fn add(&mut self, row: &Value) -> Result<(), GenerateError> {
        if self.rows.is_multiple_of(self.size) {
            self.close()?;
        }
        let path = self
            .out
            .join(format!("{}-{:05}", self.name, self.written.len()));
        let mut write = || -> io::Result<()> {
            if self.encoder.is_none() {
                let (partial, file) = begin(&path)?;
                self.encoder = Some((partial, zstd::Encoder::new(file, LEVEL)?));
            }
            if let Some((_, encoder)) = &mut self.encoder {
                serde_json::to_writer(&mut *encoder, row)?;
                encoder.write_all(b"\n")?;
            }
            Ok(())
        };
        write().map_err(GenerateError::write(&path))?;
        self.rows += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), GenerateError> {
        if let Some((partial, encoder)) = self.encoder.take() {
            let done = encoder.finish().and_then(|file| file.sync_all());
            done.map_err(GenerateError::write(&partial))?;
            self.written.push(partial);
        }
        Ok(())
    }

    /// Gives the files their names, which hold their number.
    fn name(mut self) -> Result<usize, GenerateError> {
        self.close()?;
        let total = self.written.len();
        for (number, partial) in self.written.iter().enumerate() {
            let name = format!("{}-{number:05}-of-{total:05}.jsonl.zst", self.name);
            let path = self.out.join(name);
            std::fs::rename(partial, &path).map_err(GenerateError::write(&path))?;
        }
        Ok(self.rows)
    }
}

/// Writes everything.
pub(crate) fn assemble(
    options: &Options,
    strategy: &dyn Strategy,
    ledger: &mut Ledger,
    rows: u64,
) -> Result<Accounting, GenerateError> {
    let out = &options.out;
    let folder = out.join(strategy.configuration());
    let rejects = out.join("_rejects");
    for folder in [&folder, &rejects] {
        // What an earlier process left before it was done.
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(GenerateError::write(folder)(error));
            }
            _ => {}
        }
    }
    let mut train = Shards::new(&folder, "train", options.shard_rows);
    let mut validation = Shards::new(&folder, "validation", options.shard_rows);
    let mut rejected = Shards::new(&rejects, strategy.name(), options.shard_rows);
    let mut accounting = Accounting::default();
    for at in 0..rows {
        let Some(entry) = ledger.entry(at)? else {
            continue;
        };
        count(&mut accounting, &entry);
        for row in &entry.rows {
            let row = Value::Object(row.clone());
            if row["split"] == "validation" {
                validation.add(&row)?;
            } else {
                train.add(&row)?;
            }
        }
        if let Some(reason) = &entry.reason {
            let (id, language) = (&entry.id, &entry.language);
            rejected.add(&json!({"id": id, "language": language, "reason": reason}))?;
        }
    }
    accounting.check(rows)?;
    let (train, validation) = (train.name()?, validation.name()?);
    rejected.name()?;
    let written = (train + validation) as u64;
    if accounting.examples.ok * strategy.rows_of_an_example() != written {
        let said = format!("{written} rows of {} examples", accounting.examples.ok);
        return Err(GenerateError::Sums(said));
    }
    write_json(&out.join("accounting.json"), &accounting)?;
    let card = card(&accounting, train, validation, strategy);
    write_whole(&out.join("README.md"), card.as_bytes())?;
    write_json(&done(out, strategy.name()), &json!({"rows": written}))?;
    Ok(accounting)
}

fn count(accounting: &mut Accounting, entry: &Entry) {
    let language = accounting
        .languages
        .entry(entry.language.clone())
        .or_default();
    let (programs, examples) = language;
    for programs in [programs, &mut accounting.programs] {
        match &entry.reason {
            None => programs.keep(1),
            // What the machine said stands in the file of rejected rows.
            Some(reason) => {
                let word = reason.split(':').next().unwrap_or(reason);
                programs.reject(word, 1);
            }
        }
    }
    for examples in [examples, &mut accounting.examples] {
        add(examples, &entry.examples);
    }
    for row in &entry.rows {
        let task = ["template_id", "task_type", "scenario"]
            .iter()
            .find_map(|column| row.get(*column)?.as_str());
        if let Some(task) = task {
            *accounting.tasks.entry(task.into()).or_default() += 1;
        }
    }
}

fn add(to: &mut Counts, more: &Counts) {
    to.keep(more.ok);
    for (reason, count) in &more.rejected {
        to.reject(reason, *count);
    }
}

fn card(
    accounting: &Accounting,
    train: usize,
    validation: usize,
    strategy: &dyn Strategy,
) -> String {
    let name = strategy.configuration();
    let mut text = format!("---\nconfigs:\n- config_name: {name}\n  data_files:\n");
    for (split, rows) in [("train", train), ("validation", validation)] {
        if rows > 0 {
            let files = format!("{name}/{split}-*.jsonl.zst");
            text.push_str(&format!("  - split: {split}\n    path: {files}\n"));
        }
    }
    let examples = &accounting.examples;
    let programs = &accounting.programs;
    let (title, said) = strategy.card();
    text.push_str(&format!(
        "tags:\n- code\n---\n\n# {title}\n\n\
         {} examples of {} programs, made by tracer {} without a model. {said}\n\n| | in | ok |",
        examples.ok,
        programs.ok,
        env!("CARGO_PKG_VERSION"),
    ));
    let reasons: Vec<&String> = programs
        .rejected
        .keys()
        .chain(examples.rejected.keys())
        .collect();
    for reason in &reasons {
        text.push_str(&format!(" {reason} |"));
    }
    text.push_str(&format!(
        "\n| --- | ---: | ---: |{}\n",
        " ---: |".repeat(reasons.len())
    ));
    let mut line = |name: &str, counts: &Counts| {
        text.push_str(&format!("| {name} | {} | {} |", counts.input, counts.ok));
        for reason in &reasons {
            let count = counts.rejected.get(*reason).copied().unwrap_or(0);
            text.push_str(&format!(" {count} |"));
        }
        text.push('\n');
    };
    line("programs", programs);
    line("examples", examples);
    for (language, (programs, examples)) in &accounting.languages {
        line(&format!("programs, {language}"), programs);
        line(&format!("examples, {language}"), examples);
    }
    text.push_str("\n| task | examples |\n| --- | ---: |\n");
    for (task, count) in &accounting.tasks {
        text.push_str(&format!("| {task} | {count} |\n"));
    }
    text
}
