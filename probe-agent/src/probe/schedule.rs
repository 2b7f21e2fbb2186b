//! Which target is probed next, and when.

use std::collections::VecDeque;

use super::target::TargetId;

/// What a worker has to do for one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The target.
    pub target: TargetId,
    /// Number of probes; `None`: until stopped.
    pub count: Option<u64>,
}

/// Deals the probes of a run out to `workers`: whole targets while there are enough of them, else
/// an equal part of each target's probes.
#[must_use]
pub fn deal(targets: u32, count: Option<u64>, workers: u32) -> Vec<Vec<Share>> {
    let mut hands = vec![Vec::new(); workers as usize];
    for id in 0..targets {
        let target = TargetId(id);
        if targets >= workers {
            hands[(id % workers) as usize].push(Share { target, count });
            continue;
        }
        for (worker, hand) in (0_u64..).zip(&mut hands) {
            let all = u64::from(workers);
            let count = count.map(|n| n / all + u64::from(worker < n % all));
            hand.push(Share { target, count });
        }
    }
    hands
}

/// Targets in the order in which they are due. The interval is the same for all, so that a target
/// that is put back at the end is due last and no sorting is needed.
#[derive(Debug)]
pub(super) struct Schedule {
    queue: VecDeque<(u64, TargetId, u64)>,
    interval: u64,
}

impl Schedule {
    /// Each target, due at `now`, as often as it says (`None`: without end) with `interval`
    /// nanoseconds between.
    pub(super) fn new(shares: &[Share], interval: u64, now: u64) -> Self {
        let queue = shares
            .iter()
            .map(|share| (now, share.target, share.count.unwrap_or(u64::MAX)))
            .filter(|(_, _, left)| *left > 0)
            .collect();
        Self { queue, interval }
    }

    /// When the next target is due; `None` if there is none left.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.queue.front().map(|(due, _, _)| *due)
    }

    /// The next target, if it is due at `now`; it is put back for its next time.
    pub(super) fn take(&mut self, now: u64) -> Option<TargetId> {
        let (due, id, left) = self.queue.pop_front()?;
        if due > now {
            self.queue.push_front((due, id, left));
            return None;
        }
        if left > 1 {
            // Counted from when it was due, so that the rate holds; but a backlog is not made up
            // for in a burst.
            self.queue.push_back(((due + self.interval).max(now), id, left - 1));
        }
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Schedule, Share, deal};
    use crate::probe::target::TargetId;

    fn shares(targets: u32, count: Option<u64>) -> Vec<Share> {
        (0..targets).map(|id| Share { target: TargetId(id), count }).collect()
    }

    #[test]
    fn targets_take_turns_and_each_has_its_count() {
        let mut schedule = Schedule::new(&shares(2, Some(2)), 10, 100);
        let mut taken = Vec::new();
        for now in [100, 100, 100, 110, 110, 200] {
            taken.push(schedule.take(now).map(|t| t.0));
        }
        assert_eq!(taken, [Some(0), Some(1), None, Some(0), Some(1), None]);
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn a_backlog_is_not_made_up_for_in_a_burst() {
        let mut schedule = Schedule::new(&shares(1, None), 10, 0);
        assert!(schedule.take(1_000).is_some());
        assert_eq!(schedule.next_due(), Some(1_000));
        assert!(schedule.take(1_000).is_some());
        assert_eq!(schedule.next_due(), Some(1_010));
    }

    #[test]
    fn every_probe_is_dealt_to_one_worker() {
        for (targets, count, workers) in [(1, 7, 3), (3, 2, 3), (5, 1, 2), (2, 1, 4)] {
            let hands = deal(targets, Some(count), workers);
            let dealt: u64 = hands.iter().flatten().filter_map(|s| s.count).sum();
            assert_eq!((hands.len(), dealt), (workers as usize, u64::from(targets) * count));
        }
    }
}
