//! PL/pgSQL functions that run, from what the server reports of their statements.

use std::collections::HashMap;
use std::rc::Rc;

use super::log::Report;
use super::sites::{BodySites, FunctionSites};

/// A variable's value as text; `None` for null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable(pub(crate) Option<String>);

/// Something to be recorded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A call begins: its site and the values of its arguments; `None` where there is none.
    Enter(u32, Vec<Option<Variable>>),
    /// It is over. True: by an error. With the value of the variable that it returned; `None` where
    /// that is not known.
    Leave(u32, bool, Option<Variable>),
    /// A statement begins.
    Step(u32),
    /// A branch is decided.
    Branch(u32, u32),
    /// A loop: phase.
    Loop(u32, u8),
    /// A handler takes an error of this condition.
    Caught(u32, String),
    /// A variable was assigned to.
    Assigned(u32, Variable),
}

/// A statement that runs.
#[derive(Debug)]
struct Running {
    /// `None` where the place is not known.
    place: Option<usize>,
    /// One of its branches was decided.
    decided: bool,
}

/// A function that runs.
#[derive(Debug)]
struct Frame {
    function: Rc<FunctionSites>,
    known: bool,
    entered: bool,
    arguments: Vec<(String, Option<String>)>,
    running: Vec<Running>,
    /// The statement that was over last, whose new values come next.
    over: Option<usize>,
    /// The last statement that began: of several on a line, the next is behind it.
    last: Option<usize>,
    returned: Option<Variable>,
}

/// What runs.
#[derive(Debug, Default)]
pub(crate) struct Routines {
    /// By name; the last that was created.
    functions: HashMap<String, Rc<FunctionSites>>,
    frames: Vec<Frame>,
}

impl Routines {
    /// A function was created.
    pub(crate) fn create(&mut self, function: &FunctionSites) {
        self.functions
            .insert(function.name.clone(), Rc::new(function.clone()));
    }

    /// Whether nothing runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.frames.is_empty()
    }

    /// The statement of a function that runs now.
    pub(crate) fn current(&self) -> Option<&BodySites> {
        let frame = self.frames.last()?;
        let running = frame.running.last()?;
        frame.function.body.get(running.place?)
    }

    /// The innermost known place: a statement, or the function's beginning.
    pub(crate) fn site(&self) -> Option<u32> {
        let place = |frame: &Frame| {
            let places = frame.running.iter().rev();
            let step = places
                .filter_map(|running| frame.function.body.get(running.place?))
                .map(|body| body.step)
                .next();
            step.or(frame.known.then_some(frame.function.enter))
        };
        self.frames.iter().rev().find_map(place)
    }

    /// Leaves everything, by an error.
    pub(crate) fn abandon(&mut self) -> Vec<Happened> {
        let mut out = Vec::new();
        while !self.frames.is_empty() {
            self.leave(true, &mut out);
        }
        out
    }

    /// Takes a report in. `block`: the `DO` block that the script's statement is.
    pub(crate) fn take(
        &mut self,
        report: Report<'_>,
        block: Option<&FunctionSites>,
    ) -> Vec<Happened> {
        let mut out = Vec::new();
        match report {
            Report::Enter(name) => {
                let function = match name {
                    Some(name) => self.functions.get(name).map(Rc::clone),
                    None => block.cloned().map(Rc::new),
                };
                if let Some(frame) = self.frames.last_mut() {
                    frame.enter(&mut out);
                }
                self.frames.push(Frame {
                    known: function.is_some(),
                    function: function.unwrap_or_default(),
                    entered: false,
                    arguments: Vec::new(),
                    running: Vec::new(),
                    over: None,
                    last: None,
                    returned: None,
                });
            }
            Report::Leave(failed) => self.leave(failed, &mut out),
            Report::Begin(line, kind) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.enter(&mut out);
                    frame.begin(line, &kind, &mut out);
                }
            }
            Report::End(failed) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.end(failed, &mut out);
                }
            }
            Report::Values(values) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.values(values, &mut out);
                }
            }
        }
        out
    }

    fn leave(&mut self, failed: bool, out: &mut Vec<Happened>) {
        if let Some(mut frame) = self.frames.pop() {
            frame.enter(out);
            while !frame.running.is_empty() {
                frame.end(true, out);
            }
            if frame.known {
                let returned = frame.returned.filter(|_| !failed);
                out.push(Happened::Leave(frame.function.leave, failed, returned));
            }
        }
    }
}

impl Frame {
    fn enter(&mut self, out: &mut Vec<Happened>) {
        if std::mem::replace(&mut self.entered, true) || !self.known {
            return;
        }
        let value = |name: &String| {
            let mut known = self.arguments.iter();
            known
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| Variable(value.clone()))
        };
        let values = self.function.arguments.iter().map(value).collect();
        out.push(Happened::Enter(self.function.enter, values));
    }

    /// The place of a statement: the next of its kind on its line.
    fn place(&self, line: u32, kind: &str) -> Option<usize> {
        let line = self.function.line + line.checked_sub(1)?;
        let body = &self.function.body;
        let fits = |at: &usize| body[*at].line == line && body[*at].kind == kind;
        let behind = self.last.map_or(0, |last| last + 1);
        (behind..body.len())
            .find(fits)
            .or_else(|| (0..body.len()).find(fits))
    }

    fn begin(&mut self, line: u32, kind: &str, out: &mut Vec<Happened>) {
        self.over = None;
        let place = self.place(line, kind);
        if let Some(body) = place.and_then(|place| self.function.body.get(place)) {
            if let Some(outer) = self.running.last_mut() {
                outer.decided |= !body.arms.is_empty();
            }
            out.extend(
                body.arms
                    .iter()
                    .map(|(site, arm)| Happened::Branch(*site, *arm)),
            );
            if body.caught != 0 {
                out.push(Happened::Caught(body.caught, body.condition.clone()));
            }
            if body.round != 0 {
                out.push(Happened::Loop(body.round, 1));
            }
            out.push(Happened::Step(body.step));
            if body.loops != 0 {
                out.push(Happened::Loop(body.loops, 0));
            }
            self.last = place;
        }
        self.running.push(Running {
            place,
            decided: false,
        });
    }

    fn end(&mut self, failed: bool, out: &mut Vec<Happened>) {
        let Some(running) = self.running.pop() else {
            return;
        };
        self.over = running.place.filter(|_| !failed);
        let Some(body) = running
            .place
            .and_then(|place| self.function.body.get(place))
        else {
            return;
        };
        // What stands behind is looked for from here on.
        self.last = self.last.max(running.place);
        if !failed && !running.decided {
            out.extend(
                body.otherwise
                    .iter()
                    .map(|(site, arm)| Happened::Branch(*site, *arm)),
            );
        }
        if body.loops != 0 {
            out.push(Happened::Loop(body.loops, 2));
        }
    }

    fn values(&mut self, values: Vec<(&str, Option<String>)>, out: &mut Vec<Happened>) {
        if !self.entered {
            let values = values.into_iter();
            self.arguments
                .extend(values.map(|(name, value)| (name.to_owned(), value)));
            return;
        }
        let running = self.running.last().and_then(|running| running.place);
        let running = running.and_then(|place| self.function.body.get(place));
        if let (Some(body), [(name, value)]) = (running, &values[..])
            && body.returned.eq_ignore_ascii_case(name)
        {
            self.returned = Some(Variable(value.clone()));
        }
        let over = self.over.take();
        if let (Some(body), [(_, value)]) =
            (over.and_then(|at| self.function.body.get(at)), &values[..])
            && body.values != 0
        {
            out.push(Happened::Assigned(body.values, Variable(value.clone())));
        }
    }
}
