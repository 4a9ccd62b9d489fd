//! Tells scripts of other dialects, and commands that the runner refuses.
//!
//! Only by what no version of `SQLite` could run: a script with a mistake in it is not foreign.
//! A comment in front of the first statement may name the dialect: `-- dialect: postgresql`.

use std::ops::Range;

use tracer_runtime_sql::dot;
use tracer_runtime_sql::postgresql;
use tracer_runtime_sql::split::{Piece, Text, skip_white, split, tokens};

/// Statements that begin so belong to another dialect.
const BEGINNINGS: &[(&[&str], &str)] = &[
    (&["delimiter"], "MySQL"),
    (&["show"], "MySQL or PostgreSQL"),
    (&["lock", "tables"], "MySQL"),
    (&["unlock", "tables"], "MySQL"),
    (&["load", "data"], "MySQL"),
    (&["set", "names"], "MySQL"),
    (&["set", "@"], "MySQL"),
    (&["describe"], "MySQL"),
    (&["desc"], "MySQL"),
    (&["use"], "MySQL or T-SQL"),
    (&["call"], "MySQL or PostgreSQL"),
    (&["declare", "@"], "T-SQL"),
    (&["exec"], "T-SQL"),
    (&["execute"], "T-SQL or PostgreSQL"),
    (&["print"], "T-SQL"),
    (&["if", "object_id"], "T-SQL"),
    (&["if", "exists"], "T-SQL"),
    (&["if", "not"], "T-SQL"),
    (&["set", "identity_insert"], "T-SQL"),
    (&["set", "nocount"], "T-SQL"),
    (&["set", "ansi_nulls"], "T-SQL"),
    (&["set", "quoted_identifier"], "T-SQL"),
    (&["begin", "try"], "T-SQL"),
    (&["\\"], "PostgreSQL (psql)"),
    (&["copy"], "PostgreSQL"),
    (&["comment", "on"], "PostgreSQL"),
    (&["do", "$"], "PostgreSQL"),
    (&["set", "search_path"], "PostgreSQL"),
    (&["set", "statement_timeout"], "PostgreSQL"),
    (&["set", "client_encoding"], "PostgreSQL"),
    (&["create", "extension"], "PostgreSQL"),
    (&["create", "sequence"], "PostgreSQL"),
    (&["create", "type"], "PostgreSQL"),
    (&["create", "domain"], "PostgreSQL"),
    (&["create", "materialized", "view"], "PostgreSQL"),
    (&["refresh", "materialized"], "PostgreSQL"),
    (&["create", "procedure"], "a dialect with stored procedures"),
    (&["create", "function"], "a dialect with stored functions"),
    (
        &["create", "or", "replace"],
        "a dialect with CREATE OR REPLACE",
    ),
    (&["create", "database"], "a dialect with several databases"),
    (&["drop", "database"], "a dialect with several databases"),
    (&["create", "schema"], "a dialect with schemas"),
    (&["create", "user"], "a dialect with users"),
    (&["create", "role"], "a dialect with users"),
    (&["grant"], "a dialect with users"),
    (&["truncate"], "a dialect with TRUNCATE"),
    (&["set"], "a dialect with SET"),
    (&["declare"], "a dialect with DECLARE"),
];

/// Words within a `CREATE TABLE` that `SQLite` cannot read.
const OPTIONS: &[(&str, &str)] = &[("engine", "MySQL"), ("auto_increment", "MySQL")];

/// Words one behind the other that `SQLite` cannot read.
const SEQUENCES: &[(&[&str], &str)] = &[
    (&["distinct", "on", "("], "DISTINCT ON"),
    (&["array", "["], "ARRAY"),
    (&["for", "each", "row", "execute"], "EXECUTE FUNCTION"),
    (&["for", "each", "statement"], "FOR EACH STATEMENT"),
];

/// Beginnings that only a script for another engine than PostgreSQL has.
const NOT_POSTGRESQL: &[(&[&str], &str)] = &[
    (&["go"], "T-SQL"),
    (&["/"], "Oracle"),
    (&["prompt"], "Oracle"),
    (&["create", "or", "replace", "package"], "Oracle"),
    (&["pragma"], "SQLite"),
    (&["."], "SQLite"),
];

/// Words and signs that PostgreSQL cannot read.
const NOT_POSTGRESQL_WORDS: &[(&str, &str)] = &[
    ("`", "MySQL"),
    ("auto_increment", "MySQL"),
    ("autoincrement", "SQLite"),
    ("varchar2", "Oracle"),
    ("nvarchar2", "Oracle"),
    ("nvarchar", "T-SQL"),
    ("dbms_output", "Oracle"),
    ("sysdate", "Oracle"),
    ("getdate", "T-SQL"),
];

/// What a script is written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// What the runner itself runs.
    Sqlite,
    /// What its server runs.
    PostgreSql,
    /// Why it cannot be run.
    Other(String),
}

/// What a script is written for.
pub(crate) fn of(text: &Text, pieces: &[Piece]) -> Dialect {
    match named(&text.bytes) {
        Some("postgresql") => return Dialect::PostgreSql,
        Some(_) => return Dialect::Sqlite,
        None => {}
    }
    let Some(why) = foreign(text, pieces) else {
        return Dialect::Sqlite;
    };
    match of_server(&text.bytes) {
        Some(Ok(())) => Dialect::PostgreSql,
        Some(Err(why)) => Dialect::Other(why),
        None => Dialect::Other(why),
    }
}

/// Whether PostgreSQL runs a script.
pub(crate) fn is_postgresql(source: &[u8]) -> bool {
    let text = Text::new(source);
    of(&text, &split(&text.bytes)) == Dialect::PostgreSql
}

/// The dialect that a comment in front of the first statement names.
fn named(text: &[u8]) -> Option<&'static str> {
    let begins = skip_white(text, 0);
    let comments = String::from_utf8_lossy(&text[..begins]).to_lowercase();
    let mut words = comments
        .split(|sign: char| !sign.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.find(|word| *word == "dialect")?;
    match words.next()? {
        "postgres" | "postgresql" | "psql" | "plpgsql" => Some("postgresql"),
        "sqlite" | "sqlite3" => Some("sqlite"),
        _ => None,
    }
}

/// Why `SQLite` cannot run a script, if it cannot.
fn foreign(text: &Text, pieces: &[Piece]) -> Option<String> {
    for piece in pieces {
        match piece {
            Piece::Dot { span, line } => {
                let said = String::from_utf8_lossy(&text.bytes[span.clone()]);
                if let Some(name) = dot::unsupported(&said) {
                    return Some(format!(
                        "the dot-command .{name} (line {line}) is not supported"
                    ));
                }
            }
            Piece::Sql { statements, .. } => {
                for span in statements {
                    let words = Words::new(&text.bytes, tokens(&text.bytes, span.clone()));
                    if let Some((dialect, what)) = of_statement(&words) {
                        return Some(refusal(&text.bytes, span.start, dialect, &what));
                    }
                }
            }
        }
    }
    None
}

/// Whether PostgreSQL runs a script, and if not, why; `None` where nothing in it tells.
fn of_server(text: &[u8]) -> Option<Result<(), String>> {
    let mut ours = false;
    for piece in postgresql::split::split(text) {
        // Nobody else has commands like these.
        if piece.command {
            return Some(Ok(()));
        }
        let found = postgresql::split::tokens(text, piece.span.clone());
        let words = Words::new(text, found);
        let other = NOT_POSTGRESQL
            .iter()
            .find(|(beginning, _)| words.begins(beginning))
            .map(|(beginning, dialect)| (*dialect, beginning.join(" ").to_ascii_uppercase()))
            .or_else(|| {
                NOT_POSTGRESQL_WORDS
                    .iter()
                    .find(|(word, _)| words.places(word).next().is_some())
                    .map(|(word, dialect)| (*dialect, word.to_ascii_uppercase()))
            })
            .or_else(|| words.unquoted_routine())
            .or_else(|| of_statement(&words));
        match other {
            None => {}
            Some(("SQLite", _)) => return None,
            Some((dialect, what)) => {
                let shared =
                    dialect.contains("PostgreSQL") || dialect.starts_with("a dialect with ");
                if !shared {
                    return Some(Err(refusal(text, piece.span.start, dialect, &what)));
                }
                ours = true;
            }
        }
    }
    ours.then_some(Ok(()))
}

fn refusal(text: &[u8], at: usize, dialect: &str, what: &str) -> String {
    let line = text[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    format!(
        "it is written for {dialect} ({what}, line {line}); \
         only the dialects of SQLite and PostgreSQL are run"
    )
}

/// The beginning of a statement as words.
struct Words<'t>(Vec<&'t [u8]>);

impl<'t> Words<'t> {
    fn new(text: &'t [u8], tokens: impl Iterator<Item = Range<usize>>) -> Self {
        Self(tokens.take(4000).map(|token| &text[token]).collect())
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.0.get(at).is_some_and(|found| {
            // `$$` and `@x` are told by their first sign.
            let sign = matches!(word, "@" | "$" | "\\");
            found.eq_ignore_ascii_case(word.as_bytes())
                || sign && found.starts_with(word.as_bytes())
        })
    }

    fn begins(&self, beginning: &[&str]) -> bool {
        (0..beginning.len()).all(|at| self.is(at, beginning[at]))
    }

    fn places<'w>(&'w self, word: &'w str) -> impl Iterator<Item = usize> + 'w {
        (0..self.0.len()).filter(move |&at| self.is(at, word))
    }

    /// A function whose body stands there as it is, which PostgreSQL has only for SQL.
    fn unquoted_routine(&self) -> Option<(&'static str, String)> {
        let at = if self.is(1, "or") { 3 } else { 1 };
        let routine = self.is(0, "create") && (self.is(at, "function") || self.is(at, "procedure"));
        let quoted = self.0.iter().any(|word| matches!(word[0], b'$' | b'\''));
        let has = |word: &str| self.places(word).next().is_some();
        let plain = has("atomic") || has("return") && !has("begin");
        (routine && !quoted && !plain).then(|| {
            (
                "another dialect of stored procedures",
                "a body without quotes".to_owned(),
            )
        })
    }
}

fn of_statement(words: &Words<'_>) -> Option<(&'static str, String)> {
    let begins = BEGINNINGS
        .iter()
        .find(|(beginning, _)| words.begins(beginning));
    if let Some((beginning, dialect)) = begins {
        return Some((dialect, beginning.join(" ").to_ascii_uppercase()));
    }
    if words.begins(&["create", "table"]) {
        for (option, dialect) in OPTIONS {
            if words.places(option).any(|at| words.is(at + 1, "=")) {
                return Some((dialect, format!("{} =", option.to_ascii_uppercase())));
            }
        }
        if words
            .places("nvarchar")
            .chain(words.places("varchar"))
            .any(|at| words.is(at + 1, "(") && words.is(at + 2, "max"))
        {
            return Some(("T-SQL", "VARCHAR(MAX)".into()));
        }
    }
    // `x::type`; a lone `:` begins a parameter's name.
    if words.places(":").any(|at| words.is(at + 1, ":")) || words.places("::").next().is_some() {
        return Some(("PostgreSQL", "a cast by ::".into()));
    }
    for (sequence, what) in SEQUENCES {
        let fits = |at: usize| (1..sequence.len()).all(|next| words.is(at + next, sequence[next]));
        if words.places(sequence[0]).any(fits) {
            return Some(("PostgreSQL", (*what).into()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: &str) -> Option<String> {
        let text = Text::new(source.as_bytes());
        match of(&text, &split(&text.bytes)) {
            Dialect::Sqlite => None,
            Dialect::PostgreSql => Some("PostgreSQL".into()),
            Dialect::Other(why) => Some(why),
        }
    }

    #[test]
    fn other_dialects_are_named() {
        let names = |source: &str, dialect: &str| {
            let said = said(source).unwrap_or_default();
            assert!(said.contains(dialect), "{source}: {said}");
        };
        names("DELIMITER //\nSELECT 1 //\n", "MySQL (DELIMITER, line 1)");
        names(
            "SELECT 1;\nCREATE TABLE t (a INT) ENGINE=InnoDB;",
            "MySQL (ENGINE =, line 2)",
        );
        names("CREATE DATABASE d; USE d;", "MySQL or T-SQL (USE, line 1)");
        names("DECLARE @x INT = 1;", "T-SQL");
        names(
            "CREATE PROCEDURE p() BEGIN SELECT 1; END;",
            "a body without quotes",
        );
        names("TRUNCATE TABLE `t`;", "MySQL (`, line 1)");
        names(".shell ls\n", ".shell (line 1)");
    }

    #[test]
    fn postgresql_is_told_by_what_only_it_reads() {
        let is = |source: &str| assert_eq!(said(source).as_deref(), Some("PostgreSQL"), "{source}");
        is("SELECT '1'::int;");
        is("\\c db\nSELECT 1;");
        is("DO $$ BEGIN IF EXISTS (SELECT 1) THEN NULL; END IF; END $$;");
        is("CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql;");
        is("TRUNCATE t;");
        is("-- dialect: PostgreSQL\nSELECT 1;");
        assert_eq!(said("-- sqlfluff:dialect:sqlite\nSELECT 'a'::x;"), None);
    }

    #[test]
    fn a_mistake_is_not_foreign() {
        assert_eq!(said("SELEC 1;\nSELECT ':: x' -- ::\n;"), None);
        assert_eq!(
            said("CREATE TABLE t (id INT AUTO_INCREMENT, engine TEXT);"),
            None
        );
        assert_eq!(said(".mode csv\n.read x.sql\nSELECT :a;"), None);
    }
}
