//! Drives a language's query and hooks over one file.
//!
//! Broken or unusual input is never an error of its own: what cannot be read is left alone and
//! listed. Only input no probe can serve is refused, with a reason from a fixed list.

use streaming_iterator::StreamingIterator;
use tracer_model::{Detail, Dropped, Function, Kind, Site};
use tree_sitter::{Node, Parser, Query, QueryCursor, Tree};

use crate::spec::{Hook, LanguageSpec};
use crate::{Edit, Rewriter, Rewritten};

/// Largest source that is rewritten, bytes; spans are 32 bits wide.
pub const SOURCE_LIMIT: usize = 1 << 30;

/// Numbers a file's sites start from, and how much to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Detail level.
    pub detail: Detail,
    /// Index of the file in the site table.
    pub file: u32,
    /// Id of the first site, from 1.
    pub first_site: u32,
    /// Index of the first function.
    pub first_function: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            detail: Detail::State,
            file: 0,
            first_site: 1,
            first_function: 0,
        }
    }
}

/// Why a file is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InstrumentError {
    /// Over [`SOURCE_LIMIT`].
    #[error("the file has {size} bytes; at most {SOURCE_LIMIT} can be rewritten")]
    TooLarge {
        /// Bytes in the file.
        size: usize,
    },
    /// UTF-16 or UTF-32, which no grammar here reads.
    #[error("the file is {encoding}, not UTF-8 or ASCII; convert it first")]
    Encoding {
        /// Which encoding its byte-order mark announces.
        encoding: &'static str,
    },
    /// The parser gave up.
    #[error("the {language} parser gave up on the file")]
    Parser {
        /// Language id.
        language: &'static str,
    },
    /// The language's own tables are wrong: a bug that the conformance test catches.
    #[error("the {language} probe query does not fit its grammar: {message}")]
    Query {
        /// Language id.
        language: &'static str,
        /// What tree-sitter said.
        message: String,
    },
}

/// An instrumented file.
#[derive(Debug, Clone)]
pub struct Instrumented {
    /// Rewritten bytes and insertions.
    pub rewritten: Rewritten,
    /// Sites of this file, ids from [`Options::first_site`].
    pub sites: Vec<Site>,
    /// Functions of this file, the top-level code first.
    pub functions: Vec<Function>,
    /// Places without probes.
    pub dropped: Vec<Dropped>,
    /// Error nodes in the original.
    pub errors: u32,
    edits: Vec<Edit>,
}

impl Instrumented {
    /// Rewrites again without the probes of these groups: shedding.
    pub fn shed(&mut self, original: &[u8], groups: &[u32]) {
        self.rewritten = Rewritten::apply(original, &mut self.edits, groups);
    }
}

/// Parses a source with a language's grammar. `None` if the parser gave up.
pub fn parse(spec: &LanguageSpec, source: &[u8]) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&(spec.grammar)()).ok()?;
    parser.parse(source, None)
}

/// Rewrites one file.
pub fn instrument(
    spec: &LanguageSpec,
    source: &[u8],
    options: &Options,
) -> Result<Instrumented, InstrumentError> {
    if source.len() > SOURCE_LIMIT {
        return Err(InstrumentError::TooLarge { size: source.len() });
    }
    if let Some(encoding) = foreign_encoding(source) {
        return Err(InstrumentError::Encoding { encoding });
    }
    let tree = parse(spec, source).ok_or(InstrumentError::Parser { language: spec.id })?;
    let query = spec.query()?;
    let (calls, opaque) = captures(spec, query, &tree, source);
    let mut rewriter = Rewriter::new(source, options, tree.root_node(), spec.blocks, opaque);
    for (index, (hook, node)) in calls.into_iter().enumerate() {
        rewriter.arrive(node.start_byte());
        if rewriter.is_opaque(node) {
            continue;
        }
        if rewriter.is_broken(node) || in_error(node) {
            rewriter.drop_probe(node, "syntax_error");
            continue;
        }
        rewriter.group = index as u32 + 1;
        hook(&mut rewriter, node);
    }
    rewriter.leave_all();
    rewriter.group = 0;
    if let Some(finish) = spec.finish {
        finish(&mut rewriter, tree.root_node());
    }
    let Rewriter {
        mut edits,
        sites,
        functions,
        dropped,
        ..
    } = rewriter;
    let rewritten = Rewritten::apply(source, &mut edits, &[]);
    let errors = count_errors(tree.root_node());
    Ok(Instrumented {
        rewritten,
        sites,
        functions,
        dropped,
        errors,
        edits,
    })
}

/// The hook calls in order (outermost first at one place), and the opaque regions by start.
#[expect(clippy::type_complexity, reason = "two plain lists")]
fn captures<'t>(
    spec: &LanguageSpec,
    query: &Query,
    tree: &'t Tree,
    source: &[u8],
) -> (Vec<(Hook, Node<'t>)>, Vec<(usize, usize)>) {
    let hooks: Vec<Option<(usize, Hook)>> = query
        .capture_names()
        .iter()
        .map(|name| {
            let index = spec.hooks.iter().position(|(known, _)| known == name)?;
            Some((index, spec.hooks[index].1))
        })
        .collect();
    let opaque_index = query.capture_index_for_name("opaque");
    let mut found = Vec::new();
    let mut opaque = Vec::new();
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.root_node(), source);
    while let Some(found_match) = matches.next() {
        for capture in found_match.captures() {
            if Some(capture.index) == opaque_index {
                opaque.push((capture.node.start_byte(), capture.node.end_byte()));
            } else if let Some((order, hook)) = hooks[capture.index as usize] {
                found.push((order, hook, capture.node));
            }
        }
    }
    found.sort_by_key(|(order, _, node)| {
        (
            node.start_byte(),
            std::cmp::Reverse(node.end_byte()),
            *order,
            node.id(),
        )
    });
    found.dedup_by_key(|(order, _, node)| (*order, node.id()));
    opaque.sort_unstable();
    // Nested regions add nothing; without them one binary search answers.
    opaque.dedup_by(|inner, outer| inner.1 <= outer.1);
    (
        found
            .into_iter()
            .map(|(_, hook, node)| (hook, node))
            .collect(),
        opaque,
    )
}

fn in_error(node: Node<'_>) -> bool {
    // `ERROR` nodes hold what the parser skipped; whole readable statements may hang in one.
    node.parent()
        .is_some_and(|parent| parent.is_error() && parent.parent().is_some())
}

fn count_errors(node: Node<'_>) -> u32 {
    if !node.has_error() {
        return 0;
    }
    let own = u32::from(node.is_error() || node.is_missing());
    let mut cursor = node.walk();
    own + node.children(&mut cursor).map(count_errors).sum::<u32>()
}

fn foreign_encoding(source: &[u8]) -> Option<&'static str> {
    match source {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// Sites of one kind, for tests and reports.
pub fn count_kind(sites: &[Site], kind: Kind) -> usize {
    sites.iter().filter(|site| site.kind == kind).count()
}
