//! Which worker probes what.

use std::time::Duration;

use crate::pacing::Pacing;
use model::{duration::nanos, target::TargetId};

/// What a worker has to do for one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The target.
    pub target: TargetId,
    /// Number of probes; `None`: until stopped.
    pub count: Option<u64>,
    /// From one of them to the next, in nanoseconds.
    pub interval: u64,
    /// From the start of the run to the first of them, in nanoseconds.
    pub first: u64,
}

/// Assigns the probes of a run to `workers`: whole targets, and where there are fewer of them than
/// workers and a target is to be probed as fast as possible, an equal part of its probes. (Two
/// workers that kept one target's interval each would probe it twice as often.)
#[must_use]
pub fn assign(
    targets: u32,
    count: Option<u64>,
    workers: u32,
    interval: Duration,
    pace: &Pacing,
) -> Vec<Vec<Share>> {
    let mut shares = vec![Vec::new(); workers as usize];
    for target in (0..targets).map(TargetId) {
        let interval = pace.interval(target, interval);
        let first = nanos(pace.first(target, targets, interval));
        let whole = Share { target, count, interval: nanos(interval), first };
        if targets >= workers || !interval.is_zero() {
            shares[(target.0 % workers) as usize].push(whole);
            continue;
        }
        for (worker, share) in (0_u64..).zip(&mut shares) {
            let all = u64::from(workers);
            let count = count.map(|n| n / all + u64::from(worker < n % all));
            share.push(Share { count, ..whole });
        }
    }
    shares
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
                let shares = assign(targets, Some(count), workers, interval, &Pacing::default());
                let assigned: u64 = shares.iter().flatten().filter_map(|s| s.count).sum();
                assert_eq!(
                    (shares.len(), assigned),
                    (workers as usize, u64::from(targets) * count)
                );
            }
        }
    }

    #[test]
    fn an_interval_is_kept_by_one_worker() {
        let own = [None, Some(Duration::ZERO)];
        let pace = Pacing { intervals: own.into(), ..Pacing::default() };
        let shares = assign(2, None, 4, Duration::from_secs(1), &pace);
        let of = |target: u32| shares.iter().flatten().filter(|s| s.target.0 == target).count();
        assert_eq!((of(0), of(1)), (1, 4));
    }
}
