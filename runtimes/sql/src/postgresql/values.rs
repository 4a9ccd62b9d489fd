//! Values as the protocol's text form gives them, as the stream writes them.

use crate::channel::{Channel, varint};
use crate::values::{self, Digest, RECORD};

/// The engine's own types that scripts meet, by number.
const TYPES: &[(u32, &str)] = &[
    (16, "boolean"),
    (17, "bytea"),
    (18, "\"char\""),
    (20, "bigint"),
    (21, "smallint"),
    (114, "json"),
    (600, "point"),
    (700, "real"),
    (701, "double precision"),
    (790, "money"),
    (869, "inet"),
    (1000, "boolean[]"),
    (1007, "integer[]"),
    (1009, "text[]"),
    (1015, "varchar[]"),
    (1016, "bigint[]"),
    (1042, "character"),
    (1043, "varchar"),
    (1082, "date"),
    (1083, "time"),
    (1114, "timestamp"),
    (1184, "timestamptz"),
    (1186, "interval"),
    (1231, "numeric[]"),
    (1266, "timetz"),
    (1700, "numeric"),
    (2249, "record"),
    (2278, "void"),
    (2950, "uuid"),
    (3802, "jsonb"),
    (3904, "int4range"),
];

/// Types whose values are texts.
const TEXTS: [u32; 6] = [18, 19, 25, 705, 1042, 1043];

/// Appends a value of a type.
pub(crate) fn value(channel: &mut Channel, out: &mut Vec<u8>, kind: u32, text: Option<&[u8]>) {
    let Some(text) = text else {
        out.push(0x00);
        return;
    };
    let name = TYPES.iter().find(|(known, _)| *known == kind);
    let text = String::from_utf8_lossy(text);
    let characters = channel.bounds.characters;
    match kind {
        20 | 21 | 23 | 26 => {
            if let Ok(number) = text.parse::<i64>() {
                typed(channel, out, name.map(|(_, name)| *name));
                out.push(0x03);
                varint(out, ((number << 1) ^ (number >> 63)) as u64);
                return;
            }
        }
        700 | 701 => {
            if let Ok(number) = text.parse::<f64>() {
                typed(channel, out, name.map(|(_, name)| *name));
                out.push(0x05);
                out.extend(number.to_le_bytes());
                return;
            }
        }
        _ if TEXTS.contains(&kind) => {
            typed(channel, out, name.map(|(_, name)| *name));
            values::string(out, &text, characters);
            return;
        }
        _ => {}
    }
    let text = if kind == 16 && text == "t" {
        "true"
    } else if kind == 16 && text == "f" {
        "false"
    } else {
        &text
    };
    opaque(channel, out, name.map_or("value", |(_, name)| name), text);
}

/// Appends a value of which only its type's name, if that, and its text are known.
pub(crate) fn opaque(channel: &mut Channel, out: &mut Vec<u8>, name: &str, text: &str) {
    let characters = channel.bounds.characters;
    let cut = text.char_indices().nth(characters).map(|(at, _)| at);
    let shown = match cut {
        Some(at) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    };
    out.push(0x16);
    varint(out, channel.intern(name));
    out.push(0);
    varint(out, shown.len() as u64);
    out.extend(shown.bytes());
}

fn typed(channel: &mut Channel, out: &mut Vec<u8>, name: Option<&str>) {
    if let Some(name) = name {
        out.push(0x10);
        varint(out, channel.intern(name));
    }
}

/// A row as a record of its columns.
pub(crate) fn row(
    channel: &mut Channel,
    columns: &[(String, u32)],
    fields: &[Option<&[u8]>],
) -> Vec<u8> {
    let shown = fields.len().min(channel.bounds.elements);
    let cut = shown < fields.len();
    let mut digest = Digest::default();
    if cut {
        digest_of(&mut digest, fields);
    }
    let type_id = channel.intern("row");
    let mut out = Vec::new();
    values::container(
        &mut out,
        RECORD,
        type_id,
        fields.len() as u64,
        cut.then(|| digest.get()),
        shown as u64,
    );
    for (index, field) in fields.iter().take(shown).enumerate() {
        let (name, kind) = columns
            .get(index)
            .map_or(("", 0), |(name, kind)| (name.as_str(), *kind));
        varint(&mut out, channel.intern(name));
        value(channel, &mut out, kind, *field);
    }
    out
}

/// Takes a whole row in.
pub(crate) fn digest_of(digest: &mut Digest, fields: &[Option<&[u8]>]) {
    for field in fields {
        match field {
            Some(text) => digest.add(text),
            None => digest.add(&[0]),
        }
        digest.add(&[0xff]);
    }
}
