//! Tasks: threads and processes with streams of their own, coroutines and generators without.

use tracer_model::{Kind, Payload, TaskPhase};

use crate::stack::Task;
use crate::walk::Walk;

impl Walk<'_, '_> {
    pub(crate) fn task_record(&mut self, phase: u8, what: u32, raw: u64, site: u32) {
        let what = self.names.text(what).to_owned();
        let line = self.table.site(site).map_or(0, |site| site.span.line);
        let site = self.table.site(site).map_or(0, |site| site.id);
        match phase {
            0 | 3 => {
                // Threads and processes have streams of their own, numbered beforehand.
                let own = phase == 3
                    || matches!(
                        what.as_str(),
                        "thread" | "virtual thread" | "process" | "worker" | "goroutine"
                    );
                let task = own.then(|| self.next_child()).flatten().unwrap_or_else(|| {
                    self.just_created = Some(raw);
                    self.new_task(raw)
                });
                if own {
                    self.words.insert(task, what.clone());
                }
                let payload = Payload::Task {
                    phase: TaskPhase::Created,
                    what,
                    task,
                };
                self.emit(Kind::Task, site, line, payload);
            }
            1 => {
                if raw == self.current {
                    return;
                }
                let task = match self.tasks.get(&raw) {
                    Some(task) => task.number,
                    None => self.new_task(raw),
                };
                self.current = raw;
                let payload = Payload::Task {
                    phase: TaskPhase::Switched,
                    what,
                    task,
                };
                self.emit(Kind::Task, site, line, payload);
            }
            _ => {
                let Some(task) = self.tasks.get(&raw).map(|task| task.number) else {
                    return;
                };
                let payload = Payload::Task {
                    phase: TaskPhase::Ended,
                    what,
                    task,
                };
                self.emit(Kind::Task, site, line, payload);
                if raw == 0 {
                    return;
                }
                if let Some(task) = self.tasks.remove(&raw) {
                    for frame in task.into_frames() {
                        self.heap.forget(frame.bindings);
                    }
                }
                if self.current == raw {
                    self.current = 0;
                }
            }
        }
    }

    /// The task of the child stream that is being created, if it left any records.
    fn next_child(&mut self) -> Option<u32> {
        let ordinal = self.created;
        self.created = self.created.saturating_add(1);
        let known = self
            .children
            .iter()
            .position(|&(child, _)| child == ordinal);
        let unknown = || {
            self.children
                .iter()
                .position(|&(child, _)| child == u32::MAX)
        };
        Some(self.children.remove(known.or_else(unknown)?).1)
    }

    fn new_task(&mut self, raw: u64) -> u32 {
        self.last_task = self.last_task.saturating_add(1);
        let number = self.last_task;
        if raw != 0 {
            self.tasks.insert(raw, Task::new(number));
        }
        number
    }
}
