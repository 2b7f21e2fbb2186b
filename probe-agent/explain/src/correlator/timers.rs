//! When each waiting probe is looked at again.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque, binary_heap::PeekMut},
};

use super::PendingRef;

/// Deadlines of waiting probes. A probe may have several; those of a probe that has been handed out are
/// ignored by their owner.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// Ends of settle windows: in order, because the window is the same for all probes.
    in_order: VecDeque<(u64, PendingRef)>,
    /// Ends of later probes on the same 4-tuple, nearly all of which come in order, too. At full speed
    /// thousands wait here for the events of their time.
    linked: VecDeque<(u64, PendingRef)>,
    others: BinaryHeap<Reverse<(u64, PendingRef)>>,
}

impl Timers {
    /// Adds a deadline that is not before any other added this way.
    pub(super) fn push_in_order(&mut self, at: u64, probe: PendingRef) {
        self.in_order.push_back((at, probe));
    }

    /// Adds the end of a later probe, of which the deadlines come in order where they can.
    pub(super) fn push_linked(&mut self, at: u64, probe: PendingRef) {
        match self.linked.back() {
            Some(&(last, _)) if at < last => self.push(at, probe),
            _ => self.linked.push_back((at, probe)),
        }
    }

    /// Adds a deadline.
    pub(super) fn push(&mut self, at: u64, probe: PendingRef) {
        self.others.push(Reverse((at, probe)));
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<u64> {
        let queues = [self.in_order.front(), self.linked.front()].into_iter().flatten();
        let other = self.others.peek().map(|Reverse((at, _))| *at);
        queues.map(|&(at, _)| at).chain(other).min()
    }

    /// Removes a deadline that has passed at `now`.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<PendingRef> {
        let is_due = |at: u64| at <= now;
        for queue in [&mut self.in_order, &mut self.linked] {
            if queue.front().is_some_and(|&(at, _)| is_due(at)) {
                return queue.pop_front().map(|(_, probe)| probe);
            }
        }
        let next = self.others.peek_mut()?;
        is_due(next.0.0).then(|| PeekMut::pop(next).0.1)
    }
}
