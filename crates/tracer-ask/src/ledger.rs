//! Every response that came, raw, by the key of its request: safe to kill at any moment.
//!
//! One file of zstd frames, a line of JSON each, which zstd's own tools read as JSON Lines. A torn tail
//! costs its frame. One process works with it at a time.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::AskError;

/// A frame.
#[derive(Serialize, Deserialize)]
struct Entry {
    key: String,
    request: Value,
    /// The body of the response.
    response: String,
}

/// The ledger of a folder.
pub struct Ledger {
    path: PathBuf,
    inner: Mutex<Inner>,
    _lock: Flock<File>,
}

struct Inner {
    file: File,
    /// Where each frame stands, and how long it is.
    places: HashMap<String, (u64, u64)>,
    end: u64,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens the ledger of a folder, which is made where it is absent.
    ///
    /// # Errors
    /// Where it cannot be read or written, or another process works with it.
    pub fn open(folder: &Path) -> Result<Self, AskError> {
        let fail = |path: &Path| {
            let path = path.to_path_buf();
            move |source| AskError::Ledger { path, source }
        };
        std::fs::create_dir_all(folder).map_err(fail(folder))?;
        let lock = folder.join("_lock");
        let file = File::create(&lock).map_err(fail(&lock))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(AskError::Busy {
                    folder: folder.into(),
                });
            }
            Err((_, errno)) => return Err(fail(&lock)(errno.into())),
        };
        let path = folder.join("responses.jsonl.zst");
        let open = || -> io::Result<Inner> {
            let mut file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .open(&path)?;
            let (places, end) = frames(&mut file)?;
            file.set_len(end)?;
            Ok(Inner { file, places, end })
        };
        let inner = Mutex::new(open().map_err(fail(&path))?);
        Ok(Self {
            path,
            inner,
            _lock: lock,
        })
    }

    /// Responses that it holds.
    pub fn len(&self) -> usize {
        self.lock().places.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a request was answered.
    pub fn holds(&self, key: &str) -> bool {
        self.lock().places.contains_key(key)
    }

    /// The body of the response to a request.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn get(&self, key: &str) -> Result<Option<String>, AskError> {
        let mut inner = self.lock();
        let Some((at, length)) = inner.places.get(key).copied() else {
            return Ok(None);
        };
        let mut read = || -> io::Result<String> {
            let mut frame = vec![0; length as usize];
            inner.file.seek(SeekFrom::Start(at))?;
            inner.file.read_exact(&mut frame)?;
            let line = zstd::decode_all(frame.as_slice())?;
            Ok(serde_json::from_slice::<Entry>(&line)?.response)
        };
        read().map(Some).map_err(|source| self.error(source))
    }

    /// Keeps a response. What is there already stays.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put(&self, key: &str, request: &Value, response: &str) -> Result<(), AskError> {
        let entry = Entry {
            key: key.to_owned(),
            request: request.clone(),
            response: response.to_owned(),
        };
        let mut line = serde_json::to_vec(&entry).expect("an entry is JSON");
        line.push(b'\n');
        let mut inner = self.lock();
        if inner.places.contains_key(key) {
            return Ok(());
        }
        let mut write = || -> io::Result<u64> {
            let frame = zstd::encode_all(line.as_slice(), 3)?;
            inner.file.write_all(&frame)?;
            Ok(frame.len() as u64)
        };
        let length = write().map_err(|source| self.error(source))?;
        let at = inner.end;
        inner.places.insert(key.to_owned(), (at, length));
        inner.end += length;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no thread panics with it")
    }

    fn error(&self, source: io::Error) -> AskError {
        AskError::Ledger {
            path: self.path.clone(),
            source,
        }
    }
}

/// Where the whole frames of a file stand, and where they end.
fn frames(file: &mut File) -> io::Result<(HashMap<String, (u64, u64)>, u64)> {
    let mut places = HashMap::new();
    let mut reader = BufReader::new(file);
    let mut end = 0;
    loop {
        let mut line = Vec::new();
        let mut decoder = zstd::Decoder::with_buffer(&mut reader)?.single_frame();
        let whole = decoder.read_to_end(&mut line);
        drop(decoder);
        let entry = serde_json::from_slice::<Entry>(&line);
        let (Ok(_), Ok(entry)) = (whole, entry) else {
            return Ok((places, end));
        };
        let next = reader.stream_position()?;
        places.insert(entry.key, (end, next - end));
        end = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_tail_costs_one_response() {
        let folder = tempfile::tempdir().unwrap();
        let request = Value::from("request");
        let ledger = Ledger::open(folder.path()).unwrap();
        for key in ["a", "b"] {
            ledger
                .put(key, &request, &format!("{{\"{key}\": 1}}\n…"))
                .unwrap();
            ledger.put(key, &request, "something else").unwrap();
        }
        assert!(matches!(
            Ledger::open(folder.path()),
            Err(AskError::Busy { .. })
        ));
        let path = ledger.path.clone();
        let first = ledger.lock().places["a"].1;
        drop(ledger);
        let whole = std::fs::read(&path).unwrap();
        for length in first as usize..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let ledger = Ledger::open(folder.path()).unwrap();
            assert_eq!(ledger.get("a").unwrap().unwrap(), "{\"a\": 1}\n…");
            assert_eq!(ledger.get("b").unwrap(), None);
            ledger.put("b", &request, "{\"b\": 1}\n…").unwrap();
            assert_eq!(ledger.get("b").unwrap().unwrap(), "{\"b\": 1}\n…");
            drop(ledger);
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        let lines = zstd::decode_all(whole.as_slice()).unwrap();
        assert_eq!(String::from_utf8(lines).unwrap().lines().count(), 2);
    }
}
