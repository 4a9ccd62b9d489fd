//! Events that a record implies, so that they need no probe: a site's chain.
//!
//! For a `LOOP`, `before` comes when it is entered, `after` at each iteration, and `after_left`
//! when it is over. An implied `LOOP` is an iteration behind a condition that held, the end behind
//! one that did not, and an entry elsewhere.

use tracer_model::{Kind, LoopPhase, Payload, Site};
use tracer_stream::Record;

use crate::walk::Walk;

/// Implied events of one record; more means that a table chains in circles.
const MAX_IMPLIED: usize = 256;

/// What an implied `LOOP` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopRole {
    Entered,
    Iteration,
    Left,
}

/// The sites being expanded, and how many were.
#[derive(Debug, Default)]
struct Guard {
    path: Vec<u32>,
    told: usize,
}

/// Whether an error left a function that is named by where it is entered: what follows entering it
/// does not follow.
fn is_left_by_error(site: &Site, record: &Record<'_>) -> bool {
    site.kind == Kind::In
        && matches!(
            record,
            Record::Out {
                unwinding: true,
                ..
            }
        )
}

impl<'t> Walk<'t, '_> {
    /// What happened just before a record.
    pub(crate) fn before(&mut self, site: &'t Site, record: &Record<'_>) {
        if matches!(record, Record::Loop { phase: 1 | 2, .. })
            || site.chain.before.is_empty()
            || is_left_by_error(site, record)
        {
            return;
        }
        let mut guard = Guard {
            path: vec![site.id],
            told: 0,
        };
        self.imply(&site.chain.before, LoopRole::Entered, &mut guard);
    }

    /// What follows a record at once.
    pub(crate) fn after(&mut self, site: &'t Site, record: &Record<'_>) {
        if is_left_by_error(site, record) {
            return;
        }
        let mut guard = Guard {
            path: vec![site.id],
            told: 0,
        };
        let role = Self::role_after(record);
        match record {
            Record::Loop { phase: 0, .. } => {}
            Record::Loop { phase: 2, .. } => {
                self.imply(&site.chain.after_left, LoopRole::Entered, &mut guard);
            }
            Record::Branch { arm, .. } => {
                self.imply(&site.chain.after, LoopRole::Entered, &mut guard);
                self.imply_arm(site, *arm, role, &mut guard);
            }
            _ => self.imply(&site.chain.after, role, &mut guard),
        }
    }

    fn imply_arm(&mut self, site: &'t Site, arm: u32, role: LoopRole, guard: &mut Guard) {
        for (_, sites) in site
            .chain
            .after_arm
            .iter()
            .filter(|(taken, _)| *taken == arm)
        {
            self.imply(sites, role, guard);
        }
    }

    fn imply(&mut self, sites: &'t [u32], role: LoopRole, guard: &mut Guard) {
        for &id in sites {
            let Some(site) = self.table.site(id) else {
                continue;
            };
            if guard.path.contains(&id) || guard.told >= MAX_IMPLIED {
                continue;
            }
            guard.told += 1;
            guard.path.push(id);
            self.implied(site, role, guard);
            guard.path.pop();
        }
    }

    fn implied(&mut self, site: &'t Site, role: LoopRole, guard: &mut Guard) {
        if site.kind != Kind::Loop || role == LoopRole::Entered {
            self.imply(&site.chain.before, LoopRole::Entered, guard);
        }
        let value = site.implied_value.clone();
        match site.kind {
            Kind::Step => {
                self.task().arrive(site.id);
                self.emit_at(Kind::Step, site, Payload::Step);
            }
            Kind::Out => {
                let payload = Payload::Out {
                    value,
                    unwinding: false,
                    suspended: false,
                };
                self.emit_at(Kind::Out, site, payload);
                self.leave(site, false);
            }
            Kind::In => {
                self.task().enter(site.function, site.id);
                self.emit_at(Kind::In, site, Payload::In { args: Vec::new() });
            }
            Kind::Loop => {
                let phase = match role {
                    LoopRole::Entered => LoopPhase::Entered,
                    LoopRole::Iteration => LoopPhase::Iteration,
                    LoopRole::Left => LoopPhase::Left,
                };
                let count = self.count_loop(site.id, phase);
                self.emit_at(
                    Kind::Loop,
                    site,
                    Payload::Loop {
                        phase,
                        count,
                        targets: Vec::new(),
                    },
                );
            }
            Kind::Var => {
                // Without a value it says nothing.
                let (Some(name), Some(value)) = (site.names.first(), value) else {
                    return;
                };
                self.emit_at(
                    Kind::Var,
                    site,
                    Payload::Var {
                        name: name.clone(),
                        value,
                    },
                );
            }
            Kind::Branch
            | Kind::Err
            | Kind::Transform
            | Kind::Call
            | Kind::Stdout
            | Kind::Task
            | Kind::Elide => return,
        }
        self.visit(site, 1);
        match (site.kind, role) {
            (Kind::Loop, LoopRole::Entered) => {}
            (Kind::Loop, LoopRole::Left) => {
                self.imply(&site.chain.after_left, LoopRole::Entered, guard);
            }
            _ => self.imply(&site.chain.after, LoopRole::Entered, guard),
        }
    }
}
