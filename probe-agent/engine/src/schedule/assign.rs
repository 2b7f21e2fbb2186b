//! Assigns targets to workers.

use std::time::Duration;

use crate::{names::Names, pacing::Pacing};
use model::{duration::nanos, target::TargetId};

/// The probes of one target that a worker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The target.
    pub(crate) target: TargetId,
    /// The name that it is an address of, by number.
    pub(crate) name: Option<u32>,
    /// The number of probes; `None`: until stopped.
    pub(crate) count: Option<u64>,
    /// The time between two probes, in nanoseconds.
    pub(crate) interval: u64,
    /// The time from the start of the run to the first probe, in nanoseconds.
    pub(crate) first_delay: u64,
}

/// Assigns the probes of a run to `workers`. Usually each target belongs to one worker. If there are fewer
/// targets than workers, a target without an interval is shared by all workers, each with an equal part of
/// its probes. (A target with an interval is not shared: two workers that each kept the interval would
/// probe it twice as often.) All addresses of a name belong to the same worker, which then also probes those
/// that it gets later.
pub(crate) fn assign(
    targets: u32,
    names: Option<&Names>,
    count: Option<u64>,
    workers: u32,
    interval: Duration,
    pacing: &Pacing,
) -> Vec<Vec<Assignment>> {
    let mut assignments = vec![Vec::new(); workers as usize];
    for target in (0..targets).map(TargetId) {
        let interval = pacing.interval(target, interval);
        let first_delay = nanos(pacing.first_delay(target, targets, interval));
        let name = names.and_then(|names| names.of(target));
        let whole = Assignment { target, name, count, interval: nanos(interval), first_delay };
        if targets >= workers || !interval.is_zero() {
            let worker = name.unwrap_or(target.0).checked_rem(workers).unwrap_or(0);
            assignments.get_mut(worker as usize).into_iter().for_each(|all| all.push(whole));
            continue;
        }
        for (worker, assigned) in (0_u64..).zip(&mut assignments) {
            let all = u64::from(workers);
            let count = count.map(|n| n / all + u64::from(worker < n % all));
            assigned.push(Assignment { count, ..whole });
        }
    }
    assignments
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::assign;
    use crate::pacing::Pacing;

    #[test]
    fn every_probe_is_assigned_to_one_worker() {
        for interval in [Duration::ZERO, Duration::from_secs(1)] {
            for (targets, count, workers) in [(1, 7, 3), (3, 2, 3), (5, 1, 2), (2, 1, 4)] {
                let assignments =
                    assign(targets, None, Some(count), workers, interval, &Pacing::default());
                let assigned: u64 = assignments.iter().flatten().filter_map(|s| s.count).sum();
                assert_eq!(
                    (assignments.len(), assigned),
                    (workers as usize, u64::from(targets) * count)
                );
            }
        }
    }

    #[test]
    fn a_target_with_an_interval_belongs_to_one_worker() {
        let own = [None, Some(Duration::ZERO)];
        let pacing = Pacing { intervals: own.into(), ..Pacing::default() };
        let assignments = assign(2, None, None, 4, Duration::from_secs(1), &pacing);
        let of =
            |target: u32| assignments.iter().flatten().filter(|s| s.target.0 == target).count();
        assert_eq!((of(0), of(1)), (1, 4));
    }
}
