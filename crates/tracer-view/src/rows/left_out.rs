//! Rows for what is left out: folded rounds and calls, and visits that were only counted.

use tracer_model::{Event, Kind, Payload, Value};

use super::{Row, RowKind, Rows};
use crate::fold::{Fold, Folded};

impl<F: FnMut(Row)> Rows<'_, F> {
    pub(super) fn folded(&mut self, fold: &Fold, events: &[Event]) {
        self.flush();
        let Some(first) = events.first() else { return };
        let text = match fold.what {
            Folded::Call => return self.folded_call(events),
            Folded::Rounds { first, last } if first == last => {
                format!("round {first} is like those before")
            }
            Folded::Rounds { first, last } => {
                format!("rounds {first} to {last} are like those before")
            }
        };
        let mut row = self.row(RowKind::Folded, first, text);
        let output: usize = events
            .iter()
            .filter_map(|event| match &event.payload {
                Payload::Stdout { text, .. } => Some(text.matches('\n').count()),
                _ => None,
            })
            .sum();
        if output > 0 {
            row.notes.push(format!("{output} lines of output"));
        }
        self.at.remove(&(first.task, first.depth));
        (self.sink)(row);
    }

    fn folded_call(&mut self, events: &[Event]) {
        let [entered, .., left] = events else { return };
        let site = self.table.site(entered.site);
        let (Payload::In { args }, Payload::Out { value, .. }) = (&entered.payload, &left.payload)
        else {
            return;
        };
        let mut text = self.call(site, args);
        if let Some(value) = value {
            text = format!("{text} → {}", self.short(value));
        }
        let row = self.row(RowKind::Whole, entered, text);
        self.at.remove(&(entered.task, entered.depth));
        (self.sink)(row);
    }

    /// One row for visits left out together.
    pub(super) fn flush_elided(&mut self) {
        let elided = std::mem::take(&mut self.elided);
        let Some(first) = elided.first() else { return };
        let most = |kind: Option<Kind>| {
            elided
                .iter()
                .filter(|event| {
                    kind.is_none_or(|kind| {
                        self.table
                            .site(event.site)
                            .is_some_and(|site| site.kind == kind)
                    })
                })
                .filter_map(|event| match event.payload {
                    Payload::Elide { count, .. } => Some((count, event.line)),
                    _ => None,
                })
                .max_by_key(|&(count, line)| (count, std::cmp::Reverse(line)))
        };
        let is_call = |event: &Event| {
            let site = self.table.site(event.site);
            site.filter(|site| site.kind == Kind::Call)
        };
        let text = match (most(Some(Kind::Loop)), most(None)) {
            (Some((count, line)), _) => format!("{count} more rounds of line {line} left out"),
            (None, Some(_)) if elided.iter().all(|event| is_call(event).is_some()) => {
                let mut counts: Vec<(&str, u64)> = Vec::new();
                for event in &elided {
                    let (Some(site), Payload::Elide { count, .. }) =
                        (is_call(event), &event.payload)
                    else {
                        continue;
                    };
                    match counts.iter_mut().find(|(callee, _)| *callee == site.text) {
                        Some((_, known)) => *known += count,
                        None => counts.push((&site.text, *count)),
                    }
                }
                let each = counts.iter().enumerate().map(|(at, (callee, count))| {
                    let calls = if at == 0 { " more calls" } else { "" };
                    format!("{count}{calls} of {callee}")
                });
                format!("{} left out", each.collect::<Vec<_>>().join(", "))
            }
            (None, Some((count, _))) => {
                let lines = elided
                    .iter()
                    .map(|event| event.line)
                    .filter(|&line| line > 0);
                let (low, high) = (lines.clone().min().unwrap_or(0), lines.max().unwrap_or(0));
                let place = if low == high {
                    format!("line {low}")
                } else {
                    format!("lines {low}–{high}")
                };
                format!("{place} visited {count} more times")
            }
            (None, None) => return,
        };
        let mut row = self.row(RowKind::Elided, first, text);
        row.line = 0;
        for event in &elided {
            let Payload::Elide {
                last: Some(last), ..
            } = &event.payload
            else {
                continue;
            };
            let values: Vec<(&String, &Value)> = match &**last {
                Payload::Var { name, value } => vec![(name, value)],
                Payload::Loop { targets, .. } => {
                    targets.iter().map(|(name, value)| (name, value)).collect()
                }
                _ => continue,
            };
            for (name, value) in values {
                let note = format!("{name} = {}", self.short(value));
                if !row.notes.contains(&note) {
                    row.notes.push(note);
                }
            }
        }
        self.at.remove(&(first.task, first.depth));
        (self.sink)(row);
    }
}
