//! What was found out about each row, written as it is found: append-only, one zstd frame a row.
//!
//! A frame holds two JSON lines: an [`Entry`], and the row's columns. A process that is killed
//! leaves at most one torn frame at the end, which the next one cuts off.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::similar::Bands;
use crate::{BatchError, Reason};

/// Bytes after which another file is begun.
const FILE_LIMIT: u64 = 512 << 20;

/// Compression: rows are written once and read twice.
const LEVEL: i32 = 3;

/// Where a row stands before the rows are compared with one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub(crate) enum Status {
    /// It passed all gates that look at one row.
    Candidate {
        /// Only in a fixed environment.
        pinned: bool,
        /// MinHash of the source.
        source: Box<Bands>,
        /// MinHash of the trace.
        trace: Box<Bands>,
        /// Words that it shares with a benchmark.
        benchmark: Option<String>,
    },
    /// It did not.
    Rejected {
        /// At which gate.
        reason: Reason,
        /// Particulars.
        detail: String,
    },
    /// Its source is that of an earlier row, whose fate it shares.
    Copy {
        /// Number of that row.
        of: u64,
    },
}

/// What is known of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its number in the input.
    pub(crate) at: u64,
    /// A digest of the row as it came in.
    pub(crate) key: u64,
    /// Language id; empty if unknown.
    pub(crate) language: String,
    /// Its id among the examples.
    pub(crate) id: String,
    /// Repository it is from.
    pub(crate) repository: String,
    /// What it may be used under.
    pub(crate) license: String,
    /// Where it stands.
    pub(crate) status: Status,
}

/// Where a frame is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    file: u32,
    offset: u64,
    length: u32,
}

/// The ledger of an output folder.
pub(crate) struct Ledger {
    folder: PathBuf,
    files: Vec<File>,
    length: u64,
}

impl Ledger {
    /// Opens a ledger, cuts off what a killed process left, and hands each entry to `take`.
    pub(crate) fn open(
        folder: &Path,
        mut take: impl FnMut(Entry, Place),
    ) -> Result<Self, BatchError> {
        std::fs::create_dir_all(folder).map_err(BatchError::write(folder))?;
        let mut ledger = Self {
            folder: folder.to_path_buf(),
            files: Vec::new(),
            length: 0,
        };
        while ledger.path(ledger.files.len()).exists() {
            let path = ledger.path(ledger.files.len());
            let last = !ledger.path(ledger.files.len() + 1).exists();
            let file = open(&path).map_err(BatchError::write(&path))?;
            let number = ledger.files.len() as u32;
            let whole = scan(&file, |entry, offset, length| {
                take(
                    entry,
                    Place {
                        file: number,
                        offset,
                        length,
                    },
                );
            })
            .map_err(BatchError::read(&path))?;
            let there = file.metadata().map_err(BatchError::read(&path))?.len();
            if whole < there && !last {
                return Err(BatchError::Damaged { path, at: whole });
            }
            if whole < there {
                file.set_len(whole).map_err(BatchError::write(&path))?;
            }
            ledger.length = whole;
            ledger.files.push(file);
        }
        Ok(ledger)
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.join(format!("rows-{number:05}.jsonl.zst"))
    }

    /// Writes one row. It is there whatever happens to this process afterwards.
    pub(crate) fn append(
        &mut self,
        entry: &Entry,
        columns: &Map<String, Value>,
    ) -> Result<Place, BatchError> {
        if self.files.is_empty() || self.length > FILE_LIMIT {
            let path = self.path(self.files.len());
            self.files
                .push(open(&path).map_err(BatchError::write(&path))?);
            self.length = 0;
        }
        let number = self.files.len() - 1;
        let path = self.path(number);
        let written = frame(entry, columns).and_then(|frame| {
            let file = &mut self.files[number];
            file.write_all_at(&frame, self.length)?;
            Ok(frame.len() as u64)
        });
        let length = match written {
            Ok(length) => length,
            Err(error) => {
                // What was written of it must not stand before the next one.
                let _ = self.files[number].set_len(self.length);
                return Err(BatchError::write(path)(error));
            }
        };
        let place = Place {
            file: number as u32,
            offset: self.length,
            length: length as u32,
        };
        self.length += length;
        Ok(place)
    }

    /// Makes sure that what was written outlasts the machine.
    pub(crate) fn sync(&self) -> Result<(), BatchError> {
        match self.files.last() {
            Some(file) => file.sync_data().map_err(BatchError::write(&self.folder)),
            None => Ok(()),
        }
    }

    /// A row: its entry and its columns.
    pub(crate) fn row(&self, place: Place) -> Result<(Entry, Map<String, Value>), BatchError> {
        let read = || -> io::Result<(Entry, Map<String, Value>)> {
            let mut bytes = vec![0; place.length as usize];
            self.files[place.file as usize].read_exact_at(&mut bytes, place.offset)?;
            let text = zstd::decode_all(&bytes[..])?;
            let end = text.iter().position(|&byte| byte == b'\n');
            let (first, second) = text.split_at(end.unwrap_or(text.len()));
            Ok((
                serde_json::from_slice(first)?,
                serde_json::from_slice(second)?,
            ))
        };
        read().map_err(BatchError::read(self.path(place.file as usize)))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn frame(entry: &Entry, columns: &Map<String, Value>) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    serde_json::to_writer(&mut encoder, entry)?;
    encoder.write_all(b"\n")?;
    serde_json::to_writer(&mut encoder, columns)?;
    encoder.write_all(b"\n")?;
    encoder.finish()
}

/// Reads the entries of a file up to the first frame that is not whole; gives its offset.
fn scan(file: &File, mut take: impl FnMut(Entry, u64, u32)) -> io::Result<u64> {
    let mut file = file;
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut offset = 0;
    loop {
        if reader.fill_buf()?.is_empty() {
            return Ok(offset);
        }
        let mut text = Vec::new();
        let mut decoder = zstd::Decoder::with_buffer(&mut reader)?.single_frame();
        if decoder.read_to_end(&mut text).is_err() {
            return Ok(offset);
        }
        drop(decoder);
        let end = reader.stream_position()?;
        let first = text.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
        let Ok(entry) = serde_json::from_slice(first) else {
            return Ok(offset);
        };
        take(entry, offset, (end - offset) as u32);
        offset = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64) -> Entry {
        Entry {
            at,
            key: at * 7,
            language: "python".into(),
            id: format!("{at}"),
            repository: String::new(),
            license: String::new(),
            status: Status::Copy { of: 0 },
        }
    }

    fn columns(at: u64) -> Map<String, Value> {
        Map::from_iter([(
            "text".to_owned(),
            Value::from(format!("row {at}").repeat(50)),
        )])
    }

    fn read(folder: &Path) -> (Ledger, Vec<(Entry, Place)>) {
        let mut seen = Vec::new();
        let ledger = Ledger::open(folder, |entry, place| seen.push((entry, place)));
        (ledger.expect("it opens"), seen)
    }

    #[test]
    fn a_torn_tail_costs_one_frame_wherever_it_tears() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut ledger, _) = read(folder.path());
        let mut ends = Vec::new();
        for at in 0..3 {
            ledger
                .append(&entry(at), &columns(at))
                .expect("it is written");
            ends.push(ledger.length);
        }
        let path = ledger.path(0);
        let whole = std::fs::read(&path).expect("the file");
        for cut in ends[1]..ends[2] {
            std::fs::write(&path, &whole[..cut as usize]).expect("a torn file");
            let (mut ledger, seen) = read(folder.path());
            assert_eq!(seen.len(), 2, "cut at {cut}");
            ledger
                .append(&entry(9), &columns(9))
                .expect("it is written");
            let (ledger, seen) = read(folder.path());
            let last = seen.last().expect("three entries");
            assert_eq!((seen.len(), last.0.at), (3, 9), "cut at {cut}");
            assert_eq!(ledger.row(last.1).expect("a row").1, columns(9));
        }
    }
}
