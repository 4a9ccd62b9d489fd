//! The dot-commands that scripts use. The others are named and refused, before a run where
//! possible ([`unsupported`]).

use std::fs::File;
use std::path::Path;

use crate::columns::Frame;
use crate::entry::canonical;
use crate::modes::{Mode, Style};
use crate::shell::{Flow, Output, Shell};

/// The commands, with the fewest letters that stand for them.
const COMMANDS: &[(&str, usize)] = &[
    ("bail", 3),
    ("changes", 3),
    ("databases", 2),
    ("dump", 3),
    ("echo", 3),
    ("exit", 2),
    ("explain", 3),
    ("headers", 3),
    ("import", 2),
    ("indexes", 3),
    ("indices", 3),
    ("mode", 1),
    ("nullvalue", 2),
    ("once", 2),
    ("open", 2),
    ("output", 1),
    ("print", 2),
    ("prompt", 4),
    ("quit", 1),
    ("read", 3),
    ("schema", 1),
    ("separator", 3),
    ("show", 2),
    ("stats", 2),
    ("tables", 2),
    ("timeout", 5),
    ("timer", 3),
    ("width", 1),
];

/// The command that a word stands for.
fn command(word: &str) -> Option<&'static str> {
    COMMANDS
        .iter()
        .find(|(name, least)| word.len() >= *least && name.starts_with(word))
        .map(|(name, _)| *name)
}

/// The shell's commands that are refused: they reach out of the script, or are not there yet.
const REFUSED: &[&str] = &[
    "ar",
    "archive",
    "auth",
    "backup",
    "cd",
    "check",
    "clone",
    "connection",
    "dbconfig",
    "dbinfo",
    "eqp",
    "excel",
    "expert",
    "filectrl",
    "fullschema",
    "help",
    "imposter",
    "iotrace",
    "limit",
    "lint",
    "load",
    "log",
    "nonce",
    "parameter",
    "progress",
    "recover",
    "restore",
    "save",
    "scanstats",
    "selftest",
    "session",
    "sha3sum",
    "shell",
    "system",
    "testcase",
    "testctrl",
    "trace",
    "unmodule",
    "vfsinfo",
    "vfslist",
    "vfsname",
    "www",
];

/// The name of the command on a line, if it is one of the shell's that is refused.
pub fn unsupported(line: &str) -> Option<&'static str> {
    let words = words(line.strip_prefix('.')?);
    let word = words.first()?.as_str();
    let on = |at: usize| words.get(at).is_some_and(|word| truth(word));
    match command(word) {
        // What is printed then differs from run to run, or with every version.
        Some("timer") if on(1) => Some("timer"),
        Some("stats") if on(1) => Some("stats"),
        Some(_) => None,
        None => REFUSED.iter().copied().find(|name| *name == word),
    }
}

/// The file that a line reads.
pub fn reads(line: &str) -> Option<String> {
    let mut words = words(line.strip_prefix('.')?);
    (command(words.first()?) == Some("read") && words.len() == 2).then(|| words.remove(1))
}

/// The table that a line fills from a file, in lower case.
pub fn imports(line: &str) -> Option<String> {
    let words = words(line.strip_prefix('.')?);
    (command(words.first()?) == Some("import")).then(|| crate::import::target(&words))?
}

/// Cuts a command into words; quotes keep words together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            '\'' => {
                let inner = &rest[1..];
                let end = inner.find('\'').unwrap_or(inner.len());
                (inner[..end].to_owned(), inner.get(end + 1..).unwrap_or(""))
            }
            '"' => {
                let inner = &rest[1..];
                let mut end = inner.len();
                let mut escaped = false;
                for (at, character) in inner.char_indices() {
                    match character {
                        '"' if !escaped => {
                            end = at;
                            break;
                        }
                        _ => escaped = character == '\\' && !escaped,
                    }
                }
                (unescaped(&inner[..end]), inner.get(end + 1..).unwrap_or(""))
            }
            _ => {
                let end = rest
                    .find(|c: char| c.is_ascii_whitespace())
                    .unwrap_or(rest.len());
                (unescaped(&rest[..end]), &rest[end..])
            }
        };
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

/// Resolves backslashes as C does.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next() {
            None => out.push('\\'),
            Some('a') => out.push('\x07'),
            Some('b') => out.push('\x08'),
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('v') => out.push('\x0b'),
            Some('f') => out.push('\x0c'),
            Some('r') => out.push('\r'),
            Some(digit @ '0'..='7') => {
                let mut number = digit as u32 - '0' as u32;
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|next| ('0'..='7').contains(next)) else {
                        break;
                    };
                    number = number * 8 + (digit as u32 - '0' as u32);
                }
                out.push(char::from(number as u8));
            }
            Some(other) => out.push(other),
        }
    }
    out
}

/// What a word means as a switch.
fn truth(word: &str) -> bool {
    let number = word.parse::<i64>().is_ok_and(|number| number != 0);
    number
        || ["on", "yes"]
            .iter()
            .any(|yes| word.eq_ignore_ascii_case(yes))
}

impl Shell {
    /// Runs a dot-command.
    pub(crate) fn command(&mut self, line: &str) -> Flow {
        let line = line.trim_start_matches('.');
        let words = words(line);
        let Some(first) = words.first() else {
            return Flow::Done;
        };
        let argument = |at: usize| words.get(at).map(String::as_str);
        let switch = argument(1).map(truth);
        let known = command(first);
        match (known, words.len()) {
            (Some("bail"), 2) => self.bail = switch.unwrap_or_default(),
            (Some("changes"), 2) => self.show_changes = switch.unwrap_or_default(),
            (Some("echo"), 2) => self.echo = switch.unwrap_or_default(),
            (Some("headers"), 2) => {
                self.style.headers = switch.unwrap_or_default();
                self.style.headers_set = true;
            }
            (Some("explain" | "timeout" | "prompt"), _) => {}
            (Some("timer" | "stats"), _) if switch != Some(true) => {}
            (Some("exit"), _) => {
                let status = argument(1).and_then(|word| word.parse().ok()).unwrap_or(0);
                if status != 0 {
                    self.flush();
                    return Flow::Exit(status);
                }
                return Flow::Quit;
            }
            (Some("quit"), _) => return Flow::Quit,
            (Some("mode"), _) => return self.mode(&words),
            (Some("nullvalue"), 2) => self.style.null = words[1].clone().into_bytes(),
            (Some("separator"), 2 | 3) => {
                self.style.column_separator = words[1].clone().into_bytes();
                if let Some(row) = argument(2) {
                    self.style.row_separator = row.as_bytes().to_vec();
                }
            }
            (Some("width"), _) => {
                let widths = words[1..].iter().map(|word| word.parse().unwrap_or(0));
                self.style.widths = widths.collect();
            }
            (Some("print"), _) => {
                let text = words[1..].join(" ");
                self.output.text.extend(text.bytes());
                self.output.text.push(b'\n');
            }
            (Some(what @ ("output" | "once")), _) => {
                return self.redirect(argument(1), what == "once");
            }
            (Some("read"), 2) => return self.read(&words[1]),
            (Some("import"), _) => return self.import(&words),
            (Some("open"), _) => return self.open(&words),
            (Some("show"), 1) => self.show(),
            (Some("tables"), 1 | 2) => self.tables(argument(1)),
            (Some("indexes" | "indices"), 1 | 2) => self.indexes(argument(1)),
            (Some("schema"), _) => self.schema(argument(1)),
            (Some("databases"), 1) => self.databases(),
            (Some("dump"), _) => self.dump(argument(1)),
            (Some(name), _) => {
                self.complain(&format!("Usage: .{name}"));
                return Flow::Failed;
            }
            (None, _) if REFUSED.contains(&first.as_str()) => {
                self.complain(&format!("Error: .{first} is not supported by this runner"));
                return Flow::Failed;
            }
            (None, _) => {
                self.complain(&format!(
                    "Error: unknown command or invalid arguments:  \"{first}\". Enter \".help\" for help"
                ));
                return Flow::Failed;
            }
        }
        Flow::Done
    }

    fn mode(&mut self, words: &[String]) -> Flow {
        let Some(name) = words.iter().skip(1).find(|word| !word.starts_with('-')) else {
            let line = format!("current output mode: {}\n", self.style.name);
            self.output.text.extend(line.bytes());
            return Flow::Done;
        };
        let style = &mut self.style;
        let (mode, full, columns, rows): (_, _, Option<&str>, Option<&str>) = match name.as_str() {
            word if is(word, "lines", 4) => (Mode::Line, "line", None, Some("\n")),
            word if is(word, "columns", 6) => {
                if !style.headers_set {
                    style.headers = true;
                }
                (Mode::Columns(Frame::Bare), "column", None, Some("\n"))
            }
            word if is(word, "list", 4) => (Mode::List, "list", Some("|"), Some("\n")),
            "html" => (Mode::Html, "html", None, None),
            "tcl" => (Mode::Tcl, "tcl", Some(" "), Some("\n")),
            "csv" => (Mode::Csv, "csv", Some(","), Some("\r\n")),
            "tabs" => (Mode::List, "tabs", Some("\t"), None),
            "insert" => {
                style.table = words.get(2).cloned().unwrap_or_else(|| "table".into());
                (Mode::Insert, "insert", None, None)
            }
            "quote" => (Mode::Quote, "quote", Some(","), Some("\n")),
            "ascii" => (Mode::List, "ascii", Some("\x1f"), Some("\x1e")),
            "markdown" => (Mode::Columns(Frame::Markdown), "markdown", None, None),
            "table" => (Mode::Columns(Frame::Table), "table", None, None),
            "box" | "qbox" => (Mode::Columns(Frame::Box), "box", None, None),
            "json" => (Mode::Json, "json", None, None),
            _ => {
                self.complain(
                    "Error: mode should be one of: ascii box column csv html insert json line \
                     list markdown qbox quote table tabs tcl",
                );
                return Flow::Failed;
            }
        };
        style.mode = mode;
        style.name = full;
        if let Some(columns) = columns {
            style.column_separator = columns.as_bytes().to_vec();
        }
        if let Some(rows) = rows {
            style.row_separator = rows.as_bytes().to_vec();
        }
        Flow::Done
    }

    fn redirect(&mut self, to: Option<&str>, once: bool) -> Flow {
        self.flush();
        let to = to.unwrap_or("stdout");
        if to == "stdout" {
            self.output = Output::default();
            return Flow::Done;
        }
        let made = if to == "off" {
            File::create("/dev/null")
        } else {
            File::create(to)
        };
        match made {
            Ok(file) if !to.starts_with('|') => {
                self.output = Output {
                    text: Vec::new(),
                    file: Some(file),
                    once,
                };
                Flow::Done
            }
            _ => {
                self.complain(&format!("Error: cannot write to \"{to}\""));
                Flow::Failed
            }
        }
    }

    fn read(&mut self, name: &str) -> Flow {
        let bytes = std::fs::read(name);
        let Ok(bytes) = bytes else {
            self.complain(&format!("Error: cannot open \"{name}\""));
            return Flow::Failed;
        };
        let path = canonical(Path::new(name));
        match self.run(&path, &bytes) {
            // It left only its own file.
            Flow::Quit => Flow::Done,
            flow => flow,
        }
    }

    fn show(&mut self) {
        let on = |value: bool| if value { "on" } else { "off" };
        let escaped = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
                .replace('\t', "\\t")
        };
        let style: &Style = &self.style;
        let widths: String = style
            .widths
            .iter()
            .map(|width| format!("{width} "))
            .collect();
        let rows = [
            ("echo", on(self.echo).to_owned()),
            ("eqp", "off".into()),
            ("explain", "auto".into()),
            ("headers", on(style.headers).into()),
            ("mode", style.name.into()),
            ("nullvalue", format!("\"{}\"", escaped(&style.null))),
            ("output", "stdout".into()),
            (
                "colseparator",
                format!("\"{}\"", escaped(&style.column_separator)),
            ),
            (
                "rowseparator",
                format!("\"{}\"", escaped(&style.row_separator)),
            ),
            ("stats", "off".into()),
            ("width", widths),
            ("filename", self.name.clone()),
        ];
        for (name, value) in rows {
            self.output
                .text
                .extend(format!("{name:>12}: {value}\n").bytes());
        }
    }
}

/// Whether a word stands for a mode: the beginning of its name, at least so many letters.
fn is(word: &str, name: &str, least: usize) -> bool {
    word.len() >= least && name.starts_with(word)
}
