//! How the rows of a result are printed: the output modes of the `sqlite3` shell.
//!
//! Modes that line columns up hold all rows back; the others print each as it comes.

use crate::columns::{self, Frame};
use crate::engine::{Datum, Statement, long_real};

/// An output mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Values with a separator between them.
    List,
    /// The same, quoted where needed.
    Csv,
    /// Values as SQL literals.
    Quote,
    /// One value a line with its name.
    Line,
    /// `INSERT` statements.
    Insert,
    /// JSON.
    Json,
    /// Rows of an HTML table.
    Html,
    /// Strings of the C language.
    Tcl,
    /// Columns in line, in a frame or without.
    Columns(Frame),
}

/// What the user set.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// The mode.
    pub(crate) mode: Mode,
    /// The word that chose the mode.
    pub(crate) name: &'static str,
    /// Whether names stand above the columns.
    pub(crate) headers: bool,
    /// Whether that was said rather than implied by a mode.
    pub(crate) headers_set: bool,
    /// Stands for NULL.
    pub(crate) null: Vec<u8>,
    /// Between values.
    pub(crate) column_separator: Vec<u8>,
    /// Behind rows.
    pub(crate) row_separator: Vec<u8>,
    /// Widths asked for.
    pub(crate) widths: Vec<i32>,
    /// Table that `INSERT` statements name.
    pub(crate) table: String,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            mode: Mode::List,
            name: "list",
            headers: false,
            headers_set: false,
            null: Vec::new(),
            column_separator: b"|".to_vec(),
            row_separator: b"\n".to_vec(),
            widths: Vec::new(),
            table: "table".into(),
        }
    }
}

/// Prints the rows of one statement.
#[derive(Debug)]
pub(crate) struct Rows<'s> {
    style: &'s Style,
    mode: Mode,
    names: Vec<String>,
    count: usize,
    held: Vec<Vec<Option<Vec<u8>>>>,
    tree: Vec<(i64, i64, Vec<u8>)>,
    explains: i32,
}

impl<'s> Rows<'s> {
    /// Begins a result.
    pub(crate) fn new(style: &'s Style, statement: &Statement) -> Self {
        Self {
            style,
            mode: style.mode,
            names: (0..statement.columns())
                .map(|at| statement.name(at))
                .collect(),
            count: 0,
            held: Vec::new(),
            tree: Vec::new(),
            explains: statement.explains(),
        }
    }

    /// A row is there.
    pub(crate) fn row(&mut self, out: &mut Vec<u8>, statement: &Statement) {
        let first = self.count == 0;
        self.count += 1;
        match (self.explains, self.mode) {
            (2, _) => self.plan_row(statement),
            (1, _) => {
                if first {
                    columns::explain_header(out, &self.names);
                }
                let cells: Vec<_> = (0..self.names.len()).map(|at| statement.text(at)).collect();
                columns::explain_row(out, &cells);
            }
            (_, Mode::Columns(_)) => {
                let row = (0..self.names.len())
                    .map(|at| statement.text(at).map(<[u8]>::to_vec))
                    .collect();
                self.held.push(row);
            }
            (_, Mode::Line) => self.line(out, statement, first),
            (_, Mode::Insert) => self.insert(out, statement),
            (_, Mode::Json) => self.json(out, statement, first),
            (_, Mode::Html) => self.html(out, statement, first),
            _ => self.separated(out, statement, first),
        }
    }

    /// No more rows come.
    pub(crate) fn end(self, out: &mut Vec<u8>) {
        match self.mode {
            _ if self.explains == 2 => columns::tree(out, &self.tree),
            Mode::Columns(frame) if self.explains == 0 && self.count > 0 => {
                columns::print(out, self.style, frame, &self.names, &self.held);
            }
            Mode::Json if self.count > 0 => out.extend(b"]\n"),
            _ => {}
        }
    }

    fn plan_row(&mut self, statement: &Statement) {
        let number = |at| match statement.value(at) {
            Datum::Integer(number) => number,
            _ => 0,
        };
        let text = statement.text(3).unwrap_or_default().to_vec();
        self.tree.push((number(0), number(1), text));
    }

    fn separated(&self, out: &mut Vec<u8>, statement: &Statement, first: bool) {
        let style = self.style;
        let mut put_row = |put: &dyn Fn(&mut Vec<u8>, usize)| {
            for column in 0..self.names.len() {
                if column > 0 {
                    out.extend(&style.column_separator);
                }
                put(out, column);
            }
            out.extend(&style.row_separator);
        };
        if first && style.headers {
            put_row(&|out, column| {
                let name = self.names[column].as_bytes();
                match self.mode {
                    Mode::Csv => csv(out, name, &style.column_separator),
                    Mode::Quote => quoted(out, name),
                    Mode::Tcl => c_string(out, name),
                    _ => out.extend(name),
                }
            });
        }
        put_row(&|out, column| match (self.mode, statement.text(column)) {
            (Mode::Quote, _) => literal(out, statement.value(column), true),
            (Mode::Tcl, text) => c_string(out, text.unwrap_or(&style.null)),
            (_, None) => out.extend(&style.null),
            (Mode::Csv, Some(text)) => csv(out, text, &style.column_separator),
            (_, Some(text)) => out.extend(text),
        });
    }

    fn line(&self, out: &mut Vec<u8>, statement: &Statement, first: bool) {
        let width = self.names.iter().map(String::len).max().unwrap_or(0).max(5);
        if !first {
            out.extend(&self.style.row_separator);
        }
        for (column, name) in self.names.iter().enumerate() {
            out.extend(std::iter::repeat_n(b' ', width - name.len()));
            out.extend(name.as_bytes());
            out.extend(b" = ");
            out.extend(statement.text(column).unwrap_or(&self.style.null));
            out.extend(&self.style.row_separator);
        }
    }

    fn insert(&self, out: &mut Vec<u8>, statement: &Statement) {
        out.extend(b"INSERT INTO ");
        identifier(out, self.style.table.as_bytes());
        if self.style.headers {
            out.push(b'(');
            for (column, name) in self.names.iter().enumerate() {
                if column > 0 {
                    out.push(b',');
                }
                identifier(out, name.as_bytes());
            }
            out.push(b')');
        }
        for column in 0..self.names.len() {
            out.extend(if column > 0 { &b","[..] } else { b" VALUES(" });
            literal(out, statement.value(column), false);
        }
        out.extend(b");\n");
    }

    fn json(&self, out: &mut Vec<u8>, statement: &Statement, first: bool) {
        out.extend(if first { &b"[{"[..] } else { b",\n{" });
        for (column, name) in self.names.iter().enumerate() {
            if column > 0 {
                out.push(b',');
            }
            json_string(out, name.as_bytes());
            out.push(b':');
            match statement.value(column) {
                Datum::Null => out.extend(b"null"),
                Datum::Integer(number) => out.extend(number.to_string().bytes()),
                Datum::Real(number) if number.is_infinite() => {
                    out.extend(if number > 0.0 {
                        &b"1e999"[..]
                    } else {
                        b"-1e999"
                    });
                }
                Datum::Real(number) => out.extend(long_real(number).bytes()),
                Datum::Text(text) | Datum::Blob(text) => json_string(out, text),
            }
        }
        out.push(b'}');
    }

    fn html(&self, out: &mut Vec<u8>, statement: &Statement, first: bool) {
        let mut row = |tag: &str, get: &dyn Fn(usize) -> Vec<u8>| {
            out.extend(b"<TR>");
            for column in 0..self.names.len() {
                out.extend(format!("<{tag}>").bytes());
                for byte in get(column) {
                    match byte {
                        b'<' => out.extend(b"&lt;"),
                        b'>' => out.extend(b"&gt;"),
                        b'&' => out.extend(b"&amp;"),
                        b'"' => out.extend(b"&quot;"),
                        b'\'' => out.extend(b"&#39;"),
                        _ => out.push(byte),
                    }
                }
                out.extend(format!("</{tag}>\n").bytes());
            }
            out.extend(b"</TR>\n");
        };
        if first && self.style.headers {
            row("TH", &|column| self.names[column].clone().into_bytes());
        }
        row("TD", &|column| {
            statement.text(column).unwrap_or(&self.style.null).to_vec()
        });
    }
}

/// A value as it is written in SQL. `plain` keeps line ends in texts as they are.
pub(crate) fn literal(out: &mut Vec<u8>, value: Datum<'_>, plain: bool) {
    match value {
        Datum::Null => out.extend(b"NULL"),
        Datum::Integer(number) => out.extend(number.to_string().bytes()),
        Datum::Real(number) if number.is_infinite() => {
            out.extend(if number > 0.0 {
                &b"1e999"[..]
            } else {
                b"-1e999"
            });
        }
        Datum::Real(number) => out.extend(long_real(number).bytes()),
        Datum::Text(text) if !plain && (text.contains(&b'\n') || text.contains(&b'\r')) => {
            lines_quoted(out, text);
        }
        Datum::Text(text) => quoted(out, text),
        Datum::Blob(bytes) => {
            out.extend(b"X'");
            out.extend(
                bytes
                    .iter()
                    .flat_map(|byte| format!("{byte:02x}").into_bytes()),
            );
            out.push(b'\'');
        }
    }
}

/// A text with line ends as calls of `replace`, so that each `INSERT` keeps to one line.
fn lines_quoted(out: &mut Vec<u8>, text: &[u8]) {
    let has = |word: &str| text.windows(word.len()).any(|part| part == word.as_bytes());
    let unused = |words: [&'static str; 2]| {
        let plain = words.into_iter().find(|word| !has(word)).map(str::to_owned);
        plain.unwrap_or_else(|| {
            // One of them is unused: a text has fewer places than there are numbers.
            (0..=text.len())
                .map(|number| format!("({}{number})", words[0]))
                .find(|word| !has(word))
                .unwrap_or_default()
        })
    };
    let line = text.contains(&b'\n').then(|| unused(["\\n", "\\012"]));
    let carriage = text.contains(&b'\r').then(|| unused(["\\r", "\\015"]));
    let mut marked = Vec::new();
    for &byte in text {
        match (byte, &line, &carriage) {
            (b'\n', Some(word), _) | (b'\r', _, Some(word)) => marked.extend(word.bytes()),
            _ => marked.push(byte),
        }
    }
    if line.is_some() {
        out.extend(b"replace(");
    }
    if carriage.is_some() {
        out.extend(b"replace(");
    }
    quoted(out, &marked);
    if let Some(word) = carriage {
        out.extend(format!(",'{word}',char(13))").bytes());
    }
    if let Some(word) = line {
        out.extend(format!(",'{word}',char(10))").bytes());
    }
}

/// A text as an SQL literal.
pub(crate) fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'\'');
    for &byte in text {
        if byte == b'\'' {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'\'');
}

/// A name, quoted where it must be.
pub(crate) fn identifier(out: &mut Vec<u8>, name: &[u8]) {
    let plain = name
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && !name.eq_ignore_ascii_case(b"table");
    if plain {
        out.extend(name);
        return;
    }
    out.push(b'"');
    for &byte in name {
        if byte == b'"' {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn csv(out: &mut Vec<u8>, text: &[u8], separator: &[u8]) {
    let odd = |byte: &u8| !(0x21..0x7f).contains(byte) || matches!(byte, b'"' | b'\'');
    let separates =
        !separator.is_empty() && text.windows(separator.len()).any(|part| part == separator);
    if !text.is_empty() && !text.iter().any(odd) && !separates {
        out.extend(text);
        return;
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn c_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            0x20..=0x7e | 0x80.. => out.push(byte),
            _ => out.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    out.push(b'"');
}

fn json_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            0x08 => out.extend(b"\\b"),
            0x0c => out.extend(b"\\f"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            ..0x20 => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
