//! What a statement did to the rows of one table: before and after, in the order of their keys,
//! bounded.
//!
//! Knows rows as encoded values; it never asks the engine.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};

use crate::channel::{Channel, varint};
use crate::engine::{Change, Datum};
use crate::values::{self, Digest, MAP};

/// What is known of a table before a statement runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// Column names.
    pub(crate) columns: Vec<String>,
    /// Which columns have a value of their own.
    pub(crate) stored: Vec<bool>,
    /// Columns of the key where rows have no numbers.
    pub(crate) key: Option<Vec<usize>>,
}

impl Table {
    /// A row as a record of its stored columns.
    pub(crate) fn row(&self, channel: &mut Channel, values: &[Datum<'_>]) -> Vec<u8> {
        if self.stored.iter().all(|stored| *stored) {
            return values::row(channel, "row", &self.columns, values);
        }
        let kept = |at: &usize| self.stored.get(*at).copied().unwrap_or(true);
        let places: Vec<usize> = (0..values.len()).filter(kept).collect();
        let names: Vec<String> = places
            .iter()
            .map(|&at| self.columns.get(at).cloned().unwrap_or_default())
            .collect();
        let values: Vec<Datum<'_>> = places.iter().map(|&at| values[at]).collect();
        values::row(channel, "row", &names, &values)
    }
}

/// A part of a row's key, in the engine's order of types.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Null,
    Integer(i64),
    /// The bits, made to order as the number does.
    Real(i64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Part {
    fn new(value: Datum<'_>) -> Self {
        match value {
            Datum::Null => Self::Null,
            Datum::Integer(number) => Self::Integer(number),
            Datum::Real(number) => {
                let bits = number.to_bits() as i64;
                Self::Real(bits ^ (((bits >> 63) as u64) >> 1) as i64)
            }
            Datum::Text(text) => Self::Text(text.to_vec()),
            Datum::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    fn put(&self, out: &mut Vec<u8>, characters: usize) {
        let value = match self {
            Self::Null => Datum::Null,
            Self::Integer(number) => Datum::Integer(*number),
            Self::Real(bits) => Datum::Real(f64::from_bits(
                (bits ^ (((bits >> 63) as u64) >> 1) as i64) as u64,
            )),
            Self::Text(text) => Datum::Text(text),
            Self::Blob(bytes) => Datum::Blob(bytes),
        };
        values::datum(out, value, characters);
    }
}

type Key = Vec<Part>;

/// A row before and after, encoded.
#[derive(Debug, Default)]
struct Row {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// One side: how many rows it has, and a digest of all.
#[derive(Debug, Default)]
struct Side {
    count: u64,
    digest: Digest,
}

/// The changes to one table.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The table's name as the engine has it.
    pub(crate) table: String,
    /// Made by a foreign key's action.
    pub(crate) cascade: bool,
    rows: BTreeMap<Key, Row>,
    /// Keys that there is no room for, by hash.
    others: HashSet<u64>,
    before: Side,
    after: Side,
}

impl Changes {
    /// No changes yet.
    pub(crate) fn new(table: &str, cascade: bool) -> Self {
        Self {
            table: table.to_owned(),
            cascade,
            ..Self::default()
        }
    }

    /// Takes a change in.
    pub(crate) fn add(&mut self, channel: &mut Channel, table: &Table, change: &Change<'_>) {
        let key_of = |values: &Option<Vec<Datum<'_>>>, number: i64| -> Option<Key> {
            let values = values.as_ref()?;
            Some(match &table.key {
                None => vec![Part::Integer(number)],
                Some(key) => key
                    .iter()
                    .map(|&column| {
                        values
                            .get(column)
                            .map_or(Part::Null, |value| Part::new(*value))
                    })
                    .collect(),
            })
        };
        let old_key = key_of(&change.old, change.old_row);
        let new_key = key_of(&change.new, change.new_row);
        if let (Some(key), Some(old)) = (old_key, &change.old) {
            let stays = new_key.as_ref() == Some(&key);
            self.side(channel, table, key, old, false, stays);
        }
        if let (Some(key), Some(new)) = (new_key, &change.new) {
            self.side(channel, table, key, new, true, false);
        }
    }

    /// One side of a change. `stays`: its other side follows.
    fn side(
        &mut self,
        channel: &mut Channel,
        table: &Table,
        key: Key,
        values: &[Datum<'_>],
        after: bool,
        stays: bool,
    ) {
        let limit = channel.bounds.elements.max(1);
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        let known = self.rows.contains_key(&key) || self.others.contains(&hash);
        if after || !known {
            let side = if after {
                &mut self.after
            } else {
                &mut self.before
            };
            for value in values {
                values::digest_of(&mut side.digest, *value);
            }
            side.count += 1;
        }
        if known && !after {
            self.after.count = self.after.count.saturating_sub(1);
        }
        if self.others.contains(&hash) {
            return;
        }
        if !known && self.rows.len() >= limit {
            if self
                .rows
                .last_key_value()
                .is_some_and(|(last, _)| *last < key)
            {
                self.others.insert(hash);
                return;
            }
            if let Some((last, _)) = self.rows.pop_last() {
                let mut hasher = DefaultHasher::new();
                last.hash(&mut hasher);
                self.others.insert(hasher.finish());
            }
        }
        let encoded = table.row(channel, values);
        let row = self.rows.entry(key).or_default();
        if after {
            row.after = Some(encoded);
        } else {
            if !known {
                row.before = Some(encoded);
            }
            if !stays {
                row.after = None;
            }
        }
    }

    /// Appends the rows before and after, each as a map by key.
    pub(crate) fn put(&self, channel: &mut Channel, out: &mut Vec<u8>) {
        let bounds = channel.bounds;
        let type_id = channel.intern(&self.table);
        let key_id = channel.intern("key");
        for (side, after) in [(&self.before, false), (&self.after, true)] {
            let mut entries = Vec::new();
            let mut shown = 0;
            for (key, row) in &self.rows {
                let Some(row) = (if after { &row.after } else { &row.before }) else {
                    continue;
                };
                let mut entry = Vec::new();
                match &key[..] {
                    [part] => part.put(&mut entry, bounds.characters),
                    parts => {
                        let count = parts.len() as u64;
                        values::container(&mut entry, values::SEQUENCE, key_id, count, None, count);
                        for part in parts {
                            part.put(&mut entry, bounds.characters);
                        }
                    }
                }
                entry.extend(row);
                if entries.len() + entry.len() > bounds.value && shown > 0 {
                    break;
                }
                entries.extend(entry);
                shown += 1;
            }
            let cut = (shown < side.count).then(|| side.digest.get());
            values::container(out, MAP, type_id, side.count, cut, shown);
            out.extend(entries);
        }
    }
}

/// A result: rows bounded, counted in full.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Rows so far.
    pub(crate) count: u64,
    encoded: Vec<u8>,
    shown: u64,
    digest: Digest,
}

impl Rows {
    /// Takes a row in.
    pub(crate) fn add(&mut self, channel: &mut Channel, names: &[String], values: &[Datum<'_>]) {
        let digest = |digest: &mut Digest| {
            for value in values {
                values::digest_of(digest, *value);
            }
        };
        self.take(channel, digest, |channel| {
            values::row(channel, "row", names, values)
        });
    }

    /// Takes a row in: what goes into the digest, and how it is encoded if it is shown.
    pub(crate) fn take(
        &mut self,
        channel: &mut Channel,
        digest: impl FnOnce(&mut Digest),
        encode: impl FnOnce(&mut Channel) -> Vec<u8>,
    ) {
        let bounds = channel.bounds;
        self.count += 1;
        digest(&mut self.digest);
        if self.shown + 1 < self.count || self.shown >= bounds.elements as u64 {
            return;
        }
        let row = encode(channel);
        if self.encoded.len() + row.len() <= bounds.value || self.shown == 0 {
            self.encoded.extend(row);
            self.shown += 1;
        }
    }

    /// Appends them as a sequence.
    pub(crate) fn put(&self, channel: &mut Channel, out: &mut Vec<u8>) {
        let type_id = channel.intern("rows");
        let cut = (self.shown < self.count).then(|| self.digest.get());
        values::container(out, values::SEQUENCE, type_id, self.count, cut, self.shown);
        out.extend(&self.encoded);
    }
}

/// Appends a sequence of texts.
pub(crate) fn texts(channel: &mut Channel, out: &mut Vec<u8>, type_name: &str, texts: &[String]) {
    let bounds = channel.bounds;
    let type_id = channel.intern(type_name);
    let shown = texts.len().min(bounds.elements);
    let cut = (shown < texts.len()).then(|| {
        let mut digest = Digest::default();
        for text in texts {
            digest.add(text.as_bytes());
        }
        digest.get()
    });
    values::container(
        out,
        values::SEQUENCE,
        type_id,
        texts.len() as u64,
        cut,
        shown as u64,
    );
    for text in &texts[..shown] {
        values::string(out, text, bounds.characters);
    }
}

/// Begins a record: op and site.
pub(crate) fn head(op: u8, site: u32) -> Vec<u8> {
    let mut record = vec![op];
    varint(&mut record, u64::from(site));
    record
}
