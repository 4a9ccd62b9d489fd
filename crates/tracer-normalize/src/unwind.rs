//! Frames that were left without saying so.
//!
//! An error that is caught further out unwinds the frames between; its record lists them. A jump
//! (`longjmp`, a library that swallows an error) leaves no record at all, and shows only in that a
//! place of an outer frame reports next. Frames that a gap made doubtful vanish in silence.

use tracer_model::{ErrPhase, Event, FunctionKind, Kind, Payload, Site};
use tracer_stream::{RawFrame, RawText, RawValue, Record};

use crate::walk::Walk;

impl<'t> Walk<'t, '_> {
    /// Brings the stack to where a record of this site can have been made.
    pub(crate) fn settle(&mut self, site: &'t Site, record: &Record<'_>) {
        if let Record::Err { phase, .. } = record {
            self.settle_error(Some(site), record);
            if error_phase(*phase) == ErrPhase::Uncaught {
                return;
            }
        }
        let function = site.function;
        let base = self.is_main_module(function);
        let task = self.task();
        let top = task.top();
        if top.function == Some(function) {
            top.doubtful = false;
            return;
        }
        // A frame of which nothing is known, or which a gap replaced, is the site's own.
        if top.depth == 0 || top.function.is_none() || top.doubtful {
            let replaced = top.doubtful;
            (top.function, top.doubtful) = (Some(function), false);
            if replaced {
                top.site = 0;
                top.loops.clear();
                let bindings = std::mem::take(&mut top.bindings);
                self.heap.forget(bindings);
            }
            return;
        }
        if let Some(above) = task.above(function, base) {
            for _ in 0..above {
                self.unwind_one(None);
            }
            self.task().settle_depth();
        }
    }

    /// Tells where an error came up that no `raise` of the program made: an index out of range, a
    /// library's error. The innermost call was at that statement.
    fn raise(
        &mut self,
        handler: u32,
        type_name: &RawText<'_>,
        message: &RawValue<'_>,
        frames: &[RawFrame],
    ) {
        let at = self.events.len();
        let task = self.task();
        let here = (at, task.statement(), task.depth());
        let (at, statement, depth) = task.left.take().unwrap_or(here);
        let (told, number) = (task.raised, task.number);
        let Some(site) = self.table.site(statement).filter(|_| !told) else {
            return;
        };
        // Library frames may lie further in; the first of the program's own must be this one.
        let own = |frame: &&RawFrame| {
            self.function_names
                .contains(self.names.text(frame.function))
        };
        let Some(frame) = frames.iter().find(own) else {
            return;
        };
        let name = self.names.text(frame.function);
        let function = self.table.functions.get(site.function as usize);
        let line = if frame.line == 0 {
            site.span.line
        } else {
            frame.line
        };
        if !function.is_some_and(|function| function.name == name || function.qualified == name)
            || site.id == handler
            || !(site.span.line..=site.span.end_line).contains(&line)
        {
            return;
        }
        let message = match message {
            RawValue::Null => None,
            message => Some(self.convert(message)),
        };
        self.heap.pass();
        let type_name = String::from_utf8_lossy(type_name.shown).into_owned();
        let payload = Payload::Err {
            phase: ErrPhase::Raised,
            type_name,
            message,
            frames: Vec::new(),
        };
        let site = site.id;
        self.events.insert(
            at,
            Event {
                kind: Kind::Err,
                site,
                line,
                task: number,
                depth,
                payload,
            },
        );
        for task in self.tasks.values_mut() {
            task.shift(at);
        }
        for output in self
            .outputs
            .iter_mut()
            .rev()
            .take_while(|output| output.event >= at)
        {
            output.event += 1;
        }
    }

    /// The statement that an error came up in, where its record knows the line alone; 0 if that is
    /// not certain.
    pub(crate) fn raised_at(&mut self, record: &Record<'_>, line: u32) -> u32 {
        let Record::Err { phase: 0, .. } = record else {
            return 0;
        };
        let site = self.table.site(self.task().statement());
        site.filter(|site| (site.span.line..=site.span.end_line).contains(&line))
            .map_or(0, |site| site.id)
    }

    /// Unwinds what an error left, down to the frame that reports it: all, if that has no place.
    pub(crate) fn settle_error(&mut self, site: Option<&Site>, record: &Record<'_>) {
        let Record::Err {
            phase,
            type_name,
            message,
            frames,
            ..
        } = record
        else {
            return;
        };
        let phase = error_phase(*phase);
        match (phase, site) {
            (ErrPhase::Caught | ErrPhase::Passing, Some(site)) => {
                self.raise(site.id, type_name, message, frames);
                let left = frames.len().saturating_sub(1);
                self.unwind(&frames[..left], Some(site.function));
            }
            (ErrPhase::Caught | ErrPhase::Passing, None) | (ErrPhase::Uncaught, _) => {
                self.raise(site.map_or(0, |site| site.id), type_name, message, frames);
                self.unwind(frames, None);
            }
            (ErrPhase::Raised | ErrPhase::Signal | ErrPhase::Status, _) => {}
        }
        self.task().raised = matches!(phase, ErrPhase::Raised | ErrPhase::Passing);
    }

    /// Unwinds the frames an error left, as far as they are on the stack. `catcher` stays.
    fn unwind(&mut self, frames: &[RawFrame], catcher: Option<u32>) {
        // Frames that reported their own way out are listed all the same.
        let already = self.task().unwound;
        for frame in frames.iter().skip(already) {
            let name = self.names.text(frame.function);
            let Some(top) = self
                .tasks
                .get(&self.current)
                .and_then(|task| task.innermost())
            else {
                break;
            };
            let function = top
                .function
                .and_then(|id| self.table.functions.get(id as usize));
            let fits = function
                .is_some_and(|function| function.name == name || function.qualified == name);
            // The catcher's own frame is not among those left, unless it called itself.
            let last = catcher.is_some()
                && top.function == catcher
                && self
                    .tasks
                    .get(&self.current)
                    .is_some_and(|task| task.count(catcher) == 1);
            // A library's frames are in the list too, but not on the stack.
            if fits && !last {
                self.unwind_one(Some(frame.line));
            }
        }
        if catcher.is_none() {
            while self
                .tasks
                .get(&self.current)
                .is_some_and(|task| task.innermost().is_some())
            {
                self.unwind_one(None);
            }
            self.task().settle_depth();
        }
        self.task().unwound = 0;
    }

    /// Tells that the innermost known frame was unwound; the place is that of its entry.
    fn unwind_one(&mut self, line: Option<u32>) {
        self.task().settle_depth();
        let Some(frame) = self.task().innermost() else {
            return;
        };
        let (site, doubtful) = (frame.site, frame.doubtful);
        if !doubtful && site != 0 {
            let entry = self.table.site(site).map_or(0, |site| site.span.line);
            let line = line.filter(|&line| line != 0).unwrap_or(entry);
            let payload = Payload::Out {
                value: None,
                unwinding: true,
                suspended: false,
            };
            self.emit(Kind::Out, site, line, payload);
        }
        self.give_up();
        if let Some(frame) = self.task().pop() {
            self.heap.forget(frame.bindings);
        }
    }

    /// Whether a function is the main file's top-level code, which runs without a call.
    fn is_main_module(&self, function: u32) -> bool {
        function == 0
            && self
                .table
                .functions
                .first()
                .is_some_and(|main| main.kind == FunctionKind::Module)
    }
}

/// The phase of an `ERR` record; the decoder lets no other number through.
pub(crate) fn error_phase(phase: u8) -> ErrPhase {
    match phase {
        0 => ErrPhase::Raised,
        1 => ErrPhase::Caught,
        2 => ErrPhase::Passing,
        3 => ErrPhase::Uncaught,
        4 => ErrPhase::Signal,
        _ => ErrPhase::Status,
    }
}
