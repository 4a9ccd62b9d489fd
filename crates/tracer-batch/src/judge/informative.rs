//! Whether a run says enough, which runs of a program to keep, and the shape of what they say.

use std::collections::{BTreeMap, BTreeSet};

use tracer_model::{Event, Kind, Payload, Trace, Value};

use super::runs::Run;
use super::subject::Subject;
use super::{Rejection, shown};
use crate::Reason;
use crate::example::{Case, Example};
use crate::similar;

/// Least events of a run.
const EVENTS: usize = 8;
/// Least kinds of events, unless a branch was seen both ways.
const KINDS: usize = 3;
/// Largest share of one kind.
const SHARE: f64 = 0.9;

/// The runs worth keeping: of those that are informative, which take arms of branches that no
/// earlier one took.
pub(super) fn choose(
    subject: &Subject,
    ran: Vec<(Case, Run)>,
) -> Result<Vec<(Case, Run)>, Rejection> {
    let mut worth = Vec::new();
    let mut why = None;
    for (case, run) in ran {
        match judge(subject, &run) {
            Ok(()) => worth.push((case, run)),
            Err(rejection) => {
                why.get_or_insert(rejection);
            }
        }
    }
    if let Some(rejection) = why.filter(|_| worth.is_empty()) {
        return Err(rejection);
    }
    let taken: Vec<_> = worth.iter().map(|(_, run)| arms(&run.trace)).collect();
    let keep = tracer_drive::select(&taken);
    let kept = worth.into_iter().enumerate();
    let kept = kept.filter(|(index, _)| keep.contains(index));
    Ok(kept.map(|(_, one)| one).collect())
}

/// Branches that were taken: site, and number of the arm.
fn arms(trace: &Trace) -> BTreeSet<(u32, u32)> {
    let arms = trace
        .events
        .iter()
        .filter_map(|event| match &event.payload {
            Payload::Branch { arm, .. } => Some((event.site, arm.index)),
            _ => None,
        });
    arms.collect()
}

/// What a driver does by itself does not count.
fn judge(subject: &Subject, run: &Run) -> Result<(), Rejection> {
    let trace = &run.trace;
    let of_driver = |event: &&Event| {
        let site = trace.table.site(event.site);
        site.is_some_and(|site| !subject.is_own(site))
    };
    let events: Vec<&Event> = trace.events.iter().filter(|e| !of_driver(e)).collect();
    let own = events
        .iter()
        .filter(|event| event.kind != Kind::Stdout)
        .count();
    let status = run.executed.outcome.exit_status();
    if own == 0 && status != 0 {
        let errors = String::from_utf8_lossy(&run.executed.stderr);
        let last = errors.lines().rfind(|line| !line.trim().is_empty());
        let last = shown(last.unwrap_or_default());
        return Err(Rejection::new(
            Reason::FailsAtStart,
            format!("status {status}: {last}"),
        ));
    }
    if events.len() < EVENTS {
        let detail = format!("{} events", events.len());
        return Err(Rejection::new(Reason::Uninformative, detail));
    }
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for event in &events {
        *kinds.entry(event.kind).or_default() += 1;
    }
    let mut sides: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (site, arm) in arms(trace) {
        sides.entry(site).or_default().insert(arm);
    }
    let both = sides.values().any(|arms| arms.len() > 1);
    if kinds.len() < KINDS && !both {
        let detail = format!("{} kinds of events", kinds.len());
        return Err(Rejection::new(Reason::Uninformative, detail));
    }
    let most = kinds.iter().max_by_key(|(_, count)| **count);
    if let Some((kind, count)) = most
        && *count as f64 > SHARE * events.len() as f64
    {
        let total = events.len();
        let detail = format!("{count} of {total} events are {kind:?}");
        return Err(Rejection::new(Reason::Uninformative, detail));
    }
    Ok(())
}

/// The shingles of what the runs of an example did: kinds, arms and values, without names and
/// places.
pub(super) fn shape(example: &Example) -> Vec<u64> {
    let events = example.runs.iter().flat_map(|run| &run.trace.events);
    let tokens: Vec<String> = events.map(token).collect();
    similar::shingles(&tokens)
}

fn token(event: &Event) -> String {
    let text = |value: &Value| value.text.clone();
    let all = |values: &[(String, Value)]| {
        let texts: Vec<String> = values.iter().map(|(_, value)| text(value)).collect();
        texts.join(",")
    };
    let said = match &event.payload {
        Payload::In { args } => all(args),
        Payload::Out { value, .. } => value.as_ref().map(text).unwrap_or_default(),
        Payload::Var { value, .. } => text(value),
        Payload::Branch { operands, arm } => format!("{} {}", arm.index, all(operands)),
        Payload::Loop { phase, count, .. } => format!("{phase:?} {count}"),
        Payload::Err { type_name, .. } => type_name.clone(),
        Payload::Transform { after, .. } => text(after),
        Payload::Stdout { text, .. } => text.clone(),
        _ => String::new(),
    };
    format!("{:?} {said}", event.kind)
}
