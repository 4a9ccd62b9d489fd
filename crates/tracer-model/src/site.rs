//! The static side of a trace: which places report, and what each report means.
//!
//! Invariant: a run-time event carries only a site id and its payload; all names, spans and texts
//! are here.

use serde::{Deserialize, Serialize};

/// The event kinds. The first seven keep the names of the published format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// Function entered.
    In,
    /// Function left.
    Out,
    /// A name, field or element was written. At detail `full` also the value of a sub-expression,
    /// whose site has `expression` set.
    Var,
    /// A condition was decided.
    Branch,
    /// A loop was entered, went round, or was left.
    Loop,
    /// Something was raised or caught.
    Err,
    /// A container before and after a call that changed it.
    Transform,
    /// A call that leaves the file for a library.
    Call,
    /// A statement is about to run.
    Step,
    /// Bytes were written to a stream.
    Stdout,
    /// A thread, generator, promise… was created, switched to or ended.
    Task,
    /// Visits left out to stay within the budget.
    Elide,
}

/// How much is reported; each level includes those before it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// Functions entered and left, errors, tasks, output.
    Calls,
    /// And statements, branches and loops.
    Lines,
    /// And every value written.
    #[default]
    State,
    /// And operands and sub-expressions.
    Full,
}

/// A place in a source file. Lines and columns count from 1; columns count bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Line of `start`.
    pub line: u32,
    /// Column of `start`.
    pub column: u32,
    /// Line of the last byte.
    pub end_line: u32,
}

/// Implied events: what is certain to happen next to an event, and so needs no probe of its own.
///
/// Chains of implied sites are followed in turn. For a `LOOP`, `before` comes when it is entered,
/// `after` at each iteration and `after_left` when it is over. An implied `LOOP` is an iteration
/// behind arm 1, the end behind arm 0, and an entry elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Sites whose events happened just before this one.
    pub before: Vec<u32>,
    /// Sites whose events follow at once.
    pub after: Vec<u32>,
    /// Sites whose events follow at once when a `BRANCH` took this arm.
    pub after_arm: Vec<(u32, Vec<u32>)>,
    /// Sites whose events follow at once when a `LOOP` was left.
    pub after_left: Vec<u32>,
}

/// One place in the source that reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its number, from 1, in source order within a file; 0 means "no site".
    pub id: u32,
    /// What it reports.
    pub kind: Kind,
    /// Index into [`SiteTable::files`].
    pub file: u32,
    /// Index into [`SiteTable::functions`] of the function whose frame it runs in.
    pub function: u32,
    /// The source it speaks of.
    pub span: Span,
    /// Names of the values it carries: parameters, targets, operands.
    pub names: Vec<String>,
    /// Source text of the condition, callee or expression, bounded.
    pub text: String,
    /// For a `BRANCH`: what each arm number means, in source words (`true`, `case 3`, `default`).
    pub arms: Vec<String>,
    /// True where the value is a sub-expression's rather than a write's.
    pub expression: bool,
    /// For a `LOOP`: first and last site id inside it.
    pub inner: Option<(u32, u32)>,
    /// The value of an implied `OUT`.
    pub implied_value: Option<crate::Value>,
    /// Events implied by this one.
    pub chain: Chain,
}

/// What kind of body a frame runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionKind {
    /// Top-level code of a file.
    Module,
    /// An ordinary function.
    Function,
    /// A method or accessor.
    Method,
    /// An anonymous function.
    Lambda,
    /// Suspends and resumes by yielding.
    Generator,
    /// Suspends and resumes by awaiting.
    Async,
    /// A class body or initialiser block that runs as a frame of its own.
    Class,
    /// A comprehension or generator expression with a scope of its own.
    Comprehension,
}

/// A body that runs as a frame of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its own name; `<module>`, `<lambda>` or the like where it has none.
    pub name: String,
    /// Name with its enclosing classes and functions, as the language prints it.
    pub qualified: String,
    /// Index into [`SiteTable::files`].
    pub file: u32,
    /// The whole definition.
    pub span: Span,
    /// What kind of body.
    pub kind: FunctionKind,
}

/// A source file that was instrumented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Path as the user named it, or relative to the main file's folder.
    pub path: String,
    /// Language id.
    pub language: String,
    /// Original text; bytes that are not UTF-8 are replaced for display.
    pub text: String,
}

/// Everything the events refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteTable {
    /// Files; the main one is first.
    pub files: Vec<SourceFile>,
    /// Functions of all files.
    pub functions: Vec<Function>,
    /// Sites of all files; `sites[i].id == i + 1`.
    pub sites: Vec<Site>,
}

impl SiteTable {
    /// The site with this id; `None` for 0 and unknown ids.
    pub fn site(&self, id: u32) -> Option<&Site> {
        self.sites.get((id as usize).checked_sub(1)?)
    }
}
