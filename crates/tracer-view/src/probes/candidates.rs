//! Sites that a plain statement can report, and what it would print in each run.
//!
//! A probe before a statement prints when that statement's `STEP` happens, one behind it when its
//! write happens. A site whose steps and events do not pair up in every run is not used.

use std::collections::{BTreeMap, BTreeSet};

use tracer_model::{
    Event, FunctionKind, Kind, LoopPhase, Payload, Phrase, Printable, Shape, Site, SiteTable, Value,
};

use super::Run;
use super::place::{before, behind, follows_else, is_plain, leaves, text_of};

/// Visits that are told apart when sites are weighed.
const DISTINCT: usize = 6;

/// What a probe prints behind its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Fixed words, which are in the head.
    Fixed,
    /// Names with the type they have.
    Values(Vec<(String, String)>),
}

/// A probe that can be written.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) key: String,
    kind: Kind,
    location: String,
    words: String,
    pub(super) state: State,
    pub(super) offset: usize,
    pub(super) indent: String,
    /// Order of probes at one place.
    pub(super) rank: u8,
    bonus: usize,
    /// For each run: index of the event, and the state.
    pub(super) lines: Vec<Vec<(usize, String)>>,
}

impl Candidate {
    pub(super) fn head(&self) -> String {
        let kind = match self.kind {
            Kind::In => "IN",
            Kind::Out => "OUT",
            Kind::Branch => "BRANCH",
            Kind::Loop => "LOOP",
            _ => "VAR",
        };
        format!("TRACE:{kind}:{}:{}", self.location, self.words)
    }

    pub(super) fn visits(&self) -> usize {
        self.lines.iter().map(Vec::len).sum()
    }

    pub(super) fn characters(&self) -> usize {
        let head = self.head().len() + 1;
        let lines = self.lines.iter().flatten();
        lines.map(|(_, state)| head + state.len()).sum()
    }

    /// How much its lines say.
    pub(super) fn score(&self) -> usize {
        let distinct: BTreeSet<&str> = self.lines.iter().flatten().map(|(_, s)| &s[..]).collect();
        if self.visits() == 0 {
            return self.bonus;
        }
        4 + self.bonus + distinct.len().min(DISTINCT)
    }
}

struct Finder<'t> {
    table: &'t SiteTable,
    runs: &'t [Run<'t>],
    phrase: &'t Phrase,
    source: &'t str,
    /// Statements of the main file by place; the longer first.
    steps: Vec<&'t Site>,
    /// Event indices by site, a run each.
    events: Vec<BTreeMap<u32, Vec<usize>>>,
    /// Sites with visits that were not recorded.
    elided: BTreeSet<u32>,
}

pub(super) fn candidates(runs: &[Run<'_>], phrase: &Phrase) -> Vec<Candidate> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let table = &first.trace.table;
    let Some(main) = table.files.first() else {
        return Vec::new();
    };
    let mut steps: Vec<&Site> = table
        .sites
        .iter()
        .filter(|site| site.kind == Kind::Step && site.file == 0)
        .collect();
    steps.sort_by_key(|step| (step.span.start, std::cmp::Reverse(step.span.end)));
    let mut elided = BTreeSet::new();
    let mut events = Vec::new();
    for run in runs {
        let mut by_site: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, event) in run.trace.events.iter().enumerate() {
            by_site.entry(event.site).or_default().push(index);
            if event.kind == Kind::Elide {
                elided.insert(event.site);
            }
        }
        events.push(by_site);
    }
    let finder = Finder {
        table,
        runs,
        phrase,
        source: &main.text,
        steps,
        events,
        elided,
    };
    table
        .sites
        .iter()
        .filter(|site| site.file == 0)
        .flat_map(|site| finder.of(site))
        .collect()
}

impl<'t> Finder<'t> {
    fn of(&self, site: &'t Site) -> Vec<Candidate> {
        let body = self.table.functions.get(site.function as usize);
        let odd = |kind| {
            matches!(
                kind,
                FunctionKind::Class | FunctionKind::Comprehension | FunctionKind::Lambda
            )
        };
        if self.elided.contains(&site.id) || body.is_none_or(|body| odd(body.kind)) {
            return Vec::new();
        }
        let found = match site.kind {
            Kind::Var if !site.expression => vec![self.write(site)],
            Kind::In => vec![self.entry(site)],
            Kind::Out => vec![self.exit(site)],
            Kind::Branch => vec![self.arm(site, 1), self.arm(site, 0)],
            Kind::Loop => vec![self.round(site), self.left(site)],
            _ => Vec::new(),
        };
        found.into_iter().flatten().collect()
    }

    fn candidate(&self, site: &Site, at: (usize, String)) -> Candidate {
        let name = self
            .table
            .functions
            .get(site.function as usize)
            .map_or("", |function| &function.name);
        let location: String = name
            .replace("::", ".")
            .chars()
            .filter(|c| c.is_alphanumeric() || "_.-?!".contains(*c))
            .collect();
        Candidate {
            key: format!("{:?}-{}", site.kind, site.id),
            kind: site.kind,
            location,
            words: String::new(),
            state: State::Fixed,
            offset: at.0,
            indent: at.1,
            rank: 1,
            bonus: 0,
            lines: vec![Vec::new(); self.runs.len()],
        }
    }

    /// Indices of a site's events in a run.
    fn visits(&self, run: usize, site: u32) -> &[usize] {
        self.events[run].get(&site).map_or(&[], Vec::as_slice)
    }

    fn event(&self, run: usize, index: usize) -> &'t Event {
        &self.runs[run].trace.events[index]
    }

    /// The innermost statement around a place.
    fn around(&self, site: &Site) -> Option<&'t Site> {
        let inside =
            |step: &&&Site| step.span.start <= site.span.start && step.span.end >= site.span.end;
        self.steps.iter().rev().find(inside).copied()
    }

    fn has_inner(&self, step: &Site) -> bool {
        self.steps.iter().any(|inner| {
            inner.id != step.id
                && inner.span.start >= step.span.start
                && inner.span.end <= step.span.end
        })
    }

    /// Behind the statement that writes: the names it wrote.
    fn write(&self, site: &'t Site) -> Option<Candidate> {
        let step = self.around(site)?;
        if self.has_inner(step)
            || leaves(text_of(self.table, step))
            || step.function != site.function
        {
            return None;
        }
        let mut candidate = self.candidate(site, behind(self.source, step, self.phrase)?);
        candidate.rank = 0;
        let mut groups: Vec<(usize, usize, Vec<(&str, &Value)>)> = Vec::new();
        for run in 0..self.runs.len() {
            for &index in self.visits(run, site.id) {
                let Payload::Var { name, value } = &self.event(run, index).payload else {
                    return None;
                };
                match groups.last_mut() {
                    Some((last, end, group))
                        if *last == run
                            && *end + 1 == index
                            && group.iter().all(|(known, _)| known != name) =>
                    {
                        *end = index;
                        group.push((name, value));
                    }
                    _ => groups.push((run, index, vec![(name, value)])),
                }
            }
        }
        self.fill(&mut candidate, groups)?;
        for run in 0..self.runs.len() {
            if candidate.lines[run].len() != self.visits(run, step.id).len() {
                return None;
            }
        }
        Some(candidate)
    }

    /// Before the first statement of a function: its arguments.
    fn entry(&self, site: &'t Site) -> Option<Candidate> {
        let first = self
            .steps
            .iter()
            .find(|step| step.function == site.function && step.span.start > site.span.start)?;
        let text = text_of(self.table, first);
        if ["super", "this(", "\"", "'"]
            .iter()
            .any(|odd| text.starts_with(odd))
        {
            return None;
        }
        let mut candidate = self.candidate(site, before(self.source, first, self.phrase)?);
        candidate.rank = 2;
        candidate.bonus = 3;
        let groups = self.paired(site, first, |payload| match payload {
            Payload::In { args } => Some(args),
            _ => None,
        })?;
        self.fill_some(&mut candidate, groups, "called");
        Some(candidate)
    }

    /// Before a `return` of a plain name: its value.
    fn exit(&self, site: &'t Site) -> Option<Candidate> {
        let step = self
            .steps
            .iter()
            .find(|step| step.span == site.span && step.function == site.function)?;
        let text = text_of(self.table, step);
        let name = text
            .strip_prefix("return")?
            .trim()
            .trim_end_matches(';')
            .trim();
        if !is_plain(name) {
            return None;
        }
        let mut candidate = self.candidate(site, before(self.source, step, self.phrase)?);
        candidate.rank = 4;
        candidate.bonus = 3;
        let mut groups = Vec::new();
        for run in 0..self.runs.len() {
            let steps = self.visits(run, step.id);
            if steps.len() != self.visits(run, site.id).len() {
                return None;
            }
            for (&index, &out) in steps.iter().zip(self.visits(run, site.id)) {
                let Payload::Out {
                    value: Some(value),
                    unwinding: false,
                    suspended: false,
                } = &self.event(run, out).payload
                else {
                    return None;
                };
                groups.push((run, index, vec![(name, value)]));
            }
        }
        self.fill(&mut candidate, groups)?;
        Some(candidate)
    }

    /// First in an arm: that it was taken.
    fn arm(&self, site: &'t Site, arm: u32) -> Option<Candidate> {
        let around = self.around(site)?;
        if site.arms.len() != 2 || around.span.start >= site.span.start {
            return None;
        }
        let inner = |step: &&&'t Site| {
            step.function == site.function
                && step.span.start >= site.span.end
                && step.span.end <= around.span.end
        };
        let then = self.steps.iter().find(inner).copied()?;
        if follows_else(self.source, then) {
            return None;
        }
        let step = if arm == 1 {
            then
        } else {
            let other = self.steps.iter().filter(inner).find(|step| {
                step.span.start > then.span.start
                    && step.span.column == then.span.column
                    && follows_else(self.source, step)
            })?;
            // A second condition in between: `else` is not this one's alone.
            let other_condition = self.table.sites.iter().any(|other_site| {
                other_site.kind == Kind::Branch
                    && other_site.id != site.id
                    && other_site.span.start > site.span.end
                    && other_site.span.start < other.span.start
                    && self
                        .around(other_site)
                        .is_some_and(|step| step.id == around.id)
            });
            if other_condition {
                return None;
            }
            *other
        };
        let mut candidate = self.candidate(site, before(self.source, step, self.phrase)?);
        candidate.key = format!("{}-{arm}", candidate.key);
        let name = &site.arms[arm as usize];
        let text = one_line(&site.text)?;
        candidate.words = format!("{text} {name}");
        let mut taken = BTreeSet::new();
        for run in 0..self.runs.len() {
            let outcomes = self.visits(run, site.id).iter().filter_map(|&index| {
                match &self.event(run, index).payload {
                    Payload::Branch { arm, .. } => Some(arm.index),
                    _ => None,
                }
            });
            let mut times = 0;
            for outcome in outcomes {
                taken.insert(outcome);
                times += usize::from(outcome == arm);
            }
            let steps = self.visits(run, step.id);
            if steps.len() != times || self.elided.contains(&step.id) {
                return None;
            }
            candidate.lines[run] = steps.iter().map(|&index| (index, String::new())).collect();
        }
        candidate.bonus = if taken.len() > 1 { 5 } else { 2 };
        Some(candidate)
    }

    /// First in a loop's body: its targets.
    fn round(&self, site: &'t Site) -> Option<Candidate> {
        let first = self.steps.iter().find(|step| {
            step.function == site.function
                && step.span.start > site.span.start
                && step.span.end <= site.span.end
        })?;
        let mut candidate = self.candidate(site, before(self.source, first, self.phrase)?);
        candidate.rank = 3;
        let groups = self.paired(site, first, |payload| match payload {
            Payload::Loop {
                phase: LoopPhase::Iteration,
                targets,
                ..
            } => Some(targets),
            _ => None,
        })?;
        let words = format!("{} round", one_line(&site.text).unwrap_or_default());
        self.fill_some(&mut candidate, groups, &words);
        Some(candidate)
    }

    /// Behind a loop: that it is over.
    fn left(&self, site: &'t Site) -> Option<Candidate> {
        let step = self
            .steps
            .iter()
            .find(|step| step.span.start == site.span.start && step.function == site.function)?;
        let jumps = self.steps.iter().any(|inner| {
            inner.span.start > step.span.start
                && inner.span.end <= step.span.end
                && [
                    "return", "throw", "raise", "goto", "exit", "yield", "die", "panic",
                ]
                .iter()
                .any(|word| text_of(self.table, inner).starts_with(word))
        });
        let text = text_of(self.table, step);
        // `do … while` of some grammars, and the labelled loops that outer ones leave.
        if jumps || text.contains("continue ") || text.contains("break ") {
            return None;
        }
        let mut candidate = self.candidate(site, behind(self.source, step, self.phrase)?);
        candidate.key.push_str("-left");
        candidate.rank = 0;
        candidate.bonus = 1;
        candidate.words = format!("{} done", one_line(&site.text)?);
        for run in 0..self.runs.len() {
            for &index in self.visits(run, site.id) {
                let Payload::Loop {
                    phase: LoopPhase::Left,
                    ..
                } = self.event(run, index).payload
                else {
                    continue;
                };
                let events = &self.runs[run].trace.events;
                if events
                    .get(index + 1)
                    .is_some_and(|next| next.kind == Kind::Err)
                {
                    return None;
                }
                candidate.lines[run].push((index, String::new()));
            }
            if candidate.lines[run].len() != self.visits(run, step.id).len() {
                return None;
            }
        }
        Some(candidate)
    }

    /// A site's events, each with the step that comes of it.
    fn paired(
        &self,
        site: &Site,
        step: &Site,
        take: impl Fn(&'t Payload) -> Option<&'t Vec<(String, Value)>>,
    ) -> Option<Vec<(usize, usize, Vec<(&'t str, &'t Value)>)>> {
        if self.elided.contains(&step.id) {
            return None;
        }
        let mut groups = Vec::new();
        for run in 0..self.runs.len() {
            let taken: Vec<_> = self
                .visits(run, site.id)
                .iter()
                .filter_map(|&index| Some((index, take(&self.event(run, index).payload)?)))
                .collect();
            let steps = self.visits(run, step.id);
            if taken.len() != steps.len() {
                return None;
            }
            for ((index, values), &at) in taken.into_iter().zip(steps) {
                if at < index {
                    return None;
                }
                let values = values.iter().map(|(name, value)| (&name[..], value));
                groups.push((run, at, values.collect()));
            }
        }
        Some(groups)
    }

    /// The values that can be printed in every visit; fixed words where there are none.
    fn fill_some(
        &self,
        candidate: &mut Candidate,
        groups: Vec<(usize, usize, Vec<(&str, &Value)>)>,
        words: &str,
    ) {
        let first: Vec<&str> = groups.first().map_or(Vec::new(), |group| {
            group.2.iter().map(|(name, _)| *name).collect()
        });
        let mut kept: Vec<&str> = Vec::new();
        for name in first {
            let only: Option<Vec<_>> = groups
                .iter()
                .map(|(run, at, values)| {
                    let value = values.iter().find(|(known, _)| *known == name)?;
                    Some((*run, *at, vec![*value]))
                })
                .collect();
            if only.is_some_and(|only| self.fill(&mut candidate.clone(), only).is_some()) {
                kept.push(name);
            }
        }
        let places: Vec<(usize, usize)> = groups.iter().map(|(run, at, _)| (*run, *at)).collect();
        let chosen = groups
            .into_iter()
            .map(|(run, at, mut values)| {
                values.retain(|(name, _)| kept.contains(name));
                (run, at, values)
            })
            .collect();
        let done = !kept.is_empty() && self.fill(candidate, chosen).is_some();
        if !done {
            words.clone_into(&mut candidate.words);
            for (run, at) in places {
                candidate.lines[run].push((at, String::new()));
            }
        }
    }

    /// Prints names and values, if all can be printed and are of one type each.
    fn fill(
        &self,
        candidate: &mut Candidate,
        groups: Vec<(usize, usize, Vec<(&str, &Value)>)>,
    ) -> Option<()> {
        let names: Vec<(String, String)> = groups
            .first()?
            .2
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.type_name.clone()))
            .collect();
        for (name, type_name) in &names {
            if !is_plain(name) || self.phrase.hole(type_name).is_none() {
                return None;
            }
        }
        let mut lines = vec![Vec::new(); self.runs.len()];
        for (run, at, values) in groups {
            if values.len() != names.len() {
                return None;
            }
            let mut state = Vec::new();
            for ((known, type_name), (name, value)) in names.iter().zip(values) {
                let one_type = self.phrase.hole(type_name)?.argument.is_empty()
                    || *type_name == value.type_name;
                if known != name || !one_type {
                    return None;
                }
                state.push(format!("{name}={}", self.printed(value)?));
            }
            lines[run].push((at, state.join(",")));
        }
        candidate.state = State::Values(names);
        candidate.lines = lines;
        Some(())
    }

    fn printed<'v>(&self, value: &'v Value) -> Option<&'v str> {
        let kind = match value.shape {
            Shape::Int => Printable::Int,
            Shape::Bool => Printable::Bool,
            Shape::Float => Printable::Float,
            Shape::String => Printable::String,
            _ => return None,
        };
        let plain = value.cut.is_none()
            && !value.text.chars().any(char::is_control)
            && self.phrase.printable.contains(&kind);
        plain.then_some(&value.text)
    }
}

/// A condition's text, if it is short and on one line.
fn one_line(text: &str) -> Option<String> {
    let short = text.chars().count() <= 60 && !text.chars().any(char::is_control);
    (short && !text.contains('…')).then(|| text.to_owned())
}
