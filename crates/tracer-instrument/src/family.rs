//! Who contains whom, for the nodes that were captured.
//!
//! tree-sitter finds a node's parent by searching from the root, past every earlier sibling on
//! the way: in a file of a million statements each such question would read half the file. The
//! walk that finds the captures knows the answers, and keeps them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tree_sitter::Node;

/// Stands for "has no parent".
const NONE: u32 = u32::MAX;

/// The captured nodes and everything around them.
#[derive(Debug, Default)]
pub(crate) struct Family<'t> {
    members: Vec<(Node<'t>, u32)>,
    by_id: HashMap<usize, u32, BuildHasherDefault<Mixer>>,
}

impl<'t> Family<'t> {
    /// Adds a node below another member, which must be given if the node is not the root.
    pub(crate) fn add(&mut self, node: Node<'t>, parent: Option<u32>) -> u32 {
        let Self { members, by_id } = self;
        *by_id.entry(node.id()).or_insert_with(|| {
            members.push((node, parent.unwrap_or(NONE)));
            members.len() as u32 - 1
        })
    }

    /// The parent, as far as it is known here.
    pub(crate) fn parent(&self, node: Node<'_>) -> Parent<'t> {
        let Some(&index) = self.by_id.get(&node.id()) else {
            return Parent::Unknown;
        };
        let (_, parent) = self.members[index as usize];
        self.members
            .get(parent as usize)
            .map_or(Parent::Root, |(node, _)| Parent::Is(*node))
    }
}

/// What a family knows of a node's parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent<'t> {
    /// This node.
    Is(Node<'t>),
    /// The node is the root and has none.
    Root,
    /// The node is no member.
    Unknown,
}

/// A hasher for addresses and short names of our own making, which nobody can choose to collide.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, word: u64) {
        // Odd and without pattern, from the golden ratio.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        // The table takes its place from the low bits, which a product mixes least.
        self.0 ^ (self.0 >> 32)
    }
}
