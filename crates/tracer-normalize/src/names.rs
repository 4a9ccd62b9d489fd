//! Interned names back to text, per stream.
//!
//! A stream that does not define a name inherits its parent's: a forked child goes on with the
//! table its emitter held.

use std::collections::BTreeMap;
use std::rc::Rc;

/// Stands for a name the stream never defined.
const UNKNOWN: &str = "?";

/// One stream's names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Ids from 1 in a row, as emitters hand them out.
    dense: Vec<String>,
    /// Any others.
    sparse: BTreeMap<u32, String>,
    parent: Option<Rc<Names>>,
}

impl Names {
    pub(crate) fn new(parent: Option<Rc<Names>>) -> Self {
        Self {
            parent,
            ..Self::default()
        }
    }

    pub(crate) fn define(&mut self, id: u32, name: &[u8]) {
        let name = String::from_utf8_lossy(name).into_owned();
        match (id as usize).checked_sub(1) {
            Some(index) if index < self.dense.len() => self.dense[index] = name,
            Some(index) if index == self.dense.len() => self.dense.push(name),
            _ => {
                self.sparse.insert(id, name);
            }
        }
    }

    /// The text of an id; `None` for 0 and for ids nobody defined.
    pub(crate) fn get(&self, id: u32) -> Option<&str> {
        let index = (id as usize).checked_sub(1)?;
        let mut names = self;
        loop {
            let own = names.dense.get(index).or_else(|| names.sparse.get(&id));
            match (own, &names.parent) {
                (Some(name), _) => return Some(name),
                (None, Some(parent)) => names = parent,
                (None, None) => return None,
            }
        }
    }

    pub(crate) fn text(&self, id: u32) -> &str {
        self.get(id).unwrap_or(UNKNOWN)
    }
}
