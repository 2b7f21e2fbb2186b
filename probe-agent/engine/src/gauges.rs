//! Figures of a running worker, for display.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Figures of a worker that other threads may read while it runs.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Probes ended.
    pub ended: AtomicU64,
    /// Of those: alive.
    pub alive: AtomicU64,
    /// Probes in flight.
    pub in_flight: AtomicU64,
    /// Probes that wait for late events.
    pub settling: AtomicU64,
    /// Confirmation probes ended.
    pub confirmations: AtomicU64,
    /// When the last turn of the event loop began, in nanoseconds of `CLOCK_MONOTONIC`; 0 before the
    /// first, [`ENDED`] after the last.
    pub(crate) heartbeat: AtomicU64,
    /// Stalls of the event loop that are over: it made no turn for [`STALL`] or longer, then continued.
    pub(crate) past_stalls: AtomicU64,
    /// When the first probe started, in nanoseconds of `CLOCK_MONOTONIC`; 0 before.
    pub(crate) first_at: AtomicU64,
    /// When the last probe ended, in the same unit; 0 before the first.
    pub(crate) last_at: AtomicU64,
}

/// The heartbeat of a worker that has ended.
pub(crate) const ENDED: u64 = u64::MAX;

/// Adds to a figure. Only the worker's own thread writes it, so this needs no atomic read-modify-write,
/// which would cost as much as a hash lookup.
pub(crate) fn add(figure: &AtomicU64, by: u64) {
    figure.store(figure.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

/// An event loop that makes no turn for this long, in nanoseconds, is stalled: a turn takes milliseconds
/// and waits for a tenth of a second at most.
pub(crate) const STALL: u64 = 1_000_000_000;

impl Gauges {
    /// A turn of the event loop begins, or the loop ends. The loop counts its own stalls: while the whole
    /// process is stopped, no other thread can.
    pub(crate) fn beat(&self, now: u64) {
        let previous = self.heartbeat.swap(now, Ordering::Relaxed);
        if previous != 0 && now.saturating_sub(previous) >= STALL {
            self.past_stalls.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How long ago its last turn began, at `now` in nanoseconds of `CLOCK_MONOTONIC`; `None` before the first, and
    /// after the last.
    #[must_use]
    pub fn since_last_turn(&self, now: u64) -> Option<Duration> {
        let beat = self.heartbeat.load(Ordering::Relaxed);
        let is_turning = beat != 0 && beat != ENDED;
        is_turning.then(|| Duration::from_nanos(now.saturating_sub(beat)))
    }

    /// How often the event loop has stalled, including a stall that lasts at `now`.
    #[must_use]
    pub fn stalls(&self, now: u64) -> u64 {
        let beat = self.heartbeat.load(Ordering::Relaxed);
        let lasts = beat != 0 && beat != ENDED && now.saturating_sub(beat) >= STALL;
        self.past_stalls.load(Ordering::Relaxed) + u64::from(lasts)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::{ENDED, Gauges, STALL};

    #[test]
    fn a_stall_counts_once_during_it_and_afterwards() {
        let gauges = Gauges::default();
        let from = 7 * STALL;
        assert_eq!(gauges.stalls(from), 0, "the loop has not started");
        gauges.beat(from);
        assert_eq!((gauges.stalls(from + STALL - 1), gauges.stalls(from + STALL)), (0, 1));
        gauges.beat(from + 3 * STALL);
        assert_eq!(gauges.stalls(from + 3 * STALL), 1);
        gauges.beat(from + 4 * STALL - 1);
        assert_eq!(gauges.stalls(from + 4 * STALL - 1), 1, "a long turn is no stall");
        assert_eq!(gauges.stalls(from + 5 * STALL), 2);
        gauges.heartbeat.store(ENDED, Ordering::Relaxed);
        assert_eq!(gauges.stalls(from + 9 * STALL), 1, "the loop has ended");
    }
}
