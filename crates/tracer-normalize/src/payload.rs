//! What each record says: values converted, names and arms looked up, bindings kept.

use tracer_model::{Arm, Frame, LoopPhase, Payload, Site, TaskPhase, Value};
use tracer_stream::{RawValue, Record};

use crate::unwind::error_phase;
use crate::values::Converter;
use crate::walk::Walk;

/// What to call a function that waits for others.
pub(crate) const COROUTINE: &str = "coroutine";

impl<'t> Walk<'t, '_> {
    pub(crate) fn convert(&mut self, raw: &RawValue<'_>) -> Value {
        Converter {
            names: &self.names,
            types: self.types,
            heap: &mut self.heap,
            next_identity: &mut self.next_identity,
        }
        .value(raw)
    }

    /// Pairs values with the site's names.
    fn named(&mut self, site: &Site, values: &[RawValue<'_>]) -> Vec<(String, Value)> {
        let mut named = Vec::with_capacity(values.len());
        for (index, raw) in values.iter().enumerate() {
            named.push((name_of(site, index).to_owned(), self.convert(raw)));
        }
        named
    }

    /// Pairs values with the site's names, which show them from now on.
    fn bound(&mut self, site: &'t Site, values: &[RawValue<'_>]) -> Vec<(String, Value)> {
        let mut named = Vec::with_capacity(values.len());
        for (index, raw) in values.iter().enumerate() {
            named.push((name_of(site, index).to_owned(), self.convert(raw)));
            self.bind(name_of(site, index));
        }
        named
    }

    fn bind(&mut self, name: &'t str) {
        let current = self.current;
        if let Some(task) = self.tasks.get_mut(&current) {
            self.heap.bind(&mut task.top().bindings, name);
        }
    }

    /// One written name of a `VAR` record.
    pub(crate) fn variable(&mut self, site: &'t Site, index: usize, raw: &RawValue<'_>) -> Payload {
        let value = self.convert(raw);
        let name = name_of(site, index);
        if site.expression {
            self.heap.pass();
        } else {
            self.bind(name);
        }
        Payload::Var {
            name: name.to_owned(),
            value,
        }
    }

    /// What a record says, for all kinds but `VAR`, which says several things.
    pub(crate) fn payload(&mut self, site: &'t Site, record: &Record<'_>) -> Payload {
        let payload = match record {
            Record::In { args, .. } => Payload::In {
                args: self.bound(site, args),
            },
            Record::Out {
                value,
                unwinding,
                suspended,
                ..
            } => Payload::Out {
                value: value.as_ref().map(|value| self.convert(value)),
                unwinding: *unwinding,
                suspended: *suspended,
            },
            Record::Branch { arm, operands, .. } => Payload::Branch {
                operands: self.named(site, operands),
                arm: Arm {
                    index: *arm,
                    name: arm_name(site, *arm),
                },
            },
            Record::Loop { phase, targets, .. } => {
                let phase = match phase {
                    0 => LoopPhase::Entered,
                    1 => LoopPhase::Iteration,
                    _ => LoopPhase::Left,
                };
                let targets = self.bound(site, targets);
                Payload::Loop {
                    phase,
                    count: self.count_loop(site.id, phase),
                    targets,
                }
            }
            Record::Err { .. } => self.error(record),
            Record::Transform { before, after, .. } => {
                let before = self.convert(before);
                self.heap.pass();
                let after = self.convert(after);
                let name = name_of(site, 0);
                self.bind(name);
                Payload::Transform {
                    name: name.to_owned(),
                    before,
                    after,
                }
            }
            Record::Call {
                callee,
                package,
                version,
                args,
                result,
                ..
            } => Payload::Call {
                callee: match callee {
                    0 => site.text.clone(),
                    callee => self.names.text(*callee).to_owned(),
                },
                package: self.names.get(*package).map(str::to_owned),
                version: self.names.get(*version).map(str::to_owned),
                args: args.iter().map(|value| self.convert(value)).collect(),
                result: result.as_ref().map(|value| self.convert(value)),
                raised: None,
            },
            Record::Resume { .. } => Payload::Task {
                phase: TaskPhase::Switched,
                what: self.frame_word(site.function).to_owned(),
                task: self.task().number,
            },
            _ => Payload::Step,
        };
        self.heap.pass();
        payload
    }

    pub(crate) fn error(&mut self, record: &Record<'_>) -> Payload {
        let Record::Err {
            phase,
            type_name,
            message,
            frames,
            ..
        } = record
        else {
            return Payload::Step;
        };
        Payload::Err {
            phase: error_phase(*phase),
            type_name: String::from_utf8_lossy(type_name.shown).into_owned(),
            message: match message {
                RawValue::Null => None,
                message => Some(self.convert(message)),
            },
            frames: frames
                .iter()
                .map(|frame| Frame {
                    function: self.names.text(frame.function).to_owned(),
                    line: frame.line,
                })
                .collect(),
        }
    }

    /// What to call a body that waits and goes on.
    pub(crate) fn frame_word(&self, function: u32) -> &'static str {
        match self
            .table
            .functions
            .get(function as usize)
            .map(|function| function.kind)
        {
            Some(tracer_model::FunctionKind::Async) => COROUTINE,
            _ => "generator",
        }
    }
}

/// The name of a site's value; its text where it has no such name.
fn name_of(site: &Site, index: usize) -> &str {
    match site.names.get(index) {
        Some(name) => name,
        None => &site.text,
    }
}

fn arm_name(site: &Site, arm: u32) -> String {
    match (site.arms.get(arm as usize), arm) {
        (Some(name), _) => name.clone(),
        (None, 0) => "false".to_owned(),
        (None, 1) => "true".to_owned(),
        (None, arm) => format!("arm {arm}"),
    }
}
