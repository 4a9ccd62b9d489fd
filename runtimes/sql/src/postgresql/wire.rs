//! Messages of PostgreSQL's protocol, version 3, cut out of a stream of bytes.

/// One message: its type (0 for those of a connection's beginning, which have none) and the rest.
pub(crate) type Message = (u8, Vec<u8>);

/// Largest message that is kept whole; of longer ones only the type is told.
const KEPT: usize = 16 << 20;

/// Cuts one direction of a connection.
#[derive(Debug)]
pub(crate) struct Framer {
    bytes: Vec<u8>,
    /// Bytes of a message too long to be kept that are still to come.
    passing: usize,
    /// The next message has no type.
    starting: bool,
}

impl Framer {
    /// For what the client sends, which begins without a type, or for what the server sends.
    pub(crate) fn new(client: bool) -> Self {
        Self {
            bytes: Vec::new(),
            passing: 0,
            starting: client,
        }
    }

    /// Takes bytes in and gives the messages that they complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Vec<Message> {
        let passed = self.passing.min(bytes.len());
        self.passing -= passed;
        bytes = &bytes[passed..];
        self.bytes.extend_from_slice(bytes);
        let mut found = Vec::new();
        let mut at = 0;
        loop {
            let rest = &self.bytes[at..];
            let head = usize::from(!self.starting);
            let Some(length) = rest.get(head..head + 4) else {
                break;
            };
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
            let size = head + (length as usize).max(4);
            let kind = if self.starting { 0 } else { rest[0] };
            if size > KEPT {
                found.push((kind, Vec::new()));
                self.passing = size.saturating_sub(rest.len());
                at += size.min(rest.len());
            } else if rest.len() >= size {
                found.push((kind, rest[head + 4..size].to_vec()));
                at += size;
            } else {
                break;
            }
            self.starting = false;
        }
        self.bytes.drain(..at);
        found
    }
}

/// Reads fields of a message.
#[derive(Debug)]
pub(crate) struct Fields<'m>(pub(crate) &'m [u8]);

impl<'m> Fields<'m> {
    /// So many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'m [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of two bytes.
    pub(crate) fn short(&mut self) -> Option<i16> {
        self.take(2).map(|b| i16::from_be_bytes([b[0], b[1]]))
    }

    /// A number of four bytes.
    pub(crate) fn long(&mut self) -> Option<i32> {
        self.take(4)
            .map(|b| i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// A text up to a zero byte.
    pub(crate) fn text(&mut self) -> Option<String> {
        let length = self.0.iter().position(|&byte| byte == 0)?;
        let text = String::from_utf8_lossy(&self.0[..length]).into_owned();
        self.0 = &self.0[length + 1..];
        Some(text)
    }
}

/// Columns of a row description: name and type.
pub(crate) fn columns(message: &[u8]) -> Option<Vec<(String, u32)>> {
    let mut fields = Fields(message);
    let count = fields.short()?;
    (0..count)
        .map(|_| {
            let name = fields.text()?;
            fields.take(6)?;
            let kind = fields.long()? as u32;
            fields.take(8)?;
            Some((name, kind))
        })
        .collect()
}

/// Values of a row; `None` for null.
pub(crate) fn values(message: &[u8]) -> Option<Vec<Option<&[u8]>>> {
    let mut fields = Fields(message);
    let count = fields.short()?;
    (0..count)
        .map(|_| {
            let length = fields.long()?;
            match usize::try_from(length) {
                Ok(length) => fields.take(length).map(Some),
                Err(_) => Some(None),
            }
        })
        .collect()
}

/// A field of an error or notice: `S` severity, `C` code, `M` message.
pub(crate) fn said(message: &[u8], field: u8) -> Option<String> {
    let mut fields = Fields(message);
    loop {
        let kind = *fields.take(1)?.first()?;
        if kind == 0 {
            return None;
        }
        let text = fields.text()?;
        if kind == field {
            return Some(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_wherever_the_bytes_break() {
        let mut stream = vec![0, 0, 0, 8, 0, 3, 0, 0];
        stream.extend(b"Q\0\0\0\x0dSELECT 1\0");
        stream.extend(b"X\0\0\0\x04");
        for size in 1..stream.len() {
            let mut framer = Framer::new(true);
            let found: Vec<Message> = stream
                .chunks(size)
                .flat_map(|part| framer.feed(part))
                .collect();
            let kinds: Vec<u8> = found.iter().map(|(kind, _)| *kind).collect();
            assert_eq!(kinds, [0, b'Q', b'X']);
            assert_eq!(found[1].1, b"SELECT 1\0");
        }
    }

    #[test]
    fn an_error_has_fields() {
        let message = b"SERROR\0C22012\0Mdivision by zero\0\0";
        assert_eq!(said(message, b'C').as_deref(), Some("22012"));
        assert_eq!(said(message, b'D'), None);
    }
}
