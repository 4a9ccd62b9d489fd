//! Which rows are being worked on, where the next process can read it: should this one die of a row,
//! the row is found.
//!
//! A process that ends in the middle of several rows has not died of a known one: the next process
//! takes those one at a time. One that ends while it has a single row in hand has died of that.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::BatchError;

/// Eight bytes a worker: the number of its row and one, or zero.
const AT: &str = "_at";

/// A line for each row that a process died of.
const FATAL: &str = "_fatal.jsonl";

/// A row that a process died of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Fatal {
    at: u64,
    how: String,
}

/// What a process left that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// It died of this row, which is given up from now on.
    Row(u64),
    /// It died of one of so many rows, which are taken one at a time from now on.
    OneOf(usize),
    /// It had no row in hand.
    NoRow,
}

/// Notes how the process that worked on this output died. To be called before it is begun again.
pub fn died(out: &Path, how: &str) -> Result<Aftermath, BatchError> {
    let rows = in_hand(out)?;
    let [at] = rows[..] else {
        return Ok(match rows.len() {
            0 => Aftermath::NoRow,
            several => Aftermath::OneOf(several),
        });
    };
    let path = out.join(FATAL);
    let how = how.to_owned();
    let note = || -> io::Result<()> {
        let mut line = serde_json::to_vec(&Fatal { at, how })?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.write_all(&line)
    };
    note().map_err(BatchError::write(&path))?;
    Ok(Aftermath::Row(at))
}

/// Rows in the middle of which an earlier process ended.
fn in_hand(out: &Path) -> Result<Vec<u64>, BatchError> {
    let path = out.join(AT);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(BatchError::read(path)(error)),
    };
    let (slots, _) = bytes.as_chunks::<8>();
    let rows = slots.iter().map(|slot| u64::from_le_bytes(*slot));
    Ok(rows.filter_map(|row| row.checked_sub(1)).collect())
}

/// What earlier processes left.
pub(crate) struct Left {
    /// Rows to be taken one at a time.
    pub(crate) suspects: Vec<u64>,
    /// Rows that are given up, and why.
    pub(crate) fatal: BTreeMap<u64, String>,
}

/// The rows in hand of this process.
#[derive(Debug)]
pub(crate) struct Flight {
    path: PathBuf,
    file: File,
}

impl Flight {
    /// Reads what earlier processes left, and begins anew.
    pub(crate) fn open(out: &Path) -> Result<(Self, Left), BatchError> {
        let mut suspects = in_hand(out)?;
        let path = out.join(FATAL);
        let mut fatal = BTreeMap::new();
        match std::fs::read(&path) {
            Ok(bytes) => {
                // The last line may be torn: then that row is met once more.
                let lines = bytes.split(|&byte| byte == b'\n');
                let rows = lines.filter_map(|line| serde_json::from_slice::<Fatal>(line).ok());
                fatal.extend(rows.map(|row| (row.at, row.how)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(BatchError::read(path)(error)),
        }
        suspects.retain(|row| !fatal.contains_key(row));
        let path = out.join(AT);
        let file = File::create(&path).map_err(BatchError::write(&path))?;
        Ok((Self { path, file }, Left { suspects, fatal }))
    }

    /// A worker takes a row, or (`None`) has none. What cannot be noted is not known should this
    /// process die, and harms nothing else.
    pub(crate) fn note(&self, worker: u64, row: Option<u64>) {
        let slot = row.map_or(0, |row| row + 1);
        let _ = self.file.write_all_at(&slot.to_le_bytes(), worker * 8);
    }

    /// Nothing is in hand any more.
    pub(crate) fn land(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_blamed_where_it_was_the_only_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path();
        assert_eq!(died(out, "x").expect("readable"), Aftermath::NoRow);
        let (flight, left) = Flight::open(out).expect("it opens");
        assert!(left.suspects.is_empty() && left.fatal.is_empty());
        flight.note(0, Some(7));
        flight.note(3, Some(0));
        assert_eq!(died(out, "x").expect("readable"), Aftermath::OneOf(2));
        let (flight, left) = Flight::open(out).expect("it opens");
        assert_eq!(left.suspects, [7, 0]);
        flight.note(0, Some(7));
        flight.note(0, None);
        flight.note(0, Some(0));
        assert_eq!(died(out, "x").expect("readable"), Aftermath::Row(0));
        let (flight, left) = Flight::open(out).expect("it opens");
        assert!(left.suspects.is_empty());
        assert_eq!(left.fatal, BTreeMap::from([(0, "x".to_owned())]));
        flight.land();
        assert_eq!(died(out, "x").expect("readable"), Aftermath::NoRow);
    }
}
