//! The source text that a site is about.

use std::collections::BTreeMap;

use tracer_model::{Kind, Site, SiteTable};

/// Longest source line shown whole.
const LONG_LINE: usize = 200;

/// Source files by line.
pub(crate) struct Source<'t> {
    table: &'t SiteTable,
    /// Statements that begin on each line of each file.
    statements: BTreeMap<(u32, u32), u32>,
    lines: Vec<Vec<&'t str>>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(table: &'t SiteTable) -> Self {
        let mut statements = BTreeMap::new();
        for site in table.sites.iter().filter(|site| site.kind == Kind::Step) {
            *statements.entry((site.file, site.span.line)).or_insert(0) += 1;
        }
        let lines = table
            .files
            .iter()
            .map(|file| file.text.lines().collect())
            .collect();
        Self {
            table,
            statements,
            lines,
        }
    }

    /// The site's line without the indentation of its function; the statement alone where the
    /// line holds more.
    pub(crate) fn of(&self, site: &Site) -> String {
        let lines = self.lines.get(site.file as usize);
        let line_of =
            |line: u32| -> Option<&'t str> { lines?.get((line as usize).checked_sub(1)?).copied() };
        let Some(line) = line_of(site.span.line) else {
            return site.text.clone();
        };
        let indent = self
            .table
            .functions
            .get(site.function as usize)
            .and_then(|function| line_of(function.span.line))
            .map_or(0, |first| first.len() - first.trim_start().len());
        let shared = self
            .statements
            .get(&(site.file, site.span.line))
            .is_some_and(|&n| n > 1);
        let own = line.len() - line.trim_start().len();
        let indent = indent.min(own);
        if (shared && matches!(site.kind, Kind::Step | Kind::Loop)) || line.len() > LONG_LINE {
            let text = self
                .table
                .files
                .get(site.file as usize)
                .map_or("", |file| &file.text);
            let span = text
                .get(site.span.start as usize..site.span.end as usize)
                .unwrap_or("");
            let span = span.lines().next().unwrap_or("").chars().take(LONG_LINE);
            return std::iter::repeat_n(' ', own - indent).chain(span).collect();
        }
        line.get(indent..)
            .unwrap_or(line)
            .trim_end()
            .replace('\t', "    ")
    }
}
