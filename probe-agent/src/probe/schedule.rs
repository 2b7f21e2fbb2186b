//! Which target is probed next, and when.

use std::collections::VecDeque;

use super::target::TargetId;

/// Targets in the order in which they are due. The interval is the same for all, so that a target
/// that is put back at the end is due last and no sorting is needed.
#[derive(Debug)]
pub(super) struct Schedule {
    queue: VecDeque<(u64, TargetId, u64)>,
    interval: u64,
}

impl Schedule {
    /// All targets, due at `now`, each `count` times with `interval` nanoseconds between.
    pub(super) fn new(targets: usize, count: Option<u64>, interval: u64, now: u64) -> Self {
        let targets = u32::try_from(targets).unwrap_or(u32::MAX);
        let queue = match count {
            Some(0) => VecDeque::new(),
            count => {
                (0..targets).map(|id| (now, TargetId(id), count.unwrap_or(u64::MAX))).collect()
            }
        };
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
    use super::Schedule;

    #[test]
    fn targets_take_turns_and_each_has_its_count() {
        let mut schedule = Schedule::new(2, Some(2), 10, 100);
        let mut taken = Vec::new();
        for now in [100, 100, 100, 110, 110, 200] {
            taken.push(schedule.take(now).map(|t| t.0));
        }
        assert_eq!(taken, [Some(0), Some(1), None, Some(0), Some(1), None]);
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn a_backlog_is_not_made_up_for_in_a_burst() {
        let mut schedule = Schedule::new(1, None, 10, 0);
        assert!(schedule.take(1_000).is_some());
        assert_eq!(schedule.next_due(), Some(1_000));
        assert!(schedule.take(1_000).is_some());
        assert_eq!(schedule.next_due(), Some(1_010));
    }
}
