//! When each waiting probe is looked at again.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::PendingRef;

/// Deadlines of waiting probes. A probe may have several; those of a probe that has been handed out are
/// ignored by their owner.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// Ends of settle windows: in order, because the window is the same for all probes.
    in_order: VecDeque<(u64, PendingRef)>,
    others: BinaryHeap<Reverse<(u64, PendingRef)>>,
}

impl Timers {
    /// Adds a deadline that is not before any other added this way.
    pub(super) fn push_in_order(&mut self, at: u64, probe: PendingRef) {
        self.in_order.push_back((at, probe));
    }

    /// Adds a deadline.
    pub(super) fn push(&mut self, at: u64, probe: PendingRef) {
        self.others.push(Reverse((at, probe)));
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<u64> {
        let first = self.in_order.front().map(|&(at, _)| at);
        let other = self.others.peek().map(|Reverse((at, _))| *at);
        first.into_iter().chain(other).min()
    }

    /// Removes a deadline that has passed at `now`.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<PendingRef> {
        if self.in_order.front().is_some_and(|&(at, _)| at <= now) {
            return self.in_order.pop_front().map(|(_, probe)| probe);
        }
        if self.others.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            return self.others.pop().map(|Reverse((_, probe))| probe);
        }
        None
    }
}
