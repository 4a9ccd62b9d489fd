//! Raw streams become a [`Trace`]: the same bytes for the same run, on any machine.
//!
//! Pure: no I/O, no clock, no failure. What cannot be read is left out and noted in the trace's
//! coverage block. One file a pass:
//!
//! | file | pass |
//! | --- | --- |
//! | `names` | interned names to text |
//! | `values` | raw values to values |
//! | `heap` | addresses to numbers by first appearance |
//! | `stack` | the frames of each task |
//! | `walk` | records to events, in order |
//! | `payload` | what each record says |
//! | `tasks` | coroutines, generators and threads |
//! | `calls` | how calls into libraries ended |
//! | `chain` | events that records imply |
//! | `unwind` | frames left without a record |
//! | `elide` | visits that were left out |
//! | `output` | the program's output, where it was written |
//! | `streams` | threads and processes in the order of their creation |
//! | `ending` | what the outcome adds |
//!
//! Invariant: nothing here iterates a hash map, and no address, number or order that the operating
//! system chose reaches the result.

mod calls;
mod chain;
mod elide;
mod ending;
mod heap;
mod names;
mod output;
mod payload;
mod stack;
mod streams;
mod tasks;
mod unwind;
mod values;
mod walk;

use tracer_model::{
    Budget, Detail, Dropped, Environment, Limits, Outcome, Protection, SCHEMA_VERSION, SiteTable,
    Trace, TypeNames,
};
use tracer_stream::Decoded;

/// All that is known of a run.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// Files, functions, sites.
    pub table: SiteTable,
    /// Places without probes.
    pub dropped: Vec<Dropped>,
    /// What the program reported.
    pub decoded: &'a Decoded<'a>,
    /// What its language calls its types.
    pub type_names: &'a TypeNames,
    /// What came out of stdout, where it was captured.
    pub stdout: Option<&'a [u8]>,
    /// What came out of stderr, where it was captured.
    pub stderr: Option<&'a [u8]>,
    /// How the run ended.
    pub outcome: Outcome,
    /// Run bounds.
    pub limits: Limits,
    /// Recording bounds.
    pub budget: Budget,
    /// How much was asked for.
    pub detail: Detail,
    /// What it was recorded with.
    pub environment: Environment,
    /// What stood between the subject and the machine.
    pub protections: Vec<Protection>,
    /// What the caller knows a reader must know.
    pub notes: Vec<String>,
}

/// Least text kept of an output stream, bytes, however small the byte budget is.
const LEAST_OUTPUT: usize = 1 << 20;

/// Makes the trace.
pub fn normalise(inputs: Inputs<'_>) -> Trace {
    let Inputs {
        table,
        dropped,
        decoded,
        type_names,
        outcome,
        budget,
        mut notes,
        ..
    } = inputs;
    let walked = streams::walk(&table, type_names, decoded);
    let mut events = walked.events;
    let limit = LEAST_OUTPUT.max(budget.bytes as usize);
    output::place(
        &mut events,
        &walked.outputs,
        [inputs.stdout, inputs.stderr],
        limit,
    );
    ending::signal(&mut events, &table, &outcome, walked.stood);
    for note in walked.notes {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    Trace {
        schema_version: SCHEMA_VERSION.to_owned(),
        environment: inputs.environment,
        detail: inputs.detail,
        budget,
        limits: inputs.limits,
        coverage: ending::coverage(&table, dropped, notes, walked.faults),
        table,
        events,
        outcome,
        protections: inputs.protections,
    }
}
