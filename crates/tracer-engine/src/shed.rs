//! Drops the probes that a compiler refuses or reads otherwise, and keeps the rest.

use std::collections::BTreeSet;
use std::path::Path;

use tracer_model::Dropped;

use crate::Program;
use crate::program::Source;

/// Compilations tried before giving up on all probes of a file.
const ROUNDS: usize = 10;

/// The state of one program's shedding.
#[derive(Debug, Default)]
pub struct Rounds {
    done: usize,
    groups: Vec<BTreeSet<u32>>,
    /// Lines with an error in an earlier round, by file.
    lines: Vec<BTreeSet<u32>>,
}

impl Rounds {
    /// No probe dropped yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops the probes that the diagnostics point at; after some rounds, every probe. False when
    /// nothing is left to drop: the program itself does not compile.
    pub fn shed(&mut self, program: &mut Program, said: &str, shed: &mut Vec<Dropped>) -> bool {
        let Some(read) = program.toolchain.diagnostics else {
            return false;
        };
        self.groups.resize(program.sources.len(), BTreeSet::new());
        self.lines.resize(program.sources.len(), BTreeSet::new());
        self.done += 1;
        // What this round drops is judged by what earlier rounds did: one bad probe may be named
        // by several errors.
        let (before, lines) = (self.groups.clone(), self.lines.clone());
        let mut dropped_any = false;
        for (path, line, column) in read(said) {
            let Some(index) = position(&program.sources, &path) else {
                continue;
            };
            self.lines[index].insert(line);
            let again = lines[index].contains(&line);
            let blamed = blame(
                &program.sources[index],
                &before[index],
                (line, column),
                again,
            );
            for group in blamed {
                if self.groups[index].insert(group) {
                    dropped_any = true;
                    shed.push(Dropped {
                        file: index as u32,
                        line,
                        reason: "did_not_compile".into(),
                        detail: format!("probe {group}"),
                    });
                }
            }
        }
        if self.done >= ROUNDS || !dropped_any {
            dropped_any |= self.everything(&program.sources, shed);
        }
        self.apply(program);
        dropped_any
    }

    /// Drops the probes that the language was seen to read otherwise than they were meant; after
    /// some rounds, every probe.
    pub fn misread(
        &mut self,
        program: &mut Program,
        faults: &[(usize, u32)],
        shed: &mut Vec<Dropped>,
    ) -> bool {
        self.groups.resize(program.sources.len(), BTreeSet::new());
        self.done += 1;
        let mut dropped_any = false;
        for &(index, group) in faults {
            let Some(source) = program.sources.get(index) else {
                continue;
            };
            let mut insertions = source.instrumented.rewritten.insertions.iter();
            let Some(first) = insertions.find(|insertion| insertion.group == group) else {
                continue;
            };
            if self.groups[index].insert(group) {
                dropped_any = true;
                shed.push(Dropped {
                    file: index as u32,
                    line: line_of(&source.original, first.at as usize),
                    reason: "misread".into(),
                    detail: format!("probe {group}"),
                });
            }
        }
        if self.done >= ROUNDS || !dropped_any {
            dropped_any |= self.everything(&program.sources, shed);
        }
        self.apply(program);
        dropped_any
    }

    fn apply(&self, program: &mut Program) {
        for (source, groups) in program.sources.iter_mut().zip(&self.groups) {
            let groups: Vec<u32> = groups.iter().copied().collect();
            source.instrumented.shed(&source.original, &groups);
        }
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

/// The probes to drop for an error: the nearest in front of it on its line; if that was dropped in
/// vain, those of its line, then those of ever larger functions. Where the line has none, the nearest
/// on lines before goes first.
fn blame(
    source: &Source,
    dropped: &BTreeSet<u32>,
    (line, column): (u32, u32),
    again: bool,
) -> Vec<u32> {
    let rewritten = &source.instrumented.rewritten;
    let left =
        |groups: BTreeSet<u32>| -> Vec<u32> { groups.difference(dropped).copied().collect() };
    let on_line = on_lines(source, line, line);
    let near = rewritten.group_near(offset(&rewritten.text, line, column));
    let near = near.filter(|group| !dropped.contains(group));
    let bare = on_line.is_empty() && !again;
    if let Some(group) = near.filter(|group| bare || on_line.contains(group)) {
        return vec![group];
    }
    let mut around: Vec<(u32, u32)> = source
        .instrumented
        .functions
        .iter()
        .map(|function| (function.span.line, function.span.end_line))
        .filter(|&(start, end)| (start..=end).contains(&line))
        .collect();
    around.sort_by_key(|(start, end)| end - start);
    let functions = around
        .into_iter()
        .map(|(start, end)| left(on_lines(source, start, end)));
    std::iter::once(left(on_line))
        .chain(functions)
        .find(|groups| !groups.is_empty())
        .unwrap_or_default()
}

/// The probes with an insertion on these lines.
fn on_lines(source: &Source, start: u32, end: u32) -> BTreeSet<u32> {
    let from = offset(&source.original, start, 1);
    let to = offset(&source.original, end + 1, 1);
    let insertions = source.instrumented.rewritten.insertions.iter();
    let last = source.original.len();
    insertions
        .filter(|insertion| insertion.group != 0)
        .filter(|insertion| {
            let at = insertion.at as usize;
            (from..to).contains(&at) || (at == last && to == last)
        })
        .map(|insertion| insertion.group)
        .collect()
}

fn position(sources: &[Source], path: &Path) -> Option<usize> {
    sources.iter().position(|source| {
        let own = source.path.strip_prefix("/").unwrap_or(&source.path);
        // Absolute paths may be those of a mirror, which ends in the original's; a copy that had to
        // have another name lies in a folder of the original's.
        path.ends_with(own)
            || path.parent().is_some_and(|folder| folder.ends_with(own))
            || (path.is_relative() && source.path.ends_with(path))
    })
}

/// The 1-based line of a byte offset.
fn line_of(text: &[u8], offset: usize) -> u32 {
    let before = &text[..offset.min(text.len())];
    before.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1
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

#[cfg(all(test, feature = "c"))]
mod tests {
    use super::*;
    use crate::ProgramOptions;

    const SOURCE: &str = "int f(int a) {\n  int b = a;\n  b += 1; b += 2;\n  return b;\n}\n\
                          int main(void) {\n  return f(1);\n}\n";

    fn lines(program: &Program) -> BTreeSet<u32> {
        let insertions = program.sources[0].instrumented.rewritten.insertions.iter();
        let probes = insertions.filter(|insertion| insertion.group != 0);
        let line = |at: u32| {
            SOURCE.as_bytes()[..at as usize]
                .iter()
                .filter(|&&byte| byte == b'\n')
        };
        probes
            .map(|probe| line(probe.at).count() as u32 + 1)
            .collect()
    }

    /// The same error again after its probe was dropped costs the line, then the function, then
    /// everything; then there is nothing left to drop.
    #[test]
    fn dropping_widens_where_an_error_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.c");
        std::fs::write(&path, SOURCE).unwrap();
        let mut program = Program::load(&path, &ProgramOptions::default()).unwrap();
        let said = format!("{}:3:12: error: no\n", path.display());
        let (mut rounds, mut shed) = (Rounds::new(), Vec::new());
        let mut left = vec![lines(&program)];
        while rounds.shed(&mut program, &said, &mut shed) {
            left.push(lines(&program));
            assert!(left.len() <= ROUNDS + 1);
        }
        assert!(left[0].contains(&3) && left[1].contains(&3), "{left:?}");
        let without_line = left.iter().find(|lines| !lines.contains(&3)).unwrap();
        assert!(without_line.contains(&2), "{left:?}");
        let without_function = left.iter().find(|lines| !lines.contains(&2)).unwrap();
        assert!(without_function.contains(&7), "{left:?}");
        assert!(left.last().unwrap().is_empty(), "{left:?}");
        assert!(
            shed.iter()
                .all(|dropped| dropped.reason == "did_not_compile")
        );
    }
}
