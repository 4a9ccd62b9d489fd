//! Files, functions and sites in JSON.

use serde::{Deserialize, Serialize};
use tracer_model as model;

use super::value::Value;
use super::{all, back, mirror};

mirror! {
    /// What kind of body a frame runs.
    FunctionKind = model::FunctionKind {
        Module, Function, Method, Lambda, Generator, Async, Class, Comprehension,
    }
}

/// The event kind a site reports, in the words of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Kind(#[cfg_attr(test, schemars(with = "String"))] model::Kind);

/// A place in a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Line of `start`, from 1.
    pub line: u32,
    /// Column of `start`, from 1, in bytes.
    pub column: u32,
    /// Line of the last byte.
    pub end_line: u32,
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceFile {
    /// Path as the user named it, or relative to the main file's folder.
    pub path: String,
    /// Language id.
    pub language: String,
    /// Original text.
    pub text: String,
}

/// A body that runs as a frame of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Function {
    /// Its own name.
    pub name: String,
    /// Name with its enclosing classes and functions.
    pub qualified: String,
    /// Index of its file.
    pub file: u32,
    /// The whole definition.
    pub span: Span,
    /// What kind of body.
    pub kind: FunctionKind,
}

/// A place that reports. What is absent is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Site {
    /// Its number, from 1.
    pub id: u32,
    /// What it reports.
    pub kind: Kind,
    /// Index of its file.
    pub file: u32,
    /// Index of the function whose frame it runs in.
    pub function: u32,
    /// The source it speaks of.
    pub span: Span,
    /// Names of the values it carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Source text of the condition, callee or expression.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What each arm number means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<String>,
    /// The value is a sub-expression's rather than a write's.
    #[serde(default)]
    pub expression: bool,
    /// For a loop: first and last site inside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<(u32, u32)>,
    /// The value of an implied event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implied_value: Option<Value>,
    /// Events implied by this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
}

/// Implied events, by site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Chain {
    /// Just before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<u32>,
    /// At once afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    /// At once after this arm was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_arm: Vec<(u32, Vec<u32>)>,
    /// At once after the loop was left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_left: Vec<u32>,
}

/// Everything the events refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Table {
    /// Files; the main one is first.
    pub files: Vec<SourceFile>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Sites by id, from 1.
    pub sites: Vec<Site>,
}

impl From<model::Span> for Span {
    fn from(
        model::Span {
            start,
            end,
            line,
            column,
            end_line,
        }: model::Span,
    ) -> Self {
        Self {
            start,
            end,
            line,
            column,
            end_line,
        }
    }
}

impl From<Span> for model::Span {
    fn from(
        Span {
            start,
            end,
            line,
            column,
            end_line,
        }: Span,
    ) -> Self {
        Self {
            start,
            end,
            line,
            column,
            end_line,
        }
    }
}

impl From<&model::SiteTable> for Table {
    fn from(table: &model::SiteTable) -> Self {
        Self {
            files: all(&table.files),
            functions: all(&table.functions),
            sites: all(&table.sites),
        }
    }
}

impl From<Table> for model::SiteTable {
    fn from(table: Table) -> Self {
        Self {
            files: back(table.files),
            functions: back(table.functions),
            sites: back(table.sites),
        }
    }
}

impl From<&model::SourceFile> for SourceFile {
    fn from(file: &model::SourceFile) -> Self {
        let model::SourceFile {
            path,
            language,
            text,
        } = file.clone();
        Self {
            path,
            language,
            text,
        }
    }
}

impl From<SourceFile> for model::SourceFile {
    fn from(
        SourceFile {
            path,
            language,
            text,
        }: SourceFile,
    ) -> Self {
        Self {
            path,
            language,
            text,
        }
    }
}

impl From<&model::Function> for Function {
    fn from(function: &model::Function) -> Self {
        let model::Function {
            name,
            qualified,
            file,
            span,
            kind,
        } = function.clone();
        Self {
            name,
            qualified,
            file,
            span: span.into(),
            kind: kind.into(),
        }
    }
}

impl From<Function> for model::Function {
    fn from(
        Function {
            name,
            qualified,
            file,
            span,
            kind,
        }: Function,
    ) -> Self {
        Self {
            name,
            qualified,
            file,
            span: span.into(),
            kind: kind.into(),
        }
    }
}

impl From<&model::Site> for Site {
    fn from(site: &model::Site) -> Self {
        let model::Chain {
            before,
            after,
            after_arm,
            after_left,
        } = site.chain.clone();
        let chain = Chain {
            before,
            after,
            after_arm,
            after_left,
        };
        Self {
            id: site.id,
            kind: Kind(site.kind),
            file: site.file,
            function: site.function,
            span: site.span.into(),
            names: site.names.clone(),
            text: site.text.clone(),
            arms: site.arms.clone(),
            expression: site.expression,
            inner: site.inner,
            implied_value: site.implied_value.as_ref().map(Value::from),
            chain: (chain != Chain::default()).then_some(chain),
        }
    }
}

impl From<Site> for model::Site {
    fn from(site: Site) -> Self {
        let Chain {
            before,
            after,
            after_arm,
            after_left,
        } = site.chain.unwrap_or_default();
        Self {
            id: site.id,
            kind: site.kind.0,
            file: site.file,
            function: site.function,
            span: site.span.into(),
            names: site.names,
            text: site.text,
            arms: site.arms,
            expression: site.expression,
            inner: site.inner,
            implied_value: site.implied_value.map(Into::into),
            chain: model::Chain {
                before,
                after,
                after_arm,
                after_left,
            },
        }
    }
}
