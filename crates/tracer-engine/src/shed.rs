//! Drops the probes that a compiler refuses, and keeps the rest.

use std::collections::BTreeSet;
use std::path::Path;

use tracer_model::Dropped;

use crate::Program;
use crate::program::Source;

/// Compilations tried before giving up on all probes of a file.
const ROUNDS: usize = 6;

/// The state of one program's shedding.
#[derive(Debug, Default)]
pub struct Rounds {
    done: usize,
    groups: Vec<BTreeSet<u32>>,
}

impl Rounds {
    /// No probe dropped yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops the probes that the diagnostics point at; after some rounds, every probe. False when
    /// nothing is left to drop: the program itself does not compile.
    pub fn shed(&mut self, program: &mut Program, said: &str, shed: &mut Vec<Dropped>) -> bool {
        let Some(read) = program.spec.toolchain.diagnostics else {
            return false;
        };
        self.groups.resize(program.sources.len(), BTreeSet::new());
        self.done += 1;
        let mut dropped_any = false;
        for (path, line, column) in read(said) {
            let Some(index) = position(&program.sources, &path) else {
                continue;
            };
            let source = &mut program.sources[index];
            let text = &source.instrumented.rewritten.text;
            let group = source
                .instrumented
                .rewritten
                .group_near(offset(text, line, column));
            if let Some(group) = group.filter(|group| self.groups[index].insert(*group)) {
                dropped_any = true;
                shed.push(Dropped {
                    file: index as u32,
                    line,
                    reason: "did_not_compile".into(),
                    detail: format!("probe {group}"),
                });
            }
        }
        if self.done >= ROUNDS || !dropped_any {
            dropped_any = self.everything(&program.sources, shed);
        }
        for (source, groups) in program.sources.iter_mut().zip(&self.groups) {
            let groups: Vec<u32> = groups.iter().copied().collect();
            source.instrumented.shed(&source.original, &groups);
        }
        dropped_any
    }

    fn everything(&mut self, sources: &[Source], shed: &mut Vec<Dropped>) -> bool {
        let mut any = false;
        for (index, (source, groups)) in sources.iter().zip(&mut self.groups).enumerate() {
            let left: BTreeSet<u32> = source
                .instrumented
                .rewritten
                .insertions
                .iter()
                .map(|edit| edit.group)
                .collect();
            if left.difference(groups).next().is_some() {
                any = true;
                groups.extend(left);
                shed.push(Dropped {
                    file: index as u32,
                    line: 0,
                    reason: "did_not_compile".into(),
                    detail: "all probes of the file".into(),
                });
            }
        }
        any
    }
}

fn position(sources: &[Source], path: &Path) -> Option<usize> {
    sources.iter().position(|source| {
        let own = source.path.strip_prefix("/").unwrap_or(&source.path);
        // Absolute paths may be those of a mirror, which ends in the original's.
        path.ends_with(own) || (path.is_relative() && source.path.ends_with(path))
    })
}

/// Byte offset of a 1-based line and column; the end of the line or text if it is beyond.
fn offset(text: &[u8], line: u32, column: u32) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].iter().position(|&byte| byte == b'\n') {
            Some(length) => start += length + 1,
            None => return text.len(),
        }
    }
    let rest = &text[start..];
    let length = rest.iter().position(|&byte| byte == b'\n');
    start + (column.saturating_sub(1) as usize).min(length.unwrap_or(rest.len()))
}
