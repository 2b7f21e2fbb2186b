//! Figures of a running engine, for whoever shows them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Figures that others may read while the engine runs.
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
    /// Second probes that decided on a refusal.
    pub confirmations: AtomicU64,
    /// When the last turn of the loop began, nanoseconds of `CLOCK_MONOTONIC`; 0 before the first,
    /// [`ENDED`] after the last.
    pub heartbeat: AtomicU64,
    /// Times that the loop went on after it had stood still for [`STALL`] or longer.
    pub stalls_ended: AtomicU64,
    /// When the first probe started, nanoseconds of `CLOCK_MONOTONIC`.
    pub first_at: AtomicU64,
    /// When the last probe ended, likewise.
    pub last_at: AtomicU64,
}

/// The beat of a worker that has ended.
pub const ENDED: u64 = u64::MAX;

/// Adds to a figure. Only the engine's own thread writes it, so that no other is to be kept away
/// meanwhile, which would cost as much as a look-up.
pub(crate) fn add(figure: &AtomicU64, by: u64) {
    figure.store(figure.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

/// A turn of the loop takes milliseconds and waits for a tenth of a second at most: a loop that does
/// not come round for this long, in nanoseconds, stands still.
pub const STALL: u64 = 1_000_000_000;

impl Gauges {
    /// A turn of the loop begins at this time, or the loop ends. It notices itself for how long it
    /// was away: where the whole process was stopped, nobody else could look meanwhile.
    pub(crate) fn turn(&self, now: u64) {
        let before = self.heartbeat.swap(now, Ordering::Relaxed);
        if before != 0 && now.saturating_sub(before) >= STALL {
            self.stalls_ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often the loop has stood still, a standstill that lasts included.
    #[must_use]
    pub fn stalls(&self, now: u64) -> u64 {
        let beat = self.heartbeat.load(Ordering::Relaxed);
        let lasts = beat != 0 && beat != ENDED && now.saturating_sub(beat) >= STALL;
        self.stalls_ended.load(Ordering::Relaxed) + u64::from(lasts)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::{ENDED, Gauges, STALL};

    #[test]
    fn a_standstill_counts_while_it_lasts_and_once_after() {
        let gauges = Gauges::default();
        let from = 7 * STALL;
        assert_eq!(gauges.stalls(from), 0, "it has not begun");
        gauges.turn(from);
        assert_eq!((gauges.stalls(from + STALL - 1), gauges.stalls(from + STALL)), (0, 1));
        gauges.turn(from + 3 * STALL);
        assert_eq!(gauges.stalls(from + 3 * STALL), 1);
        gauges.turn(from + 4 * STALL - 1);
        assert_eq!(gauges.stalls(from + 4 * STALL - 1), 1, "a long turn is none");
        assert_eq!(gauges.stalls(from + 5 * STALL), 2);
        gauges.heartbeat.store(ENDED, Ordering::Relaxed);
        assert_eq!(gauges.stalls(from + 9 * STALL), 1, "it has ended");
    }
}
