//! Which loop iterations a view may leave out: those in which nothing new happens.
//!
//! An iteration is kept if it is one of the first, the last, or has a branch outcome, a place or
//! an error not seen before. Says only what to skip, not how to show it.

use std::collections::BTreeMap;

use tracer_model::{Event, Kind, LoopPhase, Payload};

/// Iterations left out in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fold {
    /// Index of the first event left out.
    pub(crate) start: usize,
    /// One past the last.
    pub(crate) end: usize,
    /// Number of the first iteration left out.
    pub(crate) first: u64,
    /// Number of the last.
    pub(crate) last: u64,
}

/// The iterations to leave out, outermost only, in order. `keep` is how many of the first stay.
pub(crate) fn folds(events: &[Event], keep: u64) -> Vec<Fold> {
    let news = novelty(events);
    let mut open: BTreeMap<(u32, u32, u32), (usize, u64)> = BTreeMap::new();
    let mut found: Vec<Fold> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Payload::Loop { phase, count, .. } = &event.payload else { continue };
        let index = beginning(events, at);
        let key = (event.task, event.depth, event.site);
        match phase {
            LoopPhase::Entered | LoopPhase::Left => {
                open.remove(&key);
            }
            LoopPhase::Iteration => {
                let previous = open.insert(key, (index, *count));
                let Some((start, number)) = previous.filter(|(_, number)| number + 1 == *count)
                else {
                    continue;
                };
                // Another iteration follows, so the previous one is not the last.
                if number > keep && news[start] == news[index] {
                    found.push(Fold { start, end: index, first: number, last: number });
                }
            }
        }
    }
    merge(found)
}

/// Where an iteration begins: with what its head did just before (`i++` of a C-like loop).
fn beginning(events: &[Event], at: usize) -> usize {
    let head = &events[at];
    let before = events[..at].iter().rev().take_while(|event| {
        matches!(event.kind, Kind::Var | Kind::Branch | Kind::Transform | Kind::Call)
            && (event.task, event.depth, event.line) == (head.task, head.depth, head.line)
    });
    at - before.count()
}

/// Joins neighbours and drops what lies within another fold.
fn merge(mut found: Vec<Fold>) -> Vec<Fold> {
    found.sort_by_key(|fold| (fold.start, std::cmp::Reverse(fold.end)));
    let mut merged: Vec<Fold> = Vec::new();
    for fold in found {
        match merged.last_mut() {
            Some(last) if fold.end <= last.end => {}
            Some(last) if fold.start == last.end && fold.first == last.last + 1 => {
                (last.end, last.last) = (fold.end, fold.last);
            }
            _ => merged.push(fold),
        }
    }
    // A line that says that a line is left out gains nothing.
    merged.retain(|fold| fold.first < fold.last || fold.end - fold.start > 4);
    merged
}

/// For each event, how many before it were news.
fn novelty(events: &[Event]) -> Vec<u32> {
    let mut seen = std::collections::BTreeSet::new();
    let mut count = 0;
    let mut counts = Vec::with_capacity(events.len() + 1);
    for event in events {
        counts.push(count);
        let what = match &event.payload {
            Payload::Branch { arm, .. } => 1 + arm.index,
            // Errors are always news.
            Payload::Err { .. } => {
                count += 1;
                continue;
            }
            Payload::Elide { .. } | Payload::Stdout { .. } | Payload::Loop { .. } => continue,
            _ => 0,
        };
        if event.site != 0 && seen.insert((event.site, what)) {
            count += 1;
        }
    }
    counts
}
