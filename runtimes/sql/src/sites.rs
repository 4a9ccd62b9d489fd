//! What the instrumenter tells the runner: which places of a script report.
//!
//! One text of words, so that it can stand in a comment. Offsets are the file's own.

use std::fmt::Write as _;

/// What a statement may do to rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that a hook would tell of.
    #[default]
    None,
    /// `INSERT` and `REPLACE`, which may update and delete as well.
    Insert,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT`, `RELEASE`.
    Transaction,
}

impl Effect {
    const ALL: [Self; 5] = [
        Self::None,
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::Transaction,
    ];

    /// Whether a statement with this effect can fire a trigger for that event.
    pub fn fires(self, event: Self) -> bool {
        self == event || self == Self::Insert
    }

    /// Whether it changes rows.
    pub fn changes(self) -> bool {
        matches!(self, Self::Insert | Self::Update | Self::Delete)
    }
}

/// A statement's sites; 0 where it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementSites {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte, without the `;`.
    pub end: usize,
    /// `STEP`.
    pub step: u32,
    /// `VAR`: its result, or rows changed and result, or the transaction and its savepoints.
    pub values: u32,
    /// `TRANSFORM` of its table.
    pub change: u32,
    /// `CALL`: the query plan.
    pub plan: u32,
    /// `LOOP` of each recursive table expression, with its name.
    pub loops: Vec<(u32, String)>,
    /// `VAR` of each table that it names, with what the plan calls it.
    pub tables: Vec<(u32, String)>,
    /// What it does to rows.
    pub effect: Effect,
    /// The table or view it does it to, in lower case.
    pub target: String,
}

/// A trigger's sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriggerSites {
    /// The `STEP` of the statement that creates it: a script may create another of its name.
    pub created: u32,
    /// Its name in lower case.
    pub name: String,
    /// The table or view it belongs to, in lower case.
    pub table: String,
    /// The event it fires on.
    pub event: Effect,
    /// Whether the row has changed when it fires.
    pub after: bool,
    /// `IN`.
    pub enter: u32,
    /// `OUT`.
    pub leave: u32,
    /// `BRANCH` of its `WHEN`.
    pub condition: u32,
    /// Its statements.
    pub body: Vec<StatementSites>,
}

/// A file's sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSites {
    /// `IN` and `OUT` of the file, where another one reads it.
    pub enter: u32,
    /// See `enter`.
    pub leave: u32,
    /// In order.
    pub statements: Vec<StatementSites>,
    /// Triggers it creates.
    pub triggers: Vec<TriggerSites>,
    /// Tables it creates, in lower case, each with the `STEP` of the statement that does, and the
    /// `TRANSFORM` at its definition.
    pub tables: Vec<(String, u32, u32)>,
}

impl FileSites {
    /// As one line of words.
    pub fn encode(&self) -> String {
        let mut out = format!("1 {} {} {}", self.enter, self.leave, self.statements.len());
        self.statements
            .iter()
            .for_each(|statement| put(&mut out, statement));
        let _ = write!(out, " {}", self.triggers.len());
        for trigger in &self.triggers {
            let _ = write!(
                out,
                " {} {} {} {} {} {} {} {} {}",
                trigger.created,
                hex(&trigger.name),
                hex(&trigger.table),
                trigger.event as u8,
                u8::from(trigger.after),
                trigger.enter,
                trigger.leave,
                trigger.condition,
                trigger.body.len()
            );
            trigger
                .body
                .iter()
                .for_each(|statement| put(&mut out, statement));
        }
        let _ = write!(out, " {}", self.tables.len());
        for (name, created, site) in &self.tables {
            let _ = write!(out, " {} {created} {site}", hex(name));
        }
        out
    }

    /// Reads what `encode` wrote.
    pub fn decode(text: &str) -> Option<Self> {
        let mut words = Words(text.split_ascii_whitespace());
        if words.number()? != 1 {
            return None;
        }
        let (enter, leave) = (words.site()?, words.site()?);
        let statements = words.list(Words::statement)?;
        let triggers = words.list(|words| {
            Some(TriggerSites {
                created: words.site()?,
                name: words.name()?,
                table: words.name()?,
                event: words.effect()?,
                after: words.number()? != 0,
                enter: words.site()?,
                leave: words.site()?,
                condition: words.site()?,
                body: words.list(Words::statement)?,
            })
        })?;
        let tables = words.list(|words| Some((words.name()?, words.site()?, words.site()?)))?;
        Some(Self {
            enter,
            leave,
            statements,
            triggers,
            tables,
        })
    }
}

fn put(out: &mut String, statement: &StatementSites) {
    let _ = write!(
        out,
        " {} {} {} {} {} {} {} {}",
        statement.start,
        statement.end,
        statement.step,
        statement.values,
        statement.change,
        statement.plan,
        statement.effect as u8,
        hex(&statement.target)
    );
    for list in [&statement.loops, &statement.tables] {
        let _ = write!(out, " {}", list.len());
        for (site, name) in list {
            let _ = write!(out, " {site} {}", hex(name));
        }
    }
}

/// Names may hold anything; `-` is the empty one.
pub(crate) fn hex(name: &str) -> String {
    if name.is_empty() {
        return "-".into();
    }
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Words to be read.
pub(crate) struct Words<'t>(pub(crate) std::str::SplitAsciiWhitespace<'t>);

impl Words<'_> {
    pub(crate) fn number(&mut self) -> Option<usize> {
        self.0.next()?.parse().ok()
    }

    pub(crate) fn site(&mut self) -> Option<u32> {
        self.0.next()?.parse().ok()
    }

    fn effect(&mut self) -> Option<Effect> {
        Effect::ALL.get(self.number()?).copied()
    }

    pub(crate) fn name(&mut self) -> Option<String> {
        let word = self.0.next()?;
        if word == "-" {
            return Some(String::new());
        }
        let bytes: Option<Vec<u8>> = word
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        String::from_utf8(bytes?).ok()
    }

    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| read(self)).collect()
    }

    fn named(&mut self) -> Option<(u32, String)> {
        Some((self.site()?, self.name()?))
    }

    fn statement(&mut self) -> Option<StatementSites> {
        Some(StatementSites {
            start: self.number()?,
            end: self.number()?,
            step: self.site()?,
            values: self.site()?,
            change: self.site()?,
            plan: self.site()?,
            effect: self.effect()?,
            target: self.name()?,
            loops: self.list(Self::named)?,
            tables: self.list(Self::named)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let statement = StatementSites {
            start: 3,
            end: 9,
            step: 1,
            loops: vec![(4, "a".into()), (5, "b c".into())],
            effect: Effect::Update,
            target: "two words".into(),
            ..StatementSites::default()
        };
        let sites = FileSites {
            enter: 1,
            leave: 2,
            statements: vec![statement.clone(), StatementSites::default()],
            triggers: vec![TriggerSites {
                name: "t*/".into(),
                after: true,
                body: vec![statement],
                ..TriggerSites::default()
            }],
            tables: vec![("a".into(), 7, 8)],
        };
        let text = sites.encode();
        assert!(!text.contains(['\n', '*']));
        assert_eq!(FileSites::decode(&text), Some(sites));
        assert_eq!(FileSites::decode("1 0 0 5"), None);
    }
}
