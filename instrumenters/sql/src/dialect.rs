//! Tells scripts of other dialects, and commands that the runner refuses.
//!
//! Only by what no version of `SQLite` could run: a script with a mistake in it is not foreign.

use std::ops::Range;

use tracer_runtime_sql::dot;
use tracer_runtime_sql::split::{Piece, Text, tokens};

/// Statements that begin so belong to another dialect.
const BEGINNINGS: &[(&[&str], &str)] = &[
    (&["delimiter"], "MySQL"),
    (&["show"], "MySQL"),
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

/// Why a script cannot be run here, if it cannot.
pub(crate) fn foreign(text: &Text, pieces: &[Piece]) -> Option<String> {
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
                    if let Some((dialect, what)) = of_statement(&text.bytes, span.clone()) {
                        let before = &text.bytes[..span.start];
                        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
                        return Some(format!(
                            "it is written for {dialect} ({what}, line {line}); \
                             only the dialect of SQLite is run"
                        ));
                    }
                }
            }
        }
    }
    None
}

fn of_statement(text: &[u8], span: Range<usize>) -> Option<(&'static str, String)> {
    let words: Vec<&[u8]> = tokens(text, span)
        .take(4000)
        .map(|token| &text[token])
        .collect();
    let is = |at: usize, word: &str| {
        words.get(at).is_some_and(|found| {
            // `$$` and `@x` are told by their first sign.
            let sign = matches!(word, "@" | "$" | "\\");
            found.eq_ignore_ascii_case(word.as_bytes())
                || sign && found.starts_with(word.as_bytes())
        })
    };
    let begins = BEGINNINGS
        .iter()
        .find(|(beginning, _)| (0..beginning.len()).all(|at| is(at, beginning[at])));
    if let Some((beginning, dialect)) = begins {
        return Some((dialect, beginning.join(" ").to_ascii_uppercase()));
    }
    let places = |word: &'static str| (0..words.len()).filter(move |&at| is(at, word));
    if is(0, "create") && is(1, "table") {
        for (option, dialect) in OPTIONS {
            if places(option).any(|at| is(at + 1, "=")) {
                return Some((dialect, format!("{} =", option.to_ascii_uppercase())));
            }
        }
        if places("nvarchar")
            .chain(places("varchar"))
            .any(|at| is(at + 1, "(") && is(at + 2, "max"))
        {
            return Some(("T-SQL", "VARCHAR(MAX)".into()));
        }
    }
    // `x::type`; a lone `:` begins a parameter's name.
    if places(":").any(|at| is(at + 1, ":")) {
        return Some(("PostgreSQL", "a cast by ::".into()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracer_runtime_sql::split::split;

    fn said(source: &str) -> Option<String> {
        let text = Text::new(source.as_bytes());
        let pieces = split(&text.bytes);
        foreign(&text, &pieces)
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
        names("SELECT '1'::int;", "PostgreSQL");
        names("\\c db\nSELECT 1;", "psql");
        names("DECLARE @x INT = 1;", "T-SQL");
        names("DO $$ BEGIN END $$;", "PostgreSQL");
        names(".shell ls\n", ".shell (line 1)");
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
