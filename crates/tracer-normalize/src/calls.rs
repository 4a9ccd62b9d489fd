//! Calls into libraries that are told when they begin: what they gave back, or raised.
//!
//! A frame waits for such calls, each inside the one before. A result ends the innermost of its
//! site; an error ends all that the frames it left, and the one that caught it, waited for. Whoever
//! reports another statement waits for none: what swallowed an error said nothing.

use tracer_model::{ErrPhase, Payload, Raised, Site};
use tracer_stream::RawValue;

use crate::walk::Walk;

impl Walk<'_, '_> {
    /// A call gave this back.
    pub(crate) fn returned(&mut self, site: &Site, value: Option<&RawValue<'_>>) {
        let calls = &mut self.task().top().calls;
        let Some(open) = calls.iter().rposition(|&(known, _)| known == site.id) else {
            return;
        };
        let (_, at) = calls[open];
        calls.truncate(open);
        let value = value.map(|value| self.convert(value));
        self.heap.pass();
        if let Some(Payload::Call { result, .. }) = self.payload_at(at) {
            *result = value;
        }
    }

    /// The running frame is left by an error: so were the calls that it waited for.
    pub(crate) fn give_up(&mut self) {
        let task = self.task();
        let open = std::mem::take(&mut task.top().calls);
        task.failing.extend(open.into_iter().map(|(_, at)| at));
    }

    /// An error arrived where it is caught, passes or ends the program; or came up while a frame
    /// waited, which runs no code of its own then: out of the call.
    pub(crate) fn failed(&mut self, error: &Payload) {
        let Payload::Err {
            phase,
            type_name,
            message,
            ..
        } = error
        else {
            return;
        };
        match phase {
            ErrPhase::Caught | ErrPhase::Passing | ErrPhase::Uncaught => {}
            ErrPhase::Raised if !self.task().top().calls.is_empty() => {}
            _ => return,
        }
        self.give_up();
        for at in std::mem::take(&mut self.task().failing) {
            if let Some(Payload::Call { raised, .. }) = self.payload_at(at) {
                *raised = Some(Raised {
                    type_name: type_name.clone(),
                    message: message.clone(),
                });
            }
        }
    }

    fn payload_at(&mut self, at: usize) -> Option<&mut Payload> {
        self.events.get_mut(at).map(|event| &mut event.payload)
    }
}
