//! The server's log: entries, and what the plan and PL/pgSQL reports among them say.

/// An entry: who wrote it, and its text without the indentation of further lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The server process.
    pub(crate) process: u32,
    /// What it says.
    pub(crate) text: String,
}

/// Cuts the log into entries.
#[derive(Debug, Default)]
pub(crate) struct Log {
    bytes: Vec<u8>,
}

impl Log {
    /// Takes bytes in.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The entries so far. The last may lack lines, so it is asked when nothing more is to come.
    pub(crate) fn take(&mut self) -> Vec<Entry> {
        let text = String::from_utf8_lossy(&std::mem::take(&mut self.bytes)).into_owned();
        let mut entries: Vec<Entry> = Vec::new();
        for line in text.lines() {
            match (line.strip_prefix('\t'), entries.last_mut()) {
                (Some(more), Some(entry)) => {
                    entry.text.push('\n');
                    entry.text.push_str(more);
                }
                _ => entries.extend(begin(line)),
            }
        }
        entries
    }
}

/// `123 LOG:  text`
fn begin(line: &str) -> Option<Entry> {
    let (process, rest) = line.split_once(' ')?;
    let (_, text) = rest.split_once(":  ")?;
    Some(Entry {
        process: process.parse().ok()?,
        text: text.to_owned(),
    })
}

/// A plan that ran.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The query.
    pub(crate) query: String,
    /// Its nodes, indented, without costs.
    pub(crate) lines: Vec<String>,
}

/// Reads `duration: … plan:`, the query and the plan.
pub(crate) fn plan(text: &str, counts: bool) -> Option<Plan> {
    let (head, rest) = text.split_once('\n')?;
    if !head.starts_with("duration: ") || !head.ends_with("plan:") {
        return None;
    }
    let rest = rest.strip_prefix("Query Text: ")?;
    let lines: Vec<&str> = rest.lines().collect();
    let first = lines.iter().position(|line| line.contains("  (cost="))?;
    Some(Plan {
        query: lines[..first]
            .iter()
            .take_while(|line| !line.starts_with("Query Parameters: "))
            .copied()
            .collect::<Vec<_>>()
            .join("\n"),
        lines: lines[first..]
            .iter()
            .map(|line| node(line, counts))
            .collect(),
    })
}

/// A line of a plan without its guesses, with its counts if asked for.
fn node(line: &str, counts: bool) -> String {
    let Some((name, numbers)) = line.split_once("  (cost=") else {
        // How much memory it took is another machine's business.
        let memory = line.find("  Memory").or_else(|| line.find("  Peak Memory"));
        return line[..memory.unwrap_or(line.len())].trim_end().to_owned();
    };
    let ran = numbers
        .split_once(" (")
        .map(|(_, ran)| format!(" ({}", ran.trim_start_matches("actual ")));
    match ran.filter(|_| counts) {
        Some(ran) => format!("{name}{ran}"),
        None => name.to_owned(),
    }
}

/// What the PL/pgSQL reports tell of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Report<'t> {
    /// A function begins: its name without a schema, or `None` for a `DO` block.
    Enter(Option<&'t str>),
    /// It is over. True: by an error.
    Leave(bool),
    /// A statement begins: line and the first word of its kind, lower case.
    Begin(u32, String),
    /// A statement is over. True: by an error.
    End(bool),
    /// Variables; `None` for null.
    Values(Vec<(&'t str, Option<String>)>),
}

/// Reads an entry of `plpgsql_check`.
pub(crate) fn report(text: &str) -> Option<Report<'_>> {
    let rest = text.strip_prefix('#')?;
    let rest = rest.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '.');
    let rest = rest.trim_start();
    let behind = rest.trim_start_matches(|sign: char| sign.is_ascii_digit());
    let number = &rest[..rest.len() - behind.len()];
    let behind = behind.trim_start();
    let aborted = behind.ends_with(") aborted");
    if let Some(name) = behind.strip_prefix("->> start of ") {
        let Some(name) = name.strip_prefix("function ") else {
            return Some(Report::Enter(None));
        };
        let name = name.split_once('(').map_or(name, |(name, _)| name);
        let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
        return Some(Report::Enter(Some(name.trim_matches('"'))));
    }
    if behind.starts_with("<<- end of ") {
        return Some(Report::Leave(aborted));
    }
    if behind.starts_with("<-- end of ") {
        return Some(Report::End(aborted));
    }
    if let Some(kind) = behind.strip_prefix("--> start of ") {
        let word = kind.split_whitespace().next().unwrap_or_default();
        return Some(Report::Begin(number.parse().ok()?, word.to_lowercase()));
    }
    behind
        .starts_with('"')
        .then(|| Report::Values(values(behind)))
}

/// `"a" => '1', "b" => null`; quotes in a value are not doubled, so the next name is looked for.
fn values(mut text: &str) -> Vec<(&str, Option<String>)> {
    let mut found = Vec::new();
    while let Some((name, rest)) = text.strip_prefix('"').and_then(|t| t.split_once("\" => ")) {
        let end = rest
            .match_indices(", \"")
            .map(|(at, _)| at)
            .find(|&at| {
                let quoted = !rest.starts_with('\'') || at > 1 && rest[..at].ends_with('\'');
                quoted && rest[at..].contains("\" => ")
            })
            .unwrap_or(rest.len());
        let value = &rest[..end];
        let inner = value
            .strip_prefix('\'')
            .and_then(|value| value.strip_suffix('\''));
        found.push((name, inner.map(str::to_owned)));
        text = rest[end..].trim_start_matches(", ");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_lines() {
        let mut log = Log::default();
        log.feed(b"12 LOG:  one\n\ttwo\n13 LOG:  three\nnoise\n");
        let entries = log.take();
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[0].process, &entries[0].text[..]), (12, "one\ntwo"));
    }

    #[test]
    fn a_plan_is_read_behind_its_query() {
        let text = "duration: 0.1 ms  plan:\nQuery Text: SELECT *\nFROM t;\n\
                    Sort  (cost=1..2 rows=3 width=4) (actual rows=2 loops=1)\n  Sort Key: a";
        let read = plan(text, true).expect("a plan");
        assert_eq!(read.query, "SELECT *\nFROM t;");
        assert_eq!(read.lines, ["Sort (rows=2 loops=1)", "  Sort Key: a"]);
        assert_eq!(plan(text, false).expect("a plan").lines[0], "Sort");
    }

    #[test]
    fn reports_are_read() {
        let read = |text| report(text).expect("a report");
        assert_eq!(
            read("#0            ->> start of function s.fact(integer) (oid=1, tnl=1)"),
            Report::Enter(Some("fact"))
        );
        assert_eq!(
            read("#0    ->> start of block inline_code_block (oid=0, tnl=1)"),
            Report::Enter(None)
        );
        assert_eq!(
            read("#0.2       7      --> start of IF (cond='n < 0') (tnl=1)"),
            Report::Begin(7, "if".into())
        );
        assert_eq!(
            read("#0.9    <-- end of PERFORM (elapsed time=0.201 ms) aborted"),
            Report::End(true)
        );
        assert_eq!(
            read("#0.6      \"r\" => 'it's', \"i\" => null, \"j\" => '2'"),
            Report::Values(vec![
                ("r", Some("it's".into())),
                ("i", None),
                ("j", Some("2".into()))
            ])
        );
        assert_eq!(report("#0   triggered by before row insert trigger"), None);
    }
}
