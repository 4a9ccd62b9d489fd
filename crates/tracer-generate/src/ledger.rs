//! What was done so far, a line a program: safe to kill at any moment.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::programs::Program;
use crate::{Counts, GenerateError};

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The program's number among its rows.
    pub(crate) at: u64,
    /// Its id.
    pub(crate) id: String,
    pub(crate) language: String,
    /// Why nothing was made of it; kept if there is no reason.
    pub(crate) reason: Option<String>,
    pub(crate) examples: Counts,
    /// Columns of what was made of it.
    pub(crate) rows: Vec<Map<String, Value>>,
}

impl Entry {
    /// One without rows or reason so far.
    pub(crate) fn of(program: &Program) -> Self {
        Self {
            at: program.at,
            id: program.id.clone(),
            language: program.language.clone(),
            reason: None,
            examples: Counts::default(),
            rows: Vec::new(),
        }
    }
}

/// The file of entries, and where each stands in it.
pub(crate) struct Ledger {
    path: PathBuf,
    file: File,
    places: HashMap<u64, (u64, u64)>,
    end: u64,
}

impl Ledger {
    /// Opens it; a line that was torn off is written over.
    pub(crate) fn open(path: &Path) -> Result<Self, GenerateError> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(GenerateError::write(path))?;
        let mut places = HashMap::new();
        let mut reader = BufReader::new(&file);
        let mut end = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader
                .read_until(b'\n', &mut line)
                .map_err(GenerateError::read(path))? as u64;
            let entry = serde_json::from_slice::<Entry>(&line);
            match entry {
                Ok(entry) if line.ends_with(b"\n") => places.insert(entry.at, (end, length)),
                _ => break,
            };
            end += length;
        }
        file.set_len(end).map_err(GenerateError::write(path))?;
        Ok(Self {
            path: path.into(),
            file,
            places,
            end,
        })
    }

    /// Numbers of the programs that are done.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.places.keys().copied()
    }

    pub(crate) fn len(&self) -> u64 {
        self.places.len() as u64
    }

    pub(crate) fn add(&mut self, entry: &Entry) -> Result<(), GenerateError> {
        let mut line = serde_json::to_vec(entry).expect("an entry is JSON");
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(GenerateError::write(&self.path))?;
        self.places.insert(entry.at, (self.end, line.len() as u64));
        self.end += line.len() as u64;
        Ok(())
    }

    pub(crate) fn entry(&mut self, at: u64) -> Result<Option<Entry>, GenerateError> {
        let Some((start, length)) = self.places.get(&at).copied() else {
            return Ok(None);
        };
        let mut line = vec![0; length as usize];
        let mut read = |mut file: &File| {
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut line)
        };
        read(&self.file).map_err(GenerateError::read(&self.path))?;
        let entry = serde_json::from_slice(&line);
        entry
            .map(Some)
            .map_err(|error| GenerateError::read(&self.path)(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64) -> Entry {
        Entry {
            at,
            id: format!("id{at}"),
            language: "python".into(),
            reason: None,
            examples: Counts::default(),
            rows: Vec::new(),
        }
    }

    #[test]
    fn a_torn_line_is_done_again_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.add(&entry(3)).unwrap();
        ledger.add(&entry(1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for torn in 1..whole.len() / 2 {
            std::fs::write(&path, &whole[..whole.len() - torn]).unwrap();
            let mut ledger = Ledger::open(&path).unwrap();
            assert!(ledger.numbers().eq([3]));
            ledger.add(&entry(1)).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
            assert_eq!(ledger.entry(1).unwrap(), Some(entry(1)));
            assert_eq!(ledger.entry(3).unwrap(), Some(entry(3)));
        }
    }
}
