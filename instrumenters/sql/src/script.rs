//! Makes the sites of a script and tells the runner of them.

use std::ops::Range;

use tracer_instrument::{Node, Rewriter};
use tracer_model::{Detail, FunctionKind, Kind};
use tracer_runtime_sql::dot;
use tracer_runtime_sql::sites::{Effect, FileSites, StatementSites, TriggerSites};
use tracer_runtime_sql::split::{Piece, Text, split};

use crate::dialect::{self, Dialect};
use crate::places::Places;
use crate::postgresql;
use crate::statement::{self, Statement, Trigger};

/// Begins the comment behind a script.
pub(crate) const OPEN: &str = "/*tracer ";
/// Ends it.
pub(crate) const CLOSE: &str = "*/";

pub(crate) fn finish<'a>(rewriter: &mut Rewriter<'a>, _: Node<'a>) {
    let text = Text::new(rewriter.source);
    let pieces = split(&text.bytes);
    match dialect::of(&text, &pieces) {
        Dialect::Sqlite => {}
        Dialect::PostgreSql => {
            let sites = postgresql::sites(rewriter);
            return note(rewriter, &sites);
        }
        Dialect::Other(why) => return rewriter.refuse(why),
    }
    let relations = relations(rewriter);
    let (source, module) = (rewriter.source, rewriter.options.first_function);
    let mut script = Script {
        places: Places::new(rewriter, source, module),
        relations,
        text: &text,
        sites: FileSites::default(),
    };
    script.whole(&pieces);
    let sites = script.sites.encode();
    note(rewriter, &sites);
}

/// One comment behind the script.
fn note(rewriter: &mut Rewriter<'_>, sites: &str) {
    let facts = format!("{OPEN}{sites}{CLOSE}");
    rewriter.open_at(rewriter.source.len(), 0, facts);
}

/// The tables that queries name: their sites by offset.
fn relations(rewriter: &Rewriter<'_>) -> Vec<(usize, u32)> {
    let mut found: Vec<(usize, u32)> = rewriter
        .sites()
        .iter()
        .map(|site| (site.span.start as usize, site.id))
        .collect();
    found.sort_unstable();
    found
}

struct Script<'r, 'a, 't> {
    places: Places<'r, 'a>,
    text: &'t Text,
    relations: Vec<(usize, u32)>,
    sites: FileSites,
}

impl Script<'_, '_, '_> {
    fn whole(&mut self, pieces: &[Piece]) {
        // A file that another one reads is left again.
        if self.places.rewriter.options.file > 0 {
            self.sites.enter = self.site(Kind::In, 0..0);
        }
        for piece in pieces {
            match piece {
                Piece::Dot { span, .. } => {
                    let said = String::from_utf8_lossy(&self.text.bytes[span.clone()]);
                    let imported = dot::imports(&said).map(|target| Statement {
                        effect: Effect::Insert,
                        target,
                        ..Statement::default()
                    });
                    let sites = self.statement(span, &imported.unwrap_or_default());
                    self.sites.statements.push(sites);
                }
                Piece::Sql { statements, .. } => {
                    for span in statements {
                        let span = self.bare(span.clone());
                        let read = statement::read(&self.text.bytes, span.clone());
                        let sites = self.statement(&span, &read);
                        let created = sites.step;
                        self.sites.statements.push(sites);
                        if let Some(trigger) = &read.trigger {
                            let sites = self.trigger(&span, trigger, created);
                            self.sites.triggers.push(sites);
                        }
                        if let Some(table) = &read.table
                            && self.wants(Detail::State)
                        {
                            let site = self.named(Kind::Transform, &span, &[table]);
                            self.sites.tables.push((table.clone(), created, site));
                        }
                    }
                }
            }
        }
        if self.places.rewriter.options.file > 0 {
            let end = self.text.bytes.len();
            self.sites.leave = self.site(Kind::Out, end..end);
        }
    }

    /// A statement without its `;`.
    fn bare(&self, span: Range<usize>) -> Range<usize> {
        let text = self.text.bytes[span.clone()].trim_ascii_end();
        let text = text.strip_suffix(b";").unwrap_or(text).trim_ascii_end();
        span.start..span.start + text.len()
    }

    fn statement(&mut self, span: &Range<usize>, read: &Statement) -> StatementSites {
        let mut sites = StatementSites {
            start: self.text.in_file(span.start),
            end: self.text.in_file(span.end.max(1) - 1) + 1,
            step: self.site(Kind::Step, span.clone()),
            effect: read.effect,
            target: read.target.clone(),
            ..StatementSites::default()
        };
        if self.wants(Detail::Lines) {
            for name in &read.recursive {
                let site = self.site(Kind::Loop, name.clone());
                self.places.rewriter.site_mut(site).inner = Some((site, site));
                sites
                    .loops
                    .push((site, statement::name(&self.text.bytes, name.clone())));
            }
        }
        if !self.wants(Detail::State) {
            return sites;
        }
        if read.effect.changes() {
            sites.change = self.named(Kind::Transform, span, &[&read.target]);
        }
        let names: &[&str] = match read.effect {
            Effect::Transaction => &["transaction", "savepoints"],
            Effect::None if read.queries => &["result"],
            Effect::None => &[],
            _ => &["changes", "result"],
        };
        if !names.is_empty() {
            sites.values = self.named(Kind::Var, span, names);
        }
        if read.queries {
            sites.plan = self.named(Kind::Call, span, &[]);
        }
        if self.wants(Detail::Full) {
            let from = self.relations.partition_point(|(at, _)| *at < sites.start);
            for &(_, site) in self.relations[from..]
                .iter()
                .take_while(|(at, _)| *at < sites.end)
            {
                let label = self.places.rewriter.site_mut(site).names.concat();
                sites.tables.push((site, called(&label)));
            }
        }
        sites
    }

    fn trigger(&mut self, span: &Range<usize>, trigger: &Trigger, created: u32) -> TriggerSites {
        let bytes = &self.text.bytes;
        let name = statement::name(bytes, trigger.name.clone());
        let whole = self.in_file(span);
        let outer = self
            .places
            .enter_function(&name, &whole, FunctionKind::Function);
        let arguments: &[&str] = match trigger.event {
            Effect::Insert => &["new"],
            Effect::Update => &["old", "new"],
            _ => &["old"],
        };
        let enter = self.named(Kind::In, span, arguments);
        let condition = trigger
            .condition
            .clone()
            .filter(|_| self.wants(Detail::Lines))
            .map_or(0, |condition| self.site(Kind::Branch, condition));
        let body = trigger
            .body
            .iter()
            .map(|span| {
                let read = statement::read(&self.text.bytes, span.clone());
                let mut sites = self.statement(span, &read);
                // The engine tells neither of a trigger's statements.
                (sites.values, sites.plan) = (0, 0);
                sites
            })
            .collect();
        let leave = self.site(Kind::Out, span.clone());
        self.places.function = outer;
        TriggerSites {
            created,
            name,
            table: statement::name(&self.text.bytes, trigger.table.clone()),
            event: trigger.event,
            after: trigger.after,
            enter,
            leave,
            condition,
            body,
        }
    }

    fn wants(&self, detail: Detail) -> bool {
        self.places.wants(detail)
    }

    fn named(&mut self, kind: Kind, span: &Range<usize>, names: &[&str]) -> u32 {
        let span = self.in_file(span);
        self.places.named(kind, &span, names)
    }

    fn site(&mut self, kind: Kind, span: Range<usize>) -> u32 {
        let span = self.in_file(&span);
        self.places.site(kind, span)
    }

    fn in_file(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text.in_file(span.start);
        let end = if span.is_empty() {
            start
        } else {
            self.text.in_file(span.end - 1) + 1
        };
        start..end
    }
}

/// The name that a plan calls a table by: its alias where it has one.
fn called(label: &str) -> String {
    let last = label.split_whitespace().next_back().unwrap_or_default();
    let last = last.rsplit('.').next().unwrap_or_default();
    last.trim_matches(['"', '`', '[', ']']).to_owned()
}
