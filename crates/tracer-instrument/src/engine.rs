//! Drives a language's query and hooks over one file.
//!
//! Broken or unusual input is never an error of its own: what cannot be read is left alone and
//! listed. Only input no probe can serve is refused, with a reason from a fixed list.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tracer_model::{Detail, Dropped, Function, Site};
use tree_sitter::{Node, Parser, Tree};

use crate::spec::LanguageSpec;
use crate::{Edit, LibraryCall, Rewriter, Rewritten, walk};

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
    /// Which of the language's grammars reads the file ([`LanguageSpec::grammar_of`]).
    pub grammar: usize,
    /// Names of imports that are libraries, so that calls into them are told. `None`: all that are
    /// not relative.
    pub libraries: Option<BTreeSet<String>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            detail: Detail::State,
            file: 0,
            first_site: 1,
            first_function: 0,
            grammar: 0,
            libraries: None,
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
    /// The language's own hooks found that nothing here could run it.
    #[error("{why}")]
    Unsupported {
        /// What it is instead, and where that shows.
        why: String,
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
    /// Places that report calls into libraries.
    pub calls: Vec<LibraryCall>,
    /// Calls into libraries that are left alone, by the reason.
    pub calls_left: BTreeMap<&'static str, u32>,
    /// Error nodes in the original.
    pub errors: u32,
    edits: Vec<Edit>,
}

impl Instrumented {
    /// Rewrites again without the probes of these groups: shedding.
    pub fn shed(&mut self, original: &[u8], groups: &[u32]) {
        self.rewritten = Rewritten::apply(original, &mut self.edits, groups);
    }

    /// Probes that were placed, and those of them that were shed since.
    pub fn probes(&self) -> (usize, usize) {
        // Group 0 is what every instrumented file needs, and cannot be shed.
        let count = |groups: &mut dyn Iterator<Item = u32>| {
            let groups: BTreeSet<u32> = groups.filter(|&group| group != 0).collect();
            groups.len()
        };
        let placed = count(&mut self.edits.iter().map(|edit| edit.group));
        let left = count(&mut self.rewritten.insertions.iter().map(|kept| kept.group));
        (placed, placed.saturating_sub(left))
    }
}

/// Parses a source with a language's first grammar. `None` if the parser gave up.
pub fn parse(spec: &LanguageSpec, source: &[u8]) -> Option<Tree> {
    parse_with(spec, 0, source)
}

/// Parses a source with one of a language's grammars.
pub fn parse_with(spec: &LanguageSpec, grammar: usize, source: &[u8]) -> Option<Tree> {
    thread_local! {
        // A parser keeps the stacks it has built; a new one for each file costs a fifth of parsing.
        static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
    }
    PARSER.with_borrow_mut(|parser| {
        parser.set_language(&spec.language(grammar)).ok()?;
        parser.parse(source, None)
    })
}

/// Parses a source, masked where that leaves fewer errors. `None` if the parser gave up.
pub fn parse_masked(spec: &LanguageSpec, grammar: usize, source: &[u8]) -> Option<Tree> {
    let tree = parse_with(spec, grammar, source)?;
    if !tree.root_node().has_error() {
        return Some(tree);
    }
    let masked = spec.mask.and_then(|mask| mask(source));
    let other = masked
        .filter(|masked| masked.len() == source.len())
        .and_then(|masked| parse_with(spec, grammar, &masked));
    Some(match other {
        Some(other) if count_errors(other.root_node()) < count_errors(tree.root_node()) => other,
        _ => tree,
    })
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
    let tree = parse_masked(spec, options.grammar, source)
        .ok_or(InstrumentError::Parser { language: spec.id })?;
    let finds = walk::find(spec.compiled(options.grammar)?, &tree, source);
    let mut rewriter = Rewriter::new(
        source,
        options,
        tree.root_node(),
        spec.blocks,
        finds.opaque,
        finds.family,
    );
    for (index, walk::Capture { hook, node }) in finds.captures.into_iter().enumerate() {
        rewriter.arrive(node.start_byte());
        if rewriter.is_opaque(node) {
            continue;
        }
        if rewriter.is_broken(node) || in_error(&rewriter, node) {
            rewriter.drop_probe(node, "syntax_error");
            continue;
        }
        rewriter.group = index as u32 + 1;
        (spec.hooks[hook as usize].1)(&mut rewriter, node);
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
        calls,
        calls_left,
        refusal,
        ..
    } = rewriter;
    if let Some(why) = refusal {
        return Err(InstrumentError::Unsupported { why });
    }
    let rewritten = Rewritten::apply(source, &mut edits, &[]);
    let errors = count_errors(tree.root_node());
    Ok(Instrumented {
        rewritten,
        sites,
        functions,
        dropped,
        calls,
        calls_left,
        errors,
        edits,
    })
}

fn in_error(rewriter: &Rewriter<'_>, node: Node<'_>) -> bool {
    // `ERROR` nodes hold what the parser skipped; whole readable statements may hang in one.
    rewriter
        .parent(node)
        .is_some_and(|parent| parent.is_error() && rewriter.parent(parent).is_some())
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
