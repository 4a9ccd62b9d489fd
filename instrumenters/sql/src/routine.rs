//! Functions, procedures and `DO` blocks in PL/pgSQL: their statements, from their tokens alone.
//!
//! Reads what the server's reports are looked up by: lines and kinds of statements, and what each
//! begins or decides. A body that it cannot follow costs what is behind.

use std::ops::Range;

use tracer_runtime_sql::postgresql::split::{split, tag, tokens};

/// A function.
#[derive(Debug, Default)]
pub(crate) struct Routine {
    /// Its name as the server keeps it, without a schema; empty for a `DO` block.
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    /// What stands between the quotes.
    pub(crate) body: Range<usize>,
    pub(crate) statements: Vec<Statement>,
}

/// A statement of a body. Others are named by their place in the list.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    /// Its own text, or its head where it holds others.
    pub(crate) span: Range<usize>,
    /// Offset of the word by whose line the server knows it.
    pub(crate) at: usize,
    /// What the server calls it: the first word.
    pub(crate) kind: String,
    pub(crate) is_loop: bool,
    /// The loop of which it begins a round.
    pub(crate) round: Option<usize>,
    /// The variable that it returns.
    pub(crate) returned: Option<Range<usize>>,
    /// What it assigns to.
    pub(crate) target: Option<Range<usize>>,
    /// What the handler catches that it begins.
    pub(crate) caught: Option<Range<usize>>,
    /// What decides between its arms, in order.
    pub(crate) conditions: Vec<Range<usize>>,
    pub(crate) arms: Vec<Arm>,
}

/// Statements that run if a condition holds and those in front of it do not.
#[derive(Debug)]
pub(crate) struct Arm {
    /// Which condition; one more than there are for `ELSE`.
    pub(crate) number: usize,
    /// Its first statement.
    pub(crate) first: Option<usize>,
}

/// Reads a statement that creates a function or is a `DO` block. `None` for all others, and for
/// other languages.
pub(crate) fn read(text: &[u8], span: Range<usize>) -> Option<Routine> {
    let spans: Vec<_> = tokens(text, span).collect();
    let is = |at: usize, word: &str| {
        spans
            .get(at)
            .is_some_and(|span| text[span.clone()].eq_ignore_ascii_case(word.as_bytes()))
    };
    let mut routine = Routine::default();
    let block = is(0, "do");
    let mut at = 1;
    if !block {
        if !is(0, "create") {
            return None;
        }
        if is(1, "or") {
            at = 3;
        }
        if !is(at, "function") && !is(at, "procedure") {
            return None;
        }
        at += 1;
        while spans
            .get(at + 1)
            .is_some_and(|span| text[span.clone()] == *b".")
        {
            at += 2;
        }
        routine.name = name(&String::from_utf8_lossy(&text[spans.get(at)?.clone()]));
        let end = behind(text, &spans, at + 1);
        routine.arguments = arguments(text, spans.get(at + 2..end.saturating_sub(1))?);
        at = end;
    }
    let language = (at..spans.len()).find(|&at| is(at, "language"));
    let language = language.map_or(block, |at| is(at + 1, "plpgsql") || is(at + 1, "'plpgsql'"));
    if (at..spans.len()).any(|at| is(at, "trigger")) && routine.arguments.is_empty() {
        routine.arguments = vec!["old".into(), "new".into()];
    }
    let quoted = spans[at.min(spans.len())..]
        .iter()
        .find(|span| matches!(text[span.start], b'$' | b'\'') && !is_language(text, span))?;
    let quote = tag(&text[quoted.start..]).map_or(1, <[u8]>::len);
    routine.body = quoted.start + quote..quoted.end.saturating_sub(quote).max(quoted.start + quote);
    if !language {
        return None;
    }
    let mut body = Body {
        text,
        spans: tokens(text, routine.body.clone()).collect(),
        at: 0,
        found: Vec::new(),
    };
    body.block();
    routine.statements = body.found;
    Some(routine)
}

/// Whether the statements of PL/pgSQL must not report: where a script makes a trigger on `DELETE`,
/// itself or in a text that it runs, since what reports them (`plpgsql_check` up to 2.10) reads out of
/// bounds when such a trigger fires; and where it uses that itself.
pub(crate) fn is_silent(text: &[u8]) -> bool {
    let all = |text: &[u8], words: &[&str]| {
        let text = String::from_utf8_lossy(text).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    all(text, &["plpgsql_check"])
        || split(text).into_iter().any(|piece| {
            let spans: Vec<_> = tokens(text, piece.span).collect();
            let is = |span: &Range<usize>, word: &str| {
                text[span.clone()].eq_ignore_ascii_case(word.as_bytes())
            };
            let creates = spans.first().is_some_and(|first| is(first, "create"))
                && spans.iter().take(5).any(|span| is(span, "trigger"))
                && spans.iter().any(|span| is(span, "delete"));
            let quoted = |span: &Range<usize>| {
                text[span.clone()].len() > 20
                    && all(&text[span.clone()], &["create", "trigger", "delete"])
            };
            creates || spans.iter().any(quoted)
        })
}

fn is_language(text: &[u8], span: &Range<usize>) -> bool {
    text[span.clone()].eq_ignore_ascii_case(b"'plpgsql'")
}

/// The place behind the parenthesis that opens at a place.
fn behind(text: &[u8], spans: &[Range<usize>], at: usize) -> usize {
    let mut depth = 0usize;
    for (place, span) in spans.iter().enumerate().skip(at) {
        match &text[span.clone()] {
            b"(" => depth += 1,
            b")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return place + 1;
        }
    }
    spans.len()
}

/// A name as the server keeps it.
fn name(word: &str) -> String {
    let quoted = word
        .strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'));
    quoted.map_or_else(|| word.to_lowercase(), |inner| inner.replace("\"\"", "\""))
}

/// Names of what is passed in; `$1` where there is none.
fn arguments(text: &[u8], spans: &[Range<usize>]) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0;
    let mut own: Vec<String> = Vec::new();
    let mut end = |own: &mut Vec<String>| {
        let words: Vec<String> = std::mem::take(own);
        let mut words = &words[..];
        let mode = words.first().map(|word| word.to_lowercase());
        if matches!(mode.as_deref(), Some("in" | "inout" | "variadic" | "out")) && words.len() > 1 {
            words = &words[1..];
        }
        if words.is_empty() || mode.as_deref() == Some("out") {
            return;
        }
        let stop = words
            .iter()
            .position(|word| word == "=" || word == ":=" || word.eq_ignore_ascii_case("default"));
        let named = words[..stop.unwrap_or(words.len())].len() > 1 && words[1] != "(";
        found.push(if named {
            name(&words[0])
        } else {
            format!("${}", found.len() + 1)
        });
    };
    for span in spans {
        let word = String::from_utf8_lossy(&text[span.clone()]).into_owned();
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => {
                end(&mut own);
                continue;
            }
            _ => {}
        }
        own.push(word);
    }
    end(&mut own);
    found
}

struct Body<'t> {
    text: &'t [u8],
    spans: Vec<Range<usize>>,
    at: usize,
    found: Vec<Statement>,
}

impl Body<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        self.spans
            .get(at)
            .is_some_and(|span| self.text[span.clone()].eq_ignore_ascii_case(word.as_bytes()))
    }

    fn any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(self.at, word))
    }

    fn more(&self) -> bool {
        self.at < self.spans.len()
    }

    /// From one place up to another.
    fn span(&self, from: usize, to: usize) -> Range<usize> {
        let last = to.max(from + 1).min(self.spans.len()) - 1;
        self.spans[from.min(last)].start..self.spans[last].end
    }

    /// Goes to one of these words outside of parentheses and of `CASE … END` expressions.
    fn seek(&mut self, words: &[&str]) {
        let (mut depth, mut cases) = (0, 0);
        while self.more() {
            if depth == 0 && cases == 0 && self.any(words) {
                return;
            }
            match () {
                () if self.is(self.at, "(") => depth += 1,
                () if self.is(self.at, ")") => depth -= 1,
                () if self.is(self.at, "case") => cases += 1,
                () if self.is(self.at, "end") && cases > 0 => cases -= 1,
                () => {}
            }
            self.at += 1;
        }
    }

    fn behind(&mut self, word: &str) {
        self.seek(&[word]);
        self.at += 1;
    }

    fn add(&mut self, statement: Statement) -> usize {
        self.found.push(statement);
        self.found.len() - 1
    }

    /// A block with its declarations and handlers.
    fn block(&mut self) -> Option<usize> {
        self.label();
        if self.is(self.at, "declare") {
            while self.more() && !self.is(self.at, "begin") {
                self.behind(";");
            }
        }
        if !self.is(self.at, "begin") {
            return None;
        }
        let begin = self.spans[self.at].clone();
        self.at += 1;
        let own = self.add(Statement {
            at: begin.start,
            span: begin,
            kind: "statement".into(),
            ..Statement::default()
        });
        self.list(None, None);
        if self.is(self.at, "exception") {
            self.at += 1;
            while self.is(self.at, "when") {
                self.at += 1;
                let from = self.at;
                self.seek(&["then"]);
                let condition = (self.at > from && self.more()).then(|| self.span(from, self.at));
                self.at += 1;
                self.list(None, condition.as_ref());
            }
        }
        self.behind(";");
        Some(own)
    }

    /// Statements up to a word that ends them; gives the first.
    fn list(&mut self, round: Option<usize>, caught: Option<&Range<usize>>) -> Option<usize> {
        let mut first = None;
        while self.more() && !self.any(&["end", "else", "elsif", "elseif", "when", "exception"]) {
            let (at, known) = (self.at, self.found.len());
            let own = self.statement();
            if self.found.len() > known && first.is_none() {
                first = own;
                if let Some(statement) = own.and_then(|own| self.found.get_mut(own)) {
                    statement.round = round;
                    statement.caught = caught.cloned();
                }
            }
            // A body that is not understood must not be read for ever.
            self.at = self.at.max(at + 1);
        }
        first
    }

    /// `<<label>>` is four signs and a word.
    fn label(&mut self) {
        if self.is(self.at, "<") && self.is(self.at + 1, "<") {
            self.at += 5;
        }
    }

    fn statement(&mut self) -> Option<usize> {
        self.label();
        if self.any(&["declare", "begin"]) {
            return self.block();
        }
        if self.any(&["if"]) {
            return Some(self.branches("if"));
        }
        if self.any(&["case"]) {
            return Some(self.cases());
        }
        if self.any(&["loop", "while", "for", "foreach"]) {
            return Some(self.repeated());
        }
        self.plain()
    }

    fn head(&mut self, kind: &str, words: &[&str]) -> usize {
        let from = self.at;
        self.at += 1;
        self.seek(words);
        let span = self.span(from, self.at);
        self.add(Statement {
            at: span.start,
            span,
            kind: kind.into(),
            ..Statement::default()
        })
    }

    fn branches(&mut self, kind: &str) -> usize {
        let from = self.at;
        let own = self.head(kind, &["then"]);
        let mut condition = self.span(from + 1, self.at);
        for number in 0.. {
            self.found[own].conditions.push(condition);
            self.at += 1;
            let first = self.list(None, None);
            self.found[own].arms.push(Arm { number, first });
            if !self.any(&["elsif", "elseif"]) {
                break;
            }
            self.at += 1;
            let from = self.at;
            self.seek(&["then"]);
            condition = self.span(from, self.at);
        }
        self.finish(own);
        own
    }

    fn cases(&mut self) -> usize {
        let own = self.head("case", &["when"]);
        let mut number = 0;
        while self.is(self.at, "when") {
            self.at += 1;
            let from = self.at;
            self.seek(&["then"]);
            let condition = self.span(from, self.at);
            self.found[own].conditions.push(condition);
            self.at += 1;
            let first = self.list(None, None);
            self.found[own].arms.push(Arm { number, first });
            number += 1;
        }
        self.finish(own);
        own
    }

    /// `ELSE …` and `END IF;` or `END CASE;`
    fn finish(&mut self, own: usize) {
        if self.is(self.at, "else") {
            self.at += 1;
            let first = self.list(None, None);
            let number = self.found[own].conditions.len();
            self.found[own].arms.push(Arm { number, first });
        }
        self.close();
    }

    /// `END IF;` and the like. The word behind `END` may be `CASE`, which begins nothing here.
    fn close(&mut self) {
        while self.more() && !self.is(self.at, ";") {
            self.at += 1;
        }
        self.at += 1;
    }

    fn repeated(&mut self) -> usize {
        let kind = String::from_utf8_lossy(&self.text[self.spans[self.at].clone()]).to_lowercase();
        let own = if kind == "loop" {
            let span = self.spans[self.at].clone();
            self.add(Statement {
                at: span.start,
                span,
                kind,
                ..Statement::default()
            })
        } else {
            self.head(&kind, &["loop"])
        };
        self.found[own].is_loop = true;
        self.at += 1;
        self.list(Some(own), None);
        self.close();
        own
    }

    /// A statement that holds no others. `NULL;` is nothing to the server.
    fn plain(&mut self) -> Option<usize> {
        const NAMED: [&str; 17] = [
            "perform", "raise", "return", "exit", "continue", "assert", "execute", "get", "open",
            "fetch", "move", "close", "call", "do", "commit", "rollback", "set",
        ];
        const QUERIES: [&str; 22] = [
            "select", "insert", "update", "delete", "merge", "with", "create", "drop", "alter",
            "truncate", "copy", "lock", "analyze", "vacuum", "grant", "revoke", "refresh",
            "notify", "listen", "comment", "reset", "import",
        ];
        let from = self.at;
        self.seek(&[";"]);
        let span = self.span(from, self.at);
        let first = String::from_utf8_lossy(&self.text[self.spans[from].clone()]).to_lowercase();
        let assigns = (from..self.at).find(|&at| self.is(at, ":=") || self.is(at, "="));
        let named = NAMED.contains(&&first[..]);
        let mut target = None;
        let kind = match &first[..] {
            "set" => "sql".to_owned(),
            _ if named => first.clone(),
            _ if QUERIES.contains(&&first[..]) => "sql".to_owned(),
            _ => {
                target = assigns
                    .filter(|&at| at > from)
                    .map(|at| self.span(from, at));
                if target.is_some() {
                    "assignment".to_owned()
                } else {
                    "sql".to_owned()
                }
            }
        };
        let returned =
            (kind == "return" && self.at == from + 2).then(|| self.span(from + 1, self.at));
        let nothing = first == "null" && self.at == from + 1;
        self.at += 1;
        (!nothing).then(|| {
            self.add(Statement {
                at: span.start,
                span,
                kind,
                target,
                returned,
                ..Statement::default()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Routine {
        read(text.as_bytes(), 0..text.len()).expect("a routine")
    }

    #[test]
    fn statements_have_kinds_and_arms() {
        let text = "CREATE OR REPLACE FUNCTION s.f(IN a int, b numeric(4, 2) = 1, text, OUT c int) \
                    RETURNS int LANGUAGE plpgsql AS $$ DECLARE x int := 1; BEGIN \
                    IF a > CASE WHEN b = 1 THEN 2 ELSE 3 END THEN x := 2; ELSIF b IS NULL THEN \
                    RETURN 1; ELSE NULL; END IF; <<l>> FOR i IN 1..3 LOOP PERFORM i; END LOOP l; \
                    BEGIN SELECT 1 INTO x; EXCEPTION WHEN no_data_found THEN RAISE; END; \
                    RETURN x; END $$";
        let routine = of(text);
        assert_eq!(routine.name, "f");
        assert_eq!(routine.arguments, ["a", "b", "$3"]);
        let kinds: Vec<&str> = routine.statements.iter().map(|s| s.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "statement",
                "if",
                "assignment",
                "return",
                "for",
                "perform",
                "statement",
                "sql",
                "raise",
                "return"
            ]
        );
        let branch = &routine.statements[1];
        let conditions: Vec<&str> = branch.conditions.iter().map(|c| &text[c.clone()]).collect();
        assert_eq!(
            conditions,
            ["a > CASE WHEN b = 1 THEN 2 ELSE 3 END", "b IS NULL"]
        );
        let arms: Vec<_> = branch
            .arms
            .iter()
            .map(|arm| (arm.number, arm.first))
            .collect();
        assert_eq!(arms, [(0, Some(2)), (1, Some(3)), (2, None)]);
        assert_eq!(routine.statements[5].round, Some(4));
        let caught = routine.statements[8].caught.clone().expect("a condition");
        assert_eq!(&text[caught], "no_data_found");
    }

    #[test]
    fn other_languages_are_not_read() {
        let text = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'";
        assert!(read(text.as_bytes(), 0..text.len()).is_none());
        assert_eq!(of("DO 'BEGIN NULL; END'").statements.len(), 1);
        assert!(of("DO $$ BEGIN IF $$").statements.len() < 3);
    }
}
