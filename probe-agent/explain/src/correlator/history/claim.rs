//! Finds the probe that left what the SYN of a probe from another port met.

use super::{History, PendingRef, Timers};

impl History {
    /// Gives a probe the reply that its connection sent to a probe from another port, if one waits.
    pub(in super::super) fn claim_replies(&mut self, index: usize, timers: &mut Timers) {
        if self.unclaimed.is_empty() {
            return;
        }
        if let Some(reply) = self.unclaimed.take(&self.pending[index].timeline.probe) {
            self.link_reply(index, reply, timers);
        }
    }

    /// Forgets the replies that a probe received, because it is handed out.
    pub(super) fn forget_replies(&mut self, index: usize) {
        if self.unclaimed.is_empty() {
            return;
        }
        let pending = &self.pending[index];
        let probe = PendingRef { index, serial: pending.serial };
        for (_, segment) in pending.timeline.stale_replies() {
            if let Some(segment) = segment {
                self.unclaimed.forget(&pending.timeline.probe.flow, segment, probe);
            }
        }
    }
}
