//! Identity: addresses become numbers by first appearance.
//!
//! An address says who an object is only while the object lives. It counts as alive as long as a
//! binding whose last value showed it has not been overwritten and its frame has not been left
//! (or it was shown by one of the last few values without a name). After that, or when an object
//! of another type turns up there, the address gets a new number. So the numbers do not depend on
//! what the allocator reuses.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// Values without a name (returned, passed on) that keep their objects alive.
const TRANSIENT: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Entry {
    number: u32,
    /// Of its type's name: each stream numbers names by itself.
    type_hash: u64,
    holders: u32,
}

/// The objects of one address space.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    // Looked up only, never iterated.
    entries: HashMap<u64, Entry>,
    transient: VecDeque<Vec<u64>>,
    /// Addresses that the values converted since the last [`Heap::take_shown`] showed.
    shown: Vec<u64>,
}

/// Which objects each name of a frame shows.
#[derive(Debug, Default)]
pub(crate) struct Bindings<'t>(BTreeMap<&'t str, Vec<u64>>);

impl Heap {
    /// The number of the object at an address; `next` is the last number given in the trace.
    pub(crate) fn number(&mut self, address: u64, type_name: &str, next: &mut u32) -> Option<u32> {
        if address == 0 {
            return None;
        }
        self.shown.push(address);
        let type_hash = hash(type_name);
        let entry = self.entries.entry(address).or_insert(Entry {
            number: 0,
            type_hash,
            holders: 0,
        });
        if entry.number == 0 || entry.type_hash != type_hash {
            *next = next.saturating_add(1);
            (entry.number, entry.type_hash) = (*next, type_hash);
        }
        Some(entry.number)
    }

    /// The number of an object described before within the same value.
    pub(crate) fn known(&mut self, address: u64) -> Option<u32> {
        self.entries.get(&address).map(|entry| entry.number)
    }

    fn take_shown(&mut self) -> Vec<u64> {
        let shown = std::mem::take(&mut self.shown);
        for address in &shown {
            if let Some(entry) = self.entries.get_mut(address) {
                entry.holders += 1;
            }
        }
        shown
    }

    fn release(&mut self, addresses: &[u64]) {
        for address in addresses {
            if let Some(entry) = self.entries.get_mut(address) {
                entry.holders -= 1;
                if entry.holders == 0 {
                    self.entries.remove(address);
                }
            }
        }
    }

    /// What was shown since the last call is now what `name` shows.
    pub(crate) fn bind<'t>(&mut self, bindings: &mut Bindings<'t>, name: &'t str) {
        let shown = self.take_shown();
        let before = match (shown.is_empty(), bindings.0.get_mut(name)) {
            (true, None) => return,
            (true, Some(_)) => bindings.0.remove(name),
            (false, _) => bindings.0.insert(name, shown),
        };
        self.release(&before.unwrap_or_default());
    }

    /// What was shown since the last call has no name.
    pub(crate) fn pass(&mut self) {
        if self.shown.is_empty() {
            return;
        }
        let shown = self.take_shown();
        self.transient.push_back(shown);
        if self.transient.len() > TRANSIENT {
            let oldest = self.transient.pop_front().unwrap_or_default();
            self.release(&oldest);
        }
    }

    /// A frame was left.
    pub(crate) fn forget(&mut self, bindings: Bindings<'_>) {
        for addresses in bindings.0.into_values() {
            self.release(&addresses);
        }
    }
}

/// FNV-1a.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
