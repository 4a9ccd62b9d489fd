//! Visits that were left out: from `ELIDE` records, and from the slots when the run is over.
//!
//! What a record implies was left out with it, so the places it chains to are told of as well.

use tracer_model::{Kind, LoopPhase, Payload, Site};
use tracer_stream::{Problem, Record, Slot, record};

use crate::walk::Walk;

impl<'t, 'r> Walk<'t, 'r> {
    /// An `ELIDE` record.
    pub(crate) fn elide(&mut self, site: &'t Site, count: u64, last: &'r [u8]) {
        let last = match record::read_whole(last) {
            Ok(last) => last.filter(|last| last.site() == site.id),
            Err(malformed) => {
                self.broken(Problem::Record(malformed));
                None
            }
        };
        self.left_out(site, count, last.as_ref());
    }

    /// What the slots hold at the end, in the order of the last visits. All streams share the
    /// slots, so nothing is known of task and depth.
    pub(crate) fn slots(&mut self, slots: &[Slot<'r>]) {
        let mut order: Vec<&Slot<'r>> = slots.iter().collect();
        order.sort_by_key(|slot| (slot.sequence, slot.site));
        for slot in order {
            if let Some(site) = self.table.site(slot.site) {
                self.left_out(site, slot.count, slot.last.as_ref());
            }
        }
    }

    fn left_out(&mut self, site: &'t Site, count: u64, last: Option<&Record<'r>>) {
        if count == 0 {
            return;
        }
        let is_loop = site.kind == Kind::Loop;
        if !is_loop {
            self.left_out_implied(&site.chain.before, count, &mut vec![site.id]);
        }
        let from = self.visits[site.id as usize].saturating_add(1);
        self.visit(site, count);
        let to = self.visits[site.id as usize];
        if is_loop {
            self.add_iterations(site.id, count);
        }
        let lasts: Vec<Option<Payload>> = match last {
            None => vec![None],
            Some(Record::Var { values, .. }) if !values.is_empty() => values
                .iter()
                .enumerate()
                .map(|(index, raw)| Some(self.variable(site, index, raw)))
                .collect(),
            // The count of a loop must not grow by being told.
            Some(Record::Loop { phase, targets, .. }) => {
                vec![Some(self.last_of_loop(site, *phase, targets))]
            }
            Some(record) => vec![Some(self.payload(site, record))],
        };
        for last in lasts {
            let payload = Payload::Elide {
                from,
                to,
                count,
                last: last.map(Box::new),
            };
            self.emit_at(Kind::Elide, site, payload);
        }
        self.left_out_implied(&site.chain.after, count, &mut vec![site.id]);
    }

    fn left_out_implied(&mut self, sites: &'t [u32], count: u64, path: &mut Vec<u32>) {
        for &id in sites {
            let Some(site) = self.table.site(id) else {
                continue;
            };
            // Longer than any real chain: a table that chains in circles.
            if path.contains(&id) || path.len() > 64 {
                continue;
            }
            path.push(id);
            self.left_out_implied(&site.chain.before, count, path);
            let from = self.visits[id as usize].saturating_add(1);
            self.visit(site, count);
            let to = self.visits[id as usize];
            self.emit_at(
                Kind::Elide,
                site,
                Payload::Elide {
                    from,
                    to,
                    count,
                    last: None,
                },
            );
            self.left_out_implied(&site.chain.after, count, path);
        }
    }

    fn last_of_loop(
        &mut self,
        site: &'t Site,
        phase: u8,
        targets: &[tracer_stream::RawValue<'_>],
    ) -> Payload {
        let record = Record::Loop {
            site: site.id,
            phase,
            targets: targets.to_vec(),
        };
        let before = self.loop_count(site.id);
        let mut payload = self.payload(site, &record);
        self.set_loop_count(site.id, before);
        if let Payload::Loop {
            phase: LoopPhase::Iteration,
            count,
            ..
        } = &mut payload
        {
            *count = before.unwrap_or(*count);
        }
        payload
    }

    fn loop_count(&mut self, site: u32) -> Option<u64> {
        let loops = &self.task().top().loops;
        loops
            .iter()
            .rev()
            .find(|(known, _)| *known == site)
            .map(|&(_, count)| count)
    }

    fn set_loop_count(&mut self, site: u32, to: Option<u64>) {
        let loops = &mut self.task().top().loops;
        loops.retain(|(known, _)| *known != site);
        if let Some(count) = to {
            loops.push((site, count));
        }
    }

    fn add_iterations(&mut self, site: u32, count: u64) {
        if let Some(iterations) = self.task().rounds(site) {
            *iterations = iterations.saturating_add(count);
        }
    }
}
