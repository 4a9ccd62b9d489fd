//! Which loop iterations and calls a view may leave out: those in which nothing new happens.
//!
//! An iteration is kept if it is one of the first, the last, or has a branch outcome, a place or
//! an error not seen before; a call also if the program writes anything in it. Says only what to
//! skip, not how to show it.

use std::collections::{BTreeMap, BTreeSet};

use tracer_model::{Event, Kind, LoopPhase, Payload, SiteTable};

/// Events left out in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fold {
    /// Index of the first event left out.
    pub(crate) start: usize,
    /// One past the last.
    pub(crate) end: usize,
    pub(crate) what: Folded,
}

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    /// Iterations, by number.
    Rounds { first: u64, last: u64 },
    /// A call, from its `IN` to its `OUT`.
    Call,
}

/// What to leave out, outermost only, in order. `keep` is how many rounds of a loop and calls of a
/// function stay.
pub(crate) fn folds(table: &SiteTable, events: &[Event], keep: u64) -> Vec<Fold> {
    let news = News::new(events);
    let mut found = rounds(events, &news, keep);
    found.extend(calls(table, events, &news, keep));
    merge(found)
}

fn rounds(events: &[Event], news: &News, keep: u64) -> Vec<Fold> {
    let mut open: BTreeMap<(u32, u32, u32), (usize, u64)> = BTreeMap::new();
    let mut found: Vec<Fold> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Payload::Loop { phase, count, .. } = &event.payload else {
            continue;
        };
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
                if number > keep && news.places[start] == news.places[index] {
                    let what = Folded::Rounds {
                        first: number,
                        last: number,
                    };
                    found.push(Fold {
                        start,
                        end: index,
                        what,
                    });
                }
            }
        }
    }
    found
}

fn calls(table: &SiteTable, events: &[Event], news: &News, keep: u64) -> Vec<Fold> {
    let mut open: BTreeMap<u32, Vec<(usize, u32, u32)>> = BTreeMap::new();
    let mut completed: BTreeMap<u32, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Some(site) = table.site(event.site) else {
            continue;
        };
        let stack = open.entry(event.task).or_default();
        match event.payload {
            Payload::In { .. } => {
                while stack
                    .pop_if(|(_, depth, _)| *depth >= event.depth)
                    .is_some()
                {}
                stack.push((at, event.depth, site.function));
            }
            Payload::Out {
                unwinding,
                suspended,
                ..
            } => {
                while stack.pop_if(|(_, depth, _)| *depth > event.depth).is_some() {}
                let of_this = |(_, depth, function): &mut (usize, u32, u32)| {
                    (*depth, *function) == (event.depth, site.function)
                };
                let Some((start, _, function)) = stack.pop_if(of_this) else {
                    continue;
                };
                let count = completed.entry(function).or_insert(0);
                *count += 1;
                let end = at + 1;
                let plain = !unwinding && !suspended && end - start > 2;
                if plain && *count > keep && news.nothing(start, end) {
                    found.push(Fold {
                        start,
                        end,
                        what: Folded::Call,
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// Where an iteration begins: with what its head did just before (`i++` of a C-like loop).
fn beginning(events: &[Event], at: usize) -> usize {
    let head = &events[at];
    let before = events[..at].iter().rev().take_while(|event| {
        matches!(
            event.kind,
            Kind::Var | Kind::Branch | Kind::Transform | Kind::Call
        ) && (event.task, event.depth, event.line) == (head.task, head.depth, head.line)
    });
    at - before.count()
}

/// Joins neighbours and drops what lies within another fold.
fn merge(mut found: Vec<Fold>) -> Vec<Fold> {
    found.sort_by_key(|fold| (fold.start, std::cmp::Reverse(fold.end)));
    let mut merged: Vec<Fold> = Vec::new();
    for fold in found {
        if let Some(last) = merged.last_mut() {
            if fold.end <= last.end {
                continue;
            }
            if let (
                Folded::Rounds { last: before, .. },
                Folded::Rounds {
                    first,
                    last: number,
                },
            ) = (&mut last.what, fold.what)
                && fold.start == last.end
                && first == *before + 1
            {
                (last.end, *before) = (fold.end, number);
                continue;
            }
        }
        merged.push(fold);
    }
    // A line that says that a line is left out gains nothing.
    merged.retain(|fold| match fold.what {
        Folded::Rounds { first, last } => first < last || fold.end - fold.start > 4,
        Folded::Call => true,
    });
    merged
}

/// For each event, and the end, how many before it were news.
struct News {
    /// Places, branch outcomes, errors.
    places: Vec<u32>,
    /// Output.
    output: Vec<u32>,
}

impl News {
    fn new(events: &[Event]) -> Self {
        let mut seen = BTreeSet::new();
        let (mut place, mut written) = (0, 0);
        let mut news = Self {
            places: vec![0],
            output: vec![0],
        };
        for event in events {
            let what = match &event.payload {
                Payload::Branch { arm, .. } => Some(1 + arm.index),
                Payload::Stdout { .. } => {
                    written += 1;
                    None
                }
                Payload::Err { .. } => {
                    place += 1;
                    None
                }
                Payload::Elide { .. } | Payload::Loop { .. } => None,
                _ => Some(0),
            };
            if let Some(what) = what
                && event.site != 0
                && seen.insert((event.site, what))
            {
                place += 1;
            }
            news.places.push(place);
            news.output.push(written);
        }
        news
    }

    /// Whether nothing new happens in a range.
    fn nothing(&self, start: usize, end: usize) -> bool {
        self.places[start] == self.places[end] && self.output[start] == self.output[end]
    }
}
