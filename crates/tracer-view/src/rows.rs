//! Events as rows: a source line and what happened on it. What `pretty` and `lines` share.
//!
//! A row says nothing of layout, colour or width.

mod left_out;

use std::collections::BTreeMap;

use tracer_model::{
    ErrPhase, Event, FunctionKind, LoopPhase, Payload, Site, SiteTable, TaskPhase, Trace, Value,
};

use crate::fold::Fold;
use crate::source::Source;
use crate::text::{is_definition, labelled, short};

/// What a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    Line,
    Enter,
    /// A call of which only its arguments and its result are shown.
    Whole,
    Leave,
    Error,
    Output,
    ErrorOutput,
    Task,
    Elided,
    Folded,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: RowKind,
    pub(crate) task: u32,
    pub(crate) depth: u32,
    /// Index of the source file.
    pub(crate) file: u32,
    /// 0 where none applies.
    pub(crate) line: u32,
    /// Source text, or what else the row is about.
    pub(crate) text: String,
    /// Changed values and outcomes.
    pub(crate) notes: Vec<String>,
    /// Last line the statement covers.
    pub(crate) end_line: u32,
    /// Whether a round of a loop begins on it.
    pub(crate) round: bool,
}

/// Makes rows.
pub(crate) struct Rows<'t, F: FnMut(Row)> {
    table: &'t SiteTable,
    source: Source<'t>,
    value_limit: usize,
    sink: F,
    open: Option<Row>,
    /// Task of the last event.
    task: u32,
    /// The line each task and depth was at last.
    at: BTreeMap<(u32, u32), u32>,
    /// Left-out visits that follow one another.
    elided: Vec<&'t Event>,
}

/// Gives a trace's rows in order, without the folded iterations.
pub(crate) fn rows(trace: &Trace, folds: &[Fold], value_limit: usize, sink: impl FnMut(Row)) {
    let mut rows = Rows {
        table: &trace.table,
        source: Source::new(&trace.table),
        value_limit,
        sink,
        open: None,
        task: 0,
        at: BTreeMap::new(),
        elided: Vec::new(),
    };
    let mut folds = folds.iter().peekable();
    let mut index = 0;
    while let Some(event) = trace.events.get(index) {
        if let Some(fold) = folds.next_if(|fold| fold.start <= index) {
            rows.folded(fold, &trace.events[fold.start..fold.end]);
            index = fold.end;
            continue;
        }
        rows.event(event);
        index += 1;
    }
    rows.flush();
}

impl<'t, F: FnMut(Row)> Rows<'t, F> {
    fn flush(&mut self) {
        if let Some(row) = self.open.take() {
            (self.sink)(row);
        }
        self.flush_elided();
    }

    fn row(&self, kind: RowKind, event: &Event, text: String) -> Row {
        let file = self.table.site(event.site).map_or(0, |site| site.file);
        Row {
            kind,
            task: event.task,
            depth: event.depth,
            file,
            line: event.line,
            text,
            notes: Vec::new(),
            end_line: event.line,
            round: false,
        }
    }

    fn put(&mut self, kind: RowKind, event: &Event, text: String) {
        self.flush();
        let row = self.row(kind, event, text);
        (self.sink)(row);
    }

    fn event(&mut self, event: &'t Event) {
        if let Payload::Elide { .. } = event.payload {
            if let Some(row) = self.open.take() {
                (self.sink)(row);
            }
            self.elided.push(event);
            return;
        }
        let site = self.table.site(event.site);
        match &event.payload {
            Payload::Step => self.step(event, site),
            Payload::Var { name, value } if is_definition(name, value) => {}
            Payload::Var { name, value } => {
                let note = format!("{name} = {}", self.short(value));
                self.note(event, site, note, false);
            }
            Payload::Branch { operands, arm } => {
                let mut note = match site {
                    Some(site) if !self.is_whole_condition(event, site) => {
                        format!("{} → {}", site.text, arm.name)
                    }
                    _ => arm.name.clone(),
                };
                let operands: Vec<String> = operands
                    .iter()
                    .map(|(name, value)| (name, self.short(value)))
                    .filter(|(name, value)| **name != *value)
                    .map(|(name, value)| format!("{name} = {value}"))
                    .collect();
                if !operands.is_empty() {
                    note = format!("{note} ({})", operands.join(", "));
                }
                self.note(event, site, note, false);
            }
            Payload::Loop {
                phase,
                count,
                targets,
            } => match phase {
                LoopPhase::Entered => self.note_line(event, site),
                LoopPhase::Iteration => {
                    let told = self.note_round(event, site);
                    if targets.is_empty() && !told {
                        self.note(event, site, format!("round {count}"), false);
                    }
                    for (name, value) in targets {
                        let note = format!("{name} = {}", self.short(value));
                        self.note(event, site, note, false);
                    }
                }
                LoopPhase::Left => {
                    let rounds = if *count == 1 { "round" } else { "rounds" };
                    self.note(event, site, format!("left after {count} {rounds}"), true);
                }
            },
            Payload::Transform {
                name,
                before,
                after,
            } => {
                let limit = self.value_limit / 2;
                let note = format!("{name}: {} → {}", short(before, limit), short(after, limit));
                self.note(event, site, note, false);
            }
            Payload::Call {
                callee,
                args,
                result,
                raised,
                ..
            } => {
                let names = site.map_or(&[][..], |site| &site.names);
                let args = labelled(names, args.iter().map(|value| self.short(value)));
                let mut note = format!("{callee}({args})");
                match (result, raised) {
                    (Some(result), _) => note = format!("{note} = {}", self.short(result)),
                    (None, Some(raised)) => note = format!("{note} raised {}", raised.type_name),
                    (None, None) => {}
                }
                self.note(event, site, note, false);
            }
            Payload::In { args } => {
                if self.is_program(site, event) {
                    return;
                }
                let text = self.call(site, args);
                self.put(RowKind::Enter, event, text);
            }
            Payload::Out {
                value,
                unwinding,
                suspended,
            } => {
                let value = value.as_ref().map(|value| self.short(value));
                let text = match (unwinding, suspended, value) {
                    (true, _, _) => "left by an error".to_owned(),
                    (_, true, Some(value)) if self.is_async(site) => format!("awaits {value}"),
                    (_, true, Some(value)) => format!("yields {value}"),
                    (_, true, None) => "waits".to_owned(),
                    (_, _, Some(value)) => format!("returns {value}"),
                    (_, _, None) => "returns".to_owned(),
                };
                if !self.is_program(site, event) {
                    self.put(RowKind::Leave, event, text);
                }
                self.at.remove(&(event.task, event.depth));
            }
            Payload::Err {
                phase,
                type_name,
                message,
                ..
            } => {
                let verb = match phase {
                    ErrPhase::Raised => "",
                    ErrPhase::Caught => "caught ",
                    ErrPhase::Passing => "passing ",
                    ErrPhase::Uncaught => "uncaught ",
                    ErrPhase::Signal => "signal ",
                    ErrPhase::Status => "status ",
                };
                let mut text = format!("{verb}{type_name}");
                match message {
                    Some(message) if !message.text.is_empty() => {
                        text = format!("{text}: {}", message.text);
                    }
                    _ => {}
                }
                self.put(RowKind::Error, event, text);
            }
            Payload::Stdout {
                stream,
                text,
                length,
            } => {
                let kind = if *stream == 2 {
                    RowKind::ErrorOutput
                } else {
                    RowKind::Output
                };
                self.flush();
                let mut row = self.row(kind, event, text.clone());
                if (text.len() as u64) < *length && !text.contains('\u{fffd}') {
                    row.notes.push(format!("… {length} bytes in all"));
                }
                (self.sink)(row);
            }
            // A generator or coroutine that waited.
            Payload::Task {
                phase: TaskPhase::Switched,
                task,
                ..
            } if *task == self.task && event.site != 0 => {
                let text = format!("{} goes on", self.function_name(site));
                self.put(RowKind::Enter, event, text);
            }
            Payload::Task {
                phase: TaskPhase::Switched,
                task: 0,
                ..
            } => {
                self.put(RowKind::Task, event, "main task goes on".to_owned());
            }
            Payload::Task { phase, what, task } => {
                let verb = match phase {
                    TaskPhase::Created => "created",
                    TaskPhase::Switched => "goes on",
                    TaskPhase::Ended => "ended",
                };
                let mut text = format!("{what} {task} {verb}");
                if site.is_some() && what != "thread" && *phase == TaskPhase::Switched {
                    text = format!("{text}: {}", self.function_name(site));
                }
                self.put(RowKind::Task, event, text);
            }
            Payload::Elide { .. } => {}
        }
        self.task = event.task;
    }

    fn is_async(&self, site: Option<&Site>) -> bool {
        site.and_then(|site| self.table.functions.get(site.function as usize))
            .is_some_and(|function| function.kind == FunctionKind::Async)
    }

    fn short(&self, value: &Value) -> String {
        short(value, self.value_limit)
    }

    fn function_name(&self, site: Option<&Site>) -> &'t str {
        site.and_then(|site| self.table.functions.get(site.function as usize))
            .map_or("?", |function| &function.qualified)
    }

    /// What entering a frame looks like.
    fn call(&self, site: Option<&Site>, args: &[(String, Value)]) -> String {
        let limit = (self.value_limit / args.len().max(1)).max(16);
        let args: Vec<String> = args
            .iter()
            .map(|(name, value)| format!("{name} = {}", short(value, limit)))
            .collect();
        let args = args.join(", ");
        let function = site.and_then(|site| self.table.functions.get(site.function as usize));
        let name = self.function_name(site);
        match function.map(|function| (function.kind, function.file)) {
            Some((FunctionKind::Module, file)) => {
                let path = self
                    .table
                    .files
                    .get(file as usize)
                    .map_or(name, |file| &file.path);
                format!("module {path}")
            }
            Some((FunctionKind::Class, _)) => format!("class {name}"),
            _ => format!("{name}({args})"),
        }
    }

    /// Whether a frame is the program itself, which needs no mention.
    fn is_program(&self, site: Option<&Site>, event: &Event) -> bool {
        event.depth <= 1
            && site.is_some_and(|site| {
                site.function == 0
                    && self
                        .table
                        .functions
                        .first()
                        .is_some_and(|main| main.kind == FunctionKind::Module)
            })
    }

    fn step(&mut self, event: &Event, site: Option<&Site>) {
        self.flush();
        let text = site.map_or_else(String::new, |site| self.source.of(site));
        let mut row = self.row(RowKind::Line, event, text);
        row.end_line = site.map_or(event.line, |site| site.span.end_line);
        self.at.insert((event.task, event.depth), event.line);
        self.open = Some(row);
    }

    /// The open row, if the event belongs to it.
    fn fitting(&mut self, event: &Event) -> Option<&mut Row> {
        self.open.as_mut().filter(|row| {
            row.kind == RowKind::Line
                && (row.task, row.depth) == (event.task, event.depth)
                && (row.line..=row.end_line).contains(&event.line)
        })
    }

    /// Opens a row for an event that is not on the open one.
    fn open_for(&mut self, event: &Event, site: Option<&Site>) {
        self.flush();
        // Back on a statement that a call interrupted.
        let continued = self.at.get(&(event.task, event.depth)) == Some(&event.line);
        let text = match site {
            Some(_) if continued => "…".to_owned(),
            Some(site) => self.source.of(site),
            None => String::new(),
        };
        self.at.insert((event.task, event.depth), event.line);
        self.open = Some(self.row(RowKind::Line, event, text));
    }

    fn note(&mut self, event: &Event, site: Option<&Site>, note: String, fresh: bool) {
        if self.fitting(event).is_none() || !self.elided.is_empty() {
            if fresh {
                self.at.remove(&(event.task, event.depth));
            }
            self.open_for(event, site);
        }
        if let Some(row) = &mut self.open
            && !row.notes.contains(&note)
        {
            row.notes.push(note);
        }
    }

    /// A place without a note.
    fn note_line(&mut self, event: &Event, site: Option<&Site>) {
        if self.fitting(event).is_none() {
            self.open_for(event, site);
        }
    }

    /// A new round of a loop shows the loop's line again, unless its head has just been shown.
    /// Gives whether that says which round it is.
    fn note_round(&mut self, event: &Event, site: Option<&Site>) -> bool {
        let head = self
            .fitting(event)
            .filter(|row| row.line == event.line && !row.round);
        if let Some(row) = head {
            row.round = true;
            return !row.notes.is_empty();
        }
        self.at.remove(&(event.task, event.depth));
        self.open_for(event, site);
        if let Some(row) = &mut self.open {
            row.round = true;
        }
        false
    }

    /// Whether a branch's condition is all its line is about.
    fn is_whole_condition(&self, event: &Event, site: &Site) -> bool {
        let whole = self.source.of(site);
        let rest = whole.trim().len().saturating_sub(site.text.len());
        site.text.is_empty() || event.line != site.span.line || rest <= 12
    }
}
