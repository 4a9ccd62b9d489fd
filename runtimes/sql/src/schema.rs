//! The dot-commands that ask the database about itself.

use std::path::Path;

use crate::engine::{Connection, Datum, Step, c_text};
use crate::modes::{identifier, literal, quoted};
use crate::shell::{Flow, Shell};

impl Shell {
    /// Runs a query of the shell's own, and hands its rows over as texts.
    fn query(&self, sql: &str, mut row: impl FnMut(Vec<String>)) {
        if let Ok((Some(mut statement), _)) = self.connection.prepare(&c_text(sql.as_bytes()), 0) {
            while statement.step() == Step::Row {
                let cell = |at| {
                    let text = statement.text(at).unwrap_or_default();
                    String::from_utf8_lossy(text).into_owned()
                };
                row((0..statement.columns()).map(cell).collect());
            }
        }
    }

    fn names(&self, kinds: &str, pattern: &str) -> Vec<String> {
        let mut databases = Vec::new();
        self.query("PRAGMA database_list", |row| {
            databases.extend(row.into_iter().nth(1));
        });
        let mut names = Vec::new();
        for database in databases {
            let of = sql_name(&database);
            let sql = format!(
                "SELECT name FROM {of}.sqlite_schema WHERE type IN ({kinds}) AND {pattern}"
            );
            self.query(&sql, |row| {
                let prefix = if database == "main" {
                    String::new()
                } else {
                    format!("{database}.")
                };
                names.extend(row.into_iter().map(|name| format!("{prefix}{name}")));
            });
        }
        names.sort();
        names
    }

    /// Names side by side in columns, down first.
    fn in_columns(&mut self, names: &[String]) {
        let widest = names
            .iter()
            .map(std::string::String::len)
            .max()
            .unwrap_or(0);
        let across = (80 / (widest + 2)).max(1);
        let down = names.len().div_ceil(across);
        for start in 0..down {
            let row: Vec<String> = names
                .iter()
                .skip(start)
                .step_by(down)
                .map(|name| format!("{name:<widest$}"))
                .collect();
            self.output.text.extend(row.join("  ").bytes());
            self.output.text.push(b'\n');
        }
    }

    pub(crate) fn tables(&mut self, pattern: Option<&str>) {
        let wanted = match pattern {
            Some(pattern) => format!("name LIKE {}", sql_text(pattern)),
            None => "name NOT LIKE 'sqlite\\_%' ESCAPE '\\'".into(),
        };
        let names = self.names("'table','view'", &wanted);
        self.in_columns(&names);
    }

    pub(crate) fn indexes(&mut self, table: Option<&str>) {
        let wanted = match table {
            Some(table) => format!("tbl_name LIKE {}", sql_text(table)),
            None => "1".into(),
        };
        let names = self.names("'index'", &wanted);
        self.in_columns(&names);
    }

    pub(crate) fn databases(&mut self) {
        let mut lines = String::new();
        self.query("PRAGMA database_list", |row| {
            if let [_, name, file] = &row[..] {
                let file = if file.is_empty() { "\"\"" } else { file };
                lines.push_str(&format!("{name}: {file} r/w\n"));
            }
        });
        self.output.text.extend(lines.bytes());
    }

    pub(crate) fn schema(&mut self, pattern: Option<&str>) {
        let wanted = pattern.map_or_else(
            || "1".into(),
            |pattern| format!("tbl_name LIKE {}", sql_text(pattern)),
        );
        let mut databases = Vec::new();
        self.query("PRAGMA database_list", |row| {
            databases.extend(row.into_iter().nth(1));
        });
        let mut out = String::new();
        for database in databases {
            let of = sql_name(&database);
            let sql = format!(
                "SELECT type, name, sql FROM {of}.sqlite_schema WHERE sql IS NOT NULL AND {wanted} \
                 ORDER BY rowid"
            );
            self.query(&sql, |row| {
                let [kind, name, sql] = &row[..] else { return };
                out.push_str(sql);
                let is_view = kind == "view";
                let columns = is_view.then(|| columns(&self.connection, &of, name));
                if let Some(columns) = columns.flatten() {
                    out.push_str(&format!("\n/* {}({columns}) */", sql_name(name)));
                }
                out.push_str(";\n");
            });
        }
        self.output.text.extend(out.bytes());
    }

    pub(crate) fn open(&mut self, words: &[String]) -> Flow {
        let name = words.iter().skip(1).find(|word| !word.starts_with('-'));
        let name = name.map_or(":memory:", String::as_str);
        if words.iter().any(|word| word == "--new" || word == "-new") && Path::new(name).exists() {
            let _ = std::fs::remove_file(name);
        }
        match Connection::open(&c_text(name.as_bytes())) {
            Ok(connection) => {
                self.connection = connection;
                name.clone_into(&mut self.name);
                self.listen();
                Flow::Done
            }
            Err(failure) => {
                self.complain(&format!(
                    "Error: unable to open database \"{name}\": {}",
                    failure.message
                ));
                Flow::Failed
            }
        }
    }

    pub(crate) fn dump(&mut self, pattern: Option<&str>) {
        let wanted = pattern.map_or_else(
            || "1".into(),
            |pattern| format!("tbl_name LIKE {}", sql_text(pattern)),
        );
        let mut out = b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n".to_vec();
        let mut tables = Vec::new();
        let sql = format!(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL AND \
             ({wanted}) ORDER BY tbl_name = 'sqlite_sequence', rowid"
        );
        self.query(&sql, |row| tables.push(row));
        for row in tables {
            let [name, sql] = &row[..] else { continue };
            match name.as_str() {
                "sqlite_sequence" => out.extend(b"DELETE FROM sqlite_sequence;\n"),
                _ if name.starts_with("sqlite_stat") => out.extend(b"ANALYZE sqlite_schema;\n"),
                _ if name.starts_with("sqlite_") => continue,
                _ => {
                    out.extend(sql.bytes());
                    out.extend(b";\n");
                }
            }
            self.dump_rows(&mut out, name);
        }
        let sql = format!(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND type IN \
             ('index','trigger','view') AND ({wanted}) ORDER BY type COLLATE NOCASE DESC, rowid"
        );
        self.query(&sql, |row| {
            out.extend(row[0].bytes());
            out.extend(b";\n");
        });
        out.extend(b"COMMIT;\n");
        self.output.text.extend(out);
    }

    fn dump_rows(&self, out: &mut Vec<u8>, table: &str) {
        let sql = format!("SELECT * FROM {}", sql_name(table));
        let Ok((Some(mut statement), _)) = self.connection.prepare(&c_text(sql.as_bytes()), 0)
        else {
            return;
        };
        while statement.step() == Step::Row {
            out.extend(b"INSERT INTO ");
            identifier(out, table.as_bytes());
            for column in 0..statement.columns() {
                out.extend(if column > 0 { &b","[..] } else { b" VALUES(" });
                let value: Datum<'_> = statement.value(column);
                literal(out, value, false);
            }
            out.extend(b");\n");
        }
    }
}

fn columns(connection: &Connection, database: &str, view: &str) -> Option<String> {
    let sql = format!("SELECT * FROM {database}.{}", sql_name(view));
    let (statement, _) = connection.prepare(&c_text(sql.as_bytes()), 0).ok()?;
    let statement = statement?;
    let names: Vec<String> = (0..statement.columns())
        .map(|at| sql_name(&statement.name(at)))
        .collect();
    Some(names.join(","))
}

fn sql_name(name: &str) -> String {
    let mut out = Vec::new();
    identifier(&mut out, name.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

fn sql_text(text: &str) -> String {
    let mut out = Vec::new();
    quoted(&mut out, text.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}
