//! Turns what passes between `psql` and the server into records of the stream.

use std::collections::HashMap;
use std::rc::Rc;

use super::log::{self, Entry, Log, Report};
use super::routines::{Happened, Routines, Variable};
use super::script::Script;
use super::sites::{FunctionSites, StatementSites};
use super::values;
use super::wire;
use crate::changes::{Rows, head, texts};
use crate::channel::{Channel, varint};
use crate::values as records;

const LINES: u8 = 1;
const STATE: u8 = 2;
const FULL: u8 = 3;

/// Output bytes kept in a record; tracer has all of them from the stream itself.
const OUTPUT_SHOWN: usize = 256;

/// One connection.
#[derive(Debug, Default)]
struct Session {
    process: u32,
    statement: Rc<StatementSites>,
    columns: Vec<(String, u32)>,
    rows: Rows,
    returns: bool,
    changed: Option<i64>,
    /// `I` idle, `T` in a transaction, `E` in one that failed; 0 before the first answer.
    state: u8,
    /// The `VAR` of the statement that opened the transaction.
    opened: u32,
    savepoints: Vec<String>,
    words: Vec<String>,
    /// What was sent.
    text: String,
    /// What the server said that the last command was.
    tag: String,
    failed: bool,
}

/// Records what happens.
#[derive(Debug)]
pub(crate) struct Observer {
    channel: Channel,
    script: Script,
    routines: Routines,
    sessions: HashMap<u32, Session>,
    log: Log,
    /// Output not told of yet: stdout and stderr.
    written: [Vec<u8>; 2],
    /// Reports of statements that an error ended, until it is known which.
    held: Vec<Entry>,
    version: String,
}

impl Observer {
    /// Records to a channel.
    pub(crate) fn new(channel: Channel, script: Script) -> Self {
        Self {
            channel,
            script,
            routines: Routines::default(),
            sessions: HashMap::new(),
            log: Log::default(),
            written: [Vec::new(), Vec::new()],
            held: Vec::new(),
            version: String::new(),
        }
    }

    fn wants(&self, detail: u8) -> bool {
        self.channel.bounds.detail >= detail
    }

    fn event(&mut self, op: u8, site: u32, fill: impl FnOnce(&mut Channel, &mut Vec<u8>)) {
        if site == 0 {
            return;
        }
        let mut record = head(op, site);
        fill(&mut self.channel, &mut record);
        self.channel.event(site, &record);
    }

    fn step(&mut self, site: u32) {
        if self.wants(LINES) {
            self.event(0x01, site, |_, _| {});
        }
    }

    /// Output was written. In which pieces it comes is chance; it is told of when `psql` turns to
    /// the next statement.
    pub(crate) fn output(&mut self, stream: usize, text: &[u8]) {
        self.written[stream].extend_from_slice(text);
    }

    /// Tells of the output so far: messages first, since `psql` prints results when all is over.
    fn written(&mut self) {
        for (stream, text) in [(2, 1), (1, 0)] {
            let text = std::mem::take(&mut self.written[text]);
            if !text.is_empty() {
                self.channel.output(stream, &text, OUTPUT_SHOWN);
            }
        }
    }

    /// `psql` is over, with this status.
    pub(crate) fn end(&mut self, status: Option<i32>) {
        self.read_log();
        self.release();
        self.written();
        if status == Some(0) {
            for site in self.script.rest() {
                self.step(site);
            }
        }
    }

    // The client.

    /// A message of the client.
    pub(crate) fn sent(&mut self, link: u32, kind: u8, message: &[u8]) {
        let text = match kind {
            b'Q' => wire::Fields(message).text(),
            b'P' => {
                let mut fields = wire::Fields(message);
                fields.text().and_then(|_| fields.text())
            }
            _ => None,
        };
        if let Some(text) = text {
            self.query(link, &text);
        }
    }

    fn query(&mut self, link: u32, text: &str) {
        self.written();
        let found = self.script.find(text).unwrap_or_default();
        for site in found.left {
            self.event(0x04, site, |_, record| record.push(0));
            self.channel.leave();
        }
        if let Some(site) = found.entered {
            self.event(0x03, site, |_, record| record.push(0));
            self.channel.enter(site);
        }
        for site in found.commands {
            self.step(site);
        }
        self.step(found.statement.step);
        let session = self.sessions.entry(link).or_default();
        session.words = words(text);
        bare(text).clone_into(&mut session.text);
        session.statement = found.statement;
        session.columns.clear();
        session.rows = Rows::default();
        session.returns = false;
        session.changed = None;
        session.failed = false;
    }

    // The server.

    /// A message of the server.
    pub(crate) fn answered(&mut self, link: u32, kind: u8, message: &[u8]) {
        match kind {
            b'S' => self.parameter(message),
            b'E' => self.error(link, message),
            b'Z' => {
                let state = message.first().copied().unwrap_or_default();
                self.ready(link, state);
            }
            _ => {
                let session = self.sessions.entry(link).or_default();
                match kind {
                    b'K' => {
                        let process = wire::Fields(message).long();
                        session.process = process.unwrap_or_default() as u32;
                    }
                    b'T' => {
                        session.columns = wire::columns(message).unwrap_or_default();
                        session.rows = Rows::default();
                        session.returns = true;
                    }
                    b'D' => self.row(link, message),
                    b'C' => {
                        let tag = wire::Fields(message).text().unwrap_or_default();
                        session.changed = changed(&tag);
                        session.tag = tag;
                    }
                    _ => {}
                }
            }
        }
    }

    fn parameter(&mut self, message: &[u8]) {
        let mut fields = wire::Fields(message);
        if fields.text().as_deref() == Some("server_version") {
            let version = fields.text().unwrap_or_default();
            let number = version.split(' ').next().unwrap_or_default();
            number.clone_into(&mut self.version);
        }
    }

    fn row(&mut self, link: u32, message: &[u8]) {
        if !self.wants(STATE) {
            return;
        }
        let Some(fields) = wire::values(message) else {
            return;
        };
        let session = self.sessions.entry(link).or_default();
        let columns = &session.columns;
        session.rows.take(
            &mut self.channel,
            |digest| values::digest_of(digest, &fields),
            |channel| values::row(channel, columns, &fields),
        );
    }

    fn error(&mut self, link: u32, message: &[u8]) {
        self.read_log();
        let session = self.sessions.entry(link).or_default();
        session.failed = true;
        let site = self.routines.site().unwrap_or(session.statement.step);
        let code = wire::said(message, b'C').unwrap_or_default();
        let text = wire::said(message, b'M').unwrap_or_default();
        self.event(0x07, site, |channel, record| {
            record.push(0);
            records::string(record, &code, usize::MAX);
            records::string(record, &text, channel.bounds.characters.max(200));
            record.extend([0, 0]);
        });
        self.release();
        let left = self.routines.abandon();
        self.record(left);
    }

    fn ready(&mut self, link: u32, state: u8) {
        self.read_log();
        self.release();
        let session = self.sessions.entry(link).or_default();
        let before = std::mem::replace(&mut session.state, state);
        let sites = Rc::clone(&session.statement);
        if before == 0 {
            return;
        }
        if state == b'T' && before == b'I' {
            session.opened = sites.values;
        }
        let failed = session.failed;
        if failed {
            if state == b'E' && before != b'E' && self.wants(STATE) {
                let opened = self.sessions.entry(link).or_default().opened;
                self.event(0x02, opened, |_, record| {
                    record.push(1);
                    records::string(record, "failed", usize::MAX);
                });
            }
        } else {
            self.created(&sites);
            if sites.transaction {
                self.transaction(link, &sites, state);
            } else {
                self.values(link, &sites);
            }
        }
        // What is sent next without being found is not this statement.
        self.sessions.entry(link).or_default().statement = Rc::default();
    }

    /// Rows changed and returned.
    fn values(&mut self, link: u32, sites: &StatementSites) {
        let session = self.sessions.entry(link).or_default();
        let rows = std::mem::take(&mut session.rows);
        let (returns, changed) = (session.returns, session.changed);
        let changed = changed.filter(|_| sites.changes);
        if !self.wants(STATE) || !returns && changed.is_none() {
            return;
        }
        self.event(0x02, sites.values, |channel, record| {
            record.push(u8::from(sites.changes) + u8::from(returns));
            if sites.changes {
                record.push(0x03);
                varint(record, (changed.unwrap_or_default() << 1) as u64);
            }
            if returns {
                rows.put(channel, record);
            }
        });
    }

    /// What the transaction has become.
    fn transaction(&mut self, link: u32, sites: &StatementSites, state: u8) {
        let session = self.sessions.entry(link).or_default();
        let words: Vec<&str> = session.words.iter().map(String::as_str).collect();
        let place =
            |savepoints: &[String], name: &str| savepoints.iter().rposition(|known| known == name);
        let mut named = true;
        match words[..] {
            ["savepoint", name, ..] => session.savepoints.push(name.to_owned()),
            ["release", "savepoint", name, ..] | ["release", name, ..] => {
                let at = place(&session.savepoints, name).unwrap_or(0);
                session.savepoints.truncate(at);
            }
            ["rollback", "to", "savepoint", name, ..]
            | [
                "rollback",
                "work" | "transaction",
                "to",
                "savepoint",
                name,
                ..,
            ]
            | ["rollback", "to", name, ..]
            | ["rollback", "work" | "transaction", "to", name, ..] => {
                let at = place(&session.savepoints, name).map_or(0, |at| at + 1);
                session.savepoints.truncate(at);
            }
            _ => named = false,
        }
        if state == b'I' {
            session.savepoints.clear();
        }
        let savepoints = session.savepoints.clone();
        // `COMMIT` of a transaction that failed says `ROLLBACK`.
        let text = match (state, session.tag.as_str()) {
            (b'T', _) => "open",
            (b'E', _) => "failed",
            (_, "ROLLBACK") => "rolled back",
            _ => "committed",
        };
        if !self.wants(STATE) {
            return;
        }
        self.event(0x02, sites.values, |channel, record| {
            record.push(1 + u8::from(named));
            records::string(record, text, usize::MAX);
            if named {
                texts(channel, record, "savepoints", &savepoints);
            }
        });
    }

    /// A statement that may have created functions is over.
    fn created(&mut self, sites: &StatementSites) {
        let own = |function: &&FunctionSites| function.created == sites.step;
        let made = self.script.functions().filter(own);
        for function in made.filter(|function| !function.name.is_empty()) {
            self.routines.create(function);
        }
    }

    // The log.

    /// The server wrote to its log.
    pub(crate) fn logged(&mut self, text: &[u8]) {
        self.log.feed(text);
    }

    fn read_log(&mut self) {
        for entry in self.log.take() {
            let aborted = matches!(
                log::report(&entry.text),
                Some(Report::End(true) | Report::Leave(true))
            );
            if aborted {
                self.held.push(entry);
            } else {
                self.release();
                self.entry(&entry);
            }
        }
    }

    fn release(&mut self) {
        for entry in std::mem::take(&mut self.held) {
            self.entry(&entry);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let of_process = |session: &&Session| session.process == entry.process;
        let session = self.sessions.values().find(of_process);
        let sites = session.map(|session| Rc::clone(&session.statement));
        let sites = sites.unwrap_or_default();
        let sent = session.map(|session| session.text.clone());
        if let Some(report) = log::report(&entry.text) {
            let block = self.script.functions().find(|function| {
                sites.step != 0 && function.created == sites.step && function.name.is_empty()
            });
            let happened = self.routines.take(report, block);
            self.record(happened);
        } else if let Some(plan) = log::plan(&entry.text, self.wants(FULL)) {
            let nested = sent.is_some_and(|sent| sent != bare(&plan.query));
            self.plan(&sites, &plan, nested);
        }
    }

    /// `nested`: a query within the statement, such as a foreign key's.
    fn plan(&mut self, sites: &StatementSites, plan: &log::Plan, nested: bool) {
        let site = match self.routines.current() {
            Some(body) => body.plan,
            None if !self.routines.is_idle() => 0,
            None => sites.plan,
        };
        let reads_tables = !plan
            .lines
            .first()
            .is_some_and(|line| line.starts_with("Result"))
            || plan.lines.len() > 1;
        if !self.wants(STATE) || !reads_tables {
            return;
        }
        let version = self.version.clone();
        self.event(0x09, site, |channel, record| {
            record.push(1);
            for name in ["query_plan", "PostgreSQL", &version] {
                varint(record, channel.intern(name));
            }
            record.push(u8::from(nested));
            if nested {
                records::string(record, &plan.query, channel.bounds.characters);
            }
            texts(channel, record, "plan", &plan.lines);
        });
    }

    fn record(&mut self, happened: Vec<Happened>) {
        for one in happened {
            match one {
                Happened::Enter(site, values) => {
                    self.event(0x03, site, |channel, record| {
                        varint(record, values.len() as u64);
                        for value in values {
                            match value {
                                None => record.push(0x09),
                                Some(value) => variable(channel, record, &value),
                            }
                        }
                    });
                    self.channel.enter(site);
                }
                Happened::Leave(site, failed, returned) => {
                    self.event(0x04, site, |channel, record| {
                        record.push(u8::from(failed) * 2 + u8::from(returned.is_some()));
                        if let Some(value) = returned {
                            variable(channel, record, &value);
                        }
                    });
                    self.channel.leave();
                }
                Happened::Step(site) => self.step(site),
                Happened::Branch(site, arm) if self.wants(LINES) => {
                    self.event(0x05, site, |_, record| {
                        varint(record, u64::from(arm));
                        record.push(0);
                    });
                }
                Happened::Loop(site, phase) if self.wants(LINES) => {
                    self.event(0x06, site, |_, record| record.extend([phase, 0]));
                }
                Happened::Caught(site, condition) => {
                    self.event(0x07, site, |_, record| {
                        record.push(1);
                        records::string(record, &condition, usize::MAX);
                        record.extend([0x00, 0, 0]);
                    });
                }
                Happened::Assigned(site, value) if self.wants(STATE) => {
                    self.event(0x02, site, |channel, record| {
                        record.push(1);
                        variable(channel, record, &value);
                    });
                }
                _ => {}
            }
        }
    }
}

/// Appends a variable, of which the server tells the text alone.
fn variable(channel: &mut Channel, record: &mut Vec<u8>, variable: &Variable) {
    match &variable.0 {
        Some(text) => values::opaque(channel, record, "value", text),
        None => record.push(0x00),
    }
}

/// A statement without the `;` behind it.
fn bare(text: &str) -> &str {
    text.trim_end().trim_end_matches(';').trim_end()
}

/// Rows that a command changed, by what the server says of it.
fn changed(tag: &str) -> Option<i64> {
    let mut words = tag.split(' ');
    let first = words.next()?;
    let counts = ["INSERT", "UPDATE", "DELETE", "MERGE", "COPY"].contains(&first);
    counts.then(|| words.next_back()?.parse().ok()).flatten()
}

/// The words of a statement, in lower case, names without quotes.
fn words(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    super::split::tokens(bytes, 0..bytes.len())
        .take(8)
        .map(|token| {
            let word = &text[token];
            match word.strip_prefix('"') {
                Some(quoted) => quoted.trim_end_matches('"').to_owned(),
                None => word.to_lowercase(),
            }
        })
        .collect()
}
