//! Turns what the engine tells into records of the stream.
//!
//! The shell tells it of files, statements and output; the engine's hooks tell it of triggers and
//! rows. It runs no SQL but to learn the columns of tables, and only between statements.

use std::collections::HashMap;
use std::rc::Rc;

use crate::changes::{Changes, Rows, Table, head, texts};
use crate::channel::{Channel, varint};
use crate::engine::{Change, Connection, Datum, Failure, Observer, Scan, Statement, c_text};
use crate::modes::identifier;
use crate::sites::{Effect, FileSites, StatementSites, TriggerSites};
use crate::split::{Text, is_space};
use crate::values;
use crate::{codes, plan};

const LINES: u8 = 1;
const STATE: u8 = 2;
const FULL: u8 = 3;

/// Output bytes kept in a record; the runner has all of them from the stream itself.
const OUTPUT_SHOWN: usize = 256;

/// A statement that runs, of the script or of a trigger.
#[derive(Debug, Default)]
struct Running {
    sites: Rc<StatementSites>,
    changes: Vec<Changes>,
}

/// A trigger with the texts of its statements, as the engine keeps them.
#[derive(Debug)]
struct Trigger {
    sites: TriggerSites,
    body: Vec<(Rc<StatementSites>, String)>,
}

/// A trigger that runs.
#[derive(Debug)]
struct Frame {
    trigger: Rc<Trigger>,
    /// Statements begun.
    begun: usize,
    running: Running,
}

/// The row that changed last, for the trigger that it fires.
#[derive(Debug, Default)]
struct Last {
    table: String,
    depth: u32,
    rows: Vec<Vec<u8>>,
}

/// Records what happens.
#[derive(Debug)]
pub(crate) struct Tracer {
    channel: Channel,
    /// Triggers and tables of the script, by the step of the statement that creates each.
    known: HashMap<u32, Rc<Trigger>>,
    tables_known: HashMap<u32, (String, u32)>,
    /// Those that were created, by name.
    triggers: HashMap<String, Rc<Trigger>>,
    definitions: HashMap<String, u32>,
    tables: HashMap<(String, String), Rc<Table>>,
    stale: bool,
    recursive: bool,
    base: Running,
    frames: Vec<Frame>,
    last: Last,
    rows: Rows,
    names: Vec<String>,
    savepoints: Vec<String>,
    /// How the transaction ended that the statement ended.
    ended: Option<bool>,
    was_open: bool,
    /// The `VAR` of the statement that opened the transaction.
    opened: u32,
}

impl Tracer {
    /// Records to a channel.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            channel,
            known: HashMap::new(),
            tables_known: HashMap::new(),
            triggers: HashMap::new(),
            definitions: HashMap::new(),
            tables: HashMap::new(),
            stale: true,
            recursive: false,
            base: Running::default(),
            frames: Vec::new(),
            last: Last::default(),
            rows: Rows::default(),
            names: Vec::new(),
            savepoints: Vec::new(),
            ended: None,
            was_open: false,
            opened: 0,
        }
    }

    fn wants(&self, detail: u8) -> bool {
        self.channel.bounds.detail >= detail
    }

    /// Learns of a file's triggers and tables.
    pub(crate) fn learn(&mut self, text: &Text, file: &[u8], sites: &FileSites) {
        let kept = |statement: &StatementSites| {
            let span = file.get(statement.start..statement.end).unwrap_or_default();
            let span = Text::new(span).bytes;
            as_kept(&span)
        };
        debug_assert!(text.bytes.len() <= file.len(), "a text only loses bytes");
        for trigger in &sites.triggers {
            let body = trigger
                .body
                .iter()
                .map(|statement| (Rc::new(statement.clone()), kept(statement)))
                .collect();
            let sites = trigger.clone();
            self.known
                .insert(trigger.created, Rc::new(Trigger { sites, body }));
        }
        for (name, created, site) in &sites.tables {
            self.tables_known.insert(*created, (name.clone(), *site));
        }
    }

    /// A statement that may have created something is over.
    fn take_up(&mut self, created: u32) {
        if let Some(trigger) = self.known.get(&created) {
            let name = trigger.sites.name.clone();
            self.triggers.insert(name, Rc::clone(trigger));
        }
        if let Some((name, site)) = self.tables_known.get(&created) {
            self.definitions.insert(name.clone(), *site);
        }
    }

    // Files and lines.

    /// Another file is read from here on.
    pub(crate) fn enter_file(&mut self, site: u32) {
        self.event(site, |_, record| record.push(0), 0x03);
        self.channel.enter(site);
    }

    /// It is over.
    pub(crate) fn leave_file(&mut self, site: u32) {
        self.event(site, |_, record| record.push(0), 0x04);
        self.channel.leave();
    }

    /// A dot-command is over: it may have filled a table.
    pub(crate) fn commanded(&mut self, before: i64, after: i64) {
        self.unwind(0, false);
        let mut running = std::mem::take(&mut self.base);
        self.flush(&mut running);
        if running.sites.effect.changes() {
            self.stale = true;
            if self.wants(STATE) {
                self.event(
                    running.sites.values,
                    |_, record| {
                        record.push(1);
                        values::datum(record, Datum::Integer(after - before), 0);
                    },
                    0x02,
                );
            }
        }
    }

    fn step(&mut self, site: u32) {
        if self.wants(LINES) {
            self.event(site, |_, _| {}, 0x01);
        }
    }

    /// Makes and records an event.
    fn event(&mut self, site: u32, fill: impl FnOnce(&mut Channel, &mut Vec<u8>), op: u8) {
        if site == 0 {
            return;
        }
        let mut record = head(op, site);
        fill(&mut self.channel, &mut record);
        self.channel.event(site, &record);
    }

    /// Output was written.
    pub(crate) fn output(&mut self, stream: u8, text: &[u8]) {
        self.channel.output(stream, text, OUTPUT_SHOWN);
    }

    // Statements.

    /// A statement of the script is about to be prepared.
    pub(crate) fn statement(&mut self, connection: &Connection, sites: &Rc<StatementSites>) {
        if self.wants(STATE) && self.stale && sites.effect.changes() {
            self.survey(connection);
        }
        self.frames.clear();
        self.last = Last::default();
        self.rows = Rows::default();
        self.names.clear();
        self.ended = None;
        self.was_open = !connection.autocommit();
        self.base = Running {
            sites: Rc::clone(sites),
            changes: Vec::new(),
        };
        self.step(sites.step);
    }

    /// A row of its result is there.
    pub(crate) fn row(&mut self, statement: &Statement) {
        if !self.wants(STATE) {
            return;
        }
        if self.names.is_empty() {
            self.names = (0..statement.columns())
                .map(|at| statement.name(at))
                .collect();
        }
        let values: Vec<Datum<'_>> = (0..statement.columns_now())
            .map(|at| statement.value(at))
            .collect();
        self.rows.add(&mut self.channel, &self.names, &values);
    }

    /// It did all it had to.
    pub(crate) fn done(&mut self, connection: &Connection, statement: &Statement, text: &[u8]) {
        self.unwind(0, false);
        let sites = Rc::clone(&self.base.sites);
        // What only explains itself ran no plan.
        let scans = if statement.explains() == 0 {
            statement.scans()
        } else {
            Vec::new()
        };
        self.plan(&sites, &scans);
        self.recursion(&sites, &scans);
        self.visits(&sites, &scans);
        let mut running = std::mem::take(&mut self.base);
        self.flush(&mut running);
        if sites.effect == Effect::Transaction {
            self.transaction(connection, &sites, text);
        } else if self.wants(STATE) {
            self.values(connection, &sites, statement);
        }
        self.base.sites = sites;
        if !statement.is_read_only() && !self.base.sites.effect.changes() {
            self.stale = true;
            self.take_up(self.base.sites.step);
        }
        if text.to_ascii_lowercase().starts_with(b"pragma") {
            self.settings(connection);
        }
    }

    /// It failed, when prepared or later. `ends`: nothing runs after it.
    pub(crate) fn failed(&mut self, connection: &Connection, failure: &Failure, ends: bool) {
        let inner = self.frames.last().map(|frame| {
            let running = frame.running.sites.step;
            if running == 0 {
                frame.trigger.sites.enter
            } else {
                running
            }
        });
        let site = self.base.sites.step;
        // Nothing of the statement stays, unless it was told to keep what it did so far.
        if connection.changes() == 0 || failure.code != 19 {
            self.base.changes.clear();
        }
        let error = |tracer: &mut Self, site: u32, phase: u8| {
            tracer.event(
                site,
                |channel, record| {
                    record.push(phase);
                    values::string(record, codes::name(failure.extended), usize::MAX);
                    values::string(record, &failure.message, channel.bounds.characters.max(200));
                    record.extend([0, 0]);
                },
                0x07,
            );
        };
        error(self, inner.unwrap_or(site), 0);
        self.unwind(0, true);
        let mut running = std::mem::take(&mut self.base);
        self.flush(&mut running);
        self.base.sites = running.sites;
        if ends {
            error(self, site, 3);
        }
        if connection.autocommit() {
            self.savepoints.clear();
            if self.was_open && self.wants(STATE) {
                let rolled_back = |_: &mut Channel, record: &mut Vec<u8>| {
                    record.push(1);
                    values::string(record, "rolled back", usize::MAX);
                };
                self.event(self.opened, rolled_back, 0x02);
            }
        }
    }

    /// Rows changed and returned.
    fn values(&mut self, connection: &Connection, sites: &StatementSites, statement: &Statement) {
        let rows = std::mem::take(&mut self.rows);
        let returns = statement.columns() > 0;
        let changed = sites.effect.changes().then(|| connection.changes());
        if !returns && changed.is_none() {
            return;
        }
        self.event(
            sites.values,
            |channel, record| {
                record.push(u8::from(returns) + u8::from(changed.is_some()));
                if let Some(changed) = changed {
                    values::datum(record, Datum::Integer(changed), 0);
                }
                if returns {
                    rows.put(channel, record);
                }
            },
            0x02,
        );
    }

    /// What the transaction has become.
    fn transaction(&mut self, connection: &Connection, sites: &StatementSites, text: &[u8]) {
        let open = !connection.autocommit();
        let words = savepoint_words(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let place = |savepoints: &[String], name: &str| {
            savepoints
                .iter()
                .rposition(|known| known.eq_ignore_ascii_case(name))
        };
        let mut named = true;
        match words[..] {
            ["savepoint", name, ..] => self.savepoints.push(name.to_owned()),
            ["release", "savepoint", name, ..] | ["release", name, ..] => {
                let at = place(&self.savepoints, name).unwrap_or(0);
                self.savepoints.truncate(at);
            }
            ["rollback", "transaction", "to", "savepoint", name, ..]
            | ["rollback", "to", "savepoint", name, ..]
            | ["rollback", "transaction", "to", name, ..]
            | ["rollback", "to", name, ..] => {
                let at = place(&self.savepoints, name).map_or(0, |at| at + 1);
                self.savepoints.truncate(at);
            }
            _ => named = false,
        }
        if !open {
            self.savepoints.clear();
        } else if !self.was_open {
            self.opened = sites.values;
        }
        if !self.wants(STATE) {
            return;
        }
        let state = match (open, self.ended, self.was_open) {
            (true, ..) => "open",
            (false, Some(false), _) => "rolled back",
            // One that wrote nothing is over without the hook being called.
            (false, ..) if words.first() == Some(&"rollback") => "rolled back",
            (false, ..) => "committed",
        };
        let savepoints = self.savepoints.clone();
        self.event(
            sites.values,
            |channel, record| {
                record.push(1 + u8::from(named));
                values::string(record, state, usize::MAX);
                if named {
                    texts(channel, record, "savepoints", &savepoints);
                }
            },
            0x02,
        );
    }

    fn plan(&mut self, sites: &StatementSites, scans: &[Scan]) {
        if !self.wants(STATE) || !plan::reads_tables(scans) {
            return;
        }
        let lines = plan::lines(scans, self.wants(FULL));
        self.event(
            sites.plan,
            |channel, record| {
                let version = crate::engine::version();
                let version = version.trim_start_matches("SQLite ");
                record.push(1);
                for name in ["query_plan", "SQLite", version] {
                    varint(record, channel.intern(name));
                }
                record.push(0);
                texts(channel, record, "plan", &lines);
            },
            0x09,
        );
    }

    /// Rounds of recursive table expressions, as the engine counted them.
    fn recursion(&mut self, sites: &StatementSites, scans: &[Scan]) {
        if !self.wants(LINES) {
            return;
        }
        for (site, rounds) in plan::rounds(scans, &sites.loops) {
            self.event(site, |_, record| record.extend([0, 0]), 0x06);
            for _ in 0..rounds.min(2) {
                self.event(site, |_, record| record.extend([1, 0]), 0x06);
            }
            if rounds > 2 {
                self.channel.left_out(site, rounds - 2);
            }
            self.event(site, |_, record| record.extend([2, 0]), 0x06);
        }
    }

    /// How often each table was gone through, and over how many rows.
    fn visits(&mut self, sites: &StatementSites, scans: &[Scan]) {
        for (site, name) in &sites.tables {
            let Some(scan) = plan::scan_of(scans, name) else {
                continue;
            };
            self.event(
                *site,
                |channel, record| {
                    record.push(1);
                    let names = ["loops".to_owned(), "rows".to_owned()];
                    let values = [Datum::Integer(scan.loops), Datum::Integer(scan.rows)];
                    record.extend(values::row(channel, "visits", &names, &values));
                },
                0x02,
            );
        }
    }

    /// Tells of the tables that a statement changed.
    fn flush(&mut self, running: &mut Running) {
        for changes in std::mem::take(&mut running.changes) {
            let name = changes.table.to_ascii_lowercase();
            let own = !changes.cascade && name == running.sites.target;
            let site = if own {
                running.sites.change
            } else if self.frames.is_empty() {
                self.definitions.get(&name).copied().unwrap_or(0)
            } else {
                // What a foreign key did is told of when the frames are gone.
                self.base.changes.push(changes);
                continue;
            };
            self.event(site, |channel, record| changes.put(channel, record), 0x08);
        }
    }

    // Triggers.

    /// Leaves triggers until so many are left.
    fn unwind(&mut self, keep: usize, failed: bool) {
        while self.frames.len() > keep {
            if !failed {
                self.finish_step();
            }
            let Some(frame) = self.frames.pop() else {
                break;
            };
            let sites = &frame.trigger.sites;
            if frame.begun == 0 && !failed && self.wants(LINES) {
                self.event(sites.condition, |_, record| record.extend([0, 0]), 0x05);
            }
            self.event(
                sites.leave,
                |_, record| record.push(u8::from(failed) * 2),
                0x04,
            );
            self.channel.leave();
        }
    }

    /// The innermost trigger's statement is over.
    fn finish_step(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            let mut running = std::mem::take(&mut frame.running);
            self.flush(&mut running);
        }
    }

    fn fire(&mut self, name: &str) {
        let Some(trigger) = self.triggers.get(&name.to_ascii_lowercase()).map(Rc::clone) else {
            return;
        };
        let mut frames = self.frames.iter();
        let running = frames.position(|frame| Rc::ptr_eq(&frame.trigger, &trigger));
        if let Some(at) = running.filter(|_| !self.recursive) {
            self.unwind(at, false);
        }
        let causes = |running: &Running| {
            running.sites.target == trigger.sites.table
                && running.sites.effect.fires(trigger.sites.event)
        };
        let caused_by = self.frames.iter().rposition(|frame| causes(&frame.running));
        match caused_by {
            Some(at) => self.unwind(at + 1, false),
            None if causes(&self.base) => self.unwind(0, false),
            // A foreign key's action.
            None => {}
        }
        let sites = &trigger.sites;
        let fits = sites.after
            && self.last.table.eq_ignore_ascii_case(&sites.table)
            && self.last.depth as usize == self.frames.len();
        let rows = if fits {
            std::mem::take(&mut self.last.rows)
        } else {
            Vec::new()
        };
        self.event(
            sites.enter,
            |_, record| {
                record.push(rows.len() as u8);
                for row in &rows {
                    record.extend(row);
                }
            },
            0x03,
        );
        self.channel.enter(sites.enter);
        self.frames.push(Frame {
            trigger,
            begun: 0,
            running: Running::default(),
        });
    }

    fn begin_step(&mut self, text: &str) {
        let fits = |frame: &Frame| {
            frame
                .trigger
                .body
                .get(frame.begun)
                .is_some_and(|(_, kept)| kept == text)
        };
        let Some(at) = self.frames.iter().rposition(fits) else {
            return;
        };
        self.unwind(at + 1, false);
        self.finish_step();
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let Some((sites, _)) = frame.trigger.body.get(frame.begun) else {
            return;
        };
        let sites = Rc::clone(sites);
        let condition = frame.trigger.sites.condition;
        let first = frame.begun == 0;
        frame.begun += 1;
        frame.running.sites = Rc::clone(&sites);
        if first && self.wants(LINES) {
            self.event(condition, |_, record| record.extend([1, 0]), 0x05);
        }
        self.step(sites.step);
    }

    // The schema.

    /// A table came to be that rows are about to go to.
    pub(crate) fn created(&mut self, connection: &Connection) {
        if self.wants(STATE) {
            self.survey(connection);
        }
    }

    /// Learns the columns of all tables.
    fn survey(&mut self, connection: &Connection) {
        self.stale = false;
        self.tables.clear();
        for database in column(connection, "PRAGMA database_list", 1) {
            let mut quoted = Vec::new();
            identifier(&mut quoted, database.as_bytes());
            let quoted = String::from_utf8_lossy(&quoted).into_owned();
            let query =
                format!("SELECT name FROM {quoted}.sqlite_schema WHERE type = 'table' LIMIT 1000");
            for table in column(connection, &query, 0) {
                let known = describe(connection, &database, &quoted, &table);
                let name = (database.clone(), table.to_ascii_lowercase());
                self.tables.insert(name, Rc::new(known));
            }
        }
    }

    fn settings(&mut self, connection: &Connection) {
        let on = column(connection, "PRAGMA recursive_triggers", 0);
        self.recursive = on.first().is_some_and(|value| value == "1");
    }
}

impl Observer for Tracer {
    fn within(&mut self, comment: &str) {
        match comment.strip_prefix("TRIGGER ") {
            Some(name) => self.fire(name),
            None => self.begin_step(comment),
        }
    }

    fn change(&mut self, change: &Change<'_>) {
        let depth = change.depth as usize;
        if depth < self.frames.len() {
            self.unwind(depth, false);
        }
        if !self.wants(STATE) || !self.base.sites.effect.changes() {
            return;
        }
        let name = (
            change.database.to_owned(),
            change.table.to_ascii_lowercase(),
        );
        let table = self.tables.get(&name).map(Rc::clone).unwrap_or_default();
        self.last = Last {
            table: change.table.to_owned(),
            depth: change.depth,
            rows: [&change.old, &change.new]
                .into_iter()
                .flatten()
                .map(|values| table.row(&mut self.channel, values))
                .collect(),
        };
        // A statement's own table is told of as it is when its triggers are through with it.
        let level = self.frames.len();
        let outer = std::iter::once(&mut self.base)
            .chain(self.frames.iter_mut().map(|frame| &mut frame.running));
        for (at, running) in outer.enumerate() {
            let cascade = at == level && depth > level;
            if at < level && running.sites.target != name.1 {
                continue;
            }
            let known = running
                .changes
                .iter()
                .position(|known| known.table == change.table && known.cascade == cascade);
            let place = known.unwrap_or_else(|| {
                running.changes.push(Changes::new(change.table, cascade));
                running.changes.len() - 1
            });
            running.changes[place].add(&mut self.channel, &table, change);
        }
    }

    fn transaction(&mut self, committed: bool) {
        self.ended = Some(committed);
    }
}

/// A statement's text as the engine keeps it: each white character is a space.
fn as_kept(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.trim_ascii()).into_owned();
    text.chars()
        .map(|character| {
            if character.is_ascii() && is_space(character as u8) {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// The words of a transaction statement, keywords in lower case, names without quotes.
fn savepoint_words(text: &[u8]) -> Vec<String> {
    crate::split::tokens(text, 0..text.len())
        .map(|token| {
            let word = String::from_utf8_lossy(&text[token]).into_owned();
            let bare = word.trim_matches(['"', '\'', '`', '[', ']']);
            let keyword = word.to_ascii_lowercase();
            let known = ["savepoint", "release", "rollback", "to", "transaction"];
            if known.contains(&keyword.as_str()) {
                keyword
            } else {
                bare.to_owned()
            }
        })
        .collect()
}

/// One column of a query's rows, as text.
fn column(connection: &Connection, sql: &str, at: usize) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok((Some(mut statement), _)) = connection.prepare(&c_text(sql.as_bytes()), 0) {
        while statement.step() == crate::engine::Step::Row {
            let text = statement.text(at).unwrap_or_default();
            found.push(String::from_utf8_lossy(text).into_owned());
        }
    }
    found
}

fn describe(connection: &Connection, database: &str, quoted: &str, table: &str) -> Table {
    let mut name = Vec::new();
    identifier(&mut name, table.as_bytes());
    let name = String::from_utf8_lossy(&name).into_owned();
    let select = |what: &str| {
        let sql = format!("SELECT {what} FROM {quoted}.{name}");
        connection
            .prepare(&c_text(sql.as_bytes()), 0)
            .ok()
            .and_then(|(made, _)| made)
    };
    let Some(all) = select("*") else {
        return Table::default();
    };
    let columns: Vec<String> = (0..all.columns()).map(|at| all.name(at)).collect();
    let sql = format!("PRAGMA {quoted}.table_xinfo({name})");
    // A column that is worked out when it is read has no value while its row changes.
    let stored = column(connection, &sql, 6)
        .iter()
        .map(|hidden| hidden != "2")
        .collect();
    // Where a column is called so, the number cannot be asked for under that name.
    let numbered = ["rowid", "_rowid_", "oid"].iter().any(|word| {
        !columns
            .iter()
            .any(|column| column.eq_ignore_ascii_case(word))
            && select(word).is_some()
    });
    let key = (!numbered).then(|| {
        let (database, table) = (c_text(database.as_bytes()), c_text(table.as_bytes()));
        (0..columns.len())
            .filter(|&at| connection.in_key(&database, &table, &c_text(columns[at].as_bytes())))
            .collect()
    });
    Table {
        columns,
        stored,
        key,
    }
}
