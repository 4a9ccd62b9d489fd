//! Sites at places of a script that are known by their offsets.

use std::ops::Range;

use tracer_instrument::Rewriter;
use tracer_model::{Detail, FunctionKind, Kind, Span};

/// Longest text of a condition, bytes.
const TEXT_LIMIT: usize = 160;

/// Makes sites.
pub(crate) struct Places<'r, 'a> {
    pub(crate) rewriter: &'r mut Rewriter<'a>,
    source: &'a [u8],
    lines: Vec<usize>,
    /// The function that sites belong to.
    pub(crate) function: u32,
}

impl<'r, 'a> Places<'r, 'a> {
    /// Of a file whose own code is this function.
    pub(crate) fn new(rewriter: &'r mut Rewriter<'a>, source: &'a [u8], function: u32) -> Self {
        let ends = source
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n');
        Self {
            lines: std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
            rewriter,
            source,
            function,
        }
    }

    pub(crate) fn wants(&self, detail: Detail) -> bool {
        self.rewriter.wants(detail)
    }

    /// A site whose values have names.
    pub(crate) fn named(&mut self, kind: Kind, span: &Range<usize>, names: &[&str]) -> u32 {
        let site = self.site(kind, span.clone());
        self.rewriter
            .set_names(site, names.iter().map(|name| (*name).to_owned()));
        site
    }

    pub(crate) fn site(&mut self, kind: Kind, span: Range<usize>) -> u32 {
        let place = self.span(&span);
        let site = self.rewriter.site_at(kind, self.function, place);
        if kind == Kind::Branch {
            self.rewriter.site_mut(site).text = self.label(&span);
        }
        site
    }

    /// Begins a function; gives the one around it.
    pub(crate) fn enter_function(
        &mut self,
        name: &str,
        span: &Range<usize>,
        kind: FunctionKind,
    ) -> u32 {
        let place = self.span(span);
        let function = self.rewriter.function_at(name, place, kind);
        std::mem::replace(&mut self.function, function)
    }

    /// The line of an offset, from 1.
    pub(crate) fn line(&self, at: usize) -> u32 {
        self.lines.partition_point(|&line| line <= at) as u32
    }

    /// The text of a place, on one line.
    pub(crate) fn label(&self, span: &Range<usize>) -> String {
        let text = &self.source[span.clone()];
        let text = String::from_utf8_lossy(&text[..text.len().min(TEXT_LIMIT)]).into_owned();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn span(&self, span: &Range<usize>) -> Span {
        let line = self.line(span.start);
        let start = self.lines[line as usize - 1];
        Span {
            start: span.start as u32,
            end: span.end as u32,
            line,
            column: (span.start - start) as u32 + 1,
            end_line: self.line(span.end.saturating_sub(1).max(span.start)),
        }
    }
}
