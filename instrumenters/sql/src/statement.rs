//! What a statement is, from its tokens alone: what it does to which table, and its parts that
//! report on their own.
//!
//! Knows the dialect of `SQLite`, and of that only the beginnings of statements.

use std::ops::Range;

use tracer_runtime_sql::sites::Effect;
use tracer_runtime_sql::split::tokens;

/// A statement.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    /// What it does to rows.
    pub(crate) effect: Effect,
    /// The table or view it does it to, lower case.
    pub(crate) target: String,
    /// Whether it may give rows.
    pub(crate) queries: bool,
    /// Names of recursive table expressions.
    pub(crate) recursive: Vec<Range<usize>>,
    /// The table it creates, lower case.
    pub(crate) table: Option<String>,
    /// The trigger it creates.
    pub(crate) trigger: Option<Trigger>,
}

/// A trigger's definition.
#[derive(Debug, Default)]
pub(crate) struct Trigger {
    pub(crate) name: Range<usize>,
    pub(crate) table: Range<usize>,
    pub(crate) event: Effect,
    pub(crate) after: bool,
    pub(crate) condition: Option<Range<usize>>,
    pub(crate) body: Vec<Range<usize>>,
}

/// The tokens of a statement.
struct Tokens<'t> {
    text: &'t [u8],
    spans: Vec<Range<usize>>,
}

impl Tokens<'_> {
    fn word(&self, at: usize) -> &[u8] {
        self.spans
            .get(at)
            .map_or(&[], |span| &self.text[span.clone()])
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.word(at).eq_ignore_ascii_case(word.as_bytes())
    }

    fn any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// The place behind the parenthesis that opens at a place.
    fn behind(&self, at: usize) -> usize {
        let mut depth = 0usize;
        for place in at..self.spans.len() {
            match self.word(place) {
                b"(" => depth += 1,
                b")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return place + 1;
            }
        }
        self.spans.len()
    }

    /// A name that may have a schema in front: its place, and the place behind.
    fn qualified(&self, at: usize) -> (usize, usize) {
        if self.word(at + 1) == b"." {
            (at + 2, at + 3)
        } else {
            (at, at + 1)
        }
    }

    fn name(&self, at: usize) -> String {
        self.spans
            .get(at)
            .map_or_else(String::new, |span| name(self.text, span.clone()))
    }
}

/// A name as the engine keeps it, in lower case.
pub(crate) fn name(text: &[u8], span: Range<usize>) -> String {
    let word = String::from_utf8_lossy(&text[span]);
    let inner = |close: char| {
        let inner = &word[1..];
        let inner = inner.strip_suffix(close).unwrap_or(inner);
        let close = close.to_string();
        inner.replace(&close.repeat(2), &close)
    };
    let bare = match word.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => inner(quote),
        Some('[') => inner(']'),
        _ => word.into_owned(),
    };
    bare.to_ascii_lowercase()
}

/// Reads a statement.
pub(crate) fn read(text: &[u8], span: Range<usize>) -> Statement {
    let tokens = Tokens {
        text,
        spans: tokens(text, span)
            .filter(|token| text[token.clone()] != *b";")
            .collect(),
    };
    let mut statement = Statement {
        recursive: recursive(&tokens),
        ..Statement::default()
    };
    let mut at = 0;
    if tokens.is(0, "with") {
        at = main(&tokens);
    }
    match () {
        () if tokens.any(at, &["insert", "replace"]) => {
            statement.effect = Effect::Insert;
            statement.queries = true;
            at += 1;
            if tokens.is(at, "or") {
                at += 2;
            }
            statement.target = tokens.name(tokens.qualified(at + 1).0);
        }
        () if tokens.is(at, "update") => {
            statement.effect = Effect::Update;
            statement.queries = true;
            at += if tokens.is(at + 1, "or") { 3 } else { 1 };
            statement.target = tokens.name(tokens.qualified(at).0);
        }
        () if tokens.is(at, "delete") => {
            statement.effect = Effect::Delete;
            statement.queries = true;
            statement.target = tokens.name(tokens.qualified(at + 2).0);
        }
        () if tokens.any(
            at,
            &["begin", "commit", "end", "rollback", "savepoint", "release"],
        ) =>
        {
            statement.effect = Effect::Transaction;
        }
        () if tokens.is(at, "create") => create(&tokens, &mut statement),
        () if tokens.any(
            at,
            &["drop", "alter", "attach", "detach", "reindex", "vacuum"],
        ) => {}
        () => statement.queries = true,
    }
    statement
}

fn create(tokens: &Tokens<'_>, statement: &mut Statement) {
    let mut at = 1;
    if tokens.any(at, &["temp", "temporary"]) {
        at += 1;
    }
    let what = at;
    at += 1;
    if tokens.is(at, "if") {
        at += 3;
    }
    let (name, behind) = tokens.qualified(at);
    if tokens.is(what, "table") {
        statement.table = Some(tokens.name(name));
    } else if tokens.is(what, "trigger") && name < tokens.spans.len() {
        statement.trigger = trigger(tokens, name, behind);
        // What a trigger's statements recurse in is counted for no statement of the script.
        statement.recursive.clear();
    } else if tokens.is(what, "view") {
        statement.recursive.clear();
    }
}

fn trigger(tokens: &Tokens<'_>, name: usize, mut at: usize) -> Option<Trigger> {
    let mut trigger = Trigger {
        name: tokens.spans.get(name)?.clone(),
        ..Trigger::default()
    };
    if tokens.is(at, "before") {
        at += 1;
    } else if tokens.is(at, "after") {
        trigger.after = true;
        at += 1;
    } else if tokens.is(at, "instead") {
        at += 2;
    }
    trigger.event = match () {
        () if tokens.is(at, "insert") => Effect::Insert,
        () if tokens.is(at, "update") => Effect::Update,
        () if tokens.is(at, "delete") => Effect::Delete,
        () => return None,
    };
    while at < tokens.spans.len() && !tokens.is(at, "on") {
        at += 1;
    }
    let (table, behind) = tokens.qualified(at + 1);
    trigger.table = tokens.spans.get(table)?.clone();
    at = behind;
    let begin = (at..tokens.spans.len()).find(|&place| tokens.is(place, "begin"))?;
    if let Some(when) = (at..begin).find(|&place| tokens.is(place, "when"))
        && when + 1 < begin
    {
        trigger.condition = Some(tokens.spans[when + 1].start..tokens.spans[begin - 1].end);
    }
    trigger.body = body(tokens, begin + 1);
    Some(trigger)
}

/// The statements of a trigger, from behind `BEGIN` on. The `;` were taken out: a statement ends
/// where the text between two tokens holds one.
fn body(tokens: &Tokens<'_>, from: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = from;
    for at in from..tokens.spans.len() {
        let next = tokens
            .spans
            .get(at + 1)
            .map_or(tokens.text.len(), |span| span.start);
        let between = &tokens.text[tokens.spans[at].end..next];
        let last = at + 1 == tokens.spans.len();
        if has_semicolon(between) || last {
            if !(last && start == at && tokens.is(at, "end")) {
                found.push(tokens.spans[start].start..tokens.spans[at].end);
            }
            start = at + 1;
        }
    }
    found
}

/// Whether white space and comments hold a `;` between them.
fn has_semicolon(between: &[u8]) -> bool {
    tokens(between, 0..between.len()).any(|token| between[token] == *b";")
}

/// The place of the main statement behind `WITH`.
fn main(tokens: &Tokens<'_>) -> usize {
    let mut at = 1 + usize::from(tokens.is(1, "recursive"));
    while let Some((_, _, behind)) = expression(tokens, at) {
        if tokens.word(behind) != b"," {
            return behind;
        }
        at = behind + 1;
    }
    at
}

/// A table expression: name, place of its body, place behind.
fn expression(tokens: &Tokens<'_>, name: usize) -> Option<(usize, usize, usize)> {
    let mut at = name + 1;
    if tokens.word(at) == b"(" {
        at = tokens.behind(at);
    }
    if !tokens.is(at, "as") {
        return None;
    }
    at += 1;
    if tokens.is(at, "not") {
        at += 1;
    }
    if tokens.is(at, "materialized") {
        at += 1;
    }
    (tokens.word(at) == b"(").then(|| (name, at, tokens.behind(at)))
}

/// Names of the table expressions that use themselves.
fn recursive(tokens: &Tokens<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for with in 0..tokens.spans.len() {
        if !tokens.is(with, "with") {
            continue;
        }
        let mut at = with + 1 + usize::from(tokens.is(with + 1, "recursive"));
        while let Some((name, body, behind)) = expression(tokens, at) {
            let own = tokens.name(name);
            let united = (body..behind).any(|place| tokens.is(place, "union"));
            if united && (body..behind).any(|place| tokens.name(place) == own) {
                found.push(tokens.spans[name].clone());
            }
            if tokens.word(behind) != b"," {
                break;
            }
            at = behind + 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Statement {
        read(text.as_bytes(), 0..text.len())
    }

    #[test]
    fn targets_are_found() {
        let target = |text| of(text).target;
        assert_eq!(
            target("insert or replace into main.\"T 1\" values(1)"),
            "t 1"
        );
        assert_eq!(target("REPLACE INTO [t] SELECT 1"), "t");
        assert_eq!(
            target("with a as (select 1) update or ignore t set x = 1"),
            "t"
        );
        assert_eq!(target("DELETE FROM /* c */ `t` WHERE 1"), "t");
        assert_eq!(target("SELECT 1"), "");
    }

    #[test]
    fn recursion_is_seen() {
        let text = "with b as (select 1), c(x) as (select 1 union all select x from C) select 1";
        assert_eq!(
            of(text).recursive,
            [text.find("c(x)").map(|at| at..at + 1).unwrap()]
        );
        assert!(
            of("with c as (select 1 union select 2) select * from c")
                .recursive
                .is_empty()
        );
    }

    #[test]
    fn a_trigger_has_its_parts() {
        let text = "create temp trigger if not exists s.t after update of a, b on x \
                    for each row when new.a > 1 begin select 1; -- ;\n\
                    update y set z = case when 1 then 2 end ; end";
        let trigger = of(text).trigger.expect("a trigger");
        assert_eq!(&text[trigger.condition.expect("a condition")], "new.a > 1");
        let body: Vec<&str> = trigger
            .body
            .iter()
            .map(|span| &text[span.clone()])
            .collect();
        assert_eq!(
            body,
            ["select 1", "update y set z = case when 1 then 2 end"]
        );
        assert_eq!(trigger.event, Effect::Update);
    }
}
