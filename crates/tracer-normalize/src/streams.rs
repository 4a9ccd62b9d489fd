//! The streams of threads and processes, one after another, in the order of their creation.
//!
//! How the machine interleaved them is left out: it differs from run to run. Each stream follows
//! its parent, and a child's children follow it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use tracer_model::{Event, Kind, Payload, SiteTable, TaskPhase, TraceFault, TypeNames};
use tracer_stream::{Decoded, Origin, Stream};

use crate::names::Names;
use crate::output::Output;
use crate::walk::Walk;

/// What the streams say.
pub(crate) struct Walked<'r> {
    pub(crate) events: Vec<Event>,
    pub(crate) outputs: Vec<Output<'r>>,
    pub(crate) notes: Vec<String>,
    /// What is broken.
    pub(crate) faults: BTreeSet<TraceFault>,
    /// The statement the first stream's own task was at when it ended, and its depth.
    pub(crate) stood: (u32, u32),
}

/// A stream that waits for its turn.
struct Waiting<'d, 'r> {
    stream: &'d Stream<'r>,
    /// Its task's number, and the names of its parent.
    task: u32,
    names: Option<Rc<Names>>,
}

pub(crate) fn walk<'r>(
    table: &SiteTable,
    types: &TypeNames,
    decoded: &'r Decoded<'r>,
) -> Walked<'r> {
    let mut walk = Walk::new(table, types);
    for problem in &decoded.problems {
        walk.broken(*problem);
    }
    let known: BTreeSet<u32> = decoded.streams.iter().map(|stream| stream.number).collect();
    let mut children: BTreeMap<Option<u32>, Vec<&Stream<'r>>> = BTreeMap::new();
    for stream in &decoded.streams {
        // A parent that left no records of its own cannot order its children.
        let parent = stream.parent.filter(|parent| known.contains(parent));
        children.entry(parent).or_default().push(stream);
    }
    for siblings in children.values_mut() {
        siblings.sort_by_key(|stream| (stream.ordinal, stream.began_at_site, stream.number));
    }
    let mut waiting: VecDeque<Waiting<'_, 'r>> = VecDeque::new();
    for (index, stream) in children
        .remove(&None)
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let task = if index == 0 { 0 } else { next_task(&mut walk) };
        waiting.push_back(Waiting {
            stream,
            task,
            names: None,
        });
    }
    let mut stood = (0, 0);
    let mut loops = Vec::new();
    let mut first_names = None;
    while let Some(Waiting {
        stream,
        task,
        names,
    }) = waiting.pop_front()
    {
        let own = children.remove(&Some(stream.number)).unwrap_or_default();
        let own: Vec<_> = own
            .into_iter()
            .map(|child| (child, next_task(&mut walk)))
            .collect();
        walk.children = own
            .iter()
            .map(|&(child, task)| (child.ordinal, task))
            .collect();
        walk.begin(task, names);
        if task != 0 {
            announce(&mut walk, stream, task);
        }
        for record in stream.records() {
            match record {
                Ok(record) => walk.record(&record),
                Err(problem) => walk.broken(problem),
            }
        }
        if let Some(main) = walk.tasks.remove(&0).filter(|_| task == 0) {
            stood = (main.statement(), main.depth());
            // The slots go on counting the rounds of loops that were under way.
            loops = main.into_frames().flat_map(|frame| frame.loops).collect();
        }
        let names = walk.end();
        for (child, task) in own.into_iter().rev() {
            waiting.push_front(Waiting {
                stream: child,
                task,
                names: Some(Rc::clone(&names)),
            });
        }
        first_names.get_or_insert(names);
    }
    walk.begin(0, first_names);
    walk.task().top().loops = loops;
    walk.slots(&decoded.slots);
    Walked {
        events: walk.events,
        outputs: walk.outputs,
        notes: walk.notes,
        faults: walk.faults,
        stood,
    }
}

fn next_task(walk: &mut Walk<'_, '_>) -> u32 {
    walk.last_task = walk.last_task.saturating_add(1);
    walk.last_task
}

/// Says whose events follow.
fn announce(walk: &mut Walk<'_, '_>, stream: &Stream<'_>, task: u32) {
    let what = match stream.origin {
        Origin::Thread => "thread",
        Origin::Main | Origin::Process => "process",
        Origin::Worker => "worker",
    };
    let site = walk.table.site(stream.began_at_site);
    let (site, line) = site.map_or((0, 0), |site| (site.id, site.span.line));
    let payload = Payload::Task {
        phase: TaskPhase::Switched,
        what: walk.words.get(&task).cloned().unwrap_or(what.to_owned()),
        task,
    };
    walk.emit(Kind::Task, site, line, payload);
}
