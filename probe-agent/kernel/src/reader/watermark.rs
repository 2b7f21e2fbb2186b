//! How far the watermark may go.
//!
//! A host that stalls (a paused virtual machine, overloaded processors) runs its timers late. After
//! seconds of that, a settle window seems to be over although the server's timer, which was due within
//! it, has not run yet. After such a stall the watermark is held.

use std::time::Duration;

use model::duration::nanos;

/// How far the watermark stays behind the clock, in nanoseconds: when the reader finds the ring empty, a
/// record may be reserved and not yet committed. Some hundred instructions lie between the two.
pub(super) const COMMIT_SLACK: u64 = 1_000_000;

/// A look that is late by so many nanoseconds shows a stall.
const STALL: u64 = 80_000_000;

/// The watermark is held for as long as the stall was, and at most this long, in nanoseconds.
const MOST: u64 = 3_000_000_000;

/// Follows the reader's looks.
#[derive(Debug)]
pub(super) struct WatermarkGate {
    tick: u64,
    last: u64,
    /// Until then the watermark is held.
    hold_until: u64,
    /// Since then it has been held, over any number of stalls.
    held_since: Option<u64>,
}

impl WatermarkGate {
    pub(super) fn new(now: u64, tick: Duration) -> Self {
        Self { tick: nanos(tick), last: now, hold_until: 0, held_since: None }
    }

    /// The watermark after a look that began at `now`; `None` while it is held.
    pub(super) fn watermark(&mut self, now: u64) -> Option<u64> {
        let late = now.saturating_sub(self.last + self.tick);
        self.last = now;
        if late >= STALL {
            let since = *self.held_since.get_or_insert(now);
            self.hold_until = (now + self.tick + late).min(since + MOST);
        }
        if now < self.hold_until {
            return None;
        }
        self.held_since = None;
        Some(now.saturating_sub(COMMIT_SLACK))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{COMMIT_SLACK, MOST, STALL, WatermarkGate};

    const TICK: u64 = 20_000_000;
    const SHORT: Duration = Duration::from_nanos(TICK);

    #[test]
    fn it_follows_the_clock() {
        let mut gate = WatermarkGate::new(1_000_000_000, SHORT);
        assert_eq!(gate.watermark(1_000_000_000 + TICK), Some(1_000_000_000 + TICK - COMMIT_SLACK));
    }

    #[test]
    fn after_a_stall_it_is_held_for_as_long() {
        let mut gate = WatermarkGate::new(0, SHORT);
        let awake = 2_000_000_000;
        let first = (0..1_000).map(|n| awake + n * TICK).find(|at| gate.watermark(*at).is_some());
        assert_eq!(first, Some(2 * awake));
    }

    #[test]
    fn a_wait_as_long_as_was_meant_is_no_stall() {
        let long = Duration::from_millis(100);
        let mut gate = WatermarkGate::new(0, long);
        assert!((1..50).all(|n| gate.watermark(n * 110_000_000).is_some()));
        assert_eq!(gate.watermark(50 * 110_000_000 + 100_000_000), None);
    }

    #[test]
    fn many_stalls_do_not_hold_it_without_end() {
        let mut gate = WatermarkGate::new(0, SHORT);
        let first = (1..1_000).map(|n| n * 2 * STALL).find(|at| gate.watermark(*at).is_some());
        assert!(first.is_some_and(|at| at <= 2 * STALL + MOST + 2 * STALL), "{first:?}");
    }
}
