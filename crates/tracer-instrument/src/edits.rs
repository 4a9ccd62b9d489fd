//! Insert-only edits and how they are put in order.
//!
//! Two insertions at one place nest as the nodes they belong to do: closers before openers, inner
//! closers before outer ones, outer openers before inner ones.

/// Text to insert at a byte offset of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Byte offset in the original.
    pub offset: u32,
    /// What to insert.
    pub text: String,
    /// Edits of one probe share a group, and are dropped together. Group 0 is never dropped.
    pub group: u32,
    /// False for text that closes the node it belongs to.
    opens: bool,
    /// Length of the node it belongs to, which decides nesting.
    extent: u32,
    /// Order of creation, the last resort.
    serial: u32,
}

impl Edit {
    /// Text in front of a node of `extent` bytes.
    pub fn open(offset: usize, extent: usize, text: String, group: u32, serial: u32) -> Self {
        Self {
            offset: offset as u32,
            text,
            group,
            opens: true,
            extent: extent as u32,
            serial,
        }
    }

    /// Text behind a node of `extent` bytes.
    pub fn close(offset: usize, extent: usize, text: String, group: u32, serial: u32) -> Self {
        Self {
            offset: offset as u32,
            text,
            group,
            opens: false,
            extent: extent as u32,
            serial,
        }
    }

    fn key(&self) -> (u32, bool, i64, i64) {
        let (extent, serial) = (i64::from(self.extent), i64::from(self.serial));
        // Openers of one node keep their order; its closers reverse it, so that pairs nest.
        if self.opens {
            (self.offset, true, -extent, serial)
        } else {
            (self.offset, false, extent, -serial)
        }
    }
}

/// One insertion as it stands in the rewritten text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Insertion {
    /// Byte offset in the original.
    pub at: u32,
    /// Bytes inserted there.
    pub length: u32,
    /// The group of the edit.
    pub group: u32,
}

/// Rewritten bytes with what was inserted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// The instrumented source.
    pub text: Vec<u8>,
    /// In order of position.
    pub insertions: Vec<Insertion>,
}

impl Rewritten {
    /// Applies edits to the original, leaving out those whose group is in `without`.
    pub fn apply(original: &[u8], edits: &mut [Edit], without: &[u32]) -> Self {
        edits.sort_by_key(Edit::key);
        let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
        let mut text = Vec::with_capacity(original.len() + added);
        let mut insertions = Vec::with_capacity(edits.len());
        let mut done = 0;
        for edit in edits.iter().filter(|edit| !without.contains(&edit.group)) {
            let at = (edit.offset as usize).min(original.len());
            text.extend_from_slice(&original[done..at]);
            done = at;
            text.extend_from_slice(edit.text.as_bytes());
            insertions.push(Insertion {
                at: at as u32,
                length: edit.text.len() as u32,
                group: edit.group,
            });
        }
        text.extend_from_slice(&original[done..]);
        Self { text, insertions }
    }

    /// The group whose insertion covers or directly precedes this offset of the rewritten text.
    /// Group 0 is no probe's, and is passed over.
    pub fn group_near(&self, offset: usize) -> Option<u32> {
        let mut shift = 0usize;
        let mut near = None;
        for insertion in &self.insertions {
            if insertion.at as usize + shift > offset {
                break;
            }
            if insertion.group != 0 {
                near = Some(insertion.group);
            }
            shift += insertion.length as usize;
        }
        near
    }
}

/// Takes the insertions out of a rewritten text again.
pub fn strip(rewritten: &Rewritten) -> Vec<u8> {
    let mut original = Vec::with_capacity(rewritten.text.len());
    let mut read = 0usize;
    for insertion in &rewritten.insertions {
        let upto = read + (insertion.at as usize - original.len());
        original.extend_from_slice(&rewritten.text[read..upto]);
        read = upto + insertion.length as usize;
    }
    original.extend_from_slice(&rewritten.text[read..]);
    original
}
