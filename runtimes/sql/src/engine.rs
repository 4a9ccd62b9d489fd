//! `SQLite` behind a safe face: what the shell runs on and what the tracer listens to.
//!
//! The only file of this crate that calls C, beside `entry`. It decides nothing about output or
//! traces. Both the plain and the traced run install the same hooks, since one of them changes the
//! byte code of `DELETE` without `WHERE`, which `EXPLAIN` would show.
#![expect(unsafe_code, reason = "the engine is a C library")]

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::rc::Rc;

use libsqlite3_sys as sqlite;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Datum<'a> {
    /// NULL.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT, as UTF-8 where the program kept it so.
    Text(&'a [u8]),
    /// BLOB.
    Blob(&'a [u8]),
}

/// What a statement does to a row, as it does it.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// `main`, `temp` or the name of an attached database.
    pub(crate) database: &'a str,
    /// The table.
    pub(crate) table: &'a str,
    /// The row's number before; means nothing in a table without row numbers.
    pub(crate) old_row: i64,
    /// And after.
    pub(crate) new_row: i64,
    /// 0 for a change of the statement itself, more for those of triggers and foreign keys.
    pub(crate) depth: u32,
    /// The row before; `None` if it is new.
    pub(crate) old: Option<Vec<Datum<'a>>>,
    /// The row after; `None` if it is gone.
    pub(crate) new: Option<Vec<Datum<'a>>>,
}

/// Who listens while statements run. Nobody may call the engine from here.
pub(crate) trait Observer {
    /// A trigger or one of its statements begins: its name or text as the engine keeps it.
    fn within(&mut self, comment: &str);
    /// A row changes.
    fn change(&mut self, change: &Change<'_>);
    /// A transaction is committed, or rolled back.
    fn transaction(&mut self, committed: bool);
}

/// The observer, shared with the engine's callbacks.
pub(crate) type Listener = Rc<RefCell<dyn Observer>>;

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Primary result code.
    pub(crate) code: i32,
    /// Extended result code.
    pub(crate) extended: i32,
    /// The engine's words.
    pub(crate) message: String,
    /// Byte offset in the statement that the message is about.
    pub(crate) offset: Option<usize>,
}

/// A database connection.
#[derive(Debug)]
pub(crate) struct Connection {
    raw: *mut sqlite::sqlite3,
    // The callbacks' context; boxed so that its address stays.
    hooked: Option<Box<Hooked>>,
}

struct Hooked {
    listener: Option<Listener>,
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Hooked")
    }
}

impl Connection {
    /// Opens a database file, or a private one (`:memory:`).
    pub(crate) fn open(name: &CStr) -> Result<Self, Failure> {
        let mut raw = ptr::null_mut();
        // SAFETY: `name` is terminated, `raw` is written before it is read.
        let code = unsafe {
            sqlite::sqlite3_open_v2(
                name.as_ptr(),
                &mut raw,
                sqlite::SQLITE_OPEN_READWRITE
                    | sqlite::SQLITE_OPEN_CREATE
                    | sqlite::SQLITE_OPEN_URI,
                ptr::null(),
            )
        };
        let opened = Self { raw, hooked: None };
        if code == sqlite::SQLITE_OK {
            Ok(opened)
        } else {
            Err(opened.failure())
        }
    }

    /// Installs the hooks. They report to `listener`, if there is one.
    pub(crate) fn listen(&mut self, listener: Option<Listener>) {
        let traced = listener.is_some();
        let mut hooked = Box::new(Hooked { listener });
        let context: *mut c_void = (&raw mut *hooked).cast();
        // SAFETY: the context lives as long as the connection, which it is stored in.
        unsafe {
            sqlite::sqlite3_preupdate_hook(self.raw, Some(on_change), context);
            if traced {
                sqlite::sqlite3_trace_v2(
                    self.raw,
                    sqlite::SQLITE_TRACE_STMT as c_uint,
                    Some(on_trace),
                    context,
                );
                sqlite::sqlite3_commit_hook(self.raw, Some(on_commit), context);
                sqlite::sqlite3_rollback_hook(self.raw, Some(on_rollback), context);
            }
        }
        self.hooked = Some(hooked);
    }

    /// The last failure.
    pub(crate) fn failure(&self) -> Failure {
        // SAFETY: the connection is open (or null, which these functions allow).
        unsafe {
            let message = sqlite::sqlite3_errmsg(self.raw);
            Failure {
                code: sqlite::sqlite3_errcode(self.raw),
                extended: sqlite::sqlite3_extended_errcode(self.raw),
                message: text_of(message),
                offset: usize::try_from(sqlite::sqlite3_error_offset(self.raw)).ok(),
            }
        }
    }

    /// Prepares the first statement of `sql` from the offset `at` on. Gives it (`None` if there is
    /// only white space) and how many bytes it took.
    pub(crate) fn prepare(
        &self,
        sql: &CStr,
        at: usize,
    ) -> Result<(Option<Statement>, usize), Failure> {
        let (mut raw, mut tail) = (ptr::null_mut(), ptr::null());
        let start = sql.to_bytes_with_nul()[at..].as_ptr();
        // SAFETY: `sql` is terminated; the results are written before they are read.
        let code =
            unsafe { sqlite::sqlite3_prepare_v2(self.raw, start.cast(), -1, &mut raw, &mut tail) };
        if code != sqlite::SQLITE_OK {
            return Err(self.failure());
        }
        let taken = (tail as usize).saturating_sub(start as usize);
        Ok(((!raw.is_null()).then_some(Statement { raw }), taken))
    }

    /// Rows that the last `INSERT`, `UPDATE` or `DELETE` changed by itself.
    pub(crate) fn changes(&self) -> i64 {
        // SAFETY: the connection is open.
        unsafe { sqlite::sqlite3_changes64(self.raw) }
    }

    /// Rows changed since the connection was opened.
    pub(crate) fn total_changes(&self) -> i64 {
        // SAFETY: the connection is open.
        unsafe { sqlite::sqlite3_total_changes64(self.raw) }
    }

    /// Whether no transaction is open.
    pub(crate) fn autocommit(&self) -> bool {
        // SAFETY: the connection is open.
        unsafe { sqlite::sqlite3_get_autocommit(self.raw) != 0 }
    }

    /// Which of a table's columns belongs to its key.
    pub(crate) fn in_key(&self, database: &CStr, table: &CStr, column: &CStr) -> bool {
        let mut key: c_int = 0;
        // SAFETY: all names are terminated; results that are not wanted may be null.
        let code = unsafe {
            sqlite::sqlite3_table_column_metadata(
                self.raw,
                database.as_ptr(),
                table.as_ptr(),
                column.as_ptr(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                &mut key,
                ptr::null_mut(),
            )
        };
        code == sqlite::SQLITE_OK && key != 0
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: a statement lives no longer than the shell's function that prepared it.
        unsafe { sqlite::sqlite3_close(self.raw) };
    }
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A row is there.
    Row,
    /// It is over.
    Done,
    /// It failed; the connection says why.
    Failed,
}

/// One loop of a statement, as the engine ran it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// What `EXPLAIN QUERY PLAN` says of it.
    pub(crate) plan: String,
    /// Its number in the plan.
    pub(crate) id: i32,
    /// The number of what it is part of.
    pub(crate) parent: i32,
    /// How often it was begun; negative if it does not loop.
    pub(crate) loops: i64,
    /// How many rows it looked at; negative likewise.
    pub(crate) rows: i64,
}

/// A prepared statement.
#[derive(Debug)]
pub(crate) struct Statement {
    raw: *mut sqlite::sqlite3_stmt,
}

impl Statement {
    /// Goes on to the next row.
    pub(crate) fn step(&mut self) -> Step {
        // SAFETY: the statement is prepared.
        match unsafe { sqlite::sqlite3_step(self.raw) } {
            sqlite::SQLITE_ROW => Step::Row,
            sqlite::SQLITE_DONE => Step::Done,
            _ => Step::Failed,
        }
    }

    /// Sets a parameter to a text, or to NULL.
    pub(crate) fn bind(&mut self, column: usize, text: Option<&[u8]>) {
        let place = column as c_int + 1;
        // SAFETY: the text is copied before the call returns.
        unsafe {
            match text {
                Some(text) => sqlite::sqlite3_bind_text(
                    self.raw,
                    place,
                    text.as_ptr().cast(),
                    text.len() as c_int,
                    sqlite::SQLITE_TRANSIENT(),
                ),
                None => sqlite::sqlite3_bind_null(self.raw, place),
            };
        }
    }

    /// Makes it ready to run again.
    pub(crate) fn reset(&mut self) {
        // SAFETY: the statement is prepared.
        unsafe { sqlite::sqlite3_reset(self.raw) };
    }

    /// Columns of its rows.
    pub(crate) fn columns(&self) -> usize {
        // SAFETY: the statement is prepared.
        unsafe { sqlite::sqlite3_column_count(self.raw) as usize }
    }

    /// Columns of the row that is there; 0 if none is.
    pub(crate) fn columns_now(&self) -> usize {
        // SAFETY: the statement is prepared.
        unsafe { sqlite::sqlite3_data_count(self.raw) as usize }
    }

    /// A column's name.
    pub(crate) fn name(&self, column: usize) -> String {
        // SAFETY: the statement is prepared; an index out of range gives null.
        text_of(unsafe { sqlite::sqlite3_column_name(self.raw, column as c_int) })
    }

    /// 0, or what kind of `EXPLAIN` it is: 1 of byte code, 2 of the plan.
    pub(crate) fn explains(&self) -> i32 {
        // SAFETY: the statement is prepared.
        unsafe { sqlite::sqlite3_stmt_isexplain(self.raw) }
    }

    /// Whether it only reads.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: the statement is prepared.
        unsafe { sqlite::sqlite3_stmt_readonly(self.raw) != 0 }
    }

    /// A value of the row that is there.
    pub(crate) fn value(&self, column: usize) -> Datum<'_> {
        let column = column as c_int;
        // SAFETY: what is pointed at lives until the next step, which needs the statement mutably.
        unsafe {
            match sqlite::sqlite3_column_type(self.raw, column) {
                sqlite::SQLITE_INTEGER => {
                    Datum::Integer(sqlite::sqlite3_column_int64(self.raw, column))
                }
                sqlite::SQLITE_FLOAT => {
                    Datum::Real(sqlite::sqlite3_column_double(self.raw, column))
                }
                sqlite::SQLITE_TEXT => {
                    let start = sqlite::sqlite3_column_text(self.raw, column);
                    let length = sqlite::sqlite3_column_bytes(self.raw, column);
                    Datum::Text(bytes_at(start, length))
                }
                sqlite::SQLITE_BLOB => {
                    let start = sqlite::sqlite3_column_blob(self.raw, column);
                    let length = sqlite::sqlite3_column_bytes(self.raw, column);
                    Datum::Blob(bytes_at(start.cast(), length))
                }
                _ => Datum::Null,
            }
        }
    }

    /// A value as text, up to its first NUL, as the shell prints it; `None` for NULL.
    pub(crate) fn text(&self, column: usize) -> Option<&[u8]> {
        // SAFETY: as for `value`. The text is terminated.
        unsafe {
            let start = sqlite::sqlite3_column_text(self.raw, column as c_int);
            (!start.is_null()).then(|| CStr::from_ptr(start.cast()).to_bytes())
        }
    }

    /// The loops that it ran so far.
    pub(crate) fn scans(&self) -> Vec<Scan> {
        let mut scans = Vec::new();
        for index in 0..c_int::MAX {
            let get = |what: c_int, out: *mut c_void| {
                // SAFETY: `out` points at what the engine writes for `what`.
                unsafe {
                    sqlite::sqlite3_stmt_scanstatus_v2(
                        self.raw,
                        index,
                        what,
                        sqlite::SQLITE_SCANSTAT_COMPLEX as c_int,
                        out,
                    )
                }
            };
            let mut plan: *const c_char = ptr::null();
            if get(sqlite::SQLITE_SCANSTAT_EXPLAIN, (&raw mut plan).cast()) != 0 {
                break;
            }
            let (mut id, mut parent): (c_int, c_int) = (0, 0);
            let (mut loops, mut rows): (i64, i64) = (-1, -1);
            get(sqlite::SQLITE_SCANSTAT_SELECTID, (&raw mut id).cast());
            get(sqlite::SQLITE_SCANSTAT_PARENTID, (&raw mut parent).cast());
            get(sqlite::SQLITE_SCANSTAT_NLOOP, (&raw mut loops).cast());
            get(sqlite::SQLITE_SCANSTAT_NVISIT, (&raw mut rows).cast());
            scans.push(Scan {
                plan: text_of(plan),
                id,
                parent,
                loops,
                rows,
            });
        }
        scans
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the statement is prepared, and used no more.
        unsafe { sqlite::sqlite3_finalize(self.raw) };
    }
}

/// `SQLite` and its version.
pub(crate) fn version() -> String {
    // SAFETY: gives a static text.
    let number = unsafe { sqlite::sqlite3_libversion() };
    format!("SQLite {}", text_of(number))
}

fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the engine's texts are terminated.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

unsafe fn bytes_at<'a>(start: *const u8, length: c_int) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: the caller gives what the engine returned together.
    unsafe { std::slice::from_raw_parts(start, length as usize) }
}

unsafe fn value_of<'a>(value: *mut sqlite::sqlite3_value) -> Datum<'a> {
    if value.is_null() {
        return Datum::Null;
    }
    // SAFETY: the value lives while its row changes.
    unsafe {
        match sqlite::sqlite3_value_type(value) {
            sqlite::SQLITE_INTEGER => Datum::Integer(sqlite::sqlite3_value_int64(value)),
            sqlite::SQLITE_FLOAT => Datum::Real(sqlite::sqlite3_value_double(value)),
            sqlite::SQLITE_TEXT => {
                let start = sqlite::sqlite3_value_text(value);
                Datum::Text(bytes_at(start, sqlite::sqlite3_value_bytes(value)))
            }
            sqlite::SQLITE_BLOB => {
                let start = sqlite::sqlite3_value_blob(value);
                Datum::Blob(bytes_at(start.cast(), sqlite::sqlite3_value_bytes(value)))
            }
            _ => Datum::Null,
        }
    }
}

fn with_listener(context: *mut c_void, act: impl FnOnce(&mut dyn Observer)) {
    // SAFETY: the context is the `Hooked` of the connection that calls.
    let hooked = unsafe { &*context.cast::<Hooked>() };
    let listener = hooked.listener.as_ref();
    if let Some(Ok(mut listener)) = listener.map(|listener| listener.try_borrow_mut()) {
        act(&mut *listener);
    }
}

/// `sqlite3_preupdate_old` or `sqlite3_preupdate_new`.
type Get =
    unsafe extern "C" fn(*mut sqlite::sqlite3, c_int, *mut *mut sqlite::sqlite3_value) -> c_int;

unsafe extern "C" fn on_change(
    context: *mut c_void,
    db: *mut sqlite::sqlite3,
    operation: c_int,
    database: *const c_char,
    table: *const c_char,
    old_row: i64,
    new_row: i64,
) {
    with_listener(context, |listener| {
        // SAFETY: the engine allows these calls within this callback; values live as long as it.
        let (depth, count) = unsafe {
            (
                sqlite::sqlite3_preupdate_depth(db),
                sqlite::sqlite3_preupdate_count(db),
            )
        };
        let row = |get: Get| -> Vec<Datum<'_>> {
            (0..count)
                .map(|column| {
                    let mut value = ptr::null_mut();
                    // SAFETY: as above.
                    unsafe {
                        get(db, column, &mut value);
                        value_of(value)
                    }
                })
                .collect()
        };
        let old = operation != sqlite::SQLITE_INSERT;
        let new = operation != sqlite::SQLITE_DELETE;
        let (database, table) = (text_of(database), text_of(table));
        listener.change(&Change {
            database: &database,
            table: &table,
            old_row,
            new_row,
            depth: depth as u32,
            old: old.then(|| row(sqlite::sqlite3_preupdate_old)),
            new: new.then(|| row(sqlite::sqlite3_preupdate_new)),
        });
    });
}

unsafe extern "C" fn on_trace(
    _: c_uint,
    context: *mut c_void,
    _: *mut c_void,
    text: *mut c_void,
) -> c_int {
    let text = text_of(text.cast_const().cast());
    // What a trigger does is told as a comment; the statement itself is known already.
    if let Some(comment) = text.strip_prefix("-- ") {
        with_listener(context, |listener| listener.within(comment));
    }
    0
}

unsafe extern "C" fn on_commit(context: *mut c_void) -> c_int {
    with_listener(context, |listener| listener.transaction(true));
    0
}

unsafe extern "C" fn on_rollback(context: *mut c_void) {
    with_listener(context, |listener| listener.transaction(false));
}

/// A text for the engine, which reads up to the first NUL, as the shell does.
pub(crate) fn c_text(text: &[u8]) -> CString {
    let end = text
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

/// A REAL with up to 20 digits, as the shell writes it where it must read back.
pub(crate) fn long_real(value: f64) -> String {
    // SAFETY: the format takes one double; the text is terminated and freed here.
    unsafe {
        let raw = sqlite::sqlite3_mprintf(c"%!.20g".as_ptr(), value);
        let text = text_of(raw);
        sqlite::sqlite3_free(raw.cast());
        text
    }
}
