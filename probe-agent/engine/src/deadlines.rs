//! When probes in flight are to end.
//!
//! Where the timeout is the same for all, deadlines come in order, and a queue holds them: O(1) for
//! each. A request may bring a timeout of its own: its deadline goes into a heap if it is due before
//! the last one in the queue. Nearly every probe is answered before its deadline, which then stays
//! behind; [`Deadlines::forget`] drops those, so that the memory is that of the probes in flight
//! and not of a timeout's worth of them.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

/// When one probe is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub(crate) at: u64,
    /// The slot that it runs on.
    pub(crate) slot: u32,
    /// The slot's generation: a later one is of another probe.
    pub(crate) generation: u32,
}

/// Deadlines, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    ordered: VecDeque<Deadline>,
    others: BinaryHeap<Reverse<Deadline>>,
}

/// Fewer deadlines than this are not worth looking through.
const FEW: usize = 1024;

impl Deadlines {
    /// Adds a deadline.
    pub(crate) fn push(&mut self, deadline: Deadline) {
        match self.ordered.back() {
            Some(last) if deadline.at < last.at => self.others.push(Reverse(deadline)),
            _ => self.ordered.push_back(deadline),
        }
    }

    /// When the earliest is.
    pub(crate) fn next(&self) -> Option<u64> {
        let (ordered, other) = (self.ordered.front(), self.others.peek());
        ordered.into_iter().chain(other.map(|Reverse(d)| d)).map(|d| d.at).min()
    }

    /// Takes the earliest, if it has passed at `now`.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Deadline> {
        let at = self.next().filter(|at| *at <= now)?;
        if self.ordered.front().is_some_and(|d| d.at == at) {
            return self.ordered.pop_front();
        }
        self.others.pop().map(|Reverse(d)| d)
    }

    /// Whether most are of probes that have ended, when `in_flight` are in flight.
    pub(crate) fn is_stale(&self, in_flight: usize) -> bool {
        self.ordered.len() + self.others.len() > FEW + 4 * in_flight
    }

    /// Keeps those of probes still in flight.
    pub(crate) fn forget(&mut self, is_in_flight: impl Fn(&Deadline) -> bool) {
        self.ordered.retain(&is_in_flight);
        self.others.retain(|Reverse(d)| is_in_flight(d));
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Deadlines, FEW};

    fn at(at: u64, slot: u32) -> Deadline {
        Deadline { at, slot, generation: 1 }
    }

    #[test]
    fn they_pass_in_order_however_they_came() {
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
    fn probes_that_have_ended_are_forgotten() {
        let mut deadlines = Deadlines::default();
        (0..5_000).for_each(|n| deadlines.push(at(u64::from(10_000 - n), n)));
        assert!(deadlines.is_stale(10));
        deadlines.forget(|d| d.slot < 10);
        assert!(!deadlines.is_stale(10) && FEW > 10);
        assert_eq!(std::iter::from_fn(|| deadlines.pop(u64::MAX)).count(), 10);
    }
}
