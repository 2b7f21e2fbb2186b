//! Whether source ports can rest until their probes are settled, at the pace at which probes start.

use std::time::Duration;

use model::duration::nanos;

/// The pace is measured over this many probes. Until then slots are made as they are wanted.
const SAMPLE: u32 = 1024;

/// The pace of the last full sample.
#[derive(Debug)]
pub(super) struct Pace {
    /// A sample that takes less time than this, in nanoseconds, is too fast for all slots together.
    fastest: u64,
    started: u32,
    since: Option<u64>,
    is_too_fast: bool,
}

impl Pace {
    /// The pace of a worker with up to `max_slots` slots.
    pub(super) fn new(settle: Duration, max_slots: u32) -> Self {
        let fastest = nanos(settle).saturating_mul(SAMPLE.into()) / u64::from(max_slots.max(1));
        Self { fastest, started: 0, since: None, is_too_fast: false }
    }

    /// A probe starts at `now`, in nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) fn on_start(&mut self, now: u64) {
        let since = *self.since.get_or_insert(now);
        self.started += 1;
        if self.started >= SAMPLE {
            self.is_too_fast = now.saturating_sub(since) < self.fastest;
            self.started = 0;
            self.since = Some(now);
        }
    }

    /// Whether probes start so fast that a port is used again before its last probe is settled, however many
    /// slots there are. Then more of them gain nothing, and sockets that do not fit the processor's cache
    /// make each probe slower.
    pub(super) fn is_too_fast(&self) -> bool {
        self.is_too_fast
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, SAMPLE};

    const SECOND: u64 = 1_000_000_000;

    /// The pace after some probes, so many a second, on 8,192 slots with a settle window of 2 s.
    fn pace(pace: &mut Pace, probes: u32, per_second: u64, from: u64) -> u64 {
        let at = |n: u32| from + u64::from(n) * SECOND / per_second;
        (0..probes).for_each(|n| pace.on_start(at(n)));
        at(probes)
    }

    #[test]
    fn ports_rest_at_up_to_as_many_probes_as_there_are_slots_in_a_window() {
        for (per_second, is_too_fast) in
            [(1, false), (4_000, false), (4_200, true), (200_000, true)]
        {
            let mut measured = Pace::new(Duration::from_secs(2), 8_192);
            pace(&mut measured, SAMPLE - 1, per_second, SECOND);
            assert!(!measured.is_too_fast(), "too early to tell");
            pace(&mut measured, 3 * SAMPLE, per_second, SECOND);
            assert_eq!(measured.is_too_fast(), is_too_fast, "{per_second}/s");
        }
    }

    #[test]
    fn a_pace_that_falls_lets_ports_rest_again() {
        let mut measured = Pace::new(Duration::from_secs(2), 8_192);
        let now = pace(&mut measured, 2 * SAMPLE, 100_000, SECOND);
        assert!(measured.is_too_fast());
        pace(&mut measured, 2 * SAMPLE, 1_000, now);
        assert!(!measured.is_too_fast());
    }

    #[test]
    fn without_a_settle_window_no_pace_is_too_fast() {
        let mut measured = Pace::new(Duration::ZERO, 8_192);
        pace(&mut measured, 2 * SAMPLE, 1_000_000, SECOND);
        assert!(!measured.is_too_fast());
    }
}
