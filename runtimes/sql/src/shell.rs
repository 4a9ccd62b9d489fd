//! Runs a script as `sqlite3 < script` does: chunk by chunk, going on after errors.
//!
//! The plain and the traced run are this one code; a tracer only listens.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::engine::{Connection, Failure, Listener, Statement, Step, c_text};
use crate::modes::{Rows, Style};
use crate::sites::{FileSites, StatementSites};
use crate::split::{Piece, Text, skip_white, split};
use crate::tracer::Tracer;

/// Bytes of output that are held back at most.
const HELD: usize = 64 << 10;
/// Files that read files, at most.
const NESTING: usize = 50;

/// How a script came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Go on.
    Done,
    /// Something failed and was told of.
    Failed,
    /// The file is left.
    Quit,
    /// The whole run is left with this status.
    Exit(i32),
}

/// A file's sites, ready to be looked up.
#[derive(Debug)]
pub(crate) struct Places {
    sites: FileSites,
    statements: BTreeMap<usize, Rc<StatementSites>>,
}

impl Places {
    /// Of one file.
    pub(crate) fn new(sites: FileSites) -> Self {
        let statements = sites
            .statements
            .iter()
            .map(|statement| (statement.start, Rc::new(statement.clone())))
            .collect();
        Self { sites, statements }
    }
}

/// Where output goes.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) text: Vec<u8>,
    pub(crate) file: Option<File>,
    /// The file is for one statement only.
    pub(crate) once: bool,
}

/// The shell.
pub(crate) struct Shell {
    pub(crate) connection: Connection,
    pub(crate) name: String,
    pub(crate) style: Style,
    pub(crate) echo: bool,
    pub(crate) bail: bool,
    pub(crate) show_changes: bool,
    pub(crate) output: Output,
    tracer: Option<Rc<RefCell<Tracer>>>,
    places: BTreeMap<PathBuf, Rc<Places>>,
    nesting: usize,
    line: u32,
}

impl Shell {
    /// A shell on a connection, traced or not.
    pub(crate) fn new(
        connection: Connection,
        name: &str,
        tracer: Option<Tracer>,
        places: BTreeMap<PathBuf, Rc<Places>>,
    ) -> Self {
        let mut shell = Self {
            connection,
            name: name.to_owned(),
            style: Style::default(),
            echo: false,
            bail: false,
            show_changes: false,
            output: Output::default(),
            tracer: tracer.map(|tracer| Rc::new(RefCell::new(tracer))),
            places,
            nesting: 0,
            line: 0,
        };
        shell.listen();
        shell
    }

    pub(crate) fn listen(&mut self) {
        let listener = self.tracer.clone().map(|tracer| tracer as Listener);
        self.connection.listen(listener);
    }

    pub(crate) fn trace(&self, tell: impl FnOnce(&mut Tracer, &Connection)) {
        if let Some(tracer) = &self.tracer {
            tell(&mut tracer.borrow_mut(), &self.connection);
        }
    }

    /// Runs a file's text. `path` is where it lies, as sites know it.
    pub(crate) fn run(&mut self, path: &Path, file: &[u8]) -> Flow {
        if self.nesting >= NESTING {
            self.complain(&format!(
                "Input nesting limit ({NESTING}) reached at line {}. Check recursion.",
                self.line
            ));
            return Flow::Failed;
        }
        let text = Text::new(file);
        let places = self.places.get(path).map(Rc::clone);
        if let Some(places) = &places {
            self.trace(|tracer, _| {
                tracer.learn(&text, file, &places.sites);
                if places.sites.enter != 0 {
                    tracer.enter_file(places.sites.enter);
                }
            });
        }
        let line = self.line;
        self.nesting += 1;
        let flow = self.pieces(&text, places.as_deref());
        self.nesting -= 1;
        self.line = line;
        let leave = places.map_or(0, |places| places.sites.leave);
        if leave != 0 {
            self.trace(|tracer, _| tracer.leave_file(leave));
        }
        flow
    }

    fn pieces(&mut self, text: &Text, places: Option<&Places>) -> Flow {
        let mut failed = false;
        for piece in split(&text.bytes) {
            let flow = match piece {
                Piece::Dot { span, line } => {
                    self.line = line;
                    let words = &text.bytes[span.clone()];
                    if self.echo {
                        self.output.text.extend(words);
                        self.output.text.push(b'\n');
                    }
                    let words = String::from_utf8_lossy(words).into_owned();
                    let sites = look_up(places, text, span.start);
                    let before = self.connection.total_changes();
                    if let Some(sites) = &sites {
                        self.trace(|tracer, connection| tracer.statement(connection, sites));
                    }
                    let flow = self.command(&words);
                    if sites.is_some_and(|sites| sites.effect.changes()) {
                        let after = self.connection.total_changes();
                        self.trace(|tracer, _| tracer.commanded(before, after));
                    }
                    flow
                }
                Piece::Sql {
                    span,
                    line,
                    terminated,
                    ..
                } => {
                    self.line = line;
                    let mut chunk = text.bytes[span.clone()].to_vec();
                    if terminated {
                        // The line of the terminator stands for its `;`.
                        chunk.push(b';');
                    }
                    if self.echo {
                        self.output.text.extend(&chunk);
                        self.output.text.push(b'\n');
                    }
                    let good = self.chunk(&chunk, |at| look_up(places, text, span.start + at));
                    if good { Flow::Done } else { Flow::Failed }
                }
            };
            self.flush();
            match flow {
                Flow::Done => {}
                Flow::Failed => {
                    failed = true;
                    if self.bail {
                        break;
                    }
                }
                Flow::Quit => break,
                Flow::Exit(status) => return Flow::Exit(status),
            }
        }
        if failed { Flow::Failed } else { Flow::Done }
    }

    /// Runs what stands in some lines. False if it failed, which leaves the rest of them out.
    fn chunk(&mut self, chunk: &[u8], site: impl Fn(usize) -> Option<Rc<StatementSites>>) -> bool {
        let sql = c_text(chunk);
        let length = sql.as_bytes().len();
        let nothing = Rc::new(StatementSites::default());
        let mut at = 0;
        while at < length {
            // The engine passes over empty statements.
            let mut begins = skip_white(sql.as_bytes(), at);
            while sql.as_bytes().get(begins) == Some(&b';') {
                begins = skip_white(sql.as_bytes(), begins + 1);
            }
            let sites = site(begins).unwrap_or_else(|| Rc::clone(&nothing));
            if begins < length {
                self.trace(|tracer, connection| tracer.statement(connection, &sites));
            }
            let prepared = self.connection.prepare(&sql, at);
            match prepared {
                Err(failure) => {
                    self.fail("Parse error", &failure, &sql.as_bytes()[at..]);
                    return false;
                }
                Ok((None, taken)) => {
                    at += taken.max(1);
                }
                Ok((Some(mut statement), taken)) => {
                    let end = at + taken;
                    let text = &sql.as_bytes()[begins.min(end)..end];
                    if !self.statement(&mut statement, text) {
                        return false;
                    }
                    at = end;
                }
            }
        }
        if self.show_changes {
            let line = format!(
                "changes: {}   total_changes: {}\n",
                self.connection.changes(),
                self.connection.total_changes()
            );
            self.output.text.extend(line.bytes());
        }
        true
    }

    fn statement(&mut self, statement: &mut Statement, text: &[u8]) -> bool {
        let style = self.style.clone();
        let mut rows = Rows::new(&style, statement);
        loop {
            match statement.step() {
                Step::Row if statement.columns() > 0 => {
                    rows.row(&mut self.output.text, statement);
                    self.trace(|tracer, _| tracer.row(statement));
                    if self.output.text.len() > HELD {
                        self.flush();
                    }
                }
                Step::Row => {}
                Step::Done => {
                    rows.end(&mut self.output.text);
                    self.trace(|tracer, connection| tracer.done(connection, statement, text));
                    self.flush();
                    return true;
                }
                Step::Failed => {
                    let failure = self.connection.failure();
                    rows.end(&mut self.output.text);
                    self.flush();
                    self.fail("Runtime error", &failure, &[]);
                    return false;
                }
            }
        }
    }

    /// Tells of a failure, in the shell's words. `sql` is what it was found in.
    fn fail(&mut self, what: &str, failure: &Failure, sql: &[u8]) {
        let mut message = format!("{what} near line {}: {}", self.line, failure.message);
        if failure.code > 1 {
            message.push_str(&format!(" ({})", failure.code));
        }
        if let Some(offset) = failure.offset.filter(|offset| *offset < sql.len()) {
            message.push_str(&excerpt(sql, offset));
        }
        let ends = self.bail;
        self.trace(|tracer, connection| tracer.failed(connection, failure, ends));
        self.complain(&message);
    }

    /// Writes a line to stderr.
    pub(crate) fn complain(&mut self, message: &str) {
        self.flush();
        let line = format!("{message}\n");
        self.trace(|tracer, _| tracer.output(2, line.as_bytes()));
        // Nobody is left to hear of an error of stderr.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    /// Writes the output that was held back.
    pub(crate) fn flush(&mut self) {
        let text = std::mem::take(&mut self.output.text);
        if text.is_empty() {
            return;
        }
        match &mut self.output.file {
            Some(file) => {
                let _ = file.write_all(&text);
            }
            None => {
                self.trace(|tracer, _| tracer.output(1, &text));
                let mut stdout = std::io::stdout();
                let _ = stdout.write_all(&text).and_then(|()| stdout.flush());
            }
        }
        if self.output.once && self.output.file.is_some() {
            self.output = Output::default();
        }
    }
}

fn look_up(places: Option<&Places>, text: &Text, at: usize) -> Option<Rc<StatementSites>> {
    places?.statements.get(&text.in_file(at)).map(Rc::clone)
}

/// The place of an error, with an arrow under it.
fn excerpt(sql: &[u8], mut offset: usize) -> String {
    let continues = |byte: Option<&u8>| byte.is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut start = 0;
    while offset > 50 {
        start += 1;
        offset -= 1;
        while continues(sql.get(start)) {
            start += 1;
            offset = offset.saturating_sub(1);
        }
    }
    let rest = &sql[start..];
    let mut length = rest.len();
    if length > 78 {
        length = 78;
        while length > 0 && continues(rest.get(length)) {
            length -= 1;
        }
    }
    let line: Vec<u8> = rest[..length]
        .iter()
        .map(|&byte| {
            if crate::split::is_space(byte) {
                b' '
            } else {
                byte
            }
        })
        .collect();
    let line = String::from_utf8_lossy(&line).into_owned();
    if offset < 25 {
        format!("\n  {line}\n  {}^--- error here", " ".repeat(offset))
    } else {
        format!("\n  {line}\n  {}error here ---^", " ".repeat(offset - 14))
    }
}
