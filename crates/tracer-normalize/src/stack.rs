//! One task's stack of calls, as far as the records tell.
//!
//! Frames between known ones may be missing: after a gap a `DEPTH` record says only how deep the
//! task stands. A frame that a gap may have replaced is *doubtful* until a record fits it.

use crate::heap::Bindings;

/// Frames kept for generators and coroutines that wait.
const MAX_SUSPENDED: usize = 4096;

/// A call on the stack.
#[derive(Debug, Default)]
pub(crate) struct Frame<'t> {
    /// Its function, if known.
    pub(crate) function: Option<u32>,
    /// The site it was entered at; 0 if unknown.
    pub(crate) site: u32,
    /// Calls on the stack, this one included.
    pub(crate) depth: u32,
    /// Whether a gap may have replaced it.
    pub(crate) doubtful: bool,
    /// The statement it is at; 0 before the first.
    pub(crate) statement: u32,
    /// Loops under way by site, with iterations so far.
    pub(crate) loops: Vec<(u32, u64)>,
    /// The site it waits at, while it is suspended.
    pub(crate) waits_at: u32,
    /// Calls into libraries that it waits for: site, and the index of the event.
    pub(crate) calls: Vec<(u32, usize)>,
    /// What its names show.
    pub(crate) bindings: Bindings<'t>,
}

/// A thread, process or coroutine, and where it stands.
#[derive(Debug)]
pub(crate) struct Task<'t> {
    /// Its number in the trace.
    pub(crate) number: u32,
    /// Whether the error under way has been told of where it was raised.
    pub(crate) raised: bool,
    /// Where the first of the frames unwound since then was left: index of the event, statement,
    /// depth.
    pub(crate) left: Option<(usize, u32, u32)>,
    /// Frames reported as unwound since anything else happened.
    pub(crate) unwound: usize,
    /// Calls into libraries that those frames waited for: indices of events.
    pub(crate) failing: Vec<usize>,
    depth: u32,
    /// Never empty: the first is the code that no call runs.
    frames: Vec<Frame<'t>>,
    suspended: Vec<Frame<'t>>,
}

impl<'t> Task<'t> {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            raised: false,
            left: None,
            unwound: 0,
            failing: Vec::new(),
            depth: 0,
            frames: vec![Frame::default()],
            suspended: Vec::new(),
        }
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The frame that runs, made if nothing is known of it.
    pub(crate) fn top(&mut self) -> &mut Frame<'t> {
        if self
            .frames
            .last()
            .is_none_or(|frame| frame.depth < self.depth)
        {
            self.frames.push(Frame {
                depth: self.depth,
                ..Frame::default()
            });
        }
        self.frames
            .last_mut()
            .expect("the first frame is never removed")
    }

    /// The rounds so far of a loop under way, the innermost of that site. It may be in a frame
    /// further out: what was left out is told before the depth at which records go on, and a first
    /// visit may have been told from a call inside it.
    pub(crate) fn rounds(&mut self, site: u32) -> Option<&mut u64> {
        self.top();
        let frames = self.frames.iter_mut().rev();
        let mut loops = frames.flat_map(|frame| frame.loops.iter_mut().rev());
        loops
            .find(|(known, _)| *known == site)
            .map(|(_, rounds)| rounds)
    }

    pub(crate) fn enter(&mut self, function: u32, site: u32) {
        self.depth = self.depth.saturating_add(1);
        // At the limit of depth the number stands still.
        self.frames.retain(|frame| frame.depth < self.depth);
        let depth = self.depth;
        self.frames.push(Frame {
            function: Some(function),
            site,
            depth,
            ..Frame::default()
        });
    }

    /// Leaves the running frame if it can be that function's; gives it back where it is known.
    pub(crate) fn leave(&mut self, function: u32) -> Option<Frame<'t>> {
        if self.depth == 0 {
            return None;
        }
        let top = self.top();
        if top.function.is_some_and(|known| known != function) {
            return None;
        }
        self.pop()
    }

    /// Leaves the running frame, unless no call runs.
    pub(crate) fn pop(&mut self) -> Option<Frame<'t>> {
        let depth = self.depth;
        self.depth = self.depth.checked_sub(1)?;
        self.frames.pop_if(|frame| frame.depth == depth)
    }

    /// A frame waits here until it is resumed. Gives one that is forgotten, if too many wait.
    pub(crate) fn wait(&mut self, frame: Frame<'t>) -> Option<Frame<'t>> {
        self.suspended.push(frame);
        (self.suspended.len() > MAX_SUSPENDED).then(|| self.suspended.remove(0))
    }

    /// A frame of that function that waited goes on: one that waited at this place if there is
    /// one. Coroutines take turns; of generators the one that waited last is the likeliest.
    pub(crate) fn resume(&mut self, function: u32, site: u32, turns: bool) {
        let fits = |frame: &Frame<'t>| frame.function == Some(function);
        let here = |frame: &Frame<'t>| fits(frame) && frame.waits_at == site;
        let waiting = if turns {
            let first = self.suspended.iter().position(here);
            first.or_else(|| self.suspended.iter().position(fits))
        } else {
            let last = self.suspended.iter().rposition(here);
            last.or_else(|| self.suspended.iter().rposition(fits))
        };
        self.enter(function, site);
        if let Some(index) = waiting {
            let frame = self.suspended.remove(index);
            let depth = self.depth;
            *self.top() = Frame { depth, ..frame };
        }
    }

    /// Records resume at this depth. Gives the frames that are gone.
    pub(crate) fn set_depth(&mut self, depth: u64) -> Vec<Frame<'t>> {
        self.depth = u32::try_from(depth).unwrap_or(u32::MAX);
        for frame in &mut self.frames {
            frame.doubtful = frame.depth > 0;
        }
        let keep = self
            .frames
            .partition_point(|frame| frame.depth <= self.depth);
        self.frames.split_off(keep.max(1))
    }

    /// How many known calls lie above the frame of this function; `None` if it is not on the
    /// stack. `base` says that the function's code runs without a call.
    pub(crate) fn above(&self, function: u32, base: bool) -> Option<usize> {
        let found = self
            .frames
            .iter()
            .rposition(|frame| frame.function == Some(function));
        let index = found.or(base.then_some(0))?;
        Some(self.frames.len() - 1 - index)
    }

    /// Innermost known call, unless no call runs.
    pub(crate) fn innermost(&self) -> Option<&Frame<'t>> {
        self.frames.last().filter(|frame| frame.depth > 0)
    }

    /// The statement that the running frame is at from now on. It waits for no call any more.
    pub(crate) fn arrive(&mut self, statement: u32) {
        let top = self.top();
        top.statement = statement;
        top.calls.clear();
    }

    /// Events from that index on stand one further back.
    pub(crate) fn shift(&mut self, from: usize) {
        let frames = self.frames.iter_mut().chain(&mut self.suspended);
        let open = frames.flat_map(|frame| frame.calls.iter_mut().map(|(_, at)| at));
        for at in open.chain(&mut self.failing) {
            *at += usize::from(*at >= from);
        }
    }

    /// Known calls of this function on the stack.
    pub(crate) fn count(&self, function: Option<u32>) -> usize {
        self.frames
            .iter()
            .filter(|frame| frame.function == function)
            .count()
    }

    /// Leaves unknown calls above the innermost known one.
    pub(crate) fn settle_depth(&mut self) {
        if let Some(frame) = self.frames.last() {
            self.depth = frame.depth;
        }
    }

    /// The statement it is at; 0 if unknown.
    pub(crate) fn statement(&self) -> u32 {
        self.frames
            .last()
            .filter(|frame| frame.depth == self.depth)
            .map_or(0, |f| f.statement)
    }

    /// Frames that are still open when the stream ends.
    pub(crate) fn into_frames(self) -> impl Iterator<Item = Frame<'t>> {
        self.frames.into_iter().chain(self.suspended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_left_out_are_those_of_a_loop_further_out() {
        let mut task = Task::new(0);
        task.enter(1, 10);
        task.top().loops.push((11, 2));
        // A call inside the loop whose way out was left out.
        task.enter(2, 20);
        *task.rounds(11).expect("it is under way") += 40;
        assert_eq!(task.rounds(12), None);
        task.set_depth(1);
        assert_eq!(task.top().loops, [(11, 42)]);
    }
}
