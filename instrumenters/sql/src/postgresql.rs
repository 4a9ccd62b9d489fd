//! Makes the sites of a script for PostgreSQL.

use std::ops::Range;

use tracer_instrument::Rewriter;
use tracer_model::{Detail, Dropped, FunctionKind, Kind};
use tracer_runtime_sql::postgresql::sites::{BodySites, FileSites, FunctionSites, StatementSites};
use tracer_runtime_sql::postgresql::split::{Piece, split, tokens};

use crate::places::Places;
use crate::routine::{self, Routine};

/// What such a trace cannot tell, said once a script.
const NOT_TOLD: &str = "PostgreSQL tells no rows before and after a change, no rounds of recursion \
                        and no lines of functions in languages other than PL/pgSQL";

/// What is said of a script with a trigger that `plpgsql_check` cannot report of.
const NOT_REPORTED: &str = "functions in PL/pgSQL do not report in a script with a trigger on \
                            DELETE, or one that uses plpgsql_check";

/// The sites of a script.
pub(crate) fn sites(rewriter: &mut Rewriter<'_>) -> String {
    let source = rewriter.source;
    let function = rewriter.options.first_function;
    let mut script = Script {
        places: Places::new(rewriter, source, function),
        source,
        sites: FileSites::default(),
    };
    script.whole(&split(source));
    let encoded = script.sites.encode();
    let silent = routine::is_silent(source);
    let said = [
        (rewriter.options.file == 0, NOT_TOLD),
        (silent, NOT_REPORTED),
    ];
    for (_, detail) in said.into_iter().filter(|(said, _)| *said) {
        rewriter.drop_at(Dropped {
            file: rewriter.options.file,
            line: 1,
            reason: "engine".into(),
            detail: detail.into(),
        });
    }
    encoded
}

struct Script<'r, 'a> {
    places: Places<'r, 'a>,
    source: &'a [u8],
    sites: FileSites,
}

impl Script<'_, '_> {
    fn whole(&mut self, pieces: &[Piece]) {
        let included = self.places.rewriter.options.file > 0;
        if included {
            self.sites.enter = self.places.site(Kind::In, 0..0);
        }
        for piece in pieces {
            let sites = self.statement(piece);
            let created = sites.step;
            self.sites.statements.push(sites);
            if !piece.command
                && let Some(routine) = routine::read(self.source, piece.span.clone())
            {
                let sites = self.routine(&piece.span, &routine, created);
                self.sites.functions.push(sites);
            }
        }
        if included {
            let end = self.source.len();
            self.sites.leave = self.places.site(Kind::Out, end..end);
        }
    }

    fn statement(&mut self, piece: &Piece) -> StatementSites {
        let span = piece.span.clone();
        let mut sites = StatementSites {
            start: span.start,
            end: span.end,
            command: piece.command,
            step: self.places.site(Kind::Step, span.clone()),
            ..StatementSites::default()
        };
        let what = what(self.source, span.clone());
        sites.transaction = what == What::Transaction && !piece.command;
        sites.changes = what == What::Change && !piece.command;
        if piece.command || !self.places.wants(Detail::State) {
            return sites;
        }
        let names: &[&str] = match what {
            What::Transaction => &["transaction", "savepoints"],
            What::Change => &["changes", "result"],
            What::Query => &["result"],
            What::Other => &[],
        };
        if !names.is_empty() {
            sites.values = self.places.named(Kind::Var, &span, names);
        }
        let explains = self.source[span.clone()]
            .get(..7)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"explain"));
        if matches!(what, What::Change | What::Query) && !explains {
            sites.plan = self.places.named(Kind::Call, &span, &[]);
        }
        sites
    }

    fn routine(&mut self, span: &Range<usize>, routine: &Routine, created: u32) -> FunctionSites {
        let name = if routine.name.is_empty() {
            "DO"
        } else {
            &routine.name
        };
        let outer = self
            .places
            .enter_function(name, span, FunctionKind::Function);
        let arguments: Vec<&str> = routine.arguments.iter().map(String::as_str).collect();
        let mut sites = FunctionSites {
            created,
            name: routine.name.clone(),
            line: self.places.line(routine.body.start),
            enter: self.places.named(Kind::In, span, &arguments),
            arguments: routine.arguments.clone(),
            ..FunctionSites::default()
        };
        if self.places.wants(Detail::Lines) {
            let mut made = Vec::new();
            for statement in &routine.statements {
                let body = self.body(statement, &made);
                made.push(body);
            }
            self.decide(routine, &mut made);
            sites.body = made;
        }
        sites.leave = self.places.site(Kind::Out, span.clone());
        self.places.function = outer;
        sites
    }

    /// The sites of one statement; those it begins or decides of others are among `made`.
    fn body(&mut self, statement: &routine::Statement, made: &[BodySites]) -> BodySites {
        let span = statement.span.clone();
        let mut body = BodySites {
            line: self.places.line(statement.at),
            kind: statement.kind.clone(),
            returned: statement
                .returned
                .as_ref()
                .map_or_else(String::new, |returned| self.places.label(returned)),
            round: statement.round.map_or(0, |outer| made[outer].loops),
            step: self.places.site(Kind::Step, span.clone()),
            ..BodySites::default()
        };
        if statement.is_loop {
            body.loops = self.places.site(Kind::Loop, span.clone());
            let site = body.loops;
            self.places.rewriter.site_mut(site).inner = Some((site, site));
        }
        if let Some(condition) = &statement.caught {
            body.caught = self.places.site(Kind::Err, condition.clone());
            body.condition = self.places.label(condition);
        }
        if self.places.wants(Detail::State) {
            if let Some(target) = &statement.target {
                let name = self.places.label(target);
                body.values = self.places.named(Kind::Var, &span, &[&name]);
            }
            if !matches!(
                statement.kind.as_str(),
                "statement" | "loop" | "exit" | "continue"
            ) {
                body.plan = self.places.named(Kind::Call, &span, &[]);
            }
        }
        body
    }

    /// Branches: the site of each condition, told by the statement that begins an arm.
    fn decide(&mut self, routine: &Routine, made: &mut [BodySites]) {
        for (at, statement) in routine.statements.iter().enumerate() {
            let sites: Vec<u32> = statement
                .conditions
                .iter()
                .map(|condition| self.places.site(Kind::Branch, condition.clone()))
                .collect();
            for arm in &statement.arms {
                let Some(first) = arm.first else { continue };
                made[first].arms = decided(&sites, arm.number);
            }
            // An arm without a statement is known to be taken where it is the only one that can be.
            let closed = statement.arms.iter().any(|arm| arm.number >= sites.len());
            let silent = statement.arms.iter().filter(|arm| arm.first.is_none());
            let outcomes: Vec<usize> = silent
                .map(|arm| arm.number)
                .chain((!closed).then_some(sites.len()))
                .collect();
            if let [taken] = outcomes[..] {
                made[at].otherwise = decided(&sites, taken);
            }
        }
    }
}

/// What an arm that is taken says of the conditions up to it.
fn decided(sites: &[u32], taken: usize) -> Vec<(u32, u32)> {
    let sites = sites.iter().take(taken + 1).enumerate();
    sites
        .map(|(number, site)| (*site, u32::from(number == taken)))
        .collect()
}

/// What a statement does, as far as its sites depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Transaction,
    Change,
    Query,
    Other,
}

fn what(source: &[u8], span: Range<usize>) -> What {
    let words: Vec<String> = tokens(source, span)
        .map(|token| String::from_utf8_lossy(&source[token]).to_lowercase())
        .collect();
    let first = words.first().map(String::as_str).unwrap_or_default();
    match first {
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => {
            What::Transaction
        }
        "insert" | "update" | "delete" | "merge" | "copy" => What::Change,
        "with" => {
            let mut depth = 0;
            for word in &words {
                match word.as_str() {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    "insert" | "update" | "delete" | "merge" if depth == 0 => return What::Change,
                    "select" | "values" if depth == 0 => return What::Query,
                    _ => {}
                }
            }
            What::Query
        }
        "select" | "values" | "table" | "show" | "explain" | "execute" | "fetch" | "call" | "("
        | "declare" | "do" => What::Query,
        "create" if words.iter().any(|word| word == "select") => What::Query,
        _ => What::Other,
    }
}
