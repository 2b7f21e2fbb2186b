//! The deadlines of the probes in flight.
//!
//! If all probes have the same timeout, their deadlines are added in order, and a queue holds them: O(1)
//! for each. A request may have a timeout of its own: its deadline goes into a heap if it is before the
//! last one in the queue. Nearly every probe is answered before its deadline, which then stays in the
//! queue. [`Deadlines::retain`] drops such deadlines, so that memory is needed only for the probes in
//! flight, not for all probes started within a timeout.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

/// When one probe times out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub(crate) at: u64,
    /// The slot that the probe runs on.
    pub(crate) slot: u32,
    /// The slot's generation: a later one belongs to another probe.
    pub(crate) generation: u32,
}

/// All deadlines, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    ordered: VecDeque<Deadline>,
    others: BinaryHeap<Reverse<Deadline>>,
}

/// Fewer deadlines than this are not worth a cleanup.
const MIN_CLEANUP: usize = 1024;

impl Deadlines {
    /// Adds a deadline.
    pub(crate) fn push(&mut self, deadline: Deadline) {
        match self.ordered.back() {
            Some(last) if deadline.at < last.at => self.others.push(Reverse(deadline)),
            _ => self.ordered.push_back(deadline),
        }
    }

    /// The time of the earliest.
    pub(crate) fn next(&self) -> Option<u64> {
        let (ordered, other) = (self.ordered.front(), self.others.peek());
        ordered.into_iter().chain(other.map(|Reverse(d)| d)).map(|d| d.at).min()
    }

    /// Removes the earliest, if it has passed at `now`.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Deadline> {
        let at = self.next().filter(|at| *at <= now)?;
        if self.ordered.front().is_some_and(|d| d.at == at) {
            return self.ordered.pop_front();
        }
        self.others.pop().map(|Reverse(d)| d)
    }

    /// Whether most deadlines belong to probes that have ended; `in_flight` is the number of probes in flight.
    pub(crate) fn needs_cleanup(&self, in_flight: usize) -> bool {
        self.ordered.len() + self.others.len() > MIN_CLEANUP + 4 * in_flight
    }

    /// Keeps only the deadlines of probes in flight.
    pub(crate) fn retain(&mut self, is_in_flight: impl Fn(&Deadline) -> bool) {
        self.ordered.retain(&is_in_flight);
        self.others.retain(|Reverse(d)| is_in_flight(d));
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Deadlines, MIN_CLEANUP};

    fn at(at: u64, slot: u32) -> Deadline {
        Deadline { at, slot, generation: 1 }
    }

    #[test]
    fn deadlines_pass_in_order_whatever_order_they_were_added_in() {
        let mut deadlines = Deadlines::default();
        for (slot, due) in (0..).zip([30, 10, 40, 20, 40, 5]) {
            deadlines.push(at(due, slot));
        }
        assert_eq!(deadlines.next(), Some(5));
        assert_eq!(deadlines.pop(4), None);
        let passed: Vec<u64> =
            std::iter::from_fn(|| deadlines.pop(35)).map(|d: Deadline| d.at).collect();
        assert_eq!(passed, [5, 10, 20, 30]);
        assert_eq!(deadlines.next(), Some(40));
    }

    #[test]
    fn equal_timeouts_need_no_heap() {
        let mut deadlines = Deadlines::default();
        (0..100).for_each(|n| deadlines.push(at(1_000 + u64::from(n / 2), n)));
        assert!(deadlines.others.is_empty());
    }

    #[test]
    fn deadlines_of_ended_probes_are_dropped() {
        let mut deadlines = Deadlines::default();
        (0..5_000).for_each(|n| deadlines.push(at(u64::from(10_000 - n), n)));
        assert!(deadlines.needs_cleanup(10));
        deadlines.retain(|d| d.slot < 10);
        assert!(!deadlines.needs_cleanup(10) && MIN_CLEANUP > 10);
        assert_eq!(std::iter::from_fn(|| deadlines.pop(u64::MAX)).count(), 10);
    }
}
