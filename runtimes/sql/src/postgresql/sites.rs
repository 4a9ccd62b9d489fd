//! What the instrumenter tells the runner of a script for PostgreSQL: which places report.
//!
//! One text of words, so that it can stand in a comment. Offsets and lines are the file's own.

use std::fmt::Write as _;

use crate::sites::{Effect, Words, hex};

/// A statement or backslash command; sites are 0 where it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementSites {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte, without the `;`.
    pub end: usize,
    /// A backslash command, which `psql` runs by itself.
    pub command: bool,
    /// It begins, ends or marks a transaction.
    pub transaction: bool,
    /// It changes rows: its `VAR` tells how many, then the result.
    pub changes: bool,
    /// `STEP`.
    pub step: u32,
    /// `VAR`: rows changed and result, or the transaction and its savepoints.
    pub values: u32,
    /// `CALL`: a query plan.
    pub plan: u32,
}

/// A statement of a PL/pgSQL body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodySites {
    /// Its line, from 1, in the file.
    pub line: u32,
    /// What the engine calls it, in lower case: `assignment`, `if`, `sql statement`, ….
    pub kind: String,
    /// `STEP`.
    pub step: u32,
    /// `VAR` of what it assigns to.
    pub values: u32,
    /// The variable that it returns; empty where it returns something else.
    pub returned: String,
    /// `CALL`: a query plan.
    pub plan: u32,
    /// `LOOP`, where it is one.
    pub loops: u32,
    /// The `LOOP` of which it begins a round.
    pub round: u32,
    /// `BRANCH`es that are decided when it begins, each with the arm taken.
    pub arms: Vec<(u32, u32)>,
    /// `BRANCH`es that are decided when it ends without another statement of its own.
    pub otherwise: Vec<(u32, u32)>,
    /// `ERR` of the handler that it begins.
    pub caught: u32,
    /// What that handler catches.
    pub condition: String,
}

/// A PL/pgSQL function, procedure or `DO` block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionSites {
    /// The `STEP` of the statement that creates or runs it.
    pub created: u32,
    /// Its name as the server keeps it, without a schema; empty for a `DO` block.
    pub name: String,
    /// The line of the file that the engine calls line 1 of it.
    pub line: u32,
    /// `IN`.
    pub enter: u32,
    /// `OUT`.
    pub leave: u32,
    /// Names of its arguments, as the `IN` site has them.
    pub arguments: Vec<String>,
    /// In order.
    pub body: Vec<BodySites>,
}

/// A file's sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSites {
    /// `IN` of the file, where another one includes it.
    pub enter: u32,
    /// `OUT` of it.
    pub leave: u32,
    /// In order.
    pub statements: Vec<StatementSites>,
    /// In order.
    pub functions: Vec<FunctionSites>,
}

impl FileSites {
    /// As one line of words.
    pub fn encode(&self) -> String {
        let mut out = format!("p1 {} {} {}", self.enter, self.leave, self.statements.len());
        for statement in &self.statements {
            let _ = write!(
                out,
                " {} {} {} {} {} {} {} {}",
                statement.start,
                statement.end,
                u8::from(statement.command),
                u8::from(statement.transaction),
                u8::from(statement.changes),
                statement.step,
                statement.values,
                statement.plan
            );
        }
        let _ = write!(out, " {}", self.functions.len());
        for function in &self.functions {
            let _ = write!(
                out,
                " {} {} {} {} {} {}",
                function.created,
                hex(&function.name),
                function.line,
                function.enter,
                function.leave,
                function.arguments.len()
            );
            for name in &function.arguments {
                let _ = write!(out, " {}", hex(name));
            }
            let _ = write!(out, " {}", function.body.len());
            function.body.iter().for_each(|body| put(&mut out, body));
        }
        out
    }

    /// Reads what `encode` wrote, or the sites of a file in which nothing told the dialect.
    pub fn decode(text: &str) -> Option<Self> {
        if let Some(plain) = crate::sites::FileSites::decode(text) {
            return Some(Self::from(plain));
        }
        let mut words = Words(text.split_ascii_whitespace());
        if words.0.next()? != "p1" {
            return None;
        }
        Some(Self {
            enter: words.site()?,
            leave: words.site()?,
            statements: words.list(|words| {
                Some(StatementSites {
                    start: words.number()?,
                    end: words.number()?,
                    command: words.number()? != 0,
                    transaction: words.number()? != 0,
                    changes: words.number()? != 0,
                    step: words.site()?,
                    values: words.site()?,
                    plan: words.site()?,
                })
            })?,
            functions: words.list(|words| {
                Some(FunctionSites {
                    created: words.site()?,
                    name: words.name()?,
                    line: words.site()?,
                    enter: words.site()?,
                    leave: words.site()?,
                    arguments: words.list(Words::name)?,
                    body: words.list(body)?,
                })
            })?,
        })
    }
}

impl From<crate::sites::FileSites> for FileSites {
    fn from(plain: crate::sites::FileSites) -> Self {
        let statement = |of: &crate::sites::StatementSites| StatementSites {
            start: of.start,
            end: of.end,
            transaction: of.effect == Effect::Transaction,
            changes: of.effect.changes(),
            step: of.step,
            values: of.values,
            plan: of.plan,
            ..StatementSites::default()
        };
        Self {
            enter: plain.enter,
            leave: plain.leave,
            statements: plain.statements.iter().map(statement).collect(),
            functions: Vec::new(),
        }
    }
}

fn put(out: &mut String, body: &BodySites) {
    let _ = write!(
        out,
        " {} {} {} {} {} {} {} {}",
        body.line,
        hex(&body.kind),
        body.step,
        body.values,
        hex(&body.returned),
        body.plan,
        body.loops,
        body.round
    );
    for list in [&body.arms, &body.otherwise] {
        let _ = write!(out, " {}", list.len());
        for (site, arm) in list {
            let _ = write!(out, " {site} {arm}");
        }
    }
    let _ = write!(out, " {} {}", body.caught, hex(&body.condition));
}

fn branch(words: &mut Words<'_>) -> Option<(u32, u32)> {
    Some((words.site()?, words.site()?))
}

fn body(words: &mut Words<'_>) -> Option<BodySites> {
    Some(BodySites {
        line: words.site()?,
        kind: words.name()?,
        step: words.site()?,
        values: words.site()?,
        returned: words.name()?,
        plan: words.site()?,
        loops: words.site()?,
        round: words.site()?,
        arms: words.list(branch)?,
        otherwise: words.list(branch)?,
        caught: words.site()?,
        condition: words.name()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let body = BodySites {
            line: 4,
            kind: "if".into(),
            step: 7,
            arms: vec![(8, 1), (9, 0)],
            otherwise: vec![(8, 0), (9, 0)],
            condition: "others */".into(),
            ..BodySites::default()
        };
        let sites = FileSites {
            statements: vec![StatementSites {
                start: 1,
                end: 5,
                command: true,
                step: 1,
                ..StatementSites::default()
            }],
            functions: vec![FunctionSites {
                name: "f".into(),
                arguments: vec!["n".into(), String::new()],
                body: vec![body],
                ..FunctionSites::default()
            }],
            ..FileSites::default()
        };
        let text = sites.encode();
        assert!(!text.contains(['\n', '*']));
        assert_eq!(FileSites::decode(&text), Some(sites));
        assert_eq!(FileSites::decode("p1 0 0 5"), None);
    }
}
