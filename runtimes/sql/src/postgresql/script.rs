//! Which statement of the script a query is.
//!
//! `psql` sends a statement's text without saying where it stood, and with its variables put in.

use std::path::Path;
use std::rc::Rc;

use super::sites::{FileSites, FunctionSites, StatementSites};
use super::split::tokens;

/// A statement's text as it is compared: its tokens, and those behind its last variable.
#[derive(Debug, Default)]
struct Form {
    tokens: Vec<Vec<u8>>,
    /// Tokens in front of the first variable and behind the last; `None` without variables.
    fixed: Option<(usize, usize)>,
}

impl Form {
    fn new(text: &[u8]) -> Self {
        let spans: Vec<_> = tokens(text, 0..text.len()).collect();
        let is_variable = |at: usize| {
            let next = spans.get(at + 1);
            text[spans[at].clone()] == *b":"
                && next.is_some_and(|next| next.start == spans[at].end && text[next.start] != b' ')
        };
        let first = (0..spans.len()).find(|&at| is_variable(at));
        let last = (0..spans.len()).rfind(|&at| is_variable(at));
        Self {
            fixed: first
                .zip(last)
                .map(|(first, last)| (first, spans.len().saturating_sub(last + 2))),
            tokens: spans.into_iter().map(|span| text[span].to_vec()).collect(),
        }
    }

    fn fits(&self, sent: &[Vec<u8>]) -> bool {
        match self.fixed {
            None => self.tokens == sent,
            Some((before, behind)) => {
                sent.len() >= before + behind
                    && self.tokens[..before] == sent[..before]
                    && self.tokens[self.tokens.len() - behind..] == sent[sent.len() - behind..]
            }
        }
    }
}

#[derive(Debug)]
struct File {
    sites: FileSites,
    statements: Vec<Rc<StatementSites>>,
    forms: Vec<Form>,
    /// The next statement to come.
    next: usize,
    /// It skips lines by itself, so that what it ran cannot be told by what was sent.
    skips: bool,
}

/// What a query turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files left (the site of their `OUT`), then a file entered (the site of its `IN`).
    pub(crate) left: Vec<u32>,
    /// See `left`.
    pub(crate) entered: Option<u32>,
    /// Backslash commands passed over.
    pub(crate) commands: Vec<u32>,
    /// The statement.
    pub(crate) statement: Rc<StatementSites>,
}

/// The files of the script, and where each stands.
#[derive(Debug, Default)]
pub(crate) struct Script {
    files: Vec<File>,
    /// The files that run, outermost first.
    running: Vec<usize>,
}

impl Script {
    /// Reads what the instrumenter wrote: lines of path and sites in turn, the main file first.
    pub(crate) fn read(sites: &Path) -> Self {
        let text = std::fs::read_to_string(sites).unwrap_or_default();
        let mut lines = text.lines();
        let mut files = Vec::new();
        while let (Some(path), Some(words)) = (lines.next(), lines.next()) {
            let source = std::fs::read(path).unwrap_or_default();
            if let Some(sites) = FileSites::decode(words) {
                files.push(File::new(sites, &source));
            }
        }
        Self {
            files,
            running: vec![0],
        }
    }

    /// All functions of all files.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &FunctionSites> {
        self.files.iter().flat_map(|file| &file.sites.functions)
    }

    /// Looks up what was sent: from where the running file stands, then in the files around it,
    /// then in the others.
    pub(crate) fn find(&mut self, text: &str) -> Option<Found> {
        let text = text.as_bytes();
        let sent: Vec<Vec<u8>> = tokens(text, 0..text.len())
            .map(|token| text[token].to_vec())
            .collect();
        let ended = sent.last().is_some_and(|last| last == b";");
        let sent = &sent[..sent.len() - usize::from(ended)];
        if sent.is_empty() {
            return None;
        }
        let running = self.running.iter().rev().copied();
        let others = (0..self.files.len()).filter(|index| !self.running.contains(index));
        let order: Vec<usize> = running.chain(others).collect();
        let place = |file: &File| {
            let ahead = file.next..file.forms.len();
            ahead.into_iter().find(|&at| file.fits(at, sent))
        };
        let (index, at) = order
            .iter()
            .find_map(|&index| Some((index, place(self.files.get(index)?)?)))
            .or_else(|| {
                // Sent again: `\watch`, `\g`, or a file included twice.
                order.iter().find_map(|&index| {
                    let file = self.files.get(index)?;
                    let at = (0..file.next).rfind(|&at| file.fits(at, sent))?;
                    Some((index, at))
                })
            })?;
        let mut found = Found::default();
        match self.running.iter().position(|&running| running == index) {
            Some(place) => {
                let left = self.running.split_off(place + 1);
                let sites = left.iter().rev().map(|&file| self.files[file].sites.leave);
                found.left = sites.collect();
            }
            None => {
                self.running.push(index);
                found.entered = Some(self.files[index].sites.enter);
            }
        }
        let file = &mut self.files[index];
        found.commands = file.commands(at);
        found.statement = Rc::clone(&file.statements[at]);
        file.next = at + 1;
        Some(found)
    }

    /// The backslash commands behind the last statement.
    pub(crate) fn rest(&mut self) -> Vec<u32> {
        let Some(main) = self.files.first() else {
            return Vec::new();
        };
        let rest = &main.statements[main.next.min(main.statements.len())..];
        if rest.iter().all(|statement| statement.command) {
            main.commands(main.statements.len())
        } else {
            Vec::new()
        }
    }
}

impl File {
    fn new(sites: FileSites, source: &[u8]) -> Self {
        let statements: Vec<Rc<StatementSites>> =
            sites.statements.iter().cloned().map(Rc::new).collect();
        let text = |statement: &StatementSites| {
            source
                .get(statement.start..statement.end)
                .unwrap_or_default()
        };
        let forms = statements
            .iter()
            .map(|statement| Form::new(text(statement)))
            .collect();
        let skips = statements
            .iter()
            .any(|statement| statement.command && text(statement).starts_with(b"\\if"));
        Self {
            statements,
            forms,
            next: 0,
            skips,
            sites,
        }
    }

    fn fits(&self, at: usize, sent: &[Vec<u8>]) -> bool {
        !self.statements[at].command && self.forms[at].fits(sent)
    }

    /// The commands between where it stands and a statement.
    fn commands(&self, at: usize) -> Vec<u32> {
        if self.skips || at < self.next {
            return Vec::new();
        }
        self.statements[self.next..at]
            .iter()
            .filter(|statement| statement.command)
            .map(|statement| statement.step)
            .collect()
    }
}
