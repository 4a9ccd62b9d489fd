//! Telling plain, gzip and zstd apart by their first bytes.

use std::io::{self, BufRead, BufReader, Read};

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Decompresses a stream, if it is compressed.
pub(crate) fn open<'a>(stream: impl Read + 'a) -> io::Result<(Compression, Box<dyn Read + 'a>)> {
    let mut stream = BufReader::with_capacity(1 << 16, stream);
    let start = stream.fill_buf()?;
    // RFC 1952, section 2.3.1 and RFC 8878, section 3.1.1.
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        let decoder = flate2::bufread::MultiGzDecoder::new(stream);
        (Compression::Gzip, Box::new(decoder))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::Decoder::with_buffer(stream)?;
        (Compression::Zstd, Box::new(decoder))
    } else {
        (Compression::None, Box::new(stream))
    })
}
