//! Walks the streams and tells each record as events.
//!
//! The rules for one kind of thing live beside it: `unwind` for frames that were left without
//! saying so, `chain` for events a record implies, `elide` for visits left out.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tracer_model::{
    ErrPhase, Event, Kind, LoopPhase, Payload, Site, SiteTable, TaskPhase, TraceFault, TypeNames,
};
use tracer_stream::{Problem, Record};

use crate::chain::LoopRole;
use crate::heap::Heap;
use crate::names::Names;
use crate::output::{Output, Piece};
use crate::payload::COROUTINE;
use crate::stack::{Frame as StackFrame, Task};
use crate::unwind::error_phase;

/// What has been told so far, over all streams.
pub(crate) struct Walk<'t, 'r> {
    pub(crate) table: &'t SiteTable,
    pub(crate) types: &'t TypeNames,
    pub(crate) events: Vec<Event>,
    /// Output events with the bytes their records hold.
    pub(crate) outputs: Vec<Output<'r>>,
    /// Visits told of by site.
    pub(crate) visits: Vec<u64>,
    /// Names that functions of the program go by.
    pub(crate) function_names: BTreeSet<&'t str>,
    /// Things a reader must know, as fixed sentences.
    pub(crate) notes: Vec<String>,
    pub(crate) faults: BTreeSet<TraceFault>,
    pub(crate) last_task: u32,
    pub(crate) next_identity: u32,
    /// What tasks with streams of their own are called, by number.
    pub(crate) words: BTreeMap<u32, String>,
    // The stream being walked:
    pub(crate) names: Names,
    pub(crate) heap: Heap,
    pub(crate) tasks: BTreeMap<u64, Task<'t>>,
    pub(crate) current: u64,
    /// The streams that this stream began, in order: which child, and its task's number.
    pub(crate) children: Vec<(u32, u32)>,
    pub(crate) created: u32,
    /// The task that the last record created.
    pub(crate) just_created: Option<u64>,
}

impl<'t, 'r> Walk<'t, 'r> {
    pub(crate) fn new(table: &'t SiteTable, types: &'t TypeNames) -> Self {
        Self {
            table,
            types,
            events: Vec::new(),
            outputs: Vec::new(),
            visits: vec![0; table.sites.len() + 1],
            function_names: table
                .functions
                .iter()
                .flat_map(|function| [function.name.as_str(), &function.qualified])
                .collect(),
            notes: Vec::new(),
            faults: BTreeSet::new(),
            last_task: 0,
            next_identity: 0,
            words: BTreeMap::new(),
            names: Names::default(),
            heap: Heap::default(),
            tasks: BTreeMap::new(),
            current: 0,
            children: Vec::new(),
            created: 0,
            just_created: None,
        }
    }

    /// Begins a stream whose own task has this number.
    pub(crate) fn begin(&mut self, task: u32, parent: Option<Rc<Names>>) {
        self.names = Names::new(parent);
        // Each stream has addresses of its own: what two threads share cannot be told apart from
        // what one reused after the other, and order between threads is not kept.
        self.heap = Heap::default();
        self.tasks = BTreeMap::from([(0, Task::new(task))]);
        self.current = 0;
        self.created = 0;
        self.just_created = None;
    }

    /// Ends the stream and gives its names to its children.
    pub(crate) fn end(&mut self) -> Rc<Names> {
        Rc::new(std::mem::take(&mut self.names))
    }

    pub(crate) fn task(&mut self) -> &mut Task<'t> {
        self.tasks
            .entry(self.current)
            .or_insert_with(|| Task::new(0))
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Something of the stream is broken.
    pub(crate) fn broken(&mut self, problem: Problem) {
        self.faults.insert(match problem {
            Problem::Header => TraceFault::Header,
            Problem::Segment => TraceFault::Segment,
            Problem::Record(_) => TraceFault::Record,
            Problem::Slot(_) => TraceFault::Slot,
        });
        self.note(problem.to_string());
    }

    pub(crate) fn emit(&mut self, kind: Kind, site: u32, line: u32, payload: Payload) {
        let task = self.task();
        let (number, depth) = (task.number, task.depth());
        self.events.push(Event {
            kind,
            site,
            line,
            task: number,
            depth,
            payload,
        });
    }

    pub(crate) fn emit_at(&mut self, kind: Kind, site: &Site, payload: Payload) {
        self.emit(kind, site.id, site.span.line, payload);
    }

    pub(crate) fn visit(&mut self, site: &Site, count: u64) {
        let visits = &mut self.visits[site.id as usize];
        *visits = visits.saturating_add(count);
    }

    /// Tells one record.
    pub(crate) fn record(&mut self, record: &Record<'r>) {
        match record {
            Record::Intern { id, name } => return self.names.define(*id, name),
            Record::Depth { depth } => return self.depth(*depth),
            Record::Limit { which } => return self.limit(*which),
            Record::Stdout {
                stream,
                length,
                text,
            } => return self.stdout(*stream, *length, text),
            Record::Task {
                phase,
                what,
                task,
                site,
            } => {
                return self.task_record(*phase, *what, *task, *site);
            }
            _ => {}
        }
        let Some(site) = self.table.site(record.site()) else {
            // An error that the runtime reports when all of the program's code is left.
            if let Record::Err { site: 0, line, .. } = record {
                self.settle_error(None, record);
                let payload = self.error(record);
                let site = self.raised_at(record, *line);
                self.failed(&payload);
                return self.emit(Kind::Err, site, *line, payload);
            }
            self.faults.insert(TraceFault::Site);
            return self.note("records of unknown places were left out");
        };
        if let Record::Elide { count, last, .. } = record {
            return self.elide(site, *count, last);
        }
        if !matches!(
            record,
            Record::Out {
                suspended: true,
                ..
            }
        ) {
            self.just_created = None;
        }
        if !matches!(record, Record::In { .. } | Record::Resume { .. }) {
            self.settle(site, record);
        }
        if let Record::Returned { value, .. } = record {
            return self.returned(site, value.as_ref());
        }
        self.visit(site, 1);
        self.before(site, record);
        self.tell(site, record);
        self.after(site, record);
    }

    fn tell(&mut self, site: &'t Site, record: &Record<'_>) {
        if !matches!(
            record,
            Record::Out {
                unwinding: true,
                ..
            } | Record::Err { .. }
        ) {
            let task = self.task();
            task.unwound = 0;
            task.left = None;
            task.failing.clear();
        }
        match record {
            Record::Step { .. } => {
                self.task().arrive(site.id);
                self.emit_at(Kind::Step, site, Payload::Step);
            }
            Record::Var { values, .. } => {
                for (index, raw) in values.iter().enumerate() {
                    let payload = self.variable(site, index, raw);
                    self.emit_at(Kind::Var, site, payload);
                }
            }
            Record::In { .. } => {
                self.task().enter(site.function, site.id);
                let payload = self.payload(site, record);
                self.emit_at(Kind::In, site, payload);
            }
            Record::Out {
                unwinding,
                suspended,
                ..
            } => {
                if *unwinding && self.task().unwound == 0 {
                    let (statement, depth) = (self.task().statement(), self.task().depth());
                    self.task().left = Some((self.events.len(), statement, depth));
                }
                let payload = self.payload(site, record);
                self.emit_at(Kind::Out, site, payload);
                let (unwinding, suspended) = (*unwinding, *suspended);
                if unwinding {
                    self.give_up();
                }
                self.leave(site, suspended);
                self.task().unwound += usize::from(unwinding);
            }
            Record::Resume { .. } => {
                let turns = self.frame_word(site.function) == COROUTINE;
                self.task().resume(site.function, site.id, turns);
                let payload = self.payload(site, record);
                let number = self.task().number;
                // Where it is a task of its own, the switch has been told of.
                let told = self.events.last().is_some_and(|event| {
                    matches!(event.payload, Payload::Task { phase: TaskPhase::Switched, task, .. }
                        if task == number)
                });
                if !told {
                    self.emit_at(Kind::Task, site, payload);
                }
            }
            Record::Err { phase, line, .. } => {
                // A handler's place is its own; the record's line is where the error came from.
                let handled = matches!(error_phase(*phase), ErrPhase::Caught | ErrPhase::Passing);
                let line = if *line == 0 && error_phase(*phase) == ErrPhase::Raised {
                    self.line_of(site)
                } else if *line == 0 || handled {
                    site.span.line
                } else {
                    *line
                };
                let payload = self.payload(site, record);
                self.failed(&payload);
                self.emit(Kind::Err, site.id, line, payload);
            }
            _ => {
                let kind = match record {
                    Record::Branch { .. } => Kind::Branch,
                    Record::Loop { .. } => Kind::Loop,
                    Record::Transform { .. } => Kind::Transform,
                    _ => Kind::Call,
                };
                let payload = self.payload(site, record);
                if matches!(record, Record::Call { result: None, .. }) {
                    let at = self.events.len();
                    self.task().top().calls.push((site.id, at));
                }
                self.emit_at(kind, site, payload);
            }
        }
    }

    /// The line an error came up on: its site's, or where that stands for a whole function, the
    /// one of the statement it was at.
    fn line_of(&mut self, site: &Site) -> u32 {
        let function = self.table.functions.get(site.function as usize);
        let statement = self.task().statement();
        match self.table.site(statement) {
            Some(statement) if function.is_some_and(|function| function.span == site.span) => {
                statement.span.line
            }
            _ => site.span.line,
        }
    }

    /// The frame of a call is over or waits.
    pub(crate) fn leave(&mut self, site: &Site, suspended: bool) {
        // A generator or coroutine that became a task of its own goes on there.
        let created = self.just_created.take();
        let mut gone = self.task().leave(site.function);
        if suspended && let Some(frame) = gone.take() {
            let waits_in = created.unwrap_or(self.current);
            gone = match self.tasks.get_mut(&waits_in) {
                Some(task) => task.wait(StackFrame {
                    waits_at: site.id,
                    ..frame
                }),
                None => Some(frame),
            };
        }
        if let Some(frame) = gone {
            self.heap.forget(frame.bindings);
        }
    }

    /// Keeps count of a loop in the running frame.
    pub(crate) fn count_loop(&mut self, site: u32, phase: LoopPhase) -> u64 {
        let loops = &mut self.task().top().loops;
        let found = loops.iter().rposition(|&(known, _)| known == site);
        match (phase, found) {
            (LoopPhase::Entered, found) => {
                // Entered again without having been left: it was left by a jump.
                loops.truncate(found.unwrap_or(loops.len()));
                loops.push((site, 0));
                0
            }
            (LoopPhase::Iteration, Some(index)) => {
                loops.truncate(index + 1);
                loops[index].1 = loops[index].1.saturating_add(1);
                loops[index].1
            }
            (LoopPhase::Iteration, None) => {
                loops.push((site, 1));
                1
            }
            (LoopPhase::Left, Some(index)) => {
                let count = loops[index].1;
                loops.truncate(index);
                count
            }
            (LoopPhase::Left, None) => 0,
        }
    }

    fn depth(&mut self, depth: u64) {
        for frame in self.task().set_depth(depth) {
            self.heap.forget(frame.bindings);
        }
    }

    fn limit(&mut self, which: u8) {
        self.note(match which {
            0 => "the event budget was used up; later visits are only counted",
            1 => "the byte budget was used up; later visits are only counted",
            _ => "the trace channel was full; later visits are only counted",
        });
    }

    fn stdout(&mut self, stream: u8, length: u64, text: &'r [u8]) {
        let statement = self.task().statement();
        let piece = Piece { text, length };
        let last = self.events.len().wrapping_sub(1);
        let number = self.task().number;
        // A `print` of several values makes several writes.
        if let Some(output) = self.outputs.last_mut()
            && output.event == last
            && output.stream == stream
            && self.events[last].site == statement
            && self.events[last].task == number
        {
            output.pieces.push(piece);
            return;
        }
        let line = self.table.site(statement).map_or(0, |site| site.span.line);
        let payload = Payload::Stdout {
            stream,
            text: String::new(),
            length: 0,
        };
        self.emit(Kind::Stdout, statement, line, payload);
        self.outputs.push(Output {
            event: self.events.len() - 1,
            stream,
            pieces: vec![piece],
        });
    }

    /// The loop role that a record gives to what follows it.
    pub(crate) fn role_after(record: &Record<'_>) -> LoopRole {
        match record {
            Record::Branch { arm: 0, .. } => LoopRole::Left,
            Record::Branch { .. } => LoopRole::Iteration,
            _ => LoopRole::Entered,
        }
    }
}
