//! JSON Lines, plain or packed by gzip or zstd.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};

use super::{Columns, Row};
use crate::BatchError;

/// Longest line that is read.
const LINE_LIMIT: u64 = 64 << 20;

/// The rows of a file.
pub(super) fn rows(
    path: &Path,
    columns: Columns,
) -> Result<impl Iterator<Item = Result<Row, BatchError>> + Send + use<>, BatchError> {
    let file = File::open(path).map_err(BatchError::read(path))?;
    let extension = path.extension().unwrap_or_default();
    let unpacked: Box<dyn Read + Send> = match extension.to_string_lossy().as_ref() {
        "gz" => Box::new(flate2::read::MultiGzDecoder::new(file)),
        "zst" => Box::new(zstd::Decoder::new(file).map_err(BatchError::read(path))?),
        _ => Box::new(file),
    };
    let mut reader = BufReader::with_capacity(1 << 20, unpacked);
    let path = path.to_path_buf();
    let mut over = false;
    Ok(std::iter::from_fn(move || {
        loop {
            if over {
                return None;
            }
            match line(&mut reader) {
                Ok(None) => return None,
                Ok(Some(line)) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Some(line)) => return Some(Ok(row(&columns, &line))),
                Err(error) => {
                    over = true;
                    return Some(Err(BatchError::read(&path)(error)));
                }
            }
        }
    }))
}

/// The next line; what is beyond the limit is left out, which spoils that line alone.
fn line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let length = reader.take(LINE_LIMIT).read_until(b'\n', &mut line)?;
    if length == 0 {
        return Ok(None);
    }
    if length as u64 == LINE_LIMIT && !line.ends_with(b"\n") {
        loop {
            let rest = reader.fill_buf()?;
            let end = rest.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(rest.len(), |end| end + 1);
            reader.consume(used);
            if end.is_some() || used == 0 {
                break;
            }
        }
    }
    Ok(Some(line))
}

fn row(columns: &Columns, line: &[u8]) -> Row {
    match serde_json::from_slice::<Map<String, Value>>(line) {
        Ok(read) => columns.split(read),
        Err(error) => Row {
            text: Err(format!("the line is not a JSON object: {error}")),
            columns: Map::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const GOOD: &[u8] = b"{\"text\": \"print(1)\\n\"}\n";

    fn columns() -> Columns {
        Columns {
            text: None,
            language: None,
        }
    }

    fn texts(path: &Path) -> Vec<Result<Result<String, String>, BatchError>> {
        let all = rows(path, columns()).expect("the file opens");
        all.map(|row| row.map(|row| row.text)).collect()
    }

    #[test]
    fn a_line_that_unpacks_to_more_than_the_limit_spoils_itself_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bomb.jsonl.zst");
        let file = File::create(&path).expect("a file");
        let mut packed = zstd::Encoder::new(file, 1).expect("an encoder");
        let block = vec![b'a'; 1 << 20];
        packed.write_all(GOOD).expect("written");
        packed.write_all(b"{\"text\": \"").expect("written");
        for _ in 0..=LINE_LIMIT >> 20 {
            packed.write_all(&block).expect("written");
        }
        packed.write_all(b"\"}\n").expect("written");
        packed.write_all(GOOD).expect("written");
        packed.finish().expect("written");
        assert!(std::fs::metadata(&path).expect("there").len() < 1 << 20);
        let found = texts(&path);
        assert_eq!(found.len(), 3);
        let ok = |row: &Result<Result<String, String>, BatchError>| matches!(row, Ok(Ok(_)));
        assert!(ok(&found[0]) && ok(&found[2]));
        assert!(matches!(&found[1], Ok(Err(why)) if why.contains("not a JSON object")));
    }

    #[test]
    fn a_line_nested_without_end_is_a_row_that_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep.jsonl");
        let mut text = b"{\"text\": \"x\", \"a\": ".to_vec();
        text.resize(text.len() + 1_000_000, b'[');
        text.push(b'\n');
        text.extend(GOOD);
        std::fs::write(&path, text).expect("written");
        let found = texts(&path);
        assert!(matches!(&found[..], [Ok(Err(_)), Ok(Ok(_))]));
    }

    #[test]
    fn rows_before_a_tear_are_read_and_the_tear_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("torn.jsonl.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        for _ in 0..100_000 {
            packed.write_all(GOOD).expect("written");
        }
        let mut bytes = packed.finish().expect("packed");
        bytes.truncate(bytes.len() - 20);
        std::fs::write(&path, bytes).expect("written");
        let found = texts(&path);
        assert!(matches!(found.last(), Some(Err(_))), "the end is missing");
        let read = found.iter().filter(|row| matches!(row, Ok(Ok(_)))).count();
        assert!(read > 10_000, "only {read} rows before the tear");
    }
}
