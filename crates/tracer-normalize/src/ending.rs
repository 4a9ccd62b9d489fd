//! What the outcome adds to the events, and what the reader of a trace must know.

use std::collections::BTreeSet;

use tracer_model::{
    Coverage, Dropped, End, ErrPhase, Event, Kind, Outcome, Payload, SiteTable, TraceFault,
};

/// Tells of the signal that ended the program, unless its emitter could.
pub(crate) fn signal(
    events: &mut Vec<Event>,
    table: &SiteTable,
    outcome: &Outcome,
    stood: (u32, u32),
) {
    let End::Signaled { name, .. } = &outcome.end else {
        return;
    };
    let told = events.iter().rev().find_map(|event| match &event.payload {
        Payload::Err {
            phase, type_name, ..
        } => Some(*phase == ErrPhase::Signal && type_name == name),
        _ => None,
    });
    if told == Some(true) {
        return;
    }
    let (statement, depth) = stood;
    events.push(Event {
        kind: Kind::Err,
        site: statement,
        line: table.site(statement).map_or(0, |site| site.span.line),
        task: 0,
        depth,
        payload: Payload::Err {
            phase: ErrPhase::Signal,
            type_name: name.clone(),
            message: None,
            frames: Vec::new(),
        },
    });
}

/// The coverage block.
pub(crate) fn coverage(
    table: &SiteTable,
    dropped: Vec<Dropped>,
    notes: Vec<String>,
    faults: BTreeSet<TraceFault>,
) -> Coverage {
    Coverage {
        sites: table.sites.len() as u32,
        dropped,
        notes,
        trace_invalid: faults.into_iter().collect(),
    }
}
